/* SPDX-License-Identifier: MIT */
/* ndr_api.h - values of parameters as lines of PENSTOCK_TRACE=ndr.  Calls whose octets are
 * sealed must not come here. */
#ifndef RUNTIME_NDR_API_H
#define RUNTIME_NDR_API_H

#include <stdbool.h>
#include <stdint.h>

#include <penstock/rpcndr.h>

/* The parameters of `direction` that were just encoded (`sent`) or decoded. */
void trace_values(const NDR_OPERATION *operation, const void *frame, uint32_t direction,
                  bool sent);

#endif
