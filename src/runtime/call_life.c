/* SPDX-License-Identifier: MIT */
/* call_life.c - how calls are made, found by their numbers, and go; see call.h. */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "base/limits.h"
#include "base/slab.h"
#include "runtime/call.h"
#include "runtime/characters.h"
#include "runtime/client_begin.h"
#include "runtime/error_info.h"

static void rare_free(struct call_rare *rare)
{
    if (!rare)
        return;
    ndr_full_pointers_fini(&rare->full);
    client_contexts_fini(&rare->contexts);
    characters_free(rare->characters);
    if (rare->outer)
        call_put(rare->outer);
    free(rare);
}

struct call_rare *call_rare(struct rpc_call *call)
{
    if (call->rare)
        return call->rare;
    call->rare = calloc(1, sizeof(*call->rare));
    if (!call->rare)
        return NULL;
    ndr_full_pointers_init(&call->rare->full, NULL);
    client_init_deadline(call);
    call->wire.link = &call->rare->link;
    return call->rare;
}

RPC_STATUS call_keep_full(struct rpc_call *call, struct ndr_full_pointers *full)
{
    if (full->by_referent.entries.count == 0)
        return RPC_S_OK;
    if (!call_rare(call))
        return RPC_S_OUT_OF_MEMORY;
    ndr_full_pointers_fini(&call->rare->full);
    ndr_full_pointers_move(&call->rare->full, full);
    return RPC_S_OK;
}

struct ndr_full_pointers *call_full(struct rpc_call *call, struct ndr_full_pointers *none)
{
    if (call->rare)
        return &call->rare->full;
    ndr_full_pointers_init(none, NULL);
    return none;
}

/* Routines of the program may free parameters when the call is gone (struct farewell). */
static bool has_frame_apart(const NDR_OPERATION *op)
{
    return op->flags & NDR_OP_CONVERTS;
}

/* No parameter has a stricter alignment than 8, but for types of the program: then it is apart. */
static size_t frame_offset(unsigned pipe_count)
{
    const size_t align = 8;
    size_t len = sizeof(struct rpc_call) + pipe_count * sizeof(struct pipe);
    return (len + align - 1) / align * align;
}

/* In one piece: the call, its pipes, the frame.  One with pipes may be open for long, another comes
 * and goes. */
static size_t block_len(const NDR_OPERATION *op, unsigned pipe_count)
{
    return frame_offset(pipe_count) + (has_frame_apart(op) ? sizeof(void *) : op->frame_size);
}

static void *block_alloc(const NDR_OPERATION *op, unsigned pipe_count)
{
    const size_t len = block_len(op, pipe_count);
    return pipe_count > 0 ? object_alloc(len) : calloc(1, len);
}

static void block_free(void *block, const NDR_OPERATION *op, unsigned pipe_count)
{
    if (pipe_count > 0)
        object_free(block, block_len(op, pipe_count));
    else
        free(block);
}

/* Behind the pipes, or, if it is apart, there is where it is. */
void *call_frame(const struct rpc_call *call)
{
    uint8_t *at = (uint8_t *)(uintptr_t)call + frame_offset(call->pipe_count);
    void *frame = at;
    if (has_frame_apart(call->op))
        memcpy(&frame, at, sizeof(frame));
    return frame;
}

static void set_frame_apart(struct rpc_call *call, void *frame)
{
    memcpy((uint8_t *)call + frame_offset(call->pipe_count), &frame, sizeof(frame));
}

void *call_give_frame(struct rpc_call *call)
{
    void *frame = call_frame(call);
    assert(has_frame_apart(call->op));
    set_frame_apart(call, NULL);
    return frame;
}

static void client_call_gone(struct rpc_call *call)
{
    error_put(call->errors);
    if (call->binding)
        binding_put(call->binding);
    if (call->issuer)
        win32_thread_put(call->issuer);
    client_begin_free(call->begin);
    if (call->moved_from)
        conn_put(call->moved_from);
}

static void call_destroy(struct counted *object)
{
    struct rpc_call *call = list_entry(object, struct rpc_call, object);
    if (call->server)
        server_call_gone(call);
    else
        client_call_gone(call);
    for (unsigned i = 0; i < call->pipe_count; i++)
        pipe_rx_fini(&call->pipes[i].rx);
    rxbuf_put(call->stub);
    rare_free(call->rare);
    conn_put(call->conn);
    if (has_frame_apart(call->op))
        free(call_frame(call)); /* unless given away, see server_call_gone() */
    block_free(call, call->op, call->pipe_count);
}

static struct rpc_call *find(uint64_t handle, RPC_STATUS unknown, RPC_STATUS *ret_status)
{
    struct counted *object = handle_get(handle, unknown, ret_status);
    if (object && object->destroy != call_destroy) { /* a number of another kind */
        counted_put(object);
        object = NULL;
    }
    return object ? list_entry(object, struct rpc_call, object) : NULL;
}

struct rpc_call *call_from_handle(uint64_t handle, RPC_STATUS *ret_status)
{
    return find(handle, RPC_S_INVALID_ASYNC_HANDLE, ret_status);
}

