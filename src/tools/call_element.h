/* SPDX-License-Identifier: MIT */
/* call_element.h - elements of pipes in files: little-endian, member behind member, nothing
 * between them. */
#ifndef PENSTOCK_TOOLS_CALL_ELEMENT_H
#define PENSTOCK_TOOLS_CALL_ELEMENT_H

#include <stddef.h>
#include <stdint.h>

#include <penstock/rpcndr.h>

/* Octets of one in a file; of one in memory it is value_size(). */
size_t element_raw_size(const NDR_TYPE *type);
/* Both convert `count` elements. */
void element_from_raw(const NDR_TYPE *type, const uint8_t *raw, uint8_t *memory, size_t count);
void element_to_raw(const NDR_TYPE *type, const uint8_t *memory, uint8_t *raw, size_t count);

#endif
