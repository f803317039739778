/* SPDX-License-Identifier: MIT */
/* client_start.c - how a client's call begins: which binding and connection carry it, and
 * its request.  What follows is in client_call.c and client_async.c. */
#include "runtime/client_start.h"

#include <string.h>

#include <penstock/rpc.h>
#include <penstock/rpcndr.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/trace.h"
#include "runtime/capture.h"
#include "runtime/characters.h"
#include "runtime/error_info.h"
#include "runtime/exception.h"
#include "runtime/memory_env.h"
#include "runtime/ndr_api.h"
#include "runtime/stats.h"

const NDR_OPERATION *client_operation(const RPC_CLIENT_INTERFACE *spec, unsigned int opnum)
{
    const NDR_INTERFACE *interface = spec->InterpreterInfo;
    return opnum < interface->operation_count ? &interface->operations[opnum] : NULL;
}

void client_request_init(struct client_request *request)
{
    ndr_writer_init(&request->writer);
    ndr_full_pointers_init(&request->full, NULL);
}

void client_request_fini(struct client_request *request)
{
    ndr_writer_fini(&request->writer);
    ndr_full_pointers_fini(&request->full);
}

void client_request_move(struct client_request *to, struct client_request *from)
{
    client_request_init(to);
    to->writer = from->writer;
    ndr_writer_init(&from->writer);
    ndr_full_pointers_move(&to->full, &from->full);
}

void client_start_init(struct client_start *start)
{
    client_request_init(&start->request);
    client_request_init(&start->other);
}

void client_start_fini(struct client_start *start)
{
    client_request_fini(&start->request);
    client_request_fini(&start->other);
    client_contexts_fini(&start->contexts);
    characters_free(start->characters);
    if (start->place.conn)
        conn_put(start->place.conn);
    if (start->binding)
        binding_put(start->binding);
}

RPC_BINDING_HANDLE client_frame_binding(const NDR_OPERATION *op, const void *frame)
{
    RPC_BINDING_HANDLE handle = NULL;
    for (uint32_t i = 0; i < op->param_count; i++)
        if (op->params[i].flags & NDR_PARAM_BINDING)
            memcpy(&handle, (const uint8_t *)frame + op->params[i].offset, sizeof(handle));
    return handle;
}

static struct pdu_syntax interface_syntax(const RPC_CLIENT_INTERFACE *spec)
{
    return (struct pdu_syntax){.uuid = spec->InterfaceId.SyntaxGUID,
                               .major = spec->InterfaceId.SyntaxVersion.MajorVersion,
                               .minor = spec->InterfaceId.SyntaxVersion.MinorVersion};
}

/* A context handle may carry the call, else a binding handle does. */
static RPC_STATUS find_binding(struct client_start *start, bool may_wait)
{
    RPC_STATUS status = RPC_S_OK;
    if (op_has_contexts(start->op)) {
        status = client_contexts_binding(start->op, start->frame, &start->binding);
        if (status != RPC_S_OK)
            return status;
    }
    if (start->binding)
        return binding_resolve(start->binding, start->spec, may_wait);
    RPC_BINDING_HANDLE handle = client_frame_binding(start->op, start->frame);
    if (!handle && start->op->flags & NDR_OP_AUTO_HANDLE) {
        status = binding_automatic(start->spec, &handle);
        if (status != RPC_S_OK)
            return status;
    }
    return binding_for_call(handle, start->spec, may_wait, &start->binding);
}

struct ndr_memory client_stub_memory(const RPC_CLIENT_INTERFACE *spec, const NDR_OPERATION *op)
{
    struct ndr_memory memory = {.run = exception_run};
    if (!(op->flags & NDR_OP_ASYNC))
        memory_client_routines(&memory.allocate, &memory.free);
    if (!memory.allocate) {
        memory.allocate = spec->InterpreterInfo->allocate;
        memory.free = spec->InterpreterInfo->free;
    }
    return memory;
}

