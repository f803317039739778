/* SPDX-License-Identifier: MIT */
/* decode.h - the state one try of ndr_decode_params shares between decode.c
 * (parameters, memory, rollback), decode_claim.c (size_is and kin), decode_value.c
 * (values), decode_pointer.c (pointers and what they point to) and decode_region.c (memory in
 * one piece).
 *
 * The work is as in encode.c, flat parts first, with more lists:
 *   pending   pointers whose pointee is still to come
 *   undo      pointers this try has changed, newest last
 *   contexts  context handles received; their owner hears of them at the end
 *   claims    what size_is and switch_is over the frame must turn out to be: their
 *             operands may be parameters that come later
 *   late      the same over structures that are not yet complete
 *   behind    ... and over what their pointers lead to, which comes after all of them
 *   objects   what full pointers lead to, by referent; `taken` by address */
#ifndef PENSTOCK_NDR_DECODE_H
#define PENSTOCK_NDR_DECODE_H

#include "ndr/alias.h"
#include "ndr/layout.h"
#include "ndr/list.h"

/* Whose memory is being written; decides what a pointer found there means. */
enum ndr_owner {
    NDR_OURS,    /* allocated by this try and zeroed, or a server's frame          */
    NDR_KEPT,    /* the application's, [in,out]: pointers are valid, reuse them    */
    NDR_OUT_ONLY /* the application's, [out]: only [ref] pointers mean anything    */
};

/* No size known for a pointee in the application's memory. */
#define NDR_CAPACITY_UNKNOWN UINT32_MAX

/* Sized levels of a field, as size_is(,a,b) has them, below its own pointer. */
#define NDR_DEEPER_MAX 2u

/* Where a value is decoded to. */
struct ndr_scope {
    const void *base;       /* what size_is refers to                             */
    const void *old;        /* NDR_KEPT: a copy of *base from before the call, or
                             * NULL; for the frame see decode->old_values         */
    const NDR_RANGE *range; /* of the integers in the parameter, field or arm     */
    int64_t old_tag;        /* NDR_KEPT pointee that is a union: see has_old_tag  */
    enum ndr_owner owner;
    uint32_t depth;
    uint32_t deeper[NDR_DEEPER_MAX]; /* NDR_KEPT: elements of the next sized pointees, from
                                      * outside, and 1; 0: unknown.  *old was asked in time. */
    bool has_old_tag;
    bool is_partial; /* members of *base are still to come */
    bool is_blank;   /* NDR_KEPT: the pointee is the application's, its content never meant
                      * anything ([partial_ignore]) */
};

/* A pointer on its way to a pointee. */
struct ndr_target {
    const NDR_TYPE *type;   /* the pointer's */
    void *slot;             /* the pointer */
    uint64_t referent;      /* of a full pointer */
    struct ndr_scope scope; /* of the slot; `old` is not kept */
    uint32_t capacity;      /* elements at *slot if it is the application's memory  */
    uint32_t least_len;     /* octets the pointee adds to decode->least_pending     */
    bool is_null;           /* no pointee: only size_is is left to be checked       */
    bool is_new;            /* what is at *slot, if anything, is another object     */
    const struct ndr_alias *own; /* the client's object of its request, or NULL     */
};

struct ndr_undo {
    void *slot;
    void *old;
    bool is_shared; /* what is there now belongs to another pointer */
};

struct ndr_claim {
    const NDR_EXPR *expr; /* over the frame, or `base`                            */
    const void *base;     /* of a late claim                                      */
    int64_t value;        /* what the wire says                                   */
    NDR_KIND kind;        /* of a discriminant; VOID: a count                     */
    bool null_seen;       /* a NULL pointer wants it to be 0                      */
    bool value_seen;
};

struct ndr_old_value {
    const NDR_EXPR *expr; /* over the frame, before anything was decoded          */
    int64_t value;
};

struct ndr_context_note {
    const NDR_TYPE *type;
    void *slot;
    uint8_t octets[NDR_CONTEXT_LEN]; /* host order */
};

struct ndr_region; /* decode_region.c */

