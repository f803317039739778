/* SPDX-License-Identifier: MIT */
/* element.h - values of constant size (ndr_fixed_layout) to and from the wire. */
#ifndef PENSTOCK_NDR_ELEMENT_H
#define PENSTOCK_NDR_ELEMENT_H

#include "ndr/layout.h"

/* Writes a run of `count` values, gaps zeroed, host order, ndr_run_len octets.
 * RPC_S_OK; RPC_X_ENUM_VALUE_OUT_OF_RANGE; RPC_S_INVALID_BOUND: an __int3264 that
 * does not fit. */
RPC_STATUS ndr_run_to_wire(const struct ndr_rules *rules, const NDR_TYPE *type,
                           const struct ndr_element_layout *layout, const void *memory,
                           size_t count, uint8_t *out);

/* Reads a run.  RPC_S_OK; RPC_X_BAD_STUB_DATA: enum or [range] violated. */
RPC_STATUS ndr_run_from_wire(const struct ndr_rules *rules, const NDR_TYPE *type,
                             const struct ndr_element_layout *layout, const uint8_t *in,
                             size_t count, bool swap, void *memory);

/* Are the `count` values `stride` octets apart, or the elements of these arrays,
 * inside the range?  Types that are no integers are. */
bool ndr_in_range(const NDR_RANGE *range, const NDR_TYPE *type, const uint8_t *memory,
                  size_t stride, size_t count);

#endif
