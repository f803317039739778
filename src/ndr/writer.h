/* SPDX-License-Identifier: MIT */
/* writer.h - how the engine appends to a struct ndr_writer (ndr.h). */
#ifndef PENSTOCK_NDR_WRITER_H
#define PENSTOCK_NDR_WRITER_H

#include "ndr/ndr.h"

/* Pads with zeros to a stub offset that `align` (a power of 2) divides. */
void ndr_writer_align(struct ndr_writer *writer, uint32_t align);

/* Appends `len` octets and returns where to write them, valid until the next call;
 * NULL, and the status latched, when there is no room. */
uint8_t *ndr_writer_extend(struct ndr_writer *writer, uint64_t len);

/* An unsigned integer of 4 or 8 octets, aligned to its size, host order. */
void ndr_writer_put(struct ndr_writer *writer, uint64_t value, uint8_t size);

/* Latches `status` unless another came first. */
void ndr_writer_fail(struct ndr_writer *writer, RPC_STATUS status);

#endif
