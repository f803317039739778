/* SPDX-License-Identifier: MIT */
/* layout_expr.c - size expressions: names become loads from the frame or structure.
 *
 * A name is first a parameter or field beside the sized one, then a constant. */
#include "idl/characters.h"
#include "idl/convert.h"
#include "idl/expr.h"
#include "idl/layout.h"
#include "idl/parse.h"
#include "idl/types.h"

#include <string.h>

struct scope {
    struct idl_compiler *compiler;
    const struct var *var; /* what is being sized */
    const char *base;      /* C name of the frame or structure */
    enum expr_use use;
};

static struct var *sibling_of(const struct var *var, const char *name)
{
    if (var->aggregate && var->aggregate->is_union)
        return NULL; /* beside an arm there is nothing */
    if (var->aggregate)
        return names_find(&var->aggregate->field_names, name, strlen(name));
    for (struct var *param = var->proc->params; param; param = param->next) {
        if (param->name && strcmp(param->name, name) == 0)
            return param;
    }
    return NULL;
}

static struct var *find_sibling(const struct scope *scope, const char *name)
{
    return sibling_of(scope->var, name);
}

struct node_expr *layout_constant(struct idl_compiler *c, int64_t value)
{
    struct node_expr *node = ARENA_NEW(&c->arena, struct node_expr);
    node->op = "CONST";
    node->value = value;
    return node;
}

struct node_expr *layout_load(struct idl_compiler *c, const struct var *var,
                              const struct var *sibling)
{
    struct node_expr *node = ARENA_NEW(&c->arena, struct node_expr);
    node->op = "LOAD";
    node->kind = base_info(type_strip(sibling->type)->base)->expr_kind;
    node->base = var->aggregate ? var->aggregate->c_name : var->proc->frame;
    node->member = sibling->name;
    return node;
}

struct node_expr *layout_binary(struct idl_compiler *c, const char *op, struct node_expr *a,
                                struct node_expr *b)
{
    struct node_expr *node = ARENA_NEW(&c->arena, struct node_expr);
    node->op = op;
    node->operands[0] = a;
    node->operands[1] = b;
    return node;
}

struct type *layout_expr_type(const struct expr *expr, const struct var *var)
{
    bool deref = expr->op == EXPR_DEREF;
    const struct expr *name = deref ? expr->a : expr;
    bool truth = expr->op == EXPR_NOT || (expr->op >= EXPR_LT && expr->op <= EXPR_OR);
    if (name->op != EXPR_NAME) {
        const struct expr *first = expr->op == EXPR_COND ? expr->c : expr->a;
        struct type *found = first && !truth ? layout_expr_type(first, var) : NULL;
        return !found && expr->b && !truth ? layout_expr_type(expr->b, var) : found;
    }
    struct var *sibling = sibling_of(var, name->text);
    struct type *type = sibling ? type_strip(sibling->type) : NULL;
    if (!type || !deref)
        return type;
    return type->kind == TYPE_POINTER ? type_strip(type->target) : NULL;
}

/* The kind to load a scalar of `type` with; NULL: it is none, reported. */
static const char *scalar_kind(const struct scope *scope, struct type *type, const struct loc *loc)
{
    struct idl_compiler *c = scope->compiler;
    type = type_strip(type);
    if (type->kind == TYPE_ENUM)
        return type->enumeration->is_v1 ? "ENUM32" : "ENUM16";
    if (type->kind == TYPE_BASE && base_info(type->base)->integral) {
        if (!base_info(type->base)->wide)
            return base_info(type->base)->expr_kind;
        diag_error(c, loc, 2059, "no 64-bit values in attribute expressions");
    } else if (type->kind != TYPE_ERROR) {
        bool is_switch = scope->use == USE_SWITCH;
        diag_error(c, loc, is_switch ? 2174 : 2059, "attribute expression must be of %s",
                   is_switch ? "type integer, char, boolean or enum" : "integral type");
    }
    return NULL;
}

