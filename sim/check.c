/* SPDX-License-Identifier: MIT */
/* check.c - reads along on the wire and knows the rules of it (wire.md 1.8 to 1.11,
 * 5.2 to 5.6), nothing of what either side meant to do. */
#include <string.h>

#include "sim.h"

void sim_watch_init(struct sim_watch *watch)
{
    *watch = (struct sim_watch){0};
    for (unsigned i = 0; i < 2; i++)
        watch->partial[i] = sim_alloc(PDU_LEN_MAX);
}

void sim_watch_fini(struct sim_watch *watch)
{
    for (unsigned i = 0; i < 2; i++)
        sim_free(watch->partial[i]);
}

static struct sim_seen *find(struct sim_watch *watch, uint32_t call_id)
{
    for (unsigned i = 0; i < watch->seen_count; i++)
        if (watch->seen[i].call_id == call_id)
            return &watch->seen[i];
    return NULL;
}

/* Also called before the first fragment of a call is seen on the wire. */
static struct sim_seen *find_or_add(struct sim *sim, uint32_t call_id)
{
    struct sim_seen *seen = find(&sim->watch, call_id);
    if (seen)
        return seen;
    if (sim->watch.seen_count == SIM_CALLS_MAX)
        sim_fail(sim, "more calls on the wire than were made: %u", call_id);
    seen = &sim->watch.seen[sim->watch.seen_count++];
    seen->call_id = call_id;
    return seen;
}

void sim_watch_push(struct sim *sim, int direction, uint32_t call_id, uint64_t offset)
{
    if (sim->trouble.flip) /* also in the number of a call that comes in */
        return;
    struct sim_seen *seen = find_or_add(sim, call_id);
    if (offset % 8 == 0)
        return;
    if (seen->odd_count[direction] == SIM_ODD_ENDS)
        sim_fail(sim, "call %u: too many pushes in the queue", call_id);
    unsigned at = (seen->odd_head[direction] + seen->odd_count[direction]++) % SIM_ODD_ENDS;
    seen->odd_ends[direction][at] = offset;
}

/* Did a push end here?  They are asked for in order. */
static bool push_ended_at(struct sim_seen *seen, int direction, uint64_t offset)
{
    while (seen->odd_count[direction] > 0) {
        uint64_t end = seen->odd_ends[direction][seen->odd_head[direction]];
        if (end >= offset)
            return end == offset;
        seen->odd_head[direction] = (seen->odd_head[direction] + 1) % SIM_ODD_ENDS;
        seen->odd_count[direction]--;
    }
    return false;
}

/* Where a fragment of `len` stub octets may end. */
static void check_stub(struct sim *sim, struct sim_seen *seen, int direction, size_t len, bool last)
{
    seen->stub_len[direction] += len;
    uint64_t end = seen->stub_len[direction];
    if (last)
        return;
    if (len == 0)
        sim_fail(sim, "call %u: an empty fragment before the last", seen->call_id);
    if (end % 8 != 0 && (end % 4 != 0 || !push_ended_at(seen, direction, end)))
        sim_fail(sim, "call %u: a fragment ends at stub octet %llu", seen->call_id,
                 (unsigned long long)end);
}

/* A request: of a new call, or going the other way inside the innermost one, which must
 * have come whole and not have begun its answer (MS-RPCE 3.3.1.5.9). */
static struct sim_seen_level *begin_request(struct sim *sim, struct sim_seen *seen, int direction)
{
    struct sim_watch *watch = &sim->watch;
    struct sim_seen_level *level = &seen->levels[seen->depth];
    const struct sim_seen *before = find(watch, watch->incoming[direction]);
    if (before && !before->over && !before->orphaned)
        sim_fail(sim, "call %u: begins inside the request of call %u", seen->call_id,
                 before->call_id);
    watch->incoming[direction] = seen->call_id;
    if (level->request_begun) {
        if (!level->request_ended || level->response_begun || seen->depth + 1 == SIM_DEPTH_MAX)
            sim_fail(sim, "call %u: a call inside it that may not be", seen->call_id);
        seen->depth++;
        level++;
    } else if (seen->call_id <= watch->last_call_id) {
        sim_fail(sim, "call %u: id does not rise", seen->call_id);
    } else {
        watch->last_call_id = seen->call_id;
    }
    level->request_begun = true;
    return level;
}

