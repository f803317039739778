/* SPDX-License-Identifier: MIT */
/* string_binding_test.c - string bindings: grammar, escapes, round trips. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <penstock/rpc.h>

#include "runtime/string_binding.h"

#define OBJECT "6b29fc40-ca47-1067-b31d-00dd010662da"

struct row {
    const char *text;
    const char *object, *protseq, *address, *endpoint, *options;
};

static const struct row good[] = {
    {":", "", "", "", "", ""},
    {"ncalrpc:", "", "ncalrpc", "", "", ""},
    {"ncacn_ip_tcp:host", "", "ncacn_ip_tcp", "host", "", ""},
    {"ncacn_ip_tcp:host[5000]", "", "ncacn_ip_tcp", "host", "5000", ""},
    {"ncacn_ip_tcp:[5000]", "", "ncacn_ip_tcp", "", "5000", ""},
    {"ncacn_ip_tcp:host[]", "", "ncacn_ip_tcp", "host", "", ""},
    {"ncacn_ip_tcp:192.0.2.1[endpoint=5000]", "", "ncacn_ip_tcp", "192.0.2.1", "5000", ""},
    {"ncacn_ip_tcp:fe80::1[135]", "", "ncacn_ip_tcp", "fe80::1", "135", ""},
    {OBJECT "@ncacn_ip_tcp:host[1]", OBJECT, "ncacn_ip_tcp", "host", "1", ""},
    {"p:a@b[1]", "", "p", "a@b", "1", ""},
    {"ncalrpc:[name,Security=impersonation static true]", "", "ncalrpc", "", "name",
     "Security=impersonation static true"},
    {"ncalrpc:[Security=identification]", "", "ncalrpc", "", "", "Security=identification"},
    {"ncalrpc:[,Security=identification]", "", "ncalrpc", "", "", "Security=identification"},
    {"p:[e,a=1,b=2]", "", "p", "", "e", "a=1,b=2"},
    {"p:[a=1,endpoint=e,b=2]", "", "p", "", "e", "a=1,b=2"},
    {"p:[,endpoint=e]", "", "p", "", "e", ""},
    {"p:[ENDPOINT=e]", "", "p", "", "e", ""},
    {"p:[e,,,]", "", "p", "", "e", ""},
    {"p:[e,flag]", "", "p", "", "e", "flag"},
    {"p:[endpoint=a=b]", "", "p", "", "a=b", ""},
    /* escapes */
    {"ncacn_np:.[\\\\pipe\\\\test]", "", "ncacn_np", ".", "\\pipe\\test", ""},
    {"ncacn_np:.[\\pipe\\test]", "", "ncacn_np", ".", "pipetest", ""},
    {"ncacn_np:\\\\\\\\srv[x]", "", "ncacn_np", "\\\\srv", "x", ""},
    {"p\\:q:a", "", "p:q", "a", "", ""},
    {"p\\@q:a", "", "p@q", "a", "", ""},
    {"p:a\\[b[c\\]\\,d\\=e]", "", "p", "a[b", "c],d=e", ""},
    {"p:[endpoint\\=e]", "", "p", "", "endpoint=e", ""},
    {"p:[e,a=1\\,2]", "", "p", "", "e", "a=1\\,2"}, /* options keep theirs */
};

struct bad_row {
    const char *text;
    RPC_STATUS status;
};

static const struct bad_row bad[] = {
    {"", RPC_S_INVALID_STRING_BINDING},
    {"ncacn_ip_tcp", RPC_S_INVALID_STRING_BINDING},
    {OBJECT "@ncacn_ip_tcp", RPC_S_INVALID_STRING_BINDING},
    {OBJECT "@", RPC_S_INVALID_STRING_BINDING},
    {OBJECT "@a@p:", RPC_S_INVALID_STRING_BINDING},
    {"@p:", RPC_S_INVALID_STRING_UUID},
    {"abc@p:", RPC_S_INVALID_STRING_UUID},
    {"{" OBJECT "}@p:", RPC_S_INVALID_STRING_UUID},
    {"\\" OBJECT "@p:", RPC_S_INVALID_STRING_UUID},
    {"p:[", RPC_S_INVALID_STRING_BINDING},
    {"p:[e", RPC_S_INVALID_STRING_BINDING},
    {"p:a]", RPC_S_INVALID_STRING_BINDING},
    {"p:[e]x", RPC_S_INVALID_STRING_BINDING},
    {"p:[e][f]", RPC_S_INVALID_STRING_BINDING},
    {"p:[e]]", RPC_S_INVALID_STRING_BINDING},
    {"p[e]:", RPC_S_INVALID_STRING_BINDING},
    {"p:[e\\]", RPC_S_INVALID_STRING_BINDING},
    {"p:\\", RPC_S_INVALID_STRING_BINDING},
    {"\\", RPC_S_INVALID_STRING_BINDING},
    {"p:[e]\\", RPC_S_INVALID_STRING_BINDING},
    {"p:[e,endpoint=f]", RPC_S_INVALID_STRING_BINDING},
    {"p:[endpoint=e,endpoint=f]", RPC_S_INVALID_STRING_BINDING},
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* On a heap copy of exactly the right size, for the address sanitizer. */
static RPC_STATUS parse(const char *text, struct string_binding *ret_binding)
{
    char *copy = strdup(text);
    assert_non_null(copy);
    RPC_STATUS status = string_binding_parse(copy, ret_binding);
    free(copy);
    return status;
}

static void assert_parts(const struct string_binding *binding, const struct row *row)
{
    assert_string_equal(binding->object, row->object);
    assert_string_equal(binding->protseq, row->protseq);
    assert_string_equal(binding->address, row->address);
    assert_string_equal(binding->endpoint, row->endpoint);
    assert_string_equal(binding->options, row->options);
}

static void a_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct string_binding binding;
        assert_int_equal(parse(good[i].text, &binding), RPC_S_OK);
        assert_parts(&binding, &good[i]);
        string_binding_fini(&binding);
        assert_null(binding.endpoint);
    }
}

