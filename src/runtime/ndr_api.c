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

RPC_STATUS NdrGetUserMarshalInfo(unsigned long *pFlags, unsigned long InformationLevel,
                                 NDR_USER_MARSHAL_INFO *pMarshalInfo)
{
    if (!pFlags || !pMarshalInfo || InformationLevel != 1)
        return RPC_S_INVALID_ARG;
    const USER_MARSHAL_CB *cb = (const USER_MARSHAL_CB *)(const void *)pFlags;
    if (cb->Signature != USER_MARSHAL_CB_SIGNATURE)
        return RPC_S_INVALID_ARG;
    bool has_buffer =
        cb->CBType == USER_MARSHAL_CB_MARSHALL || cb->CBType == USER_MARSHAL_CB_UNMARSHALL;
    if (has_buffer && !cb->Info.Buffer)
        return RPC_X_INVALID_BUFFER;
    pMarshalInfo->InformationLevel = InformationLevel;
    pMarshalInfo->Level1 = cb->Info;
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
