/* SPDX-License-Identifier: MIT */
/* writer.c - the growing buffer.  Failure latches: callers append a series of items
 * and look at the status once. */
#include "ndr/writer.h"

#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

/* First allocation: most calls have less. */
#define FIRST_CAPACITY 512

void ndr_writer_init(struct ndr_writer *writer)
{
    *writer = (struct ndr_writer){.status = RPC_S_OK};
}

void ndr_writer_reset(struct ndr_writer *writer)
{
    writer->len = 0;
    writer->origin = 0;
    writer->status = RPC_S_OK;
}

void ndr_writer_fini(struct ndr_writer *writer)
{
    free(writer->octets);
    ndr_writer_init(writer);
}

void ndr_writer_fail(struct ndr_writer *writer, RPC_STATUS status)
{
    if (writer->status == RPC_S_OK)
        writer->status = status;
}

static bool reserve(struct ndr_writer *writer, size_t len)
{
    if (len <= writer->capacity)
        return true;
    size_t capacity = writer->capacity ? writer->capacity : FIRST_CAPACITY;
    while (capacity < len)
        capacity = capacity > SIZE_MAX / 2 ? len : capacity * 2;
    void *octets = writer->reallocate ? writer->reallocate(writer->octets, capacity)
                                      : realloc(writer->octets, capacity);
    if (!octets) {
        ndr_writer_fail(writer, RPC_S_OUT_OF_MEMORY);
        return false;
    }
    writer->octets = octets;
    writer->capacity = capacity;
    return true;
}

uint8_t *ndr_writer_extend(struct ndr_writer *writer, uint64_t len)
{
    size_t len_max = writer->len_max ? writer->len_max : NDR_WRITER_LEN_MAX;
    if (writer->status != RPC_S_OK)
        return NULL;
    if (writer->len > len_max || len > len_max - writer->len) {
        ndr_writer_fail(writer, RPC_S_OUT_OF_RESOURCES);
        return NULL;
    }
    if (!reserve(writer, writer->len + (size_t)len))
        return NULL;
    uint8_t *at = writer->octets + writer->len;
    writer->len += (size_t)len;
    return at;
}

void ndr_writer_align(struct ndr_writer *writer, uint32_t align)
{
    uint64_t offset = writer->origin + writer->len;
    size_t gap = (size_t)(-offset & (align - 1));
    if (gap == 0)
        return;
    uint8_t *at = ndr_writer_extend(writer, gap);
    if (at)
        memset(at, 0, gap);
}

void ndr_writer_put(struct ndr_writer *writer, uint64_t value, uint8_t size)
{
    ndr_writer_align(writer, size);
    uint8_t *at = ndr_writer_extend(writer, size);
    if (!at)
        return;
    uint32_t low = (uint32_t)value;
    memcpy(at, size == 4 ? (void *)&low : (void *)&value, size);
}