static RPC_STATUS encode_request(struct client_start *start, struct client_request *request,
                                 bool ndr64)
{
    struct ndr_writer *writer = &request->writer;
    const struct ndr_context_hooks hooks = client_contexts_hooks(&start->contexts);
    client_contexts_fini(&start->contexts);
    client_contexts_init(&start->contexts, start->op);
    start->contexts.binding = start->binding;
    const struct ndr_memory memory = client_stub_memory(start->spec, start->op);
    ndr_writer_reset(writer);
    ndr_full_pointers_reset(&request->full);
    writer->contexts = &hooks;
    writer->memory = &memory;
    writer->full = &request->full;
    writer->ndr64 = ndr64;
    writer->depth_max = binding_limits(start->binding).depth_max;
    writer->len_max = LIMIT_STUB_LEN_MAX;
    RPC_STATUS status = ndr_encode_params(writer, start->op, start->frame, NDR_PARAM_IN);
    writer->contexts = NULL;
    writer->memory = NULL;
    writer->full = NULL;
    return status;
}

/* Windows' stubs know synchronous pipes in NDR 2.0 alone (wire.md 3.6): NDR64 is offered
 * for them only when the program allows nothing else. */
static unsigned allowed_syntaxes(const struct client_start *start)
{
    unsigned syntaxes = ndr_interface_syntaxes(start->spec);
    pthread_mutex_lock(&start->binding->lock);
    syntaxes &= start->binding->syntaxes;
    pthread_mutex_unlock(&start->binding->lock);
    bool sync_pipes = start->op->flags & NDR_OP_HAS_PIPES && !(start->op->flags & NDR_OP_ASYNC);
    return sync_pipes && syntaxes & ASSOC_NDR ? ASSOC_NDR : syntaxes;
}

void client_start_give_back(struct client_start *start)
{
    if (start->within)
        return;
    conn_lock(start->place.conn);
    server_pool_give(start->place.conn, true);
    conn_unlock(start->place.conn);
}

/* Inside a call there is nothing to choose: its connection, its presentation context. */
static RPC_STATUS prepare_nested(struct client_start *start)
{
    struct rpc_call *within = start->within;
    start->place = (struct conn_place){
        .conn = within->conn, .context_id = within->wire.context_id, .ndr64 = within->ndr64};
    conn_get(within->conn);
    RPC_STATUS status = encode_request(start, &start->request, within->ndr64);
    if (status == RPC_S_OK)
        trace_values(start->op, start->frame, NDR_PARAM_IN, true);
    return status;
}

uint64_t client_start_left_ms(const struct client_start *start)
{
    uint64_t now = clock_us();
    if (start->deadline_us == 0)
        return UINT64_MAX;
    return start->deadline_us > now ? (start->deadline_us - now + 999) / 1000 : 0;
}

/* What the call needs of a connection. */
static struct conn_wish make_wish(const struct client_start *start, bool shared)
{
    struct binding *binding = start->binding;
    pthread_mutex_lock(&binding->lock);
    const unsigned com_timeout = binding->com_timeout;
    const bool ordered = shared && !binding->noncausal;
    const UUID object = binding->has_object ? binding->object_uuid : (UUID){0};
    pthread_mutex_unlock(&binding->lock);
    return (struct conn_wish){.interface_id = interface_syntax(start->spec),
                              .syntaxes = allowed_syntaxes(start),
                              .shared = shared,
                              .lane = ordered ? &binding->lane : NULL,
                              .timeout_ms = com_timeout_connect_ms(com_timeout),
                              .com_timeout = com_timeout,
                              .object = object};
}

/* Wrong arguments are told before a server is asked for, so they are encoded in the transfer
 * syntax it will probably choose, and again if it does not. */
