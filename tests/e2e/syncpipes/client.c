/* SPDX-License-Identifier: MIT */
/* client.c - one case of the tests of synchronous pipes: syncpipes_client BINDING CASE.
 * Prints "ok" or what was wrong. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "syncpipes.h"

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}

static handle_t server;
static int failures;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                 \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

/* The status a call raises; RPC_S_OK when it returns. */
#define RAISED(call)                                                                               \
    __extension__({                                                                                \
        volatile RPC_STATUS raised_ = RPC_S_OK;                                                    \
        RpcTryExcept                                                                               \
        {                                                                                          \
            call;                                                                                  \
        }                                                                                          \
        RpcExcept(1)                                                                               \
        {                                                                                          \
            raised_ = (RPC_STATUS)RpcExceptionCode();                                              \
        }                                                                                          \
        RpcEndExcept raised_;                                                                      \
    })

/* ---- A pipe of numbers 0, 1, 2 ... ----------------------------------------------- */

enum where { NOWHERE, IN_ALLOC, IN_PULL, IN_PUSH };

struct numbers {
    char name;           /* in the record of what was called */
    uint32_t count, next, received;
    uint64_t sum;
    size_t room;         /* octets alloc gives at most              */
    uint32_t at_once;    /* elements pull gives at most             */
    enum where raises, stalls;
    bool once;           /* stalls once, until standard input says to go on */
    uint32_t after;      /* elements that went well before          */
    bool no_buffer, too_many;
    unsigned ends;
    bool ended_last;
    int32_t buf[4096];
};

static char record[256];

static void note(char what)
{
    size_t len = strlen(record);
    if (len + 1 < sizeof(record) && (len == 0 || record[len - 1] != what))
        record[len] = what;
}

static void act(struct numbers *n, enum where where, uint32_t moved)
{
    if (n->raises == where && moved >= n->after)
        RpcRaiseException(8000 + where);
    if (n->stalls == where && moved >= n->after) {
        puts("stalled");
        fflush(stdout);
        if (n->once) {
            getchar();
            n->stalls = NOWHERE;
        } else {
            pause();
        }
    }
}

static void give_room(char *state, unsigned long bsize, int32_t **buf, unsigned long *bcount)
{
    struct numbers *n = (struct numbers *)(void *)state;
    act(n, IN_ALLOC, n->next + n->received);
    *buf = n->no_buffer ? NULL : n->buf;
    *bcount = bsize < n->room ? bsize : n->room;
}

static void give_numbers(char *state, int32_t *buf, unsigned long esize, unsigned long *ecount)
{
    struct numbers *n = (struct numbers *)(void *)state;
    act(n, IN_PULL, n->next);
    note(n->name);
    CHECK(buf == n->buf);
    CHECK(esize == n->room / sizeof(int32_t));
    uint32_t part = n->count - n->next;
    part = part < n->at_once ? part : n->at_once;
    part = part < esize ? part : (uint32_t)esize;
    for (uint32_t i = 0; i < part; i++)
        buf[i] = (int32_t)(n->next + i);
    n->next += part;
    *ecount = n->too_many ? esize + 1 : part;
}

static void take_numbers(char *state, int32_t *buf, unsigned long ecount)
{
    struct numbers *n = (struct numbers *)(void *)state;
    act(n, IN_PUSH, n->received);
    note((char)(n->name - 'a' + 'A'));
    CHECK(n->ends == 0); /* SP-7 */
    n->ends += ecount == 0;
    for (unsigned long i = 0; i < ecount; i++)
        n->sum += (uint64_t)buf[i];
    n->received += (uint32_t)ecount;
}

static struct numbers *numbers_new(char name, uint32_t count)
{
    struct numbers *n = calloc(1, sizeof(*n));
    n->name = name;
    n->count = count;
    n->room = sizeof(n->buf);
    n->at_once = UINT32_MAX;
    return n;
}

