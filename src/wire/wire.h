/* SPDX-License-Identifier: MIT */
/* wire.h - bounded readers and writers of octets, the only code in wire/ that
 * touches a buffer.
 *
 * Both latch failure: past the end a reader yields zeros and a writer drops
 * octets, and `failed` stays set.  So a decoder reads a run of fields and asks
 * once.  Reading follows the sender's byte order ("receiver makes right", C706
 * 14.1); writing is in the host's, which is that of the stub data the NDR engine
 * makes, and PDUs are labelled with it.
 * Neither allocates; both borrow the caller's octets. */
#ifndef PENSTOCK_WIRE_WIRE_H
#define PENSTOCK_WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <penstock/rpctypes.h>

/* What a data representation label says of this host (C706 14.1). */
#define WIRE_HOST_LITTLE_ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

/*   base          pos            end
 *   |  read       |  still to read |
 *   +-------------+----------------+  */
struct wire_reader {
    const uint8_t *base; /* alignment and offsets count from here         */
    const uint8_t *pos;  /* next octet; base <= pos <= end                */
    const uint8_t *end;  /* one behind the last readable octet            */
    bool little_endian;  /* the sender's integers                         */
    bool failed;         /* something was read past the end; never reset  */
};

/* What is small is inline: every fragment of a stream takes forty of these. */

static inline void wire_reader_init(struct wire_reader *r, const uint8_t *octets, size_t len,
                                    bool little_endian)
{
    *r = (struct wire_reader){
        .base = octets,
        .pos = octets,
        .end = len > 0 ? octets + len : octets,
        .little_endian = little_endian,
    };
}

static inline size_t wire_left(const struct wire_reader *r)
{
    return (size_t)(r->end - r->pos);
}

static inline size_t wire_offset(const struct wire_reader *r)
{
    return (size_t)(r->pos - r->base);
}

/* Steps over `len` octets and returns where they lie, NULL when they are not there. */
static inline const uint8_t *wire_take(struct wire_reader *r, size_t len)
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

/* `len` octets, at most 8, as one integer in the sender's order.  Assembled octet by
 * octet: no unaligned access, no dependence on the host's byte order, and compilers
 * turn it into one load anyway. */
static inline uint64_t wire_integer(struct wire_reader *r, size_t len)
{
    const uint8_t *octets = wire_take(r, len);
    uint64_t value = 0;
    if (!octets)
        return 0;
    if (r->little_endian)
        for (size_t i = 0; i < len; i++)
            value |= (uint64_t)octets[i] << (8 * i);
    else
        for (size_t i = 0; i < len; i++)
            value = value << 8 | octets[i];
    return value;
}

static inline uint8_t wire_u8(struct wire_reader *r)
{
    return (uint8_t)wire_integer(r, 1);
}

static inline uint16_t wire_u16(struct wire_reader *r)
{
    return (uint16_t)wire_integer(r, 2);
}

static inline uint32_t wire_u32(struct wire_reader *r)
{
    return (uint32_t)wire_integer(r, 4);
}

static inline uint64_t wire_u64(struct wire_reader *r)
{
    return wire_integer(r, 8);
}

/* u32, u16, u16 in the sender's order, then 8 octets as they are. */
GUID wire_guid(struct wire_reader *r);
/* Copies `len` octets, or zeros all of `out` when they are not there. */
void wire_bytes(struct wire_reader *r, void *out, size_t len);
/* Steps to the next multiple of `align` (a power of two) counted from base. */
void wire_align(struct wire_reader *r, size_t align);

struct wire_writer {
    uint8_t *base; /* caller's buffer                             */
    size_t cap;    /* its octets                                  */
    size_t len;    /* octets written; len <= cap                  */
    bool failed;   /* something did not fit; never reset          */
};

static inline void wire_writer_init(struct wire_writer *w, uint8_t *buf, size_t cap)
{
    *w = (struct wire_writer){.base = buf, .cap = cap};
}

/* Room for `len` octets, or NULL: then the writer has failed for good, so that
 * no later, smaller item lands where the missing one should have stood. */
static inline uint8_t *wire_make_room(struct wire_writer *w, size_t len)
{
    if (w->failed || len > w->cap - w->len) {
        w->failed = true;
        return NULL;
    }
    uint8_t *room = w->base + w->len;
    w->len += len;
    return room;
}

static inline void wire_put_integer(struct wire_writer *w, uint64_t value, size_t len)
{
    uint8_t *room = wire_make_room(w, len);
    if (!room)
        return;
    for (size_t i = 0; i < len; i++)
        room[WIRE_HOST_LITTLE_ENDIAN ? i : len - 1 - i] = (uint8_t)(value >> (8 * i));
}

static inline void wire_put_u8(struct wire_writer *w, uint8_t value)
{
    wire_put_integer(w, value, 1);
}

static inline void wire_put_u16(struct wire_writer *w, uint16_t value)
{
    wire_put_integer(w, value, 2);
}

static inline void wire_put_u32(struct wire_writer *w, uint32_t value)
{
    wire_put_integer(w, value, 4);
}

static inline void wire_put_u64(struct wire_writer *w, uint64_t value)
{
    wire_put_integer(w, value, 8);
}

void wire_put_guid(struct wire_writer *w, const GUID *guid);
void wire_put_bytes(struct wire_writer *w, const void *octets, size_t len);
void wire_put_zeros(struct wire_writer *w, size_t len);
/* Zeros up to the next multiple of `align` (a power of two) counted from base. */
void wire_put_align(struct wire_writer *w, size_t align);
/* Overwrites two octets that were written before, for lengths known late. */
void wire_patch_u16(struct wire_writer *w, size_t offset, uint16_t value);

#endif
