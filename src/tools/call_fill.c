/* SPDX-License-Identifier: MIT */
/* call_fill.c - JSON into memory: pointers, structures, arrays and unions.
 *
 * The members of a structure, and the parameters of a frame, are filled in rounds, because
 * one says how large another is and may be left out: values that stand alone; then each
 * array and union is held against its expressions, which gives what was left out; then
 * they are filled.  Memory comes from call_allocate() and stays there. */
#include "call_fill.h"

#include "call_memory.h"

#include "idl/describe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool fill(struct value_walk *walk, const NDR_TYPE *type, const NDR_RANGE *range,
                 uint8_t *memory, struct scope *scope, const json_t *json);
static bool fill_struct(struct value_walk *walk, const NDR_TYPE *type, uint8_t *memory,
                        const json_t *json, bool anonymous);

/* ---- Arrays ------------------------------------------------------------------------------------- */

/* Elements there is room for in memory. */
static bool capacity_of(struct value_walk *walk, const NDR_TYPE *type, const struct scope *scope,
                        const json_t *json, uint32_t *ret_count)
{
    size_t count;
    if (type->count > 0) {
        *ret_count = type->count;
        return true;
    }
    if (type->max_count)
        return fill_count_of(walk, type->max_count, scope, "size", ret_count);
    if (!fill_count(walk, type, json, &count))
        return false;
    if (count >= UINT32_MAX)
        return value_fail(walk, "longer than 2^32 elements");
    *ret_count = (uint32_t)count + 1;
    return true;
}

/* Which elements travel: all, or `length` from `first` on. */
static bool span_of(struct value_walk *walk, const NDR_TYPE *type, const struct scope *scope,
                    uint32_t capacity, uint32_t *ret_first, uint32_t *ret_count)
{
    *ret_first = 0;
    *ret_count = capacity;
    if (!(type->flags & NDR_TYPE_VARYING))
        return true;
    if (type->first && !fill_count_of(walk, type->first, scope, "first_is", ret_first))
        return false;
    if (*ret_first > capacity)
        return value_fail(walk, "first_is is %u, of %u elements", *ret_first, capacity);
    *ret_count = capacity - *ret_first;
    if (type->length && !fill_count_of(walk, type->length, scope, "length_is", ret_count))
        return false;
    return *ret_count <= capacity - *ret_first ||
           value_fail(walk, "%u elements from %u on, of %u", *ret_count, *ret_first, capacity);
}

static bool fill_string(struct value_walk *walk, const NDR_TYPE *type, uint8_t *memory,
                        uint32_t capacity, const json_t *json)
{
    size_t count;
    bool done;
    if (!fill_count(walk, type, json, &count))
        return false;
    if (count >= capacity)
        return value_fail(walk, "%zu characters and their end, there is room for %u", count,
                          capacity);
    return fill_text(walk, type, memory, capacity - 1u, json, &done);
}

static bool fill_array(struct value_walk *walk, const NDR_TYPE *type, const NDR_RANGE *range,
                       uint8_t *memory, struct scope *scope, const json_t *json)
{
    uint32_t capacity, first, count;
    size_t given, size = value_size(type->element);
    bool done;
    if (!capacity_of(walk, type, scope, json, &capacity))
        return false;
    if (type->kind == NDR_KIND_STRING)
        return fill_string(walk, type, memory, capacity, json);
    if (!fill_count(walk, type, json, &given) ||
        !span_of(walk, type, scope, capacity, &first, &count))
        return false;
    /* Text of fixed size is filled up with zeros. */
    bool shorter = json_is_string(json) && type->element->kind == NDR_KIND_WCHAR &&
                   type->count > 0 && given < count;
    if (given != count && !shorter)
        return value_fail(walk, "expected %u elements, found %zu", count, given);
    memory += first * size;
    if (!fill_text(walk, type, memory, count, json, &done) || done)
        return !walk->failed;
    for (uint32_t i = 0; i < count; i++) {
        size_t mark = value_enter_index(walk, i);
        bool ok = mark != SIZE_MAX && fill(walk, type->element, range, memory + i * size, scope,
                                           json_array_get(json, i));
        value_leave(walk, mark);
        if (!ok)
            return false;
    }
    return true;
}

