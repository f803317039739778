/* SPDX-License-Identifier: MIT */
/* union.h - which arm of a union is the one. */
#ifndef PENSTOCK_NDR_UNION_H
#define PENSTOCK_NDR_UNION_H

#include "ndr/layout.h"

static inline bool ndr_is_encapsulated(const NDR_TYPE *type)
{
    return type->kind == NDR_KIND_UNION && !type->alternatives->switch_is;
}

/* The discriminant of the union at `memory`, over `base` unless it is encapsulated, as its
 * switch_kind holds it.  False: switch_is has no value, or none of that kind. */
bool ndr_union_tag(const NDR_TYPE *type, const void *memory, const void *base, int64_t *ret_tag);

/* The arm of a discriminant, the default arm included; NULL: there is none. */
const NDR_ARM *ndr_union_arm(const NDR_UNION *alternatives, int64_t tag);

/* `value` as a variable of the kind holds it: labels may be written signed for an unsigned
 * switch type. */
int64_t ndr_as_kind(NDR_KIND kind, int64_t value);

/* Where the arms lie in the C value. */
static inline size_t ndr_arms_offset(const NDR_TYPE *type)
{
    return ndr_is_encapsulated(type) ? type->alternatives->arms_offset : 0;
}

/* What the expressions of an arm refer to. */
static inline const void *ndr_arm_base(const NDR_TYPE *type, const void *memory, const void *base)
{
    return ndr_is_encapsulated(type) ? memory : base;
}

/* The strictest alignment of all arms, 1 when all are empty. */
uint32_t ndr_arms_align(const struct ndr_rules *rules, const NDR_UNION *alternatives);

#endif
