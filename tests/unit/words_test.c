/* SPDX-License-Identifier: MIT */
/* words_test.c - what windows.h, tchar.h and conio.h have besides objects to wait for: texts of
 * errors, times, names of the C library. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <penstock/conio.h>
#include <penstock/tchar.h>
#include <penstock/windows.h>

/* ---- Texts ------------------------------------------------------------------------- */

static void a_texts_of_errors(void **state)
{
    (void)state;
    char text[300], short_one[8];
    LPSTR given = NULL;
    unsigned char wanted[DCE_C_ERROR_STRING_LEN];
    assert_int_equal(DceErrorInqText(RPC_S_SERVER_UNAVAILABLE, wanted), RPC_S_OK);
    DWORD len = FormatMessage(FORMAT_MESSAGE_FROM_SYSTEM, NULL, RPC_S_SERVER_UNAVAILABLE,
                              MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT), text, sizeof(text), NULL);
    assert_int_equal(len, strlen((char *)wanted) + 2);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(text, wanted, len - 2);
    assert_string_equal(text + len - 2, "\r\n");
    len = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER |
                             FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK,
                         NULL, RPC_S_SERVER_UNAVAILABLE, 0, (LPSTR)&given, 0, NULL);
    assert_int_equal(len, strlen((char *)wanted));
    assert_string_equal(given, (char *)wanted);
    assert_null(LocalFree(given));

    struct {
        DWORD flags, code, size, error;
        char *to;
    } rows[] = {
        {FORMAT_MESSAGE_FROM_SYSTEM, 4711000, sizeof(text), ERROR_MR_MID_NOT_FOUND, text},
        {FORMAT_MESSAGE_FROM_SYSTEM, 1722, sizeof(short_one), ERROR_INSUFFICIENT_BUFFER, short_one},
        {FORMAT_MESSAGE_FROM_SYSTEM, 1722, 0, ERROR_INVALID_PARAMETER, NULL},
        {FORMAT_MESSAGE_FROM_STRING, 1722, sizeof(text), ERROR_NOT_SUPPORTED, text},
        {FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_FROM_HMODULE, 1722, sizeof(text),
         ERROR_NOT_SUPPORTED, text},
        {0, 1722, sizeof(text), ERROR_NOT_SUPPORTED, text},
    };
    for (size_t i = 0; i < ARRAYSIZE(rows); i++) {
        SetLastError(0);
        assert_int_equal(FormatMessage(rows[i].flags, NULL, rows[i].code, 0, rows[i].to,
                                       rows[i].size, NULL),
                         0);
        assert_int_equal(GetLastError(), rows[i].error);
    }
}

/* ---- Times --------------------------------------------------------------------------- */

static FILETIME filetime(uint64_t ticks)
{
    return (FILETIME){(DWORD)ticks, (DWORD)(ticks >> 32)};
}

static void a_times(void **state)
{
    (void)state;
    /* Ticks as Windows documentation and calendars have them. */
    static const struct {
        uint64_t ticks;
        SYSTEMTIME parts;
    } rows[] = {
        {0, {1601, 1, 1, 1, 0, 0, 0, 0}},
        {UINT64_C(116444736000000000), {1970, 1, 4, 1, 0, 0, 0, 0}},
        {UINT64_C(125911584000000000), {2000, 1, 6, 1, 0, 0, 0, 0}},
        {UINT64_C(125963422567890000), {2000, 2, 2, 29, 23, 57, 36, 789}},
        {UINT64_C(9223149887999990000), {30827, 12, 5, 31, 23, 59, 59, 999}},
    };
    for (size_t i = 0; i < ARRAYSIZE(rows); i++) {
        const FILETIME ticks = filetime(rows[i].ticks);
        SYSTEMTIME parts;
        FILETIME again;
        assert_true(FileTimeToSystemTime(&ticks, &parts));
        assert_memory_equal(&parts, &rows[i].parts, sizeof(parts));
        assert_true(SystemTimeToFileTime(&parts, &again));
        assert_memory_equal(&again, &ticks, sizeof(again));
    }
    static const SYSTEMTIME wrong[] = {
        {1600, 1, 0, 1, 0, 0, 0, 0},    {30828, 1, 0, 1, 0, 0, 0, 0},  {2001, 2, 0, 29, 0, 0, 0, 0},
        {2001, 0, 0, 1, 0, 0, 0, 0},    {2001, 13, 0, 1, 0, 0, 0, 0},  {2001, 1, 0, 0, 0, 0, 0, 0},
        {2001, 1, 0, 32, 0, 0, 0, 0},   {2001, 1, 0, 1, 24, 0, 0, 0},  {2001, 1, 0, 1, 0, 60, 0, 0},
        {2001, 1, 0, 1, 0, 0, 60, 0},   {2001, 1, 0, 1, 0, 0, 0, 1000},
    };
    FILETIME ticks;
    SYSTEMTIME parts;
    for (size_t i = 0; i < ARRAYSIZE(wrong); i++) {
        SetLastError(0);
        assert_false(SystemTimeToFileTime(&wrong[i], &ticks));
        assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    }
    ticks = filetime(UINT64_MAX);
    assert_false(FileTimeToSystemTime(&ticks, &parts));
    ticks = filetime(INT64_MAX);
    assert_false(FileTimeToSystemTime(&ticks, &parts)); /* the year 30828 */

    time_t now = time(NULL);
    GetSystemTimeAsFileTime(&ticks);
    int64_t seconds = (int64_t)(((uint64_t)ticks.dwHighDateTime << 32 | ticks.dwLowDateTime) /
                                10000000) - INT64_C(11644473600);
    assert_in_range(seconds - now, 0, 2);
    GetSystemTime(&parts);
    assert_in_range(parts.wYear, 2020, 2200);
    ULONGLONG begun = GetTickCount64();
    Sleep(20);
    assert_in_range(GetTickCount64() - begun, 19, 2000);
    assert_in_range(GetTickCount() - (DWORD)begun, 19, 2000);
    assert_int_equal(GetCurrentProcessId(), getpid());
}

