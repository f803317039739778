/* SPDX-License-Identifier: MIT */
/* parse_decl.c - interfaces, typedefs, constants and operations. */
#include "idl/expr.h"
#include "idl/parse.h"
#include "idl/types.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static struct decl *add_decl(struct parser *parser, enum decl_kind kind, const char *source,
                             struct decl ***end)
{
    struct decl *decl = ARENA_NEW(&parser->compiler->arena, struct decl);
    decl->kind = kind;
    decl->loc = parser->token.loc;
    decl->source = source;
    decl->source_end = parser->last_end;
    **end = decl;
    *end = &decl->next;
    return decl;
}

static struct var *new_var(struct parser *parser, struct attr *attrs, const char *source)
{
    struct var *var = ARENA_NEW(&parser->compiler->arena, struct var);
    var->attrs = attrs;
    var->home = parser->interface;
    var->imported = parser->unit->imported;
    var->loc = parser->token.loc;
    var->source = source;
    return var;
}

/* ---- typedef -------------------------------------------------------------------- */

/* `typedef struct {...} NAME`: descriptors and sizeof speak of NAME from now on. */
static void name_for_c(struct type *base, const struct var *var)
{
    struct type *type = type_unqualified(base);
    if (var->type != base || type != base || !type->defines)
        return;
    if (type->kind == TYPE_STRUCT || type->kind == TYPE_UNION)
        type->aggregate->c_name = var->name;
    if (type->kind == TYPE_ENUM)
        type->enumeration->c_name = var->name;
}

static void check_depth(struct parser *parser, struct var *var)
{
    const struct type *type = var->type;
    while (type->kind != TYPE_ALIAS && type->target)
        type = type->target;
    var->depth = type->kind == TYPE_ALIAS ? type->alias->depth + 1 : 1;
    if (var->depth <= IDL_TYPEDEF_DEPTH_MAX)
        return;
    diag_error(parser->compiler, &var->loc, 2002, "too many typedefs of typedefs");
    var->type = ARENA_NEW(&parser->compiler->arena, struct type);
    var->type->loc = var->loc;
    var->depth = 1;
}

/* The name is taken, by the same type: files that are imported together often define
 * the usual names each for itself.  The first definition stays. */
static bool repeats_typedef(struct parser *parser, struct var *var)
{
    struct idl_compiler *c = parser->compiler;
    const struct symbol *known = names_find(&c->names, var->name, strlen(var->name));
    if (!known)
        return false;
    if (known->kind == SYMBOL_INTERFACE) { /* typedef interface IThing IThing; */
        struct type *type = type_strip(var->type);
        return type->kind == TYPE_STRUCT && type->aggregate == known->interface->as_type;
    }
    if (known->kind != SYMBOL_TYPEDEF || !type_same_in_c(known->var->type, var->type))
        return false;
    if (!type_same(known->var->type, var->type))
        diag_warning(c, &var->loc, 2003, 1,
                     "redefinition of '%s' with another representation is ignored, first "
                     "defined at %s:%u",
                     var->name, known->loc.path, known->loc.line);
    return true;
}

/* typedef = 'typedef' [attrs] type [attrs] declarator { ',' declarator } */
static bool typedef_decl(struct parser *parser, struct attr *attrs, const char *source,
                         struct decl ***end)
{
    struct idl_compiler *c = parser->compiler;
    struct loc loc = parser->token.loc;
    parse_advance(parser);
    attrs = attr_append(attrs, parse_attributes(parser));
    struct type *base = parse_type(parser, false);
    if (!base)
        return false;
    if (parse_at(parser, '['))
        attrs = attr_append(attrs, parse_attributes(parser));
    parse_check_attributes(parser, attrs, PLACE_TYPE);
    parse_union_attributes(parser, base, attrs);
    struct type *enumeration = type_unqualified(base);
    const struct attr *v1 = attr_find(attrs, ATTR_V1_ENUM);
    if (v1 && enumeration->kind == TYPE_ENUM && enumeration->defines)
        enumeration->enumeration->is_v1 = true;
    else if (v1 && enumeration->kind != TYPE_ERROR)
        diag_error(c, &v1->loc, 2072, "[v1_enum] stands before the body of an enum");

