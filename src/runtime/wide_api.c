/* SPDX-License-Identifier: MIT */
/* wide_api.c - the functions with UTF-16 strings: each is its sibling with UTF-8, the strings
 * converted on the way.  UTF-16 that is none is what the sibling says of a malformed string. */
#include <stdlib.h>

#include <penstock/rpc.h>

#include "base/utf16.h"

/* A copy in UTF-8, to be freed; NULL for NULL. */
static RPC_STATUS narrow(const WCHAR *text, RPC_STATUS malformed, RPC_CSTR *ret_text)
{
    *ret_text = NULL;
    if (!text)
        return RPC_S_OK;
    size_t units = 0;
    while (text[units] != 0)
        units++;
    ssize_t len = utf16_to_utf8(text, units, NULL, 0, UTF_STRICT);
    if (len < 0)
        return malformed;
    char *copy = malloc((size_t)len + 1);
    if (!copy)
        return RPC_S_OUT_OF_MEMORY;
    utf16_to_utf8(text, units, copy, (size_t)len, UTF_STRICT);
    copy[len] = '\0';
    *ret_text = (RPC_CSTR)copy;
    return RPC_S_OK;
}

/* A copy in UTF-16, for RpcStringFreeW.  Ours is well formed; a name of the network may not be. */
static RPC_STATUS widen(const unsigned char *text, RPC_WSTR *ret_text)
{
    size_t len = 0;
    while (text[len] != '\0')
        len++;
    ssize_t units = utf16_from_utf8((const char *)text, len, NULL, 0, UTF_REPLACE);
    WCHAR *copy = malloc(((size_t)units + 1) * sizeof(*copy));
    if (!copy)
        return RPC_S_OUT_OF_MEMORY;
    utf16_from_utf8((const char *)text, len, copy, (size_t)units, UTF_REPLACE);
    copy[units] = 0;
    *ret_text = copy;
    return RPC_S_OK;
}

/* ---- Management -------------------------------------------------------------- */

RPC_STATUS RpcMgmtInqServerPrincNameW(RPC_BINDING_HANDLE Binding, unsigned long AuthnSvc,
                                      RPC_WSTR *ServerPrincName)
{
    RPC_CSTR name;
    if (!ServerPrincName)
        return RPC_S_INVALID_ARG;
    RPC_STATUS status = RpcMgmtInqServerPrincNameA(Binding, AuthnSvc, &name);
    if (status == RPC_S_OK) {
        status = widen(name, ServerPrincName);
        RpcStringFreeA(&name);
    }
    return status;
}

/* ---- Server ------------------------------------------------------------------ */

RPC_STATUS RpcServerUseProtseqW(RPC_WSTR Protseq, unsigned int MaxCalls, void *SecurityDescriptor)
{
    RPC_CSTR protseq;
    RPC_STATUS status = narrow(Protseq, RPC_S_INVALID_RPC_PROTSEQ, &protseq);
    if (status == RPC_S_OK)
        status = RpcServerUseProtseqA(protseq, MaxCalls, SecurityDescriptor);
    free(protseq);
    return status;
}

RPC_STATUS RpcServerUseProtseqExW(RPC_WSTR Protseq, unsigned int MaxCalls,
                                  void *SecurityDescriptor, PRPC_POLICY Policy)
{
    RPC_CSTR protseq;
    RPC_STATUS status = narrow(Protseq, RPC_S_INVALID_RPC_PROTSEQ, &protseq);
    if (status == RPC_S_OK)
        status = RpcServerUseProtseqExA(protseq, MaxCalls, SecurityDescriptor, Policy);
    free(protseq);
    return status;
}

RPC_STATUS RpcServerUseProtseqIfExW(RPC_WSTR Protseq, unsigned int MaxCalls, RPC_IF_HANDLE IfSpec,
                                    void *SecurityDescriptor, PRPC_POLICY Policy)
{
    RPC_CSTR protseq;
    RPC_STATUS status = narrow(Protseq, RPC_S_INVALID_RPC_PROTSEQ, &protseq);
    if (status == RPC_S_OK)
        status = RpcServerUseProtseqIfExA(protseq, MaxCalls, IfSpec, SecurityDescriptor, Policy);
    free(protseq);
    return status;
}

