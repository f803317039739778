/* SPDX-License-Identifier: MIT */
/* status.c - look-ups in the tables of status.def. */
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* The public header and our table must say the same. */
#define STATUS(value, name, text) _Static_assert(name == value, #name " differs in rpcnterr.h");
#define STATUS_ALIAS(name, first) _Static_assert(name == first, #name " differs in rpcnterr.h");
#include "base/status.def"

struct status_row {
    RPC_STATUS value;
    const char *name;
    const char *text;
};

static const struct status_row status_rows[] = {
#define STATUS(value, name, text) {value, #name, text},
#include "base/status.def"
};

struct nca_row {
    uint32_t value;
    RPC_STATUS status; /* 0: the value passes unchanged */
    const char *name;
};

static const struct nca_row nca_rows[] = {
#define NCA(value, name, status) {value, status, "NCA_" #name},
#include "base/status.def"
};

/* Processor and operating system exceptions, and success, must not appear in a
 * fault: a client could not tell them from its own (MS-RPCE 3.3.3.5.1). */
static const uint32_t forbidden_faults[] = {
    0x00000000, 0x80000001, 0x80000002, 0x80000003, 0xC0000005, 0xC0000006, 0xC000001D,
    0xC0000096, 0xC00000AA, 0xC00000FD, 0xC0000194, 0xC0000235, 0xC0000409, 0xC0000420,
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct status_row *find_status(RPC_STATUS status)
{
    size_t low = 0;
    size_t high = COUNT_OF(status_rows);
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (status_rows[mid].value == status)
            return &status_rows[mid];
        if (status_rows[mid].value < status)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

const char *status_name(RPC_STATUS status)
{
    const struct status_row *row = find_status(status);
    return row ? row->name : NULL;
}

const char *status_text(RPC_STATUS status)
{
    const struct status_row *row = find_status(status);
    return row ? row->text : NULL;
}

static const struct nca_row *find_nca(uint32_t wire)
{
    for (size_t i = 0; i < COUNT_OF(nca_rows); i++)
        if (nca_rows[i].value == wire)
            return &nca_rows[i];
    return NULL;
}

const char *status_fault_name(uint32_t wire)
{
    const struct nca_row *row = find_nca(wire);
    return row ? row->name : NULL;
}

static bool is_forbidden(uint32_t wire)
{
    for (size_t i = 0; i < COUNT_OF(forbidden_faults); i++)
        if (forbidden_faults[i] == wire)
            return true;
    return false;
}

RPC_STATUS status_from_fault(uint32_t wire)
{
    if (is_forbidden(wire))
        return RPC_S_PROTOCOL_ERROR;
    const struct nca_row *row = find_nca(wire);
    if (row && row->status != RPC_S_OK)
        return row->status;
    return (RPC_STATUS)wire;
}

uint32_t status_to_fault(RPC_STATUS status)
{
    /* The protocol has codes of its own for these, which a client of MS-RPCE 3.1.1.5.5 makes the
     * same status of, and of which DCE's know nothing else; every other status travels as the
     * number it is. */
    switch (status) {
    case RPC_S_COMM_FAILURE:
        return NCA_COMM_FAILURE;
    case RPC_S_UNKNOWN_IF:
        return NCA_UNK_IF;
    case RPC_S_PROCNUM_OUT_OF_RANGE:
        return NCA_OP_RNG_ERROR;
    case RPC_S_PROTOCOL_ERROR:
        return NCA_PROTO_ERROR;
    case RPC_S_SERVER_TOO_BUSY:
        return NCA_SERVER_TOO_BUSY;
    case RPC_S_CALL_CANCELLED:
        return NCA_FAULT_CANCEL;
    case RPC_S_UNSUPPORTED_TYPE:
        return NCA_UNSUPPORTED_TYPE;
    case RPC_S_ZERO_DIVIDE:
        return NCA_FAULT_INT_DIV_BY_ZERO;
    case RPC_S_ADDRESS_ERROR:
        return NCA_FAULT_ADDR_ERROR;
    case RPC_S_FP_DIV_ZERO:
        return NCA_FAULT_FP_DIV_ZERO;
    case RPC_S_FP_UNDERFLOW:
        return NCA_FAULT_FP_UNDERFLOW;
    case RPC_S_FP_OVERFLOW:
        return NCA_FAULT_FP_OVERFLOW;
    case RPC_S_INVALID_TAG:
        return NCA_FAULT_INVALID_TAG;
    case RPC_S_INVALID_BOUND:
        return NCA_FAULT_INVALID_BOUND;
    case RPC_S_CALL_FAILED:
        return NCA_FAULT_UNSPEC;
    case RPC_S_CALL_FAILED_DNE:
        return NCA_MANAGER_NOT_ENTERED;
    case RPC_S_SERVER_OUT_OF_MEMORY:
        return NCA_FAULT_REMOTE_NO_MEMORY;
    case RPC_S_UNSUPPORTED_AUTHN_LEVEL:
        return NCA_UNSUPPORTED_AUTHN_LEVEL;
    case RPC_X_SS_CONTEXT_MISMATCH:
        return NCA_FAULT_CONTEXT_MISMATCH;
    case RPC_X_PIPE_EMPTY:
        return NCA_FAULT_PIPE_EMPTY;
    case RPC_X_PIPE_CLOSED:
        return NCA_FAULT_PIPE_CLOSED;
    case RPC_X_WRONG_PIPE_ORDER:
        return NCA_FAULT_PIPE_ORDER;
    case RPC_X_PIPE_DISCIPLINE_ERROR:
        return NCA_FAULT_PIPE_DISCIPLINE;
    default:
        return is_forbidden((uint32_t)status) ? (uint32_t)NCA_FAULT_UNSPEC : (uint32_t)status;
    }
}
