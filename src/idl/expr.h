/* SPDX-License-Identifier: MIT */
/* expr.h - values of constant expressions. */
#ifndef PENSTOCK_IDL_EXPR_H
#define PENSTOCK_IDL_EXPR_H

#include "idl/compiler.h"

/* Evaluates `expr` at compile time.  VALUE_INVALID: reported, a name that is no
 * constant with the number `not_constant`.  Integers are 64 bits; an operation is
 * unsigned when an operand is. */
struct value expr_evaluate(struct idl_compiler *compiler, const struct expr *expr,
                           unsigned not_constant);

/* True when every name in `expr` is a constant or an enumerator. */
bool expr_is_constant(const struct idl_compiler *compiler, const struct expr *expr);

/* Makes the integer what a variable of the base type holds of it: fewer bits, or a real number.
 * False: the base type is neither. */
bool expr_convert(struct value *value, enum base_kind base);

/* Does the value fit the base type?  Reports with MIDL2175 when it does not. */
bool expr_check_range(struct idl_compiler *compiler, const struct loc *loc,
                      const struct value *value, enum base_kind base);

#endif
