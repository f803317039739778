/* SPDX-License-Identifier: MIT */
/* values.h - values of any described type: made at random, changed, printed.
 *
 * What sizes and discriminants refer to is chosen first (solve.c): small numbers are tried
 * until all expressions over the same frame or structure make sense.  Everything else is any
 * value of its type, so that fields which change places or lose octets are seen. */
#ifndef PENSTOCK_TESTS_GOLDEN_VALUES_H
#define PENSTOCK_TESTS_GOLDEN_VALUES_H

#include "harness.h"
#include "text.h"

#define ELEMENTS_MAX 12 /* of an array whose size is not a constant */
#define FULL_MAX     512
#define OBJECTS_MANY 300

/* How one side makes the values of one call. */
struct values {
    uint64_t random;
    bool wide;   /* __int3264 has 64 bits on the wire */
    bool server; /* may free what [in,out] pointers lead to */
    const struct golden *golden;
    void *(*allocate)(size_t size);
    void (*release)(void *object);
    /* A context handle in `slot`; is_new: there was none.  carries: an [in] parameter, which
     * may not be NULL. */
    void (*context)(struct values *values, const NDR_TYPE *type, void *slot, bool is_new,
                    bool carries);
    bool failed; /* by `context`: there is none to give */
    unsigned depth;
    unsigned object_count; /* made so far; many: the rest is kept small */
    /* [byte_count], [allocate(all_nodes)]: objects come from here, NULL: from allocate;
     * frozen: none may be added any more. */
    char *region, *region_end;
    bool frozen;
    unsigned region_number, region_count; /* of all_nodes: which; 0: in none */
    struct {
        const NDR_TYPE *type;
        void *object;
        unsigned region;
        bool begins_region;
    } full[FULL_MAX]; /* objects full pointers lead to, or that were changed already */
    size_t full_count;
};

uint64_t random_bits(struct values *values);
/* low..high */
int64_t random_between(struct values *values, int64_t low, int64_t high);
bool one_in(struct values *values, int64_t n);

/* A frame, or a structure: what expressions refer to. */
struct member {
    const NDR_TYPE *type;
    uint32_t offset;
    const NDR_RANGE *range;
    const NDR_EXPR *byte_count;
    enum {
        MEMBER_OTHER,  /* of the other direction: neither changed nor looked at */
        MEMBER_ROOM,   /* [out] of a client: it is not there yet                */
        MEMBER_NEW,    /* is made                                               */
        MEMBER_CHANGE, /* has a value, which is changed                         */
        MEMBER_KEEP    /* has a value, which stays                              */
    } way;
};

#define USES_MAX  64
#define NODES_MAX 128

/* What the expressions over one base refer to. */
struct plan {
    struct use {
        uint32_t offset;
        NDR_KIND kind;
        bool deref;
        bool sizes;  /* size_is, switch_is: what has a value cannot be changed then */
        bool octets; /* byte_count */
        const struct member *member;
        const NDR_TYPE *tags; /* a union whose labels are worth trying */
    } uses[USES_MAX];
    size_t use_count;
    const NDR_TYPE *nodes[NODES_MAX]; /* types that must make sense */
    size_t node_count;
};

/* Chooses them; false: no choice was found.  Pointers to some of them are allocated. */
bool solve(struct values *values, struct plan *plan, const struct member *members,
           size_t member_count, void *base);
/* Was it chosen by solve()? */
bool is_chosen(const struct plan *plan, const struct member *member);

/* A new value in zeroed memory; pointers that are there already lead to its storage. */
void value_new(struct values *values, const NDR_TYPE *type, void *memory, const void *base,
               const NDR_RANGE *range);
/* Another value of the same size: what the receiver of an [in,out] has room for. */
void value_change(struct values *values, const NDR_TYPE *type, void *memory, const void *base,
                  const NDR_RANGE *range);

/* ---- Text ---------------------------------------------------------------------------------- */

/* Objects full pointers lead to, in the order they are met. */
struct printed {
    const void *objects[FULL_MAX];
    size_t count;
    const struct golden *golden;
    unsigned (*context_number)(const NDR_TYPE *type, const void *context);
};

/* All of a value, as both sides see it. */
void value_print(struct text *text, struct printed *printed, const NDR_TYPE *type,
                 const void *memory, const void *base);

#endif
