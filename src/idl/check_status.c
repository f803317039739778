/* SPDX-License-Identifier: MIT */
/* check_status.c - [comm_status] and [fault_status], of operations and parameters, which
 * receive a failure as a code instead of an exception (idl.md 6). */
#include "idl/check.h"
#include "idl/parse.h"
#include "idl/types.h"

/* error_status_t * that only comes back. */
static bool check_param(struct idl_compiler *c, const struct var *param, const struct attr *attr)
{
    struct type *type = type_strip(param->type);
    if (type_is_error(param->type))
        return false;
    if (type->kind != TYPE_POINTER || !type_is_base(type->target, BASE_ERROR_STATUS)) {
        diag_error(c, &attr->loc, 2097, "[%s] parameter '%s' must be of type error_status_t *",
                   attr->name, param->name);
        return false;
    }
    if (!param->is_out || param->is_in) {
        diag_error(c, &attr->loc, 2070, "[%s] parameter '%s' must be [out] only", attr->name,
                   param->name);
        return false;
    }
    return true;
}

/* The one place in the operation that receives failures of this kind. */
static void place(struct idl_compiler *c, struct proc *proc, enum attr_id id)
{
    const struct attr *attr = attr_find(proc->attrs, id);
    bool found = false, by_result = attr != NULL;
    if (attr) {
        found = true;
        if (!type_is_base(proc->result, BASE_ERROR_STATUS) && !type_is_error(proc->result))
            diag_error(c, &attr->loc, 2072, "[%s] procedure '%s' must return error_status_t",
                       attr->name, proc->name);
        else if (id == ATTR_COMM_STATUS)
            proc->comm_status = true;
        else
            proc->fault_status = true;
    }
    for (struct var *param = proc->params; param; param = param->next) {
        attr = attr_find(param->attrs, id);
        if (!attr || !check_param(c, param, attr))
            continue;
        if (found) {
            if (by_result)
                diag_error(c, &attr->loc, id == ATTR_COMM_STATUS ? 2050 : 2245,
                           "cannot use [%s] on both a parameter and the return type", attr->name);
            else
                diag_error(c, &attr->loc, 2069, "'%s' has more than one [%s]", proc->name,
                           attr->name);
            continue;
        }
        found = true;
        if (id == ATTR_COMM_STATUS)
            param->comm_status = true;
        else
            param->fault_status = true;
    }
}

void check_status(struct idl_compiler *c, struct proc *proc)
{
    place(c, proc, ATTR_COMM_STATUS);
    place(c, proc, ATTR_FAULT_STATUS);
}
