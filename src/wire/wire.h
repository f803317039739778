/* SPDX-License-Identifier: MIT */
/* wire.h - bounded readers and writers of octets, the only code in wire/ that
 * touches a buffer.
 *
 * Both latch failure: past the end a reader yields zeros and a writer drops
 * octets, and `failed` stays set.  So a decoder reads a run of fields and asks
 * once.  Reading follows the sender's byte order ("receiver makes right", C706
 * 14.1); writing is always little-endian, which every peer accepts.
 * Neither allocates; both borrow the caller's octets. */
#ifndef PENSTOCK_WIRE_WIRE_H
#define PENSTOCK_WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <penstock/rpctypes.h>

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

void wire_reader_init(struct wire_reader *r, const uint8_t *octets, size_t len, bool little_endian);
size_t wire_left(const struct wire_reader *r);
size_t wire_offset(const struct wire_reader *r);
uint8_t wire_u8(struct wire_reader *r);
uint16_t wire_u16(struct wire_reader *r);
uint32_t wire_u32(struct wire_reader *r);
uint64_t wire_u64(struct wire_reader *r);
/* u32, u16, u16 in the sender's order, then 8 octets as they are. */
GUID wire_guid(struct wire_reader *r);
/* Copies `len` octets, or zeros all of `out` when they are not there. */
void wire_bytes(struct wire_reader *r, void *out, size_t len);
/* Steps over `len` octets and returns where they lie, NULL when they are not there. */
const uint8_t *wire_take(struct wire_reader *r, size_t len);
/* Steps to the next multiple of `align` (a power of two) counted from base. */
void wire_align(struct wire_reader *r, size_t align);

struct wire_writer {
    uint8_t *base; /* caller's buffer                             */
    size_t cap;    /* its octets                                  */
    size_t len;    /* octets written; len <= cap                  */
    bool failed;   /* something did not fit; never reset          */
};

void wire_writer_init(struct wire_writer *w, uint8_t *buf, size_t cap);
void wire_put_u8(struct wire_writer *w, uint8_t value);
void wire_put_u16(struct wire_writer *w, uint16_t value);
void wire_put_u32(struct wire_writer *w, uint32_t value);
void wire_put_u64(struct wire_writer *w, uint64_t value);
void wire_put_guid(struct wire_writer *w, const GUID *guid);
void wire_put_bytes(struct wire_writer *w, const void *octets, size_t len);
void wire_put_zeros(struct wire_writer *w, size_t len);
/* Zeros up to the next multiple of `align` (a power of two) counted from base. */
void wire_put_align(struct wire_writer *w, size_t align);
/* Overwrites two octets that were written before, for lengths known late. */
void wire_patch_u16(struct wire_writer *w, size_t offset, uint16_t value);

#endif
