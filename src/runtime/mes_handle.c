/* SPDX-License-Identifier: MIT */
/* mes_handle.c - see mes_handle.h, and midles.h for what the functions of the program mean. */
#include "runtime/mes_handle.h"

#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "base/copy.h"
#include "runtime/exception.h"

/* Documented alignments of buffers; see pickle_align(). */
#define ALIGN_NDR   8u
#define ALIGN_NDR64 16u

static uint32_t alignment(MIDL_ES_CODE operation)
{
    return operation == MES_ENCODE_NDR64 ? ALIGN_NDR64 : ALIGN_NDR;
}

static bool is_aligned(const void *buffer, uint32_t align)
{
    return ((uintptr_t)buffer & (align - 1)) == 0;
}

/* ---- Life --------------------------------------------------------------------------- */

static void mes_destroy(struct counted *object)
{
    struct mes_handle *mes = (struct mes_handle *)object; /* its first member */
    free(mes->gathered);
    free(mes);
}

struct mes_handle *mes_handle_get(handle_t handle)
{
    RPC_STATUS status;
    struct counted *object = handle_get((uint64_t)(uintptr_t)handle, RPC_S_INVALID_ARG, &status);
    if (object && object->destroy != mes_destroy) { /* a binding, a context ... */
        counted_put(object);
        object = NULL;
    }
    return (struct mes_handle *)object;
}

/* A handle with the settings of `mes`, which has no object yet. */
static RPC_STATUS publish(const struct mes_handle *settings, handle_t *ret_handle)
{
    struct mes_handle *mes = malloc(sizeof(*mes));
    if (!mes)
        return RPC_S_OUT_OF_MEMORY;
    *mes = *settings;
    counted_init(&mes->object, mes_destroy);
    uint64_t handle = handle_open(&mes->object);
    mes_handle_put(mes);
    if (handle == 0)
        return RPC_S_OUT_OF_MEMORY;
    *ret_handle = (handle_t)(uintptr_t)handle;
    return RPC_S_OK;
}

/* Replaces what the handle is and how far it has come. */
static void restart(struct mes_handle *mes, const struct mes_handle *settings)
{
    free(mes->gathered);
    struct mes_handle fresh = *settings;
    counted_init(&fresh.object, mes_destroy);
    memcpy((uint8_t *)mes + sizeof(mes->object), (uint8_t *)&fresh + sizeof(fresh.object),
           sizeof(fresh) - sizeof(fresh.object));
}

RPC_STATUS MesHandleFree(handle_t Handle)
{
    struct mes_handle *mes = mes_handle_get(Handle);
    if (!mes)
        return RPC_S_INVALID_ARG;
    handle_close((uint64_t)(uintptr_t)Handle, RPC_S_INVALID_ARG);
    mes_handle_put(mes);
    return RPC_S_OK;
}

/* ---- Incremental -------------------------------------------------------------------- */

static bool has_routines(const struct mes_handle *mes)
{
    return mes_encodes(mes) ? mes->alloc && mes->write : mes->read != NULL;
}

RPC_STATUS MesEncodeIncrementalHandleCreate(void *UserState, MIDL_ES_ALLOC AllocFn,
                                            MIDL_ES_WRITE WriteFn, handle_t *pHandle)
{
    const struct mes_handle mes = {.style = MES_INCREMENTAL_HANDLE,
                                   .operation = MES_ENCODE,
                                   .state = UserState,
                                   .alloc = AllocFn,
                                   .write = WriteFn};
    if (!pHandle || !has_routines(&mes))
        return RPC_S_INVALID_ARG;
    return publish(&mes, pHandle);
}

RPC_STATUS MesDecodeIncrementalHandleCreate(void *UserState, MIDL_ES_READ ReadFn, handle_t *pHandle)
{
    const struct mes_handle mes = {.style = MES_INCREMENTAL_HANDLE,
                                   .operation = MES_DECODE,
                                   .state = UserState,
                                   .read = ReadFn};
    if (!pHandle || !has_routines(&mes))
        return RPC_S_INVALID_ARG;
    return publish(&mes, pHandle);
}

