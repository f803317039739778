/* SPDX-License-Identifier: MIT */
/* mes.c - serialisation as generated stubs ask for it (midles.h): values to octets with
 * headers and back.  The layout of both is docs/design/pickling.md's.
 *
 *   encode   headers are left open, the value is written behind them, the headers filled,
 *            all given to the handle in one piece
 *   decode   headers, which say how long the value is, then the value in one piece
 *
 * Exceptions are raised as the last act. */
#include <string.h>

#include <penstock/midles.h>
#include <penstock/rpc.h>

#include "ndr/layout.h"
#include "ndr/writer.h"
#include "runtime/call.h"
#include "runtime/characters.h"
#include "runtime/exception.h"
#include "runtime/memory_env.h"
#include "runtime/mes_handle.h"
#include "runtime/ndr_api.h"
#include "wire/wire.h"

/* What objects are allocated and freed with, as in a client's stubs. */
static struct ndr_memory memory_of(const RPC_CLIENT_INTERFACE *spec)
{
    struct ndr_memory memory = {.run = exception_run};
    memory_client_routines(&memory.allocate, &memory.free);
    if (!memory.allocate) {
        memory.allocate = spec->InterpreterInfo->allocate;
        memory.free = spec->InterpreterInfo->free;
    }
    return memory;
}

static struct pdu_syntax syntax_of(const RPC_CLIENT_INTERFACE *spec)
{
    return (struct pdu_syntax){.uuid = spec->InterfaceId.SyntaxGUID,
                               .major = spec->InterfaceId.SyntaxVersion.MajorVersion,
                               .minor = spec->InterfaceId.SyntaxVersion.MinorVersion};
}

static RPC_STATUS status_of(enum pickle_verdict verdict)
{
    switch (verdict) {
    case PICKLE_OK:
        return RPC_S_OK;
    case PICKLE_WRONG_VERSION:
        return RPC_X_WRONG_ES_VERSION;
    case PICKLE_WRONG_SYNTAX:
        return RPC_S_UNSUPPORTED_TRANS_SYN;
    }
    return RPC_S_INTERNAL_ERROR;
}

/* The handle behind `handle`, counted, if it works in this direction. */
static RPC_STATUS open_handle(handle_t handle, bool encode, struct mes_handle **ret_mes)
{
    struct mes_handle *mes = mes_handle_get(handle);
    if (!mes)
        return RPC_S_INVALID_ARG;
    if (mes->broken || mes_encodes(mes) != encode) {
        mes_handle_put(mes);
        return RPC_X_INVALID_ES_ACTION;
    }
    *ret_mes = mes;
    return RPC_S_OK;
}

/* A buffer can be read again, what Read gave cannot. */
static void stand_still(struct mes_handle *mes, uint64_t pos)
{
    if (mes->style == MES_INCREMENTAL_HANDLE)
        mes->broken = true;
    else
        mes->pos = pos;
}

/* ---- Types: encoding ------------------------------------------------------------------ */

/* One type as an operation with one parameter, so that the engine takes it. */
static NDR_OPERATION operation_of(const NDR_PARAM *type)
{
    return (NDR_OPERATION){
        .name = type->name, .frame_size = sizeof(void *), .param_count = 1, .params = type};
}

/* Primitive types have no private header in version 1 (MS-RPCE 2.2.6.3). */
static bool has_private(const struct pickle_types *types, const NDR_PARAM *type)
{
    return types->version == 2 || ndr_scalar_memory_size(type->type->element->kind) == 0;
}

static struct pickle_types types_for(const struct mes_handle *mes)
{
    bool ndr64 = mes->operation == MES_ENCODE_NDR64;
    if (mes->types_known)
        return mes->types;
    return (struct pickle_types){
        .version = ndr64 ? 2 : 1, .little_endian = NDR_HOST_LITTLE_ENDIAN, .ndr64 = ndr64};
}

