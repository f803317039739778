/* SPDX-License-Identifier: MIT */
/* call_status.c - [comm_status] and [fault_status]: how a synchronous call ended, as a code
 * in its result or in a parameter (C706 5.4).  Failures of asynchronous calls are told by
 * RpcAsyncCompleteCall alone (api.md AR-32). */
#include <string.h>

#include <penstock/rpcnterr.h>

#include "runtime/call.h"

/* Was it the way to the server, or what the server made of the call?  C706 leaves the
 * border open; the documented stubs put what the run time reports before a manager
 * runs, or about the connection, on this side. */
static bool is_communication(RPC_STATUS status)
{
    switch (status) {
    case RPC_S_INVALID_BINDING:
    case RPC_S_WRONG_KIND_OF_BINDING:
    case RPC_S_NO_BINDINGS:
    case RPC_S_INVALID_NET_ADDR:
    case RPC_S_NO_ENDPOINT_FOUND:
    case RPC_S_UNKNOWN_IF:
    case RPC_S_UNSUPPORTED_TYPE:
    case RPC_S_UNSUPPORTED_TRANS_SYN:
    case RPC_S_SERVER_UNAVAILABLE:
    case RPC_S_SERVER_TOO_BUSY:
    case RPC_S_OUT_OF_RESOURCES:
    case RPC_S_CALL_FAILED:
    case RPC_S_CALL_FAILED_DNE:
    case RPC_S_CALL_CANCELLED:
    case RPC_S_PROTOCOL_ERROR:
    case RPC_S_PROCNUM_OUT_OF_RANGE:
    case RPC_S_COMM_FAILURE:
    case EPT_S_NOT_REGISTERED:
    case RPC_X_SS_CONTEXT_MISMATCH:
    case RPC_X_SS_IN_NULL_CONTEXT:
        return true;
    default:
        return false;
    }
}

static void store(void *at, RPC_STATUS status)
{
    if (at)
        memcpy(at, &status, sizeof(status));
}

/* Where the parameter, or the result, keeps its status. */
static void *place_of(const NDR_PARAM *param, void *frame)
{
    void *at = (uint8_t *)frame + param->offset;
    if (param->type->kind == NDR_KIND_POINTER)
        memcpy(&at, at, sizeof(at));
    return at;
}

void call_clear_local(const NDR_OPERATION *op, void *frame)
{
    for (uint32_t i = 0; i < op->param_count; i++)
        if (op->params[i].flags & NDR_PARAM_LOCAL)
            store(place_of(&op->params[i], frame), RPC_S_OK);
}

bool call_deliver_status(const NDR_OPERATION *op, void *frame, RPC_STATUS status)
{
    if (status == RPC_S_OK) {
        call_clear_local(op, frame);
        return true;
    }
    bool communication = is_communication(status);
    uint32_t of_op = communication ? NDR_OP_COMM_STATUS : NDR_OP_FAULT_STATUS;
    uint32_t of_param = communication ? NDR_PARAM_COMM_STATUS : NDR_PARAM_FAULT_STATUS;
    uint32_t others = NDR_PARAM_COMM_STATUS | NDR_PARAM_FAULT_STATUS;
    bool delivered = false;
    for (uint32_t i = 0; i < op->param_count; i++) {
        const NDR_PARAM *param = &op->params[i];
        bool wanted = param->flags & of_param ||
                      (param->flags & NDR_PARAM_RETURN && op->flags & of_op);
        if (!wanted)
            continue;
        store(place_of(param, frame), status);
        delivered = true;
    }
    for (uint32_t i = 0; i < op->param_count && delivered; i++)
        if (op->params[i].flags & others && !(op->params[i].flags & of_param))
            store(place_of(&op->params[i], frame), RPC_S_OK);
    return delivered;
}