static void a_parse_rejects(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct string_binding binding;
        assert_int_equal(parse(bad[i].text, &binding), bad[i].status);
    }
}

static void a_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct string_binding binding, again;
        char *text;
        assert_int_equal(parse(good[i].text, &binding), RPC_S_OK);
        assert_int_equal(string_binding_format(&binding, &text), RPC_S_OK);
        assert_int_equal(parse(text, &again), RPC_S_OK);
        assert_parts(&again, &good[i]);
        free(text);
        string_binding_fini(&binding);
        string_binding_fini(&again);
    }
}

static void b_compose(void **state)
{
    (void)state;
    static const struct {
        struct row parts; /* NULL allowed; text is what is expected */
    } rows[] = {
        {{"ncacn_ip_tcp:host[5000]", NULL, "ncacn_ip_tcp", "host", "5000", NULL}},
        {{"ncalrpc:[name]", "", "ncalrpc", "", "name", ""}},
        {{"ncalrpc:", NULL, "ncalrpc", NULL, NULL, NULL}},
        {{OBJECT "@p:h[e,a=1]", OBJECT, "p", "h", "e", "a=1"}},
        {{"p:h[,a=1]", NULL, "p", "h", NULL, "a=1"}},
        {{"p:fe80::1[135]", NULL, "p", "fe80::1", "135", NULL}},
        /* A literal backslash is doubled, as Windows does. */
        {{"ncacn_np:.[\\\\pipe\\\\x]", NULL, "ncacn_np", ".", "\\pipe\\x", NULL}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i].parts;
        RPC_CSTR text = NULL;
        assert_int_equal(RpcStringBindingCompose((RPC_CSTR)row->object, (RPC_CSTR)row->protseq,
                                                 (RPC_CSTR)row->address, (RPC_CSTR)row->endpoint,
                                                 (RPC_CSTR)row->options, &text),
                         RPC_S_OK);
        assert_string_equal((char *)text, row->text);
        assert_int_equal(RpcStringFree(&text), RPC_S_OK);
        assert_null(text);
    }
}

static void b_compose_rejects(void **state)
{
    (void)state;
    RPC_CSTR text = (RPC_CSTR) "untouched";
    RPC_CSTR p = (RPC_CSTR) "p";
    assert_int_equal(RpcStringBindingCompose((RPC_CSTR) "{x}", p, NULL, NULL, NULL, &text),
                     RPC_S_INVALID_STRING_UUID);
    static const char *const options[] = {"a]b", "a\\", "a\\\\\\", "endpoint=5", "a=1,Endpoint=5",
                                          "]"};
    for (size_t i = 0; i < COUNT_OF(options); i++)
        assert_int_equal(RpcStringBindingCompose(NULL, p, NULL, NULL, (RPC_CSTR)options[i], &text),
                         RPC_S_INVALID_NETWORK_OPTIONS);
    assert_string_equal((char *)text, "untouched");
    /* Nothing wanted back: only checked. */
    assert_int_equal(RpcStringBindingCompose(NULL, p, NULL, NULL, NULL, NULL), RPC_S_OK);
}

