/* SPDX-License-Identifier: MIT */
/* element.c - runs of values of constant size, the path of all bulk data.
 *
 * A flat type in the host's order is one memcpy, a run of scalars in the other order
 * one loop the compiler turns into vector code.  Structures go column by column:
 *
 *     wire     | a . b b | a . b b | a . b b |      '.' gap
 *                ^---------^---------^  one loop per member, stride between values
 *     memory   | a . . . b b . . | a . . . b b . . |
 *
 * so the descriptor is looked at once per block of elements, not once per element. */
#include "ndr/element.h"

#include <string.h>

#include <penstock/rpcnterr.h>

#include "base/copy.h"
#include "ndr/expr.h"

/* Octets of memory and wire a block of structures covers: columns are walked
 * several times, so a block stays in the first level cache. */
#define BLOCK_LEN 8192
/* Values per round of the swap loops: a constant lets compilers vectorise at -O2. */
#define SWAP_ROUND 16

struct columns {
    const struct ndr_rules *rules;
    size_t wire_stride, memory_stride; /* from one value to the next */
    size_t count;
    bool swap; /* reading only */
};

/* ---- Loops over one column ---------------------------------------------------- */

#define DEFINE_STRIDED(bits, convert)                                                              \
    static void convert##_strided_##bits(uint8_t *out, size_t out_stride, const uint8_t *in,       \
                                         size_t in_stride, size_t count)                           \
    {                                                                                              \
        for (size_t i = 0; i < count; i++) {                                                       \
            uint##bits##_t value;                                                                  \
            memcpy(&value, in + i * in_stride, sizeof(value));                                     \
            value = convert##_##bits(value);                                                       \
            memcpy(out + i * out_stride, &value, sizeof(value));                                   \
        }                                                                                          \
    }

#define DEFINE_SWAP_RUN(bits)                                                                      \
    static void swap_run_##bits(uint8_t *restrict out, const uint8_t *restrict in, size_t count)   \
    {                                                                                              \
        uint##bits##_t values[SWAP_ROUND];                                                         \
        for (; count >= SWAP_ROUND; count -= SWAP_ROUND) {                                         \
            memcpy(values, in, sizeof(values));                                                    \
            for (size_t i = 0; i < SWAP_ROUND; i++)                                                \
                values[i] = swap_##bits(values[i]);                                                \
            memcpy(out, values, sizeof(values));                                                   \
            in += sizeof(values);                                                                  \
            out += sizeof(values);                                                                 \
        }                                                                                          \
        swap_strided_##bits(out, sizeof(values[0]), in, sizeof(values[0]), count);                 \
    }

#define keep_8(value)  (value)
#define keep_16(value) (value)
#define keep_32(value) (value)
#define keep_64(value) (value)
#define swap_16(value) __builtin_bswap16(value)
#define swap_32(value) __builtin_bswap32(value)
#define swap_64(value) __builtin_bswap64(value)

DEFINE_STRIDED(8, keep)
DEFINE_STRIDED(16, keep)
DEFINE_STRIDED(32, keep)
DEFINE_STRIDED(64, keep)
DEFINE_STRIDED(16, swap)
DEFINE_STRIDED(32, swap)
DEFINE_STRIDED(64, swap)
DEFINE_SWAP_RUN(16)
DEFINE_SWAP_RUN(32)
DEFINE_SWAP_RUN(64)

static void copy_column(uint8_t *out, size_t out_stride, const uint8_t *in, size_t in_stride,
                        uint32_t size, size_t count)
{
    if (out_stride == size && in_stride == size) {
        copy_octets(out, in, size * count);
        return;
    }
    switch (size) {
    case 1:
        keep_strided_8(out, out_stride, in, in_stride, count);
        return;
    case 2:
        keep_strided_16(out, out_stride, in, in_stride, count);
        return;
    case 4:
        keep_strided_32(out, out_stride, in, in_stride, count);
        return;
    case 8:
        keep_strided_64(out, out_stride, in, in_stride, count);
        return;
    default: /* a flat structure or array inside */
        for (size_t i = 0; i < count; i++)
            memcpy(out + i * out_stride, in + i * in_stride, size);
    }
}

