/* SPDX-License-Identifier: MIT */
/* acf.c - the attribute configuration file: adds attributes to what the IDL declared. */
#include "idl/parse.h"
#include "idl/pickle.h"
#include "idl/types.h"

#include <string.h>

/* What the ACF says about an entity joins what the IDL says; one list may be for several. */
static void merge(struct idl_compiler *c, struct attr **list, const struct attr *added)
{
    struct attr *copies = NULL, **end = &copies;
    for (; added; added = added->next) {
        if (attr_find(*list, added->id))
            diag_warning(c, &added->loc, 2209, 1, "redundantly specified attribute [%s]; ignored",
                         added->name);
        struct attr *copy = ARENA_NEW(&c->arena, struct attr);
        *copy = *added;
        copy->next = NULL;
        *end = copy;
        end = &copy->next;
    }
    /* In front: what follows may be the list of other names of the same typedef, too. */
    *end = *list;
    *list = copies;
}

static struct interface *find_interface(struct parser *parser, const char *name, struct loc loc)
{
    struct idl_compiler *c = parser->compiler;
    struct interface *only = parser->unit->interfaces;
    for (struct interface *i = only; i; i = i->next) {
        if (strcmp(i->name, name) == 0)
            return i;
    }
    /* With -acf the file was not found by its name: the names may differ, too. */
    if (c->options.acf_explicit && !parser->unit->imported && only && !only->next)
        return only;
    if (!parser->unit->interfaces && c->failed)
        return NULL; /* the IDL has worse problems */
    diag_error(c, &loc, 2095, "interface '%s' is not in the IDL file", name);
    return NULL;
}

/* Each header once, however many ACFs want it. */
static void add_include(struct idl_compiler *c, const char *name)
{
    for (const struct include *known = c->acf_includes; known; known = known->next) {
        if (strcmp(known->name, name) == 0)
            return;
    }
    struct include *entry = ARENA_NEW(&c->arena, struct include);
    entry->name = name;
    *c->acf_includes_end = entry;
    c->acf_includes_end = &entry->next;
}

/* include = 'include' STRING { ',' STRING } ';' */
static bool include(struct parser *parser)
{
    parse_advance(parser);
    do {
        const char *name = parser->token.text;
        if (!parse_expect(parser, TOK_STRING))
            return false;
        add_include(parser->compiler, name);
    } while (parse_accept(parser, ','));
    return parse_expect(parser, ';');
}

/* A typedef name of another file gets another type in C.  The header of that file does not know
 * of it; so this is for what stands in this file itself, and the rest stays what it is.  The
 * octets are the same.  Gives the name as it is in this file. */
static struct var *localize(struct parser *parser, struct symbol *symbol)
{
    struct idl_compiler *c = parser->compiler;
    struct var *original = symbol->var;
    struct var *own = ARENA_NEW(&c->arena, struct var);
    *own = *original;
    own->uses = NULL;
    own->next = NULL;
    for (struct type **use = &original->uses; *use;) {
        struct type *type = *use;
        if (type->unit != parser->unit) {
            use = &type->next_use;
            continue;
        }
        *use = type->next_use;
        type->alias = own;
    }
    if (parser->unit->imported)
        return own;
    symbol->var = own;
    own->unit = parser->unit;
    own->next = c->localized;
    c->localized = own;
    return own;
}

/* The attribute that names another type for C, or NULL. */
static const struct attr *local_type(struct attr *attrs)
{
    static const enum attr_id ids[] = {ATTR_REPRESENT_AS, ATTR_USER_MARSHAL, ATTR_CS_CHAR};
    const struct attr *found = NULL;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]) && !found; i++)
        found = attr_find(attrs, ids[i]);
    return found;
}

static void acf_type(struct parser *parser, struct symbol *symbol, struct attr *attrs)
{
    struct idl_compiler *c = parser->compiler;
    const struct attr *local = local_type(attrs);
    struct var *alias = symbol->var;
    if (local && alias->unit && alias->unit != parser->unit) {
        if (local_type(alias->attrs)) {
            diag_error(c, &local->loc, 2096, "[%s] conflicts with what '%s' says of '%s'",
                       local->name, alias->loc.path, alias->name);
            return;
        }
        alias = localize(parser, symbol);
    }
    merge(c, &alias->attrs, attrs);
    /* The types of the interface itself are found where they are declared. */
    if (parser->interface && (alias->imported || !alias->home))
        pickle_note(c, parser->interface, alias, attrs);
}

