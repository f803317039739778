/* SPDX-License-Identifier: MIT */
/* chunk.h - how one pipe is framed in a stub, in NDR 2.0 (C706 14.3.11) and in NDR64
 * (MS-RPCE 2.2.5.3.4.5).
 *
 *   pipe       := chunk* terminator
 *
 *   NDR 2.0
 *   chunk      := <align 4> count:u32 (>= 1)  <align E> element[count]
 *   terminator := <align 4> u32 0
 *
 *   NDR64
 *   chunk      := <align 8> count:u64 (>= 1)  <align E> element[count]  <align 8> u64 -count
 *   terminator := <align 8> u64 0  u64 0
 *
 * All alignment counts from the start of the stub, across fragments; neither
 * chunks nor elements know about fragments, so a count, a gap or an element may be
 * cut anywhere.  Chunk boundaries mean nothing to an application.
 *
 * Octets in, verdicts out: no allocation, no copying, no element is looked at.
 * A layout is borrowed and must outlive the reader. */
#ifndef PENSTOCK_PROTO_CHUNK_H
#define PENSTOCK_PROTO_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NDR64 counts are kept below 2^31, as array counts are (MS-RPCE 3.1.1.5.3.3). */
#define CHUNK_COUNT_MAX_64 0x7fffffffu

/* One element type on the wire.
 *
 *   |<- size ->|pad|<- size ->|pad|<- size ->|     the last has no pad
 *   |<- stride --->|<- stride --->|                                      */
struct chunk_layout {
    uint32_t size;      /* octets of one element, trailing pad excluded; at least 1  */
    uint32_t align;     /* 1, 2, 4 or 8                                              */
    uint32_t stride;    /* size rounded up to a multiple of align                    */
    uint64_t count_min; /* [range] of the pipe: bounds of each chunk's count,        */
    uint64_t count_max; /* 0 and UINT32_MAX without one; a terminator is always fine */
    bool ndr64;         /* framed as NDR64                                           */
};

/* Elements whose last octet lies within the first `len` octets of a chunk's
 * elements. */
uint64_t chunk_whole_elements(const struct chunk_layout *layout, uint64_t len);

/* ---- Reading ---------------------------------------------------------------- */

enum chunk_verdict {
    CHUNK_MORE, /* all octets consumed, the pipe goes on              */
    CHUNK_RUN,  /* here are octets of elements                        */
    CHUNK_END,  /* terminator consumed: what follows is not the pipe  */
    CHUNK_BAD,  /* a count outside the range, or NDR64: not repeated as it should
                 * be; nothing more is read                          */
};

/* Octets of elements that lie together, pads between elements included; begins
 * and ends anywhere, even inside an element. */
struct chunk_run {
    const uint8_t *octets; /* within what the caller gave                        */
    size_t len;            /* at least 1                                         */
    uint64_t offset;       /* of octets[0] in the chunk's elements; 0: new chunk */
    uint32_t count;        /* elements of the whole chunk                        */
};

enum chunk_state {
    CHUNK_AT_GAP,         /* aligning for a count          */
    CHUNK_AT_COUNT,       /* collecting its octets         */
    CHUNK_AT_ELEMENT_GAP, /* aligning for the elements     */
    CHUNK_AT_ELEMENTS,    /* `left` octets of elements     */
    CHUNK_AT_CHECK_GAP,   /* NDR64: aligning for the count repeated  */
    CHUNK_AT_CHECK,       /* NDR64: collecting its octets  */
    CHUNK_AT_END,         /* terminator seen; terminal     */
    CHUNK_BROKEN,         /* wrong octets; terminal        */
};

struct chunk_reader {
    const struct chunk_layout *layout;
    uint64_t offset;     /* stub offset of the next octet                          */
    union {
        uint64_t number; /* at a count: what its octets so far amount to           */
        uint64_t left;   /* at elements: octets of this chunk's still to come, > 0 */
    };
    uint32_t count;      /* of the current chunk; 0: the terminator's              */
    uint8_t number_got;  /* octets of a count collected so far                     */
    uint8_t state;       /* enum chunk_state                                       */
    bool little_endian;
};

/* `stub_offset` is the stub offset of the first octet that will be read. */
void chunk_reader_init(struct chunk_reader *r, const struct chunk_layout *layout,
                       uint64_t stub_offset, bool little_endian);

/* Goes on to the next run.  *ret_used octets were consumed: framing, and the run
 * if there is one; call again with the rest.  END and BAD are final and consume
 * nothing when repeated.  *ret_run is written only on CHUNK_RUN.  Whether a pipe
 * may still be open when its stub ends is for the caller to judge (it may not). */
enum chunk_verdict chunk_read(struct chunk_reader *r, const uint8_t *octets, size_t len,
                              size_t *ret_used, struct chunk_run *ret_run);

/* Goes over all runs, adding to *elements the number of elements whose last octet
 * was passed; costs per chunk, not per octet.  Returns MORE, END or BAD. */
enum chunk_verdict chunk_scan(struct chunk_reader *r, const uint8_t *octets, size_t len,
                              size_t *ret_used, uint64_t *elements);

/* ---- Writing ---------------------------------------------------------------- */

/* NDR 2.0: gap of at most 3, count, gap of at most 4.  NDR64: gap of at most 7, the
 * terminator; or the tail of the chunk before and a count. */
#define CHUNK_LEAD_MAX 23u
/* NDR64: gap of at most 7, the count repeated. */
#define CHUNK_TAIL_MAX 15u
/* Pieces of a push. */
#define CHUNK_PIECES_MAX 3u

/* `lead` is sent first, then `count` elements at stride: `data_len` octets. */
struct chunk_piece {
    uint8_t lead[CHUNK_LEAD_MAX];
    uint8_t lead_len;
    uint32_t count;    /* 0 in a terminator only */
    uint64_t data_len; /* octets                 */
};

struct chunk_plan {
    struct chunk_piece pieces[CHUNK_PIECES_MAX];
    uint8_t piece_count;
    uint8_t tail_len;    /* octets behind the last piece: NDR 2.0 0 to 3, the gap any
                          * next count needs, sent early; NDR64: the count repeated  */
    uint8_t tail[CHUNK_TAIL_MAX];
    uint64_t end_offset; /* stub offset behind all of it                     */
};

/* How to push `count` elements at `stub_offset`, or, with a count of 0, the
 * terminator.  A fragment that is not the last must end at a multiple of 8 of the
 * stub, so the plan ends a push there whenever one or two chunks can: a second
 * count moves the end by 4.  Else it ends at a multiple of 4; a terminator ends
 * where it ends.  Elements are never split, and one chunk is preferred to two.
 * Everything of NDR64 ends at a multiple of 8; there only counts of 2^31 and more, and
 * [range], make chunks of a push.
 * False when no plan exists: more than 2^32-1 elements, or a [range] no chunking
 * into at most two (NDR64: three) satisfies. */
bool chunk_plan(const struct chunk_layout *layout, uint64_t stub_offset, uint64_t count,
                struct chunk_plan *ret_plan);

#endif
