/* SPDX-License-Identifier: MIT */
/* wide_api_test.c - the functions with UTF-16 strings say what their siblings with UTF-8 say. */
#define UNICODE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <penstock/windows.h>

#include "alloc_shim.h"

#define OBJECT u"6b29fc40-ca47-1067-b31d-00dd010662da"

/* A string literal as the functions want it. */
#define W(text) ((RPC_WSTR)(uintptr_t)(const void *)(text))

/* A half of a pair, alone. */
static const WCHAR malformed[] = {'a', 0xd800, 'b', 0};

static void assert_wide(const WCHAR *got, const WCHAR *wanted)
{
    size_t i = 0;
    assert_non_null(got);
    do
        assert_int_equal(got[i], wanted[i]);
    while (wanted[i++] != 0);
}

static void a_string_bindings(void **state)
{
    (void)state;
    /* Two octets, three octets and a pair. */
    RPC_WSTR host = W(u"gr\u00fc\u00df\u20ac\U0001f600"), text = NULL;
    RPC_WSTR object, protseq, address, endpoint, options;
    assert_int_equal(
        RpcStringBindingCompose(W(OBJECT), W(TEXT("ncacn_ip_tcp")), host, W(u"5000"), NULL, &text),
        RPC_S_OK);
    assert_wide(text, OBJECT u"@ncacn_ip_tcp:gr\u00fc\u00df\u20ac\U0001f600[5000]");
    assert_int_equal(RpcStringBindingParse(text, &object, &protseq, &address, &endpoint, &options),
                     RPC_S_OK);
    assert_wide(object, OBJECT);
    assert_wide(protseq, u"ncacn_ip_tcp");
    assert_wide(address, host);
    assert_wide(endpoint, u"5000");
    assert_wide(options, u"");
    RPC_WSTR *const parts[] = {&object, &protseq, &address, &endpoint, &options, &text};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(RpcStringFree(parts[i]), RPC_S_OK);
        assert_null(*parts[i]);
    }
    assert_int_equal(RpcStringFree(NULL), RPC_S_INVALID_ARG);
    assert_int_equal(RpcStringBindingCompose(NULL, W(u"ncalrpc"), NULL, NULL, NULL, NULL),
                     RPC_S_OK);
    assert_int_equal(RpcStringBindingParse(W(u"ncalrpc:[x]"), NULL, NULL, NULL, &endpoint, NULL),
                     RPC_S_OK);
    assert_wide(endpoint, u"x");
    RpcStringFree(&endpoint);
}

static void b_malformed(void **state)
{
    (void)state;
    RPC_WSTR text = NULL, endpoint = W(u"x");
    RPC_BINDING_HANDLE binding = NULL;
    UUID uuid;
    assert_int_equal(RpcStringBindingCompose(W(malformed), NULL, NULL, NULL, NULL, &text),
                     RPC_S_INVALID_STRING_UUID);
    assert_int_equal(RpcStringBindingCompose(NULL, NULL, W(malformed), NULL, NULL, &text),
                     RPC_S_INVALID_ARG);
    assert_null(text);
    assert_int_equal(RpcStringBindingParse(W(malformed), NULL, NULL, NULL, &endpoint, NULL),
                     RPC_S_INVALID_STRING_BINDING);
    assert_null(endpoint);
    assert_int_equal(RpcBindingFromStringBinding(W(malformed), &binding),
                     RPC_S_INVALID_STRING_BINDING);
    assert_int_equal(RpcBindingFromStringBinding(NULL, &binding),
                     RpcBindingFromStringBindingA(NULL, &binding));
    assert_int_equal(UuidFromString(W(malformed), &uuid), RPC_S_INVALID_STRING_UUID);
    assert_int_equal(RpcNetworkIsProtseqValid(W(malformed)), RPC_S_INVALID_RPC_PROTSEQ);
    assert_int_equal(RpcServerUseProtseq(W(malformed), 1, NULL), RPC_S_INVALID_RPC_PROTSEQ);
    assert_int_equal(RpcServerUseProtseqEp(W(u"ncalrpc"), 1, W(malformed), NULL),
                     RPC_S_INVALID_ENDPOINT_FORMAT);
    assert_int_equal(RpcServerUseProtseqEpEx(W(u"ncalrpc"), 1, W(malformed), NULL, NULL),
                     RPC_S_INVALID_ENDPOINT_FORMAT);
}