/* SP-3: members a direction has no use for are not touched. */
static LONGS longs(struct numbers *n, bool in, bool out)
{
    LONGS pipe;
    memset(&pipe, 0xcd, sizeof(pipe));
    pipe.state = (rpc_ss_pipe_state_t)n;
    pipe.alloc = give_room;
    if (in)
        pipe.pull = give_numbers;
    if (out)
        pipe.push = take_numbers;
    return pipe;
}

static uint64_t triangle(uint64_t n)
{
    return n * (n - 1) / 2;
}

static void check_usable(void)
{
    struct numbers *n = numbers_new('u', 3);
    CHECK(ByValue(server, longs(n, true, false)) == 3);
    free(n);
}

/* ---- Cases -------------------------------------------------------------------------- */

static void by_value_and_by_pointer(void)
{
    static const uint32_t counts[] = {0, 1, 4095, 4096, 4097, 1000000};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        uint64_t sum = counts[i] ? triangle(counts[i]) : 0;
        struct numbers *n = numbers_new('n', counts[i]);
        LONGS pipe = longs(n, true, false);
        CHECK(ByValue(server, pipe) == sum);
        n->next = 0;
        CHECK(ByPointer(server, &pipe) == sum);
        free(n);
        n = numbers_new('n', 0);
        pipe = longs(n, false, true);
        Produce(server, counts[i], &pipe);
        CHECK(n->received == counts[i] && n->sum == sum && n->ends == 1);
        free(n);
        n = numbers_new('n', counts[i]);
        pipe = longs(n, true, true);
        Double(server, &pipe);
        CHECK(n->received == counts[i] && n->sum == 2 * sum && n->ends == 1);
        free(n);
    }
}

/* SP-4, SP-6: less room than asked for, fewer elements than there is room for. */
static void small_rounds(void)
{
    static const size_t rooms[] = {4, 7, 12, 4000};
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        struct numbers *n = numbers_new('n', 1000);
        LONGS pipe = longs(n, true, true);
        n->room = rooms[i];
        n->at_once = 2;
        Double(server, &pipe);
        CHECK(n->received == 1000 && n->sum == 2 * triangle(1000));
        free(n);
    }
}

/* SP-4: alloc gives a buffer that holds the data already, pull only says how much. */
static int32_t ready_made[100];
static unsigned ready_rounds;

static void give_ready(char *state, unsigned long bsize, int32_t **buf, unsigned long *bcount)
{
    (void)state;
    (void)bsize;
    for (int i = 0; i < 100; i++)
        ready_made[i] = i;
    *buf = ready_made;
    *bcount = sizeof(ready_made);
}

static void say_how_many(char *state, int32_t *buf, unsigned long esize, unsigned long *ecount)
{
    (void)state;
    CHECK(buf == ready_made && esize == 100);
    *ecount = ready_rounds++ < 50 ? esize : 0;
}

static void empty_pull(void)
{
    LONGS pipe;
    memset(&pipe, 0xcd, sizeof(pipe));
    pipe.alloc = give_ready;
    pipe.pull = say_how_many;
    CHECK(ByPointer(server, &pipe) == 50 * triangle(100));
}

/* SP-5. */
static void no_room(void)
{
    for (int how = 0; how < 3; how++) {
        struct numbers *n = numbers_new('n', 10);
        LONGS pipe = longs(n, true, false);
        n->no_buffer = how == 0;
        if (how > 0)
            n->room = how == 1 ? 0 : 3;
        CHECK(RAISED(ByPointer(server, &pipe)) == RPC_X_PIPE_APP_MEMORY);
        check_usable();
        pipe = longs(n, false, true);
        CHECK(RAISED(Produce(server, 100000, &pipe)) == RPC_X_PIPE_APP_MEMORY);
        check_usable();
        free(n);
    }
}

/* Elements larger than what a round asks for otherwise. */
struct blocks {
    unsigned count, next, received;
    BLOCK block;
};