/* All octets of the next encoding into `writer`. */
static RPC_STATUS encode_object(const struct mes_handle *mes, const RPC_CLIENT_INTERFACE *spec,
                                const NDR_PARAM *type, const void *object,
                                const struct ndr_memory *memory, struct ndr_writer *writer)
{
    const struct pickle_types types = types_for(mes);
    const NDR_OPERATION operation = operation_of(type);
    const struct pdu_syntax interface = syntax_of(spec);
    size_t common_len = mes->types_known ? 0 : pickle_common_len(types.version);
    size_t headers_len =
        common_len + (has_private(&types, type) ? pickle_private_len(types.version) : 0);
    if (types.version == 2 && !types.little_endian)
        return RPC_S_CANNOT_SUPPORT; /* version 2 is little-endian, our integers are not */
    writer->ndr64 = types.ndr64;
    writer->memory = memory;
    ndr_writer_extend(writer, headers_len);
    if (writer->status == RPC_S_OK)
        ndr_encode_params(writer, &operation, &object, NDR_PARAM_IN);
    ndr_writer_align(writer, pickle_align(types.version));
    if (writer->status != RPC_S_OK)
        return writer->status;
    struct wire_writer headers;
    wire_writer_init(&headers, writer->octets, headers_len);
    if (common_len > 0)
        pickle_put_types(&headers, &types, &interface);
    if (headers_len > common_len)
        pickle_put_private(&headers, &types, (uint32_t)(writer->len - headers_len));
    return RPC_S_OK;
}

void NdrxMesTypeEncode(handle_t handle, const RPC_CLIENT_INTERFACE *interface_spec,
                       const NDR_PARAM *type, const void *object)
{
    struct mes_handle *mes;
    RPC_STATUS status = open_handle(handle, true, &mes);
    if (status != RPC_S_OK)
        RpcRaiseException(status);
    const struct ndr_memory memory = memory_of(interface_spec);
    struct ndr_writer writer;
    ndr_writer_init(&writer);
    status = encode_object(mes, interface_spec, type, object, &memory, &writer);
    if (status == RPC_S_OK)
        status = mes_give(mes, writer.octets, writer.len, &memory);
    if (status == RPC_S_OK) {
        mes->types = types_for(mes);
        mes->types_known = true;
        mes->proc_known = false;
    }
    ndr_writer_fini(&writer);
    mes_handle_put(mes);
    if (status != RPC_S_OK)
        RpcRaiseException(status);
}

size_t NdrxMesTypeAlignSize(handle_t handle, const RPC_CLIENT_INTERFACE *interface_spec,
                            const NDR_PARAM *type, const void *object)
{
    struct mes_handle *mes;
    RPC_STATUS status = open_handle(handle, true, &mes);
    if (status != RPC_S_OK)
        RpcRaiseException(status);
    const struct ndr_memory memory = memory_of(interface_spec);
    struct ndr_writer writer;
    ndr_writer_init(&writer);
    status = encode_object(mes, interface_spec, type, object, &memory, &writer);
    size_t size = writer.len;
    ndr_writer_fini(&writer);
    mes_handle_put(mes);
    if (status != RPC_S_OK)
        RpcRaiseException(status);
    return size;
}

/* ---- Types: decoding ------------------------------------------------------------------ */

static RPC_STATUS take_common(struct mes_handle *mes, struct pickle_types *ret_types)
{
    uint8_t header[PICKLE_COMMON_2_LEN];
    const uint8_t *octets;
    uint8_t version;
    RPC_STATUS status = mes_take(mes, PICKLE_COMMON_1_LEN, &octets);
    if (status != RPC_S_OK)
        return status;
    memcpy(header, octets, PICKLE_COMMON_1_LEN);
    status = status_of(pickle_peek_types(header, &version));
    if (status != RPC_S_OK)
        return status;
    size_t more = pickle_common_len(version) - PICKLE_COMMON_1_LEN;
    status = mes_take(mes, more, &octets);
    if (status != RPC_S_OK)
        return status;
    memcpy(header + PICKLE_COMMON_1_LEN, octets, more);
    return status_of(pickle_get_types(header, ret_types));
}