/* typedef = 'typedef' attrs ID { ',' ID } ';' */
static bool acf_typedef(struct parser *parser)
{
    struct idl_compiler *c = parser->compiler;
    struct loc loc = parser->token.loc;
    parse_advance(parser);
    struct attr *attrs = parse_attributes(parser);
    if (!attrs)
        diag_warning(c, &loc, 2307, 1, "no attributes on ACF file typedef, so no effect");
    parse_check_attributes(parser, attrs, PLACE_TYPE | PLACE_ACF);
    do {
        struct loc name_loc;
        const char *name = parse_identifier(parser, "a type name", &name_loc);
        if (!name)
            return false;
        struct symbol *symbol = names_find(&c->names, name, strlen(name));
        if (!symbol || (symbol->kind != SYMBOL_TYPEDEF && symbol->kind != SYMBOL_BAD))
            diag_error(c, &name_loc, 2010, "type '%s' is not defined in the IDL file", name);
        else if (symbol->kind == SYMBOL_TYPEDEF)
            acf_type(parser, symbol, attrs);
    } while (parse_accept(parser, ','));
    return parse_expect(parser, ';');
}

/* A status parameter the IDL does not have: the last of the C function, never sent. */
static void add_status_param(struct idl_compiler *c, struct proc *proc, const char *name,
                             struct loc loc, const struct attr *attrs)
{
    struct var *param = ARENA_NEW(&c->arena, struct var);
    struct attr *out = ARENA_NEW(&c->arena, struct attr);
    *out = (struct attr){.id = ATTR_OUT, .name = "out", .loc = loc};
    param->name = name;
    param->loc = loc;
    param->attrs = out;
    merge(c, &param->attrs, attrs);
    param->type = ARENA_NEW(&c->arena, struct type);
    param->type->kind = TYPE_POINTER;
    param->type->loc = loc;
    param->type->target = ARENA_NEW(&c->arena, struct type);
    param->type->target->kind = TYPE_BASE;
    param->type->target->base = BASE_ERROR_STATUS;
    param->type->target->loc = loc;
    param->home = proc->home;
    param->proc = proc;
    param->synthesized = true;
    struct var **end = &proc->params;
    bool only_void = *end && !(*end)->name && type_is_base((*end)->type, BASE_VOID);
    while (*end && !only_void)
        end = &(*end)->next;
    *end = param;
    proc->param_count += only_void ? 0 : 1;
}

/* { type words } ID: the last word is the name, the others repeat what the IDL file says.  NULL:
 * `wanted` was missing, which has been said. */
static const char *declared_name(struct parser *parser, const char *wanted, struct loc *ret_loc)
{
    const char *name = NULL;
    *ret_loc = parser->token.loc;
    while (parse_at(parser, TOK_IDENT) || parse_at(parser, '*')) {
        if (parse_at(parser, TOK_IDENT)) {
            name = parser->token.text;
            *ret_loc = parser->token.loc;
        }
        parse_advance(parser);
    }
    if (!name)
        parse_error_expected(parser, wanted);
    return name;
}

/* param = [attrs] { type words } ID */
static bool acf_param(struct parser *parser, struct proc *proc)
{
    struct idl_compiler *c = parser->compiler;
    struct attr *attrs = parse_attributes(parser);
    parse_check_attributes(parser, attrs, PLACE_PARAM | PLACE_ACF);
    struct loc loc;
    const char *name = declared_name(parser, "a parameter name", &loc);
    if (!name)
        return false;
    if (!proc)
        return true;
    for (struct var *param = proc->params; param; param = param->next) {
        if (param->name && strcmp(param->name, name) == 0) {
            merge(c, &param->attrs, attrs);
            return true;
        }
    }
    if (attr_find(attrs, ATTR_COMM_STATUS) || attr_find(attrs, ATTR_FAULT_STATUS)) {
        add_status_param(c, proc, name, loc, attrs);
        return true;
    }
    diag_error(c, &loc, 2101, "operation '%s' has no parameter '%s' in the IDL file", proc->name,
               name);
    return true;
}

