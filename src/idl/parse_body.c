/* SPDX-License-Identifier: MIT */
/* parse_body.c - structures and enumerations. */
#include "idl/expr.h"
#include "idl/osf.h"
#include "idl/parse.h"
#include "idl/types.h"

#include <string.h>

/* ---- Structures ------------------------------------------------------------------- */

struct aggregate *aggregate_of_tag(struct parser *parser, const char *name, bool is_union,
                                   struct loc loc)
{
    struct idl_compiler *c = parser->compiler;
    struct tag *tag = names_find(&c->tags, name, strlen(name));
    if (!tag) {
        tag = ARENA_NEW(&c->arena, struct tag);
        tag->loc = loc;
        tag->aggregate = ARENA_NEW(&c->arena, struct aggregate);
        tag->aggregate->tag = name;
        tag->aggregate->is_union = is_union;
        tag->aggregate->c_name = arena_printf(&c->arena, is_union ? "union %s" : "struct %s", name);
        tag->aggregate->loc = loc;
        names_set(&c->tags, &c->arena, name, strlen(name), tag);
    }
    if (!tag->aggregate)
        diag_error(c, &loc, 2003, "redefinition: '%s' is the tag of an enum", name);
    bool fits = tag->aggregate && (tag->aggregate->is_union == is_union ||
                                   (is_union && tag->aggregate->is_encapsulated));
    if (tag->aggregate && !fits)
        diag_error(c, &loc, 2003, "redefinition: '%s' is the tag of a %s", name,
                   is_union ? "struct" : "union");
    return fits ? tag->aggregate : NULL;
}

/* Reported: nothing else shall be said about it. */
static void spoil(struct parser *parser, struct var *field)
{
    struct type *error = ARENA_NEW(&parser->compiler->arena, struct type);
    error->loc = field->loc;
    field->type = error;
}

/* A complete type by value?  Reports and spoils the field when not. */
static void check_field_complete(struct parser *parser, struct var *field)
{
    struct idl_compiler *c = parser->compiler;
    struct aggregate *owner = field->aggregate;
    struct type *type = type_strip(field->type);
    while (type->kind == TYPE_ARRAY)
        type = type_strip(type->target);
    if (type->kind == TYPE_FUNCTION) {
        bool in_array = type_strip(field->type)->kind == TYPE_ARRAY;
        diag_error(c, &field->loc, in_array ? 2130 : 2129,
                   in_array ? "array element must not be a function"
                            : "struct field must not derive from a function");
        spoil(parser, field);
    }
    if (type->kind != TYPE_STRUCT && type->kind != TYPE_UNION)
        return;
    const struct aggregate *inner = type->aggregate;
    if (inner->being_defined) {
        diag_error(c, &field->loc, 2006, "recursive definition: '%s' contains itself", inner->tag);
    } else if (!inner->defined) {
        diag_error(c, &field->loc, 2011, "unresolved type declaration: %s is not defined",
                   inner->c_name);
    } else {
        if (inner->depth + 1 > owner->depth)
            owner->depth = inner->depth + 1;
        if (owner->depth <= IDL_NESTING_MAX)
            return;
        diag_error(c, &field->loc, 2002, "structures are nested too deeply");
        owner->depth = IDL_NESTING_MAX;
    }
    spoil(parser, field);
}

void add_field(struct parser *parser, struct aggregate *owner, struct var *field, struct var ***end)
{
    struct idl_compiler *c = parser->compiler;
    field->aggregate = owner;
    if (names_find(&owner->field_names, field->name, strlen(field->name))) {
        diag_error(c, &field->loc, 2003, "redefinition of field '%s'", field->name);
        return;
    }
    check_name(parser, field->name, &field->loc);
    osf_check_void(c, field);
    check_field_complete(parser, field);
    names_set(&owner->field_names, &c->arena, field->name, strlen(field->name), field);
    owner->field_count++;
    owner->last_field = field;
    **end = field;
    *end = &field->next;
}

/* The members of an anonymous one are reached as members of `owner`. */
static void add_inner_names(struct parser *parser, struct aggregate *owner, struct aggregate *inner)
{
    struct idl_compiler *c = parser->compiler;
    for (struct var *field = inner->fields; field; field = field->next) {
        if (!field->name) {
            if (field->type && type_unqualified(field->type)->aggregate)
                add_inner_names(parser, owner, type_unqualified(field->type)->aggregate);
            continue;
        }
        if (names_find(&owner->field_names, field->name, strlen(field->name)))
            diag_error(c, &field->loc, 2003, "redefinition of field '%s'", field->name);
        names_set(&owner->field_names, &c->arena, field->name, strlen(field->name), field);
    }
}