static bool is_operation(MIDL_ES_CODE operation)
{
    return operation == MES_ENCODE || operation == MES_DECODE || operation == MES_ENCODE_NDR64;
}

RPC_STATUS MesIncrementalHandleReset(handle_t Handle, void *UserState, MIDL_ES_ALLOC AllocFn,
                                     MIDL_ES_WRITE WriteFn, MIDL_ES_READ ReadFn,
                                     MIDL_ES_CODE Operation)
{
    struct mes_handle *mes = mes_handle_get(Handle);
    if (!mes)
        return RPC_S_INVALID_ARG;
    const struct mes_handle fresh = {.style = MES_INCREMENTAL_HANDLE,
                                     .operation = Operation,
                                     .state = UserState ? UserState : mes->state,
                                     .alloc = AllocFn ? AllocFn : mes->alloc,
                                     .write = WriteFn ? WriteFn : mes->write,
                                     .read = ReadFn ? ReadFn : mes->read};
    RPC_STATUS status = RPC_S_INVALID_ARG;
    if (mes->style == MES_INCREMENTAL_HANDLE && is_operation(Operation) && has_routines(&fresh)) {
        restart(mes, &fresh);
        status = RPC_S_OK;
    }
    mes_handle_put(mes);
    return status;
}

/* ---- Buffers ------------------------------------------------------------------------- */

/* What the settings of a fixed buffer, or one to decode, must be. */
static RPC_STATUS check_buffer(const struct mes_handle *mes)
{
    uint32_t align = alignment(mes->operation);
    if (!mes->buffer || (mes_encodes(mes) && !mes->ret_size))
        return RPC_S_INVALID_ARG;
    /* The size may be a multiple of 8 in NDR64, too: only what is written has to fit. */
    return is_aligned(mes->buffer, align) && mes->size % ALIGN_NDR == 0 ? RPC_S_OK
                                                                        : RPC_X_INVALID_BUFFER;
}

RPC_STATUS MesEncodeFixedBufferHandleCreate(char *pBuffer, unsigned long BufferSize,
                                            unsigned long *pEncodedSize, handle_t *pHandle)
{
    const struct mes_handle mes = {.style = MES_FIXED_BUFFER_HANDLE,
                                   .operation = MES_ENCODE,
                                   .buffer = (uint8_t *)pBuffer,
                                   .size = BufferSize,
                                   .ret_size = pEncodedSize};
    RPC_STATUS status = pHandle ? check_buffer(&mes) : RPC_S_INVALID_ARG;
    if (status == RPC_S_OK)
        status = publish(&mes, pHandle);
    if (status == RPC_S_OK)
        *pEncodedSize = 0;
    return status;
}

RPC_STATUS MesEncodeDynBufferHandleCreate(char **pBuffer, unsigned long *pEncodedSize,
                                          handle_t *pHandle)
{
    const struct mes_handle mes = {.style = MES_DYNAMIC_BUFFER_HANDLE,
                                   .operation = MES_ENCODE,
                                   .ret_buffer = pBuffer,
                                   .ret_size = pEncodedSize};
    if (!pBuffer || !pEncodedSize || !pHandle)
        return RPC_S_INVALID_ARG;
    RPC_STATUS status = publish(&mes, pHandle);
    if (status == RPC_S_OK) {
        *pBuffer = NULL;
        *pEncodedSize = 0;
    }
    return status;
}

RPC_STATUS MesDecodeBufferHandleCreate(char *Buffer, unsigned long BufferSize, handle_t *pHandle)
{
    const struct mes_handle mes = {.style = MES_FIXED_BUFFER_HANDLE,
                                   .operation = MES_DECODE,
                                   .buffer = (uint8_t *)Buffer,
                                   .size = BufferSize};
    RPC_STATUS status = pHandle ? check_buffer(&mes) : RPC_S_INVALID_ARG;
    return status == RPC_S_OK ? publish(&mes, pHandle) : status;
}

