/* SPDX-License-Identifier: MIT */
/* client_full.c - full pointers, [ignore], packed structures; unions and open structures in
 * asynchronous calls. */
#include "client.h"

#include "samples_unions.h"
#include "win32.h"

/* ---- Full pointers ------------------------------------------------------------------- */

static bool full_aliases(void)
{
    int32_t one = 1000, two = 2000;
    SHARED_POINT p = {1, 2}, q = {1, 2};
    int64_t sum = 0;
    RT_TWINS twins = {.a = &one, .p = &p, .q = &q};
    CHECK_EQUAL(RtAlias(server, &one, &two, &twins, &sum), 4);
    CHECK_EQUAL(sum, 3000);
    CHECK_EQUAL(RtAlias(server, &two, &two, &twins, &sum), 1);
    CHECK_EQUAL(sum, 4000);
    twins = (RT_TWINS){.a = &one, .b = &one, .p = &p, .q = &p};
    CHECK_EQUAL(RtAlias(server, &one, &one, &twins, &sum), 7);
    CHECK_EQUAL(sum, 2000);
    twins = (RT_TWINS){.p = &p, .q = &p};
    CHECK_EQUAL(RtAlias(server, NULL, NULL, &twins, &sum), 2);
    CHECK_EQUAL(sum, 0);
    CHECK_EQUAL(RtAlias(server, NULL, &one, &(RT_TWINS){.a = &one}, &sum), 0);
    return true;
}

static bool full_both(void)
{
    int32_t one = 10, two = 20;
    SHARED_POINT p = {1, 2}, q = {3, 4};
    RT_TWINS twins = {.a = &one, .b = &two, .p = &p, .odd = 7, .q = &q};
    RtTwins(server, &twins);
    CHECK(twins.a == &one && twins.b == &two && twins.p == &p && twins.q == &q);
    CHECK(one == 20 && two == 21 && twins.odd == (byte)~7);
    CHECK(p.x == ~1 && p.y == 2 && q.x == 3 && q.y == ~4);
    twins = (RT_TWINS){.a = &one, .b = &one, .p = &q, .q = &q};
    RtTwins(server, &twins);
    CHECK(twins.a == &one && twins.b == &one && twins.p == &q && twins.q == &q);
    CHECK_EQUAL(one, 41);
    CHECK(q.x == ~3 && q.y == 4);
    twins = (RT_TWINS){.a = &one};
    RtTwins(server, &twins);
    CHECK(one == 82 && twins.a == &one && !twins.b && !twins.p && !twins.q);
    return true;
}

static bool full_ring(void)
{
    static const int32_t counts[] = {0, 1, 2, 3, 200};
    for (size_t k = 0; k < COUNT_OF(counts); k++) {
        int32_t n = counts[k];
        RT_RING *ring = sample_allocate(n * sizeof(*ring)), *turned;
        GARBAGE(turned);
        for (int32_t i = 0; i < n; i++)
            ring[i] =
                (RT_RING){.value = i, .next = &ring[(i + 1) % n], .back = &ring[(i + n - 1) % n]};
        RtRing(server, n, n > 0 ? ring : NULL, &turned);
        CHECK((turned != NULL) == (n > 0));
        RT_RING *at = turned;
        for (int32_t i = 0; i < n; i++) {
            CHECK_EQUAL(at->value, 2 * ((n - i) % n));
            CHECK(at->next && at->next->back == at);
            at = at->next;
        }
        CHECK(at == turned);
        for (int32_t i = 0; i < n; i++) {
            RT_RING *next = at->next;
            midl_user_free(at);
            at = next;
        }
        midl_user_free(ring);
    }
    return true;
}

/* A reply names the objects of its request: the client finds its own ones, moved, and a new
 * one beside them. */
