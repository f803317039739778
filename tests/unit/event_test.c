/* SPDX-License-Identifier: MIT */
/* event_test.c - events of win32.h: reset kinds, waits, invalid handles, threads. */
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include <penstock/win32.h>

#include "base/clock.h"
#include "win32/win32.h"

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static unsigned descriptors_before;

static int setup(void **state)
{
    (void)state;
    descriptors_before = open_descriptors();
    SetLastError(0);
    return 0;
}

/* Leaked descriptors fail a test. */
static int teardown(void **state)
{
    (void)state;
    return open_descriptors() == descriptors_before ? 0 : -1;
}

static HANDLE make(BOOL manual, BOOL set)
{
    HANDLE event = CreateEvent(NULL, manual, set, NULL);
    assert_non_null(event);
    assert_ptr_not_equal(event, INVALID_HANDLE_VALUE);
    return event;
}

static void a_auto_reset(void **state)
{
    (void)state;
    HANDLE event = make(FALSE, FALSE);
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    assert_true(SetEvent(event));
    assert_true(SetEvent(event)); /* setting it twice counts once */
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    assert_true(SetEvent(event));
    assert_true(ResetEvent(event));
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    assert_true(CloseHandle(event));
}

static void a_manual_reset(void **state)
{
    (void)state;
    HANDLE event = make(TRUE, TRUE);
    for (int i = 0; i < 3; i++)
        assert_int_equal(WaitForSingleObject(event, INFINITE), WAIT_OBJECT_0);
    assert_true(ResetEvent(event));
    assert_true(ResetEvent(event));
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    assert_true(CloseHandle(event));
}

static void a_named_events_are_refused(void **state)
{
    (void)state;
    assert_null(CreateEventA(NULL, FALSE, FALSE, "name"));
    assert_int_equal(GetLastError(), ERROR_NOT_SUPPORTED);
    assert_null(CreateEventW(NULL, FALSE, FALSE, u"name"));
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    assert_non_null(event);
    assert_true(CloseHandle(event));
}

static void b_timeout_takes_its_time(void **state)
{
    (void)state;
    HANDLE event = make(FALSE, FALSE);
    uint64_t start = clock_us();
    assert_int_equal(WaitForSingleObject(event, 30), WAIT_TIMEOUT);
    assert_true(clock_us() - start >= 30000);
    start = clock_us();
    Sleep(20);
    assert_true(clock_us() - start >= 20000);
    assert_true(CloseHandle(event));
}

/* Garbage, pointers to anything, closed handles: an error, never a crash (the FRS2
 * client waits on a malloc'd pointer, api.md 5.3). */
static void b_invalid_handles(void **state)
{
    (void)state;
    HANDLE closed = make(FALSE, TRUE);
    assert_true(CloseHandle(closed));
    void *heap = calloc(1, 64);
    int on_stack = 1;
    HANDLE good = make(TRUE, TRUE);
    const HANDLE bad[] = {
        NULL,
        INVALID_HANDLE_VALUE,
        heap,
        &on_stack,
        (HANDLE)bad,
        (HANDLE)1,
        (HANDLE)4,
        (HANDLE)0xdeadbeef,
        (HANDLE)UINTPTR_MAX,
        (HANDLE)(UINTPTR_MAX / 2),
        closed,
        (HANDLE)(uintptr_t)event_set,
        (HANDLE)((uintptr_t)good ^ 1),               /* another slot       */
        (HANDLE)((uintptr_t)good + (1u << 24)),      /* another generation */
        (HANDLE)((uintptr_t)good & UINTPTR_MAX / 2), /* the bare number    */
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        SetLastError(0);
        assert_int_equal(WaitForSingleObject(bad[i], 0), WAIT_FAILED);
        assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
        HANDLE both[2] = {good, bad[i]};
        assert_int_equal(WaitForMultipleObjects(2, both, FALSE, 0), WAIT_FAILED);
        assert_false(SetEvent(bad[i]));
        assert_false(ResetEvent(bad[i]));
        assert_false(CloseHandle(bad[i]));
        assert_int_equal(RpcxEventFd(bad[i]), -1);
        SetLastError(0);
        assert_false(event_set(bad[i]));
        assert_int_equal(GetLastError(), 0);
    }
    assert_true(event_set(good));
    assert_true(CloseHandle(good));
    free(heap);
}

