/* SPDX-License-Identifier: MIT */
/* server_full.c - managers of rt_full and rt_async_more. */
#include "server.h"

#include <stdlib.h>
#include <string.h>

#include "../detached.h"
#include "samples_unions.h"
#include "win32.h"

#define SERVER_FILE WRONG_FULL

/* ---- rt_full ------------------------------------------------------------------------------- */

int32_t RtAlias(handle_t h, int32_t *a, int32_t *b, RT_TWINS *twins, int64_t *sum)
{
    (void)h;
    *sum = (a ? *a : 0) + (int64_t)(b ? *b : 0);
    return (a && a == b) + 2 * (twins->p && twins->p == twins->q) + 4 * (a && twins->a == a);
}

void RtTwins(handle_t h, RT_TWINS *twins)
{
    (void)h;
    if (twins->a)
        *twins->a *= 2;
    if (twins->b)
        *twins->b += 1;
    if (twins->p)
        twins->p->x = ~twins->p->x;
    if (twins->q)
        twins->q->y = ~twins->q->y;
    twins->odd = (byte)~twins->odd;
}

void RtRing(handle_t h, int32_t n, RT_RING *ring, RT_RING **turned)
{
    (void)h;
    RT_RING *from = ring, *last = NULL;
    for (int32_t i = 0; i < n; i++, from = from->next) {
        VERIFY(from && from->value == i && from->next && from->next->back == from);
        RT_RING *node = sample_allocate(sizeof(*node));
        node->value = 2 * i;
        node->next = last;
        if (last)
            last->back = node;
        else
            *turned = node; /* the first, to which the last one leads */
        last = node;
    }
    VERIFY(from == ring);
    if (n > 0) {
        (*turned)->next = last;
        last->back = *turned;
    }
}

void RtTurn(handle_t h, RT_RING **ring, RT_TWINS *twins, RT_RING **last, RT_RING *only,
            RT_RING **copy)
{
    (void)h;
    RT_RING *was = *ring, *at = was;
    int left = 1000;
    do {
        /* a ring in both directions, and not one beside it */
        VERIFY(at && at->next && at->next->back == at && left-- > 0);
        at->value = -at->value;
        at = at->next;
    } while (at != was);
    RT_RING *fresh = sample_allocate(sizeof(*fresh));
    *fresh = (RT_RING){.value = 77, .next = was->next, .back = was};
    was->next->back = fresh;
    was->next = fresh;
    *ring = fresh->next;
    *last = was;
    *copy = only;
    if (only)
        only->value = -only->value;
    int32_t *a = twins->a;
    twins->a = twins->b;
    twins->b = a;
    SHARED_POINT *p = twins->p;
    twins->p = twins->q;
    twins->q = p;
    if (p)
        p->x = ~p->x;
}

void RtShelf(handle_t h, uint32_t more, RT_SHELF *shelf)
{
    (void)h;
    VERIFY(more == 0 || (shelf->text && strlen((char *)shelf->text) >= more));
    for (uint32_t i = 0; i < shelf->n; i++)
        shelf->low[i]++;
    for (uint32_t i = 0; shelf->high != shelf->low && i < shelf->m; i++)
        shelf->high[i]++;
    if (more == 0)
        return;
    hyper *low = sample_allocate((shelf->n + more) * sizeof(*low));
    for (uint32_t i = 0; i < shelf->n + more; i++)
        low[i] = i < shelf->n ? shelf->low[i] : -(hyper)i;
    if (shelf->low != shelf->high)
        midl_user_free(shelf->low);
    shelf->low = low;
    shelf->n += more;
    memmove(shelf->text, shelf->text + more, strlen((char *)shelf->text + more) + 1);
}

void RtIgnoring(handle_t h, RT_IGNORING *v)
{
    (void)h;
    v->before = ~v->before;
    v->after = (byte)~v->after;
    if (v->there)
        *v->there = ~*v->there;
}

void RtPacked(handle_t h, uint32_t n, RT_PACKED *in, RT_PACKED *out)
{
    (void)h;
    for (uint32_t i = 0; i < n; i++) {
        const RT_PACKED *from = &in[i];
        RT_PACKED to = {.a = from->c,
                        .b = ~from->b,
                        .c = from->a,
                        .d = from->e,
                        .n = from->n,
                        .e = from->d,
                        .shade = (RT_SHADE)(from->shade + 1),
                        .tag = from->tag};
        to.text = reversed(from->text);
        if (from->numbers)
            to.numbers = sample_allocate(from->n * sizeof(*to.numbers));
        int32_t *numbers = to.numbers;
        for (uint32_t k = 0; from->numbers && k < from->n; k++)
            numbers[k] = ~from->numbers[k];
        if (from->tag == 1)
            to.u.d1 = -from->u.d1;
        else
            to.u.b1 = (byte)~from->u.b1;
        out[i] = to;
    }
}