static RPC_STATUS encode_expected(struct client_start *start, bool *ret_ndr64)
{
    if (start->wish.syntaxes == 0)
        return RPC_S_UNSUPPORTED_TRANS_SYN;
    *ret_ndr64 = server_pool_expect_ndr64(start->binding->pool, start->wish.syntaxes);
    RPC_STATUS status = encode_request(start, &start->request, *ret_ndr64);
    if (status == RPC_S_OK)
        trace_values(start->op, start->frame, NDR_PARAM_IN, true);
    return status;
}

RPC_STATUS client_start_prepare(struct client_start *start)
{
    bool expected;
    RPC_STATUS status = find_binding(start, true);
    if (status != RPC_S_OK)
        return status;
    if (!(start->op->flags & (NDR_OP_MAYBE | NDR_OP_HAS_PIPES)))
        start->within = nested_place(start->binding->pool, start->spec);
    if (start->within)
        return prepare_nested(start);
    start->wish = make_wish(start, false);
    status = encode_expected(start, &expected);
    if (status == RPC_S_OK)
        status = server_pool_take(start->binding->pool, &start->wish, &start->place);
    if (status == RPC_S_OK && start->place.ndr64 != expected) {
        status = encode_request(start, &start->request, start->place.ndr64);
        if (status != RPC_S_OK)
            client_start_give_back(start);
    }
    return status;
}

/* The arguments are the application's again when the stub returns, and the server may choose
 * later: then they are encoded in both. */
RPC_STATUS client_start_prepare_async(struct client_start *start)
{
    bool expected;
    RPC_STATUS status = find_binding(start, false);
    if (status != RPC_S_OK)
        return status;
    struct binding *binding = start->binding;
    struct conn_wish *wish = &start->wish;
    *wish = make_wish(start, !(start->op->flags & NDR_OP_HAS_PIPES));
    status = encode_expected(start, &expected);
    if (status != RPC_S_OK)
        return status;
    if (wish->lane)
        pthread_mutex_lock(&binding->lane_lock);
    status = server_pool_take_async(binding->pool, wish, &start->place);
    if (wish->lane)
        pthread_mutex_unlock(&binding->lane_lock);
    if (status != RPC_S_OK)
        return status;
    if (start->place.pending && wish->syntaxes == ASSOC_SYNTAXES)
        status = encode_request(start, &start->other, !expected);
    else if (!start->place.pending && start->place.ndr64 != expected)
        status = encode_request(start, &start->request, start->place.ndr64);
    if (start->place.pending)
        start->place.ndr64 = expected;
    if (status != RPC_S_OK)
        client_start_give_back(start);
    return status;
}

/* What the program's patience means for the connection; the least of those who share it
 * counts.  Lock held. */
static void watch_peer(struct conn *conn, unsigned keep_alive_s, unsigned silence_max_ms)
{
    conn->silence_max_ms = silence_max_ms;
    if (conn->shared && conn->keep_alive_s > 0 &&
        (keep_alive_s == 0 || keep_alive_s > conn->keep_alive_s))
        return;
    if (conn->kind == TRANSPORT_TCP && keep_alive_s != conn->keep_alive_s)
        transport_keep_alive(conn->watch.fd, keep_alive_s);
    conn->keep_alive_s = keep_alive_s;
}

struct client_terms client_terms(struct binding *binding, const NDR_OPERATION *op)
{
    pthread_mutex_lock(&binding->lock);
    const struct client_terms terms = {
        .has_object = binding->has_object,
        .object = binding->object_uuid,
        .keep_alive_s = com_timeout_keep_alive_s(binding->com_timeout),
        .silence_max_ms = op->flags & NDR_OP_ASYNC ? 0 : binding->call_timeout_ms};
    pthread_mutex_unlock(&binding->lock);
    return terms;
}

/* The request of a call with [in] pipes goes on with them: it is padded to where the first
 * chunk's count may stand. */