static RPC_STATUS reset_buffer(struct mes_handle *mes, unsigned long style, MIDL_ES_CODE operation,
                               char **buffer, unsigned long size, unsigned long *ret_size)
{
    bool is_dynamic = style == MES_DYNAMIC_BUFFER_HANDLE;
    if (mes->style == MES_INCREMENTAL_HANDLE || !is_operation(operation) || !buffer ||
        (style != MES_FIXED_BUFFER_HANDLE && !is_dynamic))
        return RPC_S_INVALID_ARG;
    struct mes_handle fresh = {.style =
                                   is_dynamic ? MES_DYNAMIC_BUFFER_HANDLE : MES_FIXED_BUFFER_HANDLE,
                               .operation = operation};
    RPC_STATUS status = RPC_S_OK;
    if (is_dynamic && operation != MES_DECODE) {
        fresh.ret_buffer = buffer;
        fresh.ret_size = ret_size;
        if (!ret_size)
            return RPC_S_INVALID_ARG;
        *buffer = NULL;
    } else {
        fresh.buffer = (uint8_t *)*buffer;
        fresh.size = size;
        fresh.ret_size = operation == MES_DECODE ? NULL : ret_size;
        status = check_buffer(&fresh);
    }
    if (status != RPC_S_OK)
        return status;
    if (fresh.ret_size)
        *fresh.ret_size = 0;
    restart(mes, &fresh);
    return RPC_S_OK;
}

RPC_STATUS MesBufferHandleReset(handle_t Handle, unsigned long HandleStyle, MIDL_ES_CODE Operation,
                                char **pBuffer, unsigned long BufferSize,
                                unsigned long *pEncodedSize)
{
    struct mes_handle *mes = mes_handle_get(Handle);
    if (!mes)
        return RPC_S_INVALID_ARG;
    RPC_STATUS status =
        reset_buffer(mes, HandleStyle, Operation, pBuffer, BufferSize, pEncodedSize);
    mes_handle_put(mes);
    return status;
}

/* ---- The program's routines ------------------------------------------------------------ */

struct routine {
    const struct mes_handle *mes;
    char *buffer;
    unsigned int size;
};

static void call_alloc(void *arg)
{
    struct routine *routine = arg;
    routine->mes->alloc(routine->mes->state, &routine->buffer, &routine->size);
}

static void call_write(void *arg)
{
    struct routine *routine = arg;
    routine->mes->write(routine->mes->state, routine->buffer, routine->size);
}

static void call_read(void *arg)
{
    struct routine *routine = arg;
    routine->mes->read(routine->mes->state, &routine->buffer, &routine->size);
}

/* RPC_S_OK, or what it raised. */
static RPC_STATUS run(void (*fn)(void *arg), struct routine *routine)
{
    bool raised;
    RPC_STATUS status = exception_run(fn, routine, &raised);
    return raised && status == RPC_S_OK ? RPC_S_INTERNAL_ERROR : status;
}

/* ---- Octets out ------------------------------------------------------------------------ */

static RPC_STATUS give_piece(struct mes_handle *mes, const uint8_t *octets, size_t len,
                             size_t *ret_given)
{
    uint32_t align = alignment(mes->operation);
    struct routine routine = {.mes = mes, .size = (unsigned int)len};
    RPC_STATUS status = run(call_alloc, &routine);
    if (status != RPC_S_OK)
        return status;
    if (!routine.buffer)
        return RPC_S_OUT_OF_MEMORY;
    if (routine.size > len)
        routine.size = (unsigned int)len;
    if (routine.size == 0 || routine.size % align != 0 || !is_aligned(routine.buffer, align))
        return RPC_X_INVALID_BUFFER;
    memcpy(routine.buffer, octets, routine.size);
    *ret_given = routine.size;
    return run(call_write, &routine);
}

static RPC_STATUS give_incremental(struct mes_handle *mes, const uint8_t *octets, size_t len)
{
    for (size_t done = 0, given = 0; done < len; done += given) {
        RPC_STATUS status = give_piece(mes, octets + done, len - done, &given);
        if (status != RPC_S_OK) {
            mes->broken = true;
            return status;
        }
    }
    return RPC_S_OK;
}