/* The octets of the next object: what its private header, or its size, says. */
static RPC_STATUS take_object(struct mes_handle *mes, const struct pickle_types *types,
                              const NDR_PARAM *type, const uint8_t **ret_octets, size_t *ret_len)
{
    uint32_t align = pickle_align(types->version);
    RPC_STATUS status = mes_take_padding(mes, align);
    if (status != RPC_S_OK)
        return status;
    if (has_private(types, type)) {
        status = mes_take(mes, pickle_private_len(types->version), ret_octets);
        if (status != RPC_S_OK)
            return status;
        *ret_len = pickle_get_private(*ret_octets, types);
    } else {
        /* The padding of the last one may be missing. */
        size_t size = ndr_scalar_wire_size(&ndr20_rules, type->type->element->kind);
        *ret_len = (size + align - 1) & ~(size_t)(align - 1);
        if (*ret_len > mes_left(mes))
            *ret_len = size;
    }
    return mes_take(mes, *ret_len, ret_octets);
}

static RPC_STATUS decode(const NDR_OPERATION *operation, void *frame, struct ndr_reader *reader,
                         const RPC_CLIENT_INTERFACE *spec)
{
    const struct ndr_memory memory = memory_of(spec);
    reader->last = true;
    if (ndr_decode_params(reader, operation, frame, NDR_PARAM_OUT, &memory) != NDR_DONE)
        return reader->status;
    return RPC_S_OK;
}

static RPC_STATUS decode_object(struct mes_handle *mes, const RPC_CLIENT_INTERFACE *spec,
                                const NDR_PARAM *type, void *object)
{
    const NDR_OPERATION operation = operation_of(type);
    struct pickle_types types = mes->types;
    struct ndr_reader reader = {0};
    RPC_STATUS status = RPC_S_OK;
    if (!mes->types_known)
        status = take_common(mes, &types);
    if (status == RPC_S_OK)
        status = take_object(mes, &types, type, &reader.octets, &reader.len);
    if (status != RPC_S_OK)
        return status;
    reader.little_endian = types.little_endian;
    reader.ndr64 = types.ndr64;
    status = decode(&operation, &object, &reader, spec);
    if (status == RPC_S_OK) {
        mes->types = types;
        mes->types_known = true;
    }
    return status;
}

void NdrxMesTypeDecode(handle_t handle, const RPC_CLIENT_INTERFACE *interface_spec,
                       const NDR_PARAM *type, void *object)
{
    struct mes_handle *mes;
    RPC_STATUS status = open_handle(handle, false, &mes);
    if (status != RPC_S_OK)
        RpcRaiseException(status);
    uint64_t pos = mes->pos;
    if (mes->proc_known) { /* an operation comes next: its header was read */
        status = RPC_X_WRONG_ES_VERSION;
    } else {
        status = decode_object(mes, interface_spec, type, object);
        if (status != RPC_S_OK)
            stand_still(mes, pos);
    }
    mes_handle_put(mes);
    if (status != RPC_S_OK)
        RpcRaiseException(status);
}

void NdrxMesTypeFree(handle_t handle, const RPC_CLIENT_INTERFACE *interface_spec,
                     const NDR_PARAM *type, void *object)
{
    (void)handle;
    if (!object)
        return;
    /* By value: the object itself is the caller's. */
    const NDR_PARAM value = {.name = type->name, .type = type->type->element, .flags = type->flags};
    const NDR_OPERATION operation = operation_of(&value);
    const struct ndr_memory memory = memory_of(interface_spec);
    ndr_free_params(&operation, object, &memory);
}

/* ---- Operations ------------------------------------------------------------------------ */