RPC_STATUS client_request_queue(struct rpc_call *call, const struct client_terms *terms,
                                const uint8_t *octets, size_t len)
{
    static const uint8_t zeros[8];
    if (!call->nested)
        watch_peer(call->conn, terms->keep_alive_s, terms->silence_max_ms);
    call->wire.maybe = (call->op->flags & NDR_OP_MAYBE) != 0;
    call_join_pipes(call);
    TRACE(TRACE_CALL, "call %u %s: starts", call->wire.id, call->op->name);

    bool more = op_has_in_pipes(call->op);
    call->held_len = 0; /* an attempt before this one may have left some */
    call->ended_pipes = 0;
    size_t gap = -len & (call->ndr64 ? 7 : 3);
    struct iovec stub[2] = {{(void *)(uintptr_t)octets, len},
                            {(void *)(uintptr_t)zeros, more ? gap : 0}};
    if (more && call_keeps_aligned(call)) {
        /* What lies behind the last multiple of 8 goes with the first push: 4 octets, the gap
         * last, or nothing. */
        size_t keep = (len + gap) & 7;
        if (keep > 0) {
            size_t own = keep - gap;
            stub[0].iov_len -= own;
            stub[1].iov_len = 0;
            memset(call->held_first, 0, sizeof(call->held_first));
            memcpy(call->held_first, octets + len - own, own);
            call->held_len = (uint8_t)keep;
        }
    }
    return call_send(&call->wire, stub, 2, !more);
}

RPC_STATUS client_start_send(struct rpc_call *call, struct client_start *start)
{
    struct conn *conn = call->conn;
    if (!start->within && (!conn_alive(conn) || conn->assoc.state != ASSOC_OPEN)) {
        start->unsent = true;
        server_pool_give(conn, false);
        return RPC_S_CALL_FAILED_DNE;
    }
    const struct client_terms terms =
        client_terms(start->binding ? start->binding : call->binding, call->op);
    const UUID *object = terms.has_object ? &terms.object : NULL;
    if (object && !call_rare(call)) {
        if (!start->within)
            server_pool_give(conn, true);
        return RPC_S_OUT_OF_MEMORY;
    }
    if (start->within) {
        RPC_STATUS nested = nested_start(call, start->within, object);
        if (nested != RPC_S_OK)
            return nested;
    } else {
        call_get(call); /* the association's */
        call_start(&call->wire, &conn->assoc, start->place.context_id, (uint16_t)call->op->opnum,
                   object);
    }
    stats_count(RPC_C_STATS_CALLS_OUT, 1);
    const uint64_t sent = conn->assoc.txq.total;
    RPC_STATUS status = client_request_queue(call, &terms, start->request.writer.octets,
                                             start->request.writer.len);
    if (status == RPC_S_OK && call->async && call->pipe_count == 0 && !start->within)
        conn_push_out_soon(conn);
    else if (status == RPC_S_OK)
        conn_push_out(conn);
    if (status != RPC_S_OK && !call->over)
        call_break(call, status);
    start->unsent = !start->within && txq_total_sent(&conn->assoc.txq) <= sent;
    return call->status;
}

/* What the transport has taken may have been executed, whatever became of the connection
 * afterwards: a server can act and die before it acknowledges. */
bool client_start_may_repeat(const struct client_start *start, RPC_STATUS status)
{
    return start->unsent && !start->again &&
           (status == RPC_S_CALL_FAILED || status == RPC_S_CALL_FAILED_DNE);
}

bool client_start_again(struct client_start *start, RPC_STATUS status)
{
    if (!client_start_may_repeat(start, status))
        return false;
    TRACE(TRACE_CALL, "%s: the connection had ended before, once more", start->op->name);
    client_contexts_fini(&start->contexts);
    client_contexts_init(&start->contexts, start->op);
    ndr_full_pointers_reset(&start->request.full);
    if (start->place.conn)
        conn_put(start->place.conn);
    if (start->binding)
        binding_put(start->binding);
    start->place = (struct conn_place){.conn = NULL};
    start->binding = NULL;
    error_thread_clear();
    start->unsent = false;
    start->reported = false;
    start->again = true;
    return true;
}
