/* SPDX-License-Identifier: MIT */
/* idl_lex_test.c - tokens, places and line markers of the IDL lexer. */
#include "idl/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

struct fixture {
    struct idl_compiler *compiler;
    struct lexer lexer;
};

static void open_text(struct fixture *f, const char *text)
{
    static const struct idl_options options = {.idl_name = "t.idl", .warning_level = 4};
    f->compiler = idl_new(&options, NULL);
    assert_non_null(f->compiler);
    f->compiler->arena.on_full = &f->compiler->give_up;
    if (setjmp(f->compiler->give_up) != 0)
        fail_msg("the lexer gave up");
    lex_init(&f->lexer, f->compiler, "t.idl", text);
}

static struct token next(struct fixture *f)
{
    struct token token = {.kind = TOK_INVALID};
    lex_next(&f->lexer, &token);
    return token;
}

static unsigned first_message(struct fixture *f)
{
    const struct idl_diagnostic *d = idl_diagnostics(f->compiler);
    return d ? d->number : 0;
}

static void a_every_punctuator(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int kind;
    } rows[] = {
        {"(", '('},        {"]", ']'},      {"..", TOK_DOTDOT}, {"...", TOK_ELLIPSIS},
        {"<<", TOK_SHL},   {">>", TOK_SHR}, {"<=", TOK_LE},     {">=", TOK_GE},
        {"==", TOK_EQ},    {"!=", TOK_NE},  {"&&", TOK_AND},    {"||", TOK_OR},
        {"->", TOK_ARROW}, {"<", '<'},      {"=", '='},         {"~", '~'},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture f;
        open_text(&f, rows[i].text);
        assert_int_equal(next(&f).kind, rows[i].kind);
        assert_int_equal(next(&f).kind, TOK_END);
        assert_int_equal(next(&f).kind, TOK_END);
        idl_free(f.compiler);
    }
}

static void b_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
        bool is_unsigned, is_hex;
        unsigned message; /* 0: none */
    } rows[] = {
        {"0", 0, false, false, 0},
        {"0755", 0755, false, false, 0},
        {"4096u", 4096, true, false, 0},
        {"0xFfUL", 255, true, true, 0},
        {"7LL", 7, false, false, 0},
        {"9223372036854775807", INT64_MAX, false, false, 0},
        {"18446744073709551615", UINT64_MAX, true, false, 0},
        {"0xffffffffffffffff", UINT64_MAX, true, true, 0},
        {"18446744073709551616", 0, false, false, 2115},
        {"0x10000000000000000", 0, false, false, 2115},
        {"08", 0, false, false, 2116},
        {"0x", 0, false, false, 2116},
        {"1.5", 0, false, false, 2116},
        {"1uu1", 0, false, false, 2116},
        {"1lulu", 0, false, false, 2116},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture f;
        open_text(&f, rows[i].text);
        struct token token = next(&f);
        assert_int_equal(token.kind, rows[i].message == 2116 ? TOK_INVALID : TOK_NUMBER);
        assert_int_equal(first_message(&f), rows[i].message);
        assert_int_equal(next(&f).kind, TOK_END);
        if (rows[i].message == 0) {
            assert_true(token.value == rows[i].value);
            assert_int_equal(token.is_unsigned, rows[i].is_unsigned);
            assert_int_equal(token.is_hex, rows[i].is_hex);
        }
        idl_free(f.compiler);
    }
}

static void b_bounds_are_no_fraction(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, "0..5");
    assert_int_equal(next(&f).value, 0);
    assert_int_equal(next(&f).kind, TOK_DOTDOT);
    assert_int_equal(next(&f).value, 5);
    assert_null(idl_diagnostics(f.compiler));
    idl_free(f.compiler);
}

static void b_characters(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
        bool is_wide, ok;
    } rows[] = {
        {"'x'", 'x', false, true},       {"'\\n'", '\n', false, true},
        {"'\\''", '\'', false, true},    {"'\\x41'", 'A', false, true},
        {"'\\101'", 'A', false, true},   {"L'\\x20ac'", 0x20ac, true, true},
        {"''", 0, false, false},         {"'ab'", 0, false, false},
        {"'\\x100'", 0, false, false},   {"'\\q'", 0, false, false},
        {"'a", 0, false, false},         {"'", 0, false, false},
        {"L'\\x10000'", 0, true, false}, {"'\\", 0, false, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture f;
        open_text(&f, rows[i].text);
        struct token token = next(&f);
        assert_int_equal(token.kind, TOK_CHAR);
        assert_int_equal(token.is_wide, rows[i].is_wide);
        assert_int_equal(token.value, rows[i].value);
        assert_int_equal(first_message(&f), rows[i].ok ? 0 : 2108);
        assert_int_equal(next(&f).kind, TOK_END);
        idl_free(f.compiler);
    }
}

