/* SPDX-License-Identifier: MIT */
/* characters_test.c - [cs_char] arrays of every form between a client and a server, which are
 * one process, with and without conversions that refuse.
 *
 *     characters_test PROTSEQ ENDPOINT
 *     characters_test BINDING           the calls alone, at a server that has the managers
 *
 * Prints a line for what is wrong, then "N checks". */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc.h"

#include "b_cs_char.h"
#include "win32.h"

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}

static int checks, wrong;

static void check(const char *what, bool right)
{
    checks++;
    if (!right) {
        wrong++;
        printf("wrong: %s\n", what);
    }
}

#define ARGUMENTS_ARE(what, right) check(what ": arguments", right)
#include "managers.h"

/* ---- Calls ------------------------------------------------------------------------------------ */

static void call_fixed(handle_t h)
{
    UTF32 name[8] = {'a', 0xe4};
    uint32_t rtag = 0;
    c_Fixed(h, LATIN, LATIN, &rtag, name);
    check("Fixed: answer", rtag == LATIN && name[1] == 0xe4 && name[7] == 0xe9);
}

static void call_varying(handle_t h)
{
    UTF32 text[16] = {'a', 0x3b1, 1, 2};
    int32_t length = 2;
    uint32_t rtag = 0;
    c_Varying(h, UTF8, &rtag, &length, text);
    check("Varying: answer", length == 3 && text[2] == 0x3b2 && text[3] == 2);
}

static void call_open(handle_t h)
{
    UTF32 text[9] = {'a', 0xe4, [8] = 4711};
    int32_t length = 2;
    uint32_t rtag = 0;
    c_Open(h, UTF8, UTF8, &rtag, 8, &length, text);
    check("Open: answer", length == 3 && text[1] == 0xe4 && text[2] == 0xe9 && text[8] == 4711);
}

static void call_hidden(handle_t h)
{
    UTF32 text[8] = {0xe4, 'b'};
    int32_t size = 8;
    check("Hidden: result", c_Hidden(h, &size, text) == 1);
    check("Hidden: answer", size == 8 && text[0] == 'H' && text[1] == 'b');
    size = 0;
    check("Hidden: NULL", c_Hidden(h, &size, NULL) == 0);
}

static void call_pair(handle_t h)
{
    UTF32 wide[8] = {'a', 0xe4};
    cs_byte narrow[8] = {'x', 'y', 'z'};
    c_Pair(h, UTF8, 8, 2, 3, wide, narrow);
}

static void call_get(handle_t h)
{
    UTF32 text[9] = {[8] = 4711};
    uint32_t drtag = UTF8, rtag = 0;
    int32_t length = 0;
    c_Get(h, &drtag, &rtag, 8, &length, text);
    check("Get: answer", length == 2 && text[1] == 0xe4 && rtag == UTF8 && text[8] == 4711);
}

static void start(PRPC_ASYNC_STATE async)
{
    RPC_STATUS status = RpcAsyncInitializeHandle(async, sizeof(*async));
    if (status != RPC_S_OK)
        RpcRaiseException(status);
    async->NotificationType = RpcNotificationTypeEvent;
    async->u.hEvent = CreateEvent(NULL, FALSE, FALSE, NULL);
}

/* Raises what the call failed with. */
static void finish(PRPC_ASYNC_STATE async, void *reply)
{
    bool told = WaitForSingleObject(async->u.hEvent, 20000) == WAIT_OBJECT_0;
    RPC_STATUS status = RpcAsyncCompleteCall(async, reply);
    check("a notification", told);
    CloseHandle(async->u.hEvent);
    if (status != RPC_S_OK)
        RpcRaiseException(status);
}

static void call_async_open(handle_t h)
{
    RPC_ASYNC_STATE async;
    UTF32 text[9] = {'a', 0xe4, [8] = 4711};
    int32_t length = 2, result = 0;
    uint32_t rtag = 0;
    start(&async);
    c_AsyncOpen(&async, h, UTF8, UTF8, &rtag, 8, &length, text);
    finish(&async, &result);
    check("AsyncOpen: answer", result == 2 && length == 3 && text[1] == 0xe4 && text[2] == 0xe9 &&
                                   text[8] == 4711 && rtag == UTF8);
}

