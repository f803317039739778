/* SPDX-License-Identifier: MIT */
/* client_begin.c - see client_begin.h. */
#include "runtime/client_begin.h"

#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "base/slab.h"
#include "base/trace.h"
#include "proto/chunk.h"
#include "runtime/conn_setup.h"
#include "runtime/pipe.h"
#include "runtime/stats.h"

/* One push, as it was made. */
struct early_push {
    struct list node;
    struct pipe *pipe;
    unsigned long count; /* elements; 0: the end */
    size_t len;          /* octets of them       */
    uint8_t memory[];
};

static void push_free(struct early_push *push)
{
    object_free(push, sizeof(*push) + push->len);
}

static void drop_requests(struct call_begin *begin)
{
    ndr_full_pointers_fini(&begin->requests[0].full);
    ndr_full_pointers_fini(&begin->requests[1].full);
}

static void drop_pushes(struct call_begin *begin)
{
    for (struct list *node = list_pop(&begin->pushes); node; node = list_pop(&begin->pushes))
        push_free(list_entry(node, struct early_push, node));
    begin->pushed_len = 0;
}

/* `at`: where its octets go. */
static void take_over(struct begin_request *to, struct client_request *from, uint8_t *at)
{
    to->len = from->writer.len;
    to->octets = at;
    if (to->len > 0)
        memcpy(at, from->writer.octets, to->len);
    ndr_full_pointers_init(&to->full, NULL);
    ndr_full_pointers_move(&to->full, &from->full);
}

RPC_STATUS client_begin_new(struct rpc_call *call, struct client_start *start)
{
    const struct client_terms terms = client_terms(call->binding, call->op);
    if (terms.has_object && !call_rare(call)) /* for call_start() */
        return RPC_S_OUT_OF_MEMORY;
    const size_t len = start->request.writer.len, other_len = start->other.writer.len;
    struct call_begin *begin = object_alloc(sizeof(*begin) + len + other_len);
    if (!begin)
        return RPC_S_OUT_OF_MEMORY;
    begin->call = call;
    begin->octets_len = len + other_len;
    list_init(&begin->pushes);
    take_over(&begin->requests[call->ndr64], &start->request, begin->octets);
    take_over(&begin->requests[!call->ndr64], &start->other, begin->octets + len);
    begin->terms = terms;
    call->begin = begin;
    return RPC_S_OK;
}

void client_begin_free(struct call_begin *begin)
{
    if (!begin)
        return;
    drop_requests(begin);
    drop_pushes(begin);
    object_free(begin, sizeof(*begin) + begin->octets_len);
}

void client_begin_wait(struct rpc_call *call, bool in_line)
{
    TRACE(TRACE_CALL, "call %s: waits for its connection", call->op->name);
    if (op_has_in_pipes(call->op)) /* for the request itself (AP-16) */
        call->begin->asks = call_asks_send_complete(call);
    call_get(call); /* the line's, later the association's */
    if (in_line)
        conn_setup_add(call->conn, call->begin);
}

void client_begin_leave(struct rpc_call *call)
{
    struct call_begin *begin = call->begin;
    list_remove(&begin->node);
    begin->state = BEGIN_BEGUN; /* no push waits any longer */
    drop_requests(begin);
    drop_pushes(begin);
    server_pool_give(call->conn, true);
    call_put(call); /* the line's; the caller has one */
}

/* ---- The connection is up -------------------------------------------------------- */

void client_begin_queue(struct call_begin *begin, const struct conn_wish *wish)
{
    struct rpc_call *call = begin->call;
    const struct assoc_context *context =
        assoc_context_for(&call->conn->assoc, &wish->interface_id, wish->syntaxes);
    call_get(call); /* go_on()'s */
    begin->state = BEGIN_REPLAYING;
    /* The reference of the line is the association's. */
    call_start(&call->wire, &call->conn->assoc, context->id, (uint16_t)call->op->opnum,
               begin->terms.has_object ? &begin->terms.object : NULL);
    stats_count(RPC_C_STATS_CALLS_OUT, 1);
    RPC_STATUS status = call_use_syntax(call, context->ndr64);
    struct begin_request *request = &begin->requests[context->ndr64];
    if (status == RPC_S_OK)
        status = call_keep_full(call, &request->full);
    if (status == RPC_S_OK)
        status = client_request_queue(call, &begin->terms, request->octets, request->len);
    if (status != RPC_S_OK && !call->over)
        call_break(call, status);
}