/* `size` is that of a scalar. */
static void swap_column(uint8_t *out, size_t out_stride, const uint8_t *in, size_t in_stride,
                        uint32_t size, size_t count)
{
    bool packed = out_stride == size && in_stride == size;
    switch (size) {
    case 2:
        if (packed)
            swap_run_16(out, in, count);
        else
            swap_strided_16(out, out_stride, in, in_stride, count);
        return;
    case 4:
        if (packed)
            swap_run_32(out, in, count);
        else
            swap_strided_32(out, out_stride, in, in_stride, count);
        return;
    case 8:
        if (packed)
            swap_run_64(out, in, count);
        else
            swap_strided_64(out, out_stride, in, in_stride, count);
        return;
    default:
        copy_column(out, out_stride, in, in_stride, size, count);
    }
}

/* ---- Writing --------------------------------------------------------------------- */

/* Scalars that are narrower on the wire than in memory. */
static RPC_STATUS narrow_to_wire(const struct columns *c, NDR_KIND kind, uint32_t wire_size,
                                 const uint8_t *memory, uint8_t *wire)
{
    for (size_t i = 0; i < c->count; i++) {
        int64_t value = 0;
        ndr_load_integer(kind, memory + i * c->memory_stride, &value);
        if (kind == NDR_KIND_ENUM16) {
            if (value < 0 || value > INT16_MAX) /* MS-RPCE 2.2.4.11 */
                return RPC_X_ENUM_VALUE_OUT_OF_RANGE;
        } else if (kind == NDR_KIND_INT3264 ? value < INT32_MIN || value > INT32_MAX
                                            : value < 0 || value > UINT32_MAX) {
            return RPC_S_INVALID_BOUND;
        }
        uint16_t v16 = (uint16_t)value;
        uint32_t v32 = (uint32_t)value;
        memcpy(wire + i * c->wire_stride, wire_size == 2 ? (void *)&v16 : (void *)&v32, wire_size);
    }
    return RPC_S_OK;
}

static RPC_STATUS columns_to_wire(const struct columns *c, const NDR_TYPE *type,
                                  const struct ndr_element_layout *layout, const uint8_t *memory,
                                  uint8_t *wire);

static RPC_STATUS struct_to_wire(const struct columns *c, const NDR_TYPE *type,
                                 const uint8_t *memory, uint8_t *wire)
{
    size_t end = 0;
    for (uint32_t i = 0; i < type->count; i++) {
        const NDR_FIELD *field = &type->fields[i];
        struct ndr_element_layout layout;
        ndr_fixed_layout(c->rules, field->type, &layout);
        end = (end + layout.align - 1) & ~(size_t)(layout.align - 1);
        RPC_STATUS status =
            columns_to_wire(c, field->type, &layout, memory + field->offset, wire + end);
        if (status != RPC_S_OK)
            return status;
        end += layout.size;
    }
    return RPC_S_OK;
}

static RPC_STATUS arrays_to_wire(const struct columns *c, const NDR_TYPE *type,
                                 const uint8_t *memory, uint8_t *wire)
{
    struct ndr_element_layout layout;
    ndr_fixed_layout(c->rules, type->element, &layout);
    struct columns inner = *c;
    inner.count = type->count;
    inner.wire_stride = layout.stride;
    inner.memory_stride = layout.memory_size;
    for (size_t i = 0; i < c->count; i++) {
        RPC_STATUS status =
            columns_to_wire(&inner, type->element, &layout, memory + i * c->memory_stride,
                            wire + i * c->wire_stride);
        if (status != RPC_S_OK)
            return status;
    }
    return RPC_S_OK;
}

static RPC_STATUS columns_to_wire(const struct columns *c, const NDR_TYPE *type,
                                  const struct ndr_element_layout *layout, const uint8_t *memory,
                                  uint8_t *wire)
{
    if (layout->flat) {
        copy_column(wire, c->wire_stride, memory, c->memory_stride, layout->size, c->count);
        return RPC_S_OK;
    }
    if (type->kind == NDR_KIND_STRUCT)
        return struct_to_wire(c, type, memory, wire);
    if (type->kind == NDR_KIND_ARRAY)
        return arrays_to_wire(c, type, memory, wire);
    return narrow_to_wire(c, type->kind, layout->size, memory, wire);
}

static size_t block_count(const struct ndr_element_layout *layout)
{
    size_t len = (size_t)layout->stride + layout->memory_size;
    return len < BLOCK_LEN ? BLOCK_LEN / len : 1;
}