struct ndr_decode {
    struct ndr_reader *reader;
    const struct ndr_rules *rules;
    const struct ndr_memory *memory;
    void *frame;
    uint32_t direction;
    bool swap;
    size_t pos;
    enum ndr_verdict verdict; /* NDR_DONE as long as all is well */
    uint64_t least_pending;   /* octets the pending pointees take at least  */
    uint64_t least_params;    /* the same of the parameters not begun       */
    size_t budget;            /* octets that may still be allocated         */
    void *frame_slot;         /* a parameter passed by value that is itself a pointer the
                               * peer must not set: nobody would see it     */
    struct ndr_list pending, undo, claims, late, behind, old_values, contexts;
    struct ndr_list *conversions; /* decode_convert.c; NULL: there can be none  */
    bool is_scratch;              /* memory is not the program's but free()d    */
    struct ndr_aliases objects, taken;
    struct ndr_region *region; /* objects are allocated in it; NULL: each by itself */
    uint32_t region_count;     /* of this try: the number of the newest              */
};

/* Each returns false and sets the verdict when decoding cannot go on; this one always.
 * Inline, so that compilers see it return false. */
static inline bool ndr_decode_fail(struct ndr_decode *d, RPC_STATUS status)
{
    d->verdict = NDR_FAILED;
    d->reader->status = status;
    return false;
}

/* Are `len` octets there at d->pos?  If not: BAD_STUB_DATA, or NEED_MORE for them and
 * for what we know must come behind them. */
bool ndr_decode_require(struct ndr_decode *d, uint64_t len);
void ndr_decode_align(struct ndr_decode *d, uint32_t align);
/* A count or referent of `size` octets. */
bool ndr_decode_get(struct ndr_decode *d, uint8_t size, uint64_t *ret_value);
/* Memory of the program for `size` octets of `type` in *slot, zeroed unless all of it is about
 * to be written; taken back if this try fails. */
bool ndr_decode_allocate(struct ndr_decode *d, void *slot, const NDR_TYPE *type, uint64_t size,
                         bool zero, void **ret_memory);
/* That many octets are taken from what the call may have. */
bool ndr_decode_spend(struct ndr_decode *d, uint64_t size);
/* Changes an application's pointer; undone if this try fails. */
bool ndr_decode_set_pointer(struct ndr_decode *d, void *slot, void *value);
/* Scratch items count against the budget as well: 4 octets can claim one. */
bool ndr_decode_note(struct ndr_decode *d, struct ndr_list *list, const void *item);
/* Sets a pointer to an object that another pointer owns. */
bool ndr_decode_share(struct ndr_decode *d, void *slot, void *object);
bool ndr_decode_add_alias(struct ndr_decode *d, struct ndr_aliases *aliases,
                          const struct ndr_alias *alias);
/* Reads a context handle; its slot is set when all else is known to be good. */
bool ndr_decode_context(struct ndr_decode *d, const NDR_TYPE *type, void *slot);

/* Works off the pending pointers from number `first` on, and those they lead to. */
bool ndr_decode_pending(struct ndr_decode *d, size_t first);
/* Takes back everything this try allocated and set since it had `first` notes of that. */
void ndr_decode_roll_back(struct ndr_decode *d, size_t first);

/* ---- decode_claim.c ---- */

/* The wire has `count` elements (or a NULL pointer) where `expr` tells how many. */
bool ndr_decode_claim(struct ndr_decode *d, const NDR_EXPR *expr, const struct ndr_scope *scope,
                      uint32_t count, bool is_null);
/* The wire has the discriminant `tag` of that kind where `expr` tells which. */
bool ndr_decode_claim_tag(struct ndr_decode *d, const NDR_EXPR *expr, const struct ndr_scope *scope,
                          NDR_KIND kind, int64_t tag);
/* Checks the late claims from number `first` on, and forgets them. */
bool ndr_decode_check_late(struct ndr_decode *d, size_t first);
/* The same of those behind pointers, when all pointees are there. */
bool ndr_decode_check_behind(struct ndr_decode *d);
/* What `expr` over the frame was before the call. */
bool ndr_decode_old_value(const struct ndr_decode *d, const NDR_EXPR *expr, int64_t *ret_value);
/* Checks all claims over the frame, which is complete. */
bool ndr_decode_check_claims(struct ndr_decode *d);
/* Remembers how large the application's arrays are, and which arms its unions have, before an
 * operand of size_is that is itself [out] changes.  Structures see to their own members
 * (decode_value.c). */
bool ndr_decode_note_old_values(struct ndr_decode *d, const NDR_PARAM *param);

/* ---- decode_value.c ---- */

/* Which elements of an array or string come; of several dimensions, also of the inner
 * ones. */
