/* SPDX-License-Identifier: MIT */
/* wire.c - bounded readers and writers; the contract is in wire.h.
 *
 * Integers are assembled octet by octet: no unaligned access, no dependence on
 * the host's byte order, and compilers turn it into one load anyway. */
#include "wire/wire.h"

#include <assert.h>
#include <string.h>

void wire_reader_init(struct wire_reader *r, const uint8_t *octets, size_t len, bool little_endian)
{
    *r = (struct wire_reader){
        .base = octets,
        .pos = octets,
        .end = len > 0 ? octets + len : octets,
        .little_endian = little_endian,
    };
}

size_t wire_left(const struct wire_reader *r)
{
    return (size_t)(r->end - r->pos);
}

size_t wire_offset(const struct wire_reader *r)
{
    return (size_t)(r->pos - r->base);
}

const uint8_t *wire_take(struct wire_reader *r, size_t len)
{
    if (r->failed || len > wire_left(r)) {
        r->failed = true;
        r->pos = r->end; /* nothing readable is left, whatever is asked next */
        return NULL;
    }
    const uint8_t *octets = r->pos;
    if (len > 0)
        r->pos += len;
    return octets;
}

/* `len` octets, at most 8, as one integer in the sender's order. */
static uint64_t read_integer(struct wire_reader *r, size_t len)
{
    const uint8_t *octets = wire_take(r, len);
    if (!octets)
        return 0;
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | octets[r->little_endian ? len - 1 - i : i];
    return value;
}

uint8_t wire_u8(struct wire_reader *r)
{
    return (uint8_t)read_integer(r, 1);
}

uint16_t wire_u16(struct wire_reader *r)
{
    return (uint16_t)read_integer(r, 2);
}

uint32_t wire_u32(struct wire_reader *r)
{
    return (uint32_t)read_integer(r, 4);
}

uint64_t wire_u64(struct wire_reader *r)
{
    return read_integer(r, 8);
}

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

void wire_writer_init(struct wire_writer *w, uint8_t *buf, size_t cap)
{
    *w = (struct wire_writer){.base = buf, .cap = cap};
}

/* Room for `len` octets, or NULL: then the writer has failed for good, so that
 * no later, smaller item lands where the missing one should have stood. */
static uint8_t *make_room(struct wire_writer *w, size_t len)
{
    if (w->failed || len > w->cap - w->len) {
        w->failed = true;
        return NULL;
    }
    uint8_t *room = w->base + w->len;
    w->len += len;
    return room;
}

static void write_integer(struct wire_writer *w, uint64_t value, size_t len)
{
    uint8_t *room = make_room(w, len);
    if (!room)
        return;
    for (size_t i = 0; i < len; i++)
        room[i] = (uint8_t)(value >> (8 * i));
}

void wire_put_u8(struct wire_writer *w, uint8_t value)
{
    write_integer(w, value, 1);
}

void wire_put_u16(struct wire_writer *w, uint16_t value)
{
    write_integer(w, value, 2);
}

void wire_put_u32(struct wire_writer *w, uint32_t value)
{
    write_integer(w, value, 4);
}

void wire_put_u64(struct wire_writer *w, uint64_t value)
{
    write_integer(w, value, 8);
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
    uint8_t *room = make_room(w, len);
    if (room)
        memcpy(room, octets, len);
}

void wire_put_zeros(struct wire_writer *w, size_t len)
{
    if (len == 0)
        return;
    uint8_t *room = make_room(w, len);
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
    w->base[offset] = (uint8_t)value;
    w->base[offset + 1] = (uint8_t)(value >> 8);
}
