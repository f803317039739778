/* SPDX-License-Identifier: MIT */
/* layout.c - sizes and alignments of types (C706 14.2 and 14.3, MS-RPCE 2.2.4).
 * Recursion follows the nesting of a type without its pointers, which the IDL
 * compiler bounds; no octet of a peer has a say. */
#include "ndr/layout.h"

#include <assert.h>

#include "ndr/union.h"

const struct ndr_rules ndr20_rules = {
    .count_size = 4,
    .pointer_size = 4,
    .enum16_size = 2,
    .int3264_size = 4,
    .refs_in_arrays = false, /* C706 14.3.12.2 */
    .pads = false,
};

/* MS-RPCE 2.2.5. */
const struct ndr_rules ndr64_rules = {
    .count_size = 8,
    .pointer_size = 8,
    .enum16_size = 4,
    .int3264_size = 8,
    .refs_in_arrays = true, /* MS-RPCE 2.2.5.3.5.1 */
    .pads = true,
};

/* [kind] = {memory, wire}; wire 0: a rule of the syntax decides. */
static const struct {
    uint8_t memory, wire;
} scalars[NDR_KIND_COUNT] = {
    [NDR_KIND_BOOLEAN] = {1, 1},
    [NDR_KIND_BYTE] = {1, 1},
    [NDR_KIND_CHAR] = {1, 1},
    [NDR_KIND_INT8] = {1, 1},
    [NDR_KIND_UINT8] = {1, 1},
    [NDR_KIND_INT16] = {2, 2},
    [NDR_KIND_UINT16] = {2, 2},
    [NDR_KIND_WCHAR] = {2, 2},
    [NDR_KIND_INT32] = {4, 4},
    [NDR_KIND_UINT32] = {4, 4},
    [NDR_KIND_INT64] = {8, 8},
    [NDR_KIND_UINT64] = {8, 8},
    [NDR_KIND_FLOAT] = {4, 4},
    [NDR_KIND_DOUBLE] = {8, 8},
    [NDR_KIND_ENUM16] = {4, 0},
    [NDR_KIND_ENUM32] = {4, 4},
    [NDR_KIND_INT3264] = {sizeof(void *), 0},
    [NDR_KIND_UINT3264] = {sizeof(void *), 0},
    [NDR_KIND_ERROR_STATUS] = {4, 4},
};

uint32_t ndr_scalar_memory_size(NDR_KIND kind)
{
    return scalars[kind].memory;
}

uint32_t ndr_scalar_wire_size(const struct ndr_rules *rules, NDR_KIND kind)
{
    if (kind == NDR_KIND_ENUM16)
        return rules->enum16_size;
    if (kind == NDR_KIND_INT3264 || kind == NDR_KIND_UINT3264)
        return rules->int3264_size;
    return scalars[kind].wire;
}

const NDR_TYPE *ndr_next_dimension(const NDR_TYPE *type)
{
    const NDR_TYPE *next = type->element;
    bool both = next->kind == NDR_KIND_ARRAY && (type->flags & next->flags & NDR_TYPE_VARYING);
    return both ? next : NULL;
}

bool ndr_is_conformant(const NDR_TYPE *type)
{
    return (type->kind == NDR_KIND_ARRAY || type->kind == NDR_KIND_STRING) && type->count == 0;
}

size_t ndr_memory_size(const NDR_TYPE *type)
{
    if (type->kind == NDR_KIND_POINTER || type->kind == NDR_KIND_CONTEXT)
        return sizeof(void *);
    if (type->kind == NDR_KIND_STRUCT || type->kind == NDR_KIND_UNION ||
        type->kind == NDR_KIND_CONVERTED)
        return type->size;
    if (type->kind == NDR_KIND_ARRAY || type->kind == NDR_KIND_STRING)
        return type->count * ndr_memory_size(type->element);
    return scalars[type->kind].memory;
}

