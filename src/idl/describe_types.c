/* SPDX-License-Identifier: MIT */
/* describe_types.c - from nodes to NDR_TYPE in memory, emit_types.c without the C between.
 *
 * In two steps, because structures lead to each other through pointers: sizes first, which
 * follow values alone and so end; then everything else. */
#include "idl/describe_types.h"

#include "idl/parse.h"
#include "idl/types.h"

#include <string.h>

/* ---- Words --------------------------------------------------------------------------------- */

#define KIND(word) {#word, NDR_KIND_##word}
static const struct {
    const char *word;
    NDR_KIND kind;
} kinds[] = {
    KIND(VOID),   KIND(BOOLEAN), KIND(BYTE),    KIND(CHAR),      KIND(INT8),
    KIND(UINT8),  KIND(INT16),   KIND(UINT16),  KIND(WCHAR),     KIND(INT32),
    KIND(UINT32), KIND(INT64),   KIND(UINT64),  KIND(FLOAT),     KIND(DOUBLE),
    KIND(ENUM16), KIND(ENUM32),  KIND(INT3264), KIND(UINT3264),  KIND(ERROR_STATUS),
    KIND(STRUCT), KIND(ARRAY),   KIND(STRING),  KIND(POINTER),   KIND(PIPE),
    KIND(HANDLE), KIND(UNION),   KIND(CONTEXT), KIND(CONVERTED),
};

static NDR_KIND kind_of(const char *word)
{
    for (size_t i = 0; word && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].word, word) == 0)
            return kinds[i].kind;
    }
    return NDR_KIND_VOID;
}

#define OP(word) {#word, NDR_EXPR_##word}
static const struct {
    const char *word;
    NDR_EXPR_OP op;
} ops[] = {
    OP(CONST), OP(LOAD), OP(DEREF), OP(NONNULL), OP(NEG),    OP(NOT),   OP(BITNOT), OP(ADD), OP(SUB),
    OP(MUL),   OP(DIV),  OP(MOD),   OP(SHL),     OP(SHR),    OP(BITAND), OP(BITOR), OP(BITXOR),
    OP(LT),    OP(LE),   OP(GT),    OP(GE),      OP(EQ),     OP(NE),    OP(AND),    OP(OR),  OP(COND),
};

static NDR_EXPR_OP op_of(const char *word)
{
    size_t i = 0;
    while (i + 1 < sizeof(ops) / sizeof(ops[0]) && strcmp(ops[i].word, word) != 0)
        i++;
    return ops[i].op;
}

/* ---- Memory --------------------------------------------------------------------------------- */

/* Octets of a scalar, which are its alignment, too; 0: no scalar. */
static uint32_t scalar_size(NDR_KIND kind)
{
    switch (kind) {
    case NDR_KIND_BOOLEAN:
    case NDR_KIND_BYTE:
    case NDR_KIND_CHAR:
    case NDR_KIND_INT8:
    case NDR_KIND_UINT8:
        return 1;
    case NDR_KIND_INT16:
    case NDR_KIND_UINT16:
    case NDR_KIND_WCHAR:
        return 2;
    case NDR_KIND_INT32:
    case NDR_KIND_UINT32:
    case NDR_KIND_FLOAT:
    case NDR_KIND_ENUM16:
    case NDR_KIND_ENUM32:
    case NDR_KIND_ERROR_STATUS:
        return 4;
    case NDR_KIND_INT64:
    case NDR_KIND_UINT64:
    case NDR_KIND_DOUBLE:
        return 8;
    case NDR_KIND_INT3264:
    case NDR_KIND_UINT3264:
    case NDR_KIND_POINTER:
    case NDR_KIND_HANDLE:
        return sizeof(void *);
    case NDR_KIND_VOID:
    case NDR_KIND_STRUCT:
    case NDR_KIND_ARRAY:
    case NDR_KIND_STRING:
    case NDR_KIND_PIPE:
    case NDR_KIND_UNION:
    case NDR_KIND_CONTEXT:
    case NDR_KIND_CONVERTED:
    case NDR_KIND_COUNT:
        break;
    }
    return 0;
}

