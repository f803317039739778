/* SPDX-License-Identifier: MIT */
/* soak.h - processes that call each other for hours: what the files of it share.
 *
 *   main.c     starts and kills processes, looks at them once a second, judges
 *   watch.c    resident memory, descriptors and threads of a process; have they grown?
 *   server*.c  managers; every octet that comes is checked
 *   client*.c  threads that make one call after the other, of every kind
 *
 * The processes are forked from main.c before it has used the runtime, and tell it what
 * they do on a board in shared memory: nothing has to be asked of a process that hangs. */
#ifndef SOAK_H
#define SOAK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <penstock/rpc.h>
#include <penstock/win32.h>

#include "calls.h"

#define WORKERS_MAX   16u
#define SERVERS       2u
#define CLIENTS       3u
#define STREAM_MAX    600000u /* octets of a pipe, usually far less */

/* ---- Kinds of calls -------------------------------------------------------- */

enum kind {
    KIND_ECHO,
    KIND_CALLBACK,
    KIND_SESSION,
    KIND_LATER, /* several at once */
    KIND_TAKE,
    KIND_GIVE,
    KIND_TURN,
    KIND_SEVERAL,
    KIND_SYNC_TAKE,
    KIND_SYNC_GIVE,
    KIND_SYNC_TURN,
    KIND_COUNT
};
extern const char *const kind_names[KIND_COUNT];

/* ---- Boards ---------------------------------------------------------------- */

struct tally {
    atomic_ullong ok, cancelled, lost, refused; /* refused: the routine raised, as planned */
};

struct slot {
    atomic_ullong began_ms; /* 0: no call */
    atomic_int kind;
    /* for who looks for the reason of a hang */
    atomic_bool victim, cancelled, abortive;
    atomic_int notified_by;
    atomic_ullong moved, count;
};

/* One process as it shows itself. */
struct board {
    pid_t pid;
    struct tally tallies[KIND_COUNT]; /* clients: kept when the process is started anew */
    struct slot slots[WORKERS_MAX];
    atomic_ullong octets;             /* of pipes, checked */
    atomic_int sessions, managers;    /* servers: open, running */
    atomic_bool ready, stop;
};

struct world {
    char endpoints[SERVERS][2][64]; /* string bindings: TCP, ncalrpc */
    struct board servers[SERVERS];  /* 0 lives, 1 is killed now and then */
    struct board clients[CLIENTS];  /* the last is killed now and then */
    unsigned workers;               /* threads of a client */
    unsigned limit_ms;              /* a call that has neither succeeded nor failed hangs */
    uint64_t seed;
};
extern struct world *world; /* shared */

/* What a process became after fork(). */
_Noreturn void serve(struct board *board, unsigned index);
_Noreturn void call_all_day(struct board *board, uint64_t seed);

/* Something is wrong: says so and ends the process, which main.c notices. */
_Noreturn void soak_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

uint64_t now_ms(void);
void sleep_ms(unsigned ms);

/* ---- Contents and chance --------------------------------------------------- */

uint8_t octet_of(uint32_t seed, uint64_t at);
void fill(uint32_t seed, uint64_t at, byte *octets, size_t len);
/* Ends the process unless they are what fill() makes. */
void check(const char *what, uint32_t seed, uint64_t at, const byte *octets, size_t len);
RECORD record_of(uint32_t seed, uint64_t index);
void check_records(const char *what, uint32_t seed, uint64_t at, const RECORD *records,
                   size_t count);

struct chance {
    uint64_t state;
};
uint32_t below(struct chance *chance, uint32_t bound);
/* 0 to `most`, mostly small. */
uint32_t skewed(struct chance *chance, uint32_t most);

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

/* ---- Server ---------------------------------------------------------------- */

extern struct board *server_board;
/* server_pipes.c: the thread behind Later. */
void later_start(void);

/* ---- Client ---------------------------------------------------------------- */

/* One asynchronous call of a worker; used again and again, never freed before the
 * process ends, because a notification may come late. */
struct flight {
    RPC_ASYNC_STATE async;
    HANDLE event, port;
    RPC_NOTIFICATION_TYPES type;
};

#define FLIGHTS 8u

struct worker {
    struct board *board;
    struct slot *slot;
    struct chance chance;
    RPC_BINDING_HANDLE kept[SERVERS][2]; /* shared by the process's workers */
    RPC_BINDING_HANDLE h;                /* of the call that is made        */
    bool victim;                         /* its server may die              */
    struct flight flights[FLIGHTS];
};

/* How a call ended, for worker_judge(). */
struct outcome {
    RPC_STATUS status;
    bool cancelled; /* we asked for it                     */
    bool refused;   /* we raised REFUSED in a routine      */
};
#define REFUSED 0x51c7

extern _Thread_local struct worker *this_worker;

void worker_judge(struct worker *worker, enum kind kind, const struct outcome *outcome);

/* client_async.c */
void flight_init(struct flight *flight);
void flight_begin(struct worker *worker, struct flight *flight, unsigned flags);
/* Waits for one notification. */
void flight_wait(struct flight *flight);
/* Waits for the call's end and collects it. */
RPC_STATUS flight_complete(struct flight *flight, void *reply);
void call_later(struct worker *worker);
void call_take(struct worker *worker);
void call_give(struct worker *worker);
void call_turn(struct worker *worker);
void call_several(struct worker *worker);

/* client_sync.c */
void call_echo(struct worker *worker);
void call_callback(struct worker *worker);
void call_session(struct worker *worker);
void call_sync_take(struct worker *worker);
void call_sync_give(struct worker *worker);
void call_sync_turn(struct worker *worker);

/* ---- Watch ----------------------------------------------------------------- */

struct sample {
    long rss_kib, descriptors, threads;
};

struct history {
    const char *name;
    struct sample *samples;
    size_t count, capacity;
};

/* False: the process is gone. */
bool watch_sample(pid_t pid, struct sample *ret_sample);
void history_add(struct history *history, const struct sample *sample);
/* Compares the first third of what came after the warm-up with the last; says on
 * standard output what it found.  False: something has grown. */
bool history_is_flat(const struct history *history, size_t warm_up);

#endif
