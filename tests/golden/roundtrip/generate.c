/* SPDX-License-Identifier: MIT */
/* generate.c - values of any described type, at random. */
#include <string.h>

#include "shape.h"
#include "values.h"

#define DEPTH_MAX    6u /* of pointers; below, those that may be NULL are */
#define STRING_MAX   20 /* characters where nothing limits them           */
#define REGION_LEN   ((size_t)32 << 10)

uint64_t random_bits(struct values *v)
{
    uint64_t z = v->random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

int64_t random_between(struct values *v, int64_t low, int64_t high)
{
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t bits = random_bits(v);
    return (int64_t)((uint64_t)low + (span == UINT64_MAX ? bits : bits % (span + 1)));
}

bool one_in(struct values *v, int64_t n)
{
    return random_between(v, 1, n) == 1;
}

/* ---- Scalars and strings ------------------------------------------------------------------- */

static int64_t any_integer(struct values *v, NDR_KIND kind)
{
    size_t size = scalar_size(kind);
    uint64_t bits = random_bits(v);
    if (kind == NDR_KIND_BOOLEAN)
        return bits & 1;
    if (kind == NDR_KIND_ENUM16)
        return bits & 0x7fff;
    if (kind == NDR_KIND_INT3264 && !v->wide)
        return (int32_t)bits;
    if (kind == NDR_KIND_UINT3264 && !v->wide)
        return (uint32_t)bits;
    return (int64_t)(size < 8 ? bits & ((UINT64_C(1) << 8 * size) - 1) : bits);
}

static void new_scalar(struct values *v, const NDR_TYPE *type, void *memory,
                       const NDR_RANGE *range)
{
    if (type->kind == NDR_KIND_FLOAT) {
        float single = (float)random_between(v, -100000, 100000) / 64;
        memcpy(memory, &single, sizeof(single));
        return;
    }
    if (type->kind == NDR_KIND_DOUBLE) {
        double number = (double)random_between(v, -(INT64_C(1) << 50), INT64_C(1) << 50) / 1024;
        memcpy(memory, &number, sizeof(number));
        return;
    }
    int64_t value = any_integer(v, type->kind);
    if (range)
        value = random_between(v, range->low, range->high);
    if (!scalar_store(type->kind, memory, value))
        die("%s: no value in %lld..%lld", type->name ? type->name : "?",
            range ? (long long)range->low : 0, range ? (long long)range->high : 0);
}

/* `room` elements, the terminator included. */
static void new_string(struct values *v, const NDR_TYPE *type, void *memory, int64_t room)
{
    size_t size = scalar_size(type->element->kind);
    int64_t len = random_between(v, 0, room - 1 < STRING_MAX ? room - 1 : STRING_MAX);
    uint8_t *at = memory;
    for (int64_t i = 0; i < len; i++, at += size)
        scalar_store(type->element->kind, at, random_between(v, 1, size == 1 ? 0x7f : 0xffff));
    memset(at, 0, size);
}

/* Few objects are larger. */
#define REGION_RESERVE 96

/* ---- Objects ------------------------------------------------------------------------------- */

/* No object more than must be. */
static bool is_enough(const struct values *v)
{
    return v->depth >= DEPTH_MAX || v->frozen || v->object_count > OBJECTS_MANY ||
           (v->region && v->region_end - v->region < REGION_RESERVE);
}

static void *new_object(struct values *v, size_t size)
{
    void *object;
    size_t room = (size + 15) & ~(size_t)15;
    v->object_count++;
    if (v->region) {
        if (room > (size_t)(v->region_end - v->region))
            die("the region of all_nodes is full");
        object = v->region;
        v->region += room;
    } else {
        object = v->allocate(size ? size : 1);
    }
    if (!object)
        die("no memory");
    memset(object, 0, size);
    return object;
}

static bool known_full(struct values *v, const NDR_TYPE *type, const void *object,
                       bool begins_region)
{
    for (size_t i = 0; i < v->full_count; i++)
        if (v->full[i].object == object)
            return true;
    if (v->full_count == FULL_MAX)
        die("too many objects");
    v->full[v->full_count].type = type;
    v->full[v->full_count].region = v->region_number;
    v->full[v->full_count].begins_region = begins_region;
    v->full[v->full_count++].object = (void *)(uintptr_t)object;
    return false;
}

/* Another full pointer of the type leads to it already; NULL: it shall not.  What lies in one
 * object with others ([allocate(all_nodes)]) is not shared with pointers outside of that. */
static void *shared_object(struct values *v, const NDR_TYPE *type)
{
    bool depends = type->element->kind == NDR_KIND_ARRAY ||
                   type->element->kind == NDR_KIND_STRING || type->element->kind == NDR_KIND_UNION;
    if (!(type->flags & NDR_TYPE_FULL) || depends || v->full_count == 0 || !one_in(v, 3))
        return NULL;
    size_t i = (size_t)random_between(v, 0, (int64_t)v->full_count - 1);
    bool same_region = v->full[i].region == v->region_number ||
                       (v->full[i].begins_region && type->flags & NDR_TYPE_ALL_NODES);
    return same_region && v->full[i].type == type->element ? v->full[i].object : NULL;
}

/* May a pointer be NULL as far as the number of elements behind it goes? */
static bool null_makes_sense(const NDR_TYPE *type, const void *base)
{
    int64_t max;
    const NDR_TYPE *element = type->element;
    if (!(type->flags & (NDR_TYPE_UNIQUE | NDR_TYPE_FULL)))
        return false;
    return !is_sized(element) || element->flags & NDR_TYPE_NULL_WITH_SIZE ||
           element->max_count->op == NDR_EXPR_CONST ||
           (expression(element->max_count, base, &max) && max == 0);
}

static bool is_text(const NDR_TYPE *type)
{
    return type->kind == NDR_KIND_STRING && type->count == 0 && !type->max_count;
}

static void *new_pointee(struct values *v, const NDR_TYPE *element, const void *base)
{
    if (!is_text(element))
        return new_object(v, storage_size(element, base, ELEMENTS_MAX));
    int64_t room = random_between(v, 1, v->region ? 4 : STRING_MAX);
    if (element->count_range)
        room = random_between(v, element->count_range->low > 0 ? element->count_range->low : 1,
                              element->count_range->high < STRING_MAX ? element->count_range->high
                                                                      : STRING_MAX);
    void *object = new_object(v, (size_t)room * scalar_size(element->element->kind));
    for (int64_t i = 0; i < room - 1; i++) /* exactly as long: the range counts it */
        scalar_store(element->element->kind,
                     (char *)object + (size_t)i * scalar_size(element->element->kind), 'a');
    return object;
}

static void new_text(struct values *v, const NDR_TYPE *element, void *object)
{
    size_t len = string_len(element, object), size = scalar_size(element->element->kind);
    for (size_t i = 0; i < len; i++)
        scalar_store(element->element->kind, (char *)object + i * size,
                     random_between(v, 1, size == 1 ? 0x7f : 0xffff));
}

static void new_pointer(struct values *v, const NDR_TYPE *type, void *memory, const void *base,
                        const NDR_RANGE *range)
{
    const NDR_TYPE *element = type->element;
    void *object = pointer_load(memory);
    if (type->flags & NDR_TYPE_IGNORE) {
        pointer_store(memory, one_in(v, 2) ? NULL : memory);
        return;
    }
    if (!object) {
        if (null_makes_sense(type, base) && (is_enough(v) || one_in(v, 4)))
            return;
        if (v->frozen)
            die("a new object where none can be added");
        object = shared_object(v, type);
        if (object) {
            pointer_store(memory, object);
            return;
        }
    }
    unsigned region_number = v->region_number;
    bool opens = type->flags & NDR_TYPE_ALL_NODES && region_number == 0;
    bool allocates = opens && v->server && !v->region && !object;
    if (opens)
        v->region_number = ++v->region_count;
    if (allocates) {
        v->region = v->allocate(REGION_LEN);
        if (!v->region)
            die("no memory");
        v->region_end = v->region + REGION_LEN;
    }
    bool is_new = !object;
    if (is_new)
        object = new_pointee(v, element, base);
    pointer_store(memory, object);
    bool known = type->flags & NDR_TYPE_FULL && known_full(v, element, object, opens);
    if (!known) {
        v->depth++;
        if (is_new && is_text(element))
            new_text(v, element, object);
        else
            value_new(v, element, object, base, range);
        v->depth--;
    }
    if (allocates)
        v->region = v->region_end = NULL;
    v->region_number = region_number;
}

/* ---- Structures and unions ----------------------------------------------------------------- */

static void structure(struct values *v, const NDR_TYPE *type, void *memory, bool is_new)
{
    struct plan plan;
    struct member members[64];
    if (type->count > 64)
        die("%s: too many fields", type->name);
    for (uint32_t i = 0; i < type->count; i++)
        members[i] = (struct member){.type = type->fields[i].type,
                                     .offset = type->fields[i].offset,
                                     .range = type->fields[i].range,
                                     .way = is_new ? MEMBER_NEW : MEMBER_CHANGE};
    if (!solve(v, &plan, members, type->count, memory))
        die("%s: no sizes make sense", type->name ? type->name : "a structure");
    for (uint32_t i = 0; i < type->count; i++) {
        void *field = (char *)memory + members[i].offset;
        if (is_chosen(&plan, &members[i]))
            continue;
        (is_new ? value_new : value_change)(v, members[i].type, field, memory, members[i].range);
    }
}

static void new_tag(struct values *v, const NDR_TYPE *type, void *memory)
{
    const NDR_UNION *u = type->alternatives;
    int64_t tag;
    for (;;) {
        uint32_t i = (uint32_t)random_between(v, 0, u->arm_count);
        tag = i < u->arm_count ? u->arms[i].value : random_between(v, 0, 100);
        if (union_arm(type, as_kind(u->switch_kind, tag)))
            break;
    }
    scalar_store(u->switch_kind, (char *)memory + u->switch_offset, tag);
}

static void alternative(struct values *v, const NDR_TYPE *type, void *memory, const void *base,
                        bool is_new)
{
    int64_t tag;
    if (is_encapsulated(type)) {
        if (is_new)
            new_tag(v, type, memory);
        base = memory;
    }
    if (!union_tag(type, memory, base, &tag))
        die("%s: no discriminant", type->name ? type->name : "a union");
    const NDR_ARM *arm = union_arm(type, tag);
    if (arm && arm->type)
        (is_new ? value_new : value_change)(
            v, arm->type,
            (char *)memory + (is_encapsulated(type) ? type->alternatives->arms_offset : 0), base,
            arm->range);
}

/* ---- Types of the program ------------------------------------------------------------------ */

static const struct golden_user_type *user_type(const struct golden *golden, const NDR_TYPE *type)
{
    const struct golden_user_type *user = golden->user_types;
    while (user && user->name && (!type->name || strcmp(user->name, type->name) != 0))
        user++;
    if (!user || !user->name)
        die("%s: support/%s.h has no golden_user_type for it", type->name ? type->name : "?",
            golden->name);
    return user;
}

/* Made of a value of the type that is sent, by the program's own routine. */
static void converted(struct values *v, const NDR_TYPE *type, void *memory, bool is_new)
{
    const NDR_CONVERSION *conversion = type->conversion;
    if (!conversion->from_wire) {
        user_type(v->golden, type)->generate(v, memory, is_new);
        return;
    }
    uint64_t wire[64] = {0}; /* aligned for anything; has no pointers */
    if (storage_size(type->element, NULL, ELEMENTS_MAX) > sizeof(wire))
        die("%s: more than 512 octets are sent", type->name);
    value_new(v, type->element, wire, NULL, type->element_range);
    if (!is_new && v->server && conversion->free_value)
        conversion->free_value(memory);
    conversion->from_wire(wire, memory);
}

/* ---- Anything ------------------------------------------------------------------------------ */

static void elements(struct values *v, const NDR_TYPE *type, void *memory, const void *base,
                     const NDR_RANGE *range, bool is_new)
{
    struct shape s;
    if (!shape_of(type, base, &s))
        die("an array without a size");
    size_t size = storage_size(type->element, base, 0);
    for (int64_t i = s.first; i < s.first + s.count; i++)
        (is_new ? value_new : value_change)(v, type->element, (char *)memory + (size_t)i * size,
                                            base, range);
}

void value_new(struct values *v, const NDR_TYPE *type, void *memory, const void *base,
               const NDR_RANGE *range)
{
    struct shape s;
    switch (type->kind) {
    case NDR_KIND_POINTER:
        new_pointer(v, type, memory, base, range);
        break;
    case NDR_KIND_STRUCT:
        structure(v, type, memory, true);
        break;
    case NDR_KIND_UNION:
        alternative(v, type, memory, base, true);
        break;
    case NDR_KIND_ARRAY:
        elements(v, type, memory, base, range, true);
        break;
    case NDR_KIND_STRING:
        if (!shape_of(type, base, &s) || s.max < 1)
            die("a string without room");
        new_string(v, type, memory, s.max);
        break;
    case NDR_KIND_CONTEXT:
        v->context(v, type, memory, true, false);
        break;
    case NDR_KIND_CONVERTED:
        converted(v, type, memory, true);
        break;
    case NDR_KIND_PIPE:
    case NDR_KIND_HANDLE:
        break;
    default:
        new_scalar(v, type, memory, range);
        break;
    }
}

static void change_pointer(struct values *v, const NDR_TYPE *type, void *memory, const void *base,
                           const NDR_RANGE *range)
{
    void *object = pointer_load(memory);
    bool maybe = type->flags & (NDR_TYPE_UNIQUE | NDR_TYPE_FULL);
    const NDR_TYPE *element = type->element;
    if (type->flags & NDR_TYPE_IGNORE)
        return;
    if (!object) {
        if (maybe && !is_enough(v) && one_in(v, 2))
            new_pointer(v, type, memory, base, range);
        return;
    }
    bool simple = scalar_size(element->kind) > 0 || is_text(element);
    bool own = type->flags & NDR_TYPE_UNIQUE && !v->frozen &&
               !(type->flags & (NDR_TYPE_DONT_FREE | NDR_TYPE_ALL_NODES));
    if (simple && own && v->depth > 0 && one_in(v, 6)) {
        v->release(object);
        pointer_store(memory, NULL);
        return;
    }
    unsigned region_number = v->region_number;
    bool opens = type->flags & NDR_TYPE_ALL_NODES && region_number == 0;
    if (opens)
        v->region_number = ++v->region_count;
    bool known = type->flags & NDR_TYPE_FULL && known_full(v, element, object, opens);
    bool frozen = v->frozen;
    v->frozen |= (type->flags & NDR_TYPE_ALL_NODES) != 0;
    v->depth++;
    if (!known)
        value_change(v, element, object, base, range);
    v->depth--;
    v->frozen = frozen;
    v->region_number = region_number;
}

void value_change(struct values *v, const NDR_TYPE *type, void *memory, const void *base,
                  const NDR_RANGE *range)
{
    struct shape s;
    switch (type->kind) {
    case NDR_KIND_POINTER:
        change_pointer(v, type, memory, base, range);
        break;
    case NDR_KIND_STRUCT:
        structure(v, type, memory, false);
        break;
    case NDR_KIND_UNION:
        alternative(v, type, memory, base, false);
        break;
    case NDR_KIND_ARRAY:
        elements(v, type, memory, base, range, false);
        break;
    case NDR_KIND_STRING:
        if (is_text(type)) /* the receiver has room for the old one */
            new_text(v, type, memory);
        else if (shape_of(type, base, &s))
            new_string(v, type, memory, s.max);
        break;
    case NDR_KIND_CONTEXT:
        v->context(v, type, memory, false, false);
        break;
    case NDR_KIND_CONVERTED:
        converted(v, type, memory, false);
        break;
    case NDR_KIND_PIPE:
    case NDR_KIND_HANDLE:
        break;
    default:
        new_scalar(v, type, memory, range);
        break;
    }
}