/* ---- Unions -------------------------------------------------------------------------------------- */

static bool fill_arm(struct value_walk *walk, const NDR_TYPE *type, int64_t tag, uint8_t *memory,
                     const json_t *json)
{
    const NDR_ARM *arm = value_arm(type->alternatives, tag);
    struct scope none = {0};
    if (!arm)
        return value_fail(walk, "no arm for the discriminant %lld", (long long)tag);
    if (!arm->type)
        return json_is_null(json) || !json ||
               fill_fail_found(walk, "null, the arm of this discriminant is empty", json);
    const char *name = *arm->name != '\0' ? arm->name : "unnamed";
    const json_t *value = json_is_object(json) ? json_object_get(json, name) : NULL;
    if (!value || json_object_size(json) != 1) {
        char expected[160];
        snprintf(expected, sizeof(expected), "an object with the member '%.60s' alone, the arm of %lld",
                 name, (long long)tag);
        return fill_fail_found(walk, expected, json);
    }
    size_t mark = value_enter(walk, name);
    bool ok = mark != SIZE_MAX &&
              fill(walk, arm->type, arm->range, memory + type->alternatives->arms_offset, &none,
                   value);
    value_leave(walk, mark);
    return ok;
}

/* `{"tag": 1, "u": {"arm": ...}}`, as the structure is in C. */
static bool fill_encapsulated(struct value_walk *walk, const NDR_TYPE *type, uint8_t *memory,
                              const json_t *json)
{
    const struct idl_type *info = idl_type_of(type);
    const NDR_UNION *u = type->alternatives;
    if (!json_is_object(json))
        return fill_fail_found(walk, "an object", json);
    const json_t *tag = json_object_get(json, info->tag_name);
    const json_t *value = json_object_get(json, info->arms_name);
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)json, key, member)
    {
        if (strcmp(key, info->tag_name) != 0 && strcmp(key, info->arms_name) != 0)
            return value_fail(walk, "unknown member '%.100s' (expected '%s' and '%s')", key,
                              info->tag_name, info->arms_name);
    }
    int64_t number = 0;
    const NDR_ARM *only = NULL;
    unsigned cases = 0;
    for (uint32_t i = 0; i < u->arm_count && json_is_object(value); i++) {
        if (u->arms[i].type && json_object_get(value, u->arms[i].name)) {
            only = &u->arms[i];
            cases++;
        }
    }
    if (!tag && cases != 1)
        return value_fail(walk, "its '%s' cannot be worked out: give it", info->tag_name);
    size_t mark = value_enter(walk, info->tag_name);
    bool ok = mark != SIZE_MAX;
    if (ok && tag)
        ok = fill_scalar(walk, info->tag_type, NULL, memory + u->switch_offset, tag);
    else if (ok)
        ok = value_store(u->switch_kind, memory + u->switch_offset, only->value) ||
             value_fail(walk, "%lld is no value of it", (long long)only->value);
    value_leave(walk, mark);
    if (!ok || !value_load(u->switch_kind, memory + u->switch_offset, &number))
        return false;
    mark = value_enter(walk, info->arms_name);
    ok = mark != SIZE_MAX && fill_arm(walk, type, number, memory, value);
    value_leave(walk, mark);
    return ok;
}

static bool fill_union(struct value_walk *walk, const NDR_TYPE *type, uint8_t *memory,
                       struct scope *scope, const json_t *json)
{
    const NDR_UNION *u = type->alternatives;
    int64_t tag;
    uint64_t room = 0;
    if (!u->switch_is)
        return fill_encapsulated(walk, type, memory, json);
    switch (expr_value(u->switch_is, scope, &tag)) {
    case EXPR_UNKNOWN:
        return value_fail(walk, "its arm cannot be worked out: give '%s'",
                          expr_unknown(u->switch_is, scope));
    case EXPR_BAD:
        return value_fail(walk, "its discriminant has no value");
    case EXPR_OK:
        break;
    }
    if (!value_store(u->switch_kind, &room, tag))
        return value_fail(walk, "its discriminant cannot be %lld", (long long)tag);
    return fill_arm(walk, type, tag, memory, json);
}

