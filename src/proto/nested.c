/* SPDX-License-Identifier: MIT */
/* nested.c - calls inside calls (MS-RPCE 3.3.1.5.9): while one side works on a call it may
 * call the other side back, which may call again before it answers, and so on.
 *
 *   client                          server
 *   request 7  ------------------>  manager
 *   routine    <------------------  request 7, opnum among the callbacks
 *              response 7  ------>
 *              <------  response 7
 *
 * All have the outer call's id, presentation context and connection, and no others, so
 * nothing is bound for them.  Only the innermost is ever active: octets with the id are
 * its, and their type alone tells whether one more begins or this one is answered. */
#include <assert.h>

#include <penstock/rpcnterr.h>

#include "proto/assoc_internal.h"

void call_link_nested(struct call *call, struct call *nesting)
{
    assert(call->link && nesting->link && !nesting->link->nested);
    call->link->nesting = nesting;
    call->depth = (uint8_t)(nesting->depth + 1);
    nesting->link->nested = call;
}

void call_unlink_nested(struct call *call)
{
    struct call_link *link = call->link;
    if (!link)
        return;
    if (link->nesting)
        link->nesting->link->nested = NULL;
    if (link->nested) /* the whole association ends, from outside in */
        link->nested->link->nesting = NULL;
    link->nesting = link->nested = NULL;
}

struct call *call_outermost(struct call *call)
{
    while (call_nesting(call))
        call = call_nesting(call);
    return call;
}

bool assoc_awaits_answer(struct assoc *assoc, uint32_t call_id)
{
    const struct call *call = assoc_find_call(assoc, call_id);
    return call && call->caller && call->state != CALL_DONE;
}

struct call *assoc_find_nesting(struct assoc *assoc, uint32_t call_id, uint16_t context_id)
{
    struct call *call = assoc_find_call(assoc, call_id);
    bool waits = call && call->caller && call->state == CALL_WORKING && !call_nested(call);
    return waits && call->context_id == context_id ? call : NULL;
}

RPC_STATUS call_may_nest(const struct call *nesting)
{
    if (!nesting->assoc || nesting->assoc->state == ASSOC_DEAD)
        return RPC_S_CALL_FAILED;
    if (nesting->caller || nesting->state != CALL_WORKING || call_nested(nesting))
        return RPC_S_CALL_FAILED;
    return nesting->depth + 1u >= LIMIT_CALL_NESTING ? RPC_S_OUT_OF_RESOURCES : RPC_S_OK;
}

void call_start_nested(struct call *call, struct call *nesting, uint16_t opnum,
                       const UUID *object)
{
    struct assoc *assoc = nesting->assoc;
    assert(call_may_nest(nesting) == RPC_S_OK);
    call_set(call,
             (struct call){.assoc = assoc,
                           .opnum = opnum,
                           .id = nesting->id,
                           .context_id = nesting->context_id,
                           .ndr64 = nesting->ndr64,
                           .caller = true},
             object);
    list_append(&assoc->calls, &call->node);
    assoc->call_count++;
    call_link_nested(call, nesting);
    call_set_state(call, CALL_REQUEST);
}
