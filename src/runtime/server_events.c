/* SPDX-License-Identifier: MIT */
/* server_events.c - what arrives on a server's connections: binds are answered, new calls are
 * admitted or refused; what becomes of a call is in server_call.c. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <penstock/rpc.h>
#include <penstock/rpcndr.h>

#include "base/trace.h"
#include "runtime/call.h"
#include "runtime/context.h"
#include "runtime/error_info.h"
#include "runtime/memory_env.h"
#include "runtime/server.h"
#include "runtime/server_call.h"
#include "runtime/server_conns.h"

static const NDR_OPERATION *find_operation(const RPC_SERVER_INTERFACE *spec, unsigned opnum)
{
    const NDR_INTERFACE *interface = spec->InterpreterInfo;
    if (opnum >= interface->operation_count || !interface->operations[opnum].invoke)
        return NULL;
    return &interface->operations[opnum];
}

RPC_STATUS server_prepare_call(struct rpc_call *call)
{
    const NDR_OPERATION *op = call->op;
    const bool own_memory = op->flags & NDR_OP_ENABLE_ALLOCATE, contexts = op_has_contexts(op);
    const bool farewell = op->notify || op->notify_flag || op->flags & NDR_OP_CONVERTS;
    /* A client has no contexts of others. */
    const bool has_set = contexts && call->conn->assoc.role == ASSOC_SERVER;
    /* For the characters of [cs_char] arrays, which outlive the manager. */
    if (op->characters && op->flags & NDR_OP_ASYNC && !call_rare(call))
        return RPC_S_OUT_OF_MEMORY;
    if (!own_memory && !contexts && !farewell)
        return RPC_S_OK;
    struct call_special *special = call->special = calloc(1, sizeof(*special));
    if (!special || (own_memory && !(special->env = memory_env_new())))
        return RPC_S_OUT_OF_MEMORY;
    if (has_set && !(special->contexts.set = group_contexts(call->conn->assoc.group_id)))
        return RPC_S_CALL_FAILED;
    if (!farewell)
        return RPC_S_OK;
    special->farewell = calloc(1, sizeof(*special->farewell));
    if (!special->farewell)
        return RPC_S_OUT_OF_MEMORY;
    special->farewell->job.run = server_run_farewell;
    special->farewell->op = op;
    return RPC_S_OK;
}

static void on_new_call(struct conn *conn, const struct assoc_event *event, struct rxbuf *buf)
{
    struct interface *interface = event->iface;
    struct dispatch dispatch;
    struct rpc_call *call;
    RPC_STATUS status = registry_begin_call(
        interface, conn->kind, event->has_object ? &event->object : NULL, &dispatch);
    if (status != RPC_S_OK) {
        error_reject(conn, status);
        return;
    }
    const NDR_OPERATION *op = find_operation(dispatch.spec, event->opnum);
    status = op ? RPC_S_OK : RPC_S_PROCNUM_OUT_OF_RANGE;
    if (status == RPC_S_OK)
        status = call_new(conn, dispatch.spec, op, true, event->ndr64, &call);
    if (status != RPC_S_OK) {
        registry_end_call(interface);
        error_reject(conn, status);
        return;
    }
    call->iface = interface;
    status = event->has_object && !call_rare(call) ? RPC_S_OUT_OF_MEMORY : server_prepare_call(call);
    if (status != RPC_S_OK) {
        error_reject(conn, status);
        call_put(call);
        return;
    }
    call->epv = dispatch.epv;
    call->stub_max = (uint32_t)dispatch.stub_max;
    call->guarded = dispatch.guarded;
    assoc_accept(&conn->assoc, &call->wire); /* takes our reference */
    call->wire.streams = op_has_in_pipes(op);
    call_join_pipes(call);
    TRACE(TRACE_CALL, "call %u %s: request", call->wire.id, op->name);
    server_on_octets(call, event, buf);
}

/* ---- Events --------------------------------------------------------------- */

/* The machine of the client, or the user when it is ours; "" when nobody can tell. */
static void group_peer(const struct conn *conn, char peer[GROUP_PEER_SIZE])
{
    char endpoint[NI_MAXSERV + 108];
    struct ucred credentials;
    socklen_t len = sizeof(credentials);
    peer[0] = '\0';
    if (conn->kind == TRANSPORT_TCP)
        transport_name(conn->watch.fd, true, peer, GROUP_PEER_SIZE, endpoint, sizeof(endpoint));
    else if (getsockopt(conn->watch.fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) == 0)
        snprintf(peer, GROUP_PEER_SIZE, "user %u", (unsigned)credentials.uid);
}

static void on_bind(struct conn *conn)
{
    struct assoc_bind *bind = conn->assoc.bind;
    for (unsigned i = 0; i < bind->offer_count; i++)
        if (!bind->offers[i].is_features &&
            (bind->offers[i].iface = registry_find(&bind->offers[i].abstract)))
            bind->offers[i].supported = (uint8_t)registry_syntaxes(bind->offers[i].iface);
    char peer[GROUP_PEER_SIZE];
    group_peer(conn, peer);
    uint32_t group =
        bind->alter ? conn->assoc.group_id : group_join(bind->terms.group_id, conn->kind, peer);
    const bool first = !bind->alter;
    assoc_answer_bind(&conn->assoc, group);
    if (first && conn->assoc.group_id != group) /* out of memory: it is no member */
        group_leave(group);
    if (first && conn->assoc.state == ASSOC_OPEN)
        server_conns_bound(conn);
}

static void server_on_event(struct conn *conn, const struct assoc_event *event, struct rxbuf *buf)
{
    struct rpc_call *call = event->call ? call_of_wire(event->call) : NULL;
    conn->used = true;
    switch (event->kind) {
    case ASSOC_EVENT_BIND:
        on_bind(conn);
        return;
    case ASSOC_EVENT_REQUEST:
        if (call)
            server_on_octets(call, event, buf);
        else if (event->nesting)
            nested_on_request(conn, event, buf);
        else
            on_new_call(conn, event, buf);
        return;
    case ASSOC_EVENT_CANCEL:
        TRACE(TRACE_CALL, "call %u %s: cancel", call->wire.id, call->op->name);
        nested_cancel(call);
        return;
    case ASSOC_EVENT_ORPHANED:
        nested_orphaned(call);
        return;
    case ASSOC_EVENT_RESPONSE:
    case ASSOC_EVENT_FAULT:
        client_on_answer(event, buf); /* to a callback */
        return;
    case ASSOC_EVENT_NONE:
    case ASSOC_EVENT_BOUND:
    case ASSOC_EVENT_DEAD:
        return; /* not a server's */
    }
}

const struct conn_ops server_conn_ops = {server_on_event, server_on_closed};
