/* SPDX-License-Identifier: MIT */
/* error_text.c - DceErrorInqText: a status as a sentence. */
#include <stdio.h>

#include <penstock/rpc.h>

#include "base/status.h"

RPC_STATUS DceErrorInqTextA(RPC_STATUS RpcStatus, RPC_CSTR ErrorText)
{
    if (!ErrorText)
        return RPC_S_INVALID_ARG;
    const char *text = status_text(RpcStatus);
    if (text) {
        snprintf((char *)ErrorText, DCE_C_ERROR_STRING_LEN, "%s", text);
        return RPC_S_OK;
    }
    /* A code of the application, or of a system we do not know: say the number,
     * programs print the buffer without looking at the result. */
    snprintf((char *)ErrorText, DCE_C_ERROR_STRING_LEN, "Unknown status %u (0x%08x).",
             (unsigned)RpcStatus, (unsigned)RpcStatus);
    return RPC_S_INVALID_ARG;
}