bool add_anonymous(struct parser *parser, struct aggregate *owner, struct type *base,
                   struct var *field, struct var ***end)
{
    struct type *type = type_unqualified(base);
    bool possible = (type->kind == TYPE_STRUCT || type->kind == TYPE_UNION) && type->defines &&
                    type->aggregate->tag_is_invented;
    if (!possible) {
        if (type->kind != TYPE_ERROR)
            diag_error(parser->compiler, &base->loc, 2170,
                       "unnamed fields can derive only from struct/union types: expected a name "
                       "before ';'");
        return false;
    }
    osf_refuse(parser->compiler, &base->loc, 2169, "unnamed fields need -ms_ext or -c_ext");
    type->aggregate->is_anonymous = true;
    field->type = base;
    field->loc = base->loc;
    field->aggregate = owner;
    check_field_complete(parser, field);
    add_inner_names(parser, owner, type->aggregate);
    owner->field_count++;
    owner->last_field = field;
    **end = field;
    *end = &field->next;
    return true;
}

/* bits = ':' expr, behind the declarator: for C only, in structures that are never sent */
bool parse_bit_field(struct parser *parser, struct aggregate *owner, struct var *field)
{
    struct idl_compiler *c = parser->compiler;
    struct loc loc = parser->token.loc;
    osf_refuse(c, &loc, 2132, "struct/union with bit fields needs -c_ext");
    parse_advance(parser);
    const struct expr *expr = parse_expr(parser);
    if (!expr)
        return false;
    struct value value = expr_evaluate(c, expr, 2035);
    struct type *type = type_strip(field->type);
    bool integral =
        type->kind == TYPE_ENUM || (type->kind == TYPE_BASE && base_info(type->base)->integral);
    if (value.kind == VALUE_INVALID || type->kind == TYPE_ERROR)
        return true;
    if (!integral) {
        diag_error(c, &loc, 2134,
                   "bit field specification can be applied only to simple, integral types");
        return true;
    }
    if (type->kind == TYPE_ENUM || base_info(type->base)->size != 4)
        diag_warning(c, &loc, 2133, 4,
                     "bit field specification on a type other than \"int\" is a "
                     "non-ANSI-compatible extension");
    int64_t most = type->kind == TYPE_ENUM ? 32 : 8 * (int64_t)base_info(type->base)->size;
    if (value.kind != VALUE_INT || value.number < 1 || value.number > most) {
        diag_error(c, &expr->loc, 2175, "illegal constant: a field of 1 to %d bits", (int)most);
        return true;
    }
    field->is_bit_field = true;
    field->bits = (unsigned)value.number;
    owner->has_bit_fields = true;
    return true;
}

/* field = [attrs] type [ declarator [ ':' expr ] { ',' declarator } ] ';' */
static bool field_line(struct parser *parser, struct aggregate *owner, struct var ***end)
{
    struct idl_compiler *c = parser->compiler;
    struct attr *attrs = parse_attributes(parser);
    parse_check_attributes(parser, attrs, PLACE_FIELD);
    const char *source = parser->token.loc.at;
    struct type *base = parse_type(parser, false);
    if (!base)
        return false;
    struct type *defined = type_unqualified(base);
    if (defined->kind == TYPE_ENUM && defined->defines && attr_find(attrs, ATTR_V1_ENUM))
        defined->enumeration->is_v1 = true;
    parse_union_attributes(parser, base, attrs);
    if (parse_at(parser, ';')) {
        struct var *field = ARENA_NEW(&c->arena, struct var);
        field->attrs = attrs;
        field->home = parser->interface;
        return add_anonymous(parser, owner, base, field, end) && parse_expect(parser, ';');
    }
    do {
        struct var *field = ARENA_NEW(&c->arena, struct var);
        field->attrs = attrs;
        field->home = parser->interface;
        field->source = source;
        field->loc = parser->token.loc;
        if (!parse_declarator(parser, base, field, false))
            return false;
        field->source_end = parser->last_end;
        if (parse_at(parser, ':') && !parse_bit_field(parser, owner, field))
            return false;
        add_field(parser, owner, field, end);
    } while (parse_accept(parser, ','));
    return parse_expect(parser, ';');
}

