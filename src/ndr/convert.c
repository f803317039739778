/* SPDX-License-Identifier: MIT */
/* convert.c - see convert.h. */
#include "ndr/convert.h"

#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "ndr/writer.h"

/* Of blocks: the strictest of any transfer syntax, and malloc's. */
#define BLOCK_ALIGN 16u

/* wtypes.h: MSHCTX_DIFFERENTMACHINE.  Microsoft's engine says so of every remote call. */
#define CONTEXT_DIFFERENT_MACHINE 2u
/* C706 14.1, as the high word of the flags has it: ASCII, IEEE. */
#define FLAGS_LITTLE_ENDIAN 0x00100000u

/* ---- Calls ------------------------------------------------------------------------------ */

enum step { TO_WIRE, FROM_WIRE, FREE_WIRE, FREE_VALUE, SIZE, MARSHAL, UNMARSHAL };

struct call {
    const NDR_TYPE *type;
    enum step step;
    void *value;
    void *wire;
    USER_MARSHAL_CB cb;
    unsigned long start, end; /* SIZE */
    unsigned char *position;  /* MARSHAL, UNMARSHAL: from where to where */
};

static void take_step(void *arg)
{
    struct call *call = arg;
    const NDR_CONVERSION *how = call->type->conversion;
    switch (call->step) {
    case TO_WIRE:
        how->to_wire(call->value, &call->wire);
        break;
    case FROM_WIRE:
        how->from_wire(call->wire, call->value);
        break;
    case FREE_WIRE:
        how->free_wire(call->wire);
        break;
    case FREE_VALUE:
        if (how->user_free)
            how->user_free(&call->cb.Flags, call->value);
        else if (how->free_value)
            how->free_value(call->value);
        break;
    case SIZE:
        call->end = how->user_size(&call->cb.Flags, call->start, call->value);
        break;
    case MARSHAL:
        call->position = how->user_marshal(&call->cb.Flags, call->position, call->value);
        break;
    case UNMARSHAL:
        call->position = how->user_unmarshal(&call->cb.Flags, call->position, call->value);
        break;
    }
}

static RPC_STATUS make(const struct ndr_memory *memory, struct call *call, bool *ret_raised)
{
    RPC_STATUS status = RPC_S_OK;
    *ret_raised = false;
    if (memory->run)
        status = memory->run(take_step, call, ret_raised);
    else
        take_step(call);
    if (!*ret_raised)
        return RPC_S_OK;
    return status != RPC_S_OK ? status : RPC_S_CALL_FAILED;
}

static struct call call_of(const struct ndr_memory *memory, const NDR_TYPE *type, const void *value,
                           USER_MARSHAL_CB_TYPE what, bool little_endian)
{
    return (struct call){
        .type = type,
        .value = (void *)(uintptr_t)value,
        .cb = {
            .Flags = CONTEXT_DIFFERENT_MACHINE | (little_endian ? FLAGS_LITTLE_ENDIAN : 0),
            .Signature = USER_MARSHAL_CB_SIGNATURE,
            .CBType = what,
            .Info = {.pfnAllocate = memory->allocate, .pfnFree = memory->free},
        },
    };
}

static RPC_STATUS simple(const struct ndr_memory *memory, const NDR_TYPE *type, enum step step,
                         void *wire, void *value)
{
    bool raised;
    struct call call =
        call_of(memory, type, value, USER_MARSHAL_CB_FREE, NDR_HOST_LITTLE_ENDIAN);
    call.step = step;
    call.wire = wire;
    return make(memory, &call, &raised);
}

RPC_STATUS ndr_convert_to_wire(const struct ndr_memory *memory, const NDR_TYPE *type,
                               const void *value, void **ret_wire)
{
    bool raised;
    struct call call =
        call_of(memory, type, value, USER_MARSHAL_CB_MARSHALL, NDR_HOST_LITTLE_ENDIAN);
    call.step = TO_WIRE;
    RPC_STATUS status = make(memory, &call, &raised);
    if (status == RPC_S_OK && !call.wire)
        status = RPC_S_OUT_OF_MEMORY; /* why else would it give nothing? */
    *ret_wire = status == RPC_S_OK ? call.wire : NULL;
    return status;
}

RPC_STATUS ndr_convert_from_wire(const struct ndr_memory *memory, const NDR_TYPE *type, void *wire,
                                 void *value)
{
    return simple(memory, type, FROM_WIRE, wire, value);
}

RPC_STATUS ndr_convert_free_wire(const struct ndr_memory *memory, const NDR_TYPE *type, void *wire)
{
    return simple(memory, type, FREE_WIRE, wire, NULL);
}

RPC_STATUS ndr_convert_free_value(const struct ndr_memory *memory, const NDR_TYPE *type,
                                  void *value)
{
    return simple(memory, type, FREE_VALUE, NULL, value);
}

/* ---- Blocks ------------------------------------------------------------------------------ */

bool ndr_block_init(struct ndr_block *block, uint64_t start, size_t len,
                    void *(*reallocate)(void *old, size_t size))
{
    size_t skew = start & (BLOCK_ALIGN - 1);
    if (len > SIZE_MAX - BLOCK_ALIGN)
        return false;
    size_t size = skew + len > 0 ? skew + len : 1; /* not more: overruns show in tests */
    block->memory = reallocate ? reallocate(NULL, size) : malloc(size);
    if (!block->memory)
        return false;
    memset(block->memory, 0, size);
    block->octets = block->memory + skew;
    block->len = len;
    return true;
}

void ndr_block_fini(struct ndr_block *block)
{
    free(block->memory);
    *block = (struct ndr_block){0};
}

