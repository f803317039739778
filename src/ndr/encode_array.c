/* SPDX-License-Identifier: MIT */
/* encode_array.c - runs of equal values, and arrays and strings with their counts. */
#include "ndr/encode.h"

#include <string.h>

#include "ndr/element.h"
#include "ndr/expr.h"

void ndr_encode_count(struct ndr_encode *e, uint32_t count)
{
    ndr_writer_put(e->writer, count, e->rules->count_size);
}

/* ---- Runs of equal values -------------------------------------------------------- */

void ndr_encode_run(struct ndr_encode *e, const NDR_TYPE *type,
                    const struct ndr_element_layout *layout, const void *memory, size_t count)
{
    if (count == 0)
        return; /* no gap in front of nothing */
    ndr_writer_align(e->writer, layout->align);
    uint8_t *out = ndr_writer_extend(e->writer, ndr_run_len(layout, count));
    if (!out)
        return;
    RPC_STATUS status = ndr_run_to_wire(e->rules, type, layout, memory, count, out);
    if (status != RPC_S_OK)
        ndr_encode_fail(e, status);
}

static void encode_elements(struct ndr_encode *e, const NDR_TYPE *element, const void *memory,
                            uint32_t count, const void *base)
{
    struct ndr_element_layout layout;
    if (ndr_fixed_layout(e->rules, element, &layout)) {
        ndr_encode_run(e, element, &layout, memory, count);
        return;
    }
    size_t size = ndr_memory_size(element);
    for (uint32_t i = 0; i < count && !ndr_encode_failed(e); i++)
        ndr_encode_value(e, element, (const uint8_t *)memory + i * size, base, NDR_AT_ELEMENT);
}

/* ---- Counts ------------------------------------------------------------------------ */

/* Characters up to and with the terminator, looking at no more than `limit`; 0 when
 * there is none. */
static uint32_t string_count(const NDR_TYPE *type, const void *memory, uint32_t limit)
{
    if (type->element->kind != NDR_KIND_WCHAR) {
        const void *end = memchr(memory, 0, limit);
        return end ? (uint32_t)((const char *)end - (const char *)memory) + 1 : 0;
    }
    const uint8_t *at = memory;
    for (uint32_t i = 0; i < limit; i++, at += sizeof(WCHAR))
        if (at[0] == 0 && at[1] == 0)
            return i + 1;
    return 0;
}

static bool varies(const NDR_TYPE *type)
{
    return type->kind == NDR_KIND_STRING || (type->flags & NDR_TYPE_VARYING);
}

/* first_is and length_is, within `max`. */
static bool varying_extent(const NDR_TYPE *type, const void *base, uint32_t max,
                           struct ndr_encode_extent *extent)
{
    extent->first = 0;
    if (type->first && !ndr_expr_count(type->first, base, &extent->first))
        return false;
    if (extent->first > max)
        return false;
    extent->actual = max - extent->first;
    return !type->length || (ndr_expr_count(type->length, base, &extent->actual) &&
                             extent->actual <= max - extent->first);
}

bool ndr_encode_extent(struct ndr_encode *e, const NDR_TYPE *type, const void *memory,
                       const void *base, struct ndr_encode_extent *ret_extent)
{
    struct ndr_encode_extent extent = {.max = type->count};
    if (extent.max == 0) {
        extent.max = NDR_COUNT_MAX;
        if (type->max_count ? !ndr_expr_count(type->max_count, base, &extent.max)
                            : type->kind == NDR_KIND_ARRAY)
            goto bad;
    }
    extent.actual = extent.max;
    if (type->kind == NDR_KIND_STRING) {
        extent.actual = string_count(type, memory, extent.max);
        if (extent.actual == 0)
            goto bad;
        if (type->count == 0 && !type->max_count)
            extent.max = extent.actual;
    } else if (varies(type) && !varying_extent(type, base, extent.max, &extent)) {
        goto bad;
    }
    *ret_extent = extent;
    return true;
bad:
    ndr_encode_fail(e, RPC_S_INVALID_BOUND);
    return false;
}

/* The elements of an array of several dimensions that are in `box`, the extents. */
static void encode_box(struct ndr_encode *e, const NDR_TYPE *type, const uint8_t *memory,
                       const struct ndr_encode_extent *box, const void *base)
{
    const NDR_TYPE *inner = ndr_next_dimension(type);
    size_t size = ndr_memory_size(type->element);
    memory += box->first * size;
    if (!inner) {
        encode_elements(e, type->element, memory, box->actual, base);
        return;
    }
    for (uint32_t i = 0; i < box->actual && !ndr_encode_failed(e); i++)
        encode_box(e, inner, memory + i * size, box + 1, base);
}

/* Offsets and actual counts of what varies, of all dimensions, and the elements. */
static void encode_body(struct ndr_encode *e, const NDR_TYPE *type, const void *memory,
                        const struct ndr_encode_extent *extent, const void *base)
{
    struct ndr_encode_extent box[NDR_DIMENSIONS_MAX] = {*extent};
    const NDR_TYPE *dimension = type;
    if (varies(type)) {
        ndr_encode_count(e, extent->first);
        ndr_encode_count(e, extent->actual);
    }
    for (unsigned n = 1; (dimension = ndr_next_dimension(dimension)) != NULL; n++) {
        if (n == NDR_DIMENSIONS_MAX) {
            ndr_encode_fail(e, RPC_S_CANNOT_SUPPORT);
            return;
        }
        if (!ndr_encode_extent(e, dimension, NULL, base, &box[n]))
            return;
        ndr_encode_count(e, box[n].first);
        ndr_encode_count(e, box[n].actual);
    }
    encode_box(e, type, memory, box, base);
}

void ndr_encode_array(struct ndr_encode *e, const NDR_TYPE *type, const void *memory,
                      const void *base, bool with_max)
{
    struct ndr_encode_extent extent;
    if (!ndr_encode_extent(e, type, memory, base, &extent))
        return;
    if (with_max)
        ndr_encode_count(e, extent.max);
    encode_body(e, type, memory, &extent, base);
}
