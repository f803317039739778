/* SPDX-License-Identifier: MIT */
/* encode.h - the state of one ndr_encode_params, shared by encode.c (parameters, pointers,
 * structures) and encode_array.c. */
#ifndef PENSTOCK_NDR_ENCODE_H
#define PENSTOCK_NDR_ENCODE_H

#include <penstock/rpcnterr.h>

#include "ndr/alias.h"
#include "ndr/layout.h"
#include "ndr/list.h"
#include "ndr/ndr.h"
#include "ndr/writer.h"

struct ndr_encode {
    struct ndr_writer *writer;
    const struct ndr_rules *rules;
    struct ndr_list pending;
    uint32_t referent;          /* of the next pointer that is not NULL */
    uint32_t depth;             /* of the construct being written       */
    struct ndr_aliases objects; /* of full pointers, by address */
    bool keeps;                 /* a client's [in,out] parameter */
};

static inline void ndr_encode_fail(struct ndr_encode *e, RPC_STATUS status)
{
    ndr_writer_fail(e->writer, status);
}

static inline bool ndr_encode_failed(const struct ndr_encode *e)
{
    return e->writer->status != RPC_S_OK;
}

/* ---- encode.c ---- */

/* The flat part of a value.  Place NDR_AT_TOP for a structure allows it to end in a
 * conformant array, whose count was written before. */
void ndr_encode_value(struct ndr_encode *e, const NDR_TYPE *type, const void *memory,
                      const void *base, enum ndr_place place);

/* ---- encode_array.c ---- */

/* Which elements of an array or string travel. */
struct ndr_encode_extent {
    uint32_t max, first, actual;
};

/* The count of an array or string, aligned. */
void ndr_encode_count(struct ndr_encode *e, uint32_t count);
/* `count` values of a type of fixed layout. */
void ndr_encode_run(struct ndr_encode *e, const NDR_TYPE *type,
                    const struct ndr_element_layout *layout, const void *memory, size_t count);
/* What of the array or string at `memory` travels; false: fails. */
bool ndr_encode_extent(struct ndr_encode *e, const NDR_TYPE *type, const void *memory,
                       const void *base, struct ndr_encode_extent *ret_extent);
/* Arrays and strings that are not of constant size; `with_max`: of a conformant one. */
void ndr_encode_array(struct ndr_encode *e, const NDR_TYPE *type, const void *memory,
                      const void *base, bool with_max);

#endif
