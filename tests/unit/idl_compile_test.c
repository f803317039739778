/* SPDX-License-Identifier: MIT */
/* idl_compile_test.c - the compiler as a library: values of expressions, messages in
 * memory, limits, and that no text whatever breaks it. */
#include "idl/idl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char uuid_header[] = "[uuid(00000001-0000-0000-0000-000000000001), version(1.0)]\n";

static struct idl_options options = {.idl_name = "t.idl", .header_name = "t.h", .warning_level = 1};

static struct idl_compiler *compile_len(const char *idl, size_t len, const char *acf)
{
    struct idl_compiler *compiler = idl_new(&options, NULL);
    assert_non_null(compiler);
    struct idl_source idl_source = {.path = "t.idl", .text = idl, .len = len};
    struct idl_source acf_source = {.path = "t.acf", .text = acf, .len = acf ? strlen(acf) : 0};
    bool ok = idl_compile(compiler, &idl_source, acf ? &acf_source : NULL);
    bool has_error = false;
    for (const struct idl_diagnostic *d = idl_diagnostics(compiler); d; d = d->next)
        has_error |= d->severity == IDL_ERROR;
    assert_int_equal(ok, !has_error);
    return compiler;
}

static struct idl_compiler *compile(const char *idl)
{
    return compile_len(idl, strlen(idl), NULL);
}

/* `const hyper V = <text>;` must become `#define V (<expected>)`, or fail with a number. */
static void check_constant(const char *text, const char *expected, unsigned message)
{
    char idl[512], define[256];
    snprintf(idl, sizeof(idl), "interface i { const long ONE = 1; const hyper V = %s; }", text);
    struct idl_compiler *compiler = compile(idl);
    const struct idl_diagnostic *d = idl_diagnostics(compiler);
    if (message) {
        assert_non_null(d);
        assert_int_equal(d->number, message);
    } else {
        size_t len;
        assert_null(d);
        snprintf(define, sizeof(define), "#define V (%s)\n", expected);
        if (!strstr(idl_output(compiler, IDL_HEADER, &len), define))
            fail_msg("%s is not %s", text, expected);
    }
    idl_free(compiler);
}

static void b_expression_values(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value;
        unsigned message;
    } rows[] = {
        {"1 + 2 * 3", "INT64_C(7)", 0},
        {"(1 + 2) * 3", "INT64_C(9)", 0},
        {"10 - 4 - 3", "INT64_C(3)", 0},
        {"100 / 10 / 5", "INT64_C(2)", 0},
        {"7 % 4 * 2", "INT64_C(6)", 0},
        {"-7 / 2", "-3", 0},
        {"-7 % 2", "-1", 0},
        {"1 << 2 + 1", "INT64_C(8)", 0},
        {"-8 >> 1", "-4", 0},
        {"-1 >> 63", "-1", 0},
        {"0xff & 0x0f | 0x30 ^ 0x10", "INT64_C(47)", 0},
        {"1 < 2 == 1", "INT64_C(1)", 0},
        {"3 > 2 && 2 > 3 || 1", "INT64_C(1)", 0},
        {"0 ? 1 : 0 ? 2 : 3", "INT64_C(3)", 0},
        {"1 ? 2 : 1 / 0", "INT64_C(2)", 0},
        {"0 && 1 / 0", "INT64_C(0)", 0},
        {"1 || 1 / 0", "INT64_C(1)", 0},
        {"!0 + !5", "INT64_C(1)", 0},
        {"~0", "-1", 0},
        {"- - 3", "INT64_C(3)", 0},
        {"+3", "INT64_C(3)", 0},
        {"ONE + 'A'", "INT64_C(66)", 0},
        {"sizeof(long) * 2", "INT64_C(8)", 0},
        {"TRUE + FALSE", "INT64_C(1)", 0},
        {"-9223372036854775807 - 1", "(-INT64_C(9223372036854775807) - 1)", 0},
        {"(-9223372036854775807 - 1) / -1", "(-INT64_C(9223372036854775807) - 1)", 0},
        {"(-9223372036854775807 - 1) % -1", "INT64_C(0)", 0},
        {"9223372036854775807 + 1", "(-INT64_C(9223372036854775807) - 1)", 0},
        {"-9223372036854775808", "(-INT64_C(9223372036854775807) - 1)", 0},
        {"9223372036854775808", NULL, 2175},
        {"0xffffffffffffffff", NULL, 2175},
        {"1 / 0", NULL, 2031},
        {"1 % 0", NULL, 2031},
        {"1 << 64", NULL, 2175},
        {"1 << -1", NULL, 2175},
        {"*ONE", NULL, 2030},
        {"TWO", NULL, 2009},
        {"\"x\" + 1", NULL, 2032},
        {"\"x\"", NULL, 2154},
        {"ONE.x", NULL, 2037},
        {"i", NULL, 2173},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_constant(rows[i].text, rows[i].value, rows[i].message);
}

