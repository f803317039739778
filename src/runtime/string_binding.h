/* SPDX-License-Identifier: MIT */
/* string_binding.h - binding information as text (C706 3.1.4.1, "String Bindings"):
 *
 *     object@protseq:address[endpoint,option=value,...]
 *
 * A backslash takes the special meaning from the character after it.  The endpoint
 * may also be written `endpoint=...` anywhere in the brackets. */
#ifndef PENSTOCK_RUNTIME_STRING_BINDING_H
#define PENSTOCK_RUNTIME_STRING_BINDING_H

#include <penstock/rpctypes.h>

/* The parts, malloc'd, without escapes; "" stands for a part that is missing.  Only
 * `options` keeps its escapes, because commas and equal signs separate it further. */
struct string_binding {
    char *object; /* "" or a UUID */
    char *protseq;
    char *address;
    char *endpoint;
    char *options; /* items separated by commas, the endpoint not among them */
};

/* Takes `text` (borrowed) apart.  Gives the parts to the caller:
 * string_binding_fini().  Says nothing about whether the protocol sequence, address
 * or endpoint make sense.
 * RPC_S_INVALID_STRING_BINDING, RPC_S_INVALID_STRING_UUID, RPC_S_OUT_OF_MEMORY. */
RPC_STATUS string_binding_parse(const char *text, struct string_binding *ret_binding);

/* The reverse, escaping where needed; parts may be NULL.  Gives *ret_text (malloc'd)
 * to the caller.  What string_binding_parse() made comes back as it was.
 * RPC_S_INVALID_STRING_UUID; RPC_S_INVALID_NETWORK_OPTIONS: options with a bracket,
 * an endpoint or a lone backslash at the end; RPC_S_OUT_OF_MEMORY. */
RPC_STATUS string_binding_format(const struct string_binding *binding, char **ret_text);

/* Frees the parts, which become NULL. */
void string_binding_fini(struct string_binding *binding);

#endif
