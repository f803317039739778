/* SPDX-License-Identifier: MIT */
/* wire.c - what of bounded readers and writers is not inline; the contract is in wire.h. */

#include "wire/wire.h"

#include <assert.h>
#include <string.h>

GUID wire_guid(struct wire_reader *r)
{
    GUID guid = {.Data1 = wire_u32(r)};
    guid.Data2 = wire_u16(r);
    guid.Data3 = wire_u16(r);
    wire_bytes(r, guid.Data4, sizeof(guid.Data4));
    return guid;
}

void wire_bytes(struct wire_reader *r, void *out, size_t len)
{
    if (len == 0)
        return;
    const uint8_t *octets = wire_take(r, len);
    if (octets)
        memcpy(out, octets, len);
    else
        memset(out, 0, len);
}

/* Octets missing from `offset` to the next multiple of `align`. */
static size_t gap_to(size_t offset, size_t align)
{
    assert(align > 0 && (align & (align - 1)) == 0);
    return -offset & (align - 1);
}

void wire_align(struct wire_reader *r, size_t align)
{
    wire_take(r, gap_to(wire_offset(r), align));
}

void wire_put_guid(struct wire_writer *w, const GUID *guid)
{
    wire_put_u32(w, guid->Data1);
    wire_put_u16(w, guid->Data2);
    wire_put_u16(w, guid->Data3);
    wire_put_bytes(w, guid->Data4, sizeof(guid->Data4));
}

void wire_put_bytes(struct wire_writer *w, const void *octets, size_t len)
{
    if (len == 0)
        return;
    uint8_t *room = wire_make_room(w, len);
    if (room)
        memcpy(room, octets, len);
}

void wire_put_zeros(struct wire_writer *w, size_t len)
{
    if (len == 0)
        return;
    uint8_t *room = wire_make_room(w, len);
    if (room)
        memset(room, 0, len);
}

void wire_put_align(struct wire_writer *w, size_t align)
{
    wire_put_zeros(w, gap_to(w->len, align));
}

void wire_patch_u16(struct wire_writer *w, size_t offset, uint16_t value)
{
    if (w->failed)
        return;
    assert(w->len >= 2 && offset <= w->len - 2);
    w->base[offset + !WIRE_HOST_LITTLE_ENDIAN] = (uint8_t)value;
    w->base[offset + WIRE_HOST_LITTLE_ENDIAN] = (uint8_t)(value >> 8);
}
