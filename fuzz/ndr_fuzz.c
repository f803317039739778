/* SPDX-License-Identifier: MIT */
/* ndr_fuzz.c - arbitrary octets through the NDR engine.
 *
 *     octet 0   operation (or, above those, a pipe element type)
 *     octet 1   bit 0: little-endian; bit 1: more octets may come; bit 2: NDR64;
 *               bits 4-7: origin
 *     rest      a request stub; what it leaves over is taken as the response to a client
 *               whose arguments the request was
 *
 * What was accepted is encoded, decoded and encoded again: both encodings are equal.
 * Nothing leaks, nothing that was refused leaves memory behind. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "../tests/unit/ndr_heap.h"
#include "../tests/unit/ndr_samples.h"
#include "ndr/layout.h"
#include "ndr/ndr.h"

/* What one input may claim; fuzzers watch the memory. */
#define FUZZ_ALLOCATED_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const NDR_TYPE *const element_types[] = {&t_byte, &t_short, &t_hyper, &t_info, &t_double};

static void print_and_drop(const NDR_OPERATION *operation, const union frames *frame,
                           uint32_t direction)
{
    char text[200];
    ndr_print_params(operation, frame, direction, text, sizeof(text));
    assert(strlen(text) < sizeof(text));
}

/* encode(decode(encode(frame))) is encode(frame). */
static void check_round_trip(const NDR_OPERATION *operation, const union frames *frame,
                             uint64_t origin, bool ndr64)
{
    union frames again;
    struct ndr_writer first, second;
    memset(&again, 0, sizeof(again));
    ndr_writer_init(&first);
    ndr_writer_init(&second);
    first.origin = second.origin = origin;
    first.ndr64 = second.ndr64 = ndr64;
    RPC_STATUS status = ndr_encode_params(&first, operation, frame, NDR_PARAM_IN);
    if (status == RPC_X_NULL_REF_POINTER)
        goto out; /* [out] memory a server does not have yet */
    assert(status == RPC_S_OK);
    struct ndr_reader reader = {.octets = first.octets,
                                .len = first.len,
                                .origin = origin,
                                .ndr64 = ndr64,
                                .little_endian = NDR_HOST_LITTLE_ENDIAN,
                                .last = true};
    enum ndr_verdict verdict = ndr_decode_params(&reader, operation, &again, NDR_PARAM_IN, &heap);
    assert(verdict == NDR_DONE && reader.pos == first.len);
    /* `frame` may have [out] memory by now, `again` not: only [in] is compared */
    status = ndr_prepare_out(operation, &again, &heap);
    assert(status == RPC_S_OK);
    status = ndr_encode_params(&second, operation, &again, NDR_PARAM_IN);
    assert(status == RPC_S_OK && second.len == first.len);
    assert(first.len == 0 || memcmp(first.octets, second.octets, first.len) == 0);
    ndr_free_params(operation, &again, &heap);
out:
    ndr_writer_fini(&first);
    ndr_writer_fini(&second);
}

/* The frame becomes a client's and is filled from a response. */
static void answer(const NDR_OPERATION *operation, union frames *frame, struct ndr_reader reader)
{
    reader.octets += reader.pos;
    reader.len -= reader.pos;
    reader.pos = 0;
    if (ndr_decode_params(&reader, operation, frame, NDR_PARAM_OUT, &heap) != NDR_DONE)
        return;
    struct ndr_writer writer;
    ndr_writer_init(&writer);
    writer.ndr64 = reader.ndr64;
    RPC_STATUS status = ndr_encode_params(&writer, operation, frame, NDR_PARAM_OUT);
    assert(status == RPC_S_OK);
    ndr_writer_fini(&writer);
    print_and_drop(operation, frame, NDR_PARAM_OUT);
}

static void try_operation(const NDR_OPERATION *operation, struct ndr_reader reader)
{
    union frames frame;
    static const union frames zero;
    memset(&frame, 0, sizeof(frame));
    enum ndr_verdict verdict = ndr_decode_params(&reader, operation, &frame, NDR_PARAM_IN, &heap);
    if (verdict != NDR_DONE) {
        assert(heap_live == 0 && memcmp(&frame, &zero, sizeof(zero)) == 0);
        assert(verdict == NDR_FAILED ? reader.status != RPC_S_OK
                                     : !reader.last && reader.need > reader.len);
        return;
    }
    assert(reader.pos <= reader.len);
    print_and_drop(operation, &frame, NDR_PARAM_IN);
    struct ndr_memory limited = heap;
    limited.prepare_max = FUZZ_ALLOCATED_MAX;
    if (ndr_prepare_out(operation, &frame, &limited) == RPC_S_OK) {
        check_round_trip(operation, &frame, reader.origin, reader.ndr64);
        if (reader.pos < reader.len) {
            answer(operation, &frame, reader);
            heap_free_all(); /* pointers a response cleared are the application's */
            return;
        }
    }
    ndr_free_params(operation, &frame, &heap);
    assert(heap_live == 0);
}

static void try_elements(const NDR_TYPE *type, struct ndr_reader reader)
{
    struct ndr_element_layout layout;
    RPC_STATUS status = ndr_element_layout(type, false, &layout);
    assert(status == RPC_S_OK);
    size_t count = (reader.len + layout.stride - layout.size) / layout.stride;
    size_t len = (size_t)ndr_run_len(&layout, count);
    assert(len <= reader.len);
    uint8_t *memory = calloc(count + 1, layout.memory_size);
    uint8_t *first = malloc(len + 1), *second = malloc(len + 1);
    assert(memory && first && second);
    status = ndr_elements_from_wire(type, false, reader.octets, count, reader.little_endian, memory);
    assert(status == RPC_S_OK);
    ndr_elements_to_wire(type, false, memory, count, first);
    status = ndr_elements_from_wire(type, false, first, count, NDR_HOST_LITTLE_ENDIAN, memory);
    assert(status == RPC_S_OK);
    ndr_elements_to_wire(type, false, memory, count, second);
    assert(memcmp(first, second, len) == 0);
    free(memory);
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct ndr_reader reader = {.octets = data + 2,
                                .len = size - 2,
                                .origin = data[1] >> 4,
                                .little_endian = data[1] & 1,
                                .last = !(data[1] & 2),
                                .ndr64 = data[1] & 4,
                                .allocated_max = FUZZ_ALLOCATED_MAX,
                                .depth_max = 200};
    size_t choice = data[0] % (COUNT_OF(sample_operations) + COUNT_OF(element_types));
    if (choice < COUNT_OF(sample_operations))
        try_operation(sample_operations[choice], reader);
    else
        try_elements(element_types[choice - COUNT_OF(sample_operations)], reader);
    return 0;
}
