/* SPDX-License-Identifier: MIT */
/* emit_pickle.c - T_AlignSize, T_Encode, T_Decode and T_Free of types with [encode] or
 * [decode]: prototypes for the header, and the end of the client stub. */
#include "idl/emit.h"
#include "idl/pickle.h"

/* "(handle_t _MidlEsHandle, T *_pType)" */
static const char *params(struct idl_compiler *c, const struct interface *interface,
                          const struct pickled *pickled)
{
    return arena_printf(&c->arena, "(%s%s)",
                        pickle_has_handle_param(interface) ? "handle_t _MidlEsHandle, " : "",
                        emit_declaration(c, pickled->object->type, "_pType"));
}

struct routine {
    const char *suffix, *result;
    bool wanted;
};

/* [encode] makes two, [decode] two. */
static void routines_of(const struct pickled *pickled, struct routine ret_routines[4])
{
    ret_routines[0] = (struct routine){"AlignSize", "size_t", pickled->encodes};
    ret_routines[1] = (struct routine){"Encode", "void", pickled->encodes};
    ret_routines[2] = (struct routine){"Decode", "void", pickled->decodes};
    ret_routines[3] = (struct routine){"Free", "void", pickled->decodes};
}

void emit_pickle_prototypes(struct idl_compiler *c, struct text *out)
{
    bool first = true;
    for (const struct interface *i = c->unit->interfaces; i; i = i->next) {
        for (const struct pickled *pickled = i->pickled; pickled; pickled = pickled->next) {
            struct routine routines[4];
            routines_of(pickled, routines);
            if (first)
                text_add(out, "\n/* serialisation */\n");
            first = false;
            for (int n = 0; n < 4; n++) {
                if (routines[n].wanted)
                    emit_wrapped(out, "",
                                 arena_printf(&c->arena, "%s __RPC_USER %s_%s%s;",
                                              routines[n].result, pickled->alias->name,
                                              routines[n].suffix, params(c, i, pickled)));
            }
        }
    }
}

static void emit_routine(struct idl_compiler *c, struct text *out,
                         const struct interface *interface, const struct pickled *pickled,
                         const struct routine *routine)
{
    text_add(out, "\n");
    emit_wrapped(out, "",
                 arena_printf(&c->arena, "%s __RPC_USER %s_%s%s", routine->result,
                              pickled->alias->name, routine->suffix,
                              params(c, interface, pickled)));
    text_add(out, "{\n");
    emit_wrapped(out, "    ",
                 arena_printf(&c->arena,
                              "%sNdrxMesType%s(%s, &%s___RpcClientInterface, &%s, _pType);",
                              routine->suffix[0] == 'A' ? "return " : "", routine->suffix,
                              pickle_has_handle_param(interface) ? "_MidlEsHandle"
                                                                 : interface->implicit_name,
                              interface->name, pickled->c_name));
    text_add(out, "}\n");
}

static void emit_pickled(struct idl_compiler *c, struct text *out,
                         const struct interface *interface, struct pickled *pickled)
{
    struct var *object = pickled->object;
    pickled->c_name = layout_name(
        c, arena_printf(&c->arena, "%s_%s_pickled", interface->name, pickled->alias->name));
    text_addf(out, "\n/* %s%s%s: %s */\n", pickled->encodes ? "[encode]" : "",
              pickled->encodes && pickled->decodes ? " " : "", pickled->decodes ? "[decode]" : "",
              pickled->alias->name);
    emit_range(c, out, object, arena_printf(&c->arena, "%s_range", pickled->c_name));
    text_addf(out,
              "static const NDR_PARAM %s = {\n    .name = \"%s\", .type = &%s,\n"
              "    .flags = NDR_PARAM_IN | NDR_PARAM_OUT",
              pickled->c_name, pickled->alias->name, object->node->c_name);
    if (object->range)
        text_addf(out, ", .range = &%s", object->range->c_name);
    text_add(out, "\n};\n");
    struct routine routines[4];
    routines_of(pickled, routines);
    for (int n = 0; n < 4; n++) {
        if (routines[n].wanted)
            emit_routine(c, out, interface, pickled, &routines[n]);
    }
}

void emit_pickle_routines(struct idl_compiler *c, struct text *out)
{
    bool any = false;
    for (const struct interface *i = c->unit->interfaces; i; i = i->next)
        any |= i->pickled != NULL;
    if (!any)
        return;
    text_add(out, "\n/* ---- serialised types ---- */\n");
    emit_pickle_types(c, out);
    for (struct interface *i = c->unit->interfaces; i; i = i->next) {
        if (!i->pickled)
            continue;
        if (i->proc_count == 0) {
            emit_interface(c, out, i, false);
            emit_implicit_handle(out, i);
        }
        for (struct pickled *pickled = i->pickled; pickled; pickled = pickled->next)
            emit_pickled(c, out, i, pickled);
    }
}