/* What a structure or union is while its members are added. */
struct room {
    uint64_t end;
    uint32_t align;
};

static uint32_t room_add(struct room *room, uint64_t size, uint32_t align)
{
    uint64_t offset = (room->end + align - 1) / align * align;
    room->end = offset + size;
    if (align > room->align)
        room->align = align;
    return (uint32_t)offset;
}

static void room_close(struct idl_compiler *c, const struct room *room, const struct loc *loc,
                       struct idl_type *type)
{
    uint64_t size = (room->end + room->align - 1) / room->align * room->align;
    if (size > IDL_SIZE_MAX) {
        diag_error(c, loc, 2220, "structure is too large");
        size = 0;
    }
    type->memory_size = (uint32_t)size;
    type->memory_align = room->align;
}

/* Of one member: a conformant array has one element in C, and here. */
static uint32_t member_size(struct idl_compiler *c, struct node *node)
{
    const struct idl_type *type = describe_memory(c, node);
    bool conformant = (type->ndr.kind == NDR_KIND_ARRAY || type->ndr.kind == NDR_KIND_STRING) &&
                      node->count == 0;
    return conformant ? describe_memory(c, node->element)->memory_size : type->memory_size;
}

static void struct_memory(struct idl_compiler *c, const struct node *node, struct idl_type *type)
{
    struct room room = {.align = 1};
    NDR_FIELD *fields = arena_alloc(&c->arena, node->count * sizeof(*fields));
    for (unsigned i = 0; i < node->count; i++) {
        const struct idl_type *field = describe_memory(c, node->fields[i].node);
        fields[i].offset =
            room_add(&room, member_size(c, node->fields[i].node), field->memory_align);
    }
    type->ndr.fields = fields;
    room_close(c, &room, &node->loc, type);
}

/* Arms begin together; encapsulated, behind the discriminant. */
static void union_memory(struct idl_compiler *c, const struct node *node, struct idl_type *type)
{
    const struct node_arms *arms = node->arms;
    struct room whole = {.align = 1}, inner = {.align = 1};
    NDR_UNION *alternatives = ARENA_NEW(&c->arena, NDR_UNION);
    for (unsigned i = 0; i <= arms->label_count; i++) {
        const struct node_arm *arm = i < arms->label_count ? &arms->labels[i] : arms->otherwise;
        if (!arm || !arm->node)
            continue;
        struct room one = {.align = 1};
        room_add(&one, member_size(c, arm->node), describe_memory(c, arm->node)->memory_align);
        if (one.end > inner.end)
            inner.end = one.end;
        if (one.align > inner.align)
            inner.align = one.align;
    }
    alternatives->switch_kind = kind_of(arms->switch_kind);
    if (!node->switch_is) {
        uint32_t size = scalar_size(alternatives->switch_kind);
        alternatives->switch_offset = room_add(&whole, size, size);
    }
    alternatives->arms_offset = room_add(&whole, inner.end, inner.align);
    type->ndr.alternatives = alternatives;
    room_close(c, &whole, &node->loc, type);
}

static void array_memory(struct idl_compiler *c, const struct node *node, struct idl_type *type)
{
    const struct idl_type *element = describe_memory(c, node->element);
    uint64_t size = (uint64_t)node->count * element->memory_size;
    type->memory_align = element->memory_align;
    if (size > IDL_SIZE_MAX) {
        diag_error(c, &node->loc, 2219, "array is too large");
        size = 0;
    }
    type->memory_size = (uint32_t)size;
}