struct ndr_extent {
    uint32_t max, first, actual;
    struct {
        uint32_t first, actual;
    } inner[NDR_DIMENSIONS_MAX - 1];
};

bool ndr_decode_count(struct ndr_decode *d, uint32_t *ret_count);
/* The max count of a conformant array or string, checked against [range] and size_is. */
bool ndr_decode_max(struct ndr_decode *d, const NDR_TYPE *type, const struct ndr_scope *scope,
                    uint32_t *ret_max);
/* Offset and actual count if the type has them, and are the elements there? */
bool ndr_decode_extent(struct ndr_decode *d, const NDR_TYPE *type, const struct ndr_scope *scope,
                       uint32_t max, struct ndr_extent *ret_extent);
/* The octets of `count` elements are there: asked before memory is allocated. */
bool ndr_decode_require_elements(struct ndr_decode *d, const NDR_TYPE *element, uint64_t count);
/* The elements, to the array at `memory`. */
bool ndr_decode_elements(struct ndr_decode *d, const NDR_TYPE *type, void *memory,
                         const struct ndr_extent *extent, const struct ndr_scope *scope);
/* The flat part of a value.  `tail_max`: the hoisted count of a structure that ends in
 * something conformant. */
bool ndr_decode_value(struct ndr_decode *d, const NDR_TYPE *type, void *memory,
                      const struct ndr_scope *scope, enum ndr_place place,
                      const uint32_t *tail_max);

/* ---- decode_pointer.c ---- */

/* A pointer in a structure, array or union: its pointee comes behind the flat part. */
bool ndr_decode_defer(struct ndr_decode *d, const NDR_TYPE *type, void *slot,
                      const struct ndr_scope *scope, enum ndr_place place);
/* Decodes a parameter's own member of the frame with its direct pointees. */
bool ndr_decode_top(struct ndr_decode *d, const NDR_TYPE *type, void *memory,
                    const struct ndr_scope *scope);
/* Decodes the pointee of a pointer that is not NULL. */
bool ndr_decode_pointee(struct ndr_decode *d, const struct ndr_target *target);
/* Reads the referent, if this pointer has one here; *ret_present: is there a pointee? */
bool ndr_decode_referent(struct ndr_decode *d, struct ndr_target *target, enum ndr_place place,
                         bool *ret_present);

/* ---- decode_region.c ---- */

/* Takes memory for an object from the region.  *ret_own: it is the region itself, which was
 * allocated now. */
bool ndr_region_take(struct ndr_decode *d, const NDR_TYPE *type, uint64_t size, void **ret_memory,
                     bool *ret_own);
/* The number of the region objects are allocated in; 0: none. */
uint32_t ndr_region_number(const struct ndr_decode *d);
/* Is that object the first of its region, so that freeing it frees the region? */
bool ndr_region_begins(const struct ndr_decode *d, const void *object);
/* Are objects only measured, in scratch memory? */
bool ndr_region_is_measured(const struct ndr_decode *d);
/* Does the pointer ask for memory in one piece, which has not begun yet? */
bool ndr_region_wanted(const struct ndr_decode *d, const struct ndr_target *target);
/* Decodes the pointee and everything it leads to, in memory of one piece. */
bool ndr_region_decode(struct ndr_decode *d, const struct ndr_target *target);
/* Decodes what the client's [byte_count] parameter at `slot` leads to. */
bool ndr_region_decode_buffer(struct ndr_decode *d, const NDR_PARAM *param, void *slot,
                              const struct ndr_scope *scope);

/* ---- decode_convert.c ---- */

/* Reads what was sent for a converted value, which is filled by ndr_decode_deliver(). */
bool ndr_decode_converted(struct ndr_decode *d, const NDR_TYPE *type, void *value,
                          const struct ndr_scope *scope, enum ndr_place place);
/* The same behind the pointer that is the wire type. */
bool ndr_decode_user_octets(struct ndr_decode *d, const NDR_TYPE *type, void *value,
                            const struct ndr_scope *scope);
/* Around all parameters: an empty list of values to be filled; filling them when all else
 * is good; and the end, which takes filled values back when decoding failed after all. */
void ndr_decode_begin_conversions(struct ndr_decode *d, struct ndr_list *list);
bool ndr_decode_deliver(struct ndr_decode *d);
void ndr_decode_end_conversions(struct ndr_decode *d);

#endif
