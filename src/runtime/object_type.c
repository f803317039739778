/* SPDX-License-Identifier: MIT */
/* object_type.c - which type an object is of: the table of RpcObjectSetType, and behind it
 * the program's own inquiry function.  Not here: which manager serves a type (registry.c). */
#include <pthread.h>
#include <stdlib.h>

#include <penstock/rpc.h>

#include "base/list.h"
#include "base/uuid.h"
#include "runtime/server.h"

#define BUCKETS 64 /* a power of two; programs type a handful of objects, some a thousand */

struct typed_object {
    struct list node;
    UUID object, type;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct list buckets[BUCKETS]; /* next NULL: nothing has been there yet */
static RPC_OBJECT_INQ_FN *inquiry;

static struct list *bucket_of(const UUID *object)
{
    RPC_STATUS ignored;
    UUID copy = *object;
    struct list *bucket = &buckets[UuidHash(&copy, &ignored) & (BUCKETS - 1)];
    if (!bucket->next)
        list_init(bucket);
    return bucket;
}

/* `lock` held. */
static struct typed_object *find(const UUID *object)
{
    struct list *bucket = bucket_of(object);
    for (struct list *node = bucket->next; node != bucket; node = node->next) {
        struct typed_object *typed = list_entry(node, struct typed_object, node);
        if (uuid_equal(&typed->object, object))
            return typed;
    }
    return NULL;
}

/* `lock` held. */
static RPC_STATUS set_type(const UUID *object, const UUID *type)
{
    struct typed_object *typed = find(object);
    if (!type) {
        if (typed)
            list_remove(&typed->node);
        free(typed);
        return RPC_S_OK;
    }
    if (typed)
        return uuid_equal(&typed->type, type) ? RPC_S_OK : RPC_S_ALREADY_REGISTERED;
    typed = calloc(1, sizeof(*typed));
    if (!typed)
        return RPC_S_OUT_OF_MEMORY;
    typed->object = *object;
    typed->type = *type;
    list_append(bucket_of(object), &typed->node);
    return RPC_S_OK;
}

RPC_STATUS RpcObjectSetType(UUID *ObjUuid, UUID *TypeUuid)
{
    if (!ObjUuid || uuid_is_nil(ObjUuid))
        return RPC_S_INVALID_OBJECT;
    pthread_mutex_lock(&lock);
    RPC_STATUS status = set_type(ObjUuid, TypeUuid && !uuid_is_nil(TypeUuid) ? TypeUuid : NULL);
    pthread_mutex_unlock(&lock);
    return status;
}

RPC_STATUS RpcObjectSetInqFn(RPC_OBJECT_INQ_FN *InquiryFn)
{
    pthread_mutex_lock(&lock);
    inquiry = InquiryFn;
    pthread_mutex_unlock(&lock);
    return RPC_S_OK;
}

/* The program's function is called without the lock: it may call what is above. */
RPC_STATUS object_type_of(const UUID *object, UUID *ret_type)
{
    pthread_mutex_lock(&lock);
    const struct typed_object *typed = find(object);
    RPC_OBJECT_INQ_FN *ask = typed ? NULL : inquiry;
    *ret_type = typed ? typed->type : (UUID){0};
    pthread_mutex_unlock(&lock);
    if (typed)
        return RPC_S_OK;
    RPC_STATUS status = RPC_S_OBJECT_NOT_FOUND;
    UUID copy = *object;
    if (ask)
        ask(&copy, ret_type, &status);
    return status;
}

RPC_STATUS RpcObjectInqType(UUID *ObjUuid, UUID *TypeUuid)
{
    UUID type;
    if (!ObjUuid || uuid_is_nil(ObjUuid))
        return RPC_S_INVALID_OBJECT;
    RPC_STATUS status = object_type_of(ObjUuid, &type);
    if (TypeUuid)
        *TypeUuid = type;
    return status;
}