RPC_STATUS ndr_run_to_wire(const struct ndr_rules *rules, const NDR_TYPE *type,
                           const struct ndr_element_layout *layout, const void *memory,
                           size_t count, uint8_t *out)
{
    if (count == 0)
        return RPC_S_OK;
    if (layout->flat) {
        copy_octets(out, memory, (size_t)ndr_run_len(layout, count));
        return RPC_S_OK;
    }
    /* Gaps would show the peer what the buffer held before. */
    memset(out, 0, (size_t)ndr_run_len(layout, count));
    const uint8_t *from = memory;
    size_t step = block_count(layout);
    for (size_t done = 0; done < count; done += step) {
        struct columns c = {.rules = rules,
                            .wire_stride = layout->stride,
                            .memory_stride = layout->memory_size,
                            .count = count - done < step ? count - done : step};
        RPC_STATUS status = columns_to_wire(&c, type, layout, from + done * layout->memory_size,
                                            out + done * layout->stride);
        if (status != RPC_S_OK)
            return status;
    }
    return RPC_S_OK;
}

/* ---- Reading ----------------------------------------------------------------------- */

bool ndr_in_range(const NDR_RANGE *range, const NDR_TYPE *type, const uint8_t *memory,
                  size_t stride, size_t count)
{
    if (type->kind == NDR_KIND_ARRAY) {
        size_t size = ndr_memory_size(type->element);
        for (size_t i = 0; i < count; i++)
            if (!ndr_in_range(range, type->element, memory + i * stride, size, type->count))
                return false;
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t value;
        if (!ndr_load_integer(type->kind, memory + i * stride, &value))
            return true;
        if (value < range->low || value > range->high)
            return false;
    }
    return true;
}

static RPC_STATUS enums_from_wire(const struct columns *c, const uint8_t *wire, uint8_t *memory)
{
    for (size_t i = 0; i < c->count; i++) {
        uint16_t v16;
        memcpy(&v16, wire + i * c->wire_stride, sizeof(v16));
        uint32_t v32 = c->swap ? swap_16(v16) : v16;
        if (v32 > INT16_MAX)
            return RPC_X_BAD_STUB_DATA;
        memcpy(memory + i * c->memory_stride, &v32, sizeof(v32));
    }
    return RPC_S_OK;
}

/* __int3264 where pointers have 8 octets (MS-RPCE 2.2.4.1.2). */
static void widen_3264(const struct columns *c, bool is_signed, const uint8_t *wire,
                       uint8_t *memory)
{
    for (size_t i = 0; i < c->count; i++) {
        uint32_t v32;
        memcpy(&v32, wire + i * c->wire_stride, sizeof(v32));
        if (c->swap)
            v32 = swap_32(v32);
        uintptr_t wide = is_signed ? (uintptr_t)(intptr_t)(int32_t)v32 : v32;
        memcpy(memory + i * c->memory_stride, &wide, sizeof(wide));
    }
}

static RPC_STATUS columns_from_wire(const struct columns *c, const NDR_TYPE *type,
                                    const struct ndr_element_layout *layout, const uint8_t *wire,
                                    uint8_t *memory);

static RPC_STATUS struct_from_wire(const struct columns *c, const NDR_TYPE *type,
                                   const uint8_t *wire, uint8_t *memory)
{
    size_t end = 0;
    for (uint32_t i = 0; i < type->count; i++) {
        const NDR_FIELD *field = &type->fields[i];
        uint8_t *to = memory + field->offset;
        struct ndr_element_layout layout;
        ndr_fixed_layout(c->rules, field->type, &layout);
        end = (end + layout.align - 1) & ~(size_t)(layout.align - 1);
        RPC_STATUS status = columns_from_wire(c, field->type, &layout, wire + end, to);
        if (status != RPC_S_OK)
            return status;
        if (field->range &&
            !ndr_in_range(field->range, field->type, to, c->memory_stride, c->count))
            return RPC_X_BAD_STUB_DATA;
        end += layout.size;
    }
    return RPC_S_OK;
}

static RPC_STATUS arrays_from_wire(const struct columns *c, const NDR_TYPE *type,
                                   const uint8_t *wire, uint8_t *memory)
{
    struct ndr_element_layout layout;
    ndr_fixed_layout(c->rules, type->element, &layout);
    struct columns inner = *c;
    inner.count = type->count;
    inner.wire_stride = layout.stride;
    inner.memory_stride = layout.memory_size;
    for (size_t i = 0; i < c->count; i++) {
        RPC_STATUS status =
            columns_from_wire(&inner, type->element, &layout, wire + i * c->wire_stride,
                              memory + i * c->memory_stride);
        if (status != RPC_S_OK)
            return status;
    }
    return RPC_S_OK;
}