static bool full_reply(void)
{
    static const RT_RING constant = {.value = 5}; /* [in] alone: never written */
    for (int32_t n = 1; n <= 4; n++) {
        RT_RING ring[4], *at = &ring[0], *last, *copy;
        int32_t one = 1, two = 2;
        SHARED_POINT p = {1, 2}, q = {3, 4};
        RT_TWINS twins = {.a = &one, .b = &two, .p = &p, .q = &q};
        GARBAGE(last);
        GARBAGE(copy);
        for (int32_t i = 0; i < n; i++)
            ring[i] =
                (RT_RING){.value = i, .next = &ring[(i + 1) % n], .back = &ring[(i + n - 1) % n]};
        RtTurn(server, &at, &twins, &last, (RT_RING *)(uintptr_t)&constant, &copy);
        CHECK(last == &ring[0] && last->value == 0 && at == &ring[1 % n]);
        RT_RING *fresh = last->next;
        for (int32_t i = 0; i < n; i++) {
            CHECK(fresh != &ring[i]);
            CHECK_EQUAL(ring[i].value, -i);
            CHECK(ring[i].next == (i == 0 ? fresh : &ring[(i + 1) % n]));
        }
        CHECK(fresh->value == 77 && fresh->back == last && fresh->next == (n == 1 ? last : at));
        CHECK(twins.a == &two && twins.b == &one && one == 1 && two == 2);
        CHECK(twins.p == &q && twins.q == &p && p.x == ~1 && q.x == 3);
        CHECK(copy && copy != &constant && copy->value == -5 && constant.value == 5);
        midl_user_free(fresh);
        midl_user_free(copy);
    }
    return true;
}

/* The object that `only` leads to is written when [in,out] parameters lead there as well. */
static bool full_both_ways(void)
{
    RT_RING ring = {.value = 8, .next = &ring, .back = &ring}, *at = &ring, *last, *copy;
    int32_t one = 1;
    RT_TWINS twins = {.a = &one};
    RtTurn(server, &at, &twins, &last, &ring, &copy);
    CHECK(at == &ring && last == &ring && copy == &ring);
    CHECK_EQUAL(ring.value, 8); /* negated twice */
    CHECK(!twins.a && twins.b == &one);
    midl_user_free(ring.next);
    return true;
}

static bool full_arrays(void)
{
    hyper low[3] = {1, 2, 3}, high[2] = {10, 20};
    unsigned char text[] = "abcdef";
    RT_SHELF shelf = {.n = 3, .m = 2, .low = low, .high = high, .text = text};
    RtShelf(server, 0, &shelf);
    CHECK(shelf.low == low && shelf.high == high && shelf.text == text);
    CHECK(low[2] == 4 && high[1] == 21);
    RtShelf(server, 2, &shelf);
    CHECK(shelf.low != low && shelf.n == 5 && shelf.low[2] == 5 && shelf.low[4] == -4);
    CHECK(shelf.high == high && high[0] == 12 && shelf.text == text);
    CHECK_EQUAL(strcmp((char *)text, "cdef"), 0);
    midl_user_free(shelf.low);
    shelf = (RT_SHELF){.n = 3, .m = 2, .text = NULL, .low = NULL};
    shelf.n = shelf.m = 0;
    RtShelf(server, 0, &shelf);
    CHECK(!shelf.low && !shelf.high && !shelf.text);
    return true;
}

/* ---- [ignore] and packing -------------------------------------------------------------- */

static bool ignored(void)
{
    for (int which = 0; which < 4; which++) {
        int32_t there = 5, nowhere = 6;
        RT_IGNORING v = {.before = 1,
                         .nowhere = which & 1 ? &nowhere : NULL,
                         .there = which & 2 ? &there : NULL,
                         .anything = &v,
                         .after = 2};
        RtIgnoring(server, &v);
        CHECK(v.before == ~1 && v.after == (byte)~2);
        CHECK(v.there == (which & 2 ? &there : NULL) && there == (which & 2 ? ~5 : 5));
        CHECK_EQUAL(nowhere, 6);
    }
    /* It is not followed, wherever it points. */
    RT_IGNORING wild = {.nowhere = (int32_t *)(uintptr_t)0x10};
    RtIgnoring(server, &wild);
    CHECK_EQUAL(wild.before, ~0);
    return true;
}

