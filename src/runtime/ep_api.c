/* SPDX-License-Identifier: MIT */
/* ep_api.c - RpcEpRegister, RpcEpUnregister: the cross product of interface, bindings and objects
 * as entries of the endpoint mapper; see ep.h. */
#include <stdlib.h>
#include <string.h>

#include <penstock/rpc.h>

#include "base/utf16.h"
#include "runtime/binding.h"
#include "runtime/ep.h"
#include "runtime/stub_memory.h"

struct product {
    struct ep_entry *entries;
    size_t count;
};

/* The longest beginning that fits and does not end amid a character. */
static void set_annotation(char to[ept_max_annotation_size], const unsigned char *from)
{
    size_t len = from ? strnlen((const char *)from, ept_max_annotation_size) : 0;
    if (len == ept_max_annotation_size) {
        len--;
        while (len > 0 && (from[len] & 0xc0) == 0x80)
            len--;
    }
    memset(to, 0, ept_max_annotation_size);
    if (len > 0)
        memcpy(to, from, len);
}

static RPC_STATUS tower_of(const RPC_IF_ID *id, RPC_BINDING_HANDLE handle, twr_t **ret_tower)
{
    struct binding *binding;
    RPC_STATUS status = binding_get_client(handle, &binding);
    if (status != RPC_S_OK)
        return status;
    pthread_mutex_lock(&binding->lock);
    if (binding->endpoint[0] == '\0')
        status = RPC_S_INVALID_BINDING;
    else if (!(*ret_tower = ep_tower_new(id, binding->kind, binding->endpoint)))
        status = RPC_S_OUT_OF_MEMORY;
    pthread_mutex_unlock(&binding->lock);
    binding_put(binding);
    return status;
}

static void free_product(struct product *product)
{
    for (size_t i = 0; i < product->count; i++)
        stub_memory_free(product->entries[i].tower);
    free(product->entries);
}

static RPC_STATUS multiply(RPC_IF_HANDLE spec, const RPC_BINDING_VECTOR *bindings,
                           const UUID_VECTOR *objects, const unsigned char *annotation,
                           struct product *ret_product)
{
    RPC_IF_ID id;
    if (!spec)
        return RPC_S_INVALID_ARG;
    RPC_STATUS status = RpcIfInqId(spec, &id);
    if (status != RPC_S_OK)
        return status;
    if (!bindings || bindings->Count == 0)
        return RPC_S_NO_BINDINGS;
    const size_t object_count = objects && objects->Count > 0 ? objects->Count : 1;
    struct product product = {.entries = calloc(bindings->Count, object_count * sizeof(*product.entries))};
    if (!product.entries)
        return RPC_S_OUT_OF_MEMORY;
    for (size_t i = 0; i < bindings->Count * object_count && status == RPC_S_OK; i++) {
        struct ep_entry *entry = &product.entries[i];
        const size_t object = i % object_count;
        status = tower_of(&id, bindings->BindingH[i / object_count], &entry->tower);
        if (objects && objects->Count > 0 && objects->Uuid[object])
            entry->object = *objects->Uuid[object];
        set_annotation(entry->annotation, annotation);
        product.count++;
    }
    if (status == RPC_S_OK)
        *ret_product = product;
    else
        free_product(&product);
    return status;
}

static RPC_STATUS enter(RPC_IF_HANDLE spec, const RPC_BINDING_VECTOR *bindings,
                        const UUID_VECTOR *objects, const unsigned char *annotation, bool replace)
{
    struct product product;
    RPC_STATUS status = multiply(spec, bindings, objects, annotation, &product);
    if (status != RPC_S_OK)
        return status;
    status = ep_register(product.entries, product.count, replace);
    free(product.entries);
    return status;
}

RPC_STATUS RpcEpRegisterA(RPC_IF_HANDLE IfSpec, RPC_BINDING_VECTOR *BindingVector,
                          UUID_VECTOR *UuidVector, RPC_CSTR Annotation)
{
    return enter(IfSpec, BindingVector, UuidVector, Annotation, true);
}

RPC_STATUS RpcEpRegisterNoReplaceA(RPC_IF_HANDLE IfSpec, RPC_BINDING_VECTOR *BindingVector,
                                   UUID_VECTOR *UuidVector, RPC_CSTR Annotation)
{
    return enter(IfSpec, BindingVector, UuidVector, Annotation, false);
}

RPC_STATUS RpcEpUnregister(RPC_IF_HANDLE IfSpec, RPC_BINDING_VECTOR *BindingVector,
                           UUID_VECTOR *UuidVector)
{
    struct product product;
    RPC_STATUS status = multiply(IfSpec, BindingVector, UuidVector, NULL, &product);
    if (status != RPC_S_OK)
        return status;
    status = ep_unregister(product.entries, product.count);
    free(product.entries);
    return status;
}

/* ---- UTF-16 -------------------------------------------------------------------------- */

/* What is too long is cut there, too. */
static RPC_STATUS enter_wide(RPC_IF_HANDLE spec, const RPC_BINDING_VECTOR *bindings,
                             const UUID_VECTOR *objects, const WCHAR *annotation, bool replace)
{
    char narrow[4 * ept_max_annotation_size];
    size_t units = 0;
    while (annotation && units < ept_max_annotation_size && annotation[units] != 0)
        units++;
    if (units == ept_max_annotation_size && annotation[units - 1] >= 0xd800 &&
        annotation[units - 1] <= 0xdbff)
        units--; /* not half a character */
    ssize_t len = units > 0
                      ? utf16_to_utf8(annotation, units, narrow, sizeof(narrow) - 1, UTF_STRICT)
                      : 0;
    if (len < 0)
        return RPC_S_INVALID_ARG;
    narrow[len] = '\0';
    return enter(spec, bindings, objects, (const unsigned char *)narrow, replace);
}

RPC_STATUS RpcEpRegisterW(RPC_IF_HANDLE IfSpec, RPC_BINDING_VECTOR *BindingVector,
                          UUID_VECTOR *UuidVector, RPC_WSTR Annotation)
{
    return enter_wide(IfSpec, BindingVector, UuidVector, Annotation, true);
}

RPC_STATUS RpcEpRegisterNoReplaceW(RPC_IF_HANDLE IfSpec, RPC_BINDING_VECTOR *BindingVector,
                                   UUID_VECTOR *UuidVector, RPC_WSTR Annotation)
{
    return enter_wide(IfSpec, BindingVector, UuidVector, Annotation, false);
}
