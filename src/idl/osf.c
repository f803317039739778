/* SPDX-License-Identifier: MIT */
/* osf.c - what strict DCE mode takes away.  Where an extension has no number of its own in
 * MIDL's list, it is MIDL2166, "use of this attribute needs -ms_ext". */
#include "idl/osf.h"

#include "idl/handle.h"
#include "idl/parse.h"
#include "idl/shape.h"
#include "idl/types.h"

#include <string.h>

/* Names like <interface>_v1_0_c_ifspec must fit into 31 characters. */
#define INTERFACE_NAME_MAX 17

bool osf_refuse(struct idl_compiler *c, const struct loc *at, unsigned number, const char *text)
{
    if (!c->options.osf)
        return false;
    diag_error(c, at, number, "%s", text);
    return true;
}

/* ---- Attributes ------------------------------------------------------------------------- */

/* Extensions; 0: MIDL2166. */
static const struct {
    enum attr_id id;
    unsigned number;
    const char *text;
} extensions[] = {
    {ATTR_LOCAL, 2051, "[local] needs -ms_ext"},
    {ATTR_CALLBACK, 2255, "[callback] needs -ms_ext"},
    {ATTR_BYTE_COUNT, 2060, "[byte_count] needs -ms_ext"},
    {ATTR_ALLOCATE, 2073, "[allocate] needs -ms_ext"},
    {ATTR_MS_UNION, 0, NULL},
    {ATTR_MS_CONF_STRUCT, 0, NULL},
    {ATTR_HELPSTRING, 0, NULL},
    {ATTR_ANNOTATION, 0, NULL},
    {ATTR_PUBLIC, 0, NULL},
    {ATTR_RANGE, 0, NULL},
    {ATTR_BSTRING, 0, NULL},
    {ATTR_MESSAGE, 0, NULL},
    {ATTR_CALL_AS, 0, NULL},
    {ATTR_DISABLE_CONSISTENCY_CHECK, 0, NULL},
    {ATTR_CONTEXT_HANDLE_SERIALIZE, 0, NULL},
    {ATTR_CONTEXT_HANDLE_NOSERIALIZE, 0, NULL},
    {ATTR_STRICT_CONTEXT_HANDLE, 0, NULL},
    {ATTR_TYPE_STRICT_CONTEXT_HANDLE, 0, NULL},
    {ATTR_WIRE_MARSHAL, 0, NULL},
    {ATTR_USER_MARSHAL, 0, NULL},
    {ATTR_SYSTEM_HANDLE, 0, NULL},
    {ATTR_ASYNC, 0, NULL},
    {ATTR_NOTIFY, 0, NULL},
    {ATTR_NOTIFY_FLAG, 0, NULL},
    {ATTR_PARTIAL_IGNORE, 0, NULL},
    {ATTR_FORCE_ALLOCATE, 0, NULL},
    {ATTR_OPTIMIZE, 0, NULL},
};

void osf_check_attribute(struct idl_compiler *c, const struct attr *attr, unsigned place,
                         bool is_com)
{
    if (!c->options.osf || attr->id == ATTR_UNKNOWN)
        return;
    bool pickles = attr->id == ATTR_ENCODE || attr->id == ATTR_DECODE;
    if (pickles && (place & PLACE_TYPE)) {
        diag_error(c, &attr->loc, 2301, "[%s] on a type needs -ms_ext", attr->name);
        return;
    }
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
        if (extensions[i].id != attr->id)
            continue;
        if (extensions[i].number > 0)
            diag_error(c, &attr->loc, extensions[i].number, "%s", extensions[i].text);
        else
            diag_error(c, &attr->loc, 2166, "use of [%s] needs -ms_ext", attr->name);
        return;
    }
    if (is_com)
        diag_error(c, &attr->loc, 2166, "use of [%s] needs -ms_ext", attr->name);
}

/* ---- Interfaces ------------------------------------------------------------------------- */

