/* SPDX-License-Identifier: MIT */
/* ndr_fuzz.c - arbitrary octets through the NDR engine.
 *
 *     octet 0   operation (or, above those, a pipe element type)
 *     octet 1   bit 0: little-endian; bit 1: more octets may come; bit 2: NDR64;
 *               bits 4-7: origin
 *     rest      a request stub; what it leaves over is taken as the response to a client
 *               whose arguments the request was
 *
 * What is asserted of operations: ndr_try.h. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../tests/unit/ndr_samples.h"
#include "ndr_try.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const NDR_TYPE *const element_types[] = {&t_byte, &t_short, &t_hyper, &t_info, &t_double};

static void try_elements(const NDR_TYPE *type, struct ndr_reader reader)
{
    struct ndr_element_layout layout;
    RPC_STATUS status = ndr_element_layout(type, reader.ndr64, &layout);
    assert(status == RPC_S_OK);
    size_t count = (reader.len + layout.stride - layout.size) / layout.stride;
    size_t len = (size_t)ndr_run_len(&layout, count);
    assert(len <= reader.len);
    uint8_t *memory = calloc(count + 1, layout.memory_size);
    uint8_t *first = malloc(len + 1), *second = malloc(len + 1);
    assert(memory && first && second);
    status = ndr_elements_from_wire(type, reader.ndr64, reader.octets, count, reader.little_endian, memory);
    assert(status == RPC_S_OK);
    ndr_elements_to_wire(type, reader.ndr64, memory, count, first);
    status = ndr_elements_from_wire(type, reader.ndr64, first, count, NDR_HOST_LITTLE_ENDIAN, memory);
    assert(status == RPC_S_OK);
    ndr_elements_to_wire(type, reader.ndr64, memory, count, second);
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
