/* SPDX-License-Identifier: MIT */
/* win32_test.c - threads and their APCs, alertable waits, completion ports, critical
 * sections of win32.h; events are event_test.c's. */
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <penstock/windows.h>

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

static int group_setup(void **state)
{
    (void)state;
    assert_int_not_equal(GetCurrentThreadId(), 0); /* this thread's own two stay open */
    descriptors_before = open_descriptors();
    return 0;
}

static int setup(void **state)
{
    (void)state;
    SetLastError(0);
    return 0;
}

/* Leaked descriptors fail a test; those of a thread go shortly after its end shows. */
static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < 500 && open_descriptors() != descriptors_before; i++)
        Sleep(10);
    return open_descriptors() == descriptors_before ? 0 : -1;
}

/* ---- What was run, in order -------------------------------------------------- */

static atomic_uint ran_count;
static ULONG_PTR ran[64];
static DWORD ran_on;

static void note(ULONG_PTR data)
{
    ran[ran_count % 64] = data;
    ran_on = GetCurrentThreadId();
    atomic_fetch_add(&ran_count, 1);
}

static void check_ran(unsigned count, const ULONG_PTR *expected)
{
    assert_int_equal(ran_count, count);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(ran[i], expected[i]);
    ran_count = 0;
}

/* ---- APCs ---------------------------------------------------------------------- */

static void a_apcs_run_in_alertable_waits_only(void **state)
{
    (void)state;
    HANDLE event = CreateEvent(NULL, TRUE, FALSE, NULL);
    for (ULONG_PTR i = 1; i <= 3; i++)
        assert_true(QueueUserAPC(note, GetCurrentThread(), i));
    Sleep(1);
    assert_int_equal(WaitForSingleObject(event, 1), WAIT_TIMEOUT);
    assert_int_equal(WaitForSingleObjectEx(event, 1, FALSE), WAIT_TIMEOUT);
    assert_int_equal(SleepEx(0, FALSE), 0);
    assert_int_equal(ran_count, 0);
    assert_int_equal(SleepEx(0, TRUE), WAIT_IO_COMPLETION); /* all of them, in order */
    check_ran(3, (const ULONG_PTR[]){1, 2, 3});
    assert_int_equal(SleepEx(0, TRUE), 0);
    assert_int_equal(WaitForSingleObjectEx(event, 0, TRUE), WAIT_TIMEOUT);
    assert_true(CloseHandle(event));
}

static void a_signalled_objects_come_first(void **state)
{
    (void)state;
    HANDLE event = CreateEvent(NULL, FALSE, TRUE, NULL);
    assert_true(QueueUserAPC(note, GetCurrentThread(), 7));
    assert_int_equal(WaitForSingleObjectEx(event, INFINITE, TRUE), WAIT_OBJECT_0);
    assert_int_equal(ran_count, 0);
    assert_int_equal(WaitForSingleObjectEx(event, INFINITE, TRUE), WAIT_IO_COMPLETION);
    check_ran(1, (const ULONG_PTR[]){7});
    assert_true(CloseHandle(event));
}

static void queue_again(ULONG_PTR data)
{
    note(data);
    if (data > 1)
        QueueUserAPC(queue_again, GetCurrentThread(), data - 1);
}