    struct var *vars = NULL, **vars_end = &vars;
    bool first = true;
    do {
        struct var *var = new_var(parser, attrs, source);
        if (!parse_declarator(parser, base, var, false))
            return false;
        check_depth(parser, var);
        struct symbol symbol = {.kind = SYMBOL_TYPEDEF, .loc = var->loc, .var = var};
        struct type *type = var->type;
        if (base->kind == TYPE_PIPE && type == base) {
            /* Each name is a pipe type of its own. */
            var->type = ARENA_NEW(&c->arena, struct type);
            *var->type = *base;
            var->type->pipe_name = var->name;
        } else if (type_unqualified(base)->kind == TYPE_PIPE) {
            if (type->kind == TYPE_ARRAY)
                diag_error(c, &var->loc, 2321, "pipes cannot be array elements");
            else
                diag_later(c, &var->loc, "a typedef of a pointer to a pipe");
            type->kind = TYPE_ERROR;
        }
        if (first)
            name_for_c(base, var);
        first = false;
        if (repeats_typedef(parser, var))
            continue;
        if (declare(parser, var->name, &symbol)) {
            *vars_end = var;
            vars_end = &var->next;
        }
    } while (parse_accept(parser, ','));
    if (!parse_expect(parser, ';'))
        return false;
    struct decl *decl = add_decl(parser, DECL_TYPEDEF, source, end);
    decl->loc = loc;
    decl->type = base;
    decl->vars = vars;
    return true;
}

/* ---- const ----------------------------------------------------------------------- */

static void truncate_to(struct value *value, const struct base_info *info)
{
    if (info->size >= 8 || info->size == 0)
        return;
    uint64_t mask = ((uint64_t)1 << (8 * info->size)) - 1;
    uint64_t bits = (uint64_t)value->number & mask;
    if (info->low < 0 && bits > mask / 2)
        bits |= ~mask;
    value->number = (int64_t)bits;
    value->is_unsigned = info->low == 0;
}

static bool const_value_fits(struct parser *parser, struct var *var)
{
    struct idl_compiler *c = parser->compiler;
    struct type *type = type_strip(var->type);
    struct value *value = &var->value;
    if (value->kind == VALUE_INVALID || type->kind == TYPE_ERROR)
        return false;
    if (type->kind == TYPE_POINTER) {
        struct type *target = type_strip(type->target);
        bool wide = type_is_base(target, BASE_WCHAR);
        bool narrow = type_is_base(target, BASE_CHAR) || type_is_base(target, BASE_SCHAR) ||
                      type_is_base(target, BASE_BYTE);
        bool nothing = type_is_base(target, BASE_VOID);
        if ((value->kind == VALUE_STRING && (value->is_wide ? wide : narrow)) ||
            (value->kind == VALUE_NULL && (wide || narrow || nothing)))
            return true;
    } else if (type->kind == TYPE_BASE && base_info(type->base)->integral) {
        if (value->kind == VALUE_INT) {
            if (!expr_check_range(c, &var->init->loc, value, type->base))
                return false;
            truncate_to(value, base_info(type->base));
            return true;
        }
    } else if (type->kind == TYPE_ENUM && value->kind == VALUE_INT) {
        return expr_check_range(c, &var->init->loc, value, BASE_LONG);
    } else {
        diag_error(c, &var->loc, 2202, "a constant must be an integer, a character or a string");
        return false;
    }
    diag_error(c, &var->init->loc, 2154, "mismatch in assignment type");
    return false;
}

/* const = 'const' type declarator '=' expr; on the '='. */
static bool const_decl(struct parser *parser, struct var *var, const char *source,
                       struct decl ***end)
{
    struct idl_compiler *c = parser->compiler;
    parse_advance(parser);
    if (parse_at(parser, '{')) {
        diag_error(c, &parser->token.loc, 2149, "compound initializers are not supported");
        return false;
    }
    var->init = parse_expr(parser);
    if (!var->init || !parse_expect(parser, ';'))
        return false;
    var->value = expr_evaluate(c, var->init, 2173);
    if (!const_value_fits(parser, var))
        var->value.kind = VALUE_INVALID;
    struct symbol symbol = {.kind = SYMBOL_CONST, .loc = var->loc, .var = var};
    if (!declare(parser, var->name, &symbol))
        return true;
    struct decl *decl = add_decl(parser, DECL_CONST, source, end);
    decl->vars = var;
    return true;
}