static RPC_STATUS give_dynamic(struct mes_handle *mes, const uint8_t *octets, size_t len,
                               const struct ndr_memory *memory)
{
    size_t old_len = (size_t)mes->pos;
    if (len > SIZE_MAX - old_len)
        return RPC_S_OUT_OF_MEMORY;
    uint8_t *buffer = memory->allocate(old_len + len);
    if (!buffer)
        return RPC_S_OUT_OF_MEMORY;
    copy_octets(buffer, mes->buffer, old_len);
    copy_octets(buffer + old_len, octets, len);
    if (mes->buffer)
        mes->release(mes->buffer);
    mes->buffer = buffer;
    mes->release = memory->free;
    *mes->ret_buffer = (char *)buffer;
    return RPC_S_OK;
}

RPC_STATUS mes_give(struct mes_handle *mes, const uint8_t *octets, size_t len,
                    const struct ndr_memory *memory)
{
    RPC_STATUS status = RPC_S_OK;
    switch (mes->style) {
    case MES_INCREMENTAL_HANDLE:
        status = give_incremental(mes, octets, len);
        break;
    case MES_FIXED_BUFFER_HANDLE:
        if (len > mes->size - (size_t)mes->pos)
            return RPC_X_INVALID_BUFFER;
        memcpy(mes->buffer + mes->pos, octets, len);
        break;
    case MES_DYNAMIC_BUFFER_HANDLE:
        status = give_dynamic(mes, octets, len, memory);
        break;
    }
    if (status != RPC_S_OK)
        return status;
    mes->pos += len;
    if (mes->ret_size)
        *mes->ret_size = (unsigned long)mes->pos;
    return RPC_S_OK;
}

/* ---- Octets in ------------------------------------------------------------------------- */

size_t mes_left(const struct mes_handle *mes)
{
    return mes->style == MES_INCREMENTAL_HANDLE ? SIZE_MAX : mes->size - (size_t)mes->pos;
}

/* Appends what a Read gave to what others gave. */
static RPC_STATUS gather(struct mes_handle *mes, size_t have, const struct routine *routine)
{
    uint8_t *grown = realloc(mes->gathered, have + routine->size);
    if (!grown)
        return RPC_S_OUT_OF_MEMORY;
    mes->gathered = grown;
    memcpy(grown + have, routine->buffer, routine->size);
    return RPC_S_OK;
}

static RPC_STATUS take_incremental(struct mes_handle *mes, size_t len, const uint8_t **ret_octets)
{
    for (size_t have = 0; have < len;) {
        unsigned int wanted = (unsigned int)(len - have); /* headers count in 32 bits */
        struct routine routine = {.mes = mes, .size = wanted};
        RPC_STATUS status = run(call_read, &routine);
        if (status != RPC_S_OK)
            return status;
        if (!routine.buffer || routine.size == 0 || routine.size > wanted)
            return RPC_X_INVALID_BUFFER;
        if (routine.size == len) {
            *ret_octets = (uint8_t *)routine.buffer;
            return RPC_S_OK;
        }
        status = gather(mes, have, &routine);
        if (status != RPC_S_OK)
            return status;
        have += routine.size;
    }
    *ret_octets = mes->gathered;
    return RPC_S_OK;
}

RPC_STATUS mes_take(struct mes_handle *mes, size_t len, const uint8_t **ret_octets)
{
    static const uint8_t none[1];
    RPC_STATUS status = RPC_S_OK;
    *ret_octets = none;
    if (len > mes_left(mes))
        return RPC_X_INVALID_BUFFER;
    if (len > 0 && mes->style == MES_INCREMENTAL_HANDLE)
        status = take_incremental(mes, len, ret_octets);
    else if (len > 0)
        *ret_octets = mes->buffer + mes->pos;
    if (status == RPC_S_OK)
        mes->pos += len;
    return status;
}

RPC_STATUS mes_take_padding(struct mes_handle *mes, uint32_t align)
{
    size_t gap = (size_t)(-mes->pos & (align - 1));
    const uint8_t *padding;
    return mes_take(mes, gap < mes_left(mes) ? gap : mes_left(mes), &padding);
}
