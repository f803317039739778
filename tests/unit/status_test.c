/* SPDX-License-Identifier: MIT */
/* status_test.c - names and texts of status codes, faults, DceErrorInqText. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <penstock/rpc.h>

#include "base/status.h"

static const RPC_STATUS all_values[] = {
#define STATUS(value, name, text) value,
#include "base/status.def"
};
#define VALUE_COUNT (sizeof(all_values) / sizeof(all_values[0]))

static void a_rows_are_sorted(void **state)
{
    (void)state;
    /* status_name() searches by bisection. */
    for (size_t i = 1; i < VALUE_COUNT; i++)
        assert_true(all_values[i - 1] < all_values[i]);
}

static void a_every_status_has_name_and_text(void **state)
{
    (void)state;
#define STATUS(value, name, text)                                                                  \
    assert_string_equal(status_name(value), #name);                                                \
    assert_string_equal(status_text(value), text);
#include "base/status.def"
    for (size_t i = 0; i < VALUE_COUNT; i++) {
        const char *text = status_text(all_values[i]);
        size_t len = strlen(text);
        assert_true(len > 0 && len < DCE_C_ERROR_STRING_LEN);
        assert_int_equal(text[len - 1], '.');
    }
}

static void a_unknown_status_has_neither(void **state)
{
    (void)state;
    static const RPC_STATUS unknown[] = {-1, 1, 1699, 1731, 1738, 1776, 1930, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        assert_null(status_name(unknown[i]));
        assert_null(status_text(unknown[i]));
    }
}

/* The numbers are the contract (api.md 2.0): a sample written down a second time. */
static void a_values(void **state)
{
    (void)state;
    assert_int_equal(RPC_S_SERVER_UNAVAILABLE, 1722);
    assert_int_equal(RPC_S_CALL_FAILED, 1726);
    assert_int_equal(RPC_S_CALL_CANCELLED, 1818);
    assert_int_equal(RPC_X_BAD_STUB_DATA, 0x6f7);
    assert_int_equal(RPC_X_WRONG_PIPE_ORDER, 1831);
    assert_int_equal(RPC_X_INVALID_PIPE_OPERATION, 1831);
    assert_int_equal(RPC_S_INVALID_ASYNC_HANDLE, 1914);
    assert_int_equal(RPC_X_PIPE_CLOSED, 1916);
    assert_int_equal(RPC_X_PIPE_DISCIPLINE_ERROR, 1917);
    assert_int_equal(RPC_X_PIPE_EMPTY, 1918);
    assert_int_equal(RPC_S_ASYNC_CALL_PENDING, ERROR_IO_PENDING);
    assert_int_equal(RPC_X_INVALID_BUFFER, ERROR_INVALID_USER_BUFFER);
}

static void b_faults_become_statuses(void **state)
{
    (void)state;
    static const struct {
        uint32_t wire;
        uint32_t status;
    } rows[] = {
        {0x1c010002, RPC_S_PROCNUM_OUT_OF_RANGE},
        {0x1c010003, RPC_S_UNKNOWN_IF},
        {0x1c01000b, RPC_S_PROTOCOL_ERROR},
        {0x1c010014, RPC_S_SERVER_TOO_BUSY},
        {0x1c00000d, RPC_S_CALL_CANCELLED},
        {0x1c000012, RPC_S_CALL_FAILED},
        {0x1c000014, RPC_X_PIPE_EMPTY},
        {0x1c000015, RPC_X_PIPE_CLOSED},
        {0x1c000016, RPC_X_WRONG_PIPE_ORDER},
        {0x1c000017, RPC_X_PIPE_DISCIPLINE_ERROR},
        {0x1c000018, RPC_S_COMM_FAILURE},
        {0x1c000019, RPC_S_OUT_OF_MEMORY},
        {0x1c00001a, RPC_X_SS_CONTEXT_MISMATCH},
        {0x1c000020, RPC_S_CALL_FAILED_DNE},
        /* not mapped: pass unchanged */
        {0x1c010006, 0x1c010006},
        {0x1c000013, 0x1c000013},
        {0x1c000021, 0x1c000021},
        {0x1c000011, 0x1c000011},
        {5, RPC_S_ACCESS_DENIED},
        {1, 1},
        {0x6ba, RPC_S_SERVER_UNAVAILABLE},
        {0x6f7, RPC_X_BAD_STUB_DATA},
        {0x721, RPC_S_SEC_PKG_ERROR},
        {0xC0000022, 0xC0000022},
        {0xE0001234, 0xE0001234},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal((uint32_t)status_from_fault(rows[i].wire), rows[i].status);
}

static const uint32_t forbidden[] = {
    0x00000000, 0x80000001, 0x80000002, 0x80000003, 0xC0000005, 0xC0000006, 0xC000001D,
    0xC0000096, 0xC00000AA, 0xC00000FD, 0xC0000194, 0xC0000235, 0xC0000409, 0xC0000420,
};
#define FORBIDDEN_COUNT (sizeof(forbidden) / sizeof(forbidden[0]))

/* MS-RPCE 3.3.3.5.1: never accepted, never sent. */
static void b_forbidden_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORBIDDEN_COUNT; i++) {
        assert_int_equal(status_from_fault(forbidden[i]), RPC_S_PROTOCOL_ERROR);
        assert_int_equal(status_to_fault((RPC_STATUS)forbidden[i]), NCA_FAULT_UNSPEC);
    }
}

