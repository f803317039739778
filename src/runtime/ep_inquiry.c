/* SPDX-License-Identifier: MIT */
/* ep_inquiry.c - RpcMgmtEpEltInqBegin and kin, RpcMgmtEpUnregister: an endpoint mapper's entries
 * one by one, fetched in batches. */
#include <stdlib.h>
#include <string.h>

#include <penstock/rpc.h>

#include "base/limits.h"
#include "base/utf16.h"
#include "base/uuid.h"
#include "runtime/binding.h"
#include "runtime/ep.h"
#include "runtime/string_binding.h"
#include "runtime/stub_memory.h"
#include "wire/tower.h"

#define INQUIRY_MAGIC 0x45504951u

struct inquiry {
    uint32_t magic;
    RPC_BINDING_HANDLE mapper;
    char address[256]; /* of the mapper's host */
    uint32_t type, versions;
    rpc_if_id_t interface_id;
    UUID object;
    ept_lookup_handle_t more; /* NULL: at the beginning or the end */
    bool ended;
    uint32_t at, count;
    ept_entry_t batch[LIMIT_EP_BATCH];
};

static void free_batch(struct inquiry *inquiry)
{
    for (uint32_t i = 0; i < inquiry->count; i++) /* full pointers: one may be there twice */
        for (uint32_t k = i + 1; k < inquiry->count && inquiry->batch[i].tower; k++)
            if (inquiry->batch[k].tower == inquiry->batch[i].tower)
                inquiry->batch[k].tower = NULL;
    for (uint32_t i = 0; i < inquiry->count; i++)
        stub_memory_free(inquiry->batch[i].tower);
    memset(inquiry->batch, 0, sizeof(inquiry->batch));
    inquiry->at = inquiry->count = 0;
}

/* ---- Begin -------------------------------------------------------------------------- */

/* A handle of our own: `binding`'s host, and its endpoint if it has one. */
static RPC_STATUS copy_mapper(struct binding *binding, struct inquiry *inquiry)
{
    RPC_STATUS status = RPC_S_OK;
    char *text = NULL;
    pthread_mutex_lock(&binding->lock);
    const enum transport_kind kind = binding->kind;
    const unsigned com_timeout = binding->com_timeout;
    const bool full = binding->endpoint[0] != '\0';
    strncpy(inquiry->address, binding->address, sizeof(inquiry->address) - 1);
    if (binding->has_object) {
        status = EPT_S_CANT_PERFORM_OP;
    } else if (full) {
        const struct string_binding parts = {
            .protseq = (char *)(uintptr_t)transport_protseq(kind),
            .address = binding->address,
            .endpoint = binding->endpoint,
            .options = binding->options};
        status = string_binding_format(&parts, &text);
    }
    pthread_mutex_unlock(&binding->lock);
    if (status == RPC_S_OK && full)
        status = RpcBindingFromStringBindingA((RPC_CSTR)text, &inquiry->mapper);
    if (status == RPC_S_OK && full)
        ep_mapper_limit(inquiry->mapper, com_timeout);
    else if (status == RPC_S_OK)
        status = ep_mapper_binding(kind, inquiry->address, com_timeout, &inquiry->mapper);
    free(text);
    return status;
}

static RPC_STATUS find_mapper(RPC_BINDING_HANDLE handle, struct inquiry *inquiry)
{
    struct binding *binding;
    if (!handle)
        return ep_mapper_binding(TRANSPORT_UNIX, "", RPC_C_BINDING_DEFAULT_TIMEOUT,
                                 &inquiry->mapper);
    RPC_STATUS status = binding_get_client(handle, &binding);
    if (status != RPC_S_OK)
        return status;
    status = copy_mapper(binding, inquiry);
    binding_put(binding);
    return status;
}

RPC_STATUS RpcMgmtEpEltInqBegin(RPC_BINDING_HANDLE EpBinding, unsigned long InquiryType,
                                RPC_IF_ID *IfId, unsigned long VersOption, UUID *ObjectUuid,
                                RPC_EP_INQ_HANDLE *InquiryContext)
{
    const bool by_interface =
        InquiryType == RPC_C_EP_MATCH_BY_IF || InquiryType == RPC_C_EP_MATCH_BY_BOTH;
    if (!InquiryContext || InquiryType > RPC_C_EP_MATCH_BY_BOTH || (by_interface && !IfId))
        return RPC_S_INVALID_ARG;
    *InquiryContext = NULL;
    if (by_interface && (VersOption < RPC_C_VERS_ALL || VersOption > RPC_C_VERS_UPTO))
        return RPC_S_INVALID_VERS_OPTION;
    struct inquiry *inquiry = calloc(1, sizeof(*inquiry));
    if (!inquiry)
        return RPC_S_OUT_OF_MEMORY;
    inquiry->magic = INQUIRY_MAGIC;
    inquiry->type = (uint32_t)InquiryType;
    inquiry->versions = by_interface ? (uint32_t)VersOption : RPC_C_VERS_ALL;
    if (by_interface)
        inquiry->interface_id = (rpc_if_id_t){IfId->Uuid, IfId->VersMajor, IfId->VersMinor};
    if (ObjectUuid)
        inquiry->object = *ObjectUuid;
    RPC_STATUS status = find_mapper(EpBinding, inquiry);
    if (status == RPC_S_OK)
        *InquiryContext = (RPC_EP_INQ_HANDLE)inquiry;
    else
        free(inquiry);
    return status;
}