struct idl_type *describe_memory(struct idl_compiler *c, struct node *node)
{
    while (node->conversion)
        node = node->element;
    if (node->described)
        return node->described;
    struct idl_type *type = ARENA_NEW(&c->arena, struct idl_type);
    NDR_KIND kind = kind_of(node->kind);
    node->described = type;
    type->ndr.kind = kind == NDR_KIND_CONTEXT ? NDR_KIND_STRUCT : kind;
    type->memory_size = scalar_size(kind);
    type->memory_align = type->memory_size ? type->memory_size : 1;
    if (kind == NDR_KIND_CONTEXT) {
        type->memory_size = 20;
        type->memory_align = 4;
    } else if (kind == NDR_KIND_STRUCT) {
        struct_memory(c, node, type);
    } else if (kind == NDR_KIND_UNION) {
        union_memory(c, node, type);
    } else if (kind == NDR_KIND_ARRAY || kind == NDR_KIND_STRING) {
        array_memory(c, node, type);
    }
    return type;
}

/* ---- Expressions and ranges -------------------------------------------------------------------- */

/* The offset of a named member; anonymous members are looked through, as in C. */
static bool offset_in_struct(struct node *node, const char *name, uint32_t *ret_offset)
{
    for (unsigned i = 0; node->aggregate && i < node->count; i++) {
        const struct var *var = node->fields[i].var;
        uint32_t offset = node->described->ndr.fields[i].offset, below;
        if (var->name && strcmp(var->name, name) == 0) {
            *ret_offset = offset;
            return true;
        }
        if (!var->name && node->fields[i].node->aggregate &&
            offset_in_struct(node->fields[i].node, name, &below)) {
            *ret_offset = offset + below;
            return true;
        }
    }
    return false;
}

static uint32_t member_offset(const struct describe *d, const struct var *owner, const char *name)
{
    uint32_t offset = 0;
    if (owner && owner->aggregate && owner->aggregate->node) {
        offset_in_struct(owner->aggregate->node, name, &offset);
        return offset;
    }
    for (unsigned i = 0; i < d->param_count; i++) {
        if (strcmp(d->params[i].name, name) == 0)
            offset = d->params[i].offset;
    }
    return offset;
}

static const NDR_EXPR *describe_expr(const struct describe *d, const struct var *owner,
                                     const struct node_expr *expr)
{
    if (!expr)
        return NULL;
    NDR_EXPR *out = ARENA_NEW(&d->compiler->arena, NDR_EXPR);
    *out = (NDR_EXPR){.op = op_of(expr->op),
                      .kind = kind_of(expr->kind),
                      .offset = expr->member ? member_offset(d, owner, expr->member) : 0,
                      .value = expr->value,
                      .a = describe_expr(d, owner, expr->operands[0]),
                      .b = describe_expr(d, owner, expr->operands[1]),
                      .c = describe_expr(d, owner, expr->operands[2])};
    return out;
}

const NDR_RANGE *describe_range(struct idl_compiler *c, const struct node_range *range)
{
    if (!range)
        return NULL;
    NDR_RANGE *out = ARENA_NEW(&c->arena, NDR_RANGE);
    *out = (NDR_RANGE){range->low, range->high};
    return out;
}

/* ---- Types that IDL has no node for --------------------------------------------------------------- */

static struct idl_type *new_scalar(struct idl_compiler *c, NDR_KIND kind)
{
    struct idl_type *type = ARENA_NEW(&c->arena, struct idl_type);
    uint32_t size = scalar_size(kind);
    *type = (struct idl_type){.ndr = {.kind = kind, .size = size, .align = size},
                              .memory_size = size,
                              .memory_align = size};
    return type;
}

const NDR_TYPE *describe_handle(struct idl_compiler *c)
{
    struct idl_type *type = new_scalar(c, NDR_KIND_HANDLE);
    type->ndr.align = 1;
    return &type->ndr;
}