static void b_strings(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, "\"a \\\"b\\\\\" L\"w\" \"open\n\"end");
    struct token token = next(&f);
    assert_string_equal(token.text, "a \\\"b\\\\");
    assert_false(token.is_wide);
    assert_true(next(&f).is_wide);
    assert_int_equal(next(&f).kind, TOK_INVALID);
    assert_int_equal(first_message(&f), 2112);
    assert_int_equal(next(&f).kind, TOK_INVALID);
    assert_int_equal(idl_diagnostics(f.compiler)->next->number, 2110);
    idl_free(f.compiler);
}

static void b_attribute_words_are_names(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, "in out version string size_is long __int32 Long");
    for (int i = 0; i < 5; i++)
        assert_int_equal(next(&f).keyword, KW_NONE);
    assert_int_equal(next(&f).keyword, KW_LONG);
    assert_int_equal(next(&f).keyword, KW_INT32);
    assert_int_equal(next(&f).keyword, KW_NONE);
    idl_free(f.compiler);
}

static void c_places(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, "a\n  /* x\n y */ b\n# 40 \"in\\\\c.h\" 2\n\tc\n#line 7 \"d.h\"\nd // e\nf");
    static const struct {
        const char *text, *path;
        unsigned line, column;
    } rows[] = {
        {"a", "t.idl", 1, 1}, {"b", "t.idl", 3, 7}, {"c", "in\\c.h", 40, 2},
        {"d", "d.h", 7, 1},   {"f", "d.h", 8, 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct token token = next(&f);
        assert_string_equal(token.text, rows[i].text);
        assert_string_equal(token.loc.path, rows[i].path);
        assert_int_equal(token.loc.line, rows[i].line);
        assert_int_equal(token.loc.column, rows[i].column);
    }
    assert_string_equal(idl_dependency(f.compiler, 0), "in\\c.h");
    assert_string_equal(idl_dependency(f.compiler, 1), "d.h");
    assert_null(idl_dependency(f.compiler, 2));
    idl_free(f.compiler);
}

static void c_pragma_and_directives(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, "  #  pragma  pack(4)  \nx # y\n#define Z\n#\nz");
    struct token token = next(&f);
    assert_int_equal(token.kind, TOK_PRAGMA);
    assert_string_equal(token.text, "pack(4)");
    assert_string_equal(next(&f).text, "x");
    assert_int_equal(next(&f).kind, TOK_INVALID);
    assert_string_equal(next(&f).text, "y");
    assert_string_equal(next(&f).text, "z");
    const struct idl_diagnostic *d = idl_diagnostics(f.compiler);
    assert_int_equal(d->number, 2024);
    assert_int_equal(d->next->number, 2025);
    assert_int_equal(d->next->line, 3);
    idl_free(f.compiler);
}

static void c_raw_argument(void **state)
{
    (void)state;
    struct fixture f;
    struct loc loc;
    open_text(&f, "( 0a1b-12e3 ) (1.10\n)");
    next(&f);
    assert_string_equal(lex_raw_argument(&f.lexer, &loc), "0a1b-12e3");
    assert_int_equal(loc.column, 3);
    assert_int_equal(next(&f).kind, ')');
    next(&f);
    assert_null(lex_raw_argument(&f.lexer, &loc));
    idl_free(f.compiler);
}

static void c_comments(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, "/**/a/***/b/*");
    assert_string_equal(next(&f).text, "a");
    assert_string_equal(next(&f).text, "b");
    assert_int_equal(next(&f).kind, TOK_END);
    assert_int_equal(first_message(&f), 2109);
    idl_free(f.compiler);
}

static void c_control_z_ends_the_file(void **state)
{
    (void)state;
    struct fixture f;
    open_text(&f, "a \x1a b");
    assert_int_equal(next(&f).kind, TOK_IDENT);
    assert_int_equal(next(&f).kind, TOK_END);
    idl_free(f.compiler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_every_punctuator),
        cmocka_unit_test(b_numbers),
        cmocka_unit_test(b_bounds_are_no_fraction),
        cmocka_unit_test(b_characters),
        cmocka_unit_test(b_strings),
        cmocka_unit_test(b_attribute_words_are_names),
        cmocka_unit_test(c_places),
        cmocka_unit_test(c_pragma_and_directives),
        cmocka_unit_test(c_raw_argument),
        cmocka_unit_test(c_comments),
        cmocka_unit_test(c_control_z_ends_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
