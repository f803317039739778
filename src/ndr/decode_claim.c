/* SPDX-License-Identifier: MIT */
/* decode_claim.c - size_is, length_is and switch_is against what the wire has: claims wait
 * until their operands are there, and what the operands were before is remembered. */
#include "ndr/decode.h"

#include <penstock/rpcnterr.h>

#include "ndr/expr.h"
#include "ndr/union.h"

static struct ndr_claim *find_claim(struct ndr_decode *d, const NDR_EXPR *expr, NDR_KIND kind)
{
    for (size_t i = 0; i < d->claims.count; i++) {
        struct ndr_claim *claim = ndr_list_at(&d->claims, i);
        if (claim->expr == expr && claim->kind == kind)
            return claim;
    }
    struct ndr_claim claim = {.expr = expr, .kind = kind};
    if (!ndr_decode_note(d, &d->claims, &claim))
        return NULL;
    return ndr_list_at(&d->claims, d->claims.count - 1);
}

static bool claim_over_frame(struct ndr_decode *d, const struct ndr_claim *fresh)
{
    struct ndr_claim *claim = find_claim(d, fresh->expr, fresh->kind);
    if (!claim)
        return false;
    if (fresh->null_seen) {
        claim->null_seen = true;
        return true;
    }
    /* One expression has one value, however many arrays it sizes. */
    if (claim->value_seen && claim->value != fresh->value)
        return ndr_decode_fail(d, RPC_X_BAD_STUB_DATA);
    claim->value_seen = true;
    claim->value = fresh->value;
    return true;
}

/* A NULL pointer whose size has no value, as in size_is(*n) with n NULL, is fine. */
static bool claim_holds(const struct ndr_claim *claim, const void *base)
{
    int64_t value;
    bool has_value = ndr_expr_value(claim->expr, base, &value);
    if (has_value && claim->kind != NDR_KIND_VOID)
        value = ndr_as_kind(claim->kind, value);
    if (claim->value_seen && (!has_value || value != claim->value))
        return false;
    return !claim->null_seen || !has_value || value == 0;
}

static bool add_claim(struct ndr_decode *d, const struct ndr_claim *claim,
                      const struct ndr_scope *scope)
{
    if (scope->base == d->frame)
        return claim_over_frame(d, claim);
    if (ndr_expr_follows_pointers(claim->expr))
        return ndr_decode_note(d, &d->behind, claim);
    if (scope->is_partial)
        return ndr_decode_note(d, &d->late, claim);
    return claim_holds(claim, scope->base) || ndr_decode_fail(d, RPC_X_BAD_STUB_DATA);
}

bool ndr_decode_claim(struct ndr_decode *d, const NDR_EXPR *expr, const struct ndr_scope *scope,
                      uint32_t count, bool is_null)
{
    /* In replies a NULL array beside a count is common: "this many would have been". */
    if (!expr || (is_null && d->direction != NDR_PARAM_IN))
        return true;
    /* Nobody can make a constant size 0; NULL is what [unique] is for then. */
    if (is_null && expr->op == NDR_EXPR_CONST)
        return true;
    struct ndr_claim claim = {.expr = expr,
                              .base = scope->base,
                              .value = count,
                              .null_seen = is_null,
                              .value_seen = !is_null};
    return add_claim(d, &claim, scope);
}

bool ndr_decode_claim_tag(struct ndr_decode *d, const NDR_EXPR *expr, const struct ndr_scope *scope,
                          NDR_KIND kind, int64_t tag)
{
    struct ndr_claim claim = {
        .expr = expr, .base = scope->base, .value = tag, .kind = kind, .value_seen = true};
    return add_claim(d, &claim, scope);
}

static bool check_list(struct ndr_decode *d, struct ndr_list *list, size_t first)
{
    for (size_t i = first; i < list->count; i++) {
        const struct ndr_claim *claim = ndr_list_at(list, i);
        if (!claim_holds(claim, claim->base))
            return ndr_decode_fail(d, RPC_X_BAD_STUB_DATA);
    }
    list->count = first;
    return true;
}

bool ndr_decode_check_late(struct ndr_decode *d, size_t first)
{
    return check_list(d, &d->late, first);
}

bool ndr_decode_check_behind(struct ndr_decode *d)
{
    return check_list(d, &d->behind, 0);
}

bool ndr_decode_check_claims(struct ndr_decode *d)
{
    if (!ndr_decode_check_behind(d))
        return false;
    for (size_t i = 0; i < d->claims.count; i++)
        if (!claim_holds(ndr_list_at(&d->claims, i), d->frame))
            return ndr_decode_fail(d, RPC_X_BAD_STUB_DATA);
    return true;
}

bool ndr_decode_old_value(const struct ndr_decode *d, const NDR_EXPR *expr, int64_t *ret_value)
{
    for (size_t i = 0; i < d->old_values.count; i++) {
        const struct ndr_old_value *old = ndr_list_at(&d->old_values, i);
        if (old->expr == expr) {
            *ret_value = old->value;
            return true;
        }
    }
    return false;
}

bool ndr_decode_note_old_values(struct ndr_decode *d, const NDR_PARAM *param)
{
    for (const NDR_TYPE *type = param->type; type; type = type->element) {
        const NDR_EXPR *operands[] = {
            type->max_count,
            type->kind == NDR_KIND_UNION ? type->alternatives->switch_is : NULL,
            type->first,
            type->length,
        };
        /* [out]-only memory has a size, but nothing in it. */
        size_t wanted = param->flags & NDR_PARAM_IN ? sizeof(operands) / sizeof(operands[0]) : 1;
        for (size_t i = 0; i < wanted; i++) {
            struct ndr_old_value old = {.expr = operands[i]};
            if (old.expr && ndr_expr_value(old.expr, d->frame, &old.value) &&
                !ndr_decode_note(d, &d->old_values, &old))
                return false;
        }
        /* Behind a unique pointer in [out]-only memory there is nothing yet, and the
         * operands may be as uninitialised. */
        if (type->kind == NDR_KIND_POINTER && (type->flags & (NDR_TYPE_UNIQUE | NDR_TYPE_FULL)) &&
            !(param->flags & NDR_PARAM_IN))
            return true;
        if (type->kind != NDR_KIND_POINTER && type->kind != NDR_KIND_ARRAY)
            return true;
    }
    return true;
}