static RPC_STATUS columns_from_wire(const struct columns *c, const NDR_TYPE *type,
                                    const struct ndr_element_layout *layout, const uint8_t *wire,
                                    uint8_t *memory)
{
    if (layout->flat && (!c->swap || layout->align == 1)) {
        copy_column(memory, c->memory_stride, wire, c->wire_stride, layout->size, c->count);
        return RPC_S_OK;
    }
    if (type->kind == NDR_KIND_STRUCT)
        return struct_from_wire(c, type, wire, memory);
    if (type->kind == NDR_KIND_ARRAY)
        return arrays_from_wire(c, type, wire, memory);
    if (type->kind == NDR_KIND_ENUM16 && layout->size == 2)
        return enums_from_wire(c, wire, memory);
    if (layout->size == layout->memory_size)
        swap_column(memory, c->memory_stride, wire, c->wire_stride, layout->size, c->count);
    else
        widen_3264(c, type->kind == NDR_KIND_INT3264, wire, memory);
    return RPC_S_OK;
}

RPC_STATUS ndr_run_from_wire(const struct ndr_rules *rules, const NDR_TYPE *type,
                             const struct ndr_element_layout *layout, const uint8_t *in,
                             size_t count, bool swap, void *memory)
{
    if (count == 0)
        return RPC_S_OK;
    uint8_t *to = memory;
    /* A run of scalars, or of what is copied whole, is one column and needs no blocks. */
    bool one_column = type->kind != NDR_KIND_STRUCT && type->kind != NDR_KIND_ARRAY;
    size_t step = one_column || (layout->flat && !swap) ? count : block_count(layout);
    for (size_t done = 0; done < count; done += step) {
        struct columns c = {.rules = rules,
                            .wire_stride = layout->stride,
                            .memory_stride = layout->memory_size,
                            .count = count - done < step ? count - done : step,
                            .swap = swap};
        RPC_STATUS status = columns_from_wire(&c, type, layout, in + done * layout->stride,
                                              to + done * layout->memory_size);
        if (status != RPC_S_OK)
            return status;
    }
    return RPC_S_OK;
}

/* ---- Elements of pipes --------------------------------------------------------------- */

/* Kinds whose size in memory or in another syntax differs are no pipe elements: their
 * conversion could fail, and a push has no way to say so (MIDL2317). */
static bool element_allowed(const NDR_TYPE *type)
{
    if (type->kind == NDR_KIND_ARRAY)
        return element_allowed(type->element);
    if (type->kind == NDR_KIND_STRUCT) {
        for (uint32_t i = 0; i < type->count; i++)
            if (!element_allowed(type->fields[i].type))
                return false;
        return true;
    }
    return type->kind != NDR_KIND_ENUM16 && type->kind != NDR_KIND_INT3264 &&
           type->kind != NDR_KIND_UINT3264;
}

static const struct ndr_rules *rules_of(bool ndr64)
{
    return ndr64 ? &ndr64_rules : &ndr20_rules;
}

RPC_STATUS ndr_element_layout(const NDR_TYPE *element, bool ndr64,
                              struct ndr_element_layout *ret_layout)
{
    struct ndr_element_layout layout;
    if (!ndr_fixed_layout(rules_of(ndr64), element, &layout) || !element_allowed(element))
        return RPC_S_CANNOT_SUPPORT;
    *ret_layout = layout;
    return RPC_S_OK;
}

void ndr_elements_to_wire(const NDR_TYPE *element, bool ndr64, const void *memory, size_t count,
                          uint8_t *out)
{
    const struct ndr_rules *rules = rules_of(ndr64);
    struct ndr_element_layout layout;
    if (ndr_fixed_layout(rules, element, &layout))
        ndr_run_to_wire(rules, element, &layout, memory, count, out);
}

RPC_STATUS ndr_elements_from_wire(const NDR_TYPE *element, bool ndr64, const uint8_t *in,
                                  size_t count, bool little_endian, void *memory)
{
    const struct ndr_rules *rules = rules_of(ndr64);
    struct ndr_element_layout layout;
    if (!ndr_fixed_layout(rules, element, &layout))
        return RPC_S_CANNOT_SUPPORT;
    return ndr_run_from_wire(rules, element, &layout, in, count,
                             little_endian != NDR_HOST_LITTLE_ENDIAN, memory);
}