/* A call's number with the place of the pipe, from 1, above it. */
char *pipe_state(const struct pipe *pipe)
{
    uint64_t place = (uint64_t)(pipe - pipe->call->pipes) + 1;
    return (char *)(uintptr_t)(place << HANDLE_BITS | pipe->call->handle);
}

struct pipe *pipe_from_state(const char *state, RPC_STATUS *ret_status)
{
    const uint64_t number = (uint64_t)(uintptr_t)state, place = number >> HANDLE_BITS;
    struct rpc_call *call =
        find(number & ((UINT64_C(1) << HANDLE_BITS) - 1), RPC_X_INVALID_PIPE_OBJECT, ret_status);
    if (call && place > 0 && place <= call->pipe_count)
        return &call->pipes[place - 1];
    if (call) { /* the call's own number, or a wild one */
        call_put(call);
        *ret_status = RPC_X_INVALID_PIPE_OBJECT;
    } else if (*ret_status == RPC_S_INVALID_ASYNC_HANDLE) { /* the call ended well */
        *ret_status = RPC_X_PIPE_CLOSED;
    }
    return NULL;
}

static unsigned count_pipes(const NDR_OPERATION *op)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < op->param_count; i++)
        count += (op->params[i].flags & NDR_PARAM_PIPE) != 0;
    return count;
}

static RPC_STATUS pipes_init(struct rpc_call *call)
{
    unsigned next = 0;
    for (uint32_t i = 0; i < call->op->param_count; i++) {
        const NDR_PARAM *param = &call->op->params[i];
        if (!(param->flags & NDR_PARAM_PIPE))
            continue;
        struct pipe *pipe = &call->pipes[next++];
        pipe->call = call;
        pipe->param = param;
        pipe->in = (param->flags & NDR_PARAM_IN) != 0;
        pipe->out = (param->flags & NDR_PARAM_OUT) != 0;
        pipes_set_limits_default(pipe);
        RPC_STATUS status = pipe_rx_init(&pipe->rx, param->type, param->range, call->ndr64);
        if (status != RPC_S_OK)
            return status;
    }
    return RPC_S_OK;
}

RPC_STATUS call_new(struct conn *conn, const RPC_CLIENT_INTERFACE *spec, const NDR_OPERATION *op,
                    bool server, bool ndr64, struct rpc_call **ret_call)
{
    const unsigned pipe_count = count_pipes(op);
    if (pipe_count > UINT16_MAX)
        return RPC_S_CANNOT_SUPPORT;
    const bool apart = has_frame_apart(op);
    struct rpc_call *call = block_alloc(op, pipe_count);
    if (!call)
        return RPC_S_OUT_OF_MEMORY;
    call->op = op;
    call->pipe_count = (uint16_t)pipe_count;
    void *frame = apart ? calloc(1, op->frame_size) : NULL;
    if (apart && !frame) {
        block_free(call, op, pipe_count);
        return RPC_S_OUT_OF_MEMORY;
    }
    if (apart)
        set_frame_apart(call, frame);
    counted_init(&call->object, call_destroy);
    conn_get(conn);
    call->conn = conn;
    call->server = server;
    call->ndr64 = ndr64;
    /* What a server hears from clients, the answers to its callbacks included. */
    const bool from_client = server || conn->assoc.role == ASSOC_SERVER;
    call->stub_max = from_client ? LIMIT_STUB_LEN : LIMIT_RESPONSE_LEN;
    call->spec = spec;
    call->op = op;
    RPC_STATUS status = pipes_init(call);
    if (status != RPC_S_OK) {
        call_put(call);
        return status;
    }
    call->receiving = (uint16_t)call_next_receiving(call, 0);
    *ret_call = call;
    return RPC_S_OK;
}

/* The connection before is still there for whoever was about to lock it. */
void call_lock(struct rpc_call *call)
{
    for (;;) {
        struct conn *conn = __atomic_load_n(&call->conn, __ATOMIC_ACQUIRE);
        conn_lock(conn);
        if (__atomic_load_n(&call->conn, __ATOMIC_RELAXED) == conn)
            return;
        conn_unlock(conn);
    }
}

void call_set_conn(struct rpc_call *call, struct conn *conn)
{
    assert(!call->moved_from && call->pipe_count == 0);
    call->moved_from = call->conn;
    __atomic_store_n(&call->conn, conn, __ATOMIC_RELEASE);
}

RPC_STATUS call_use_syntax(struct rpc_call *call, bool ndr64)
{
    if (call->ndr64 == ndr64)
        return RPC_S_OK;
    call->ndr64 = ndr64;
    for (unsigned i = 0; i < call->pipe_count; i++) {
        struct pipe *pipe = &call->pipes[i];
        pipe_rx_fini(&pipe->rx);
        RPC_STATUS status = pipe_rx_init(&pipe->rx, pipe->param->type, pipe->param->range, ndr64);
        if (status != RPC_S_OK)
            return status;
    }
    return RPC_S_OK;
}
