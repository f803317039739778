/* SPDX-License-Identifier: MIT */
/* ndr_api.c - values as text: for programs and for PENSTOCK_TRACE=ndr. */
#include "runtime/ndr_api.h"

#include <penstock/rpcnterr.h>

#include "base/trace.h"
#include "ndr/ndr.h"

RPC_STATUS RpcxNdrPrint(const NDR_TYPE *Type, const void *Value, const void *Base, char *Text,
                        size_t Size)
{
    if (!Type || !Value || !Text || Size == 0)
        return RPC_S_INVALID_ARG;
    ndr_print(Type, Value, Base, Text, Size);
    return RPC_S_OK;
}

/* Values are cut where a line of a terminal would become a page. */
#define TEXT_LEN 2000

void trace_values(const NDR_OPERATION *operation, const void *frame, uint32_t direction,
                  bool sent)
{
    if (!trace_enabled(TRACE_NDR))
        return;
    char text[TEXT_LEN];
    ndr_print_params(operation, frame, direction, text, sizeof(text));
    TRACE(TRACE_NDR, "%s %s %s(%s)", sent ? "->" : "<-", operation->name,
          direction == NDR_PARAM_IN ? "in" : "out", text);
}