static void give_block_room(char *state, unsigned long bsize, BLOCK **buf, unsigned long *bcount)
{
    struct blocks *blocks = (struct blocks *)(void *)state;
    CHECK(bsize >= sizeof(BLOCK));
    *buf = &blocks->block;
    *bcount = sizeof(BLOCK);
}

static void give_block(char *state, BLOCK *buf, unsigned long esize, unsigned long *ecount)
{
    struct blocks *blocks = (struct blocks *)(void *)state;
    CHECK(esize == 1);
    memset(buf, 3, sizeof(*buf));
    *ecount = blocks->next++ < blocks->count;
}

static void take_block(char *state, BLOCK *buf, unsigned long ecount)
{
    struct blocks *blocks = (struct blocks *)(void *)state;
    for (size_t i = 0; i < ecount * sizeof(*buf); i++)
        CHECK(buf->octets[i] == 7);
    blocks->received += (unsigned)ecount;
}

static void large_elements(void)
{
    struct blocks *blocks = calloc(1, sizeof(*blocks));
    BLOCKS pipe = {give_block, take_block, give_block_room, (char *)blocks};
    blocks->count = 9;
    CHECK(Blocks(server, &pipe) == 9 * 3 * sizeof(BLOCK));
    CHECK(blocks->received == 9);
    free(blocks);
}

/* ---- Several pipes, other parameters ------------------------------------------------- */

/* Numbers as octets: the structure is the same but for the element. */
struct octets {
    char name;
    unsigned count, next, received, ends;
    byte expected;
    byte buf[1024];
};

static void give_octet_room(char *state, unsigned long bsize, byte **buf, unsigned long *bcount)
{
    struct octets *octets = (struct octets *)(void *)state;
    (void)bsize;
    *buf = octets->buf;
    *bcount = sizeof(octets->buf);
}

static void give_octets(char *state, byte *buf, unsigned long esize, unsigned long *ecount)
{
    struct octets *octets = (struct octets *)(void *)state;
    unsigned part = octets->count - octets->next;
    note(octets->name);
    part = part < esize ? part : (unsigned)esize;
    memset(buf, 1, part);
    octets->next += part;
    *ecount = part;
}

static void take_octets(char *state, byte *buf, unsigned long ecount)
{
    struct octets *octets = (struct octets *)(void *)state;
    note((char)(octets->name - 'a' + 'A'));
    for (unsigned long i = 0; i < ecount; i++)
        CHECK(buf[i] == octets->expected);
    octets->received += (unsigned)ecount;
    octets->ends += ecount == 0;
}

/* SP-11: [in] left to right, then [out] left to right. */
static void several_pipes(void)
{
    struct octets a = {.name = 'a', .count = 2500}, d = {.name = 'd', .count = 1500, .expected = 0xdd},
                  e = {.name = 'e', .expected = 0xee};
    struct numbers *b = numbers_new('b', 0), *c = numbers_new('c', 4);
    BYTES pipe_a = {give_octets, take_octets, give_octet_room, (char *)&a};
    BYTES pipe_d = {give_octets, take_octets, give_octet_room, (char *)&d};
    BYTES pipe_e = {give_octets, take_octets, give_octet_room, (char *)&e};
    LONGS pipe_b = longs(b, false, true), pipe_c = longs(c, true, false);
    uint32_t received = 0;
    Several(server, pipe_a, &pipe_b, &pipe_c, &pipe_d, &pipe_e, &received);
    CHECK(received == 2500 + 6000);
    CHECK(b->received == 5 && b->sum == 10 && b->ends == 1);
    CHECK(d.received == 1500 && d.ends == 1 && e.received == 3000 && e.ends == 1);
    CHECK(strcmp(record, "acdBDE") == 0);
    free(b);
    free(c);
}

