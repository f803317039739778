/* SPDX-License-Identifier: MIT */
/* union.c - discriminants and arms (C706 14.3.8, MS-RPCE 2.2.4.5 and 2.2.5.3.4.4). */
#include "ndr/union.h"

#include "ndr/expr.h"

int64_t ndr_as_kind(NDR_KIND kind, int64_t value)
{
    uint64_t memory = 0;
    int64_t held = value;
    if (ndr_store_integer(kind, &memory, value))
        ndr_load_integer(kind, &memory, &held);
    return held;
}

bool ndr_union_tag(const NDR_TYPE *type, const void *memory, const void *base, int64_t *ret_tag)
{
    const NDR_UNION *u = type->alternatives;
    uint64_t room;
    int64_t value;
    if (!u->switch_is)
        return ndr_load_integer(u->switch_kind, (const uint8_t *)memory + u->switch_offset,
                                ret_tag);
    return base && ndr_expr_value(u->switch_is, base, &value) &&
           ndr_store_integer(u->switch_kind, &room, value) &&
           ndr_load_integer(u->switch_kind, &room, ret_tag);
}

const NDR_ARM *ndr_union_arm(const NDR_UNION *alternatives, int64_t tag)
{
    for (uint32_t i = 0; i < alternatives->arm_count; i++)
        if (ndr_as_kind(alternatives->switch_kind, alternatives->arms[i].value) == tag)
            return &alternatives->arms[i];
    return alternatives->otherwise;
}

uint32_t ndr_arms_align(const struct ndr_rules *rules, const NDR_UNION *alternatives)
{
    uint32_t align = 1;
    for (uint32_t i = 0; i <= alternatives->arm_count; i++) {
        const NDR_ARM *arm =
            i < alternatives->arm_count ? &alternatives->arms[i] : alternatives->otherwise;
        if (!arm || !arm->type)
            continue;
        uint32_t of_arm = ndr_align(rules, arm->type);
        if (of_arm > align)
            align = of_arm;
    }
    return align;
}