/* fields = '{' { field | ';' } '}' */
static bool fields(struct parser *parser, struct aggregate *owner)
{
    struct var **end = &owner->fields;
    unsigned errors = parser->compiler->error_count;
    if (!parse_enter(parser))
        return false;
    parse_advance(parser);
    while (!parse_at(parser, '}') && !parse_at(parser, TOK_END)) {
        if (parse_accept(parser, ';'))
            continue;
        if (!field_line(parser, owner, &end))
            parse_recover(parser);
    }
    parse_leave(parser);
    if (!parse_expect(parser, '}'))
        return false;
    if (owner->field_count == 0 && parser->compiler->error_count == errors)
        diag_error(parser->compiler, &owner->loc, 2025, "syntax error: a structure needs a field");
    return true;
}

bool begin_body(struct parser *parser, struct aggregate *owner, struct loc loc)
{
    if (owner->defined || owner->being_defined) {
        diag_error(parser->compiler, &loc, 2003, "redefinition of %s '%s', first defined at %s:%u",
                   owner->is_union || owner->is_encapsulated ? "union" : "struct", owner->tag,
                   owner->loc.path, owner->loc.line);
        return false;
    }
    owner->loc = loc;
    owner->home = parser->interface;
    owner->pack = parser->unit->pack.current;
    owner->ms_conf_struct = parser->compiler->options.ms_conf_struct ||
                            (parser->interface && parser->interface->ms_conf_struct);
    owner->being_defined = true;
    owner->depth = 1;
    return true;
}

/* ( 'struct' | 'enum' ) [ ID ]: *ret_name is NULL without a tag.  False: neither a tag nor a body
 * follows, which has been said. */
static bool parse_tag(struct parser *parser, const char **ret_name, struct loc *ret_loc)
{
    parse_advance(parser);
    *ret_name = NULL;
    if (parse_at(parser, '{'))
        return true;
    *ret_name = parse_identifier(parser, "a tag or '{'", ret_loc);
    return *ret_name != NULL;
}

/* struct = 'struct' ( ID | [ ID ] fields ) */
struct type *parse_body_struct(struct parser *parser, struct loc loc)
{
    struct idl_compiler *c = parser->compiler;
    struct type *type = ARENA_NEW(&c->arena, struct type);
    type->kind = TYPE_STRUCT;
    type->loc = loc;
    const char *name;
    struct loc name_loc = loc;
    if (!parse_tag(parser, &name, &name_loc))
        return NULL;
    bool has_body = parse_at(parser, '{');
    struct aggregate *owner =
        aggregate_of_tag(parser, name ? name : invent_tag(parser), false, name_loc);
    if (!owner || (has_body && !begin_body(parser, owner, name_loc))) {
        owner = ARENA_NEW(&c->arena, struct aggregate);
        owner->tag = name;
        owner->c_name = "struct";
        type->kind = TYPE_ERROR;
    }
    type->aggregate = owner;
    type->is_ahead = !owner->defined;
    if (!has_body)
        return type;
    owner->being_defined = true;
    owner->tag_is_invented = !name;
    type->defines = true;
    bool ok = fields(parser, owner);
    owner->being_defined = false;
    owner->defined = true;
    return ok ? type : NULL;
}

/* ---- Enumerations ------------------------------------------------------------------ */

static void enumerator_value(struct parser *parser, struct enumerator *item, int64_t *next)
{
    struct idl_compiler *c = parser->compiler;
    item->value = *next;
    if (item->expr) {
        struct value value = expr_evaluate(c, item->expr, 2035);
        if (value.kind == VALUE_INT)
            item->value = value.number;
        else if (value.kind != VALUE_INVALID)
            diag_error(c, &item->expr->loc, 2336, "illegal expression type in enum");
        if (value.is_unsigned && value.number < 0)
            item->value = INT64_MAX;
    }
    if (item->value < INT32_MIN || item->value > UINT32_MAX) {
        diag_error(c, &item->loc, 2175, "illegal constant: '%s' needs more than 32 bits",
                   item->name);
        item->value = 0;
    }
    /* 0x80000000 and above are bit patterns. */
    if (item->value > INT32_MAX)
        item->value -= (int64_t)1 << 32;
    *next = item->value + 1;
}

