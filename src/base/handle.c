/* SPDX-License-Identifier: MIT */
/* handle.c - see handle.h.  Slots live in chunks that are never freed or moved,
 * so a lookup needs no lock but the slot's stripe. */
#include "base/handle.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/delay.h"

#define CHUNK_BITS 10u
#define CHUNK_SLOTS (1u << CHUNK_BITS)
#define CHUNK_COUNT 1024u /* 2^20 handles alive at once */
#define SLOT_BITS 24u
/* Of these there are 2^24, but for 0, each at least FREE_BEFORE_REUSE handles after the last. */
#define GENERATION_MASK ((1u << (HANDLE_BITS - SLOT_BITS)) - 1)
#define STRIPES 64u
/* Free slots below this are left alone while new ones can be made. */
#define FREE_BEFORE_REUSE 4096u

/* Two words, for there is one for every connection, call and pipe. */
struct slot {
    union {
        struct counted *object; /* open */
        struct {                /* free or closed */
            int32_t status;     /* of the closed handle   */
            uint32_t next_free; /* slot number, 0: last   */
        };
    };
    uint32_t generation; /* of the handle last given out; 0: none was */
    bool open;
};
_Static_assert(sizeof(struct slot) == 16, "a slot is two words");

static struct slot *_Atomic chunks[CHUNK_COUNT];
static pthread_mutex_t stripes[STRIPES];
static pthread_once_t stripes_once = PTHREAD_ONCE_INIT;

/* Everything below is guarded by free_lock. */
static pthread_mutex_t free_lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t free_head, free_tail, free_count, slots_made;

void counted_put(struct counted *object)
{
    DELAY_POINT();
    if (atomic_fetch_sub_explicit(&object->refs, 1, memory_order_acq_rel) == 1)
        object->destroy(object);
}

static void stripes_init(void)
{
    for (unsigned i = 0; i < STRIPES; i++)
        pthread_mutex_init(&stripes[i], NULL);
}

static struct slot *slot_at(uint32_t number)
{
    if (number == 0 || number > CHUNK_COUNT * CHUNK_SLOTS)
        return NULL;
    struct slot *chunk =
        atomic_load_explicit(&chunks[(number - 1) >> CHUNK_BITS], memory_order_acquire);
    return chunk ? &chunk[(number - 1) & (CHUNK_SLOTS - 1)] : NULL;
}

static pthread_mutex_t *stripe_of(uint32_t number)
{
    return &stripes[number % STRIPES];
}

static uint32_t pop_free(void)
{
    uint32_t number = free_head;
    struct slot *slot = slot_at(number);
    if (!slot)
        return 0;
    free_head = slot->next_free;
    if (free_head == 0)
        free_tail = 0;
    free_count--;
    return number;
}

static uint32_t make_slot(void)
{
    if (slots_made == CHUNK_COUNT * CHUNK_SLOTS)
        return 0;
    if ((slots_made & (CHUNK_SLOTS - 1)) == 0) {
        struct slot *chunk = calloc(CHUNK_SLOTS, sizeof(*chunk));
        if (!chunk)
            return 0;
        atomic_store_explicit(&chunks[slots_made >> CHUNK_BITS], chunk, memory_order_release);
    }
    return ++slots_made;
}

static uint32_t take_slot(void)
{
    pthread_mutex_lock(&free_lock);
    uint32_t number = 0;
    if (free_count >= FREE_BEFORE_REUSE)
        number = pop_free();
    if (number == 0)
        number = make_slot();
    if (number == 0)
        number = pop_free();
    pthread_mutex_unlock(&free_lock);
    return number;
}

static void give_slot(uint32_t number, struct slot *slot)
{
    pthread_mutex_lock(&free_lock);
    slot->next_free = 0;
    struct slot *last = slot_at(free_tail);
    if (last)
        last->next_free = number;
    else
        free_head = number;
    free_tail = number;
    free_count++;
    pthread_mutex_unlock(&free_lock);
}

uint64_t handle_open(struct counted *object)
{
    pthread_once(&stripes_once, stripes_init); /* every other use follows an open */
    uint32_t number = take_slot();
    if (number == 0)
        return 0;
    struct slot *slot = slot_at(number);
    pthread_mutex_lock(stripe_of(number));
    counted_get(object);
    slot->object = object;
    slot->open = true;
    slot->generation = slot->generation == GENERATION_MASK ? 1 : slot->generation + 1;
    uint64_t handle = (uint64_t)slot->generation << SLOT_BITS | number;
    pthread_mutex_unlock(stripe_of(number));
    return handle;
}

struct counted *handle_get(uint64_t handle, int32_t unknown, int32_t *ret_status)
{
    uint32_t number = handle & ((1u << SLOT_BITS) - 1);
    struct slot *slot = slot_at(number);
    *ret_status = unknown;
    if (!slot)
        return NULL;
    struct counted *object = NULL;
    pthread_mutex_lock(stripe_of(number));
    if (slot->generation == handle >> SLOT_BITS && slot->generation > 0) {
        if (slot->open)
            counted_get(object = slot->object);
        else
            *ret_status = slot->status;
    }
    pthread_mutex_unlock(stripe_of(number));
    return object;
}

void handle_close(uint64_t handle, int32_t status)
{
    uint32_t number = handle & ((1u << SLOT_BITS) - 1);
    struct slot *slot = slot_at(number);
    if (!slot)
        return;
    struct counted *object = NULL;
    pthread_mutex_lock(stripe_of(number));
    if (slot->generation == handle >> SLOT_BITS && slot->open) {
        object = slot->object;
        slot->open = false;
        slot->status = status;
    }
    pthread_mutex_unlock(stripe_of(number));
    if (object) {
        give_slot(number, slot);
        counted_put(object);
    }
}
