/* SPDX-License-Identifier: MIT */
/* shape.c - distributes attributes over the levels of a type, and checks that they
 * fit there (idl.md 3.5 to 3.7). */
#include "idl/shape.h"

#include "idl/convert.h"
#include "idl/expr.h"
#include "idl/handle.h"
#include "idl/layout.h"
#include "idl/osf.h"
#include "idl/parse.h"
#include "idl/types.h"

#include <string.h>

/* [range] on a variable and the typedef names it is made of; what lies deeper could only
 * repeat it. */
#define RANGES_MAX 4

struct walk {
    struct idl_compiler *compiler;
    struct var *var;
    enum role role;
    struct shape *shape;
    const struct attr *class_attr; /* of var or of a typedef, still looking for its pointer */
    bool class_attr_is_own;        /* it stands on var itself */
    struct {
        const struct attr *attr;
        unsigned level; /* levels above the type it was written for */
    } ranges[RANGES_MAX];
    unsigned range_count;
    const struct attr *allocate; /* [allocate], still looking for its pointer */
    bool dont_free, all_nodes;   /* it has that option */
    const struct interface *home; /* whose pointer_default counts here */
};

static const struct attr *class_attr_of(struct attr *attrs)
{
    static const enum attr_id ids[] = {ATTR_REF, ATTR_UNIQUE, ATTR_PTR};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        const struct attr *attr = attr_find(attrs, ids[i]);
        if (attr)
            return attr;
    }
    return NULL;
}

static enum pointer_class class_of_attr(const struct attr *attr)
{
    return attr->id == ATTR_REF      ? POINTER_REF
           : attr->id == ATTR_UNIQUE ? POINTER_UNIQUE
                                     : POINTER_FULL;
}

/* Two classes in one list of attributes. */
static bool check_one_class(struct walk *walk, struct attr *attrs)
{
    const struct attr *first = class_attr_of(attrs);
    for (const struct attr *attr = attrs; attr; attr = attr->next) {
        bool is_class = attr->id == ATTR_REF || attr->id == ATTR_UNIQUE || attr->id == ATTR_PTR;
        if (is_class && attr->id != first->id) {
            diag_error(walk->compiler, &attr->loc, 2163,
                       "pointer already has a pointer attribute, [%s]", first->name);
            return false;
        }
    }
    return true;
}

static void add_range(struct walk *walk, struct attr *attrs)
{
    const struct attr *attr = attr_find(attrs, ATTR_RANGE);
    if (!attr || walk->range_count == RANGES_MAX)
        return;
    walk->ranges[walk->range_count].attr = attr;
    walk->ranges[walk->range_count++].level = walk->shape->level_count;
}

static void note_allocate(struct walk *walk, struct attr *attrs)
{
    const struct attr *attr = attr_find(attrs, ATTR_ALLOCATE);
    if (attr)
        walk->allocate = attr;
    for (const struct attr_arg *arg = attr ? attr->args : NULL; arg; arg = arg->next) {
        if (!arg->expr || arg->expr->op != EXPR_NAME)
            continue;
        walk->dont_free |= strcmp(arg->expr->text, "dont_free") == 0;
        walk->all_nodes |= strcmp(arg->expr->text, "all_nodes") == 0;
    }
}

/* Whose memory the program's own type is made of is for its routines to say. */
static bool check_converted_allocate(struct walk *walk, const struct var *alias)
{
    const struct attr *attr = attr_find(alias->attrs, ATTR_ALLOCATE);
    if (!attr)
        attr = walk->allocate;
    if (!attr)
        return true;
    diag_error(walk->compiler, &attr->loc, 2223, "[allocate] on '%s', which has [%s]", alias->name,
               convert_attr(alias)->name);
    return false;
}