static void b_wait_for_any(void **state)
{
    (void)state;
    HANDLE events[MAXIMUM_WAIT_OBJECTS + 1];
    for (size_t i = 0; i <= MAXIMUM_WAIT_OBJECTS; i++)
        events[i] = make(i % 2 == 0, FALSE);
    assert_int_equal(WaitForMultipleObjects(64, events, FALSE, 0), WAIT_TIMEOUT);
    assert_true(SetEvent(events[63]));
    assert_true(SetEvent(events[5]));
    /* The lowest first; an auto-reset event is consumed, the others are not. */
    assert_int_equal(WaitForMultipleObjects(64, events, FALSE, INFINITE), WAIT_OBJECT_0 + 5);
    assert_int_equal(WaitForMultipleObjects(64, events, FALSE, INFINITE), WAIT_OBJECT_0 + 63);
    assert_int_equal(WaitForMultipleObjects(64, events, FALSE, 0), WAIT_TIMEOUT);
    assert_true(SetEvent(events[8]));
    for (int i = 0; i < 3; i++)
        assert_int_equal(WaitForMultipleObjects(64, events, FALSE, 0), WAIT_OBJECT_0 + 8);

    SetLastError(0);
    assert_int_equal(WaitForMultipleObjects(65, events, FALSE, 0), WAIT_FAILED);
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_int_equal(WaitForMultipleObjects(0, events, FALSE, 0), WAIT_FAILED);
    assert_int_equal(WaitForMultipleObjects(1, NULL, FALSE, 0), WAIT_FAILED);
    assert_int_equal(WaitForMultipleObjects(0xffffffff, events, TRUE, 0), WAIT_FAILED);
    for (size_t i = 0; i <= MAXIMUM_WAIT_OBJECTS; i++)
        assert_true(CloseHandle(events[i]));
}

static void b_wait_for_all(void **state)
{
    (void)state;
    HANDLE events[3] = {make(FALSE, FALSE), make(TRUE, FALSE), make(FALSE, FALSE)};
    assert_true(SetEvent(events[0]));
    assert_true(SetEvent(events[1]));
    assert_int_equal(WaitForMultipleObjects(3, events, TRUE, 10), WAIT_TIMEOUT);
    /* The failed wait took nothing. */
    assert_int_equal(WaitForSingleObject(events[0], 0), WAIT_OBJECT_0);
    assert_true(SetEvent(events[0]));
    assert_true(SetEvent(events[2]));
    assert_int_equal(WaitForMultipleObjects(3, events, TRUE, INFINITE), WAIT_OBJECT_0);
    assert_int_equal(WaitForSingleObject(events[0], 0), WAIT_TIMEOUT);
    assert_int_equal(WaitForSingleObject(events[1], 0), WAIT_OBJECT_0);
    assert_int_equal(WaitForSingleObject(events[2], 0), WAIT_TIMEOUT);

    HANDLE twice[2] = {events[1], events[1]};
    assert_int_equal(WaitForMultipleObjects(2, twice, TRUE, 0), WAIT_FAILED);
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_int_equal(WaitForMultipleObjects(2, twice, FALSE, 0), WAIT_OBJECT_0);
    for (size_t i = 0; i < 3; i++)
        assert_true(CloseHandle(events[i]));
}

static void b_descriptor(void **state)
{
    (void)state;
    HANDLE event = make(FALSE, FALSE);
    struct pollfd fd = {.fd = RpcxEventFd(event), .events = POLLIN};
    assert_true(fd.fd >= 0);
    assert_int_equal(poll(&fd, 1, 0), 0);
    assert_true(event_set(event));
    assert_int_equal(poll(&fd, 1, 0), 1);
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    assert_int_equal(poll(&fd, 1, 0), 0);
    assert_true(SetEvent(event));
    uint64_t count;
    assert_int_equal(read(fd.fd, &count, sizeof(count)), sizeof(count));
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    assert_true(CloseHandle(event));
}

/* Many lives of few slots: no handle is ever given out twice. */
static void c_handles_are_not_reused(void **state)
{
    (void)state;
    static HANDLE old[20000];
    for (size_t i = 0; i < 20000; i++) {
        old[i] = make(FALSE, FALSE);
        assert_true(CloseHandle(old[i]));
    }
    HANDLE live = make(FALSE, FALSE);
    for (size_t i = 0; i < 20000; i++) {
        assert_ptr_not_equal(old[i], live);
        assert_false(event_set(old[i]));
    }
    assert_int_equal(WaitForSingleObject(live, 0), WAIT_TIMEOUT);
    assert_true(CloseHandle(live));
}

static HANDLE shared[3];
static atomic_int rounds_done;

static void *set_later(void *arg)
{
    for (size_t i = 0; i < 3; i++) {
        Sleep(5);
        event_set(shared[i]);
    }
    return arg;
}

static void c_wait_all_sleeps_until_the_last(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        shared[i] = make(i == 1, FALSE);
    pthread_t thread;
    uint64_t start = clock_us();
    assert_int_equal(pthread_create(&thread, NULL, set_later, NULL), 0);
    assert_int_equal(WaitForMultipleObjects(3, shared, TRUE, 5000), WAIT_OBJECT_0);
    assert_true(clock_us() - start >= 15000);
    pthread_join(thread, NULL);
    for (size_t i = 0; i < 3; i++)
        assert_true(CloseHandle(shared[i]));
}