static void call_async_hidden(handle_t h)
{
    RPC_ASYNC_STATE async;
    UTF32 text[8] = {0xe4, 'b'};
    int32_t size = 8;
    start(&async);
    c_AsyncHidden(&async, h, &size, text);
    finish(&async, NULL);
    check("AsyncHidden: answer", size == 8 && text[0] == 'H' && text[1] == 'b');
    size = 0;
    start(&async);
    c_AsyncHidden(&async, h, &size, NULL);
    finish(&async, NULL);
}

#include "structures.h"
#include "deep.h"
#include "pickled.h"

static RPC_STATUS try_call(void (*call)(handle_t h), handle_t h)
{
    volatile RPC_STATUS status = RPC_S_OK;
    RpcTryExcept
    {
        call(h);
    }
    RpcExcept(1)
    {
        status = (RPC_STATUS)RpcExceptionCode();
    }
    RpcEndExcept
    return status;
}

static int complain(const char *what, RPC_STATUS status)
{
    fprintf(stderr, "%s: %d\n", what, (int)status);
    return 1;
}

static void (*const calls[])(handle_t h) = {call_fixed,  call_varying, call_open,
                                            call_hidden, call_pair,    call_get,
                                            call_async_open, call_async_hidden};
static void (*const struct_calls[])(handle_t h) = {
    call_struct_fixed, call_struct_varying, call_struct_conformant,
    call_struct_open,  call_scalars,        call_async_struct_open};

static void call_all(handle_t server)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        check("a call", try_call(calls[i], server) == RPC_S_OK);
}

/* Whichever routine refuses, at the client or the server, the client hears of it, and the next
 * call works. */
static void refuse_all(handle_t server, void (*const list[])(handle_t h), size_t count)
{
    refusal = REFUSED;
    for (size_t i = 0; i < count; i++) {
        for (int n = 0; n < 50; n++) {
            routine_refuses = n;
            RPC_STATUS status = try_call(list[i], server);
            check("a refused call", status == (routine_refuses < 0 ? REFUSED : RPC_S_OK));
            if (routine_refuses >= 0)
                break;
        }
        routine_refuses = -1;
        check("a call after it", try_call(list[i], server) == RPC_S_OK);
    }
}

/* Every operation with all that may be in its arguments, and with every routine refusing. */
static void call_deeply(handle_t server)
{
    static void (*const one[])(handle_t h) = {call_deep};
    for (deep_operation = 0; deep_operation < DEEP_OPERATIONS; deep_operation++) {
        for (deep_variant = 0; deep_variant < 4; deep_variant++)
            check("a call that leads further", try_call(call_deep, server) == RPC_S_OK);
        deep_variant = 1;
        refuse_all(server, one, 1);
    }
    for (size_t i = 0; i < sizeof(deep_calls) / sizeof(deep_calls[0]); i++)
        check("a call with pipes or callbacks", try_call(deep_calls[i], server) == RPC_S_OK);
}

static void serialise(handle_t unused)
{
    static void (*const one[])(handle_t h) = {save_and_load};
    check("serialising", try_call(save_and_load, unused) == RPC_S_OK);
    check("serialising [in,out]", try_call(save_both, unused) == RPC_S_OK);
    refuse_all(unused, one, 1);
}

static void call_structures(handle_t server)
{
    for (size_t i = 0; i < sizeof(struct_calls) / sizeof(struct_calls[0]); i++)
        check("a call with structures", try_call(struct_calls[i], server) == RPC_S_OK);
}

static void call_refused_by_manager(handle_t h)
{
    RPC_ASYNC_STATE async;
    UTF32 text[8] = {'A', 'b'};
    int32_t size = 8;
    start(&async);
    c_AsyncHidden(&async, h, &size, text);
    finish(&async, NULL);
}

