/* SPDX-License-Identifier: MIT */
/* assoc_fuzz.c - arbitrary octets as what the peer of a whole association sends.
 *
 *   octet 0    bit 0: role (0 client, 1 server); bit 1: large fragments
 *   octet 1    seed of everything the application decides: in what pieces octets
 *              arrive, what is accepted, answered, faulted, given up, drained
 *   the rest   the stream
 *
 * After each step the association's account of itself must be right, and what it
 * sends must be whole PDUs of the right role. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "proto/assoc.h"

/* A finding is a crash, also in builds without assertions. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

#define CALLS_MAX  1100u /* above LIMIT_CALLS_PER_ASSOC */
#define OUTPUT_MAX (1u << 22)

static struct call calls[CALLS_MAX];
static struct call_link links[CALLS_MAX];
static bool in_use[CALLS_MAX];
static uint8_t output[OUTPUT_MAX];
static uint8_t stub[20000];
static const struct pdu_syntax iface = {
    .uuid = {0xa7c1e5d0, 0x3b52, 0x4f6e, {0x9d, 0x18, 0x5c, 0x0b, 0x7e, 0x2f, 0x4a, 0x91}},
    .major = 1};
static uint32_t random_state;

/* xorshift: what matters is that it depends on octet 1 alone. */
static uint32_t choose(uint32_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % bound;
}

/* ---- What must hold at any time ------------------------------------------- */

static void check(const struct assoc *assoc)
{
    unsigned count = 0;
    for (const struct list *node = assoc->calls.next; node != &assoc->calls; node = node->next) {
        const struct call *call = list_entry(node, struct call, node);
        REQUIRE(call >= calls && call < calls + CALLS_MAX && in_use[call - calls]);
        REQUIRE(call->assoc == assoc && call->state != CALL_IDLE);
        const struct call *outer = call_nesting(call), *inner = call_nested(call);
        REQUIRE(!outer || (call_nested(outer) == call && outer->id == call->id));
        REQUIRE(!outer || outer->caller != call->caller);
        REQUIRE(!inner || call_nesting(inner) == call);
        REQUIRE(call->depth < LIMIT_CALL_NESTING);
        count++;
    }
    REQUIRE(count == assoc->call_count);
    REQUIRE(assoc->call_count <= LIMIT_CALLS_PER_ASSOC);
    REQUIRE(assoc->context_count <= LIMIT_CONTEXTS);
    REQUIRE(assoc->frag_send % 8 == 0 && assoc->frag_send >= 1432);
    REQUIRE(assoc->frag_send <= assoc->frag_max || assoc->frag_send == 1432);
    REQUIRE(!assoc->incoming_call || assoc->incoming_call->state == CALL_REQUEST);
}

/* Sends everything, in one go. */
static void drain(struct assoc *assoc)
{
    enum pdu_sender sender = assoc->role == ASSOC_CLIENT ? PDU_SENDER_CLIENT : PDU_SENDER_SERVER;
    size_t len = 0;
    struct iovec iov[3];
    for (size_t n = txq_iov(&assoc->txq, iov, 3, 5000); n > 0;
         n = txq_iov(&assoc->txq, iov, 3, 5000)) {
        for (size_t i = 0; i < n; i++) {
            REQUIRE(len + iov[i].iov_len <= OUTPUT_MAX);
            memcpy(output + len, iov[i].iov_base, iov[i].iov_len);
            len += iov[i].iov_len;
            txq_sent(&assoc->txq, iov[i].iov_len);
        }
    }
    for (size_t at = 0; at < len;) {
        struct pdu_header hdr;
        char text[128];
        REQUIRE(pdu_decode_header(output + at, len - at, &hdr) == PDU_OK);
        REQUIRE(hdr.frag_len <= len - at && hdr.frag_len >= pdu_type_min_len(hdr.type));
        /* Calls inside calls go either way. */
        if (hdr.type != PDU_REQUEST && hdr.type != PDU_RESPONSE && hdr.type != PDU_FAULT)
            REQUIRE(pdu_type_sender(hdr.type) == sender);
        pdu_print(text, sizeof(text), output + at, hdr.frag_len);
        REQUIRE(!strstr(text, "malformed"));
        at += hdr.frag_len;
    }
}