/* Attributes and a UUID, all integers of their own byte order (MS-RPCE 2.2.1.1.3). */
static void describe_context(struct idl_compiler *c, struct idl_type *type)
{
    NDR_FIELD *fields = arena_alloc(&c->arena, 5 * sizeof(*fields));
    struct idl_type *node = new_scalar(c, NDR_KIND_ARRAY);
    node->ndr = (NDR_TYPE){.kind = NDR_KIND_ARRAY,
                           .size = 8,
                           .align = 1,
                           .count = 8,
                           .element = &new_scalar(c, NDR_KIND_BYTE)->ndr};
    node->memory_size = 8;
    node->memory_align = 1;
    fields[0] = (NDR_FIELD){"attributes", &new_scalar(c, NDR_KIND_UINT32)->ndr, 0, NULL};
    fields[1] = (NDR_FIELD){"Data1", fields[0].type, 4, NULL};
    fields[2] = (NDR_FIELD){"Data2", &new_scalar(c, NDR_KIND_UINT16)->ndr, 8, NULL};
    fields[3] = (NDR_FIELD){"Data3", fields[2].type, 10, NULL};
    fields[4] = (NDR_FIELD){"Data4", &node->ndr, 12, NULL};
    type->form = IDL_FORM_CONTEXT;
    type->ndr.count = 5;
    type->ndr.fields = fields;
}

/* ---- Types --------------------------------------------------------------------------------------- */

/* Is memory what NDR 2.0 makes of it (emit_flat_constant())? */
static bool is_flat(const struct node *node)
{
    if (node->flat != FLAT_DEPENDS)
        return node->flat == FLAT_ALWAYS;
    if (!node->aggregate)
        return is_flat(node->element);
    uint64_t offset = 0;
    for (unsigned i = 0; i < node->count; i++) {
        if (node->described->ndr.fields[i].offset != offset || !is_flat(node->fields[i].node))
            return false;
        offset += node->fields[i].node->ndr_size;
    }
    return node->described->memory_size == node->ndr_size;
}

static uint32_t flags_of(const struct node *node)
{
    static const struct {
        const char *word;
        uint32_t flag;
    } pointers[] = {{"NDR_TYPE_REF", NDR_TYPE_REF},
                    {"NDR_TYPE_UNIQUE", NDR_TYPE_UNIQUE},
                    {"NDR_TYPE_FULL", NDR_TYPE_FULL},
                    {"NDR_TYPE_IGNORE", NDR_TYPE_IGNORE}};
    uint32_t flags = (node->has_pointers ? NDR_TYPE_HAS_POINTERS : 0) |
                     (node->is_varying ? NDR_TYPE_VARYING : 0) |
                     (node->is_open && node->aggregate ? NDR_TYPE_OPEN : 0) |
                     (node->null_with_size ? NDR_TYPE_NULL_WITH_SIZE : 0) |
                     (is_flat(node) ? NDR_TYPE_FLAT : 0);
    for (size_t i = 0; node->pointer_flag && i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        if (strcmp(pointers[i].word, node->pointer_flag) == 0)
            flags |= pointers[i].flag;
    }
    return flags;
}

static void describe_enumerators(struct idl_compiler *c, const struct enumeration *e,
                                 struct idl_type *type)
{
    uint32_t count = 0;
    for (const struct enumerator *item = e->list; item; item = item->next)
        count++;
    struct idl_enumerator *list = arena_alloc(&c->arena, (count + 1) * sizeof(*list));
    for (const struct enumerator *item = e->list; item; item = item->next)
        list[type->enumerator_count++] =
            (struct idl_enumerator){item->name, (int32_t)item->value};
    type->enumerators = list;
}

/* 4, 2 and 2 octets and eight more, whatever the file calls them. */
static enum idl_form form_of(struct idl_compiler *c, const struct node *node)
{
    static const NDR_KIND wanted[] = {NDR_KIND_UINT32, NDR_KIND_UINT16, NDR_KIND_UINT16,
                                      NDR_KIND_ARRAY};
    static const char *const names[] = {"GUID", "_GUID", "UUID", "_UUID", "uuid_t"};
    bool named = false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        named |= node->idl_name && strcmp(node->idl_name, names[i]) == 0;
    if (!named || node->count != 4)
        return IDL_FORM_PLAIN;
    for (unsigned i = 0; i < 4; i++) {
        if (describe_memory(c, node->fields[i].node)->ndr.kind != wanted[i])
            return IDL_FORM_PLAIN;
    }
    const struct node *last = node->fields[3].node;
    return last->count == 8 && describe_memory(c, last->element)->memory_size == 1 ? IDL_FORM_GUID
                                                                          : IDL_FORM_PLAIN;
}