/* operation = { type words } ID '(' [ param { ',' param } ] ')' */
static bool acf_operation(struct parser *parser, struct interface *interface, struct attr *attrs)
{
    struct idl_compiler *c = parser->compiler;
    struct loc loc;
    const char *name = declared_name(parser, "an operation", &loc);
    if (!name)
        return false;
    struct proc *proc = NULL;
    if (interface && !interface->imported) { /* operations of imports are not ours to make */
        proc = names_find(&interface->proc_names, name, strlen(name));
        if (!proc)
            diag_error(c, &loc, 2100, "procedure '%s' is undefined in the IDL file", name);
    }
    if (!parse_expect(parser, '('))
        return false;
    while (!parse_at(parser, ')')) {
        if (!acf_param(parser, proc))
            return false;
        if (!parse_at(parser, ')') && !parse_expect(parser, ','))
            return false;
    }
    parse_advance(parser);
    if (proc) {
        if (proc->is_local)
            diag_error(c, &loc, 2098, "attributes on the [local] procedure '%s' in an ACF", name);
        merge(c, &proc->attrs, attrs);
        const struct attr *nocode = attr_find(attrs, ATTR_NOCODE);
        if (nocode && !c->options.no_server)
            diag_warning(c, &nocode->loc, 2230, 2,
                         "[nocode] ignored for server side since \"-server none\" not specified");
        proc->is_nocode |= attr_find(attrs, ATTR_NOCODE) != NULL;
        proc->is_nocode &= !attr_find(attrs, ATTR_CODE); /* where the interface says [nocode] */
        proc->is_async |= attr_find(attrs, ATTR_ASYNC) != NULL;
        proc->explicit_handle |= attr_find(attrs, ATTR_EXPLICIT_HANDLE) != NULL;
    }
    return true;
}

/* operations = [attrs] operation { ',' operation } ';' */
static bool acf_operations(struct parser *parser, struct interface *interface)
{
    struct attr *attrs = parse_attributes(parser);
    parse_check_attributes(parser, attrs, PLACE_OPERATION | PLACE_ACF);
    do {
        if (!acf_operation(parser, interface, attrs))
            return false;
    } while (parse_accept(parser, ','));
    return parse_expect(parser, ';');
}

static bool acf_item(struct parser *parser, struct interface *interface)
{
    if (parse_accept(parser, ';'))
        return true;
    if (parse_at_keyword(parser, KW_INCLUDE))
        return include(parser);
    if (parse_at_keyword(parser, KW_TYPEDEF))
        return acf_typedef(parser);
    return acf_operations(parser, interface);
}

/* interface-acf = [attrs] 'interface' ID '{' { item } '}' [ ';' ] */
static bool acf_interface(struct parser *parser)
{
    struct idl_compiler *c = parser->compiler;
    struct attr *attrs = parse_attributes(parser);
    if (!parse_accept_keyword(parser, KW_INTERFACE)) {
        parse_error_expected(parser, "'interface'");
        return false;
    }
    parse_check_attributes(parser, attrs, PLACE_INTERFACE | PLACE_ACF);
    struct loc loc;
    const char *name = parse_identifier(parser, "the name of an interface", &loc);
    if (!name)
        return false;
    struct interface *interface = find_interface(parser, name, loc);
    if (interface) {
        merge(c, &interface->attrs, attrs);
        bool nocode = attr_find(attrs, ATTR_NOCODE);
        for (struct proc *proc = interface->procs; proc && nocode; proc = proc->next)
            proc->is_nocode = true;
        interface->explicit_handle |= attr_find(attrs, ATTR_EXPLICIT_HANDLE) != NULL;
        interface->is_async |= attr_find(attrs, ATTR_ASYNC) != NULL;
    }
    if (!parse_expect(parser, '{'))
        return false;
    parser->interface = interface;
    while (!parse_at(parser, '}') && !parse_at(parser, TOK_END)) {
        if (!acf_item(parser, interface)) {
            parser->nesting++; /* inside braces: recovery must leave the '}' to us */
            parse_recover(parser);
            parser->nesting--;
        }
    }
    parser->interface = NULL;
    if (!parse_accept(parser, '}')) {
        diag_error(c, &parser->token.loc, 2183, "unexpected end of file: interface '%s' has no '}'",
                   name);
        return true;
    }
    parse_accept(parser, ';');
    return true;
}

/* acf = { include | interface-acf | ';' } */
void parse_acf(struct idl_compiler *compiler, const struct idl_source *source, struct unit *unit)
{
    struct parser parser;
    parse_init(&parser, compiler, source);
    parser.unit = unit;
    parser.in_acf = true;
    parse_advance(&parser);
    while (!parse_at(&parser, TOK_END)) {
        bool ok;
        if (parse_accept(&parser, ';') || parse_accept(&parser, TOK_PRAGMA))
            continue;
        if (parse_at_keyword(&parser, KW_INCLUDE))
            ok = include(&parser);
        else
            ok = acf_interface(&parser);
        if (!ok)
            parse_recover(&parser);
    }
}
