/* SPDX-License-Identifier: MIT */
/* ndr_try.h - octets through the engine as one operation's request, and what is left over
 * as the response to a client whose arguments the request was.
 *
 * What was accepted is encoded, decoded and encoded again: both encodings are equal.
 * Nothing leaks, nothing that was refused leaves memory behind.
 *
 * Where the program converts values, its routines may refuse what came, or what they made of
 * it; that is for `fuzz_may_refuse` to judge.  [cs_char] arrays: the manager's view of the request
 * becomes the arguments of a client, which gets the response. */
#ifndef PENSTOCK_FUZZ_NDR_TRY_H
#define PENSTOCK_FUZZ_NDR_TRY_H

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "../tests/unit/ndr_heap.h"
#include "ndr/layout.h"
#include "ndr/ndr.h"
#include "runtime/characters.h"
#include "runtime/exception.h"

/* What one input may claim; fuzzers watch the memory. */
#define FUZZ_ALLOCATED_MAX ((size_t)1 << 20)

/* Does a routine of the target raise or say this?  NULL: none does. */
static bool (*fuzz_may_refuse)(RPC_STATUS status);

static const struct ndr_memory program_memory = {
    .allocate = heap_allocate, .free = heap_free, .run = exception_run};

static bool is_refusal(const NDR_OPERATION *operation, RPC_STATUS status)
{
    bool converts = (operation->flags & NDR_OP_CONVERTS) || operation->characters;
    return converts && status != RPC_S_OK && fuzz_may_refuse && fuzz_may_refuse(status);
}

/* ---- Context handles: the octets themselves, as many as one input has ------------------- */

#define HANDLES_MAX 256u

static uint8_t handle_octets[HANDLES_MAX][NDR_CONTEXT_LEN];
static unsigned handle_count;

static RPC_STATUS handle_to_wire(void *arg, const NDR_TYPE *type, const void *slot, uint8_t *out)
{
    const void *handle;
    (void)arg, (void)type;
    memcpy(&handle, slot, sizeof(handle));
    memset(out, 0, NDR_CONTEXT_LEN);
    if (handle)
        memcpy(out, handle, NDR_CONTEXT_LEN);
    return RPC_S_OK;
}

static RPC_STATUS handle_from_wire(void *arg, const NDR_TYPE *type, const uint8_t *in, void *slot)
{
    static const uint8_t null[NDR_CONTEXT_LEN];
    const void *handle = NULL;
    (void)arg, (void)type;
    if (memcmp(in, null, sizeof(null)) != 0) {
        if (handle_count == HANDLES_MAX)
            return RPC_X_SS_CONTEXT_MISMATCH;
        handle = memcpy(handle_octets[handle_count++], in, NDR_CONTEXT_LEN);
    }
    memcpy(slot, &handle, sizeof(handle));
    return RPC_S_OK;
}

static const struct ndr_context_hooks handles = {.to_wire = handle_to_wire,
                                                 .from_wire = handle_from_wire};

/* ---- There and back ------------------------------------------------------------------------ */

static void print_and_drop(const NDR_OPERATION *operation, const void *frame,
                           uint32_t direction)
{
    char text[200];
    ndr_print_params(operation, frame, direction, text, sizeof(text));
    assert(strlen(text) < sizeof(text));
}

/* encode(decode(encode(frame))) is encode(frame). */
static void check_round_trip(const NDR_OPERATION *operation, const void *frame,
                             uint64_t origin, bool ndr64)
{
    void *again = calloc(1, operation->frame_size);
    struct ndr_writer first, second;
    assert(again);
    ndr_writer_init(&first);
    ndr_writer_init(&second);
    first.origin = second.origin = origin;
    first.ndr64 = second.ndr64 = ndr64;
    first.contexts = second.contexts = &handles;
    first.memory = second.memory = &program_memory;
    RPC_STATUS status = ndr_encode_params(&first, operation, frame, NDR_PARAM_IN);
    if (status == RPC_X_NULL_REF_POINTER || is_refusal(operation, status))
        goto out; /* [out] memory a server does not have yet */
    assert(status == RPC_S_OK);
    struct ndr_reader reader = {.octets = first.octets,
                                .len = first.len,
                                .origin = origin,
                                .ndr64 = ndr64,
                                .contexts = &handles,
                                .little_endian = NDR_HOST_LITTLE_ENDIAN,
                                .last = true};
    enum ndr_verdict verdict =
        ndr_decode_params(&reader, operation, again, NDR_PARAM_IN, &program_memory);
    if (verdict == NDR_FAILED && is_refusal(operation, reader.status))
        goto out; /* what the routines made of a value they took is one they do not take */
    assert(verdict == NDR_DONE && reader.pos == first.len);
    /* `frame` may have [out] memory by now, `again` not: only [in] is compared */
    status = ndr_prepare_out(operation, again, &program_memory);
    assert(status == RPC_S_OK);
    status = ndr_encode_params(&second, operation, again, NDR_PARAM_IN);
    if (!is_refusal(operation, status)) {
        assert(status == RPC_S_OK && second.len == first.len);
        assert(first.len == 0 || memcmp(first.octets, second.octets, first.len) == 0);
    }
    ndr_free_params(operation, again, &program_memory);
out:
    free(again);
    ndr_writer_fini(&first);
    ndr_writer_fini(&second);
}