/* enumerators = [attrs] ID [ '=' expr ] { ',' ... } [ ',' ] */
static bool enumerators(struct parser *parser, struct enumeration *owner)
{
    struct idl_compiler *c = parser->compiler;
    struct enumerator **end = &owner->list;
    int64_t next = 0;
    while (!parse_at(parser, '}')) {
        struct enumerator *item = ARENA_NEW(&c->arena, struct enumerator);
        parse_attributes(parser); /* helpstrings */
        item->name = parse_identifier(parser, "an enumeration constant", &item->loc);
        if (!item->name)
            return false;
        item->owner = owner;
        if (parse_at(parser, '='))
            osf_refuse(parser->compiler, &parser->token.loc, 2008,
                       "sparse enums need -c_ext or -ms_ext");
        if (parse_accept(parser, '=')) {
            item->expr = parse_expr(parser);
            if (!item->expr)
                return false;
        }
        enumerator_value(parser, item, &next);
        struct symbol symbol = {.kind = SYMBOL_ENUMERATOR, .loc = item->loc, .enumerator = item};
        if (declare(parser, item->name, &symbol)) {
            *end = item;
            end = &item->next;
        }
        if (!parse_at(parser, '}') && !parse_expect(parser, ','))
            return false;
    }
    return true;
}

/* To our '}', which ends no interface; over a ';' only when another constant follows it.
 * False: there is none. */
static bool recover_enumerators(struct parser *parser)
{
    while (!parse_at(parser, '}')) {
        if (parse_at(parser, TOK_END))
            return false;
        bool separated = parse_at(parser, ';');
        parse_skip(parser);
        if (!separated || parse_at(parser, '}'))
            continue;
        if (!parse_at(parser, TOK_IDENT) || parser->token.keyword != KW_NONE)
            return false;
        parse_skip(parser);
        if (!parse_at(parser, ',') && !parse_at(parser, ';') && !parse_at(parser, '=') &&
            !parse_at(parser, '}'))
            return false;
    }
    return true;
}

/* '{' enumerators '}' */
static bool enum_body(struct parser *parser, struct enumeration *owner)
{
    struct idl_compiler *c = parser->compiler;
    unsigned errors = c->error_count;
    parse_advance(parser);
    if (!enumerators(parser, owner) && !recover_enumerators(parser))
        return false;
    if (!parse_expect(parser, '}'))
        return false;
    if (!owner->list && c->error_count == errors)
        diag_error(c, &owner->loc, 2025, "syntax error: an enumeration needs a constant");
    return true;
}

static struct enumeration *enumeration_of_tag(struct parser *parser, const char *name,
                                              struct loc loc, bool has_body)
{
    struct idl_compiler *c = parser->compiler;
    struct tag *tag = names_find(&c->tags, name, strlen(name));
    if (tag && !tag->enumeration) {
        diag_error(c, &loc, 2003, "redefinition: '%s' is the tag of a struct or union", name);
        return NULL;
    }
    if (tag && has_body) {
        diag_error(c, &loc, 2003, "redefinition of enum '%s', first defined at %s:%u", name,
                   tag->loc.path, tag->loc.line);
        return NULL;
    }
    if (tag)
        return tag->enumeration;
    if (!has_body) { /* unlike a struct, an enum has no forward declaration in C */
        diag_error(c, &loc, 2011, "unresolved type declaration: enum %s is not defined", name);
        return NULL;
    }
    tag = ARENA_NEW(&c->arena, struct tag);
    tag->loc = loc;
    tag->enumeration = ARENA_NEW(&c->arena, struct enumeration);
    tag->enumeration->tag = name;
    tag->enumeration->c_name = arena_printf(&c->arena, "enum %s", name);
    tag->enumeration->loc = loc;
    names_set(&c->tags, &c->arena, name, strlen(name), tag);
    return tag->enumeration;
}

/* enum = 'enum' ( ID | [ ID ] '{' enumerators '}' ) */
struct type *parse_body_enum(struct parser *parser, struct loc loc)
{
    struct idl_compiler *c = parser->compiler;
    struct type *type = ARENA_NEW(&c->arena, struct type);
    type->kind = TYPE_ENUM;
    type->loc = loc;
    const char *name;
    struct loc name_loc = loc;
    if (!parse_tag(parser, &name, &name_loc))
        return NULL;
    bool has_body = parse_at(parser, '{');
    type->enumeration =
        enumeration_of_tag(parser, name ? name : invent_tag(parser), name_loc, has_body);
    if (!type->enumeration) {
        type->kind = TYPE_ERROR;
        type->enumeration = ARENA_NEW(&c->arena, struct enumeration);
    }
    if (!has_body)
        return type;
    type->defines = true;
    type->enumeration->defined = true;
    return enum_body(parser, type->enumeration) ? type : NULL;
}
