/* SPDX-License-Identifier: MIT */
/* solve.c - values for what size_is, length_is, switch_is and kin refer to: tried at random
 * until every array and union over the base makes sense. */
#include <string.h>

#include "shape.h"
#include "values.h"

#define TRIES_MAX 200000

static void gather_uses(struct plan *plan, const NDR_EXPR *e, bool sizes, const NDR_TYPE *tags)
{
    if (!e)
        return;
    if (e->op == NDR_EXPR_LOAD || e->op == NDR_EXPR_DEREF || e->op == NDR_EXPR_NONNULL) {
        struct use *use = NULL;
        for (size_t i = 0; i < plan->use_count && !use; i++)
            if (plan->uses[i].offset == e->offset)
                use = &plan->uses[i];
        if (!use) {
            if (plan->use_count == USES_MAX)
                die("too many expressions");
            use = &plan->uses[plan->use_count++];
            *use = (struct use){.offset = e->offset, .kind = NDR_KIND_VOID};
        }
        if (e->op != NDR_EXPR_NONNULL)
            use->kind = e->kind;
        use->deref |= e->op != NDR_EXPR_LOAD;
        use->sizes |= sizes;
        if (tags)
            use->tags = tags;
    }
    gather_uses(plan, e->a, sizes, tags);
    gather_uses(plan, e->b, sizes, tags);
    gather_uses(plan, e->c, sizes, tags);
}

static void gather(struct plan *plan, const NDR_TYPE *type)
{
    if (type->kind == NDR_KIND_POINTER) {
        if (!(type->flags & NDR_TYPE_IGNORE))
            gather(plan, type->element);
        return;
    }
    bool is_union = type->kind == NDR_KIND_UNION && !is_encapsulated(type);
    if (type->kind != NDR_KIND_ARRAY && type->kind != NDR_KIND_STRING && !is_union)
        return;
    if (plan->node_count == NODES_MAX)
        die("too many arrays");
    plan->nodes[plan->node_count++] = type;
    if (is_union) {
        gather_uses(plan, type->alternatives->switch_is, true, type);
        for (uint32_t i = 0; i < type->alternatives->arm_count; i++)
            if (type->alternatives->arms[i].type)
                gather(plan, type->alternatives->arms[i].type);
        if (type->alternatives->otherwise && type->alternatives->otherwise->type)
            gather(plan, type->alternatives->otherwise->type);
        return;
    }
    gather_uses(plan, type->max_count, true, NULL);
    if (type->flags & NDR_TYPE_VARYING) {
        bool pointers = type->element->flags & NDR_TYPE_HAS_POINTERS;
        gather_uses(plan, type->first, pointers, NULL);
        gather_uses(plan, type->length, pointers, NULL);
    }
    if (type->kind == NDR_KIND_ARRAY)
        gather(plan, type->element);
}

static const struct use *use_of(const struct plan *plan, uint32_t offset)
{
    for (size_t i = 0; i < plan->use_count; i++)
        if (plan->uses[i].offset == offset)
            return &plan->uses[i];
    return NULL;
}

/* False: it depends on what a client is still to receive. */
static bool is_known(const struct plan *plan, const NDR_EXPR *e)
{
    if (!e)
        return true;
    if (e->op == NDR_EXPR_LOAD || e->op == NDR_EXPR_DEREF || e->op == NDR_EXPR_NONNULL)
        return use_of(plan, e->offset)->member->way != MEMBER_ROOM;
    return is_known(plan, e->a) && is_known(plan, e->b) && is_known(plan, e->c);
}

static bool size_makes_sense(const NDR_TYPE *type, const void *base)
{
    int64_t max;
    if (!type->max_count)
        return true;
    return expression(type->max_count, base, &max) && max >= (type->kind == NDR_KIND_STRING) &&
           (type->max_count->op == NDR_EXPR_CONST || max <= ELEMENTS_MAX) &&
           (!type->count_range ||
            (max >= type->count_range->low && max <= type->count_range->high));
}

static bool makes_sense(const struct plan *plan, const NDR_TYPE *type, const void *base)
{
    int64_t tag;
    struct shape s;
    if (type->kind == NDR_KIND_UNION)
        return !is_known(plan, type->alternatives->switch_is) ||
               (union_tag(type, NULL, base, &tag) && union_arm(type, tag));
    if (!is_known(plan, type->max_count))
        return true;
    if (!size_makes_sense(type, base))
        return false;
    return !(type->flags & NDR_TYPE_VARYING) || !is_known(plan, type->first) ||
           !is_known(plan, type->length) || shape_of(type, base, &s);
}