/* The size of top-level data must be known to the side that sends it first. */
static bool direction_ok(const struct scope *scope, const struct var *sibling,
                         const struct expr *expr)
{
    bool out_only = sibling->is_out && !sibling->is_in;
    if (!scope->var->proc || !out_only)
        return true;
    /* [out, size_is(,*n)] T **pp, [out] n: both come back together. */
    bool strict = scope->compiler->options.osf && scope->use == USE_SIZE;
    if (!scope->var->is_in && scope->use != USE_TOP_SIZE && !strict)
        return true;
    diag_error(scope->compiler, &expr->loc, scope->use == USE_LENGTH ? 2124 : 2123,
               "%s must not derive from the [out]-only parameter '%s'",
               scope->use == USE_LENGTH   ? "a length"
               : scope->use == USE_SWITCH ? "a discriminant"
                                          : "a size",
               sibling->name);
    return false;
}

static struct node_expr *member(const struct scope *scope, const char *op, const char *kind,
                                const struct var *sibling)
{
    struct node_expr *node = ARENA_NEW(&scope->compiler->arena, struct node_expr);
    node->op = op;
    node->kind = kind;
    node->base = scope->base;
    node->member = sibling->name;
    return node;
}

/* Only an attribute on a parameter, or on its type, makes it other than [ref]. */
static bool may_be_null(const struct var *sibling)
{
    struct attr *attrs = sibling->attrs;
    const struct type *type = sibling->type;
    for (;;) {
        if (attr_find(attrs, ATTR_UNIQUE) || attr_find(attrs, ATTR_PTR))
            return true;
        if (attr_find(attrs, ATTR_REF))
            return false;
        while (type->kind == TYPE_CONST)
            type = type->target;
        if (type->kind != TYPE_ALIAS)
            return sibling->aggregate != NULL;
        attrs = type->alias->attrs;
        type = type->alias->type;
    }
}

/* `name` or, with `deref`, `*name`.  `as_condition`: a bare pointer is a truth value. */
static struct node_expr *load(const struct scope *scope, const struct expr *expr, bool deref,
                              bool as_condition)
{
    struct idl_compiler *c = scope->compiler;
    struct var *sibling = find_sibling(scope, expr->text);
    if (!sibling) {
        diag_error(c, &expr->loc, 2058, "attribute expression cannot be resolved: no '%s' here",
                   expr->text);
        return NULL;
    }
    struct type *type = type_strip(sibling->type);
    bool is_pointer = type->kind == TYPE_POINTER;
    if (attr_find(sibling->attrs, ATTR_IGNORE)) {
        diag_error(c, &expr->loc, 2229, "'%s' is an [ignore] pointer and has no value here",
                   expr->text);
        return NULL;
    }
    if (type->kind == TYPE_ERROR || !direction_ok(scope, sibling, expr))
        return NULL;
    /* DCE has that rule for each of the attributes that convert. */
    if (convert_alias(sibling->type) || (is_pointer && convert_alias(type->target)) ||
        characters_alias(sibling->type)) {
        diag_error(c, &expr->loc, scope->use == USE_SWITCH ? 2174 : 2059,
                   "attribute expression must be of %s: '%s' has a type the program converts",
                   scope->use == USE_SWITCH ? "type integer, char, boolean or enum"
                                            : "integral type",
                   expr->text);
        return NULL;
    }
    if (deref && !is_pointer) {
        diag_error(c, &expr->loc, 2030, "non-pointer '%s' used in a dereference operation",
                   expr->text);
        return NULL;
    }
    if (is_pointer && !deref) {
        if (as_condition)
            return member(scope, "NONNULL", NULL, sibling);
        diag_error(c, &expr->loc, 2059,
                   "attribute expression must be of integral type: '%s' is a "
                   "pointer",
                   expr->text);
        return NULL;
    }
    if (deref && may_be_null(sibling))
        diag_warning(c, &expr->loc, 2195, 2,
                     "attribute expression derives from a dereference of '%s', which is a "
                     "[unique] or [ptr] pointer and may be NULL",
                     expr->text);
    const char *kind = scalar_kind(scope, deref ? type->target : type, &expr->loc);
    return kind ? member(scope, deref ? "DEREF" : "LOAD", kind, sibling) : NULL;
}