/* ---- Next ---------------------------------------------------------------------------- */

static RPC_STATUS fetch(struct inquiry *inquiry)
{
    struct stub_memory outer;
    error_status_t told = RPC_S_OK;
    free_batch(inquiry);
    stub_memory_enter(&outer);
    client_ept_lookup(inquiry->mapper, inquiry->type, &inquiry->object, &inquiry->interface_id,
                      inquiry->versions, &inquiry->more, LIMIT_EP_BATCH, &inquiry->count,
                      inquiry->batch, &told);
    stub_memory_leave(&outer);
    RPC_STATUS status = ep_status(told);
    if (inquiry->count > LIMIT_EP_BATCH) /* of an answer that was refused for it */
        inquiry->count = LIMIT_EP_BATCH;
    /* Some say that there are no more with the last ones, some say nothing but a nil handle,
     * some with none. */
    inquiry->ended = status == EPT_S_NOT_REGISTERED || (status == RPC_S_OK && !inquiry->more);
    if (status != RPC_S_OK && status != EPT_S_NOT_REGISTERED) {
        free_batch(inquiry);
        return status;
    }
    if (inquiry->count == 0) /* and a handle: for ever, perhaps */
        inquiry->ended = true;
    return inquiry->count > 0 ? RPC_S_OK : RPC_X_NO_MORE_ENTRIES;
}

/* NULL for a protocol sequence that is not ours. */
static RPC_STATUS binding_of(const struct inquiry *inquiry, const struct tower *tower,
                             RPC_BINDING_HANDLE *ret_binding)
{
    char endpoint[TOWER_LEN_MAX], address[sizeof(inquiry->address) + 16];
    char *text;
    *ret_binding = NULL;
    if (tower->kind != TOWER_TCP && tower->kind != TOWER_LOCAL)
        return RPC_S_OK;
    tower_endpoint(tower, endpoint, sizeof(endpoint));
    /* The address in the tower is the mapper's own, if anything: one that we have reached it at
     * is better. */
    strcpy(address, tower->kind == TOWER_TCP ? inquiry->address : "");
    const struct string_binding parts = {
        .protseq = (char *)(uintptr_t)tower_protseq(tower->kind),
        .address = address,
        .endpoint = endpoint};
    RPC_STATUS status = string_binding_format(&parts, &text);
    if (status != RPC_S_OK)
        return status;
    status = RpcBindingFromStringBindingA((RPC_CSTR)text, ret_binding);
    free(text);
    /* An endpoint that has not our form is as strange as the other protocol sequences. */
    return status == RPC_S_OUT_OF_MEMORY ? status : RPC_S_OK;
}

static RPC_STATUS give(const struct inquiry *inquiry, const ept_entry_t *entry,
                       const struct tower *tower, RPC_IF_ID *if_id, RPC_BINDING_HANDLE *binding,
                       UUID *object, RPC_CSTR *annotation)
{
    RPC_STATUS status = RPC_S_OK;
    char *text = annotation
                     ? strndup((const char *)entry->annotation, sizeof(entry->annotation) - 1)
                     : NULL;
    if (annotation && !text)
        return RPC_S_OUT_OF_MEMORY;
    if (binding)
        status = binding_of(inquiry, tower, binding);
    if (status != RPC_S_OK) {
        free(text);
        return status;
    }
    if (annotation)
        *annotation = (RPC_CSTR)text;
    if (if_id)
        *if_id = (RPC_IF_ID){tower->interface_id.uuid, tower->interface_id.major,
                             tower->interface_id.minor};
    if (object)
        *object = entry->object;
    return RPC_S_OK;
}

