/* SPDX-License-Identifier: MIT */
/* server.h - what a server process has: endpoints, interfaces, connections, calls.
 *
 *   endpoint.c     RpcServerUseProtseqEp: listening sockets, accepting
 *   protseq_api.c  RpcServerUseProtseqIf and kin: which endpoints to open
 *   registry.c     RpcServerRegisterIf...: interfaces and their managers
 *   listen.c       RpcServerListen and kin: may calls run, how many do
 *   group.c        association groups
 *   server_call.c  one request: decode, manager; server_reply.c: its end      */
#ifndef RUNTIME_SERVER_H
#define RUNTIME_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include <penstock/rpc.h>
#include <penstock/rpcndr.h>

#include "io/transport.h"
#include "proto/assoc.h"

/* One interface specification of the program; lives as long as the process, since
 * associations remember it. */
struct interface;

/* ---- endpoint.c ----------------------------------------------------------- */

/* Opens an endpoint; `name` NULL: the system chooses.  `max_calls`: connections that may wait,
 * a hint; `policy` NULL: the defaults.  As RpcServerUseProtseqEp. */
RPC_STATUS server_add_endpoint(enum transport_kind kind, const char *name, unsigned max_calls,
                               const RPC_POLICY *policy);

/* ---- registry.c ----------------------------------------------------------- */

/* A registered interface that serves a client asking for `id` (same UUID and major
 * version, minor at least as new), or NULL. */
struct interface *registry_find(const struct pdu_syntax *id);

/* What a handle stands for; NULL: it is no interface. */
const RPC_SERVER_INTERFACE *registry_spec(RPC_IF_HANDLE handle);

/* The access check it is registered with, or NULL. */
RPC_IF_CALLBACK_FN *registry_callback(const struct interface *interface);

/* What the program registered, in that order; gives *ret_vector: RpcIfIdVectorFree.
 * RPC_S_NO_INTERFACES. */
RPC_STATUS registry_if_ids(RPC_IF_ID_VECTOR **ret_vector);

/* The transfer syntaxes, ASSOC_*, it is offered in. */
unsigned registry_syntaxes(const struct interface *interface);

/* What a call on `interface` is run by. */
struct dispatch {
    const RPC_SERVER_INTERFACE *spec;
    const RPC_MGR_EPV *epv;
    size_t stub_max; /* octets of a request without its pipes: MaxRpcSize */
    bool guarded;    /* the interface has an access check, to be asked    */
};

/* Begins a call on `object` (NULL: on none): RPC_S_OK, and the interface counts it until registry_end_call();
 * RPC_S_UNKNOWN_IF: unregistered meanwhile; RPC_S_SERVER_TOO_BUSY: the server does
 * not listen, or MaxCalls are running; RPC_S_UNSUPPORTED_TYPE: no manager for the
 * object's type; RPC_S_ACCESS_DENIED: local callers only. */
RPC_STATUS registry_begin_call(struct interface *interface, enum transport_kind kind,
                               const UUID *object, struct dispatch *ret_dispatch);
/* The same for a call inside one that runs: it was admitted with that. */
void registry_join_call(struct interface *interface);
void registry_end_call(struct interface *interface);

/* ---- object_type.c -------------------------------------------------------- */

/* The type of an object that is not nil; nil, and RPC_S_OBJECT_NOT_FOUND or what the program's
 * inquiry function says, when it has none.  Calls that function: no lock is held. */
RPC_STATUS object_type_of(const UUID *object, UUID *ret_type);

/* ---- listen.c ------------------------------------------------------------- */

/* May calls run on interfaces that did not ask for AUTOLISTEN? */
bool server_is_listening(void);

/* Calls running in the process; the last one ends a stop. */
void server_count_call(int delta);

/* ---- endpoint.c ----------------------------------------------------------- */

bool server_has_endpoints(void);

struct conn;
/* conn_ops.on_closed of server connections. */
void server_on_closed(struct conn *conn);

/* ---- group.c -------------------------------------------------------------- */

/* Who may share a group: text that is the same for connections of one client machine. */
#define GROUP_PEER_SIZE 64

/* The association group for a connection that asks for `asked` (0: a new one); 0
 * when `peer` has no such group on this protocol sequence. */
uint32_t group_join(uint32_t asked, enum transport_kind kind, const char *peer);
void group_leave(uint32_t id);
/* Has it contexts, and one connection left to keep them? */
bool group_needs_member(uint32_t id);
struct context_set;
/* The contexts of the group, counted; NULL: there is no such group. */
struct context_set *group_contexts(uint32_t id);

#endif
