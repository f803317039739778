/* SPDX-License-Identifier: MIT */
/* ndr.h - what the layers above call: parameters of an operation and elements of
 * a pipe, between C memory and stub octets, driven by the descriptors of
 * penstock/rpcndr.h.  Transfer syntaxes NDR 2.0 (C706 chapter 14, MS-RPCE 2.2.4) and
 * NDR64 (MS-RPCE 2.2.5).
 *
 *     frame --ndr_encode_params--> writer.octets         (client IN, server OUT)
 *     reader.octets --ndr_decode_params--> frame         (server IN, client OUT)
 *     server: decode IN, ndr_prepare_out, manager, encode OUT, ndr_free_params
 *
 * Pure functions over memory: no sockets, no threads, no globals, no PDUs.  Pipes
 * and handles in a frame are skipped; pipe *elements* have functions of their own
 * at the end, pipe *chunks* are not our business.
 *
 * Descriptors are trusted (they are compiled in or come from our own compiler),
 * octets are not: nothing a peer sends makes us read outside the octets, write
 * outside memory whose size we know, recurse deeper than the types nest, or
 * allocate more than the reader allows. */
#ifndef PENSTOCK_NDR_NDR_H
#define PENSTOCK_NDR_NDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <penstock/rpcndr.h>

/* Levels of pointers behind each other (the nodes of a linked list, say).  The
 * engine does not recurse over pointers, so this guards programs that walk what
 * they receive recursively, and stops endless loops in what they send. */
#define NDR_DEPTH_MAX 16384u
/* Octets one call's parameters may take in memory when the caller sets no other
 * limit.  Octets that were really received are bounded by the association; this
 * bounds what a few octets can *claim* (the buffer of a sized string, [out] memory). */
#define NDR_ALLOCATED_MAX ((size_t)256 << 20)
/* Octets of one stub without pipes: counts and alloc_hint have 32 bits. */
#define NDR_WRITER_LEN_MAX ((size_t)UINT32_MAX)

struct ndr_full_pointers; /* alias.h */

/* The program's allocator.  `allocate` may return NULL. */
struct ndr_memory {
    void *(*allocate)(size_t size);
    void (*free)(void *object);
    bool managed; /* ndr_free_params: the manager was called: what [allocate(dont_free)]
                   * leads to is its own */
    size_t prepare_max;  /* octets ndr_prepare_out may allocate; 0: NDR_ALLOCATED_MAX, */
    size_t prepare_used; /* less what the call has taken before                        */
    void *(*reallocate)(void *old, size_t size); /* scratch of freeing; NULL: realloc */
    /* Runs fn(arg), a routine of the program that may raise: RPC_S_OK and *ret_raised
     * false, or what it raised.  NULL: called straight, raising is not caught. */
    RPC_STATUS (*run)(void (*fn)(void *arg), void *arg, bool *ret_raised);
};

/* ---- Context handles -------------------------------------------------------- */

/* Octets of a context handle in both transfer syntaxes: attributes, then the UUID; all
 * zero stands for NULL (MS-RPCE 2.2.1.1.3). */
#define NDR_CONTEXT_LEN 20u

/* Who knows which handle stands for which 20 octets.  `slot` is the C parameter itself
 * (the void *), the same address in decoding and encoding a server's frame, but not
 * necessarily aligned in a packed structure.  The octets are in the host's byte order on
 * both ways: a uint32_t and a GUID.
 *
 * from_wire is called once everything else of all parameters was decoded and found good,
 * in the order of the wire, never in a try that ends in NDR_NEED_MORE; so it may create
 * objects and take locks.  When one fails, the decoding fails with its status, and what
 * earlier ones did stays: their owner gives it back. */
struct ndr_context_hooks {
    RPC_STATUS (*to_wire)(void *arg, const NDR_TYPE *type, const void *slot, uint8_t *out);
    RPC_STATUS (*from_wire)(void *arg, const NDR_TYPE *type, const uint8_t *in, void *slot);
    void *arg;
};

/* ---- Sending --------------------------------------------------------------- */

/* A growing octet buffer, reusable from call to call. */
struct ndr_writer {
    uint8_t *octets;   /* what was written; moves when it grows                    */
    size_t len;        /* octets written                                           */
    size_t capacity;   /* octets allocated                                         */
    size_t len_max;    /* caller: limit of len; 0: NDR_WRITER_LEN_MAX              */
    uint64_t origin;   /* caller: stub offset of octets[0]; only alignment uses it */
    bool ndr64;        /* caller: transfer syntax NDR64, else NDR 2.0            */
    uint32_t depth_max;/* caller: 0: NDR_DEPTH_MAX                                  */
    RPC_STATUS status; /* first failure, latched until reset                     */
    const struct ndr_context_hooks *contexts;    /* caller: NULL: RPC_S_CANNOT_SUPPORT */
    const struct ndr_memory *memory; /* caller: for converted values; NULL: RPC_S_CANNOT_SUPPORT */
    struct ndr_full_pointers *full; /* caller: of this call, request and reply; NULL: the reply
                                     * does not refer to objects of the request */
    bool skip_converted; /* caller: leaves them out instead; the octets are for nobody */
    void *(*reallocate)(void *old, size_t size); /* NULL: realloc; freed by free() */
};