/* ---- Operations ------------------------------------------------------------------- */

static void declare_params(struct parser *parser, struct proc *proc)
{
    struct idl_compiler *c = parser->compiler;
    struct name_map seen = {0};
    for (struct var *param = proc->params; param; param = param->next) {
        param->proc = proc;
        proc->param_count++;
        if (!param->name)
            continue;
        if (names_find(&seen, param->name, strlen(param->name)))
            diag_error(c, &param->loc, 2003, "redefinition of parameter '%s'", param->name);
        names_set(&seen, &c->arena, param->name, strlen(param->name), param);
        check_name(parser, param->name, &param->loc);
    }
}

/* Files with several interfaces fill gaps in the numbers of both with dummies of one name,
 * Opnum6NotUsedOnWire.  Nobody calls them: in C the second has its interface's name, too. */
static void avoid_other_interfaces(struct parser *parser, struct proc *proc)
{
    struct idl_compiler *c = parser->compiler;
    const struct symbol *known = names_find(&c->names, proc->name, strlen(proc->name));
    if (!known || known->kind != SYMBOL_PROC || known->interface == proc->home ||
        strncmp(proc->name, "Opnum", 5) != 0)
        return;
    proc->name = arena_printf(&c->arena, "%s_%s", proc->home->name, proc->name);
    proc->name = intern(c, proc->name, strlen(proc->name));
    diag_warning(c, &proc->loc, 2003, 1,
                 "redefinition of an operation of another interface: this one is '%s' in C",
                 proc->name);
}

/* The end of proc = [attrs] type declarator '(' params ')' ';', on the ';'. */
static bool proc_decl(struct parser *parser, struct var *var, const char *source,
                      struct decl ***end)
{
    struct idl_compiler *c = parser->compiler;
    struct interface *interface = parser->interface;
    parse_accept_keyword(parser, KW_CONST);
    if (!parse_expect(parser, ';'))
        return false;
    if (parser->unit->imported || (interface && interface->is_com))
        return true; /* of an imported file, and of COM, only the types count */
    parse_check_attributes(parser, var->attrs, PLACE_OPERATION);
    if (!interface) {
        diag_error(c, &var->loc, 2262, "an operation must stand in an interface");
        return true;
    }
    struct proc *proc = ARENA_NEW(&c->arena, struct proc);
    proc->name = var->name;
    proc->loc = var->loc;
    proc->result = var->type->target;
    proc->params = var->type->params;
    proc->variadic = var->type->variadic;
    proc->attrs = var->attrs;
    proc->home = interface;
    proc->idempotent = attr_find(var->attrs, ATTR_IDEMPOTENT);
    proc->is_async = attr_find(var->attrs, ATTR_ASYNC);
    proc->explicit_handle = attr_find(var->attrs, ATTR_EXPLICIT_HANDLE);
    proc->is_nocode = attr_find(var->attrs, ATTR_NOCODE);
    proc->is_maybe = attr_find(var->attrs, ATTR_MAYBE);
    proc->is_local = interface->is_local || attr_find(var->attrs, ATTR_LOCAL);
    proc->is_callback = !proc->is_local && attr_find(var->attrs, ATTR_CALLBACK);
    declare_params(parser, proc);
    avoid_other_interfaces(parser, proc);
    struct symbol symbol = {.kind = SYMBOL_PROC, .loc = proc->loc, .interface = interface};
    if (!declare(parser, proc->name, &symbol))
        return true;
    if (!proc->is_local && !proc->is_callback) {
        proc->opnum = interface->proc_count++;
        if (proc->opnum > 0xffff) { /* 16 bits on the wire */
            diag_error(c, &proc->loc, 2002, "an interface has at most 65536 operations");
            return true;
        }
        *interface->procs_end = proc;
        interface->procs_end = &proc->next;
    }
    names_set(&interface->proc_names, &c->arena, proc->name, strlen(proc->name), proc);
    struct decl *decl = add_decl(parser, DECL_PROC, source, end);
    decl->proc = proc;
    proc->source = source;
    proc->source_end = parser->last_end;
    return true;
}

