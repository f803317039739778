/* SPDX-License-Identifier: MIT */
/* peer_wide.c - the commands that use UTF-16 where the others use UTF-8.
 *
 *   server   wregister, wnoreplace IF OBJECTS ANNOTATION; wnamed NAME, which is an endpoint
 *   client   wbind STRING, wtext; wlist, wlisthere as list */
#include "peer.h"

#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 512

static void convert(const char *to, const char *from, void *in, size_t in_size, void *out,
                    size_t out_size)
{
    char *at = in, *put = out;
    iconv_t iconv_state = iconv_open(to, from);
    if (iconv_state == (iconv_t)-1 ||
        iconv(iconv_state, &at, &in_size, &put, &out_size) == (size_t)-1)
        abort(); /* the test says nothing else */
    iconv_close(iconv_state);
}

WCHAR *peer_widen(const char *text)
{
    static WCHAR wide[TEXT_MAX];
    memset(wide, 0, sizeof(wide));
    convert("UTF-16LE", "UTF-8", (char *)(uintptr_t)text, strlen(text), wide,
            sizeof(wide) - sizeof(*wide));
    return wide;
}

const char *peer_narrow(const WCHAR *wide)
{
    static char text[2 * TEXT_MAX];
    size_t units = 0;
    while (wide[units] != 0)
        units++;
    memset(text, 0, sizeof(text));
    convert("UTF-8", "UTF-16LE", (WCHAR *)(uintptr_t)wide, units * sizeof(*wide), text,
            sizeof(text) - 1);
    return text;
}

RPC_STATUS peer_next_wide(RPC_EP_INQ_HANDLE inquiry, RPC_IF_ID *id, RPC_BINDING_HANDLE *binding,
                          UUID *object, RPC_CSTR *annotation)
{
    RPC_WSTR wide = NULL;
    RPC_STATUS status = RpcMgmtEpEltInqNextW(inquiry, id, binding, object, &wide);
    if (status != RPC_S_OK)
        return status;
    *annotation = (RPC_CSTR)strdup(peer_narrow(wide));
    RpcStringFreeW(&wide);
    return RPC_S_OK;
}

RPC_STATUS peer_text_wide(RPC_BINDING_HANDLE binding, RPC_CSTR *text)
{
    RPC_WSTR wide = NULL;
    RPC_STATUS status = RpcBindingToStringBindingW(binding, &wide);
    if (status != RPC_S_OK)
        return status;
    *text = (RPC_CSTR)strdup(peer_narrow(wide));
    RpcStringFreeW(&wide);
    return RPC_S_OK;
}