/* SP-12 and beyond: sized arrays, strings, unique pointers, a context handle. */
static void beside_other_parameters(void)
{
    int32_t values[] = {100, 200, 300}, perhaps = 5;
    for (int with = 0; with < 2; with++) {
        struct numbers *n = numbers_new('n', 50000);
        unsigned char *echo = NULL;
        int64_t sum = 0;
        SESSION session = Mixed(server, 3, values, with ? (const unsigned char *)"name" : NULL,
                                longs(n, true, false), with ? &perhaps : NULL, &echo, &sum);
        CHECK(session);
        CHECK(sum == (int64_t)triangle(50000) + 600);
        CHECK(with ? echo && strcmp((char *)echo, "name") == 0 && perhaps == 6 : !echo);
        MIDL_user_free(echo);
        LONGS pipe = longs(n, false, true);
        FromSession(session, 3000, &pipe);
        CHECK(n->received == 3000);
        End(&session);
        CHECK(!session);
        free(n);
    }
}

/* ---- Wrong ----------------------------------------------------------------------------- */

/* SP-14, SP-15: what a manager gets wrong is raised in it, or told to the client. */
static void conduct(void)
{
    static const struct {
        CONDUCT conduct;
        RPC_STATUS client, manager;
    } rows[] = {
        {WELL, RPC_S_OK, RPC_S_OK},
        {NOT_DRAINED, RPC_X_PIPE_DISCIPLINE_ERROR, RPC_S_OK},
        {NOT_ENDED, RPC_X_PIPE_DISCIPLINE_ERROR, RPC_S_OK},
        {PUSH_TOO_EARLY, RPC_X_WRONG_PIPE_ORDER, RPC_X_WRONG_PIPE_ORDER},
        {PULL_AFTER_END, RPC_X_PIPE_CLOSED, RPC_X_PIPE_CLOSED},
        {PUSH_AFTER_END, RPC_X_PIPE_CLOSED, RPC_X_PIPE_CLOSED},
        {PULL_NOTHING, RPC_S_INVALID_ARG, RPC_S_INVALID_ARG},
        {CALL_ALLOC, RPC_S_CANNOT_SUPPORT, RPC_S_CANNOT_SUPPORT},
        {RAISE_AT_ONCE, 4711, 4711},
        {RAISE_IN_PULL, 4712, 4712},
        {RAISE_IN_PUSH, 4713, 4713},
        {CATCH_AND_GO_ON, RPC_S_OK, RPC_X_WRONG_PIPE_ORDER},
    };
    static const uint32_t counts[] = {0, 10, 100000};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t k = 0; k < 3; k++) {
            struct numbers *n = numbers_new('n', counts[k]);
            LONGS pipe = longs(n, true, true);
            RPC_STATUS status = RAISED(Behave(server, rows[i].conduct, &pipe));
            if (status != rows[i].client) {
                printf("conduct %d with %u: %d\n", (int)rows[i].conduct, (unsigned)counts[k], (int)status);
                failures++;
            }
            CHECK((RPC_STATUS)LastRaised(server) == rows[i].manager);
            check_usable();
            free(n);
        }
    }
}

/* SP-16: what a routine raises comes out of the stub; the call is given up. */
static void routines_that_raise(void)
{
    for (int where = IN_ALLOC; where <= IN_PUSH; where++) {
        for (uint32_t after = 0; after <= 20000; after += 10000) {
            struct numbers *n = numbers_new('n', 30000);
            LONGS pipe = longs(n, true, true);
            n->raises = (enum where)where;
            n->after = after;
            CHECK(RAISED(Double(server, &pipe)) == 8000 + where);
            check_usable();
            free(n);
        }
    }
}

static void wrong_pipes(void)
{
    struct numbers *n = numbers_new('n', 10);
    LONGS pipe = longs(n, true, true);
    CHECK(RAISED(ByPointer(server, NULL)) == RPC_X_NULL_REF_POINTER);
    pipe.alloc = NULL;
    CHECK(RAISED(Double(server, &pipe)) == RPC_X_INVALID_PIPE_OBJECT);
    pipe = longs(n, true, true);
    pipe.pull = NULL;
    CHECK(RAISED(Double(server, &pipe)) == RPC_X_INVALID_PIPE_OBJECT);
    pipe = longs(n, true, true);
    pipe.push = NULL;
    CHECK(RAISED(Double(server, &pipe)) == RPC_X_INVALID_PIPE_OBJECT);
    n->too_many = true;
    pipe = longs(n, true, true);
    CHECK(RAISED(Double(server, &pipe)) == RPC_X_INVALID_PIPE_OBJECT);
    check_usable();
    free(n);
}