/* ---- Octets ------------------------------------------------------------------------------- */

uint32_t ndr_user_align(const NDR_TYPE *wire)
{
    size_t base, offset;
    if (ndr_is_conformant(wire) || ndr_conformant_tail(wire, &base, &offset))
        return ndr20_rules.count_size;
    if (wire->kind == NDR_KIND_UNION) /* where its discriminant may begin */
        return ndr_scalar_wire_size(&ndr20_rules, wire->alternatives->switch_kind);
    return ndr_align(&ndr20_rules, wire);
}

RPC_STATUS ndr_convert_unmarshal(const struct ndr_memory *memory, const NDR_TYPE *type,
                                 const struct ndr_block *octets, bool little_endian, void *value,
                                 bool *ret_filled)
{
    bool raised;
    struct call call = call_of(memory, type, value, USER_MARSHAL_CB_UNMARSHALL, little_endian);
    call.step = UNMARSHAL;
    call.cb.Info.Buffer = call.position = octets->octets;
    call.cb.Info.BufferSize = octets->len;
    RPC_STATUS status = make(memory, &call, &raised);
    *ret_filled = !raised;
    if (status != RPC_S_OK)
        return status;
    uintptr_t first = (uintptr_t)octets->octets, end = (uintptr_t)call.position;
    return end >= first && end - first <= octets->len ? RPC_S_OK : RPC_X_INVALID_BUFFER;
}

/* Octets the value takes at most from stub offset `start` on.  The size routine is not asked
 * when the wire type has only one size (Microsoft: type_UserSize). */
static RPC_STATUS room_of(const struct ndr_memory *memory, const NDR_TYPE *type, const void *value,
                          uint64_t start, size_t limit, size_t *ret_room, bool *ret_is_fixed)
{
    struct ndr_element_layout layout;
    bool raised;
    *ret_is_fixed = ndr_fixed_layout(&ndr20_rules, ndr_user_wire(type), &layout);
    *ret_room = layout.size;
    if (*ret_is_fixed)
        return RPC_S_OK;
    struct call call =
        call_of(memory, type, value, USER_MARSHAL_CB_BUFFER_SIZE, NDR_HOST_LITTLE_ENDIAN);
    call.step = SIZE;
    call.start = (unsigned long)start;
    RPC_STATUS status = make(memory, &call, &raised);
    if (status != RPC_S_OK)
        return status;
    if (call.end < call.start)
        return RPC_X_INVALID_BUFFER;
    *ret_room = call.end - call.start;
    return *ret_room > limit ? RPC_S_OUT_OF_RESOURCES : RPC_S_OK;
}

/* Lets the program write its value, which begins at stub offset `start`; gives *ret_block. */
static RPC_STATUS marshal(const struct ndr_writer *writer, const NDR_TYPE *type, const void *value,
                          uint64_t start, struct ndr_block *ret_block)
{
    const struct ndr_memory *memory = writer->memory;
    size_t room, limit = writer->len_max ? writer->len_max : NDR_WRITER_LEN_MAX;
    bool is_fixed, raised;
    RPC_STATUS status = room_of(memory, type, value, start, limit, &room, &is_fixed);
    if (status != RPC_S_OK)
        return status;
    if (!ndr_block_init(ret_block, start, room, writer->reallocate))
        return RPC_S_OUT_OF_MEMORY;
    struct call call =
        call_of(memory, type, value, USER_MARSHAL_CB_MARSHALL, NDR_HOST_LITTLE_ENDIAN);
    call.step = MARSHAL;
    call.cb.Info.Buffer = call.position = ret_block->octets;
    call.cb.Info.BufferSize = room;
    status = make(memory, &call, &raised);
    if (status == RPC_S_OK) {
        uintptr_t first = (uintptr_t)ret_block->octets, end = (uintptr_t)call.position;
        if (end < first || end - first > room || (is_fixed && end - first != room))
            status = RPC_X_INVALID_BUFFER;
        else
            ret_block->len = end - first;
    }
    if (status != RPC_S_OK)
        ndr_block_fini(ret_block);
    return status;
}

/* NDR64: the routines know NDR 2.0 only. */
static void write_again(struct ndr_writer *writer, const NDR_TYPE *type,
                        const struct ndr_block *block, uint32_t *referent)
{
    struct ndr_reader reader = {
        .octets = block->octets,
        .len = block->len,
        .little_endian = NDR_HOST_LITTLE_ENDIAN,
        .last = true,
        .reallocate = writer->reallocate,
    };
    RPC_STATUS status = ndr_transcode(&reader, ndr_user_wire(type), writer, referent);
    if (status != RPC_S_OK)
        ndr_writer_fail(writer,
                        status == RPC_X_BAD_STUB_DATA ? RPC_X_INVALID_BUFFER : status);
}

void ndr_user_write(struct ndr_writer *writer, const NDR_TYPE *type, const void *value,
                    uint32_t *referent)
{
    struct ndr_block block = {0};
    if (!writer->ndr64)
        ndr_writer_align(writer, ndr_user_align(ndr_user_wire(type)));
    if (writer->status != RPC_S_OK)
        return;
    uint64_t start = writer->ndr64 ? 0 : writer->origin + writer->len;
    RPC_STATUS status = marshal(writer, type, value, start, &block);
    if (status != RPC_S_OK) {
        ndr_writer_fail(writer, status);
    } else if (writer->ndr64) {
        write_again(writer, type, &block, referent);
    } else {
        uint8_t *out = ndr_writer_extend(writer, block.len);
        if (out && block.len > 0)
            memcpy(out, block.octets, block.len);
    }
    ndr_block_fini(&block);
}