/* ---- What may stand in an interface or a file ----------------------------------------- */

/* declaration = type ';' | [ 'const' ] type declarator ( '=' expr | '(' params ')' ) ';' */
static bool type_or_name(struct parser *parser, struct attr *attrs, const char *source,
                         struct decl ***end)
{
    struct idl_compiler *c = parser->compiler;
    struct loc loc = parser->token.loc;
    bool said_const = parse_at_keyword(parser, KW_CONST);
    struct type *base = parse_type(parser, false);
    if (!base)
        return false;
    struct type *type = type_unqualified(base);
    if (parse_at(parser, ';')) {
        parse_check_attributes(parser, attrs, PLACE_TYPE);
        parse_union_attributes(parser, base, attrs);
        if (type->kind == TYPE_ENUM && type->defines && attr_find(attrs, ATTR_V1_ENUM))
            type->enumeration->is_v1 = true;
        parse_advance(parser);
        if (type->kind == TYPE_STRUCT || type->kind == TYPE_UNION || (type->kind == TYPE_ENUM && type->defines)) {
            struct decl *decl = add_decl(parser, DECL_TYPE, source, end);
            decl->type = base;
            decl->loc = loc;
        } else if (type->kind != TYPE_ERROR) {
            diag_error(c, &loc, 2025, "syntax error: this declares nothing");
        }
        return true;
    }
    struct var *var = new_var(parser, attrs, source);
    if (!parse_declarator(parser, base, var, false))
        return false;
    if (var->type->kind == TYPE_FUNCTION) {
        if (type->defines)
            diag_error(c, &type->loc, 2157,
                       "struct/union/enum must not be defined in a parameter or result type");
        return proc_decl(parser, var, source, end);
    }
    if (parse_at(parser, '=') && said_const)
        return const_decl(parser, var, source, end);
    if (parse_at(parser, '=') || !said_const)
        diag_error(c, &var->loc, 2156, "declaration must have 'const'");
    else
        diag_error(c, &var->loc, 2155,
                   "declaration must be of the form: const <type> <name> = <expression>");
    return false;
}

/* cpp_quote = 'cpp_quote' '(' STRING ')' [ ';' ] */
static bool cpp_quote(struct parser *parser, const char *source, struct decl ***end)
{
    parse_advance(parser);
    if (!parse_expect(parser, '('))
        return false;
    const char *text = parser->token.text;
    if (!parse_expect(parser, TOK_STRING) || !parse_expect(parser, ')'))
        return false;
    add_decl(parser, DECL_CPP_QUOTE, source, end)->text = text;
    parse_accept(parser, ';');
    return true;
}

/* import = 'import' STRING { ',' STRING } ';' */
static bool import(struct parser *parser, const char *source, struct decl ***end)
{
    struct idl_compiler *c = parser->compiler;
    parse_advance(parser);
    do {
        struct loc loc = parser->token.loc;
        const char *name = parser->token.text;
        if (!parse_expect(parser, TOK_STRING))
            return false;
        add_decl(parser, DECL_IMPORT, source, end)->text = name;
        struct idl_source imported;
        if (parser->import_depth >= IDL_IMPORT_DEPTH_MAX) {
            diag_error(c, &loc, 2002, "imports are nested too deeply");
        } else if (!c->host.open_import ||
                   !c->host.open_import(c->host.ctx, name, parser->unit->path, &imported)) {
            diag_error(c, &loc, 1001, "cannot open input file '%s'", name);
        } else if (names_find(&c->imported, imported.path, strlen(imported.path))) {
            diag_warning(c, &loc, 2007, 4, "import ignored; file '%s' already imported", name);
        } else {
            parse_idl(c, &imported, parser);
        }
    } while (parse_accept(parser, ','));
    return parse_expect(parser, ';');
}

