/* SPDX-License-Identifier: MIT */
/* parse_union.c - unions of both kinds (idl.md 3.4).
 *
 * A non-encapsulated union is a C union, its arms carry [case] and [default].  An
 * encapsulated one becomes a structure of two fields, the discriminant and a union; its
 * `case 1:` labels are kept as the same attributes, so that later passes see one form. */
#include "idl/expr.h"
#include "idl/osf.h"
#include "idl/parse.h"
#include "idl/types.h"

#include <string.h>

/* A member list under way. */
struct arms {
    struct aggregate *owner;
    struct var **end;
    const struct attr *default_attr; /* of the first default arm */
    const struct var *unlabelled;    /* the first arm without a label */
    bool labelled;                   /* some arm has one */
    bool of_switch;                  /* encapsulated: labels there must be */
};

static struct attr *new_attr(struct parser *parser, enum attr_id id, const char *name)
{
    struct attr *attr = ARENA_NEW(&parser->compiler->arena, struct attr);
    attr->id = id;
    attr->name = name;
    attr->loc = parser->token.loc;
    return attr;
}

/* [case] needs constants; a second default is one too many. */
static void check_labels(struct parser *parser, struct arms *arms, const struct var *arm)
{
    struct attr *attrs = arm->attrs;
    struct idl_compiler *c = parser->compiler;
    struct attr *case_attr = attr_find(attrs, ATTR_CASE);
    const struct attr *default_attr = attr_find(attrs, ATTR_DEFAULT);
    arms->labelled |= case_attr || default_attr;
    if (!case_attr && !default_attr && !arms->unlabelled)
        arms->unlabelled = arm;
    for (struct attr_arg *arg = case_attr ? case_attr->args : NULL; arg; arg = arg->next) {
        struct value value = {.kind = VALUE_INVALID};
        if (!arg->expr)
            diag_error(c, &arg->loc, 2025, "syntax error: expected a value for [case]");
        else if (!expr_is_constant(c, arg->expr))
            diag_error(c, &arg->expr->loc, 2066, "case expression is not constant");
        else
            value = expr_evaluate(c, arg->expr, 2066);
        if (value.kind != VALUE_INVALID && value.kind != VALUE_INT)
            diag_error(c, &arg->expr->loc, 2067, "case expression is not of an integral type");
    }
    if (default_attr && arms->default_attr)
        diag_error(c, &default_attr->loc, 2232, "only one [default] is allowed in a union");
    if (default_attr)
        arms->default_attr = default_attr;
}

static void add_arm(struct parser *parser, struct arms *arms, struct var *arm)
{
    check_labels(parser, arms, arm);
    if (arm->name) {
        add_field(parser, arms->owner, arm, &arms->end);
        return;
    }
    arm->aggregate = arms->owner;
    *arms->end = arm;
    arms->end = &arm->next;
}

/* arm = ( [attrs] type declarator | nothing ) ';', its labels in `attrs` */
static bool arm(struct parser *parser, struct arms *arms, struct attr *attrs)
{
    struct idl_compiler *c = parser->compiler;
    struct loc loc = parser->token.loc;
    struct var *var = ARENA_NEW(&c->arena, struct var);
    var->home = parser->interface;
    var->loc = loc;
    var->source = loc.at;
    attrs = attr_append(attrs, parse_attributes(parser));
    parse_check_attributes(parser, attrs, PLACE_FIELD);
    var->attrs = attrs;
    if (parse_accept(parser, ';')) {
        add_arm(parser, arms, var);
        return true;
    }
    struct type *base = parse_type(parser, false);
    if (!base)
        return false;
    parse_union_attributes(parser, base, attrs);
    struct type *defined = type_unqualified(base);
    if (defined->kind == TYPE_ENUM && defined->defines && attr_find(attrs, ATTR_V1_ENUM))
        defined->enumeration->is_v1 = true;
    if (type_is_base(base, BASE_VOID) && parse_at(parser, ';')) {
        /* `void;` is how old files spell an empty arm. */
        parse_advance(parser);
        add_arm(parser, arms, var);
        return true;
    }
    if (parse_at(parser, ';')) {
        check_labels(parser, arms, var);
        return add_anonymous(parser, arms->owner, base, var, &arms->end) &&
               parse_expect(parser, ';');
    }
    var->loc = parser->token.loc;
    if (!parse_declarator(parser, base, var, false))
        return false;
    var->source_end = parser->last_end;
    if (parse_at(parser, ':') && !parse_bit_field(parser, arms->owner, var))
        return false;
    add_arm(parser, arms, var);
    return parse_expect(parser, ';');
}