static void a_apcs_may_queue_apcs(void **state)
{
    (void)state;
    assert_true(QueueUserAPC(queue_again, GetCurrentThread(), 3));
    assert_int_equal(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
    check_ran(3, (const ULONG_PTR[]){3, 2, 1});
}

static void nested_wait(ULONG_PTR data)
{
    note(data);
    assert_int_equal(SleepEx(0, TRUE), WAIT_IO_COMPLETION); /* the one behind it */
}

static void a_apcs_may_wait(void **state)
{
    (void)state;
    assert_true(QueueUserAPC(nested_wait, GetCurrentThread(), 1));
    assert_true(QueueUserAPC(note, GetCurrentThread(), 2));
    assert_int_equal(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
    check_ran(2, (const ULONG_PTR[]){1, 2});
}

static DWORD queue_to_parent(LPVOID parameter)
{
    Sleep(20);
    QueueUserAPC(note, (HANDLE)parameter, 5);
    return 0;
}

/* Each wait that can be alertable, woken while it sleeps. */
static void a_apcs_end_every_kind_of_wait(void **state)
{
    (void)state;
    HANDLE self = OpenThread(THREAD_SET_CONTEXT, FALSE, GetCurrentThreadId());
    assert_non_null(self);
    HANDLE events[2] = {CreateEvent(NULL, FALSE, FALSE, NULL),
                        CreateEvent(NULL, FALSE, TRUE, NULL)};
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    OVERLAPPED_ENTRY entries[2];
    ULONG count;
    for (int kind = 0; kind < 5; kind++) {
        HANDLE thread = CreateThread(NULL, 0, queue_to_parent, self, 0, NULL);
        assert_non_null(thread);
        switch (kind) {
        case 0:
            assert_int_equal(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
            break;
        case 1:
            assert_int_equal(WaitForSingleObjectEx(events[0], INFINITE, TRUE), WAIT_IO_COMPLETION);
            break;
        case 2:
            assert_int_equal(WaitForMultipleObjectsEx(2, events, TRUE, INFINITE, TRUE),
                             WAIT_IO_COMPLETION);
            break;
        case 3:
            assert_int_equal(WaitForMultipleObjectsEx(1, events, FALSE, INFINITE, TRUE),
                             WAIT_IO_COMPLETION);
            break;
        default:
            assert_false(GetQueuedCompletionStatusEx(port, entries, 2, &count, INFINITE, TRUE));
            assert_int_equal(GetLastError(), WAIT_IO_COMPLETION);
            assert_int_equal(count, 0);
        }
        check_ran(1, (const ULONG_PTR[]){5});
        assert_int_equal(ran_on, GetCurrentThreadId());
        assert_int_equal(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
        assert_true(CloseHandle(thread));
    }
    assert_int_equal(WaitForSingleObject(events[1], 0), WAIT_OBJECT_0); /* was not consumed */
    assert_true(CloseHandle(events[0]));
    assert_true(CloseHandle(events[1]));
    assert_true(CloseHandle(port));
    assert_true(CloseHandle(self));
}

/* ---- Threads --------------------------------------------------------------------- */

static DWORD double_it(LPVOID parameter)
{
    return (DWORD)(uintptr_t)parameter * 2;
}

static DWORD leave_early(LPVOID parameter)
{
    ExitThread((DWORD)(uintptr_t)parameter);
    return 0;
}

static void b_threads_end_with_their_code(void **state)
{
    (void)state;
    DWORD id = 0, code = 0;
    HANDLE thread = CreateThread(NULL, 256 * 1024, double_it, (LPVOID)21, 0, &id);
    assert_non_null(thread);
    assert_int_not_equal(id, 0);
    assert_int_not_equal(id, GetCurrentThreadId());
    assert_int_equal(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    assert_int_equal(WaitForSingleObject(thread, 0), WAIT_OBJECT_0); /* stays signalled */
    assert_true(GetExitCodeThread(thread, &code));
    assert_int_equal(code, 42);
    assert_null(OpenThread(THREAD_ALL_ACCESS, FALSE, id));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_false(QueueUserAPC(note, thread, 1)); /* it has ended */
    assert_int_equal(GetLastError(), ERROR_GEN_FAILURE);
    assert_true(CloseHandle(thread));

    thread = CreateThread(NULL, 0, leave_early, (LPVOID)7, 0, NULL);
    assert_int_equal(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(thread, &code));
    assert_int_equal(code, 7);
    assert_true(CloseHandle(thread));

    assert_true(GetExitCodeThread(GetCurrentThread(), &code));
    assert_int_equal(code, STILL_ACTIVE);
}

static DWORD wait_for_event(LPVOID parameter)
{
    const HANDLE *events = parameter;
    SetEvent(events[0]);
    WaitForSingleObject(events[1], INFINITE);
    return 0;
}

static void b_a_thread_that_never_waits_drops_its_apcs(void **state)
{
    (void)state;
    HANDLE events[2] = {CreateEvent(NULL, TRUE, FALSE, NULL), CreateEvent(NULL, TRUE, FALSE, NULL)};
    HANDLE thread = CreateThread(NULL, 0, wait_for_event, events, 0, NULL);
    assert_non_null(thread);
    assert_int_equal(WaitForSingleObject(events[0], INFINITE), WAIT_OBJECT_0);
    assert_true(QueueUserAPC(note, thread, 1));
    assert_true(SetEvent(events[1]));
    assert_int_equal(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    assert_int_equal(ran_count, 0);
    assert_true(CloseHandle(thread));
    assert_true(CloseHandle(events[0]));
    assert_true(CloseHandle(events[1]));
}

/* Any pthread is a thread, and a duplicate outlives it. */
static void *foreign_thread(void *arg)
{
    HANDLE *ret_handle = arg;
    assert_true(DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
                                ret_handle, 0, FALSE, DUPLICATE_SAME_ACCESS));
    assert_true(QueueUserAPC(note, *ret_handle, 9));
    assert_int_equal(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
    return NULL;
}

static void b_foreign_threads(void **state)
{
    (void)state;
    pthread_t id;
    HANDLE handle = NULL;
    assert_int_equal(pthread_create(&id, NULL, foreign_thread, &handle), 0);
    pthread_join(id, NULL);
    check_ran(1, (const ULONG_PTR[]){9});
    assert_int_equal(WaitForSingleObject(handle, INFINITE), WAIT_OBJECT_0);
    assert_true(CloseHandle(handle));
}

/* ---- Completion ports -------------------------------------------------------------- */

static void c_packets_come_in_order(void **state)
{
    (void)state;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    OVERLAPPED overlapped[3];
    DWORD bytes;
    ULONG_PTR key;
    LPOVERLAPPED got = overlapped;
    assert_non_null(port);
    assert_false(GetQueuedCompletionStatus(port, &bytes, &key, &got, 0));
    assert_int_equal(GetLastError(), WAIT_TIMEOUT);
    assert_null(got);
    for (ULONG_PTR i = 0; i < 3; i++)
        assert_true(PostQueuedCompletionStatus(port, (DWORD)i + 10, i + 100, &overlapped[i]));
    struct pollfd fd = {.fd = RpcxEventFd(port), .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 0), 1);
    assert_true(GetQueuedCompletionStatus(port, &bytes, &key, &got, INFINITE));
    assert_int_equal(bytes, 10);
    assert_int_equal(key, 100);
    assert_ptr_equal(got, &overlapped[0]);
    OVERLAPPED_ENTRY entries[4];
    ULONG count = 0;
    assert_true(GetQueuedCompletionStatusEx(port, entries, 4, &count, INFINITE, FALSE));
    assert_int_equal(count, 2);
    assert_int_equal(entries[1].lpCompletionKey, 102);
    assert_int_equal(entries[1].dwNumberOfBytesTransferred, 12);
    assert_ptr_equal(entries[1].lpOverlapped, &overlapped[2]);
    assert_int_equal(poll(&fd, 1, 0), 0);
    assert_true(CloseHandle(port));
}

static DWORD take_until_abandoned(LPVOID parameter)
{
    DWORD bytes, count = 0;
    ULONG_PTR key;
    LPOVERLAPPED overlapped;
    while (GetQueuedCompletionStatus((HANDLE)parameter, &bytes, &key, &overlapped, INFINITE))
        count++;
    /* Who was not waiting when the port was closed finds its handle closed. */
    bool ended = GetLastError() == ERROR_ABANDONED_WAIT_0 || GetLastError() == ERROR_INVALID_HANDLE;
    return ended ? count : 1000000;
}

/* Four take what two post; closing the port ends them all, and no packet is lost. */
static DWORD post_thousand(LPVOID parameter)
{
    for (ULONG_PTR i = 0; i < 1000; i++)
        if (!PostQueuedCompletionStatus((HANDLE)parameter, 1, i, NULL))
            return 1;
    return 0;
}

static void c_many_takers(void **state)
{
    (void)state;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 2);
    HANDLE takers[4], posters[2];
    for (int i = 0; i < 4; i++)
        takers[i] = CreateThread(NULL, 0, take_until_abandoned, port, 0, NULL);
    for (int i = 0; i < 2; i++)
        posters[i] = CreateThread(NULL, 0, post_thousand, port, 0, NULL);
    assert_int_equal(WaitForMultipleObjects(2, posters, TRUE, INFINITE), WAIT_OBJECT_0);
    struct pollfd fd = {.fd = RpcxEventFd(port), .events = POLLIN};
    while (poll(&fd, 1, 0) == 1)
        Sleep(1);
    assert_true(CloseHandle(port));
    assert_int_equal(WaitForMultipleObjects(4, takers, TRUE, INFINITE), WAIT_OBJECT_0);
    DWORD sum = 0, code;
    for (int i = 0; i < 4; i++) {
        assert_true(GetExitCodeThread(takers[i], &code));
        sum += code;
        assert_true(CloseHandle(takers[i]));
    }
    assert_int_equal(sum, 2000);
    for (int i = 0; i < 2; i++) {
        assert_true(GetExitCodeThread(posters[i], &code));
        assert_int_equal(code, 0);
        assert_true(CloseHandle(posters[i]));
    }
}

static unsigned taken_count;

static void count_taken(struct win32_packet *packet)
{
    assert_non_null(packet);
    taken_count++;
}

static void c_packets_of_a_closed_port_are_dropped(void **state)
{
    (void)state;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    struct win32_packet packet = {.taken = count_taken};
    assert_true(PostQueuedCompletionStatus(port, 0, 0, NULL));
    assert_true(win32_port_post(port, &packet));
    assert_true(CloseHandle(port));
    assert_int_equal(taken_count, 1);
    assert_false(win32_port_post(port, &packet)); /* the caller's again */
    assert_int_equal(taken_count, 1);
}

/* ---- Critical sections, interlocked ---------------------------------------------------- */

static CRITICAL_SECTION section;
static LONG guarded;

static DWORD add_guarded(LPVOID parameter)
{
    for (int i = 0; i < 1000; i++) {
        EnterCriticalSection(&section);
        EnterCriticalSection(&section); /* its holder may */
        guarded++;
        LeaveCriticalSection(&section);
        LeaveCriticalSection(&section);
        InterlockedIncrement((LONG volatile *)parameter);
    }
    return 0;
}

static DWORD try_section(LPVOID parameter)
{
    (void)parameter;
    return (DWORD)TryEnterCriticalSection(&section);
}

static void d_critical_sections(void **state)
{
    (void)state;
    LONG counted = 0;
    DWORD code = 1;
    HANDLE threads[3];
    InitializeCriticalSection(&section);
    for (int i = 0; i < 3; i++)
        threads[i] = CreateThread(NULL, 0, add_guarded, &counted, 0, NULL);
    assert_int_equal(WaitForMultipleObjects(3, threads, TRUE, INFINITE), WAIT_OBJECT_0);
    for (int i = 0; i < 3; i++)
        assert_true(CloseHandle(threads[i]));
    assert_int_equal(guarded, 3000);
    assert_int_equal(counted, 3000);
    EnterCriticalSection(&section);
    HANDLE thread = CreateThread(NULL, 0, try_section, NULL, 0, NULL);
    assert_int_equal(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(thread, &code));
    assert_int_equal(code, FALSE);
    assert_true(CloseHandle(thread));
    assert_true(TryEnterCriticalSection(&section));
    LeaveCriticalSection(&section);
    LeaveCriticalSection(&section);
    DeleteCriticalSection(&section);
    assert_int_equal(InterlockedCompareExchange(&counted, 5, 3000), 3000);
    assert_int_equal(InterlockedExchange(&counted, 6), 5);
    assert_int_equal(InterlockedExchangeAdd(&counted, 2), 6);
    assert_int_equal(InterlockedDecrement(&counted), 7);
}

/* ---- Wrong arguments ---------------------------------------------------------------------- */

/* Each function with what is no handle, and with an object of another kind. */
static void e_wrong_handles(void **state)
{
    (void)state;
    HANDLE event = CreateEvent(NULL, TRUE, FALSE, NULL);
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    int on_stack = 0;
    const HANDLE no_port[] = {NULL, INVALID_HANDLE_VALUE, &on_stack, event, GetCurrentThread()};
    const HANDLE no_thread[] = {NULL, INVALID_HANDLE_VALUE, &on_stack, event, port};
    DWORD word;
    ULONG_PTR key;
    LPOVERLAPPED overlapped;
    for (int i = 0; i < 5; i++) {
        SetLastError(0);
        assert_false(PostQueuedCompletionStatus(no_port[i], 0, 0, NULL));
        assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
        SetLastError(0);
        assert_false(GetQueuedCompletionStatus(no_port[i], &word, &key, &overlapped, 0));
        assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
        SetLastError(0);
        assert_false(QueueUserAPC(note, no_thread[i], 0));
        assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
        SetLastError(0);
        assert_false(GetExitCodeThread(no_thread[i], &word));
        assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    }
    assert_false(SetEvent(port));
    assert_false(ResetEvent(GetCurrentThread()));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_int_equal(RpcxEventFd(&on_stack), -1);
    assert_true(CloseHandle(GetCurrentThread())); /* has no effect */
    assert_int_equal(WaitForSingleObject(GetCurrentThread(), 0), WAIT_TIMEOUT);
    assert_int_equal(WaitForSingleObject(port, 0), WAIT_TIMEOUT);
    assert_true(CloseHandle(event));
    assert_true(CloseHandle(port));
}

static void e_wrong_arguments(void **state)
{
    (void)state;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    OVERLAPPED_ENTRY entry;
    ULONG count;
    DWORD bytes;
    ULONG_PTR key;
    HANDLE target;
    assert_false(GetQueuedCompletionStatus(port, &bytes, &key, NULL, 0));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_false(GetQueuedCompletionStatusEx(port, &entry, 0, &count, 0, FALSE));
    assert_false(GetQueuedCompletionStatusEx(port, NULL, 1, &count, 0, FALSE));
    assert_false(GetQueuedCompletionStatusEx(port, &entry, 1, NULL, 0, FALSE));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_null(CreateIoCompletionPort(port, NULL, 0, 0)); /* no files here */
    assert_int_equal(GetLastError(), ERROR_NOT_SUPPORTED);
    assert_null(CreateIoCompletionPort(INVALID_HANDLE_VALUE, port, 0, 0));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_null(CreateThread(NULL, 0, NULL, NULL, 0, NULL));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_null(CreateThread(NULL, 0, double_it, NULL, 4, NULL));
    assert_int_equal(GetLastError(), ERROR_NOT_SUPPORTED);
    assert_false(QueueUserAPC(NULL, GetCurrentThread(), 0));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_null(OpenThread(THREAD_ALL_ACCESS, FALSE, 0));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_false(DuplicateHandle(port, port, port, &target, 0, FALSE, 0));
    assert_false(
        DuplicateHandle(GetCurrentProcess(), &port, GetCurrentProcess(), &target, 0, FALSE, 0));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_true(CloseHandle(port));
}

/* ---- What programs are written in beside calls ------------------------------------------ */

static void f_words_of_windows_h(void **state)
{
    (void)state;
    LPTSTR text = (LPTSTR)TEXT("abc");
    unsigned __int64 wide = ~(unsigned __int64)0;
    assert_int_equal(sizeof(TCHAR), 1);
    assert_int_equal(sizeof(WCHAR), 2);
    assert_int_equal(sizeof(wide), 8);
    assert_string_equal(text, "abc");
    assert_int_equal(MAKEWORD(0x34, 0x12), 0x1234);
    assert_int_equal(LOWORD(0x12345678), 0x5678);
    assert_int_equal(HIWORD(0x12345678), 0x1234);

    BYTE zeros[16] = {0}, ones[16];
    FillMemory(ones, sizeof(ones), 0xff);
    BYTE *memory = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, ARRAYSIZE(zeros));
    assert_non_null(memory);
    assert_memory_equal(memory, zeros, sizeof(zeros));
    CopyMemory(memory, ones, sizeof(ones));
    assert_memory_equal(memory, ones, sizeof(ones));
    ZeroMemory(memory, sizeof(zeros));
    assert_memory_equal(memory, zeros, sizeof(zeros));
    assert_true(HeapFree(GetProcessHeap(), 0, memory));

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* end the process here */
    volatile ULONG raised = 0;
    volatile SIZE_T too_much = (SIZE_T)-1 / 2;
    assert_null(HeapAlloc(GetProcessHeap(), 0, too_much));
    RpcTryExcept {
        memory = HeapAlloc(GetProcessHeap(), HEAP_GENERATE_EXCEPTIONS, too_much);
    }
    RpcExcept(GetExceptionCode() == EXCEPTION_ACCESS_VIOLATION ? EXCEPTION_CONTINUE_SEARCH
                                                               : EXCEPTION_EXECUTE_HANDLER) {
        raised = GetExceptionCode();
    }
    RpcEndExcept
    assert_int_equal(raised, RPC_S_OUT_OF_MEMORY);
#endif
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_apcs_run_in_alertable_waits_only),
        TEST(a_signalled_objects_come_first),
        TEST(a_apcs_may_queue_apcs),
        TEST(a_apcs_may_wait),
        TEST(a_apcs_end_every_kind_of_wait),
        TEST(b_threads_end_with_their_code),
        TEST(b_a_thread_that_never_waits_drops_its_apcs),
        TEST(b_foreign_threads),
        TEST(c_packets_come_in_order),
        TEST(c_many_takers),
        TEST(c_packets_of_a_closed_port_are_dropped),
        TEST(d_critical_sections),
        TEST(e_wrong_handles),
        TEST(e_wrong_arguments),
        TEST(f_words_of_windows_h),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
