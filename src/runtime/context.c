/* SPDX-License-Identifier: MIT */
/* context.c - the contexts of a server; see context_table.h.
 *
 *   buckets[]  by UUID --> context --> context ...     all contexts clients may name
 *   set->contexts                                      those of one group
 *   set->ready                                         those waiting to be run down */
#include "runtime/context_table.h"

#include <stdlib.h>

#include <penstock/rpc.h>

#include "base/trace.h"
#include "base/uuid.h"
#include "runtime/exception.h"

#define BUCKETS 4096u

pthread_mutex_t context_lock = PTHREAD_MUTEX_INITIALIZER;
static struct context *buckets[BUCKETS];

/* ---- Rundown ---------------------------------------------------------------- */

static void call_rundown(void *arg)
{
    struct context *context = arg;
    context->type->rundown(context->user);
}

void context_set_unref(struct context_set *set)
{
    if (--set->refs == 0)
        free(set);
}

static void run_down(struct io_job *job)
{
    struct context_set *set = list_entry(job, struct context_set, job);
    struct list *node;
    pthread_mutex_lock(&context_lock);
    while ((node = list_pop(&set->ready)) != NULL) {
        struct context *context = list_entry(node, struct context, node);
        pthread_mutex_unlock(&context_lock);
        bool raised;
        reactor_block_begin();
        exception_run(call_rundown, context, &raised);
        reactor_block_end();
        TRACE(TRACE_CALL, "context %s: run down%s", context->type->name ? context->type->name : "",
              raised ? ", which raised" : "");
        free(context);
        pthread_mutex_lock(&context_lock);
        context_set_unref(set); /* the context's */
    }
    set->running = false;
    context_set_unref(set); /* the job's */
    pthread_mutex_unlock(&context_lock);
}

/* ---- Names ------------------------------------------------------------------ */

struct context *context_find(const UUID *uuid)
{
    struct context *context = buckets[uuid->Data1 % BUCKETS];
    while (context && !uuid_equal(&context->uuid, uuid))
        context = context->next;
    return context;
}

void context_name(struct context *context)
{
    struct context **bucket = &buckets[context->uuid.Data1 % BUCKETS];
    context->set->count++;
    context->named = true;
    list_append(&context->set->contexts, &context->node);
    context->next = *bucket;
    *bucket = context;
}

void context_forget(struct context *context)
{
    if (!context->named)
        return;
    struct context **at = &buckets[context->uuid.Data1 % BUCKETS];
    while (*at != context)
        at = &(*at)->next;
    *at = context->next;
    context->named = false;
    context->set->count--;
    list_remove(&context->node);
}

void context_end(struct context *context)
{
    struct context_set *set = context->set;
    if (context->named || context->uses > 0)
        return;
    if (context->closed || !context->type->rundown) {
        free(context);
        context_set_unref(set);
        return;
    }
    list_append(&set->ready, &context->node);
    if (set->running)
        return;
    set->running = true;
    set->refs++;
    set->job.run = run_down;
    reactor_submit(&set->job);
}

/* ---- Sets ------------------------------------------------------------------- */

struct context_set *context_set_new(void)
{
    struct context_set *set = calloc(1, sizeof(*set));
    if (!set)
        return NULL;
    set->refs = 1;
    list_init(&set->contexts);
    list_init(&set->ready);
    return set;
}

void context_set_get(struct context_set *set)
{
    pthread_mutex_lock(&context_lock);
    set->refs++;
    pthread_mutex_unlock(&context_lock);
}

void context_set_put(struct context_set *set)
{
    pthread_mutex_lock(&context_lock);
    context_set_unref(set);
    pthread_mutex_unlock(&context_lock);
}

bool context_set_empty(struct context_set *set)
{
    pthread_mutex_lock(&context_lock);
    bool empty = set->count == 0;
    pthread_mutex_unlock(&context_lock);
    return empty;
}

void context_set_close(struct context_set *set)
{
    pthread_mutex_lock(&context_lock);
    set->closed = true;
    while (!list_empty(&set->contexts)) {
        struct context *context = list_entry(set->contexts.next, struct context, node);
        context_forget(context);
        context_end(context);
    }
    context_set_unref(set);
    pthread_mutex_unlock(&context_lock);
}

void contexts_close_interface(const struct interface *iface)
{
    pthread_mutex_lock(&context_lock);
    for (unsigned i = 0; i < BUCKETS; i++) {
        for (struct context *context = buckets[i], *next; context; context = next) {
            next = context->next;
            if (context->iface != iface)
                continue;
            context_forget(context);
            context_end(context);
        }
    }
    pthread_mutex_unlock(&context_lock);
}