static void b_deep_expressions_end(void **state)
{
    (void)state;
    /* Every shape of depth: the first is allowed, then the limits speak. */
    static const struct {
        const char *head, *piece, *tail;
        unsigned count, message;
    } rows[] = {
        {"", "1+", "1", 400, 0},         {"", "1+", "1", 100000, 2002},
        {"", "(", "1", 100000, 2002},    {"", "-", "1", 100000, 2002},
        {"", "1?1:", "1", 100000, 2002}, {"", "1||", "1", 100000, 2002},
        {"", "1?", "1", 100000, 2002},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t piece = strlen(rows[i].piece);
        char *idl = malloc(200 + piece * rows[i].count);
        assert_non_null(idl);
        size_t len = (size_t)sprintf(idl, "interface i { const hyper V = ");
        for (unsigned n = 0; n < rows[i].count; n++, len += piece)
            memcpy(idl + len, rows[i].piece, piece);
        len += (size_t)sprintf(idl + len, "%s; }", rows[i].tail);
        struct idl_compiler *compiler = compile_len(idl, len, NULL);
        const struct idl_diagnostic *d = idl_diagnostics(compiler);
        assert_int_equal(d ? d->number : 0, rows[i].message);
        idl_free(compiler);
        free(idl);
    }
}

/* A chain of types, each made from the one before: no recursion may follow it. */
static void check_chain(const char *first, const char *format, unsigned count, unsigned message)
{
    size_t room = 300 + (size_t)count * 120;
    char *idl = malloc(room);
    assert_non_null(idl);
    size_t len = (size_t)snprintf(idl, room, "%sinterface i {\n%s\n", uuid_header, first);
    for (unsigned n = 1; n <= count; n++) {
        len += (size_t)snprintf(idl + len, room - len, format, n - 1, n, n + 1);
        assert_true(len < room);
    }
    len += (size_t)snprintf(idl + len, room - len, "void F([in] handle_t h, [in] T%u *p);}", count);
    struct idl_compiler *compiler = compile_len(idl, len, NULL);
    const struct idl_diagnostic *d = idl_diagnostics(compiler);
    assert_int_equal(d ? d->number : 0, message);
    size_t out_len;
    if (!d)
        assert_non_null(idl_output(compiler, IDL_SERVER_STUB, &out_len));
    idl_free(compiler);
    free(idl);
}

