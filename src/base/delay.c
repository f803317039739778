/* SPDX-License-Identifier: MIT */
/* delay.c - see delay.h.
 *
 * Equal delays everywhere find little: a race needs one thread to be late and another not to be.
 * So the seed makes few places slow, some lively, and most quiet, and each thread draws for
 * itself whether this is one of the times. */
#include "base/delay.h"

#ifdef PENSTOCK_DELAYS

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define DELAY_MAX_US 2000u

static uint64_t seed = 1;
static atomic_uint thread_count;
static _Thread_local uint64_t state;

__attribute__((constructor)) static void read_seed(void)
{
    const char *text = getenv("PENSTOCK_DELAY_SEED");
    if (text)
        seed = strtoull(text, NULL, 0);
}

/* Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014). */
static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint32_t draw(void)
{
    if (state == 0)
        state = mix(seed ^ (uint64_t)(atomic_fetch_add(&thread_count, 1) + 1) << 40) | 1u;
    state += UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(mix(state) >> 32);
}

/* The same number for the same place and seed, in every process of a build. */
static uint32_t place_number(const void *place)
{
    const uint64_t offset = (uint64_t)((uintptr_t)place - (uintptr_t)&draw);
    return (uint32_t)(mix(seed + offset * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static void sleep_up_to(uint32_t us)
{
    const struct timespec time = {.tv_nsec = (long)(draw() % us) * 1000};
    nanosleep(&time, NULL);
}

__attribute__((noinline)) void delay_point(void)
{
    const int error = errno;
    const uint32_t chance = draw() % 1024;
    const uint32_t place = place_number(__builtin_return_address(0)) % 32;
    if (place == 0) { /* slow: one time in four, mostly less than the whole of it */
        if (chance < 256)
            sleep_up_to(1 + draw() % DELAY_MAX_US);
    } else if (place < 8) { /* lively */
        if (chance < 24)
            sleep_up_to(200);
        else if (chance < 256)
            sched_yield();
    } else { /* quiet */
        if (chance < 2)
            sleep_up_to(DELAY_MAX_US);
        else if (chance < 32)
            sched_yield();
    }
    errno = error;
}

__attribute__((noinline)) _Bool delay_spurious(void)
{
    return draw() % (place_number(__builtin_return_address(0)) % 4 == 0 ? 8 : 128) == 0;
}

#else

typedef int nothing_to_delay; /* ISO C has no empty file */

#endif