/* A routine calls the server itself, on the same binding. */
static void call_inside(char *state, int32_t *buf, unsigned long ecount)
{
    check_usable();
    take_numbers(state, buf, ecount);
}

static void calls_in_routines(void)
{
    struct numbers *n = numbers_new('n', 0);
    LONGS pipe = longs(n, false, true);
    pipe.push = call_inside;
    Produce(server, 10000, &pipe);
    CHECK(n->received == 10000);
    free(n);
}

/* ---- Ends from outside: the test kills one side ------------------------------------------ */

static void stall_in_pull(void)
{
    struct numbers *n = numbers_new('n', 100000);
    LONGS pipe = longs(n, true, true);
    n->stalls = IN_PULL;
    n->after = 50000;
    Behave(server, WELL, &pipe);
}

/* Goes on for ever; says what ended it. */
static void endless(void)
{
    struct numbers *n = numbers_new('n', UINT32_MAX);
    puts("running");
    fflush(stdout);
    RPC_STATUS status = RAISED(ByValue(server, longs(n, true, false)));
    printf("raised %d\n", (int)status);
    free(n);
}

/* The server falls silent while a routine stalls, longer than RPC_C_OPT_CALL_TIMEOUT, which
 * does not count that. */
static void silent(enum where stalls, uint32_t count, uint32_t after)
{
    struct numbers *n = numbers_new('n', count);
    LONGS pipe = longs(n, true, true);
    n->stalls = stalls;
    n->after = after;
    n->once = true;
    CHECK(RpcBindingSetOption(server, RPC_C_OPT_CALL_TIMEOUT, 700) == RPC_S_OK);
    if (stalls == IN_PULL)
        CHECK(RAISED(ByPointer(server, &pipe)) == RPC_S_CALL_CANCELLED);
    else
        CHECK(RAISED(Produce(server, count, &pipe)) == RPC_S_CALL_CANCELLED);
    free(n);
}

static void silent_while_sending(void)
{
    silent(IN_PULL, UINT32_MAX, 100000);
}

static void silent_before_the_answer(void)
{
    silent(IN_PULL, 10, 5);
}

static void silent_while_receiving(void)
{
    silent(IN_PUSH, UINT32_MAX, 100000);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"by_value_and_by_pointer", by_value_and_by_pointer},
    {"small_rounds", small_rounds},
    {"empty_pull", empty_pull},
    {"no_room", no_room},
    {"large_elements", large_elements},
    {"several_pipes", several_pipes},
    {"beside_other_parameters", beside_other_parameters},
    {"conduct", conduct},
    {"routines_that_raise", routines_that_raise},
    {"wrong_pipes", wrong_pipes},
    {"calls_in_routines", calls_in_routines},
    {"stall_in_pull", stall_in_pull},
    {"endless", endless},
    {"silent_while_sending", silent_while_sending},
    {"silent_before_the_answer", silent_before_the_answer},
    {"silent_while_receiving", silent_while_receiving},
};

int main(int argc, char **argv)
{
    if (argc != 3 || RpcBindingFromStringBinding((RPC_CSTR)argv[1], &server) != RPC_S_OK)
        return 2;
    bool known = false;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(cases[i].name, argv[2]) != 0)
            continue;
        known = true;
        RPC_STATUS status = RAISED(cases[i].run());
        if (status != RPC_S_OK) {
            printf("raised %d\n", (int)status);
            failures++;
        }
    }
    CHECK(known);
    if (failures == 0)
        puts("ok");
    RpcBindingFree(&server);
    return failures != 0;
}