/* ---- Names of the C library -------------------------------------------------------------- */

static void a_names_of_the_c_library(void **state)
{
    (void)state;
    char text[8];
    TCHAR generic[16];
    assert_int_equal(strcpy_s(text, sizeof(text), "1234567"), 0);
    assert_string_equal(text, "1234567");
    assert_int_equal(strcpy_s(text, sizeof(text), "abc"), 0);
    assert_int_equal(strcat_s(text, sizeof(text), "defg"), 0);
    assert_string_equal(text, "abcdefg");
    assert_int_equal(sprintf_s(text, sizeof(text), "%d%s", 123, "4567"), 7);
    assert_string_equal(text, "1234567");
    assert_int_equal(_stricmp("AbC", "aBc"), 0);
    assert_int_equal(_countof(text), 8);
    assert_int_equal(_stprintf_s(generic, _countof(generic), _T("%s"), TEXT("generic")), 7);
    assert_int_equal(_tcscmp(generic, _T("generic")), 0);
    assert_int_equal(_ttoi(_T("42")), 42);
    FILE *file = (FILE *)(uintptr_t)1;
    assert_int_equal(fopen_s(&file, "/proc/no/such/file", "r"), ENOENT);
    assert_null(file);
    assert_int_equal(fopen_s(&file, "/dev/null", "r"), 0);
    fclose(file);
}

static void copy_too_long(void)
{
    char text[4];
    strcpy_s(text, sizeof(text), "1234");
}

static void append_too_long(void)
{
    char text[4] = "ab";
    strcat_s(text, sizeof(text), "cd");
}

static void append_to_no_string(void)
{
    char text[2] = {'a', 'b'};
    strcat_s(text, sizeof(text), "");
}

static void print_too_long(void)
{
    char text[4];
    sprintf_s(text, sizeof(text), "%d", 1234);
}

/* What does not fit is never cut: the process ends. */
static void b_what_does_not_fit(void **state)
{
    (void)state;
    void (*const rows[])(void) = {copy_too_long, append_too_long, append_to_no_string,
                                  print_too_long};
    for (size_t i = 0; i < ARRAYSIZE(rows); i++) {
        pid_t child = fork();
        if (child == 0) {
            signal(SIGABRT, SIG_DFL);
            rows[i]();
            _exit(0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGABRT);
    }
}

static void a_keys(void **state)
{
    (void)state;
    int pair[2], before = dup(STDIN_FILENO);
    assert_int_equal(pipe(pair), 0);
    assert_int_equal(dup2(pair[0], STDIN_FILENO), STDIN_FILENO);
    assert_false(_kbhit());
    assert_int_equal(write(pair[1], "q\xff", 2), 2);
    assert_true(_kbhit());
    assert_int_equal(_getch(), 'q');
    assert_int_equal(_getch(), 0xff);
    assert_false(_kbhit());
    close(pair[1]);
    assert_int_equal(_getch(), EOF);
    dup2(before, STDIN_FILENO);
    close(before);
    close(pair[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_texts_of_errors),        cmocka_unit_test(a_times),
        cmocka_unit_test(a_names_of_the_c_library), cmocka_unit_test(b_what_does_not_fit),
        cmocka_unit_test(a_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