static void b_protocol_sequences(void **state)
{
    (void)state;
    assert_int_equal(RpcNetworkIsProtseqValid(W(u"ncacn_ip_tcp")), RPC_S_OK);
    assert_int_equal(RpcNetworkIsProtseqValid(W(u"ncacn_np")), RPC_S_PROTSEQ_NOT_SUPPORTED);
    assert_int_equal(RpcNetworkIsProtseqValid(W(u"nonsense")), RPC_S_INVALID_RPC_PROTSEQ);
    assert_int_equal(RpcServerUseProtseqEp(W(u"nonsense"), 1, W(u"x"), NULL),
                     RPC_S_INVALID_RPC_PROTSEQ);
}

static void b_bindings(void **state)
{
    (void)state;
    RPC_BINDING_HANDLE binding = NULL;
    RPC_WSTR text = NULL;
    assert_int_equal(RpcBindingFromStringBinding(W(u"ncacn_ip_tcp:127.0.0.1[5000]"), &binding),
                     RPC_S_OK);
    assert_int_equal(RpcBindingToStringBinding(binding, &text), RPC_S_OK);
    assert_wide(text, u"ncacn_ip_tcp:127.0.0.1[5000]");
    assert_int_equal(RpcBindingToStringBinding(binding, NULL), RPC_S_INVALID_ARG);
    RpcStringFree(&text);
    assert_int_equal(RpcBindingFree(&binding), RPC_S_OK);
    assert_int_equal(RpcBindingToStringBinding(NULL, &text), RPC_S_INVALID_BINDING);
}

static void b_texts_and_uuids(void **state)
{
    (void)state;
    WCHAR wide[DCE_C_ERROR_STRING_LEN];
    unsigned char narrow[DCE_C_ERROR_STRING_LEN];
    for (RPC_STATUS status = 1700; status < 1950; status++) {
        assert_int_equal(DceErrorInqText(status, wide), DceErrorInqTextA(status, narrow));
        for (size_t i = 0; i == 0 || narrow[i - 1] != 0; i++)
            assert_int_equal(wide[i], narrow[i]);
    }
    assert_int_equal(DceErrorInqText(0, NULL), RPC_S_INVALID_ARG);
    UUID uuid, again;
    RPC_WSTR text;
    RPC_STATUS status;
    assert_int_equal(UuidFromString(W(OBJECT), &uuid), RPC_S_OK);
    assert_int_equal(UuidToString(&uuid, &text), RPC_S_OK);
    assert_wide(text, OBJECT);
    assert_int_equal(UuidFromString(text, &again), RPC_S_OK);
    assert_true(UuidEqual(&uuid, &again, &status));
    RpcStringFree(&text);
    assert_int_equal(UuidFromString(NULL, &uuid), RPC_S_OK);
    assert_true(UuidIsNil(&uuid, &status));
    assert_int_equal(UuidToString(&uuid, NULL), RPC_S_INVALID_ARG);
}

/* Composes and parses with the n-th allocation failing, for all n: nothing is left behind. */
static void c_out_of_memory(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        RPC_WSTR text = NULL, parts[5];
        long live = alloc_live;
        alloc_fail_at(n);
        RPC_STATUS status = RpcStringBindingCompose(W(OBJECT), W(u"ncacn_ip_tcp"), W(u"host"),
                                                    W(u"5000"), W(u"a=b"), &text);
        if (status == RPC_S_OK)
            status =
                RpcStringBindingParse(text, &parts[0], &parts[1], &parts[2], &parts[3], &parts[4]);
        bool failed = alloc_failed();
        alloc_fail_at(-1);
        assert_int_equal(status, failed ? RPC_S_OUT_OF_MEMORY : RPC_S_OK);
        for (size_t i = 0; i < 5 && text; i++) {
            assert_true((parts[i] == NULL) == failed);
            RpcStringFree(&parts[i]);
        }
        RpcStringFree(&text);
        assert_int_equal(alloc_live, live);
        if (!failed)
            break;
        assert_true(n < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_string_bindings),    cmocka_unit_test(b_malformed),
        cmocka_unit_test(b_protocol_sequences), cmocka_unit_test(b_bindings),
        cmocka_unit_test(b_texts_and_uuids),    cmocka_unit_test(c_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
