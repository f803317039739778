/* SPDX-License-Identifier: MIT */
/* mgmt_test.c - the management interface's routines where memory ends, and what they leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <penstock/rpc.h>
#include <penstock/rpcndr.h>

#include "alloc_shim.h"
#include "runtime/mgmt.h"
#include "runtime/stub_memory.h"
#include "stubs/mgmt.h"

static const NDR_INTERFACE no_operations = {.name = "none"};
static RPC_SERVER_INTERFACE specs[3];

static int register_three(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        specs[i] = (RPC_SERVER_INTERFACE){
            .Length = sizeof(RPC_SERVER_INTERFACE),
            .InterfaceId = {{i + 1, 0, 0, {0}}, {(unsigned short)(i + 1), 7}},
            .InterpreterInfo = &no_operations,
            .DefaultManagerEpv = (RPC_MGR_EPV *)&specs[i]};
        assert_int_equal(RpcServerRegisterIf(&specs[i], NULL, NULL), RPC_S_OK);
    }
    return 0;
}

static void a_own_interfaces(void **state)
{
    (void)state;
    const long before = alloc_live;
    RPC_IF_ID_VECTOR *vector = NULL;
    assert_int_equal(RpcMgmtInqIfIds(NULL, &vector), RPC_S_OK);
    assert_int_equal(vector->Count, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(vector->IfId[i]->Uuid.Data1, i + 1);
        assert_int_equal(vector->IfId[i]->VersMajor, i + 1);
        assert_int_equal(vector->IfId[i]->VersMinor, 7);
    }
    assert_int_equal(RpcIfIdVectorFree(&vector), RPC_S_OK);
    assert_null(vector);
    assert_int_equal(alloc_live, before);
}

static void free_answer(mgmt_if_id_vector_p_t vector)
{
    for (uint32_t i = 0; vector && i < vector->count; i++)
        stub_memory_free(vector->if_id[i]);
    stub_memory_free(vector);
}

/* Whichever allocation fails, the status says so, and what there is can be sent and freed. */
static void b_no_memory_for_interfaces(void **state)
{
    (void)state;
    const long before = alloc_live;
    unsigned failures = 0;
    for (long nth = 0; nth < 100; nth++) {
        mgmt_if_id_vector_p_t vector = NULL;
        error_status_t status = 1;
        alloc_fail_at(nth);
        server_rpc_mgmt_inq_if_ids(NULL, &vector, &status);
        alloc_fail_at(-1);
        if (status == RPC_S_OK) {
            assert_int_equal(vector->count, 3);
            free_answer(vector);
            break;
        }
        assert_int_equal(status, RPC_S_OUT_OF_MEMORY);
        free_answer(vector);
        assert_int_equal(alloc_live, before);
        failures++;
    }
    assert_int_equal(failures, 5); /* our vector, theirs and its elements */
    assert_int_equal(alloc_live, before);
}

static void b_no_memory_for_own_answers(void **state)
{
    (void)state;
    RPC_IF_ID_VECTOR *ids = NULL;
    RPC_STATS_VECTOR *stats = NULL;
    RPC_CSTR name = NULL;
    alloc_fail_at(0);
    assert_int_equal(RpcMgmtInqIfIds(NULL, &ids), RPC_S_OUT_OF_MEMORY);
    alloc_fail_at(0);
    assert_int_equal(RpcMgmtInqStats(NULL, &stats), RPC_S_OUT_OF_MEMORY);
    alloc_fail_at(0);
    assert_int_equal(RpcMgmtInqServerPrincNameA(NULL, 10, &name), RPC_S_OUT_OF_MEMORY);
    alloc_fail_at(-1);
    assert_null(ids);
    assert_null(stats);
    assert_null(name);
}

/* It refuses, and its reason is what the client gets. */
static int no(RPC_BINDING_HANDLE client, unsigned long operation, RPC_STATUS *status)
{
    (void)client;
    *status = (RPC_STATUS)(1000 + operation);
    return 0;
}

static void b_refusals_leave_nothing(void **state)
{
    (void)state;
    const long before = alloc_live;
    mgmt_if_id_vector_p_t vector = (mgmt_if_id_vector_p_t)(uintptr_t)1;
    error_status_t status = 0;
    StatisticsCount count = 4;
    uint32_t numbers[4] = {1, 2, 3, 4};
    unsigned char name[8] = "secret";
    assert_int_equal(RpcMgmtSetAuthorizationFn(no), RPC_S_OK);
    server_rpc_mgmt_inq_if_ids(NULL, &vector, &status);
    assert_int_equal(status, 1000 + RPC_C_MGMT_INQ_IF_IDS);
    assert_null(vector);
    server_rpc_mgmt_inq_stats(NULL, &count, numbers, &status);
    assert_int_equal(status, 1000 + RPC_C_MGMT_INQ_STATS);
    assert_int_equal(count, 0);
    assert_int_equal(server_rpc_mgmt_is_server_listening(NULL, &status), 0);
    assert_int_equal(status, 1000 + RPC_C_MGMT_IS_SERVER_LISTEN);
    server_rpc_mgmt_stop_server_listening(NULL, &status);
    assert_int_equal(status, 1000 + RPC_C_MGMT_STOP_SERVER_LISTEN);
    server_rpc_mgmt_inq_princ_name(NULL, 10, sizeof(name), name, &status);
    assert_int_equal(status, 1000 + RPC_C_MGMT_INQ_PRINC_NAME);
    assert_int_equal(name[0], '\0');
    assert_int_equal(RpcMgmtSetAuthorizationFn(NULL), RPC_S_OK);
    assert_int_equal(alloc_live, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_own_interfaces),
        cmocka_unit_test(b_no_memory_for_interfaces),
        cmocka_unit_test(b_no_memory_for_own_answers),
        cmocka_unit_test(b_refusals_leave_nothing),
    };
    return cmocka_run_group_tests(tests, register_three, NULL);
}