/* An empty writer that owns nothing yet. */
void ndr_writer_init(struct ndr_writer *writer);
/* Forgets content, origin and status; keeps the storage and the limits. */
void ndr_writer_reset(struct ndr_writer *writer);
/* Releases the storage; the writer is as after ndr_writer_init. */
void ndr_writer_fini(struct ndr_writer *writer);

/* Appends the parameters of `operation` that travel in `direction` (NDR_PARAM_IN
 * or NDR_PARAM_OUT), in signature order, the result last; pipes and handles are
 * skipped.  Byte order is the host's.  Gaps are zeros.  When a client sends, [out]
 * parameters are checked too, because a missing buffer should fail before the call.
 *
 * RPC_S_OK, or the writer is as long as before and has the status latched:
 * RPC_X_NULL_REF_POINTER; RPC_X_BYTE_COUNT_TOO_SMALL: as above, before the call;
 * RPC_X_ENUM_VALUE_OUT_OF_RANGE; RPC_S_INVALID_BOUND: a
 * size_is, length_is or string out of bounds, a 64-bit __int3264; RPC_S_INVALID_TAG: a
 * discriminant without arm; RPC_S_OUT_OF_MEMORY; RPC_S_OUT_OF_RESOURCES: len_max or
 * depth_max; what a context hook says; RPC_S_CANNOT_SUPPORT: a type the engine has no
 * rule for yet (arrays of conformant arrays). */
RPC_STATUS ndr_encode_params(struct ndr_writer *writer, const NDR_OPERATION *operation,
                             const void *frame, uint32_t direction);

/* ---- Receiving ------------------------------------------------------------- */

enum ndr_verdict {
    NDR_DONE,      /* frame is filled, reader->pos is behind the last octet used */
    NDR_NEED_MORE, /* not an error: call again with reader->need octets or more  */
    NDR_FAILED     /* reader->status says why                                    */
};

struct ndr_reader {
    /* Set by the caller. */
    const uint8_t *octets;
    size_t len;           /* octets there                                           */
    size_t pos;           /* where to begin; moved only by NDR_DONE                 */
    uint64_t origin;      /* stub offset of octets[0]; only alignment uses it       */
    bool little_endian;   /* the sender's integers (data representation label)      */
    bool last;            /* no more octets will come: short is bad, not NEED_MORE  */
    bool ndr64;           /* transfer syntax NDR64, else NDR 2.0                    */
    size_t allocated_max; /* octets of memory one try may take; 0: NDR_ALLOCATED_MAX */
    uint32_t depth_max;   /* 0: NDR_DEPTH_MAX                                       */
    void *(*reallocate)(void *old, size_t size); /* scratch; NULL: realloc          */
    const struct ndr_context_hooks *contexts;    /* NULL: RPC_S_CANNOT_SUPPORT         */
    struct ndr_full_pointers *full;              /* of this call, as the writer's      */
    /* Set by us. */
    size_t need;       /* NEED_MORE: a try with a smaller `len` is useless.  Counts what
                        * is certain to come (announced elements, pending pointees,
                        * parameters not begun), never more than that.  A try starts
                        * anew, and a linked list announces one node at a time, so a
                        * caller bounds the work by waiting for max(need, len + len/4)
                        * or `last`                                              */
    size_t allocated;  /* DONE: octets of allocated_max it took */
    RPC_STATUS status; /* FAILED */
};

