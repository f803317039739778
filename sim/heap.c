/* SPDX-License-Identifier: MIT */
/* heap.c - the allocator the core runs on: it counts, and fails when asked to.
 * The program is linked with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free. */
#include <stdio.h>
#include <stdlib.h>

#include "sim.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *memory);

static long live;
static uint32_t fail_one_in;
static struct sim_random fail_random;

/* Those of the core that would come from slabs count, too (base/slab.h). */
__attribute__((constructor(101))) static void see_objects(void)
{
    setenv("PENSTOCK_OBJECTS", "heap", 1);
}

void *sim_alloc(size_t len)
{
    void *memory = __real_calloc(1, len > 0 ? len : 1);
    if (!memory) {
        fputs("sim: out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

void sim_free(void *memory)
{
    __real_free(memory);
}

long sim_heap_live(void)
{
    return live;
}

void sim_heap_fail(uint32_t one_in, uint64_t seed)
{
    fail_one_in = one_in;
    fail_random.state = seed;
}

static bool fails(void)
{
    return fail_one_in > 0 && sim_below(&fail_random, fail_one_in) == 0;
}

static void *count(void *memory)
{
    if (memory)
        live++;
    return memory;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : count(__real_malloc(size));
}

void *__wrap_calloc(size_t count_, size_t size)
{
    return fails() ? NULL : count(__real_calloc(count_, size));
}

void *__wrap_realloc(void *old, size_t size)
{
    if (fails())
        return NULL;
    void *memory = __real_realloc(old, size);
    return old ? memory : count(memory);
}

void __wrap_free(void *memory)
{
    if (memory)
        live--;
    __real_free(memory);
}
