/* SPDX-License-Identifier: MIT */
/* status.h - status codes: their names, their texts and their form on the wire.
 *
 * The codes themselves are public (<penstock/rpcnterr.h>); the table behind all
 * of this is status.def.  Pure functions, constant data, any thread. */
#ifndef PENSTOCK_BASE_STATUS_H
#define PENSTOCK_BASE_STATUS_H

#include <stdint.h>

#include <penstock/rpcnterr.h>
#include <penstock/rpctypes.h>

/* The codes a fault PDU may carry: NCA_OP_RNG_ERROR, NCA_FAULT_PIPE_ORDER ...
 * (C706 appendix E; a fault may carry any other 32-bit value as well). */
enum nca_status {
#define NCA(value, name, status) NCA_##name = value,
#include "base/status.def"
};

/* "RPC_S_CALL_FAILED", or NULL for a number we do not know. */
const char *status_name(RPC_STATUS status);

/* One sentence about `status` in English, or NULL for a number we do not know. */
const char *status_text(RPC_STATUS status);

/* "NCA_OP_RNG_ERROR", or NULL when `wire` is no code of the protocol (then it may
 * still be a Win32 status or a code of the application).  For traces. */
const char *status_fault_name(uint32_t wire);

/* What the client sees for the status of a fault PDU (MS-RPCE 3.1.1.5.5): protocol
 * codes become their Win32 status, values a peer must never send become
 * RPC_S_PROTOCOL_ERROR, all others pass unchanged.  Never RPC_S_OK. */
RPC_STATUS status_from_fault(uint32_t wire);

/* What a server writes into a fault PDU for `status`, chosen so that
 * status_from_fault() on the other side yields `status` again.  Values that must
 * not travel (0 and processor exceptions) become NCA_FAULT_UNSPEC. */
uint32_t status_to_fault(RPC_STATUS status);

#endif