/* ---- The application ------------------------------------------------------ */

static struct call *free_call(void)
{
    for (unsigned i = 0; i < CALLS_MAX; i++)
        if (!in_use[i]) {
            in_use[i] = true;
            calls[i].link = &links[i];
            return &calls[i];
        }
    return NULL;
}

/* Innermost first, as they return. */
static void end_call(struct call *call)
{
    if (call_nested(call))
        end_call(call_nested(call));
    call_end(call);
    in_use[call - calls] = false;
}

static void send_some(struct call *call, bool last)
{
    size_t head_len = 8 * choose(9); /* one choice a line: the same with any compiler */
    size_t rest_len = 8 * choose(2000);
    const struct iovec iov[] = {{stub, head_len}, {stub, rest_len}};
    (void)call_send(call, iov, 2, last);
}

/* Calls the peer inside `call`; false: it may not. */
static bool call_inside(struct call *call)
{
    struct call *nested = call_may_nest(call) == RPC_S_OK ? free_call() : NULL;
    if (!nested)
        return false;
    uint16_t opnum = (uint16_t)choose(4);
    call_start_nested(nested, call, opnum, choose(2) ? &iface.uuid : NULL);
    send_some(nested, choose(4) > 0);
    return true;
}

static void on_request(struct assoc *assoc, const struct assoc_event *event)
{
    struct call *call = event->call;
    if (!call) {
        call = choose(5) > 0 ? free_call() : NULL;
        if (!call) {
            assoc_reject(assoc, RPC_S_SERVER_TOO_BUSY, true);
            return;
        }
        assoc_accept(assoc, call);
    }
    switch (choose(6)) {
    case 0:
        call_fault(call, RPC_S_CALL_FAILED, false);
        break;
    case 1:
        end_call(call);
        return;
    case 2: /* later, or never */
        return;
    case 3:
        if (call_inside(call))
            return;
        break;
    default:
        break;
    }
    if (call->state == CALL_WORKING && choose(2))
        send_some(call, false);
    if (call->state == CALL_WORKING || call->state == CALL_RESPONSE)
        send_some(call, true);
    if (call->state == CALL_DONE && choose(3))
        end_call(call);
}

/* What was called inside `call` is over. */
static void go_on(struct call *call)
{
    if (choose(3) == 0 && call_inside(call))
        return;
    if (call->state == CALL_WORKING && choose(4))
        send_some(call, true);
    if (call->state == CALL_DONE)
        end_call(call);
}

static void client_call(struct assoc *assoc)
{
    if (assoc->role == ASSOC_SERVER)
        return;
    struct call *call = assoc->call_count < 8 ? free_call() : NULL;
    if (!call || assoc->state != ASSOC_OPEN) {
        if (call)
            in_use[call - calls] = false;
        return;
    }
    uint16_t opnum = (uint16_t)choose(4);
    const struct assoc_context *context = assoc_context_for(assoc, &iface, ASSOC_SYNTAXES);
    call_start(call, assoc, context ? context->id : 0, opnum, choose(2) ? &iface.uuid : NULL);
    send_some(call, choose(4) > 0);
    if (choose(4) == 0)
        call_cancel(call);
    if (choose(8) == 0)
        call_orphan(call);
}

static void handle(struct assoc *assoc, const struct assoc_event *event)
{
    switch (event->kind) {
    case ASSOC_EVENT_NONE:
        return;
    case ASSOC_EVENT_BIND:
        REQUIRE(assoc->bind && assoc->bind->offer_count <= UINT8_MAX);
        if (choose(16) == 0) /* answered too late, as if it took its time */
            return;
        for (unsigned i = 0; i < assoc->bind->offer_count; i++) {
            assoc->bind->offers[i].supported = ASSOC_SYNTAXES;
            if (choose(4))
                assoc->bind->offers[i].iface = &calls[choose(2)];
        }
        (void)assoc_answer_bind(assoc, choose(16));
        return;
    case ASSOC_EVENT_REQUEST:
        on_request(assoc, event);
        return;
    case ASSOC_EVENT_ORPHANED:
        end_call(event->call);
        return;
    case ASSOC_EVENT_CANCEL:
        if (!call_nested(event->call) && choose(2))
            call_fault(event->call, RPC_S_CALL_CANCELLED, false);
        return;
    case ASSOC_EVENT_BOUND:
        client_call(assoc);
        client_call(assoc);
        if (assoc->state == ASSOC_OPEN && choose(4) == 0)
            (void)assoc_alter(assoc, &iface, ASSOC_SYNTAXES);
        return;
    case ASSOC_EVENT_RESPONSE:
    case ASSOC_EVENT_FAULT:
        if (event->call->state == CALL_DONE) {
            struct call *nesting = call_nesting(event->call);
            end_call(event->call);
            if (nesting)
                go_on(nesting);
        }
        client_call(assoc);
        return;
    case ASSOC_EVENT_DEAD:
        REQUIRE(assoc->state == ASSOC_DEAD && assoc->status != RPC_S_OK);
        REQUIRE(event->status == assoc->status);
        return;
    }
}