static int64_t candidate(struct values *v, const struct use *use)
{
    const NDR_RANGE *range = use->member->range;
    if (use->octets)
        return scalar_size(use->kind) == 1 ? 250 : 4000;
    if (use->tags && one_in(v, 2)) {
        const NDR_UNION *u = use->tags->alternatives;
        uint32_t i = (uint32_t)random_between(v, 0, u->arm_count - 1);
        return u->arms[i].value + (one_in(v, 3) ? random_between(v, -1, 1) : 0);
    }
    if (range && range->high - range->low < 64)
        return random_between(v, range->low, range->high);
    if (v->object_count > OBJECTS_MANY && !one_in(v, 4))
        return random_between(v, 0, 1);
    return random_between(v, one_in(v, 8) ? -2 : 0, 7);
}

static bool is_free(const struct use *use)
{
    return use->member->way == MEMBER_NEW ||
           (use->member->way == MEMBER_CHANGE && !use->sizes && !use->octets);
}

static bool choose(struct values *v, const struct use *use, void *base)
{
    char *memory = (char *)base + use->offset;
    const NDR_RANGE *range = use->member->range;
    if (use->deref) {
        memory = pointer_load(memory);
        if (!memory || use->kind == NDR_KIND_VOID)
            return true;
    }
    int64_t value = candidate(v, use);
    return (!range || (value >= range->low && value <= range->high)) &&
           scalar_store(use->kind, memory, value) && scalar_load(use->kind, memory, &value) &&
           (use->kind != NDR_KIND_ENUM16 || (value >= 0 && value <= 0x7fff)) &&
           (use->kind != NDR_KIND_BOOLEAN || value <= 1);
}

/* Storage behind the pointers that are dereferenced, or NULL where that may be. */
static void choose_pointers(struct values *v, struct plan *plan, void *base, void *const *storage)
{
    for (size_t i = 0; i < plan->use_count; i++) {
        const struct use *use = &plan->uses[i];
        if (!storage[i])
            continue;
        bool may_be_null = use->member->type->flags & (NDR_TYPE_UNIQUE | NDR_TYPE_FULL);
        pointer_store((char *)base + use->offset, may_be_null && one_in(v, 4) ? NULL : storage[i]);
    }
}

bool solve(struct values *v, struct plan *plan, const struct member *members, size_t count,
           void *base)
{
    void *storage[USES_MAX] = {NULL};
    plan->use_count = plan->node_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (members[i].way == MEMBER_OTHER)
            continue;
        gather(plan, members[i].type);
        if (members[i].byte_count) {
            gather_uses(plan, members[i].byte_count, true, NULL);
            for (size_t k = 0; k < plan->use_count; k++)
                plan->uses[k].octets |= plan->uses[k].offset == members[i].byte_count->offset;
        }
    }
    for (size_t i = 0; i < plan->use_count; i++) {
        struct use *use = &plan->uses[i];
        for (size_t k = 0; k < count && !use->member; k++)
            if (members[k].offset == use->offset)
                use->member = &members[k];
        if (!use->member)
            die("an expression refers to no member");
        if (use->deref && use->member->way == MEMBER_NEW &&
            !pointer_load((char *)base + use->offset)) {
            storage[i] = v->allocate(16);
            memset(storage[i], 0, 16);
        }
    }
    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        bool good = true;
        choose_pointers(v, plan, base, storage);
        for (size_t i = 0; i < plan->use_count && good; i++)
            good = !is_free(&plan->uses[i]) || choose(v, &plan->uses[i], base);
        for (size_t i = 0; i < plan->node_count && good; i++)
            good = makes_sense(plan, plan->nodes[i], base);
        if (good) {
            /* what was tried and is not used is nobody's */
            for (size_t i = 0; i < plan->use_count; i++)
                if (storage[i] && !pointer_load((char *)base + plan->uses[i].offset))
                    v->release(storage[i]);
            return true;
        }
    }
    return false;
}

bool is_chosen(const struct plan *plan, const struct member *member)
{
    return use_of(plan, member->offset) != NULL;
}