/* Decodes the parameters of `operation` that travel in `direction` into `frame`.
 *
 * IN (server): the frame is zeroed by the caller.  Every pointee is allocated with
 * `memory`, one object each, and given to the frame (ndr_free_params).
 * OUT (client): the frame has the application's pointers.  Pointees of [ref]
 * pointers are written in place; so are those of [in,out] unique pointers that are
 * not NULL; other unique pointees, and those of [ref] pointers that are NULL inside
 * [out] memory, are allocated and given to the application.  In
 * [out]-only memory unique pointers are taken as uninitialised.  Memory whose size
 * is variable is written only as far as its size was before the call (the old value
 * of size_is, the old length of a string).
 *
 * Unless NDR_DONE, everything allocated by this try is freed again; then on the
 * server the parameters in the frame are zero, on the client each pointer is as it
 * was, or NULL in [out]-only memory (scalars and array elements in the application's
 * [out] memory may have changed).
 *
 * A full pointer shares the object with all full pointers of the same direction that have
 * its referent; it is decoded where the first of them is worked off.  With `full` a
 * referent in a reply that the request had names the object it had there: one that [in,out]
 * parameters led to is written in place, whichever pointer leads to it now; all others are
 * new objects.  What an [in,out]
 * union holds is kept only if its arm stays the same.  Elements that do not travel are zero
 * in memory we allocate.
 *
 * What an NDR_TYPE_ALL_NODES pointer leads to is one object of `memory`.  In OUT, what a
 * parameter with byte_count leads to is written to the application's buffer, and nothing is
 * allocated.
 *
 * Checked on receipt: counts against size_is, length_is and first_is, discriminants against
 * switch_is, [range], enum range, string terminators, bounds.  A unique pointer with size_is
 * that is NULL while size_is is not zero is refused in requests (MIDL /robust).  Octets left
 * over are fine.
 *
 * FAILED: RPC_X_BAD_STUB_DATA; RPC_S_INVALID_TAG: a discriminant without arm;
 * RPC_S_OUT_OF_MEMORY; RPC_S_OUT_OF_RESOURCES: a limit of the reader;
 * RPC_X_NULL_REF_POINTER: the application's pointer is missing; RPC_X_BYTE_COUNT_TOO_SMALL: its
 * buffer is; RPC_S_INVALID_BOUND: byte_count makes no sense; what a context hook says;
 * RPC_S_CANNOT_SUPPORT. */
enum ndr_verdict ndr_decode_params(struct ndr_reader *reader, const NDR_OPERATION *operation,
                                   void *frame, uint32_t direction,
                                   const struct ndr_memory *memory);

/* Server, after decoding: gives each [out]-only [ref] parameter zeroed storage for the
 * manager to fill; arrays and strings are sized by size_is over the [in] parameters.
 * What pointers *inside* that storage point to is the manager's to allocate.
 * On failure what was allocated stays in the frame for ndr_free_params.
 * RPC_S_OK; RPC_X_BAD_STUB_DATA: size_is makes no sense (its operands are the
 * peer's); RPC_X_BYTE_COUNT_TOO_SMALL: the client's buffer is smaller than what it is for;
 * RPC_S_OUT_OF_MEMORY; RPC_S_OUT_OF_RESOURCES: prepare_max;
 * RPC_S_CANNOT_SUPPORT: [out] storage without a size. */
RPC_STATUS ndr_prepare_out(const NDR_OPERATION *operation, void *frame,
                           const struct ndr_memory *memory);

/* Server, after the reply: frees every object reachable from the frame, in
 * parameters of either direction and the result, and sets the frame's pointers to
 * NULL.  Objects a manager hung in were allocated with the same allocator. */
void ndr_free_params(const NDR_OPERATION *operation, void *frame, const struct ndr_memory *memory);

/* Frees every object that the pointers in one value lead to, not the value; base: of its size_is. */
void ndr_free_value(const NDR_TYPE *type, void *value, const void *base,
                    const struct ndr_memory *memory);

/* ---- Elements of pipes ------------------------------------------------------ */

/* One element of constant size.  Element k of a run starts at octet k * stride; a
 * run of n > 0 has (n - 1) * stride + size octets, no pad behind the last.  In NDR64
 * a structure's pad is part of it. */
struct ndr_element_layout {
    uint32_t size;        /* octets, without trailing pad               */
    uint32_t align;       /* 1, 2, 4 or 8                               */
    uint32_t stride;      /* size rounded up to align                   */
    uint32_t memory_size; /* sizeof in C                                */
    bool flat;            /* memory == wire: memcpy                     */
};

/* RPC_S_OK; RPC_S_CANNOT_SUPPORT: not a legal pipe element (pointers, strings,
 * conformant arrays, 16-bit enum, __int3264 anywhere inside). */
RPC_STATUS ndr_element_layout(const NDR_TYPE *element, bool ndr64,
                              struct ndr_element_layout *ret_layout);

/* Writes a run of `count` elements in the host's byte order, gaps zeroed.  The type
 * is one ndr_element_layout accepts. */
void ndr_elements_to_wire(const NDR_TYPE *element, bool ndr64, const void *memory, size_t count,
                          uint8_t *out);

/* Reads a run of `count` elements.  RPC_S_OK; RPC_X_BAD_STUB_DATA: a [range] inside is
 * violated, `memory` is partly written. */
RPC_STATUS ndr_elements_from_wire(const NDR_TYPE *element, bool ndr64, const uint8_t *in,
                                  size_t count, bool little_endian, void *memory);

/* ---- Traces ------------------------------------------------------------------ */

/* Prints a value as one line of text, always NUL terminated, cut at `size`.  Long
 * strings, long arrays and deep structures are shortened with "...".  `base` is what
 * size_is refers to: the frame of a parameter, else the enclosing structure. */
void ndr_print(const NDR_TYPE *type, const void *memory, const void *base, char *text, size_t size);
/* The same for all parameters of `direction`: name=value, comma separated. */
void ndr_print_params(const NDR_OPERATION *operation, const void *frame, uint32_t direction,
                      char *text, size_t size);

#endif
