/* SPDX-License-Identifier: MIT */
/* ep.h - this process and endpoint mappers.
 *
 *   ep_mapper.c    where they are, what goes into a request and comes out of an answer
 *   ep_resolve.c   an endpoint for a handle that has none: for a thread that waits, and for
 *                  connections on their way up
 *   ep_register.c  what this process has registered with that of this computer
 *   ep_api.c       RpcEpRegister and kin; ep_inquiry.c: RpcMgmtEpEltInqBegin and kin */
#ifndef RUNTIME_EP_H
#define RUNTIME_EP_H

#include <stdbool.h>

#include <penstock/rpc.h>

#include "io/transport.h"
#include "wire/pdu.h"
#include "stubs/epmapper.h"

/* Octets of an endpoint, its NUL among them. */
#define EP_ENDPOINT_SIZE 108u

/* ---- ep_mapper.c ------------------------------------------------------------------ */

/* What `status` of the epmapper interface means: codes of C706 Appendix E become those of the
 * API; all others are what the call failed with. */
RPC_STATUS ep_status(error_status_t told);

/* A handle to the mapper of a host, to be freed, as patient as `com_timeout` says: see below.
 * RPC_S_INVALID_ENDPOINT_FORMAT: PENSTOCK_EPMAPPER is no port; RPC_S_OUT_OF_MEMORY. */
RPC_STATUS ep_mapper_binding(enum transport_kind kind, const char *address,
                             unsigned com_timeout, RPC_BINDING_HANDLE *ret_mapper);

/* A mapper that was stopped still holds its endpoint, and connecting succeeds.  Each answer of it,
 * to the bind and to the call, is waited for as long as RpcMgmtSetComTimeout lets a client connect. */
void ep_mapper_limit(RPC_BINDING_HANDLE mapper, unsigned com_timeout);

/* The tower of an endpoint ("": of none in particular), to be freed with stub_memory_free().
 * NULL: out of memory. */
twr_t *ep_tower_new(const RPC_IF_ID *interface_id, enum transport_kind kind, const char *endpoint);

/* ---- ep_resolve.c ------------------------------------------------------------------ */

/* Who is looked for. */
struct ep_question {
    enum transport_kind kind;
    const char *address;
    unsigned com_timeout;
    RPC_IF_ID interface_id;
    UUID object;
};

/* Asks, on this thread.  EPT_S_NOT_REGISTERED; RPC_S_SERVER_UNAVAILABLE and what a call may fail
 * with. */
RPC_STATUS ep_ask(const struct ep_question *question, char endpoint[EP_ENDPOINT_SIZE]);

/* ---- ep_register.c ------------------------------------------------------------------ */

/* One entry.  `tower` is the structure's. */
struct ep_entry {
    UUID object;
    twr_t *tower;
    char annotation[ept_max_annotation_size];
};

/* Takes the entries' towers over, also when it fails; `replace`: in place of earlier ones. */
RPC_STATUS ep_register(struct ep_entry *entries, size_t count, bool replace);
/* Likewise.  EPT_S_NOT_REGISTERED: none of them was. */
RPC_STATUS ep_unregister(struct ep_entry *entries, size_t count);

#endif