RPC_STATUS RpcServerUseProtseqIfW(RPC_WSTR Protseq, unsigned int MaxCalls, RPC_IF_HANDLE IfSpec,
                                  void *SecurityDescriptor)
{
    return RpcServerUseProtseqIfExW(Protseq, MaxCalls, IfSpec, SecurityDescriptor, NULL);
}

RPC_STATUS RpcServerUseProtseqEpExW(RPC_WSTR Protseq, unsigned int MaxCalls, RPC_WSTR Endpoint,
                                    void *SecurityDescriptor, PRPC_POLICY Policy)
{
    RPC_CSTR protseq, endpoint = NULL;
    RPC_STATUS status = narrow(Protseq, RPC_S_INVALID_RPC_PROTSEQ, &protseq);
    if (status == RPC_S_OK)
        status = narrow(Endpoint, RPC_S_INVALID_ENDPOINT_FORMAT, &endpoint);
    if (status == RPC_S_OK)
        status = RpcServerUseProtseqEpExA(protseq, MaxCalls, endpoint, SecurityDescriptor, Policy);
    free(protseq);
    free(endpoint);
    return status;
}

RPC_STATUS RpcServerUseProtseqEpW(RPC_WSTR Protseq, unsigned int MaxCalls, RPC_WSTR Endpoint,
                                  void *SecurityDescriptor)
{
    RPC_CSTR protseq, endpoint = NULL;
    RPC_STATUS status = narrow(Protseq, RPC_S_INVALID_RPC_PROTSEQ, &protseq);
    if (status == RPC_S_OK)
        status = narrow(Endpoint, RPC_S_INVALID_ENDPOINT_FORMAT, &endpoint);
    if (status == RPC_S_OK)
        status = RpcServerUseProtseqEpA(protseq, MaxCalls, endpoint, SecurityDescriptor);
    free(protseq);
    free(endpoint);
    return status;
}

RPC_STATUS RpcNetworkIsProtseqValidW(RPC_WSTR Protseq)
{
    RPC_CSTR protseq;
    RPC_STATUS status = narrow(Protseq, RPC_S_INVALID_RPC_PROTSEQ, &protseq);
    if (status == RPC_S_OK)
        status = RpcNetworkIsProtseqValidA(protseq);
    free(protseq);
    return status;
}

/* ---- String bindings ----------------------------------------------------------- */

RPC_STATUS RpcStringBindingComposeW(RPC_WSTR ObjUuid, RPC_WSTR ProtSeq, RPC_WSTR NetworkAddr,
                                    RPC_WSTR Endpoint, RPC_WSTR Options, RPC_WSTR *StringBinding)
{
    enum { PARTS = 5 };
    const RPC_WSTR wide[PARTS] = {ObjUuid, ProtSeq, NetworkAddr, Endpoint, Options};
    RPC_CSTR parts[PARTS] = {NULL}, text = NULL;
    RPC_STATUS status = RPC_S_OK;
    for (size_t i = 0; i < PARTS && status == RPC_S_OK; i++)
        status = narrow(wide[i], i == 0 ? RPC_S_INVALID_STRING_UUID : RPC_S_INVALID_ARG, &parts[i]);
    if (status == RPC_S_OK)
        status = RpcStringBindingComposeA(parts[0], parts[1], parts[2], parts[3], parts[4],
                                          StringBinding ? &text : NULL);
    if (status == RPC_S_OK && StringBinding)
        status = widen(text, StringBinding);
    for (size_t i = 0; i < PARTS; i++)
        free(parts[i]);
    RpcStringFreeA(&text);
    return status;
}