static bool enter_alias(struct walk *walk, const struct var *alias)
{
    const struct attr *class_attr = class_attr_of(alias->attrs);
    const struct attr *switch_type = attr_find(alias->attrs, ATTR_SWITCH_TYPE);
    if (attr_find(alias->attrs, ATTR_STRING))
        walk->shape->is_string = true;
    if (switch_type && !walk->shape->switch_type)
        walk->shape->switch_type = switch_type->args->type;
    add_range(walk, alias->attrs);
    note_allocate(walk, alias->attrs);
    if (alias->home && alias->home->pointer_default != POINTER_DEFAULT)
        walk->home = alias->home;
    if (!class_attr)
        return true;
    if (walk->class_attr && walk->class_attr->id != class_attr->id) {
        diag_error(walk->compiler, &walk->class_attr->loc, 2163,
                   "pointer type '%s' already has a pointer attribute, [%s]", alias->name,
                   class_attr->name);
        return false;
    }
    if (!walk->class_attr) {
        walk->class_attr = class_attr;
        walk->class_attr_is_own = false;
    }
    return true;
}

/* Once an interface: nothing says what its pointers are. */
static void note_default(struct walk *walk)
{
    struct idl_compiler *c = walk->compiler;
    struct interface *home = walk->var->home;
    if (!home || home->default_noted || home->imported || home->is_com)
        return;
    home->default_noted = true;
    bool osf = c->options.osf;
    diag_warning(c, &walk->var->loc, osf ? 2172 : 2038, osf ? 1 : 2,
                 "no [pointer_default] for interface '%s', assuming [%s] for all unattributed "
                 "pointers",
                 home->name, osf ? "ptr" : "unique");
}

static void set_class(struct walk *walk, struct level *level)
{
    bool outermost = level == &walk->shape->levels[0];
    level->dont_free = walk->dont_free;
    level->all_nodes = walk->all_nodes;
    walk->allocate = NULL;
    walk->dont_free = walk->all_nodes = false;
    if (walk->class_attr) {
        level->class = class_of_attr(walk->class_attr);
        level->class_is_explicit = true;
        walk->class_attr = NULL;
    } else if (outermost && walk->role == ROLE_PARAM) {
        level->class = POINTER_REF;
    } else if (walk->home && walk->home->pointer_default != POINTER_DEFAULT) {
        level->class = walk->home->pointer_default;
    } else {
        level->class = walk->compiler->options.osf ? POINTER_FULL : POINTER_UNIQUE;
        note_default(walk);
    }
}

static struct level *add_level(struct walk *walk)
{
    struct shape *shape = walk->shape;
    if (shape->level_count < SHAPE_LEVELS_MAX)
        return &shape->levels[shape->level_count++];
    diag_error(walk->compiler, &walk->var->loc, 2002, "more than %d levels of pointers and arrays",
               SHAPE_LEVELS_MAX);
    return NULL;
}

static bool walk_type(struct walk *walk)
{
    struct type *type = walk->var->type;
    struct shape *shape = walk->shape;
    struct level *level;
    for (;; type = type->target) {
        while (type->kind == TYPE_ALIAS) {
            if (convert_attr(type->alias)) { /* the program's: nobody looks into it */
                shape->base = type;
                return check_converted_allocate(walk, type->alias);
            }
            if (handle_context_attr(type->alias->attrs)) {
                shape->context = type->alias; /* what it points to is the server's business */
                shape->base = type;
                return true;
            }
            if (!enter_alias(walk, type->alias))
                return false;
            type = type->alias->type;
        }
        switch (type->kind) {
        case TYPE_CONST:
            if (shape->level_count == 1)
                shape->target_is_const = true;
            break;
        case TYPE_POINTER:
            level = add_level(walk);
            if (!level)
                return false;
            level->is_pointer = true;
            set_class(walk, level);
            break;
        case TYPE_ARRAY:
            level = add_level(walk);
            if (!level)
                return false;
            level->count = type->count;
            break;
        case TYPE_ERROR:
            return false;
        case TYPE_BASE:
        case TYPE_ENUM:
        case TYPE_STRUCT:
        case TYPE_UNION:
        case TYPE_PIPE:
        case TYPE_FUNCTION:
        case TYPE_ALIAS:
            shape->base = type;
            return true;
        }
    }
}