/* ---- Pointers -------------------------------------------------------------------------------------- */

/* Elements of the array that `type` ends in: what is in front of it decides. */
static bool tail_count(struct value_walk *walk, const NDR_TYPE *type, const json_t *json,
                       uint32_t *ret_count)
{
    uint8_t *scratch = call_allocate(value_size(type));
    bool outer = walk->sizing;
    if (!scratch)
        return value_out_of_memory(walk);
    walk->sizing = true;
    walk->tail_count = 0;
    bool ok = fill(walk, type, NULL, scratch, NULL, json);
    walk->sizing = outer;
    *ret_count = walk->tail_count;
    call_free(scratch);
    return ok;
}

/* Room for what a pointer leads to; NULL: failed. */
static uint8_t *new_pointee(struct value_walk *walk, const NDR_TYPE *type,
                            const struct scope *scope, const json_t *json)
{
    size_t size = value_size(type), offset;
    uint32_t count = 0;
    const NDR_TYPE *tail = value_tail(type, &offset);
    if (type->kind == NDR_KIND_VOID) {
        value_fail(walk, "nothing can be sent for a void *");
        return NULL;
    }
    if (tail == type) {
        if (!capacity_of(walk, type, scope, json, &count))
            return NULL;
    } else if (tail && !tail_count(walk, type, json, &count)) {
        return NULL;
    }
    if (tail && offset + (size_t)count * value_size(tail->element) > size)
        size = offset + (size_t)count * value_size(tail->element);
    uint8_t *pointee = call_allocate(size);
    if (!pointee)
        value_out_of_memory(walk);
    return pointee;
}

static bool fill_same(struct value_walk *walk, const NDR_TYPE *type, uint8_t *memory,
                      const json_t *same)
{
    const char *path = json_string_value(same);
    const struct alias *alias = path ? value_alias_named(walk, path) : NULL;
    if (!path)
        return fill_fail_found(walk, "the path of a value before it in $same", same);
    if (!alias)
        return value_fail(walk, "no full pointer before it leads to '%.200s'", path);
    if (alias->type != type->element)
        return value_fail(walk, "'%.200s' is of another type", path);
    fill_store_pointer(memory, alias->object);
    return true;
}

static bool fill_pointer(struct value_walk *walk, const NDR_TYPE *type, const NDR_RANGE *range,
                         uint8_t *memory, struct scope *scope, const json_t *json)
{
    if (type->flags & NDR_TYPE_IGNORE) {
        if (!json_is_null(json) && !json_is_boolean(json))
            return fill_fail_found(walk, "null or a boolean for an [ignore] pointer", json);
        fill_store_pointer(memory, json_is_true(json) ? (void *)1 : NULL);
        return true;
    }
    if (json_is_null(json) && fill_is_nullable(type)) {
        fill_store_pointer(memory, NULL);
        return true;
    }
    if (json_is_null(json) && !value_may_be_null(type))
        return value_fail(walk, "must not be null");
    if ((type->flags & NDR_TYPE_FULL) && fill_marked(json, "$same"))
        return fill_same(walk, type, memory, fill_marked(json, "$same"));
    if (fill_is_nullable(type) && fill_marked(json, "$to"))
        json = fill_marked(json, "$to");
    uint8_t *pointee = new_pointee(walk, type->element, scope, json);
    if (!pointee)
        return false;
    fill_store_pointer(memory, pointee);
    if ((type->flags & NDR_TYPE_FULL) && !value_note_alias(walk, pointee, type->element))
        return false;
    return fill(walk, type->element, range, pointee, scope, json);
}