static void b_outgoing_codes(void **state)
{
    (void)state;
    assert_int_equal(status_to_fault(RPC_S_UNKNOWN_IF), 0x1c010003);
    assert_int_equal(status_to_fault(RPC_S_PROCNUM_OUT_OF_RANGE), 0x1c010002);
    assert_int_equal(status_to_fault(RPC_S_PROTOCOL_ERROR), 0x1c01000b);
    assert_int_equal(status_to_fault(RPC_S_SERVER_TOO_BUSY), 0x1c010014);
    assert_int_equal(status_to_fault(RPC_S_CALL_CANCELLED), 0x1c00000d);
    assert_int_equal(status_to_fault(RPC_X_PIPE_DISCIPLINE_ERROR), 0x1c000017);
    assert_int_equal(status_to_fault(RPC_X_PIPE_EMPTY), 0x1c000014);
    assert_int_equal(status_to_fault(RPC_X_PIPE_CLOSED), 0x1c000015);
    assert_int_equal(status_to_fault(RPC_X_WRONG_PIPE_ORDER), 0x1c000016);
    assert_int_equal(status_to_fault(RPC_S_COMM_FAILURE), 0x1c010001);
    assert_int_equal(status_to_fault(RPC_S_UNSUPPORTED_TYPE), 0x1c010017);
    assert_int_equal(status_to_fault(RPC_S_ZERO_DIVIDE), 0x1c000001);
    assert_int_equal(status_to_fault(RPC_S_ADDRESS_ERROR), 0x1c000002);
    assert_int_equal(status_to_fault(RPC_S_FP_DIV_ZERO), 0x1c000003);
    assert_int_equal(status_to_fault(RPC_S_FP_UNDERFLOW), 0x1c000004);
    assert_int_equal(status_to_fault(RPC_S_FP_OVERFLOW), 0x1c000005);
    assert_int_equal(status_to_fault(RPC_S_INVALID_TAG), 0x1c000006);
    assert_int_equal(status_to_fault(RPC_S_INVALID_BOUND), 0x1c000007);
    assert_int_equal(status_to_fault(RPC_S_CALL_FAILED_DNE), 0x1c00000c);
    assert_int_equal(status_to_fault(RPC_S_CALL_FAILED), 0x1c000012);
    assert_int_equal(status_to_fault(RPC_X_SS_CONTEXT_MISMATCH), 0x1c00001a);
    assert_int_equal(status_to_fault(RPC_S_SERVER_OUT_OF_MEMORY), 0x1c00001b);
    assert_int_equal(status_to_fault(RPC_S_UNSUPPORTED_AUTHN_LEVEL), 0x1c00001d);
    assert_int_equal(status_to_fault(RPC_X_BAD_STUB_DATA), 0x6f7);
    assert_int_equal(status_to_fault(RPC_S_ACCESS_DENIED), 5);
    assert_int_equal(status_to_fault((RPC_STATUS)0xE0001234), 0xE0001234);
}

/* Every status a server can send arrives as what it was; success cannot be sent. */
static void c_round_trip(void **state)
{
    (void)state;
    for (RPC_STATUS status = 1; status < 70000; status++)
        assert_int_equal(status_from_fault(status_to_fault(status)), status);
    for (uint32_t low = 0; low < 0x10000; low++) {
        static const uint32_t highs[] = {0x1c000000, 0x1c010000, 0x80000000, 0xC0000000};
        for (size_t i = 0; i < 4; i++) {
            RPC_STATUS seen = status_from_fault(highs[i] | low);
            assert_int_not_equal(seen, RPC_S_OK);
        }
    }
}

static void b_fault_names(void **state)
{
    (void)state;
    assert_string_equal(status_fault_name(0x1c010002), "NCA_OP_RNG_ERROR");
    assert_string_equal(status_fault_name(0x1c000017), "NCA_FAULT_PIPE_DISCIPLINE");
    assert_null(status_fault_name(5));
    assert_null(status_fault_name(0));
}

static void b_dce_error_inq_text(void **state)
{
    (void)state;
    unsigned char text[DCE_C_ERROR_STRING_LEN];
    memset(text, 'x', sizeof(text));
    assert_int_equal(DceErrorInqText(RPC_S_SERVER_UNAVAILABLE, text), RPC_S_OK);
    assert_string_equal((char *)text, status_text(1722));
    assert_int_equal(DceErrorInqText(424242, text), RPC_S_INVALID_ARG);
    assert_non_null(strstr((char *)text, "424242"));
    assert_int_equal(DceErrorInqText((RPC_STATUS)0xC0000005, text), RPC_S_INVALID_ARG);
    assert_non_null(strstr((char *)text, "c0000005"));
    assert_int_equal(DceErrorInqText(0, NULL), RPC_S_INVALID_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rows_are_sorted),
        cmocka_unit_test(a_every_status_has_name_and_text),
        cmocka_unit_test(a_unknown_status_has_neither),
        cmocka_unit_test(a_values),
        cmocka_unit_test(b_faults_become_statuses),
        cmocka_unit_test(b_forbidden_faults),
        cmocka_unit_test(b_outgoing_codes),
        cmocka_unit_test(b_fault_names),
        cmocka_unit_test(b_dce_error_inq_text),
        cmocka_unit_test(c_round_trip),
    };
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