void osf_check_interface(struct idl_compiler *c, const struct unit *unit,
                         const struct interface *interface)
{
    if (!c->options.osf)
        return;
    if (unit->interfaces)
        diag_error(c, &interface->loc, 2262, "multiple interfaces in one file need -ms_ext");
    if (strlen(interface->name) > INTERFACE_NAME_MAX)
        diag_error(c, &interface->loc, 2111,
                   "identifier length exceeds %d characters, the most for an interface in DCE",
                   INTERFACE_NAME_MAX);
    for (const struct attr *attr = interface->attrs; attr; attr = attr->next) {
        if (attr->id == ATTR_UUID && attr->args->text[0] == '"')
            diag_error(c, &attr->args->loc, 2197, "quoted uuid needs -ms_ext");
    }
}

void osf_check_void(struct idl_compiler *c, const struct var *var)
{
    struct type *type = type_strip(var->type);
    bool behind = false;
    if (!c->options.osf || handle_context_attr(var->attrs))
        return;
    while (type->kind == TYPE_POINTER || type->kind == TYPE_ARRAY) {
        behind = true;
        type = type_strip(type->target);
    }
    struct var bare = {.type = var->type};
    if (behind && type->kind == TYPE_BASE && type->base == BASE_VOID &&
        handle_of(&bare).kind != HANDLE_CONTEXT)
        diag_error(c, &var->loc, 2165, "use of void * needs -c_ext, but for context handles");
}

/* ---- Operations ------------------------------------------------------------------------- */

static bool derives_from_wchar(struct type *type)
{
    type = type_strip(type);
    while (type->kind == TYPE_POINTER || type->kind == TYPE_ARRAY)
        type = type_strip(type->target);
    return type->kind == TYPE_BASE && type->base == BASE_WCHAR;
}

void osf_check_params(struct idl_compiler *c, const struct proc *proc)
{
    if (!c->options.osf)
        return;
    if (proc->variadic)
        diag_error(c, &proc->loc, 2046,
                   "a remote procedure cannot have a variable number of arguments");
    for (struct var *param = proc->params; param; param = param->next) {
        bool directed = attr_find(param->attrs, ATTR_IN) || attr_find(param->attrs, ATTR_OUT);
        const struct handle handle = handle_of(param);
        bool is_handle = handle.kind == HANDLE_PRIMITIVE || handle.kind == HANDLE_GENERIC;
        if (param->synthesized || type_is_error(param->type) ||
            (!param->name && type_is_base(param->type, BASE_VOID)))
            continue;
        if (!param->name)
            diag_error(c, &param->loc, 2000, "a parameter without a name needs -c_ext");
        if (!directed && !type_is_base(param->type, BASE_HANDLE))
            diag_error(c, &param->loc, 2187,
                       "parameter must have either [in], [out] or [in,out] in this mode");
        if (is_handle && param != proc->params)
            diag_error(c, &param->loc, 2049,
                       "only the first parameter can be a binding handle in this mode");
        if (derives_from_wchar(param->type))
            diag_error(c, &param->loc, 2207, "parameter deriving from wchar_t needs -ms_ext");
    }
}

/* ---- Arrays ----------------------------------------------------------------------------- */

void osf_check_shape(struct idl_compiler *c, const struct var *var, const struct shape *shape)
{
    bool sized_pointer = false, sized_array = false;
    for (unsigned i = 0; i < shape->level_count; i++) {
        const struct level *level = &shape->levels[i];
        sized_pointer |= level->is_pointer && level->size;
        sized_array |= !level->is_pointer && level->size;
    }
    if (sized_pointer && sized_array)
        osf_refuse(c, &var->loc, 2104,
                   "sized pointers and sized arrays in one declaration need -ms_ext");
}

/* ---- Expressions ------------------------------------------------------------------------ */

void osf_check_expr(struct idl_compiler *c, const struct expr *expr)
{
    const struct expr *name = expr->op == EXPR_DEREF ? expr->a : expr;
    if (name->op != EXPR_NAME && name->op != EXPR_NUMBER)
        osf_refuse(c, &expr->loc, 2178,
                   "attribute expression must be a variable name or a pointer dereference in "
                   "this mode");
}
