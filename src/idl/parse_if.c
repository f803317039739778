/* SPDX-License-Identifier: MIT */
/* parse_if.c - the interface and what its header says. */
#include "idl/osf.h"
#include "idl/parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* uuid = 8 - 4 - 4 - 4 - 12 hexadecimal digits, in quotes or not */
static void uuid_attribute(struct parser *parser, struct interface *interface,
                           const struct attr *attr)
{
    struct idl_compiler *c = parser->compiler;
    const char *text = attr->args->text;
    size_t len = strlen(text);
    if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
        text++;
        len -= 2;
    }
    unsigned digits = 0;
    bool shape = len == 36;
    for (size_t i = 0; i < len && shape; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash != (text[i] == '-')) {
            shape = false;
        } else if (!dash && !isxdigit((unsigned char)text[i])) {
            diag_error(c, &attr->args->loc, 2089, "uuid is not a hexadecimal number");
            return;
        } else if (!dash) {
            unsigned char digit = (unsigned char)tolower((unsigned char)text[i]);
            unsigned value = digit <= '9' ? digit - (unsigned)'0' : digit - (unsigned)'a' + 10;
            uint8_t *octet = &interface->uuid[digits++ / 2];
            *octet = (uint8_t)(*octet << 4 | value);
        }
    }
    if (!shape) {
        diag_error(c, &attr->args->loc, 2088, "[uuid] format is incorrect: 8-4-4-4-12 digits");
        return;
    }
    interface->has_uuid = true;
}

/* version = major [ '.' minor ], each 0..65535, decimal also with leading zeros */
static void version_attribute(struct parser *parser, struct interface *interface,
                              const struct attr *attr)
{
    const char *text = attr->args->text;
    unsigned long number[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        char *end;
        if (!isdigit((unsigned char)*text))
            goto bad;
        number[i] = strtoul(text, &end, 10);
        if (number[i] > 65535)
            goto bad;
        text = end;
        if (*text == '\0')
            break;
        if (i == 1 || *text++ != '.')
            goto bad;
    }
    interface->major = (unsigned)number[0];
    interface->minor = (unsigned)number[1];
    return;
bad:
    diag_error(parser->compiler, &attr->args->loc, 2152,
               "[version] format is incorrect: major.minor, each 0 to 65535");
}

/* endpoint = protseq ':' '[' text ']' */
static void endpoint_attribute(struct parser *parser, struct interface *interface,
                               const struct attr *attr)
{
    struct idl_compiler *c = parser->compiler;
    struct endpoint **end = &interface->endpoints;
    for (const struct attr_arg *arg = attr->args; arg; arg = arg->next) {
        const char *colon = strchr(arg->text, ':');
        size_t len = strlen(arg->text);
        if (!colon || colon == arg->text || colon[1] != '[' || arg->text[len - 1] != ']') {
            diag_error(c, &arg->loc, 2071, "endpoint syntax error: \"protseq:[endpoint]\"");
            continue;
        }
        struct endpoint *endpoint = ARENA_NEW(&c->arena, struct endpoint);
        endpoint->protseq = arena_strndup(&c->arena, arg->text, (size_t)(colon - arg->text));
        endpoint->endpoint =
            arena_strndup(&c->arena, colon + 2, (size_t)(arg->text + len - 1 - (colon + 2)));
        *end = endpoint;
        end = &endpoint->next;
        interface->endpoint_count++;
    }
}

static void pointer_default_attribute(struct parser *parser, struct interface *interface,
                                      const struct attr *attr)
{
    struct idl_compiler *c = parser->compiler;
    const struct attr_arg *arg = attr->args;
    if (strcmp(arg->text, "unique") == 0)
        interface->pointer_default = POINTER_UNIQUE;
    else if (strcmp(arg->text, "ref") == 0)
        interface->pointer_default = POINTER_REF;
    else if (strcmp(arg->text, "ptr") == 0)
        interface->pointer_default = POINTER_FULL;
    else
        diag_error(c, &arg->loc, 2072, "pointer_default takes ref, unique or ptr, not '%s'",
                   arg->text);
}

static void interface_attributes(struct parser *parser, struct interface *interface)
{
    if (!interface->is_com) /* of COM's many words only those we know matter */
        parse_check_attributes(parser, interface->attrs, PLACE_INTERFACE);
    for (const struct attr *attr = interface->attrs; attr; attr = attr->next) {
        if (attr->id == ATTR_UUID)
            uuid_attribute(parser, interface, attr);
        else if (attr->id == ATTR_VERSION)
            version_attribute(parser, interface, attr);
        else if (attr->id == ATTR_ENDPOINT)
            endpoint_attribute(parser, interface, attr);
        else if (attr->id == ATTR_POINTER_DEFAULT)
            pointer_default_attribute(parser, interface, attr);
        else if (attr->id == ATTR_EXPLICIT_HANDLE)
            interface->explicit_handle = true;
        else if (attr->id == ATTR_ASYNC)
            interface->is_async = true;
        else if (attr->id == ATTR_MS_UNION)
            interface->ms_union = true;
        else if (attr->id == ATTR_MS_CONF_STRUCT)
            interface->ms_conf_struct = true;
        else if (attr->id == ATTR_LOCAL)
            interface->is_local = true;
    }
}

/* A body that is not wanted: to behind its '}'. */
static void skip_body(struct parser *parser)
{
    unsigned open = 0;
    while (!parse_at(parser, TOK_END)) {
        if (parse_at(parser, '{'))
            open++;
        bool last = parse_at(parser, '}') && --open == 0;
        parse_advance(parser);
        if (last)
            return;
    }
}