/* A pointer attribute that met no pointer: an array parameter is one in C. */
static bool leftover_class(struct walk *walk)
{
    struct shape *shape = walk->shape;
    bool is_array_param =
        walk->role == ROLE_PARAM && shape->level_count > 0 && !shape->levels[0].is_pointer;
    if (walk->allocate) {
        diag_error(walk->compiler, &walk->allocate->loc, 2158,
                   "[allocate] applies to pointers only");
        return false;
    }
    if (walk->class_attr && is_array_param) {
        shape->levels[0].class = class_of_attr(walk->class_attr);
        shape->levels[0].class_is_explicit = true;
    } else if (walk->class_attr && walk->role == ROLE_FIELD && shape->level_count > 0 &&
               !shape->levels[0].is_pointer) {
        /* `[unique, size_is(n)] T a[]` stands in published files. */
        diag_warning(walk->compiler, &walk->class_attr->loc, 2222, 2,
                     "[%s] on an embedded array means nothing and is ignored",
                     walk->class_attr->name);
        return true;
    } else if (walk->class_attr && walk->class_attr_is_own && shape->base->kind != TYPE_PIPE) {
        diag_error(walk->compiler, &walk->class_attr->loc, 2072, "[%s] applies to pointers only",
                   walk->class_attr->name);
        return false;
    } else if (is_array_param) {
        shape->levels[0].class = POINTER_REF;
    }
    return true;
}

/* ---- Strings ------------------------------------------------------------------------- */

static bool only_characters(const struct aggregate *aggregate)
{
    for (const struct var *field = aggregate->fields; field; field = field->next) {
        struct type *type = field->type ? type_strip(field->type) : NULL;
        if (!type || type->kind != TYPE_BASE ||
            (type->base != BASE_CHAR && type->base != BASE_SCHAR && type->base != BASE_BYTE &&
             type->base != BASE_WCHAR))
            return false;
    }
    return true;
}

static bool check_string(struct walk *walk)
{
    struct idl_compiler *c = walk->compiler;
    struct shape *shape = walk->shape;
    struct type *base = shape->base;
    if (!shape->is_string)
        return true;
    bool characters =
        base->kind == TYPE_BASE && (base->base == BASE_CHAR || base->base == BASE_SCHAR ||
                                    base->base == BASE_BYTE || base->base == BASE_WCHAR);
    if (base->kind == TYPE_STRUCT && shape->level_count > 0) {
        bool stringable = only_characters(base->aggregate);
        diag_error(c, &walk->var->loc, stringable ? 2191 : 2293,
                   stringable ? "[string] on structures of characters is not implemented"
                              : "stringable structure fields must be byte, char or wchar_t");
        return false;
    }
    if (!characters || shape->level_count == 0) {
        diag_error(c, &walk->var->loc, 2082,
                   "[string] needs an array of or a pointer to byte, char or wchar_t");
        return false;
    }
    return true;
}

/* ---- Ranges --------------------------------------------------------------------------- */

static bool range_bound(struct idl_compiler *c, const struct attr_arg *arg, int64_t *ret_value)
{
    struct value value = expr_evaluate(c, arg->expr, 2035);
    if (value.kind == VALUE_INVALID)
        return false;
    if (value.kind != VALUE_INT || (value.is_unsigned && value.number < 0)) {
        diag_error(c, &arg->loc, 2175, "illegal constant in [range]");
        return false;
    }
    *ret_value = value.number;
    return true;
}

/* Does the level have a max count that travels? */
static bool is_counted(const struct shape *shape, unsigned i)
{
    const struct level *level = &shape->levels[i];
    bool fixed = !level->is_pointer && level->count > 0;
    return level->size || (shape->is_string && i + 1 == shape->level_count && !fixed);
}

/* Gives the counts from level `first` on their limits, unless a use has narrowed them.
 * False: there are none, the range is one of values. */
static bool limit_counts(struct walk *walk, unsigned first, const struct node_range *range)
{
    struct shape *shape = walk->shape;
    bool found = false;
    for (unsigned i = first; i < shape->level_count; i++) {
        if (!is_counted(shape, i))
            continue;
        found = true;
        if (shape->levels[i].count_range)
            continue;
        struct node_range *own = ARENA_NEW(&walk->compiler->arena, struct node_range);
        *own = *range;
        shape->levels[i].count_range = own;
    }
    return found;
}

static bool range_of_attr(struct idl_compiler *c, const struct attr *attr,
                          struct node_range *range)
{
    const struct attr_arg *low = attr->args, *high = low->next;
    if (!low->expr || !high || !high->expr || high->next) {
        diag_error(c, &attr->loc, 2025, "syntax error: [range] takes two values");
        return false;
    }
    if (!range_bound(c, low, &range->low) || !range_bound(c, high, &range->high))
        return false;
    if (range->low <= range->high)
        return true;
    diag_error(c, &attr->loc, 2371, "the bounds of [range] are reversed");
    return false;
}