/* ---- Structures ------------------------------------------------------------------------------------- */

/* Is `key` a member, perhaps of an anonymous one? */
static bool has_member(const NDR_FIELD *members, uint32_t count, const char *key)
{
    for (uint32_t i = 0; i < count; i++) {
        const NDR_TYPE *type = members[i].type;
        if (!type)
            continue;
        if (*members[i].name != '\0') {
            if (strcmp(members[i].name, key) == 0)
                return true;
        } else if (type->kind == NDR_KIND_STRUCT) {
            if (has_member(type->fields, type->count, key))
                return true;
        } else if (type->kind == NDR_KIND_UNION) {
            const NDR_UNION *u = type->alternatives;
            for (uint32_t k = 0; k <= u->arm_count; k++) {
                const NDR_ARM *arm = k < u->arm_count ? &u->arms[k] : u->otherwise;
                if (arm && arm->type && strcmp(arm->name, key) == 0)
                    return true;
            }
        }
    }
    return false;
}

bool fill_check_members(struct value_walk *walk, const struct scope *scope, const json_t *json,
                          const char *what)
{
    const char *key;
    json_t *value;
    if (!json_is_object(json))
        return fill_fail_found(walk, "an object", json);
    json_object_foreach((json_t *)json, key, value)
    {
        if (has_member(scope->members, scope->count, key))
            continue;
        char list[200] = "";
        size_t len = 0;
        for (uint32_t i = 0; i < scope->count && len < sizeof(list) - 40; i++) {
            bool shown = *scope->members[i].name != '\0' && scope->members[i].type;
            if (shown)
                len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%.30s",
                                        len > 0 ? ", " : "", scope->members[i].name);
        }
        return value_fail(walk, "unknown %s '%.100s' (expected: %s)", what, key,
                          len > 0 ? list : "none");
    }
    return true;
}

/* What an anonymous member is made from: a structure shares the object, of a union the arm
 * that is there is taken out.  Borrows unless *ret_own is set.  NULL: out of memory. */
static const json_t *anonymous_value(const NDR_TYPE *type, const json_t *json, json_t **ret_own)
{
    *ret_own = NULL;
    if (type->kind != NDR_KIND_UNION || !type->alternatives->switch_is)
        return json;
    const NDR_UNION *u = type->alternatives;
    for (uint32_t k = 0; k <= u->arm_count; k++) {
        const NDR_ARM *arm = k < u->arm_count ? &u->arms[k] : u->otherwise;
        json_t *value = arm && arm->type ? json_object_get(json, arm->name) : NULL;
        if (!value)
            continue;
        *ret_own = json_pack("{s:O}", arm->name, value);
        return *ret_own;
    }
    *ret_own = json_null();
    return *ret_own;
}

enum round { ROUND_ALONE, ROUND_FIT, ROUND_SIZED };

/* While only the size is asked for: no more than what may decide about it. */
static bool is_for_size(const NDR_TYPE *type, enum round round)
{
    return round == ROUND_FIT || fill_is_scalar(type) || type->kind == NDR_KIND_STRUCT ||
           (type->kind == NDR_KIND_POINTER && fill_is_scalar(type->element));
}

static bool fill_member(struct value_walk *walk, struct scope *scope, uint32_t i,
                        const json_t *json, enum round round)
{
    const NDR_FIELD *member = &scope->members[i];
    if (walk->sizing && !is_for_size(member->type, round)) {
        size_t offset;
        bool tail = i + 1 == scope->count && value_tail(member->type, &offset) == member->type;
        return !tail || capacity_of(walk, member->type, scope, json, &walk->tail_count);
    }
    if (round == ROUND_FIT)
        return fill_fit(walk, member->type, scope, json);
    if (member->type->kind == NDR_KIND_STRUCT && *member->name == '\0')
        return fill_struct(walk, member->type, scope->base + member->offset, json, true);
    return fill(walk, member->type, member->range, scope->base + member->offset, scope, json);
}