/* Requests of even levels go to the server, answers to them back. */
static bool goes_right(const struct sim_seen *seen, int direction, bool request)
{
    return (seen->depth % 2 == 0) == ((direction == SIM_TO_SERVER) == request);
}

static void check_request(struct sim *sim, int direction, const struct pdu_header *hdr,
                          const uint8_t *pdu)
{
    struct sim_watch *watch = &sim->watch;
    struct pdu_request request;
    if (pdu_decode_request(hdr, pdu, hdr->frag_len, &request) != PDU_OK)
        sim_fail(sim, "call %u: malformed request", hdr->call_id);
    struct sim_seen *seen = find_or_add(sim, hdr->call_id);
    bool first = (hdr->flags & PFC_FIRST_FRAG) != 0, last = (hdr->flags & PFC_LAST_FRAG) != 0;
    struct sim_seen_level *level = &seen->levels[seen->depth];
    /* A client may hear of a fault in the middle of its request. */
    if ((seen->over && first) || (direction == SIM_TO_SERVER && seen->orphaned))
        sim_fail(sim, "call %u: a request behind its end", hdr->call_id);
    if (first)
        level = begin_request(sim, seen, direction);
    else if (watch->incoming[direction] != hdr->call_id)
        sim_fail(sim, "call %u: fragment inside the request of call %u", hdr->call_id,
                 watch->incoming[direction]);
    if (!level->request_begun || level->request_ended || !goes_right(seen, direction, true))
        sim_fail(sim, "call %u: request fragment out of order", hdr->call_id);
    level->request_ended = last;
    if (last)
        watch->incoming[direction] = 0;
    if (seen->depth == 0)
        check_stub(sim, seen, direction, request.stub_len, last);
}

/* The innermost call is over: the one around it goes on. */
static void end_level(struct sim_seen *seen)
{
    if (seen->depth == 0)
        seen->over = true;
    else
        seen->levels[seen->depth--] = (struct sim_seen_level){0};
}

static void check_response(struct sim *sim, int direction, const struct pdu_header *hdr,
                           const uint8_t *pdu)
{
    struct pdu_response response;
    if (pdu_decode_response(hdr, pdu, hdr->frag_len, &response) != PDU_OK)
        sim_fail(sim, "call %u: malformed response", hdr->call_id);
    struct sim_seen *seen = find(&sim->watch, hdr->call_id);
    if (!seen || seen->over || !seen->levels[seen->depth].request_ended ||
        !goes_right(seen, direction, false))
        sim_fail(sim, "call %u: response before the end of the request", hdr->call_id);
    struct sim_seen_level *level = &seen->levels[seen->depth];
    if (((hdr->flags & PFC_FIRST_FRAG) != 0) == level->response_begun)
        sim_fail(sim, "call %u: response fragment out of order", hdr->call_id);
    if (direction == SIM_TO_SERVER && seen->orphaned)
        sim_fail(sim, "call %u: an answer behind its orphaned", hdr->call_id);
    bool last = (hdr->flags & PFC_LAST_FRAG) != 0;
    level->response_begun = true;
    if (seen->depth == 0)
        check_stub(sim, seen, direction, response.stub_len, last);
    if (last)
        end_level(seen);
}

static void check_fault(struct sim *sim, int direction, const struct pdu_header *hdr,
                        const uint8_t *pdu)
{
    struct pdu_fault fault;
    if (pdu_decode_fault(hdr, pdu, hdr->frag_len, &fault) != PDU_OK)
        sim_fail(sim, "call %u: malformed fault", hdr->call_id);
    struct sim_seen *seen = find(&sim->watch, hdr->call_id);
    if (!seen || seen->over || !seen->levels[seen->depth].request_begun ||
        !goes_right(seen, direction, false))
        sim_fail(sim, "call %u: a fault for no call", hdr->call_id);
    end_level(seen);
}