/* Never waits: this is a thread of the reactor. */
static void replay(struct call_begin *begin)
{
    struct rpc_call *call = begin->call;
    pipe_in_callback++;
    for (struct list *node = list_pop(&begin->pushes); node; node = list_pop(&begin->pushes)) {
        struct early_push *push = list_entry(node, struct early_push, node);
        begin->pushed_len -= push->len;
        if (call->status == RPC_S_OK && !call->over && push->count > 0) {
            push->pipe->stats.pushed -= push->count; /* counted when it was made */
            RPC_STATUS status = pipe_send_elements(push->pipe, push->memory, push->count);
            if (status != RPC_S_OK && !call->over) /* a [range] no chunks fit: not lost silently */
                call_break(call, status);
        } else if (call->status == RPC_S_OK && !call->over) {
            pipe_send_end(push->pipe);
        }
        push_free(push);
    }
    pipe_in_callback--;
}

static size_t low_mark(const struct rpc_call *call)
{
    for (unsigned i = 0; i < call->pipe_count; i++)
        if (pipe_sends(&call->pipes[i]) && !call->pipes[i].finished)
            return call->pipes[i].low;
    return 0;
}

void client_begin_go_on(struct call_begin *begin)
{
    struct rpc_call *call = begin->call;
    drop_requests(begin);
    replay(begin);
    const bool asks = begin->asks;
    call->begin = NULL; /* pushes that wait look there first */
    client_begin_free(begin);
    if (asks && call->wire.assoc && !call->over)
        call_tell_sent(call, low_mark(call));
    conn_notify(call->conn);
    call_put(call);
}

/* ---- Pushes ------------------------------------------------------------------------ */

/* Past the high mark a push waits, as it does on a connection that is up. */
static void wait_for_room(struct pipe *pipe)
{
    struct rpc_call *call = pipe->call;
    const struct call_begin *begin = call->begin;
    if (pipe->high == 0 || pipe_in_callback > 0 || begin->pushed_len <= pipe->high)
        return;
    TRACE(TRACE_PIPE, "call %s: push waits for the connection", call->op->name);
    pipe_wait_begin(pipe);
    while (call_defers(call) && !call->over && begin->pushed_len > pipe->low)
        conn_wait(call->conn);
    pipe_wait_end(pipe, 0);
}

bool client_begin_push(struct pipe *pipe, const void *memory, unsigned long count,
                       RPC_STATUS *ret_status)
{
    struct rpc_call *call = pipe->call;
    struct call_begin *begin = call->begin;
    struct chunk_plan plan;
    if (!call_defers(call))
        return false;
    *ret_status = RPC_S_INVALID_ARG;
    if (count > 0 && !chunk_plan(&pipe->rx.type->chunk, 0, count, &plan))
        return true;
    if (count > 0)
        wait_for_room(pipe);
    *ret_status = call->status;
    if (call->over || call->released)
        return true;
    if (!call_defers(call))
        return false;
    const size_t len = count * pipe->rx.type->layout.memory_size;
    struct early_push *push = object_alloc(sizeof(*push) + len);
    if (!push) {
        call_break(call, RPC_S_OUT_OF_MEMORY);
        *ret_status = call->status;
        return true;
    }
    *push = (struct early_push){.pipe = pipe, .count = count, .len = len};
    if (len > 0)
        memcpy(push->memory, memory, len);
    list_append(&begin->pushes, &push->node);
    begin->pushed_len += len;
    pipe->stats.pushed += count;
    pipe->finished = count == 0;
    if (count > 0 && call_asks_send_complete(call))
        begin->asks = true;
    return true;
}