static void b_documented_parse(void **state)
{
    (void)state;
    RPC_CSTR parts[5];
    memset(parts, 0x55, sizeof(parts));
    RPC_CSTR text = (RPC_CSTR)OBJECT "@p:h[e]";
    assert_int_equal(
        RpcStringBindingParse(text, &parts[0], &parts[1], &parts[2], &parts[3], &parts[4]),
        RPC_S_OK);
    static const char *const expected[] = {OBJECT, "p", "h", "e", ""};
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal((char *)parts[i], expected[i]);
        assert_int_equal(RpcStringFree(&parts[i]), RPC_S_OK);
    }
    /* Outputs not wanted. */
    assert_int_equal(RpcStringBindingParse(text, NULL, NULL, NULL, &parts[0], NULL), RPC_S_OK);
    assert_string_equal((char *)parts[0], "e");
    RpcStringFree(&parts[0]);
    assert_int_equal(RpcStringBindingParse(text, NULL, NULL, NULL, NULL, NULL), RPC_S_OK);
    /* Outputs are NULL after a failure. */
    memset(parts, 0x55, sizeof(parts));
    assert_int_equal(RpcStringBindingParse((RPC_CSTR) "p:[e", &parts[0], &parts[1], &parts[2],
                                           &parts[3], &parts[4]),
                     RPC_S_INVALID_STRING_BINDING);
    for (size_t i = 0; i < 5; i++)
        assert_null(parts[i]);
    parts[1] = text;
    assert_int_equal(RpcStringBindingParse(NULL, NULL, &parts[1], NULL, NULL, NULL),
                     RPC_S_INVALID_ARG);
    assert_null(parts[1]);
    assert_int_equal(RpcStringFree(NULL), RPC_S_INVALID_ARG);
    parts[0] = NULL;
    assert_int_equal(RpcStringFree(&parts[0]), RPC_S_OK);
}

/* All strings over the special characters up to seven long: what is accepted survives
 * a round trip, format of any parts is accepted by parse and yields the parts. */
static void c_exhaustive(void **state)
{
    (void)state;
    static const char alphabet[] = "a\\@:[],=";
    size_t letters = sizeof(alphabet) - 1;
    unsigned accepted = 0;
    for (size_t len = 0; len <= 7; len++) {
        size_t total = 1;
        for (size_t i = 0; i < len; i++)
            total *= letters;
        for (size_t number = 0; number < total; number++) {
            char text[8];
            size_t rest = number;
            for (size_t i = 0; i < len; i++, rest /= letters)
                text[i] = alphabet[rest % letters];
            text[len] = '\0';
            struct string_binding binding, again;
            if (string_binding_parse(text, &binding) != RPC_S_OK)
                continue;
            accepted++;
            char *formatted;
            assert_int_equal(string_binding_format(&binding, &formatted), RPC_S_OK);
            assert_int_equal(string_binding_parse(formatted, &again), RPC_S_OK);
            assert_string_equal(again.protseq, binding.protseq);
            assert_string_equal(again.address, binding.address);
            assert_string_equal(again.endpoint, binding.endpoint);
            assert_string_equal(again.options, binding.options);
            free(formatted);
            string_binding_fini(&binding);
            string_binding_fini(&again);
        }
    }
    assert_true(accepted > 10000);
}

/* Any text at all may be a protocol sequence, an address or an endpoint. */
static void c_any_parts(void **state)
{
    (void)state;
    static const char alphabet[] = "a\\@:[],=";
    for (unsigned seed = 0; seed < 20000; seed++) {
        char parts[3][6];
        uint32_t random = seed * 2654435761u + 12345u;
        for (size_t p = 0; p < 3; p++) {
            size_t len = (random >> 7) % 6;
            for (size_t i = 0; i < len; i++) {
                random = random * 1664525u + 1013904223u;
                parts[p][i] = alphabet[random >> 29];
            }
            parts[p][len] = '\0';
            random = random * 1664525u + 1013904223u;
        }
        const struct string_binding binding = {
            .protseq = parts[0], .address = parts[1], .endpoint = parts[2]};
        struct string_binding again;
        char *text;
        assert_int_equal(string_binding_format(&binding, &text), RPC_S_OK);
        assert_int_equal(parse(text, &again), RPC_S_OK);
        assert_string_equal(again.object, "");
        assert_string_equal(again.protseq, parts[0]);
        assert_string_equal(again.address, parts[1]);
        assert_string_equal(again.endpoint, parts[2]);
        assert_string_equal(again.options, "");
        free(text);
        string_binding_fini(&again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parse),           cmocka_unit_test(a_parse_rejects),
        cmocka_unit_test(a_round_trip),      cmocka_unit_test(b_compose),
        cmocka_unit_test(b_compose_rejects), cmocka_unit_test(b_documented_parse),
        cmocka_unit_test(c_exhaustive),      cmocka_unit_test(c_any_parts),
    };
    return cmocka_run_group_tests_name("string_binding", tests, NULL, NULL);
}