static bool packed(void)
{
    static const uint32_t counts[] = {0, 1, 2, 9};
    _Static_assert(sizeof(RT_PACKED) == 5 * sizeof(byte) + sizeof(unsigned short) + sizeof(hyper) +
                                            2 * sizeof(void *) + sizeof(RT_SHADE) + sizeof(double),
                   "not packed");
    for (size_t k = 0; k < COUNT_OF(counts); k++) {
        uint32_t n = counts[k];
        int32_t numbers[9];
        RT_PACKED in[9], out[9];
        GARBAGE(out);
        for (uint32_t i = 0; i < 9; i++)
            numbers[i] = (int32_t)(i << 20 | i);
        for (uint32_t i = 0; i < n; i++) {
            in[i] = (RT_PACKED){.a = octet(i),
                                .b = (int64_t)i << 40 | 5,
                                .c = octet(i + 1),
                                .d = octet(i + 2),
                                .n = (unsigned short)i,
                                .e = octet(i + 3),
                                .shade = RT_DARK,
                                .tag = (byte)(i % 2)};
            in[i].text = i % 3 == 1 ? NULL : sample_string(i);
            in[i].numbers = i == 0 ? NULL : numbers;
            if (in[i].tag == 1)
                in[i].u.d1 = i + 0.5;
            else
                in[i].u.b1 = octet(i + 4);
        }
        RtPacked(server, n, in, out);
        for (uint32_t i = 0; i < n; i++) {
            CHECK(out[i].a == in[i].c && out[i].c == in[i].a && out[i].d == in[i].e);
            CHECK(out[i].e == in[i].d && out[i].n == i && out[i].b == ~in[i].b);
            CHECK(out[i].shade == RT_LIGHT && out[i].tag == in[i].tag);
            CHECK(i % 2 ? out[i].u.d1 == -(i + 0.5) : (out[i].u.b1 ^ octet(i + 4)) == 0xff);
            unsigned char *text = reversed(in[i].text), *got = out[i].text;
            CHECK(text ? got && strcmp((char *)text, (char *)got) == 0 : !got);
            int32_t *back = out[i].numbers;
            CHECK((back != NULL) == (in[i].numbers != NULL));
            for (uint32_t m = 0; back && m < i; m++)
                CHECK_EQUAL(back[m], ~numbers[m]);
            midl_user_free(text);
            midl_user_free(got);
            midl_user_free(back);
            midl_user_free(in[i].text);
        }
    }
    return true;
}

/* ---- Asynchronous ------------------------------------------------------------------------ */

static bool tower_inverted(RT_TOWER *tower, uint32_t length, uint32_t seed)
{
    tower_invert(tower);
    return tower_equal(tower, length, seed);
}

#define AT_ONCE 8u

static bool async_unions(void)
{
    struct pending pending[AT_ONCE];
    RT_VALUE in[AT_ONCE], out[AT_ONCE];
    RT_TAGGED tagged[AT_ONCE], tagged_out[AT_ONCE];
    RT_TOWER *tower[AT_ONCE];
    for (uint32_t round = 0; round < 8; round++) {
        GARBAGE(out);
        GARBAGE(tagged_out);
        for (uint32_t i = 0; i < AT_ONCE; i++) {
            uint32_t seed = AT_ONCE * round + i, tag = value_tags[seed % VALUE_TAGS];
            value_fill(&in[i], tag, seed);
            tagged_fill(&tagged[i], seed);
            tower[i] = tower_new(seed, seed + 1);
            pending_init(&pending[i]);
            RtAsyncUnion(&pending[i].async, server, seed, tag, &in[i], &out[i], tower[i],
                         &tagged[i], &tagged_out[i]);
        }
        for (uint32_t i = 0; i < AT_ONCE; i++) {
            uint32_t seed = AT_ONCE * round + i, tag = value_tags[seed % VALUE_TAGS];
            int32_t result = 0;
            CHECK_EQUAL(pending_complete(&pending[i], &result), RPC_S_OK);
            CHECK_EQUAL(result, ~(int32_t)seed);
            CHECK(value_equal(&out[i], tag, seed + 1));
            CHECK(tower_inverted(tower[i], seed, seed + 1));
            CHECK(tagged_equal(&tagged_out[i], seed + 1));
            value_clear(&in[i], tag);
            value_clear(&out[i], tag);
            tagged_clear(&tagged[i]);
            tagged_clear(&tagged_out[i]);
            midl_user_free(tower[i]);
        }
    }
    return true;
}