static NDR_ARM describe_arm(const struct describe *d, const struct node_arm *arm)
{
    NDR_ARM out = {.value = arm->value};
    if (arm->node) {
        out.name = arm->var->name ? arm->var->name : "";
        out.type = describe_type(d, arm->node);
        out.range = describe_range(d->compiler, arm->var->range);
    }
    return out;
}

/* The structure around an encapsulated union has no node of its own. */
static void describe_around(struct idl_compiler *c, const struct aggregate *around,
                            struct idl_type *type)
{
    const struct var *tag = around->fields;
    const struct type *base = type_strip(tag->type);
    struct idl_type *tag_type = new_scalar(c, type->ndr.alternatives->switch_kind);
    if (base->kind == TYPE_ENUM)
        describe_enumerators(c, base->enumeration, tag_type);
    type->tag_name = tag->name;
    type->arms_name = tag->next->name;
    type->tag_type = &tag_type->ndr;
}

static void describe_union(const struct describe *d, const struct node *node,
                           struct idl_type *type)
{
    if (node->encapsulation)
        describe_around(d->compiler, node->encapsulation, type);
    const struct node_arms *arms = node->arms;
    NDR_UNION *u = (NDR_UNION *)type->ndr.alternatives;
    NDR_ARM *list = arena_alloc(&d->compiler->arena, (arms->label_count + 1) * sizeof(*list));
    for (unsigned i = 0; i < arms->label_count; i++)
        list[i] = describe_arm(d, &arms->labels[i]);
    u->arm_count = arms->label_count;
    u->arms = list;
    if (arms->otherwise) {
        list[u->arm_count] = describe_arm(d, arms->otherwise);
        u->otherwise = &list[u->arm_count];
    }
    u->switch_is = describe_expr(d, node->sized_by_attr_of, node->switch_is);
    u->flags = arms->ms_union ? NDR_UNION_MS : 0;
}

static void describe_fields(const struct describe *d, const struct node *node,
                            struct idl_type *type)
{
    NDR_FIELD *fields = (NDR_FIELD *)type->ndr.fields;
    for (unsigned i = 0; i < node->count; i++) {
        const struct var *var = node->fields[i].var;
        fields[i].name = var->name ? var->name : "";
        fields[i].type = describe_type(d, node->fields[i].node);
        fields[i].range = describe_range(d->compiler, var->range);
    }
}

const NDR_TYPE *describe_type(const struct describe *d, struct node *node)
{
    struct idl_compiler *c = d->compiler;
    while (node->conversion)
        node = node->element;
    struct idl_type *type = describe_memory(c, node);
    NDR_TYPE *ndr = &type->ndr;
    if (ndr->align != 0)
        return ndr; /* done, or under construction further up */
    ndr->align = node->align;
    ndr->size = type->memory_size;
    ndr->count = node->count;
    ndr->name = node->idl_name;
    if (node->context) {
        describe_context(c, type);
        return ndr;
    }
    if (node->element)
        ndr->element = describe_type(d, node->element);
    if (node->aggregate)
        describe_fields(d, node, type);
    if (node->arms)
        describe_union(d, node, type);
    if (node->enumeration)
        describe_enumerators(c, node->enumeration, type);
    ndr->flags = flags_of(node);
    ndr->max_count = describe_expr(d, node->sized_by_attr_of, node->max_count);
    ndr->first = describe_expr(d, node->sized_by_attr_of, node->first);
    ndr->length = describe_expr(d, node->sized_by_attr_of, node->length);
    ndr->count_range = describe_range(c, node->count_range);
    ndr->element_range = describe_range(c, node->element_range);
    if (node->aggregate)
        type->form = form_of(c, node);
    return ndr;
}