static bool is_ranged(struct idl_compiler *c, const struct attr *attr, const struct type *base)
{
    if (base->kind == TYPE_ENUM || (base->kind == TYPE_BASE && base_info(base->base)->integral &&
                                    !base_info(base->base)->wide))
        return true;
    diag_error(c, &attr->loc, 2072, "[range] applies to integers of at most 32 bits");
    return false;
}

bool shape_value_range(struct idl_compiler *c, const struct attr *attr, const struct type *base,
                       struct node_range *ret_range)
{
    return range_of_attr(c, attr, ret_range) && is_ranged(c, attr, base);
}

/* range = 'range' '(' expr ',' expr ')': every conformance count below where it stands, and if
 * there is none the value of integers and enumerations, or the elements in a chunk of a
 * pipe.  The use goes before the typedef. */
static bool check_ranges(struct walk *walk)
{
    struct idl_compiler *c = walk->compiler;
    const struct shape *shape = walk->shape;
    const struct type *base = shape->base;
    walk->var->range = NULL;
    for (unsigned i = 0; i < walk->range_count; i++) {
        const struct attr *attr = walk->ranges[i].attr;
        struct node_range *range = ARENA_NEW(&c->arena, struct node_range);
        if (!range_of_attr(c, attr, range))
            return false;
        if (limit_counts(walk, walk->ranges[i].level, range) || walk->var->range)
            continue;
        if (base->kind != TYPE_PIPE && shape->is_string) {
            diag_error(c, &attr->loc, 2072, "[range] applies to integers of at most 32 bits");
            return false;
        }
        if (base->kind != TYPE_PIPE && !is_ranged(c, attr, base))
            return false;
        walk->var->range = range;
    }
    return true;
}

/* ---- Arrays that a pointer stands for ------------------------------------------------------- */

/* [out, ptr, size_is(n)] T *v, where T is a pointer (ept_map of [MS-RPCE]): an [out] only array
 * cannot be NULL, so the attribute is that of the elements, as it is with T v[]. */
static void settle_out_array(const struct walk *walk)
{
    struct level *top = &walk->shape->levels[0], *element = top + 1;
    const struct var *var = walk->var;
    if (walk->role != ROLE_PARAM || var->is_in || !var->is_out || !class_attr_of(var->attrs) ||
        walk->shape->level_count < 2 || !top->is_pointer || !top->size ||
        top->class == POINTER_REF || !element->is_pointer ||
        (element->class_is_explicit && element->class != top->class))
        return;
    element->class = top->class;
    element->class_is_explicit = true;
    top->class = POINTER_REF;
    top->class_is_explicit = false;
}

/* ---- All together ------------------------------------------------------------------------ */

bool shape_resolve(struct idl_compiler *compiler, struct var *var, enum role role,
                   struct shape *ret_shape)
{
    struct shape shape = {.level_count = 0};
    struct walk walk = {.compiler = compiler, .var = var, .role = role, .shape = &shape};
    walk.class_attr = class_attr_of(var->attrs);
    walk.class_attr_is_own = true;
    walk.home = var->home;
    add_range(&walk, var->attrs);
    note_allocate(&walk, var->attrs);
    shape.is_string = attr_find(var->attrs, ATTR_STRING) != NULL;
    shape.is_ignored = attr_find(var->attrs, ATTR_IGNORE) != NULL;
    shape.switch_is = attr_find(var->attrs, ATTR_SWITCH_IS);
    const struct attr *switch_type = attr_find(var->attrs, ATTR_SWITCH_TYPE);
    if (switch_type)
        shape.switch_type = switch_type->args->type;
    if (!check_one_class(&walk, var->attrs) || !walk_type(&walk) || !leftover_class(&walk) ||
        !shape_place_sizes(compiler, var, role, &shape) ||
        !shape_check_base(compiler, var, role, &shape) || !check_string(&walk) ||
        !check_ranges(&walk))
        return false;
    settle_out_array(&walk);
    osf_check_shape(compiler, var, &shape);
    *ret_shape = shape;
    return true;
}