/* Pushes `count` numbers and pulls them back inverted. */
static bool move_numbers(const ASYNC_RT_LONGS *numbers, const ASYNC_RT_LONGS *back, uint32_t count)
{
    int32_t chunk[64];
    for (uint32_t sent = 0, n; sent < count; sent += n) {
        n = count - sent < 50 ? count - sent : 50;
        for (uint32_t i = 0; i < n; i++)
            chunk[i] = (int32_t)((sent + i) * 2654435761u);
        CHECK_EQUAL(numbers->push(numbers->state, chunk, n), RPC_S_OK);
    }
    CHECK_EQUAL(numbers->push(numbers->state, NULL, 0), RPC_S_OK);
    for (uint32_t got = 0;;) {
        unsigned long n = 0;
        RPC_STATUS status = back->pull(back->state, chunk, 64, &n);
        if (status == RPC_S_ASYNC_CALL_PENDING) {
            Sleep(1);
            continue;
        }
        CHECK_EQUAL(status, RPC_S_OK);
        if (n == 0) {
            CHECK_EQUAL(got, count);
            return true;
        }
        for (unsigned long i = 0; i < n; i++, got++)
            CHECK_EQUAL(chunk[i], ~(int32_t)(got * 2654435761u));
    }
}

static bool async_pipes(void)
{
    static const uint32_t counts[] = {0, 1, 49, 1000, 30000};
    for (uint32_t seed = 0; seed < 2 * VALUE_TAGS; seed++) {
        uint32_t tag = value_tags[seed % VALUE_TAGS];
        RPC_ASYNC_STATE async;
        ASYNC_RT_LONGS numbers, back;
        RT_VALUE in, out;
        RT_TOWER *tower = tower_new(seed, seed + 1);
        GARBAGE(out);
        value_fill(&in, tag, seed);
        CHECK_EQUAL(RpcAsyncInitializeHandle(&async, sizeof(async)), RPC_S_OK);
        async.NotificationType = RpcNotificationTypeNone;
        RtAsyncPipes(&async, server, seed, tag, &in, tower, &numbers, &back, &out);
        CHECK(move_numbers(&numbers, &back, VALUE(counts, seed)));
        while (RpcAsyncGetCallStatus(&async) == RPC_S_ASYNC_CALL_PENDING)
            Sleep(1);
        CHECK_EQUAL(RpcAsyncCompleteCall(&async, NULL), RPC_S_OK);
        CHECK(value_equal(&out, tag, seed + 1));
        CHECK(tower_inverted(tower, seed, seed + 1));
        value_clear(&in, tag);
        value_clear(&out, tag);
        midl_user_free(tower);
    }
    return true;
}

const struct test_case full_cases[] = {
    {"full_aliases", full_aliases},
    {"full_both", full_both},
    {"full_ring", full_ring},
    {"full_reply", full_reply},
    {"full_both_ways", full_both_ways},
    {"full_arrays", full_arrays},
    {"ignored", ignored},
    {"packed", packed},
    {"async_unions", async_unions},
    {"async_pipes", async_pipes},
    {NULL, NULL},
};