RPC_STATUS RpcMgmtEpEltInqNextA(RPC_EP_INQ_HANDLE InquiryContext, RPC_IF_ID *IfId,
                                RPC_BINDING_HANDLE *Binding, UUID *ObjectUuid,
                                RPC_CSTR *Annotation)
{
    struct inquiry *inquiry = (struct inquiry *)(void *)InquiryContext;
    if (!inquiry || inquiry->magic != INQUIRY_MAGIC)
        return RPC_S_INVALID_ARG;
    for (;;) {
        RPC_STATUS status = RPC_S_OK;
        struct tower tower;
        if (inquiry->at == inquiry->count)
            status = inquiry->ended ? RPC_X_NO_MORE_ENTRIES : fetch(inquiry);
        if (status != RPC_S_OK)
            return status;
        const ept_entry_t *entry = &inquiry->batch[inquiry->at];
        /* What is no tower is nothing a program could use. */
        if (!entry->tower ||
            !tower_decode(entry->tower->tower_octet_string, entry->tower->tower_length, &tower)) {
            inquiry->at++;
            continue;
        }
        status = give(inquiry, entry, &tower, IfId, Binding, ObjectUuid, Annotation);
        if (status == RPC_S_OK)
            inquiry->at++;
        return status;
    }
}

RPC_STATUS RpcMgmtEpEltInqNextW(RPC_EP_INQ_HANDLE InquiryContext, RPC_IF_ID *IfId,
                                RPC_BINDING_HANDLE *Binding, UUID *ObjectUuid,
                                RPC_WSTR *Annotation)
{
    RPC_CSTR text = NULL;
    WCHAR *wide = Annotation ? calloc(ept_max_annotation_size + 1, sizeof(*wide)) : NULL;
    if (Annotation && !wide)
        return RPC_S_OUT_OF_MEMORY;
    RPC_STATUS status =
        RpcMgmtEpEltInqNextA(InquiryContext, IfId, Binding, ObjectUuid, Annotation ? &text : NULL);
    if (status == RPC_S_OK && Annotation) {
        utf16_from_utf8((const char *)text, strlen((const char *)text), wide,
                        ept_max_annotation_size, UTF_REPLACE);
        *Annotation = wide;
        wide = NULL;
    }
    RpcStringFreeA(&text);
    free(wide);
    return status;
}

/* ---- Done ------------------------------------------------------------------------------- */

RPC_STATUS RpcMgmtEpEltInqDone(RPC_EP_INQ_HANDLE *InquiryContext)
{
    struct inquiry *inquiry = InquiryContext ? (struct inquiry *)(void *)*InquiryContext : NULL;
    if (!inquiry || inquiry->magic != INQUIRY_MAGIC)
        return RPC_S_INVALID_ARG;
    if (inquiry->more) { /* the mapper need not keep it until we are gone */
        error_status_t told;
        client_ept_lookup_handle_free(inquiry->mapper, &inquiry->more, &told);
        RpcSmDestroyClientContext(&inquiry->more);
    }
    free_batch(inquiry);
    RpcBindingFree(&inquiry->mapper);
    inquiry->magic = 0;
    free(inquiry);
    *InquiryContext = NULL;
    return RPC_S_OK;
}

/* ---- Unregister ---------------------------------------------------------------------------- */

RPC_STATUS RpcMgmtEpUnregister(RPC_BINDING_HANDLE EpBinding, RPC_IF_ID *IfId,
                               RPC_BINDING_HANDLE Binding, UUID *ObjectUuid)
{
    struct binding *binding;
    if (!IfId)
        return RPC_S_INVALID_ARG;
    RPC_STATUS status = binding_get_client(Binding, &binding);
    if (status != RPC_S_OK)
        return status;
    ept_entry_t entry = {.object = ObjectUuid ? *ObjectUuid : (UUID){0}};
    pthread_mutex_lock(&binding->lock);
    if (binding->endpoint[0] == '\0')
        status = RPC_S_INVALID_BINDING;
    else if (!(entry.tower = ep_tower_new(IfId, binding->kind, binding->endpoint)))
        status = RPC_S_OUT_OF_MEMORY;
    pthread_mutex_unlock(&binding->lock);
    binding_put(binding);
    struct inquiry *inquiry = calloc(1, sizeof(*inquiry));
    if (!inquiry)
        status = RPC_S_OUT_OF_MEMORY;
    if (status == RPC_S_OK)
        status = find_mapper(EpBinding, inquiry);
    if (status == RPC_S_OK) {
        error_status_t told = RPC_S_OK;
        client_ept_delete(inquiry->mapper, 1, &entry, &told);
        status = ep_status(told);
        RpcBindingFree(&inquiry->mapper);
    }
    stub_memory_free(entry.tower);
    free(inquiry);
    return status;
}