static const char *const op_names[] = {
    [EXPR_NEG] = "NEG",       [EXPR_NOT] = "NOT",       [EXPR_BITNOT] = "BITNOT",
    [EXPR_ADD] = "ADD",       [EXPR_SUB] = "SUB",       [EXPR_MUL] = "MUL",
    [EXPR_DIV] = "DIV",       [EXPR_MOD] = "MOD",       [EXPR_SHL] = "SHL",
    [EXPR_SHR] = "SHR",       [EXPR_BITAND] = "BITAND", [EXPR_BITOR] = "BITOR",
    [EXPR_BITXOR] = "BITXOR", [EXPR_LT] = "LT",         [EXPR_LE] = "LE",
    [EXPR_GT] = "GT",         [EXPR_GE] = "GE",         [EXPR_EQ] = "EQ",
    [EXPR_NE] = "NE",         [EXPR_AND] = "AND",       [EXPR_OR] = "OR",
    [EXPR_COND] = "COND",
};

/* Does a sibling hide a constant of that name somewhere in `expr`? */
static bool mentions_sibling(const struct scope *scope, const struct expr *expr)
{
    if (!expr)
        return false;
    if (expr->op == EXPR_NAME)
        return find_sibling(scope, expr->text) != NULL;
    return mentions_sibling(scope, expr->a) || mentions_sibling(scope, expr->b) ||
           mentions_sibling(scope, expr->c);
}

static struct node_expr *lower(const struct scope *scope, const struct expr *expr,
                               bool as_condition)
{
    struct idl_compiler *c = scope->compiler;
    /* Folding at the leaves only: the tree may be deep, and the engine folds nothing. */
    if (expr->op == EXPR_NAME && find_sibling(scope, expr->text))
        return load(scope, expr, false, as_condition);
    if (!expr->a) {
        if (expr->op == EXPR_NAME && !expr_is_constant(c, expr))
            return load(scope, expr, false, as_condition);
        struct value value = expr_evaluate(c, expr, 2058);
        if (value.kind == VALUE_INT)
            return layout_constant(c, value.number);
        if (value.kind != VALUE_INVALID)
            diag_error(c, &expr->loc, 2059, "attribute expression must be of integral type");
        return NULL;
    }
    if (expr->op == EXPR_PLUS)
        return lower(scope, expr->a, false);
    if (expr->op == EXPR_DEREF) {
        if (expr->a->op == EXPR_NAME)
            return load(scope, expr->a, true, false);
        diag_error(c, &expr->loc, 2030, "only a name can be dereferenced");
        return NULL;
    }
    bool conditions = expr->op == EXPR_NOT || expr->op == EXPR_AND || expr->op == EXPR_OR;
    struct node_expr *node = ARENA_NEW(&c->arena, struct node_expr);
    node->op = op_names[expr->op];
    const struct expr *operands[] = {expr->a, expr->b, expr->c};
    for (unsigned i = 0; i < 3 && operands[i]; i++) {
        node->operands[i] =
            lower(scope, operands[i], conditions || (expr->op == EXPR_COND && i == 0));
        if (!node->operands[i])
            return NULL;
    }
    return node;
}

struct node_expr *layout_expr(struct idl_compiler *c, const struct expr *expr,
                              const struct var *var, enum expr_use use)
{
    struct scope scope = {.compiler = c, .var = var, .use = use};
    scope.base = var->aggregate ? var->aggregate->c_name : var->proc->frame;
    if (mentions_sibling(&scope, expr) || !expr_is_constant(c, expr))
        return lower(&scope, expr, false);
    struct value value = expr_evaluate(c, expr, 2058);
    if (value.kind == VALUE_INVALID)
        return NULL;
    bool is_count = use != USE_SWITCH;
    if (value.kind != VALUE_INT || (is_count && (value.number < 0 || value.number > UINT32_MAX))) {
        diag_error(c, &expr->loc, 2059, "attribute expression must be a count of at most 32 bits");
        return NULL;
    }
    return layout_constant(c, value.number);
}
