/* SPDX-License-Identifier: MIT */
/* group.c - association groups of a server: the connections of one client
 * (MS-RPCE 3.3.1.4.1).  Ids are random: a client presents one to join, so it must
 * not be guessed; and only a client on the same machine may (3.3.1.5.7), or on this one
 * the same user. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/list.h"
#include "runtime/context.h"
#include "runtime/server.h"

#define BUCKETS 1024u

struct group {
    struct list node;
    uint32_t id;
    enum transport_kind kind;
    char peer[GROUP_PEER_SIZE]; /* whose it is */
    struct context_set *contexts;
    unsigned members;
};

static pthread_mutex_t groups_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list buckets[BUCKETS];

static struct list *bucket_of(uint32_t id)
{
    struct list *head = &buckets[id % BUCKETS];
    if (!head->next)
        list_init(head);
    return head;
}

static struct group *find(uint32_t id)
{
    struct list *head = bucket_of(id);
    for (struct list *node = head->next; node != head; node = node->next) {
        struct group *group = list_entry(node, struct group, node);
        if (group->id == id)
            return group;
    }
    return NULL;
}

static struct group *create(enum transport_kind kind, const char *peer)
{
    struct group *group = calloc(1, sizeof(*group));
    if (!group)
        return NULL;
    group->kind = kind;
    strcpy(group->peer, peer);
    group->contexts = context_set_new();
    if (!group->contexts) {
        free(group);
        return NULL;
    }
    do {
        if (getrandom(&group->id, sizeof(group->id), 0) != sizeof(group->id)) {
            context_set_put(group->contexts);
            free(group);
            return NULL;
        }
    } while (group->id == 0 || find(group->id));
    list_append(bucket_of(group->id), &group->node);
    return group;
}

uint32_t group_join(uint32_t asked, enum transport_kind kind, const char *peer)
{
    uint32_t id = 0;
    pthread_mutex_lock(&groups_lock);
    struct group *group = asked ? find(asked) : create(kind, peer);
    if (group && group->kind == kind && strcmp(group->peer, peer) == 0) {
        group->members++;
        id = group->id;
    }
    pthread_mutex_unlock(&groups_lock);
    return id;
}

void group_leave(uint32_t id)
{
    pthread_mutex_lock(&groups_lock);
    struct group *group = id ? find(id) : NULL;
    struct context_set *contexts = NULL;
    if (group && --group->members == 0) {
        contexts = group->contexts;
        list_remove(&group->node);
        free(group);
    }
    pthread_mutex_unlock(&groups_lock);
    if (contexts)
        context_set_close(contexts);
}

bool group_needs_member(uint32_t id)
{
    pthread_mutex_lock(&groups_lock);
    struct group *group = id ? find(id) : NULL;
    bool needs = group && group->members == 1 && !context_set_empty(group->contexts);
    pthread_mutex_unlock(&groups_lock);
    return needs;
}

struct context_set *group_contexts(uint32_t id)
{
    pthread_mutex_lock(&groups_lock);
    struct group *group = id ? find(id) : NULL;
    struct context_set *contexts = group ? group->contexts : NULL;
    if (contexts)
        context_set_get(contexts);
    pthread_mutex_unlock(&groups_lock);
    return contexts;
}