/* labels = { 'case' expr ':' | 'default' ':' }, as attributes */
static bool case_labels(struct parser *parser, struct attr **ret_attrs)
{
    struct attr *case_attr = NULL, *attrs = NULL;
    struct attr_arg **end = NULL;
    for (;;) {
        if (parse_at_keyword(parser, KW_CASE)) {
            if (!case_attr) {
                case_attr = new_attr(parser, ATTR_CASE, "case");
                end = &case_attr->args;
                attrs = attr_append(attrs, case_attr);
            }
            parse_advance(parser);
            struct attr_arg *arg = ARENA_NEW(&parser->compiler->arena, struct attr_arg);
            arg->loc = parser->token.loc;
            arg->expr = parse_expr(parser);
            *end = arg;
            end = &arg->next;
            if (!arg->expr)
                return false;
        } else if (parse_at_keyword(parser, KW_DEFAULT)) {
            attrs = attr_append(attrs, new_attr(parser, ATTR_DEFAULT, "default"));
            parse_advance(parser);
        } else {
            break;
        }
        if (!parse_expect(parser, ':'))
            return false;
    }
    *ret_attrs = attrs;
    return true;
}

/* '{' { arm | labels arm } '}' */
static bool body(struct parser *parser, struct aggregate *owner, bool with_labels)
{
    struct idl_compiler *c = parser->compiler;
    struct arms arms = {.owner = owner, .end = &owner->fields, .of_switch = with_labels};
    unsigned errors = c->error_count;
    if (!parse_enter(parser))
        return false;
    parse_advance(parser);
    while (!parse_at(parser, '}') && !parse_at(parser, TOK_END)) {
        struct attr *attrs = NULL;
        if ((with_labels && !case_labels(parser, &attrs)) || !arm(parser, &arms, attrs))
            parse_recover(parser);
    }
    parse_leave(parser);
    if (!parse_expect(parser, '}'))
        return false;
    owner->is_plain = !arms.labelled && !arms.of_switch;
    if (owner->is_plain)
        osf_refuse(c, &owner->loc, 2137, "a union without a discriminant needs -c_ext");
    if (arms.unlabelled && !owner->is_plain)
        diag_error(c, &arms.unlabelled->loc, 2161, "union member without [case] or [default]");
    if (c->error_count > errors)
        return true;
    if (owner->field_count == 0)
        diag_error(c, &owner->loc, 2235, "union '%s' has no fields", owner->tag);
    else if (!arms.default_attr && !owner->is_plain)
        diag_warning(c, &owner->loc, 2057, 2,
                     "union '%s' has no [default]: other values of its discriminant are refused",
                     owner->tag);
    return true;
}

static struct type *aggregate_type(struct parser *parser, struct aggregate *owner, struct loc loc)
{
    struct type *type = ARENA_NEW(&parser->compiler->arena, struct type);
    type->kind = owner->is_union ? TYPE_UNION : TYPE_STRUCT;
    type->loc = loc;
    type->aggregate = owner;
    return type;
}

/* What a broken definition is parsed into. */
static struct aggregate *nowhere(struct parser *parser, const char *name, bool is_union)
{
    struct aggregate *owner = ARENA_NEW(&parser->compiler->arena, struct aggregate);
    owner->tag = name ? name : "";
    owner->c_name = "union";
    owner->is_union = is_union;
    return owner;
}

/* The field of the encapsulating structure that holds the union. */
static bool encapsulated_union(struct parser *parser, struct aggregate *owner, struct var **end)
{
    struct idl_compiler *c = parser->compiler;
    struct var *field = ARENA_NEW(&c->arena, struct var);
    field->home = parser->interface;
    field->loc = parser->token.loc;
    field->source = parser->token.loc.at;
    field->name = "tagged_union";
    if (!parse_at(parser, '{')) {
        field->name = parse_identifier(parser, "the name of the union or '{'", &field->loc);
        if (!field->name)
            return false;
    }
    if (!parse_at(parser, '{')) {
        parse_error_expected(parser, "'{'");
        return false;
    }
    struct aggregate *inner = aggregate_of_tag(parser, invent_tag(parser), true, field->loc);
    if (!inner || !begin_body(parser, inner, owner->loc))
        return false;
    struct type *type = aggregate_type(parser, inner, field->loc);
    type->defines = true;
    bool ok = body(parser, inner, true);
    inner->being_defined = false;
    inner->defined = true;
    if (inner->depth + 1 > owner->depth)
        owner->depth = inner->depth;
    field->type = type;
    field->source_end = parser->last_end;
    add_field(parser, owner, field, &end);
    return ok;
}