static uint32_t max_align(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* The descriptor tells the alignment of NDR 2.0 only.  The hoisted count of a conformant
 * array does not raise its structure's; offset and actual count stand in place and do. */
static uint32_t ndr64_align(const struct ndr_rules *rules, const NDR_TYPE *type)
{
    uint32_t align = 1;
    switch (type->kind) {
    case NDR_KIND_STRUCT:
        for (uint32_t i = 0; i < type->count; i++)
            align = max_align(align, ndr64_align(rules, type->fields[i].type));
        return align;
    case NDR_KIND_ARRAY:
        if (type->flags & NDR_TYPE_VARYING)
            align = rules->count_size;
        return max_align(align, ndr64_align(rules, type->element));
    case NDR_KIND_STRING:
        return rules->count_size;
    case NDR_KIND_POINTER:
        return rules->pointer_size;
    case NDR_KIND_UNION:
        return max_align(ndr_scalar_wire_size(rules, type->alternatives->switch_kind),
                         ndr_arms_align(rules, type->alternatives));
    case NDR_KIND_CONTEXT:
        return NDR_CONTEXT_ALIGN;
    case NDR_KIND_CONVERTED:
        return ndr64_align(rules, type->element);
    default:
        return max_align(align, ndr_scalar_wire_size(rules, type->kind));
    }
}

uint32_t ndr_align(const struct ndr_rules *rules, const NDR_TYPE *type)
{
    if (type->kind == NDR_KIND_POINTER)
        return rules->pointer_size;
    if (rules->pads)
        return ndr64_align(rules, type);
    assert(type->align != 0 && type->align <= 8 && (type->align & (type->align - 1)) == 0);
    return type->align;
}

static uint64_t round_up(uint64_t value, uint32_t align)
{
    return (value + align - 1) & ~(uint64_t)(align - 1);
}

static bool scalar_layout(const struct ndr_rules *rules, const NDR_TYPE *type,
                          struct ndr_element_layout *ret_layout)
{
    uint32_t size = ndr_scalar_wire_size(rules, type->kind);
    if (size == 0)
        return false;
    uint32_t memory_size = scalars[type->kind].memory;
    *ret_layout = (struct ndr_element_layout){
        .size = size,
        .align = size,
        .stride = size,
        .memory_size = memory_size,
        .flat = size == memory_size,
    };
    return true;
}

static bool struct_layout(const struct ndr_rules *rules, const NDR_TYPE *type,
                          struct ndr_element_layout *ret_layout)
{
    struct ndr_element_layout whole = {.align = 1, .memory_size = type->size, .flat = true};
    uint64_t end = 0;
    for (uint32_t i = 0; i < type->count; i++) {
        const NDR_FIELD *field = &type->fields[i];
        struct ndr_element_layout part;
        if (!ndr_fixed_layout(rules, field->type, &part))
            return false;
        uint64_t start = round_up(end, part.align);
        /* A gap, or another order in memory; and a [range] must be looked at. */
        if (start != end || field->offset != start || !part.flat || field->range)
            whole.flat = false;
        if (part.align > whole.align)
            whole.align = part.align;
        end = start + part.size;
    }
    uint64_t stride = round_up(end, whole.align);
    if (end == 0 || stride > UINT32_MAX)
        return false;
    whole.size = (uint32_t)(rules->pads ? stride : end);
    whole.stride = (uint32_t)stride;
    whole.flat = whole.flat && end == stride && end == type->size;
    *ret_layout = whole;
    return true;
}

static bool array_layout(const struct ndr_rules *rules, const NDR_TYPE *type,
                         struct ndr_element_layout *ret_layout)
{
    struct ndr_element_layout element;
    if (type->count == 0 || (type->flags & NDR_TYPE_VARYING) ||
        !ndr_fixed_layout(rules, type->element, &element))
        return false;
    uint64_t len = ndr_run_len(&element, type->count);
    uint64_t memory_size = (uint64_t)type->count * element.memory_size;
    uint64_t stride = round_up(len, element.align);
    if (stride > UINT32_MAX || memory_size > UINT32_MAX)
        return false;
    *ret_layout = (struct ndr_element_layout){
        .size = (uint32_t)len,
        .align = element.align,
        .stride = (uint32_t)stride,
        .memory_size = (uint32_t)memory_size,
        .flat = element.flat,
    };
    return true;
}

bool ndr_fixed_layout(const struct ndr_rules *rules, const NDR_TYPE *type,
                      struct ndr_element_layout *ret_layout)
{
    if (type->kind == NDR_KIND_STRUCT)
        return struct_layout(rules, type, ret_layout);
    if (type->kind == NDR_KIND_ARRAY)
        return array_layout(rules, type, ret_layout);
    return scalar_layout(rules, type, ret_layout);
}

static uint64_t least_pointer(const struct ndr_rules *rules, const NDR_TYPE *type,
                              enum ndr_place place)
{
    bool unvalued = (type->flags & NDR_TYPE_REF) && !(type->flags & NDR_TYPE_IGNORE) &&
                    (place == NDR_AT_TOP || (place == NDR_AT_ELEMENT && !rules->refs_in_arrays));
    /* A [ref] pointer cannot lead back to itself, so this ends. */
    return unvalued ? ndr_least_len(rules, type->element, NDR_AT_TOP) : rules->pointer_size;
}

static uint64_t least_union(const struct ndr_rules *rules, const NDR_UNION *u)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i <= u->arm_count; i++) {
        const NDR_ARM *arm = i < u->arm_count ? &u->arms[i] : u->otherwise;
        if (!arm)
            continue;
        uint64_t of_arm = arm->type ? ndr_least_len(rules, arm->type, NDR_AT_FIELD) : 0;
        if (of_arm < least)
            least = of_arm;
    }
    return ndr_scalar_wire_size(rules, u->switch_kind) + (least == UINT64_MAX ? 0 : least);
}

