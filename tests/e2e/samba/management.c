/* SPDX-License-Identifier: MIT */
/* management.c - the runtime's own functions that ask others: management interface and
 * endpoint mapper. */
#include <stdio.h>

#include "client.h"

static void put_interface(const RPC_IF_ID *id)
{
    RPC_CSTR text = NULL;
    if (UuidToStringA(&id->Uuid, &text) != RPC_S_OK)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    printf("[\"%s\", %u, %u]", (char *)text, id->VersMajor, id->VersMinor);
    RpcStringFreeA(&text);
}

long run_interfaces(handle_t binding, char **args)
{
    RPC_IF_ID_VECTOR *found = NULL;
    (void)args;
    RPC_STATUS status = RpcMgmtInqIfIds(binding, &found);
    fputs("[", stdout);
    for (unsigned i = 0; status == RPC_S_OK && i < found->Count; i++) {
        fputs(i > 0 ? ", " : "", stdout);
        put_interface(found->IfId[i]);
    }
    fputs("]", stdout);
    if (found)
        RpcIfIdVectorFree(&found);
    return (long)status;
}

long run_statistics(handle_t binding, char **args)
{
    RPC_STATS_VECTOR *found = NULL;
    (void)args;
    RPC_STATUS status = RpcMgmtInqStats(binding, &found);
    fputs("[", stdout);
    for (unsigned i = 0; status == RPC_S_OK && i < found->Count; i++)
        printf("%s%lu", i > 0 ? ", " : "", (unsigned long)found->Stats[i]);
    fputs("]", stdout);
    if (found)
        RpcMgmtStatsVectorFree(&found);
    return (long)status;
}

long run_listening(handle_t binding, char **args)
{
    (void)args;
    fputs("null", stdout);
    return (long)RpcMgmtIsServerListening(binding);
}

long run_stop(handle_t binding, char **args)
{
    (void)args;
    fputs("null", stdout);
    return (long)RpcMgmtStopServerListening(binding);
}

/* [interface, string binding, annotation] of all the mapper has. */
long run_elements(handle_t binding, char **args)
{
    RPC_EP_INQ_HANDLE inquiry;
    const char *comma = "";
    (void)args;
    RPC_STATUS status =
        RpcMgmtEpEltInqBegin(binding, RPC_C_EP_ALL_ELTS, NULL, 0, NULL, &inquiry);
    if (status != RPC_S_OK)
        RpcRaiseException(status);
    fputs("[", stdout);
    for (;;) {
        RPC_IF_ID id;
        RPC_BINDING_HANDLE found = NULL;
        RPC_CSTR text = NULL, annotation = NULL;
        status = RpcMgmtEpEltInqNextA(inquiry, &id, &found, NULL, &annotation);
        if (status != RPC_S_OK)
            break;
        if (found && RpcBindingToStringBindingA(found, &text) != RPC_S_OK)
            text = NULL;
        printf("%s[", comma);
        put_interface(&id);
        printf(", \"%s\", \"%s\"]", text ? (char *)text : "", (char *)annotation);
        comma = ", ";
        if (text)
            RpcStringFreeA(&text);
        RpcStringFreeA(&annotation);
        if (found)
            RpcBindingFree(&found);
    }
    fputs("]", stdout);
    RpcMgmtEpEltInqDone(&inquiry);
    return (long)status;
}

/* The binding has no endpoint: where srvsvc is, and a call there. */
long run_resolve(handle_t binding, char **args)
{
    RPC_CSTR text = NULL;
    (void)args;
    RPC_STATUS status = RpcEpResolveBinding(binding, srvsvc_v3_0_c_ifspec);
    if (status == RPC_S_OK)
        status = RpcBindingToStringBindingA(binding, &text);
    if (status == RPC_S_OK)
        status = (RPC_STATUS)NetprNameValidate(binding, NULL, wide("abc"), 9, 0);
    printf("\"%s\"", text ? (char *)text : "");
    if (text)
        RpcStringFreeA(&text);
    return (long)status;
}