static void c_long_chains_of_types(void **state)
{
    (void)state;
    check_chain("typedef long T0;", "typedef T%u T%u;\n", 200, 0);
    check_chain("typedef long T0;", "typedef T%u T%u;\n", 20000, 2002);
    check_chain("typedef long T0;", "typedef T%u *T%u;\n", 5, 0);
    check_chain("typedef long T0;", "typedef T%u *T%u;\n", 20000, 2002);
    check_chain("typedef long T0;", "typedef T%u T%u[2];\n", 20000, 2002);
    check_chain("typedef struct S0 { long n; } T0;", "typedef struct { T%u v; } T%u;\n", 60, 0);
    check_chain("typedef struct S0 { long n; } T0;", "typedef struct { T%u v; } T%u;\n", 20000,
                2002);
    check_chain("typedef struct S0 { long n; } T0;", "typedef struct { [unique] T%u *v; } T%u;\n",
                5000, 0);
    check_chain("typedef struct S0 { long n; struct S1 *next; } T0;",
                "typedef struct S%2$u { struct S%1$u *back; struct S%2$u *self; } T%2$u;\n", 3000,
                0);
    /* Each is defined behind its use: the first leads to all. */
    check_chain("typedef struct S0 { long n; struct S1 *next; } T0;",
                "typedef struct S%2$u { struct S%3$u *next; } T%2$u;\n", 3000, 2002);
}

static void c_messages_are_limited(void **state)
{
    (void)state;
    char idl[8000] = "interface i {";
    for (int i = 0; i < 300; i++)
        strcat(idl, "typedef A B;\n@");
    struct idl_compiler *compiler = compile(idl);
    unsigned count = 0;
    unsigned last = 0;
    for (const struct idl_diagnostic *d = idl_diagnostics(compiler); d; d = d->next) {
        count++;
        last = d->number;
    }
    assert_int_equal(count, 101);
    assert_int_equal(last, 2026);
    idl_free(compiler);
}

/* What a program declares beside its calls. */
static const char program[] =
    "include \"x.h\"; extern const long *e[3]; static long s;\n"
    "typedef long FN(long, const char *, ...); typedef void (__stdcall *FP)(FN *, FN *);\n"
    "[uuid(12345678-1234-abcd-ef00-0123456789ab), version(1.0)] interface p {\n"
    "typedef struct { unsigned long a : 3, b : 29; FP hook; } BITS;\n"
    "typedef struct { char c; unsigned char u; [size_is(c)] char *v; } CHARS;\n"
    "[local] void L([in] BITS *bits, [in] FN *fn);\n"
    "[call_as(L)] void R([in] handle_t h, [in] long f);\n"
    "[idempotent] void M([in] handle_t h, [in, out] CHARS *chars); };\n";
static const char program_acf[] = "include \"y.h\", \"z.h\"; interface p { [nocode] M(); }";

/* Every request for more memory is refused once: the text that needs most of the language,
 * in every mode that changes what is kept of it. */
static void c_memory_ends_anywhere(void **state)
{
    (void)state;
    const struct idl_options before = options;
    for (unsigned mode = 0; mode < 4; mode++) {
        options.osf = mode == 1;
        options.plain_char = mode == 2;
        options.pack = mode == 3 ? 2 : 0;
        bool whole_fits = false;
        for (size_t limit = 0; !whole_fits; limit += 512) {
            options.memory_limit = limit + 1;
            struct idl_compiler *compiler = compile_len(program, strlen(program), program_acf);
            bool exhausted = false;
            for (const struct idl_diagnostic *d = idl_diagnostics(compiler); d; d = d->next)
                exhausted |= d->number == 2005;
            size_t len;
            if (exhausted)
                assert_null(idl_output(compiler, IDL_HEADER, &len));
            whole_fits = !exhausted;
            for (int which = IDL_HEADER; whole_fits && which <= IDL_SERVER_STUB; which++)
                whole_fits = options.osf || idl_output(compiler, (enum idl_output)which, &len);
            idl_free(compiler);
        }
    }
    options = before;
}

static void c_memory_is_limited(void **state)
{
    (void)state;
    size_t room = 1000000;
    char *idl = malloc(room);
    assert_non_null(idl);
    size_t len = (size_t)sprintf(idl, "%sinterface i { void F([in] handle_t h);\n", uuid_header);
    for (int i = 0; len < room - 100; i++)
        len += (size_t)sprintf(idl + len, "typedef long T%d;\n", i);
    len += (size_t)sprintf(idl + len, "}");
    bool failed_once = false, succeeded = false;
    for (size_t limit = 65536; !succeeded; limit *= 2) {
        options.memory_limit = limit;
        struct idl_compiler *compiler = compile_len(idl, len, NULL);
        const struct idl_diagnostic *d = idl_diagnostics(compiler);
        if (d) {
            assert_int_equal(d->number, 2005);
            assert_null(idl_output(compiler, IDL_HEADER, &len));
            failed_once = true;
        } else {
            succeeded = true;
        }
        idl_free(compiler);
    }
    options.memory_limit = 0;
    assert_true(failed_once);
    free(idl);
}

