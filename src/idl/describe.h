/* SPDX-License-Identifier: MIT */
/* describe.h - the descriptors of rpcndr.h in memory, for a program that calls what it has
 * just compiled.
 *
 * The same nodes the emitters write as C become NDR_TYPE and kin here; what C takes from
 * sizeof and offsetof is computed.  The layout is natural alignment, whatever #pragma pack
 * says: nobody else sees this memory.  What a program's own routines would do is left out:
 *
 *   context handle    the 20 octets that travel (MS-RPCE 2.2.1.1.3), a structure
 *   transmit_as ...   the type that is sent
 *   ACF attributes    none that only concern C
 *
 * Every operation has exactly one binding parameter, and unless it is [maybe] the frame of
 * an asynchronous one. */
#ifndef PENSTOCK_IDL_DESCRIBE_H
#define PENSTOCK_IDL_DESCRIBE_H

#include <stdbool.h>
#include <stdint.h>

#include <penstock/rpcndr.h>

#include "idl/idl.h"

/* What a value is for people, where NDR_TYPE does not say. */
enum idl_form {
    IDL_FORM_PLAIN,
    IDL_FORM_CONTEXT, /* STRUCT: a context handle */
    IDL_FORM_GUID     /* STRUCT: 4, 2 and 2 octets and eight more */
};

struct idl_enumerator {
    const char *name;
    int32_t value;
};

/* What every NDR_TYPE of a description is the first member of. */
struct idl_type {
    NDR_TYPE ndr;
    uint32_t memory_size;  /* of the value; conformant: 0 */
    uint32_t memory_align; /* octets */
    enum idl_form form;
    uint32_t enumerator_count;
    const struct idl_enumerator *enumerators; /* ENUM16, ENUM32 */
    /* Encapsulated UNION: the members of the structure around it, and the discriminant's
     * type; NULL: it stands alone. */
    const char *tag_name, *arms_name;
    const NDR_TYPE *tag_type;
};

static inline const struct idl_type *idl_type_of(const NDR_TYPE *type)
{
    return (const struct idl_type *)(const void *)type;
}

struct idl_description {
    const char *name;
    RPC_CLIENT_INTERFACE spec;
    NDR_INTERFACE ndr;
    struct idl_description *next;
};

/* Describes all interfaces of the file that have operations, after idl_compile() returned
 * true.  `memory`: allocate and free for the stub data of the calls.  The list lives as long
 * as the compiler; NULL: there is none.  False: a type is too large here, which is among the
 * diagnostics then, or out of memory. */
bool idl_describe(struct idl_compiler *compiler, const NDR_INTERFACE *memory,
                  const struct idl_description **ret_list);

#endif