RPC_STATUS RpcStringBindingParseW(RPC_WSTR StringBinding, RPC_WSTR *ObjUuid, RPC_WSTR *Protseq,
                                  RPC_WSTR *NetworkAddr, RPC_WSTR *Endpoint,
                                  RPC_WSTR *NetworkOptions)
{
    enum { PARTS = 5 };
    RPC_WSTR *const wide[PARTS] = {ObjUuid, Protseq, NetworkAddr, Endpoint, NetworkOptions};
    RPC_CSTR parts[PARTS] = {NULL}, text;
    for (size_t i = 0; i < PARTS; i++) {
        if (wide[i])
            *wide[i] = NULL;
    }
    RPC_STATUS status = narrow(StringBinding, RPC_S_INVALID_STRING_BINDING, &text);
    if (status == RPC_S_OK)
        status =
            RpcStringBindingParseA(text, &parts[0], &parts[1], &parts[2], &parts[3], &parts[4]);
    for (size_t i = 0; i < PARTS && status == RPC_S_OK; i++) {
        if (wide[i])
            status = widen(parts[i], wide[i]);
    }
    for (size_t i = 0; i < PARTS; i++) {
        RpcStringFreeA(&parts[i]);
        if (status != RPC_S_OK && wide[i])
            RpcStringFreeW(wide[i]);
    }
    free(text);
    return status;
}

RPC_STATUS RpcStringFreeW(RPC_WSTR *String)
{
    if (!String)
        return RPC_S_INVALID_ARG;
    free(*String);
    *String = NULL;
    return RPC_S_OK;
}

/* ---- Bindings ------------------------------------------------------------------- */

RPC_STATUS RpcBindingFromStringBindingW(RPC_WSTR StringBinding, RPC_BINDING_HANDLE *Binding)
{
    RPC_CSTR text;
    RPC_STATUS status = narrow(StringBinding, RPC_S_INVALID_STRING_BINDING, &text);
    if (status == RPC_S_OK)
        status = RpcBindingFromStringBindingA(text, Binding);
    free(text);
    return status;
}

RPC_STATUS RpcBindingToStringBindingW(RPC_BINDING_HANDLE Binding, RPC_WSTR *StringBinding)
{
    RPC_CSTR text = NULL;
    if (!StringBinding)
        return RPC_S_INVALID_ARG;
    RPC_STATUS status = RpcBindingToStringBindingA(Binding, &text);
    if (status == RPC_S_OK)
        status = widen(text, StringBinding);
    RpcStringFreeA(&text);
    return status;
}

/* ---- Errors and UUIDs -------------------------------------------------------------- */

RPC_STATUS DceErrorInqTextW(RPC_STATUS RpcStatus, RPC_WSTR ErrorText)
{
    unsigned char text[DCE_C_ERROR_STRING_LEN];
    if (!ErrorText)
        return RPC_S_INVALID_ARG;
    RPC_STATUS status = DceErrorInqTextA(RpcStatus, text);
    size_t len = 0;
    while (text[len] != '\0')
        len++;
    ssize_t units = utf16_from_utf8((const char *)text, len, ErrorText, DCE_C_ERROR_STRING_LEN - 1,
                                    UTF_REPLACE);
    ErrorText[units] = 0; /* never more units than octets */
    return status;
}

RPC_STATUS UuidToStringW(const UUID *Uuid, RPC_WSTR *StringUuid)
{
    RPC_CSTR text = NULL;
    if (!StringUuid)
        return RPC_S_INVALID_ARG;
    RPC_STATUS status = UuidToStringA(Uuid, &text);
    if (status == RPC_S_OK)
        status = widen(text, StringUuid);
    RpcStringFreeA(&text);
    return status;
}

RPC_STATUS UuidFromStringW(RPC_WSTR StringUuid, UUID *Uuid)
{
    RPC_CSTR text;
    RPC_STATUS status = narrow(StringUuid, RPC_S_INVALID_STRING_UUID, &text);
    if (status == RPC_S_OK)
        status = UuidFromStringA(text, Uuid);
    free(text);
    return status;
}