static const char whole[] =
    "[uuid(12345678-1234-abcd-ef00-0123456789ab), version(1.0), endpoint(\"ncacn_ip_tcp:[1]\")]\n"
    "interface w { const long N = 4 * (2 + 1); cpp_quote(\"x\")\n"
    "typedef enum { A = N, B } E; typedef struct S { E e; byte b[N]; [string] char *s; } S;\n"
    "typedef pipe byte P, Q; typedef [unique, string] wchar_t *W;\n"
    "long F([in] handle_t h, [in] long n, [in, size_is(n ? n / 2 : 0)] S **v, [out] P *p);\n"
    "void G([in, range(0, 5)] short s, [in] W w); };\n";

static void c_every_prefix(void **state)
{
    (void)state;
    for (size_t len = 0; len <= strlen(whole); len++) {
        char *copy = malloc(len + 1); /* its exact size, for the address sanitizer */
        assert_non_null(copy);
        memcpy(copy, whole, len);
        struct idl_compiler *compiler =
            compile_len(copy, len, "[explicit_handle] interface w { [async] F(); }");
        size_t out_len;
        if (len + 2 >= strlen(whole)) /* the last '}' is there */
            assert_non_null(idl_output(compiler, IDL_CLIENT_STUB, &out_len));
        idl_free(compiler);
        free(copy);
    }
}

static void c_every_octet_changed(void **state)
{
    (void)state;
    static const char others[] = "\0\x1a\x80 \n\"'(){}[];,*#@/0a";
    char copy[sizeof(whole)];
    for (size_t at = 0; at < strlen(whole); at++) {
        for (size_t i = 0; i < sizeof(others) - 1; i++) {
            memcpy(copy, whole, sizeof(whole));
            copy[at] = others[i];
            struct idl_compiler *compiler = compile_len(copy, strlen(whole), NULL);
            size_t len;
            for (int which = IDL_HEADER; which <= IDL_SERVER_STUB; which++) {
                const char *text = idl_output(compiler, (enum idl_output)which, &len);
                assert_true(!text || strlen(text) == len);
            }
            idl_free(compiler);
        }
    }
}

static void c_message_text(void **state)
{
    (void)state;
    struct idl_compiler *compiler = compile("interface i {\n\ttypedef\tX Y;\n}");
    const struct idl_diagnostic *d = idl_diagnostics(compiler);
    static const char expected[] =
        "t.idl:2:10: error MIDL2009: undefined symbol: no type is named 'X'\n"
        "  \ttypedef\tX Y;\n"
        "  \t       \t^\n";
    char text[400];
    size_t len = idl_diagnostic_text(d, text, sizeof(text));
    assert_string_equal(text, expected);
    assert_int_equal(len, strlen(expected));
    for (size_t size = 0; size < sizeof(expected); size++) {
        char *small = malloc(size + 1);
        assert_non_null(small);
        small[size] = '!';
        assert_int_equal(idl_diagnostic_text(d, small, size), len);
        assert_int_equal(small[size], '!');
        free(small);
    }
    idl_free(compiler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_expression_values),    cmocka_unit_test(b_deep_expressions_end),
        cmocka_unit_test(c_long_chains_of_types), cmocka_unit_test(c_messages_are_limited),
        cmocka_unit_test(c_memory_ends_anywhere), cmocka_unit_test(c_memory_is_limited),
        cmocka_unit_test(c_every_prefix),         cmocka_unit_test(c_every_octet_changed),
        cmocka_unit_test(c_message_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