static void interface_body(struct parser *parser, struct interface *interface)
{
    struct interface *outer = parser->interface;
    struct decl **end = &interface->decls;
    parser->interface = interface;
    parse_advance(parser);
    while (!parse_at(parser, '}') && !parse_at(parser, TOK_END))
        parse_declaration(parser, &end);
    if (parse_at(parser, TOK_END))
        diag_error(parser->compiler, &parser->token.loc, 2183,
                   "unexpected end of file: interface '%s' has no '}'", interface->name);
    else
        parse_advance(parser);
    parser->interface = outer;
    parse_accept(parser, ';');
}

/* ---- COM or not ----------------------------------------------------------------------- */

/* Its words, or its place in a library, say so; a base does, too: remote interfaces of
 * DCE have none. */
static bool is_com(const struct parser *parser, struct attr *attrs)
{
    return parser->in_library || attr_find(attrs, ATTR_OBJECT) || attr_find(attrs, ATTR_ODL) ||
           attr_find(attrs, ATTR_DUAL) || attr_find(attrs, ATTR_OLEAUTOMATION);
}

/* bases = ID { ',' ID } */
static bool bases(struct parser *parser, struct interface *interface)
{
    struct idl_compiler *c = parser->compiler;
    do {
        struct loc loc;
        parse_advance(parser);
        const char *name = parse_identifier(parser, "the name of an interface", &loc);
        if (!name)
            return false;
        if (strcmp(name, interface->name) == 0) {
            diag_error(c, &loc, 2256, "circular interface dependency: '%s' derives from itself",
                       name);
            continue;
        }
        const struct symbol *base = names_find(&c->names, name, strlen(name));
        if (base && base->kind == SYMBOL_INTERFACE && base->interface->is_com)
            interface->is_com = true;
        else if (!interface->is_com && strcmp(name, "IUnknown") != 0 &&
                 strcmp(name, "IDispatch") != 0)
            diag_error(c, &loc, 2271,
                       "only [object] interfaces derive from another, and only from one "
                       "like IUnknown");
        else
            interface->is_com = true;
    } while (parse_at(parser, ','));
    return true;
}

/* The interface of that name when it has only been announced, or a new one. */
static struct interface *announced_or_new(struct parser *parser, const char *name)
{
    struct idl_compiler *c = parser->compiler;
    const struct symbol *known = names_find(&c->names, name, strlen(name));
    if (known && known->kind == SYMBOL_INTERFACE && !known->interface->defined)
        return known->interface;
    return ARENA_NEW(&c->arena, struct interface);
}

/* Makes it known unless a forward declaration has.  False: its body is not wanted. */
static bool declare_interface(struct parser *parser, struct interface *interface)
{
    struct idl_compiler *c = parser->compiler;
    const struct symbol *known = names_find(&c->names, interface->name, strlen(interface->name));
    struct symbol symbol = {
        .kind = SYMBOL_INTERFACE, .loc = interface->loc, .interface = interface};
    /* Many files spell out IUnknown, each for itself. */
    if (known && known->kind == SYMBOL_INTERFACE && known->interface != interface &&
        known->interface->is_com && interface->is_com)
        return false;
    return (known && known->kind == SYMBOL_INTERFACE && known->interface == interface) ||
           declare(parser, interface->name, &symbol);
}

static void add_forward(struct parser *parser, struct interface *interface, struct decl ***end)
{
    struct decl *decl = ARENA_NEW(&parser->compiler->arena, struct decl);
    decl->kind = DECL_FORWARD;
    decl->loc = interface->loc;
    decl->interface = interface;
    **end = decl;
    *end = &decl->next;
}

/* interface = [attrs] 'interface' ID ( ';' | [ ':' ID ] '{' { declaration } '}' [ ';' ] ) */
void parse_interface(struct parser *parser, struct attr *attrs, const char *source,
                     struct decl ***end)
{
    struct idl_compiler *c = parser->compiler;
    parse_advance(parser);
    struct loc loc;
    const char *name = parse_identifier(parser, "the name of the interface", &loc);
    if (!name) {
        parse_recover(parser);
        return;
    }
    struct interface *interface = announced_or_new(parser, name);
    interface->name = name;
    interface->loc = loc;
    if (parse_accept(parser, ';')) {
        const struct symbol *known = names_find(&c->names, name, strlen(name));
        if (known && known->kind == SYMBOL_INTERFACE)
            add_forward(parser, known->interface, end);
        else if (declare_interface(parser, interface))
            add_forward(parser, interface, end);
        return;
    }
    interface->is_com = is_com(parser, attrs);
    interface->attrs = attrs;
    interface->procs_end = &interface->procs;
    interface->callbacks_end = &interface->callbacks;
    interface->imported = parser->unit->imported;
    if (parser->interface)
        diag_error(c, &interface->loc, 2025, "syntax error: an interface inside an interface");
    if (parse_at(parser, ':') && !bases(parser, interface)) {
        parse_recover(parser);
        return;
    }
    interface_attributes(parser, interface);
    osf_check_interface(c, parser->unit, interface);
    if (interface->is_com)
        com_note(parser, &interface->loc);
    if (!parse_at(parser, '{')) {
        parse_error_expected(parser, "'{'");
        parse_recover(parser);
        return;
    }
    if (parser->interface || !declare_interface(parser, interface)) {
        skip_body(parser);
        return;
    }
    interface->defined = true;
    interface_body(parser, interface);

    struct decl *decl = ARENA_NEW(&c->arena, struct decl);
    decl->kind = DECL_INTERFACE;
    decl->loc = interface->loc;
    decl->interface = interface;
    decl->source = source;
    **end = decl;
    *end = &decl->next;
    *parser->unit->interfaces_end = interface;
    parser->unit->interfaces_end = &interface->next;
}