/* Whatever was converted is given back. */
static void give_up(handle_t server)
{
    UTF32 text[8] = {0xe4, 'b'};
    check("an aborted call", try_call(call_refused_by_manager, server) == REFUSED);
    for (int i = 0; i < 20; i++) {
        RPC_ASYNC_STATE async;
        int32_t size = 8;
        start(&async);
        c_AsyncHidden(&async, server, &size, text);
        RpcAsyncCancelCall(&async, TRUE);
        WaitForSingleObject(async.u.hEvent, 20000);
        RPC_STATUS status = RpcAsyncCompleteCall(&async, NULL);
        check("a cancelled call", status == RPC_S_OK || status == RPC_S_CALL_CANCELLED);
        CloseHandle(async.u.hEvent);
    }
    check("a call after it", try_call(call_async_open, server) == RPC_S_OK);
}

static int report(void)
{
    printf("%d checks\n", checks);
    return wrong ? 1 : 0;
}

static int call_elsewhere(char *binding)
{
    handle_t server = NULL;
    RPC_STATUS status = RpcBindingFromStringBinding((RPC_CSTR)binding, &server);
    if (status != RPC_S_OK)
        return complain(binding, status);
    call_all(server);
    RpcBindingFree(&server);
    return report();
}

int main(int argc, char **argv)
{
    RPC_CSTR text = NULL;
    handle_t server = NULL;
    if (argc == 2)
        return call_elsewhere(argv[1]);
    if (argc != 3)
        return 2;
    RPC_STATUS status = RpcServerUseProtseqEp((RPC_CSTR)argv[1], RPC_C_PROTSEQ_MAX_REQS_DEFAULT,
                                              (RPC_CSTR)argv[2], NULL);
    if (status == RPC_S_OK)
        status = RpcServerRegisterIf(s_b_cs_char_v1_0_s_ifspec, NULL, NULL);
    if (status == RPC_S_OK)
        status = RpcServerRegisterIf(s_b_cs_struct_v1_0_s_ifspec, NULL, NULL);
    if (status == RPC_S_OK)
        status = RpcServerRegisterIf(s_b_cs_deep_v1_0_s_ifspec, NULL, NULL);
    if (status == RPC_S_OK)
        status = RpcServerRegisterIf(s_b_cs_callback_v1_0_s_ifspec, NULL, NULL);
    if (status == RPC_S_OK)
        status = RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE);
    if (status == RPC_S_OK)
        status = RpcStringBindingCompose(
            NULL, (RPC_CSTR)argv[1],
            strcmp(argv[1], "ncalrpc") == 0 ? NULL : (RPC_CSTR) "127.0.0.1", (RPC_CSTR)argv[2],
            NULL, &text);
    if (status == RPC_S_OK)
        status = RpcBindingFromStringBinding(text, &server);
    if (status != RPC_S_OK)
        return complain("starting", status);
    call_all(server);
    call_structures(server);
    call_deeply(server);
    serialise(NULL);
    refuse_all(server, calls, sizeof(calls) / sizeof(calls[0]));
    refuse_all(server, struct_calls, sizeof(struct_calls) / sizeof(struct_calls[0]));
    give_up(server);
    RpcStringFree(&text);
    RpcBindingFree(&server);
    status = RpcMgmtStopServerListening(NULL);
    if (status == RPC_S_OK)
        status = RpcMgmtWaitServerListen();
    if (status == RPC_S_OK)
        status = RpcServerUnregisterIf(s_b_cs_char_v1_0_s_ifspec, NULL, 1);
    if (status == RPC_S_OK)
        status = RpcServerUnregisterIf(s_b_cs_struct_v1_0_s_ifspec, NULL, 1);
    if (status == RPC_S_OK)
        status = RpcServerUnregisterIf(s_b_cs_deep_v1_0_s_ifspec, NULL, 1);
    if (status == RPC_S_OK)
        status = RpcServerUnregisterIf(s_b_cs_callback_v1_0_s_ifspec, NULL, 1);
    if (status != RPC_S_OK)
        return complain("stopping", status);
    return report();
}