static RPC_STATUS encode_proc(struct mes_handle *mes, const RPC_CLIENT_INTERFACE *spec,
                              const NDR_OPERATION *op, const void *frame)
{
    const struct ndr_memory memory = memory_of(spec);
    struct pickle_proc proc = {.little_endian = NDR_HOST_LITTLE_ENDIAN,
                               .ndr64 = mes->operation == MES_ENCODE_NDR64,
                               .interface = syntax_of(spec),
                               .opnum = op->opnum};
    struct ndr_writer writer;
    ndr_writer_init(&writer);
    writer.ndr64 = proc.ndr64;
    writer.memory = &memory;
    ndr_writer_extend(&writer, PICKLE_PROC_LEN);
    if (writer.status == RPC_S_OK)
        ndr_encode_params(&writer, op, frame, NDR_PARAM_IN);
    ndr_writer_align(&writer, pickle_align(proc.ndr64 ? 2 : 1));
    RPC_STATUS status = writer.status;
    if (status == RPC_S_OK) {
        struct wire_writer header;
        proc.len = (uint32_t)(writer.len - PICKLE_PROC_LEN);
        wire_writer_init(&header, writer.octets, PICKLE_PROC_LEN);
        pickle_put_proc(&header, &proc);
        status = mes_give(mes, writer.octets, writer.len, &memory);
    }
    ndr_writer_fini(&writer);
    if (status != RPC_S_OK)
        return status;
    mes->proc = proc;
    mes->proc_known = true;
    trace_values(op, frame, NDR_PARAM_IN, true);
    return RPC_S_OK;
}

/* Reads the header of the next operation ahead, unless it was. */
static RPC_STATUS take_proc_header(struct mes_handle *mes)
{
    const uint8_t *octets;
    uint64_t pos = mes->pos;
    if (mes->proc_known)
        return RPC_S_OK;
    RPC_STATUS status = mes_take_padding(mes, pickle_align(1));
    if (status == RPC_S_OK)
        status = mes_take(mes, PICKLE_PROC_LEN, &octets);
    if (status == RPC_S_OK)
        status = status_of(pickle_get_proc(octets, &mes->proc));
    mes->proc_known = status == RPC_S_OK;
    if (status != RPC_S_OK)
        stand_still(mes, pos);
    return status;
}

/* The interface that encoded may be an older version of this one. */
static bool is_known(const struct pdu_syntax *theirs, const RPC_CLIENT_INTERFACE *spec)
{
    const struct pdu_syntax ours = syntax_of(spec);
    return memcmp(&theirs->uuid, &ours.uuid, sizeof(ours.uuid)) == 0 &&
           theirs->major == ours.major && theirs->minor <= ours.minor;
}

/* The parameters behind a header.  Without a length in it they go as far as they go. */
static RPC_STATUS decode_params(struct mes_handle *mes, const RPC_CLIENT_INTERFACE *spec,
                                const NDR_OPERATION *op, void *frame)
{
    size_t left = mes_left(mes);
    bool is_open = mes->proc.len == 0 && left != SIZE_MAX;
    uint64_t start = mes->pos;
    struct ndr_reader reader = {.len = is_open ? left : mes->proc.len,
                                .little_endian = mes->proc.little_endian,
                                .ndr64 = mes->proc.ndr64};
    RPC_STATUS status = mes_take(mes, reader.len, &reader.octets);
    if (status == RPC_S_OK)
        status = decode(op, frame, &reader, spec);
    if (status != RPC_S_OK) {
        stand_still(mes, start);
        return status;
    }
    if (is_open)
        mes->pos = start + reader.pos;
    mes->proc_known = false;
    trace_values(op, frame, NDR_PARAM_OUT, false);
    return RPC_S_OK;
}

static RPC_STATUS decode_proc(struct mes_handle *mes, const RPC_CLIENT_INTERFACE *spec,
                              const NDR_OPERATION *op, void *frame)
{
    RPC_STATUS status = take_proc_header(mes);
    if (status != RPC_S_OK)
        return status;
    /* Which operation wrote it is not asked: one may write what another one reads.  Who
     * wants to know calls MesInqProcEncodingId. */
    if (!is_known(&mes->proc.interface, spec))
        return RPC_S_UNKNOWN_IF;
    return decode_params(mes, spec, op, frame);
}

static handle_t frame_handle(const NDR_OPERATION *op, const void *frame)
{
    handle_t handle = NULL;
    for (uint32_t i = 0; i < op->param_count; i++)
        if (op->params[i].flags & NDR_PARAM_BINDING)
            memcpy(&handle, (const uint8_t *)frame + op->params[i].offset, sizeof(handle));
    return handle;
}