static void check_event(const struct assoc *assoc, const struct assoc_event *event,
                        const uint8_t *octets, size_t used, bool was_dead)
{
    if (was_dead)
        REQUIRE(event->kind == ASSOC_EVENT_NONE);
    if (assoc->role == ASSOC_CLIENT)
        REQUIRE(event->kind == ASSOC_EVENT_NONE || event->kind >= ASSOC_EVENT_BOUND ||
                event->kind == ASSOC_EVENT_REQUEST);
    else
        REQUIRE(event->kind != ASSOC_EVENT_BOUND);
    if (event->kind == ASSOC_EVENT_RESPONSE || event->kind == ASSOC_EVENT_FAULT)
        REQUIRE(event->call->caller);
    if (event->kind == ASSOC_EVENT_REQUEST && event->call)
        REQUIRE(!event->call->caller);
    if (event->stub_len > 0)
        REQUIRE(event->stub >= octets && event->stub + event->stub_len <= octets + used);
}

/* Octets that have arrived, in a block of just their size.  Returns how many were
 * taken. */
static size_t receive(struct assoc *assoc, const uint8_t *data, size_t len)
{
    uint8_t *octets = malloc(len > 0 ? len : 1);
    REQUIRE(octets);
    if (len > 0)
        memcpy(octets, data, len);
    size_t used = 0;
    while (used < len) {
        struct assoc_event event;
        size_t need = 0;
        bool was_dead = assoc->state == ASSOC_DEAD;
        size_t n = assoc_recv(assoc, octets + used, len - used, &need, &event);
        REQUIRE(n <= len - used);
        if (n == 0) {
            REQUIRE(need > len - used && need <= PDU_LEN_MAX && event.kind == ASSOC_EVENT_NONE);
            break;
        }
        check_event(assoc, &event, octets + used, n, was_dead);
        handle(assoc, &event);
        check(assoc);
        used += n;
    }
    free(octets);
    return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 2)
        return 0;
    struct assoc assoc;
    random_state = data[1] + 1u;
    for (unsigned i = 0; i < 4; i++)
        choose(2);
    memset(in_use, 0, sizeof(in_use));
    assoc_init(&assoc, data[0] & 1 ? ASSOC_SERVER : ASSOC_CLIENT,
               data[0] & 2 ? LIMIT_FRAG_LOCAL : LIMIT_FRAG_TCP, "5000");
    if (assoc.role == ASSOC_CLIENT)
        REQUIRE(assoc_bind(&assoc, &iface, ASSOC_SYNTAXES, 0) == RPC_S_OK);

    size_t arrived = 2, taken = 2;
    while (arrived < len) {
        size_t step = choose(4) ? 1 + choose(4000) : 1 + choose(30);
        arrived += len - arrived < step ? len - arrived : step;
        taken += receive(&assoc, data + taken, arrived - taken);
        if (choose(2))
            drain(&assoc);
        else
            REQUIRE(txq_settle(&assoc.txq));
        check(&assoc);
    }
    if (choose(2))
        assoc_fail(&assoc, RPC_S_CALL_FAILED);
    if (choose(2))
        drain(&assoc);
    assoc_fini(&assoc);
    for (unsigned i = 0; i < CALLS_MAX; i++)
        REQUIRE(!in_use[i] || !calls[i].assoc);
    return 0;
}