/* midl_pragma = 'midl_pragma' 'warning' '(' ID ':' { NUMBER [','] } ')' */
static bool midl_pragma(struct parser *parser)
{
    struct idl_compiler *c = parser->compiler;
    parse_advance(parser);
    if (!parse_expect(parser, TOK_IDENT) || !parse_expect(parser, '('))
        return false;
    const char *what = parse_at(parser, TOK_IDENT) ? parser->token.text : "";
    bool disable = strcmp(what, "disable") == 0;
    if (!disable && strcmp(what, "enable") != 0 && strcmp(what, "default") != 0) {
        diag_error(c, &parser->token.loc, 2385, "expected enable, disable or default");
        return false;
    }
    parse_advance(parser);
    if (!parse_expect(parser, ':'))
        return false;
    static char muted[] = "y", heard[] = "n";
    while (parse_at(parser, TOK_NUMBER)) {
        unsigned *key = ARENA_NEW(&c->arena, unsigned);
        *key = (unsigned)parser->token.value;
        names_set(&c->muted, &c->arena, (const char *)key, sizeof(*key), disable ? muted : heard);
        parse_advance(parser);
        parse_accept(parser, ',');
    }
    bool ok = parse_expect(parser, ')');
    parse_accept(parser, ';');
    return ok;
}

/* #pragma: midl_echo goes to the header as text, others as they are. */
static void pragma(struct parser *parser, struct decl ***end)
{
    struct idl_compiler *c = parser->compiler;
    const char *text = parser->token.text;
    struct loc loc = parser->token.loc;
    const char *source = loc.at;
    if (strncmp(text, "pack", 4) == 0 && !isalnum((unsigned char)text[4])) {
        text = parse_pack(parser, text, &loc);
        if (text)
            add_decl(parser, DECL_PRAGMA, source, end)->text = text;
    } else if (strncmp(text, "midl_echo", 9) == 0) {
        const char *start = strchr(text, '"');
        const char *stop = strrchr(text, '"');
        if (!start || stop == start)
            diag_error(c, &loc, 2025, "syntax error: expected midl_echo(\"text\")");
        else
            add_decl(parser, DECL_CPP_QUOTE, source, end)->text =
                arena_strndup(&c->arena, start + 1, (size_t)(stop - start - 1));
    } else {
        add_decl(parser, DECL_PRAGMA, source, end)->text = text;
    }
    parse_advance(parser);
}

static bool declaration(struct parser *parser, struct decl ***end)
{
    struct idl_compiler *c = parser->compiler;
    const char *source = parser->token.loc.at;
    struct loc loc = parser->token.loc;
    switch (parser->token.keyword) {
    case KW_CPP_QUOTE:
        return cpp_quote(parser, source, end);
    case KW_IMPORT:
        return import(parser, source, end);
    case KW_MIDL_PRAGMA:
        return midl_pragma(parser);
    case KW_EXTERN:
    case KW_STATIC:
        diag_later(c, &loc, "a declaration with 'extern' or 'static'");
        return false;
    case KW_IMPORTLIB:
        if (parser->in_library) { /* a type library, of which we can read nothing */
            com_skip_statement(parser);
            return true;
        }
        diag_error(c, &loc, 2347, "importlib is not allowed outside of a library block");
        return false;
    case KW_INCLUDE:
        diag_later(c, &loc, "'include' in an IDL file (use import or cpp_quote)");
        return false;
    default:
        break;
    }
    if (parser->interface && parser->interface->is_com && com_at_method(parser)) {
        com_skip_statement(parser);
        return true;
    }
    struct attr *attrs = parse_attributes(parser);
    if (parse_at(parser, TOK_IDENT) && com_is_winrt(parser->token.text)) {
        com_refuse_winrt(parser);
        return true;
    }
    if (parse_at_keyword(parser, KW_INTERFACE)) {
        parse_interface(parser, attrs, source, end);
        return true;
    }
    switch (parser->token.keyword) {
    case KW_TYPEDEF:
        return typedef_decl(parser, attrs, source, end);
    case KW_LIBRARY:
    case KW_COCLASS:
    case KW_DISPINTERFACE:
    case KW_MODULE:
        return com_block(parser, end);
    default:
        return type_or_name(parser, attrs, source, end);
    }
}

/* One declaration, or as much of the text as one error spoils. */
void parse_declaration(struct parser *parser, struct decl ***end)
{
    if (parse_at(parser, TOK_PRAGMA)) {
        pragma(parser, end);
        return;
    }
    if (parse_accept(parser, ';'))
        return;
    if (!declaration(parser, end))
        parse_recover(parser);
}
