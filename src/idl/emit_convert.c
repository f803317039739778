/* SPDX-License-Identifier: MIT */
/* emit_convert.c - calls of the routines that convert values, and their prototypes. */
#include "idl/convert.h"
#include "idl/emit.h"
#include "idl/parse.h"

/* The routines of transmit_as and of represent_as, in the order of NDR_CONVERSION. */
struct names {
    const char *to, *from, *free_wire, *free_value;
};

static struct names names_of(const struct attr *attr)
{
    if (attr->id == ATTR_TRANSMIT_AS)
        return (struct names){"to_xmit", "from_xmit", "free_xmit", "free_inst"};
    return (struct names){"from_local", "to_local", "free_inst", "free_local"};
}

static void emit_value_routines(struct idl_compiler *c, struct text *out, const struct node *node)
{
    const struct var *alias = node->conversion->alias;
    const struct attr *attr = node->conversion->attr;
    const struct names names = names_of(attr);
    const char *wire =
        attr->id == ATTR_TRANSMIT_AS
            ? emit_declaration(c, attr->args->type, "*wire")
            : arena_printf(&c->arena, "%s *wire", alias->name);
    text_addf(out,
              "static void %s_to_wire(void *value, void **ret_wire)\n{\n    %s = NULL;\n"
              "    %s_%s(value, &wire);\n    *ret_wire = wire;\n}\n",
              node->c_name, wire, alias->name, names.to);
    text_addf(out,
              "static void %s_from_wire(void *wire, void *value)\n{\n    %s_%s(wire, value);\n}\n",
              node->c_name, alias->name, names.from);
    text_addf(out, "static void %s_free_wire(void *wire)\n{\n    %s_%s(wire);\n}\n", node->c_name,
              alias->name, names.free_wire);
    /* With both attributes one routine has two duties: N_free_inst of represent_as frees the
     * N itself, which is the engine's when it came from the peer; and N has no pointers. */
    bool is_inner = attr != convert_attr(alias);
    if (!is_inner)
        text_addf(out, "static void %s_free_value(void *value)\n{\n    %s_%s(value);\n}\n",
                  node->c_name, alias->name, names.free_value);
    text_addf(out,
              "static const NDR_CONVERSION %s_conversion = {\n    .to_wire = %s_to_wire,\n"
              "    .from_wire = %s_from_wire,\n    .free_wire = %s_free_wire,\n",
              node->c_name, node->c_name, node->c_name, node->c_name);
    if (!is_inner)
        text_addf(out, "    .free_value = %s_free_value,\n", node->c_name);
    text_add(out, "};\n");
}

static void emit_octet_routines(struct text *out, const struct node *node)
{
    const char *user = convert_local_name(node->conversion->alias);
    text_addf(out,
              "static unsigned long %s_size(unsigned long *flags, unsigned long start, void "
              "*value)\n{\n    return %s_UserSize(flags, start, value);\n}\n",
              node->c_name, user);
    text_addf(out,
              "static unsigned char *%s_marshal(unsigned long *flags, unsigned char *buffer,\n"
              "    void *value)\n{\n    return %s_UserMarshal(flags, buffer, value);\n}\n",
              node->c_name, user);
    text_addf(out,
              "static unsigned char *%s_unmarshal(unsigned long *flags, unsigned char *buffer,\n"
              "    void *value)\n{\n    return %s_UserUnmarshal(flags, buffer, value);\n}\n",
              node->c_name, user);
    text_addf(out,
              "static void %s_free(unsigned long *flags, void *value)\n{\n    %s_UserFree(flags, "
              "value);\n}\n",
              node->c_name, user);
    text_addf(out,
              "static const NDR_CONVERSION %s_conversion = {\n    .user_size = %s_size,\n"
              "    .user_marshal = %s_marshal,\n    .user_unmarshal = %s_unmarshal,\n"
              "    .user_free = %s_free,\n};\n",
              node->c_name, node->c_name, node->c_name, node->c_name, node->c_name);
}

void emit_conversion(struct idl_compiler *c, struct text *out, const struct node *node)
{
    const struct attr *attr = node->conversion->attr;
    text_addf(out, "/* %s: [%s] */\n", node->conversion->alias->name, attr->name);
    if (attr->id == ATTR_WIRE_MARSHAL || attr->id == ATTR_USER_MARSHAL)
        emit_octet_routines(out, node);
    else
        emit_value_routines(c, out, node);
}

static void value_prototypes(struct idl_compiler *c, struct text *out, const struct var *alias,
                             const struct attr *attr)
{
    const struct names names = names_of(attr);
    bool is_transmitted = attr->id == ATTR_TRANSMIT_AS;
    const char *name = alias->name;
    const char *local = is_transmitted ? name : convert_local_name(alias);
    const char *wire = is_transmitted ? emit_declaration(c, attr->args->type, "*")
                                      : arena_printf(&c->arena, "%s *", name);
    const char *wire_out = is_transmitted ? emit_declaration(c, attr->args->type, "**")
                                          : arena_printf(&c->arena, "%s **", name);
    text_addf(out, "void __RPC_USER %s_%s(%s *, %s);\n", name, names.to, local, wire_out);
    text_addf(out, "void __RPC_USER %s_%s(%s, %s *);\n", name, names.from, wire, local);
    text_addf(out, "void __RPC_USER %s_%s(%s);\n", name, names.free_wire, wire);
    text_addf(out, "void __RPC_USER %s_%s(%s *);\n", name, names.free_value, local);
}

void emit_convert_prototypes(struct idl_compiler *c, struct text *out, const struct var *alias)
{
    const struct attr *attr = convert_attr(alias);
    const struct attr *transmit = attr_find(alias->attrs, ATTR_TRANSMIT_AS);
    if (attr->id == ATTR_REPRESENT_AS || attr->id == ATTR_TRANSMIT_AS) {
        value_prototypes(c, out, alias, attr);
        if (transmit && transmit != attr)
            value_prototypes(c, out, alias, transmit);
        return;
    }
    const char *user = convert_local_name(alias);
    text_addf(out,
              "unsigned long __RPC_USER %s_UserSize(unsigned long *, unsigned long, %s *);\n"
              "unsigned char *__RPC_USER %s_UserMarshal(unsigned long *, unsigned char *, %s *);\n"
              "unsigned char *__RPC_USER %s_UserUnmarshal(unsigned long *, unsigned char *, %s "
              "*);\n"
              "void __RPC_USER %s_UserFree(unsigned long *, %s *);\n",
              user, user, user, user, user, user, user, user);
}