/* Each set of an auto-reset event releases exactly one wait: a baton that several
 * threads hand around is never lost nor doubled. */
static void *take_baton(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3000; i++) {
        if (WaitForSingleObject(shared[0], 10000) != WAIT_OBJECT_0)
            return "lost";
        if (atomic_fetch_add(&rounds_done, 1) % 2 != 0)
            return "doubled";
        if (atomic_fetch_add(&rounds_done, 1) % 2 != 1)
            return "doubled";
        event_set(shared[0]);
    }
    return NULL;
}

static void c_baton(void **state)
{
    (void)state;
    shared[0] = make(FALSE, TRUE);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_baton, NULL), 0);
    for (size_t i = 0; i < 4; i++) {
        void *complaint;
        pthread_join(threads[i], &complaint);
        assert_null(complaint);
    }
    assert_int_equal(atomic_load(&rounds_done), 24000);
    assert_true(CloseHandle(shared[0]));
}

/* Dining: each thread needs two of three forks at once. */
static atomic_int in_use[3];

static void *dine(void *arg)
{
    size_t seat = (size_t)(uintptr_t)arg;
    size_t forks[2] = {seat, (seat + 1) % 3};
    HANDLE both[2] = {shared[forks[0]], shared[forks[1]]};
    for (int i = 0; i < 1000; i++) {
        if (WaitForMultipleObjects(2, both, TRUE, 10000) != WAIT_OBJECT_0)
            return "starved";
        for (size_t k = 0; k < 2; k++)
            if (atomic_fetch_add(&in_use[forks[k]], 1) != 0)
                return "shared a fork";
        for (size_t k = 0; k < 2; k++)
            atomic_fetch_sub(&in_use[forks[k]], 1);
        event_set(both[1]);
        event_set(both[0]);
    }
    return NULL;
}

static void c_wait_all_takes_all_or_none(void **state)
{
    (void)state;
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++)
        shared[i] = make(FALSE, TRUE);
    for (uintptr_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, dine, (void *)i), 0);
    for (size_t i = 0; i < 3; i++) {
        void *complaint;
        pthread_join(threads[i], &complaint);
        assert_null(complaint);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(WaitForSingleObject(shared[i], 0), WAIT_OBJECT_0); /* all back */
        assert_true(CloseHandle(shared[i]));
    }
}

/* Setting races with closing and opening; no set may hit a descriptor that is another
 * object by now: the canary is never touched. */
static atomic_bool stop_setting;
static HANDLE _Atomic victim;

static void *set_victim(void *arg)
{
    while (!atomic_load(&stop_setting))
        event_set(atomic_load(&victim));
    return arg;
}

static void c_close_while_others_set(void **state)
{
    (void)state;
    pthread_t thread;
    atomic_store(&victim, make(FALSE, FALSE));
    assert_int_equal(pthread_create(&thread, NULL, set_victim, NULL), 0);
    for (int i = 0; i < 5000; i++) {
        assert_true(CloseHandle(atomic_load(&victim)));
        int canary = eventfd(0, EFD_NONBLOCK); /* takes the descriptor number just freed */
        sched_yield();
        uint64_t count;
        assert_int_equal(read(canary, &count, sizeof(count)), -1);
        close(canary);
        atomic_store(&victim, make(FALSE, FALSE));
    }
    atomic_store(&stop_setting, true);
    pthread_join(thread, NULL);
    assert_true(CloseHandle(atomic_load(&victim)));
}

static void on_alarm(int signal_number)
{
    (void)signal_number;
}

/* Signals neither end nor lengthen a wait. */
static void c_signals(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = on_alarm}, old;
    assert_int_equal(sigaction(SIGALRM, &action, &old), 0);
    struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    HANDLE event = make(FALSE, FALSE);
    uint64_t start = clock_us();
    assert_int_equal(WaitForSingleObject(event, 50), WAIT_TIMEOUT);
    uint64_t took = clock_us() - start;
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(sigaction(SIGALRM, &old, NULL), 0);
    assert_true(took >= 50000 && took < 5000000);
    assert_true(CloseHandle(event));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_auto_reset),
        TEST(a_manual_reset),
        TEST(a_named_events_are_refused),
        TEST(b_timeout_takes_its_time),
        TEST(b_invalid_handles),
        TEST(b_wait_for_any),
        TEST(b_wait_for_all),
        TEST(b_descriptor),
        TEST(c_handles_are_not_reused),
        TEST(c_wait_all_sleeps_until_the_last),
        TEST(c_baton),
        TEST(c_wait_all_takes_all_or_none),
        TEST(c_close_while_others_set),
        TEST(c_signals),
    };
    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
