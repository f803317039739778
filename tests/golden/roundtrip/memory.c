/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "rpc.h"
#include "rpcndr.h"

#include "text.h"

struct object {
    struct object *next, **link;
    uint64_t serial;
    pthread_t thread; /* that allocated it */
    bool kept;
    _Alignas(16) char octets[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct object *objects;
static uint64_t serial;

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    struct object *object = malloc(sizeof(*object) + size);
    if (!object)
        return NULL;
    pthread_mutex_lock(&lock);
    object->serial = ++serial;
    object->thread = pthread_self();
    object->kept = false;
    object->next = objects;
    object->link = &objects;
    if (objects)
        objects->link = &object->next;
    objects = object;
    pthread_mutex_unlock(&lock);
    return object->octets;
}

static struct object *object_of(void *octets)
{
    return (struct object *)((char *)octets - offsetof(struct object, octets));
}

static void remove_object(struct object *object)
{
    *object->link = object->next;
    if (object->next)
        object->next->link = object->link;
    free(object);
}

void __RPC_USER MIDL_user_free(void *octets)
{
    if (!octets)
        return;
    pthread_mutex_lock(&lock);
    remove_object(object_of(octets));
    pthread_mutex_unlock(&lock);
}

uint64_t memory_mark(void)
{
    pthread_mutex_lock(&lock);
    uint64_t mark = serial;
    pthread_mutex_unlock(&lock);
    return mark;
}

void memory_release(uint64_t mark)
{
    pthread_mutex_lock(&lock);
    for (struct object *object = objects, *next; object; object = next) {
        next = object->next;
        if (object->serial > mark && pthread_equal(object->thread, pthread_self()))
            remove_object(object);
    }
    pthread_mutex_unlock(&lock);
}

void memory_keep(void *octets)
{
    pthread_mutex_lock(&lock);
    object_of(octets)->kept = true;
    pthread_mutex_unlock(&lock);
}

size_t memory_live(void)
{
    size_t count = 0;
    pthread_mutex_lock(&lock);
    for (struct object *object = objects; object; object = object->next)
        count += !object->kept;
    pthread_mutex_unlock(&lock);
    return count;
}

void memory_fini(void)
{
    pthread_mutex_lock(&lock);
    while (objects)
        remove_object(objects);
    pthread_mutex_unlock(&lock);
}