uint64_t ndr_least_len(const struct ndr_rules *rules, const NDR_TYPE *type, enum ndr_place place)
{
    uint64_t least = 0;
    switch (type->kind) {
    case NDR_KIND_STRUCT:
        for (uint32_t i = 0; i < type->count; i++)
            least += ndr_least_len(rules, type->fields[i].type, NDR_AT_FIELD);
        return least;
    case NDR_KIND_ARRAY:
        least = (type->count == 0 ? 1u : 0u) * rules->count_size;
        if (type->flags & NDR_TYPE_VARYING) {
            for (; type; type = ndr_next_dimension(type))
                least += 2 * rules->count_size;
            return least;
        }
        return least + type->count * ndr_least_len(rules, type->element, NDR_AT_ELEMENT);
    case NDR_KIND_STRING: /* [max,] offset, actual, terminator */
        return (type->count == 0 ? 3u : 2u) * rules->count_size +
               ndr_scalar_wire_size(rules, type->element->kind);
    case NDR_KIND_POINTER:
        return least_pointer(rules, type, place);
    case NDR_KIND_UNION:
        return least_union(rules, type->alternatives);
    case NDR_KIND_CONTEXT:
        return NDR_CONTEXT_LEN;
    case NDR_KIND_CONVERTED: /* a wire pointer is read like any other */
        return ndr_least_len(rules, type->element, place);
    default: /* scalars; 0 for void, handles, pipes */
        return ndr_scalar_wire_size(rules, type->kind);
    }
}

const NDR_TYPE *ndr_conformant_tail(const NDR_TYPE *type, size_t *ret_base, size_t *ret_offset)
{
    size_t base = 0;
    while (type->kind == NDR_KIND_STRUCT && type->count > 0) {
        const NDR_FIELD *last = &type->fields[type->count - 1];
        if (ndr_is_conformant(last->type)) {
            *ret_base = base;
            *ret_offset = base + last->offset;
            return last->type;
        }
        base += last->offset;
        type = last->type;
    }
    return NULL;
}

static bool union_has_pointers(const NDR_UNION *u)
{
    for (uint32_t i = 0; i < u->arm_count; i++)
        if (u->arms[i].type && ndr_has_pointers(u->arms[i].type))
            return true;
    return u->otherwise && u->otherwise->type && ndr_has_pointers(u->otherwise->type);
}

bool ndr_has_pointers(const NDR_TYPE *type)
{
    if (type->kind == NDR_KIND_POINTER)
        return !(type->flags & NDR_TYPE_IGNORE);
    if (type->kind == NDR_KIND_CONVERTED)
        return true; /* who knows */
    if (type->kind == NDR_KIND_ARRAY)
        return ndr_has_pointers(type->element);
    if (type->kind == NDR_KIND_UNION)
        return union_has_pointers(type->alternatives);
    if (type->kind != NDR_KIND_STRUCT)
        return false;
    for (uint32_t i = 0; i < type->count; i++)
        if (ndr_has_pointers(type->fields[i].type))
            return true;
    return false;
}

/* Handles and pipes have no value of their own in the frame. */
static bool is_data(const NDR_PARAM *param)
{
    NDR_KIND kind = param->type->kind;
    return !(param->flags & (NDR_PARAM_PIPE | NDR_PARAM_BINDING)) && kind != NDR_KIND_VOID &&
           kind != NDR_KIND_HANDLE && kind != NDR_KIND_PIPE;
}

bool ndr_param_travels(const NDR_PARAM *param, uint32_t direction)
{
    return (param->flags & direction) && !(param->flags & NDR_PARAM_LOCAL) && is_data(param);
}

bool ndr_param_has_memory(const NDR_PARAM *param)
{
    return (param->flags & (NDR_PARAM_IN | NDR_PARAM_OUT)) && is_data(param);
}