static void check_cancel(struct sim *sim, const struct pdu_header *hdr)
{
    struct sim_seen *seen = find(&sim->watch, hdr->call_id);
    if (!seen || (!seen->over && !seen->levels[0].request_begun) || seen->orphaned)
        sim_fail(sim, "call %u: cancel of no call", hdr->call_id);
    seen->orphaned = hdr->type == PDU_ORPHANED;
}

static void check_pdu(struct sim *sim, int direction, const struct pdu_header *hdr,
                      const uint8_t *pdu)
{
    enum pdu_sender sender = direction == SIM_TO_SERVER ? PDU_SENDER_CLIENT : PDU_SENDER_SERVER;
    bool either = hdr->type == PDU_REQUEST || hdr->type == PDU_RESPONSE || hdr->type == PDU_FAULT;
    if ((pdu_type_sender(hdr->type) != sender && !either) ||
        hdr->frag_len < pdu_type_min_len(hdr->type))
        sim_fail(sim, "%s from the wrong side", pdu_type_name(hdr->type));
    sim->watch.pdus++;
    /* Where bits flip a side rightly answers what nobody has sent. */
    if (sim->trouble.flip)
        return;
    if (hdr->frag_len > sim->frag_max[0] || hdr->frag_len > sim->frag_max[1])
        sim_fail(sim, "%s of %u octets", pdu_type_name(hdr->type), hdr->frag_len);
    bool bind = hdr->type == PDU_BIND || hdr->type == PDU_BIND_ACK || hdr->type == PDU_BIND_NAK;
    if (direction == SIM_TO_SERVER && bind == sim->watch.bound)
        sim_fail(sim, "%s in the wrong place", pdu_type_name(hdr->type));
    sim->watch.bound = true;

    switch (hdr->type) {
    case PDU_REQUEST:
        check_request(sim, direction, hdr, pdu);
        break;
    case PDU_RESPONSE:
        check_response(sim, direction, hdr, pdu);
        break;
    case PDU_FAULT:
        check_fault(sim, direction, hdr, pdu);
        break;
    case PDU_CO_CANCEL:
    case PDU_ORPHANED:
        check_cancel(sim, hdr);
        break;
    case PDU_BIND:
    case PDU_BIND_ACK:
        break;
    default:
        sim_fail(sim, "unexpected %s", pdu_type_name(hdr->type));
    }
}

/* Octets as the transport took them; PDUs are looked at when they are whole. */
void sim_watch_octets(struct sim *sim, int direction, const uint8_t *octets, size_t len)
{
    struct sim_watch *watch = &sim->watch;
    uint8_t *partial = watch->partial[direction];
    size_t *partial_len = &watch->partial_len[direction];
    while (len > 0) {
        struct pdu_header hdr = {0};
        size_t want = PDU_HEADER_LEN;
        if (pdu_decode_header(partial, *partial_len, &hdr) == PDU_OK)
            want = hdr.frag_len;
        size_t part = want - *partial_len < len ? want - *partial_len : len;
        memcpy(partial + *partial_len, octets, part);
        *partial_len += part;
        octets += part;
        len -= part;
        if (*partial_len < PDU_HEADER_LEN)
            continue;
        if (pdu_decode_header(partial, *partial_len, &hdr) != PDU_OK)
            sim_fail(sim, "malformed header");
        if (*partial_len < hdr.frag_len)
            continue;
        if (sim->trace) {
            char text[200];
            pdu_print(text, sizeof(text), partial, hdr.frag_len);
            sim_trace(sim, "%s %s", direction == SIM_TO_SERVER ? "client -->" : "server -->", text);
        }
        check_pdu(sim, direction, &hdr, partial);
        *partial_len = 0;
    }
}