static bool fill_round(struct value_walk *walk, struct scope *scope, const json_t *json,
                       enum round round)
{
    for (uint32_t i = 0; i < scope->count; i++) {
        const NDR_FIELD *member = &scope->members[i];
        if (!member->type || (round == ROUND_ALONE) == fill_is_scoped(member->type))
            continue;
        json_t *own = NULL;
        bool anonymous = *member->name == '\0';
        const json_t *value = anonymous ? anonymous_value(member->type, json, &own)
                                        : json_object_get(json, member->name);
        if (!value && anonymous)
            return value_out_of_memory(walk);
        if (!value && fill_is_nullable(member->type))
            value = own = json_null();
        size_t mark = value ? value_enter(walk, member->name) : 0;
        bool ok = mark != SIZE_MAX && (!value || fill_member(walk, scope, i, value, round));
        if (value)
            value_leave(walk, mark);
        json_decref(own);
        if (!ok)
            return false;
        if (value && round != ROUND_FIT)
            scope->known[i] = 1;
    }
    return true;
}

/* What `*n` refers to may be solved, too: it needs a place. */
static bool place_operands(struct value_walk *walk, struct scope *scope, const json_t *json)
{
    for (uint32_t i = 0; i < scope->count; i++) {
        const NDR_FIELD *member = &scope->members[i];
        bool wanted = member->type && member->type->kind == NDR_KIND_POINTER &&
                      !fill_is_nullable(member->type) && fill_is_scalar(member->type->element) &&
                      !json_object_get(json, member->name);
        if (!wanted)
            continue;
        void *place = call_allocate(value_size(member->type->element));
        if (!place)
            return value_out_of_memory(walk);
        fill_store_pointer(scope->base + member->offset, place);
    }
    return true;
}

bool fill_members(struct value_walk *walk, struct scope *scope, const json_t *json)
{
    if (!place_operands(walk, scope, json) || !fill_round(walk, scope, json, ROUND_ALONE) ||
        !fill_round(walk, scope, json, ROUND_FIT) || !fill_round(walk, scope, json, ROUND_SIZED))
        return false;
    for (uint32_t i = 0; i < scope->count && !walk->sizing; i++) {
        const NDR_FIELD *member = &scope->members[i];
        if (!member->type || scope->known[i])
            continue;
        size_t mark = value_enter(walk, member->name);
        value_fail(walk, "missing, and nothing else says what it is");
        value_leave(walk, mark);
        return false;
    }
    return true;
}

static bool fill_struct(struct value_walk *walk, const NDR_TYPE *type, uint8_t *memory,
                        const json_t *json, bool anonymous)
{
    struct scope scope = {.base = memory, .members = type->fields, .count = type->count};
    bool done;
    if (!fill_form(walk, type, memory, json, &done) || done)
        return !walk->failed;
    if (!anonymous && !fill_check_members(walk, &scope, json, "member"))
        return false;
    scope.known = calloc(type->count + 1, 1);
    if (!scope.known)
        return value_out_of_memory(walk);
    bool ok = fill_members(walk, &scope, json);
    free(scope.known);
    return ok;
}

static bool fill(struct value_walk *walk, const NDR_TYPE *type, const NDR_RANGE *range,
                 uint8_t *memory, struct scope *scope, const json_t *json)
{
    switch (type->kind) {
    case NDR_KIND_POINTER:
        return fill_pointer(walk, type, range, memory, scope, json);
    case NDR_KIND_STRUCT:
        return fill_struct(walk, type, memory, json, false);
    case NDR_KIND_ARRAY:
    case NDR_KIND_STRING:
        return fill_array(walk, type, range, memory, scope, json);
    case NDR_KIND_UNION:
        return fill_union(walk, type, memory, scope, json);
    default:
        return fill_scalar(walk, type, range, memory, json);
    }
}

bool value_fill_element(struct value_walk *walk, const NDR_TYPE *type, uint8_t *memory,
                        const json_t *json)
{
    struct scope none = {0};
    return fill(walk, type, NULL, memory, &none, json);
}