/* 'switch' '(' type ID ')' [ ID ] '{' ... '}' */
static bool encapsulated(struct parser *parser, struct aggregate *owner)
{
    struct idl_compiler *c = parser->compiler;
    parse_advance(parser);
    if (!parse_expect(parser, '('))
        return false;
    struct var *tag = ARENA_NEW(&c->arena, struct var), **end = &owner->fields;
    tag->home = parser->interface;
    tag->source = parser->token.loc.at;
    struct type *base = parse_type(parser, true);
    tag->loc = parser->token.loc;
    if (!base || !parse_declarator(parser, base, tag, false))
        return false;
    tag->source_end = parser->last_end;
    if (!parse_expect(parser, ')'))
        return false;
    add_field(parser, owner, tag, &end);
    return encapsulated_union(parser, owner, end);
}

void parse_union_attributes(struct parser *parser, struct type *base, struct attr *attrs)
{
    struct type *type = type_unqualified(base);
    const struct attr *ms_union = attr_find(attrs, ATTR_MS_UNION);
    const struct attr *ms_conf_struct = attr_find(attrs, ATTR_MS_CONF_STRUCT);
    bool is_union = type->kind == TYPE_UNION;
    bool defines_enum = type->kind == TYPE_STRUCT && type->aggregate->is_encapsulated;
    const struct attr *switch_type = attr_find(attrs, ATTR_SWITCH_TYPE);
    if (is_union && type->defines && type->aggregate->is_plain && switch_type &&
        type->aggregate->field_count > 0)
        diag_error(parser->compiler, &switch_type->loc, 2340,
                   "no [case] expression found for union '%s'", type->aggregate->tag);
    if (is_union && type->defines) {
        type->aggregate->attrs = attrs;
        if (ms_union)
            type->aggregate->ms_union = true;
    } else if (ms_union && type->kind != TYPE_ERROR && !defines_enum) {
        diag_error(parser->compiler, &ms_union->loc, 2072, "[ms_union] applies to unions only");
    }
    if (ms_conf_struct && type->kind == TYPE_STRUCT)
        type->aggregate->ms_conf_struct |= type->defines;
    else if (ms_conf_struct && type->kind != TYPE_ERROR)
        diag_error(parser->compiler, &ms_conf_struct->loc, 2072,
                   "[ms_conf_struct] applies to structures only");
}

/* union = 'union' ( ID | [ ID ] body | [ ID ] 'switch' ... ) */
struct type *parse_union(struct parser *parser, struct loc loc)
{
    const char *name = NULL;
    struct loc name_loc = loc;
    parse_advance(parser);
    bool is_switch = parse_at_keyword(parser, KW_SWITCH);
    if (!is_switch && !parse_at(parser, '{')) {
        name = parse_identifier(parser, "a tag, 'switch' or '{'", &name_loc);
        if (!name)
            return NULL;
        is_switch = parse_at_keyword(parser, KW_SWITCH);
    }
    bool has_body = is_switch || parse_at(parser, '{');
    struct aggregate *owner =
        aggregate_of_tag(parser, name ? name : invent_tag(parser), !is_switch, name_loc);
    bool good = owner && (!has_body || begin_body(parser, owner, name_loc));
    if (!good)
        owner = nowhere(parser, name, !is_switch);
    struct type *type = aggregate_type(parser, owner, loc);
    type->is_ahead = !owner->defined;
    if (!has_body) {
        if (!good)
            type->kind = TYPE_ERROR;
        return type;
    }
    owner->being_defined = true;
    owner->is_encapsulated = is_switch;
    owner->tag_is_invented = !name;
    owner->ms_union = parser->compiler->options.ms_union ||
                      (parser->interface && parser->interface->ms_union);
    type->defines = true;
    bool ok = is_switch ? encapsulated(parser, owner) : body(parser, owner, false);
    owner->being_defined = false;
    owner->defined = true;
    if (!good)
        type->kind = TYPE_ERROR;
    return ok ? type : NULL;
}