/* Around the conversions of [cs_char], whose routines get no binding: there is none. */
static RPC_STATUS encode_characters(struct mes_handle *mes, const RPC_CLIENT_INTERFACE *spec,
                                    const NDR_OPERATION *op, void *frame)
{
    const struct ndr_memory memory = memory_of(spec);
    struct characters *characters;
    RPC_STATUS status = characters_new(op, frame, NULL, &memory, &characters);
    if (status != RPC_S_OK)
        return status;
    status = encode_proc(mes, spec, op, characters_frame(characters));
    characters_free(characters);
    return status;
}

static RPC_STATUS decode_characters(struct mes_handle *mes, const RPC_CLIENT_INTERFACE *spec,
                                    const NDR_OPERATION *op, void *frame)
{
    const struct ndr_memory memory = memory_of(spec);
    const uint64_t pos = mes->pos;
    const bool known = mes->proc_known;
    struct characters *characters;
    RPC_STATUS status = characters_expect(op, frame, NULL, &memory, &characters);
    if (status != RPC_S_OK)
        return status;
    status = decode_proc(mes, spec, op, characters_frame(characters));
    if (status == RPC_S_OK) {
        status = characters_take_reply(characters);
        if (status != RPC_S_OK) {
            mes->proc_known = known;
            stand_still(mes, pos);
        }
    }
    characters_free(characters);
    return status;
}

static RPC_STATUS run_proc(const RPC_CLIENT_INTERFACE *spec, const NDR_OPERATION *op, void *frame)
{
    struct mes_handle *mes = mes_handle_get(frame_handle(op, frame));
    if (!mes)
        return RPC_S_INVALID_ARG;
    RPC_STATUS status = RPC_X_INVALID_ES_ACTION;
    if (!mes->broken && mes_encodes(mes) && op->flags & NDR_OP_ENCODE)
        status = op->characters ? encode_characters(mes, spec, op, frame)
                                : encode_proc(mes, spec, op, frame);
    else if (!mes->broken && !mes_encodes(mes) && op->flags & NDR_OP_DECODE)
        status = op->characters ? decode_characters(mes, spec, op, frame)
                                : decode_proc(mes, spec, op, frame);
    mes_handle_put(mes);
    return status;
}

void NdrxMesProcEncodeDecode(const RPC_CLIENT_INTERFACE *interface_spec, unsigned int opnum,
                             void *frame)
{
    const NDR_INTERFACE *interface = interface_spec->InterpreterInfo;
    if (opnum >= interface->operation_count)
        RpcRaiseException(RPC_S_PROCNUM_OUT_OF_RANGE);
    const NDR_OPERATION *op = &interface->operations[opnum];
    RPC_STATUS status = run_proc(interface_spec, op, frame);
    if (!call_deliver_status(op, frame, status))
        RpcRaiseException(status);
}

static RPC_STATUS find_proc(struct mes_handle *mes)
{
    if (mes->broken)
        return RPC_X_INVALID_ES_ACTION;
    if (mes_encodes(mes))
        return mes->proc_known ? RPC_S_OK : RPC_X_INVALID_ES_ACTION;
    return take_proc_header(mes);
}

RPC_STATUS MesInqProcEncodingId(handle_t Handle, PRPC_SYNTAX_IDENTIFIER pInterfaceId,
                                unsigned long *pProcNum)
{
    struct mes_handle *mes = pInterfaceId && pProcNum ? mes_handle_get(Handle) : NULL;
    if (!mes)
        return RPC_S_INVALID_ARG;
    RPC_STATUS status = find_proc(mes);
    if (status == RPC_S_OK) {
        *pInterfaceId =
            (RPC_SYNTAX_IDENTIFIER){.SyntaxGUID = mes->proc.interface.uuid,
                                    .SyntaxVersion = {.MajorVersion = mes->proc.interface.major,
                                                      .MinorVersion = mes->proc.interface.minor}};
        *pProcNum = mes->proc.opnum;
    }
    mes_handle_put(mes);
    return status;
}