/* ---- rt_async_more --------------------------------------------------------------------------- */

struct later {
    PRPC_ASYNC_STATE async;
    uint32_t seed, tag;
    RT_VALUE *in, *out;
    RT_TOWER *tower;
    RT_TAGGED *tagged, *tagged_out;
    ASYNC_RT_LONGS numbers, back;
};

static void start(void *(*work)(void *), const struct later *job)
{
    struct later *later = malloc(sizeof(*later));
    VERIFY(later);
    *later = *job;
    if (!start_detached(work, later)) {
        free(later);
        VERIFY(false);
    }
}

#define REFUSE_UNLESS(condition)                                                                   \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            RpcAsyncAbortCall(later->async, WRONG(SERVER_FILE, __LINE__));                         \
            goto out;                                                                              \
        }                                                                                          \
    } while (0)

static void *async_union(void *arg)
{
    struct later *later = arg;
    int32_t result = ~(int32_t)later->seed;
    REFUSE_UNLESS(value_equal(later->in, later->tag, later->seed));
    REFUSE_UNLESS(tower_equal(later->tower, later->seed, later->seed + 1));
    REFUSE_UNLESS(tagged_equal(later->tagged, later->seed));
    value_fill(later->out, later->tag, later->seed + 1);
    tower_invert(later->tower);
    tagged_fill(later->tagged_out, later->seed + 1);
    RpcAsyncCompleteCall(later->async, &result);
out:
    free(later);
    return NULL;
}

void RtAsyncUnion(PRPC_ASYNC_STATE async, handle_t h, uint32_t seed, uint32_t tag, RT_VALUE *in,
                  RT_VALUE *out, RT_TOWER *tower, RT_TAGGED *tagged, RT_TAGGED *tagged_out)
{
    (void)h;
    start(async_union, &(struct later){.async = async,
                                       .seed = seed,
                                       .tag = tag,
                                       .in = in,
                                       .out = out,
                                       .tower = tower,
                                       .tagged = tagged,
                                       .tagged_out = tagged_out});
}

static void *async_pipes(void *arg)
{
    struct later *later = arg;
    int32_t *numbers = NULL, chunk[100];
    size_t count = 0;
    RPC_STATUS status;
    for (;;) {
        unsigned long got = 0;
        status = later->numbers.pull(later->numbers.state, chunk, 100, &got);
        if (status == RPC_S_ASYNC_CALL_PENDING) {
            Sleep(1);
            continue;
        }
        if (status != RPC_S_OK)
            goto out; /* the call is over */
        if (got == 0)
            break;
        numbers = realloc(numbers, (count + got) * sizeof(*numbers));
        for (unsigned long i = 0; i < got; i++)
            numbers[count++] = ~chunk[i];
    }
    REFUSE_UNLESS(value_equal(later->in, later->tag, later->seed));
    REFUSE_UNLESS(tower_equal(later->tower, later->seed, later->seed + 1));
    for (size_t i = 0; i < count; i += 77) {
        size_t left = count - i;
        if (later->back.push(later->back.state, numbers + i, left < 77 ? left : 77) != RPC_S_OK)
            goto out;
    }
    if (later->back.push(later->back.state, NULL, 0) != RPC_S_OK)
        goto out;
    value_fill(later->out, later->tag, later->seed + 1);
    tower_invert(later->tower);
    RpcAsyncCompleteCall(later->async, NULL);
out:
    free(numbers);
    free(later);
    return NULL;
}

void RtAsyncPipes(PRPC_ASYNC_STATE async, handle_t h, uint32_t seed, uint32_t tag, RT_VALUE *in,
                  RT_TOWER *tower, ASYNC_RT_LONGS *numbers, ASYNC_RT_LONGS *back, RT_VALUE *out)
{
    (void)h;
    start(async_pipes, &(struct later){.async = async,
                                       .seed = seed,
                                       .tag = tag,
                                       .in = in,
                                       .out = out,
                                       .tower = tower,
                                       .numbers = *numbers,
                                       .back = *back});
}