/* A server's answer, of a frame that is good. */
static void respond(const NDR_OPERATION *operation, const void *frame, bool ndr64)
{
    struct ndr_writer writer;
    ndr_writer_init(&writer);
    writer.ndr64 = ndr64;
    writer.contexts = &handles;
    writer.memory = &program_memory;
    RPC_STATUS status = ndr_encode_params(&writer, operation, frame, NDR_PARAM_OUT);
    assert(status == RPC_S_OK || is_refusal(operation, status));
    ndr_writer_fini(&writer);
}

/* The frame becomes a client's and is filled from a response. */
static void answer(const NDR_OPERATION *operation, void *frame, struct ndr_reader reader)
{
    reader.octets += reader.pos;
    reader.len -= reader.pos;
    reader.pos = 0;
    if (ndr_decode_params(&reader, operation, frame, NDR_PARAM_OUT, &program_memory) != NDR_DONE)
        return;
    respond(operation, frame, reader.ndr64);
    print_and_drop(operation, frame, NDR_PARAM_OUT);
}

/* ---- [cs_char] ------------------------------------------------------------------------------- */

struct manager {
    const NDR_OPERATION *operation;
    struct ndr_reader reader;
    void *frame; /* characters, as the manager has them */
};

/* A client with the manager's arguments; the response is what is left over of the input. */
static void call_with_characters(void *arg)
{
    struct manager *m = arg;
    struct characters *call;
    RPC_STATUS status = characters_new(m->operation, m->frame, NULL, &program_memory, &call);
    if (status != RPC_S_OK) {
        assert(is_refusal(m->operation, status));
        return;
    }
    struct ndr_writer writer;
    ndr_writer_init(&writer);
    writer.ndr64 = m->reader.ndr64;
    status = ndr_encode_params(&writer, m->operation, characters_frame(call), NDR_PARAM_IN);
    assert(status == RPC_S_OK);
    ndr_writer_fini(&writer);
    m->reader.octets += m->reader.pos;
    m->reader.len -= m->reader.pos;
    m->reader.pos = 0;
    m->reader.last = true;
    if (ndr_decode_params(&m->reader, m->operation, characters_frame(call), NDR_PARAM_OUT,
                          &program_memory) == NDR_DONE)
        (void)characters_take_reply(call);
    characters_free(call);
}

static void try_characters(const NDR_OPERATION *operation, void *frame, struct ndr_reader reader)
{
    struct manager manager = {.operation = operation, .reader = reader, .frame = frame};
    bool raised;
    if (characters_manage(operation, frame, NULL, &program_memory, FUZZ_ALLOCATED_MAX, call_with_characters,
                          &manager, &raised) == RPC_S_OK)
        respond(operation, frame, reader.ndr64);
    assert(!raised);
}

/* ---- One operation -----------------------------------------------------------------------------
 */

/* `frame` is zeroed and of the operation's size. */
static void try_frame(const NDR_OPERATION *operation, struct ndr_reader reader, void *frame)
{
    enum ndr_verdict verdict =
        ndr_decode_params(&reader, operation, frame, NDR_PARAM_IN, &program_memory);
    if (verdict != NDR_DONE) {
        assert(heap_live == 0);
        for (uint32_t i = 0; i < operation->frame_size; i++)
            assert(((const uint8_t *)frame)[i] == 0);
        assert(verdict == NDR_FAILED ? reader.status != RPC_S_OK
                                     : !reader.last && reader.need > reader.len);
        return;
    }
    assert(reader.pos <= reader.len);
    print_and_drop(operation, frame, NDR_PARAM_IN);
    struct ndr_memory limited = program_memory;
    limited.prepare_max = FUZZ_ALLOCATED_MAX;
    if (ndr_prepare_out(operation, frame, &limited) == RPC_S_OK) {
        check_round_trip(operation, frame, reader.origin, reader.ndr64);
        if (operation->characters) {
            try_characters(operation, frame, reader);
        } else if (reader.pos < reader.len) {
            answer(operation, frame, reader);
            heap_free_all(); /* pointers a response cleared are the application's */
            return;
        }
    }
    ndr_free_params(operation, frame, &program_memory);
    assert(heap_live == 0);
}

static inline void try_operation(const NDR_OPERATION *operation, struct ndr_reader reader)
{
    void *frame = calloc(1, operation->frame_size + 1);
    assert(frame);
    handle_count = 0;
    reader.contexts = &handles;
    try_frame(operation, reader, frame);
    free(frame);
}

#endif
