/* SPDX-License-Identifier: MIT */
/* far.c - see far.h. */
#include "far.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

#define PAGE       4096u
#define SLOTS      256
#define SERVED_MAX 16384

/* A call that takes longer hangs; less than the test's own limit. */
#define FAR_LIMIT_MS 55000
/* The server's end, a leak check included. */
#define END_LIMIT_MS 30000

/* ---- Memory of both processes ------------------------------------------------------ */

/* The section begins and ends on pages of its own, so that it can be replaced by memory that
 * a fork does not copy. */
static char first_page[PAGE] __attribute__((section("both_sides"), aligned(PAGE), used));
static char page_behind[PAGE] __attribute__((section("both_sides_z"), aligned(PAGE), used));
extern char __start_both_sides[], __stop_both_sides[];

struct far_slot {
    sem_t go, done;
    _Atomic bool taken, wanted;
    bool started; /* the server's */
    void (*run)(void *octets);
    _Alignas(PAGE) uint8_t octets[FAR_OCTETS_MAX + PAGE];
};

static struct far_slot *slots;
static struct served *pool;
static BOTH_SIDES sem_t control; /* to the server's first thread */
static BOTH_SIDES _Atomic bool ending, verdict;

static _Atomic pid_t server = -1;
static bool is_server;

static void *share(size_t len)
{
    void *memory =
        mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(memory != MAP_FAILED);
    return memory;
}

static unsigned threads_here(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/task");
    CHECK(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* A sanitizer or an emulator has threads of its own. */
static unsigned threads_at_first;

void far_init(void)
{
    threads_at_first = threads_here();
    char *start = __start_both_sides, *stop = page_behind;
    CHECK((uintptr_t)start % PAGE == 0 && stop >= __stop_both_sides);
    CHECK((uintptr_t)stop % PAGE == 0 && first_page >= start);
    size_t len = (size_t)(stop - start);
    char *values = malloc(len);
    CHECK(values);
    memcpy(values, start, len);
    CHECK(mmap(start, len, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_SHARED | MAP_ANONYMOUS, -1, 0) ==
          start);
    memcpy(start, values, len);
    free(values);
    slots = share(SLOTS * sizeof(*slots));
    pool = share(SERVED_MAX * sizeof(*pool));
    for (int i = 0; i < SLOTS; i++)
        CHECK(sem_init(&slots[i].go, 1, 0) == 0 && sem_init(&slots[i].done, 1, 0) == 0);
    CHECK(sem_init(&control, 1, 0) == 0);
}

struct served *far_served_pool(size_t *ret_count)
{
    *ret_count = SERVED_MAX;
    return pool;
}

/* ---- The server ------------------------------------------------------------------------ */

static void wait_for(sem_t *sem)
{
    while (sem_wait(sem) != 0)
        CHECK(errno == EINTR);
}

/* What the client does one after the other is in that order here, too, though it lies with
 * another process and no sanitizer of this one sees it: a call that begins comes after all
 * that have ended. */
static _Atomic unsigned calls_so_far;

static void *serve_slot(void *arg)
{
    struct far_slot *slot = arg;
    for (;;) {
        wait_for(&slot->go);
        atomic_fetch_add(&calls_so_far, 1);
        slot->run(slot->octets);
        atomic_fetch_add(&calls_so_far, 1);
        sem_post(&slot->done);
    }
    return NULL;
}

static void start_wanted(void)
{
    for (int i = 0; i < SLOTS; i++) {
        pthread_t thread;
        if (!slots[i].wanted || slots[i].started)
            continue;
        slots[i].started = true;
        CHECK(pthread_create(&thread, NULL, serve_slot, &slots[i]) == 0);
        CHECK(pthread_detach(thread) == 0);
    }
}

static __attribute__((noreturn)) void be_server(pid_t client)
{
    is_server = true;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != client)
        _exit(1);
    while (!ending) {
        wait_for(&control);
        start_wanted();
    }
    RpcMgmtStopServerListening(NULL); /* one that never listened says so */
    exit(0);                          /* not _exit: a leak check follows, where there is one */
}

void far_start(void)
{
    const pid_t client = getpid();
    CHECK(server < 0);
    if (threads_here() > threads_at_first)
        failed(__FILE__, __LINE__, "serve_here() comes after the library has begun threads");
    server = fork();
    CHECK(server >= 0);
    if (server == 0)
        be_server(client);
}

bool in_server(void)
{
    return is_server;
}

bool has_server(void)
{
    return server > 0;
}

pid_t server_pid(void)
{
    return server > 0 ? server : getpid();
}

bool server_is_dead(void)
{
    siginfo_t info = {0};
    const pid_t pid = server;
    return pid > 0 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid;
}

int far_end(void)
{
    const uint64_t until = now_ms() + END_LIMIT_MS;
    int status = 0;
    pid_t ended;
    if (server <= 0)
        return 0;
    ending = true;
    sem_post(&control);
    while ((ended = waitpid(server, &status, WNOHANG)) == 0) {
        if (now_ms() > until)
            failed(__FILE__, __LINE__, "the server does not end");
        sleep_ms(1);
    }
    CHECK(ended == server);
    server = -1;
    return status;
}

void far_kill(void)
{
    if (server > 0)
        kill(server, SIGKILL);
}

bool far_claim_verdict(void)
{
    return !atomic_exchange(&verdict, true);
}

void far_tell_failure(void)
{
    kill(getppid(), SIGUSR1);
}

/* ---- Calls -------------------------------------------------------------------------------- */

struct far_slot *far_take(void)
{
    for (int i = 0; i < SLOTS; i++) {
        bool taken = false;
        if (!atomic_compare_exchange_strong(&slots[i].taken, &taken, true))
            continue;
        if (!slots[i].wanted) {
            slots[i].wanted = true;
            sem_post(&control);
        }
        return &slots[i];
    }
    failed(__FILE__, __LINE__, "too many threads call the server");
}

uint8_t *far_octets(struct far_slot *slot)
{
    return slot->octets;
}

/* Up to a tenth of a second. */
static bool done_soon(struct far_slot *slot)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 100000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    return sem_timedwait(&slot->done, &until) == 0;
}

void far_run(struct far_slot *slot, void (*run)(void *octets))
{
    const uint64_t until = now_ms() + FAR_LIMIT_MS;
    slot->run = run;
    sem_post(&slot->go);
    while (!done_soon(slot)) {
        if (ending) /* a thread that the case has left behind */
            continue;
        if (server_is_dead())
            failed(__FILE__, __LINE__, "the server is gone");
        if (now_ms() > until)
            failed(__FILE__, __LINE__, "the server does not come back from a call");
    }
}

void far_give(struct far_slot *slot)
{
    slot->taken = false;
}

void far_call(void (*run)(void *args), void *args, size_t len)
{
    if (is_server || server < 0) {
        run(args);
        return;
    }
    CHECK(len <= FAR_OCTETS_MAX);
    struct far_slot *slot = far_take();
    memcpy(slot->octets, args, len);
    far_run(slot, run);
    memcpy(args, slot->octets, len);
    far_give(slot);
}

struct far_args {
    far_function *run;
    struct served *served;
    long long a, b, result;
};

static void run_function(void *arg)
{
    struct far_args *args = arg;
    args->result = args->run(args->served, args->a, args->b);
}

long long far(far_function *run, struct served *served, long long a, long long b)
{
    struct far_args args = {run, served, a, b, 0};
    far_call(run_function, &args, sizeof(args));
    return args.result;
}
