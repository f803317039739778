/* SPDX-License-Identifier: MIT */
/* ep_register.c - what this process has registered with the endpoint mapper of this computer.
 *
 *   entries --inserted under--> registration (a context handle of idl/epregister.idl)
 *   watch   an asynchronous call that is answered when the mapper has died
 *
 *   IDLE --first entry--> REGISTERED --watch ends--> LOST
 *     ^ |                    |     ^                   |^
 *     | |                    |     +-- timer: again ---+|
 *     +-|------ last entry --+                          |
 *       +--first entry, and the mapper does not answer--+
 *
 * No thread waits: losing the mapper is told by the watch, and a timer tries again, each time
 * after a longer while.  One lock serialises everything and is held while the mapper is asked,
 * which is on this computer and answers at once or is given up after LIMIT_CONNECT_STEP_MS. */
#include "runtime/ep.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <penstock/rpcasync.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/trace.h"
#include "base/uuid.h"
#include "io/reactor.h"
#include "io/timer.h"
#include "runtime/stub_memory.h"
#include "stubs/epregister.h"
#include "wire/tower.h"

struct registered {
    struct list node;
    struct ep_entry entry;
};

struct watch {
    RPC_ASYNC_STATE async; /* first: what its routine is given */
};

static void on_timer(struct counted *object);
static void never_destroyed(struct counted *object);

static struct {
    pthread_mutex_t lock; /* guards what follows                   */
    struct list entries;  /* struct registered, as they came       */
    unsigned count;
    RPC_BINDING_HANDLE mapper;     /* NULL: IDLE or LOST                    */
    epr_registration registration; /* likewise                              */
    unsigned retry_ms;    /* how long LOST waits before it tries again     */
    bool silent;          /* LOST, since the mapper is there and says nothing       */
    struct counted object; /* the timer's; lives as long as the process    */
    struct io_timer timer;

    pthread_mutex_t watch_lock; /* guards these, for a routine that must not wait */
    struct watch *watch;        /* of the registration; its routine frees it      */
    bool lost;                  /* it has ended                                   */
} own = {.lock = PTHREAD_MUTEX_INITIALIZER,
         .entries = {&own.entries, &own.entries},
         .object = {.refs = 1, .destroy = never_destroyed},
         .timer = {.object = &own.object, .expired = on_timer},
         .watch_lock = PTHREAD_MUTEX_INITIALIZER};

static void never_destroyed(struct counted *object)
{
    (void)object;
}

/* ---- Calls.  Lock held ---------------------------------------------------------------- */

/* A routine of epregister on `count` entries that a pointer each says. */
typedef void epr_routine(epr_registration registration, uint32_t count, ept_entry_t *entries,
                         error_status_t *status);

static RPC_STATUS call_batch(epr_routine *routine, const struct ep_entry *const *entries,
                             size_t count)
{
    error_status_t told = RPC_S_OK;
    ept_entry_t *batch = calloc(count, sizeof(*batch));
    if (!batch)
        return RPC_S_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        batch[i].object = entries[i]->object;
        batch[i].tower = entries[i]->tower;
        memcpy(batch[i].annotation, entries[i]->annotation, sizeof(batch[i].annotation));
    }
    routine(own.registration, (uint32_t)count, batch, &told);
    free(batch);
    return ep_status(told);
}

/* Stops at the first batch that fails; *ret_done are before it. */
static RPC_STATUS call_all(epr_routine *routine, const struct ep_entry *const *entries,
                           size_t count, size_t *ret_done)
{
    RPC_STATUS status = RPC_S_OK;
    for (*ret_done = 0; *ret_done < count && status == RPC_S_OK;) {
        const size_t left = count - *ret_done;
        const size_t batch = left < LIMIT_EP_BATCH ? left : LIMIT_EP_BATCH;
        status = call_batch(routine, entries + *ret_done, batch);
        if (status == RPC_S_OK)
            *ret_done += batch;
    }
    return status;
}

/* ---- The registration.  Lock held --------------------------------------------------------- */

static void retry_later(void)
{
    uint16_t random = 0;
    (void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
    own.retry_ms = own.retry_ms == 0                           ? LIMIT_EP_RETRY_MS
                   : own.retry_ms < LIMIT_EP_RETRY_MAX_MS / 2 ? own.retry_ms * 2
                                                               : LIMIT_EP_RETRY_MAX_MS;
    if (own.silent && own.retry_ms < LIMIT_EP_RETRY_SILENT_MS)
        own.retry_ms = LIMIT_EP_RETRY_SILENT_MS;
    /* All servers of this computer have lost it at the same moment. */
    const uint64_t wait_us = (uint64_t)own.retry_ms * 500u * (0x10000u + random) / 0x10000u;
    if (!timer_set(&own.timer, clock_us() + wait_us))
        TRACE(TRACE_CALL, "endpoint mapper: no resources to try again");
}

static void RPC_ENTRY on_watch(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    struct watch *watch = (struct watch *)async;
    (void)context, (void)event;
    pthread_mutex_lock(&own.watch_lock);
    const bool current = own.watch == watch;
    if (current) {
        own.watch = NULL;
        own.lost = true;
    }
    pthread_mutex_unlock(&own.watch_lock);
    RpcAsyncCompleteCall(async, NULL);
    free(watch);
    if (current)
        timer_set(&own.timer, clock_us());
}

/* The stub returns at once, and what it raises has left nothing behind. */
static RPC_STATUS call_watch(struct watch *watch)
{
    RPC_STATUS volatile status = RPC_S_OK;
    RpcTryExcept {
        client_epr_watch(&watch->async, own.mapper);
    }
    RpcExcept(1) {
        status = (RPC_STATUS)RpcExceptionCode();
    }
    RpcEndExcept
    return status;
}

static RPC_STATUS start_watch(void)
{
    struct watch *watch = calloc(1, sizeof(*watch));
    if (!watch)
        return RPC_S_OUT_OF_MEMORY;
    RpcAsyncInitializeHandle(&watch->async, sizeof(watch->async));
    watch->async.NotificationType = RpcNotificationTypeCallback;
    watch->async.u.NotificationRoutine = on_watch;
    pthread_mutex_lock(&own.watch_lock);
    own.watch = watch;
    own.lost = false;
    pthread_mutex_unlock(&own.watch_lock);
    RPC_STATUS status = call_watch(watch);
    if (status == RPC_S_OK)
        return RPC_S_OK;
    pthread_mutex_lock(&own.watch_lock);
    own.watch = NULL;
    pthread_mutex_unlock(&own.watch_lock);
    free(watch);
    return status;
}

/* Everything about the mapper is forgotten; with the connections our entries there go. */
static void let_go(void)
{
    if (own.registration)
        RpcSmDestroyClientContext(&own.registration);
    pthread_mutex_lock(&own.watch_lock);
    if (own.watch)
        RpcAsyncCancelCall(&own.watch->async, TRUE);
    own.watch = NULL;
    own.lost = false;
    pthread_mutex_unlock(&own.watch_lock);
    if (own.mapper)
        RpcBindingFree(&own.mapper);
}

static RPC_STATUS open_registration(void)
{
    error_status_t told = RPC_S_OK;
    RPC_STATUS status =
        ep_mapper_binding(TRANSPORT_UNIX, "", RPC_C_BINDING_MIN_TIMEOUT, &own.mapper);
    if (status != RPC_S_OK)
        return status;
    client_epr_open(own.mapper, &own.registration, &told);
    status = ep_status(told);
    if (status == RPC_S_OK && !own.registration)
        status = RPC_S_PROTOCOL_ERROR;
    return status == RPC_S_OK ? start_watch() : status;
}

static void close_registration(void)
{
    RpcTryExcept {
        if (own.registration)
            client_epr_close(&own.registration);
    }
    RpcExcept(1) {
        TRACE(TRACE_CALL, "endpoint mapper: gone before we were");
    }
    RpcEndExcept
    let_go();
    timer_clear(&own.timer);
    own.retry_ms = 0;
    own.silent = false;
}

/* ---- Losing it, and coming back ------------------------------------------------------------ */

/* The mapper died, and perhaps another has taken its place, which does not know us. */
static bool says_lost(RPC_STATUS status)
{
    return status == RPC_S_SERVER_UNAVAILABLE || status == RPC_S_CALL_FAILED ||
           status == RPC_S_CALL_FAILED_DNE || status == RPC_S_CALL_CANCELLED ||
           status == RPC_X_SS_CONTEXT_MISMATCH;
}

/* Was it silence that a call ended with, which was begun then? */
static bool says_silent(RPC_STATUS status, uint64_t begun_ms)
{
    return says_lost(status) && clock_ms() - begun_ms >= LIMIT_CONNECT_STEP_MS * 9 / 10;
}

/* Everything there is. */
static RPC_STATUS insert_own(void)
{
    size_t i = 0, done;
    const struct ep_entry **entries = calloc(own.count + 1, sizeof(*entries));
    if (!entries)
        return RPC_S_OUT_OF_MEMORY;
    for (struct list *node = own.entries.next; node != &own.entries; node = node->next)
        entries[i++] = &list_entry(node, struct registered, node)->entry;
    RPC_STATUS status = call_all(client_epr_insert, entries, i, &done);
    free(entries);
    return status;
}

/* REGISTERED, if it can be. */
static RPC_STATUS come_back(void)
{
    const uint64_t begun_ms = clock_ms();
    if (own.registration)
        return RPC_S_OK;
    RPC_STATUS status = open_registration();
    if (status == RPC_S_OK)
        status = insert_own();
    own.silent = says_silent(status, begun_ms);
    TRACE(TRACE_CALL, "endpoint mapper: %u entries registered: %d", own.count, (int)status);
    if (status == RPC_S_OK)
        own.retry_ms = 0;
    else
        let_go();
    return status;
}

/* LOST.  A thread of the reactor, which may wait here. */
static void on_timer(struct counted *object)
{
    struct stub_memory outer;
    (void)object;
    reactor_block_begin();
    stub_memory_enter(&outer);
    pthread_mutex_lock(&own.lock);
    pthread_mutex_lock(&own.watch_lock);
    const bool lost = own.lost;
    pthread_mutex_unlock(&own.watch_lock);
    if (lost)
        let_go();
    if (!list_empty(&own.entries) && come_back() != RPC_S_OK)
        retry_later();
    pthread_mutex_unlock(&own.lock);
    stub_memory_leave(&outer);
    reactor_block_end();
}

/* ---- Entries --------------------------------------------------------------------------------- */

static bool same(const struct ep_entry *a, const struct ep_entry *b)
{
    return uuid_equal(&a->object, &b->object) && a->tower->tower_length == b->tower->tower_length &&
           memcmp(a->tower->tower_octet_string, b->tower->tower_octet_string,
                  a->tower->tower_length) == 0;
}

/* Does `entry` take the place of `old`, which is not the same? */
static bool replaces(const struct ep_entry *entry, const struct ep_entry *old)
{
    struct tower a, b;
    return uuid_equal(&entry->object, &old->object) &&
           tower_decode(entry->tower->tower_octet_string, entry->tower->tower_length, &a) &&
           tower_decode(old->tower->tower_octet_string, old->tower->tower_length, &b) &&
           uuid_equal(&a.interface_id.uuid, &b.interface_id.uuid) &&
           a.interface_id.major == b.interface_id.major && tower_same_protocols(&a, &b);
}

static bool any(const struct ep_entry *const *entries, size_t count, const struct ep_entry *entry,
                bool is(const struct ep_entry *one, const struct ep_entry *other))
{
    for (size_t i = 0; i < count; i++)
        if (is(entries[i], entry))
            return true;
    return false;
}

static void free_registered(struct registered *registered)
{
    list_remove(&registered->node);
    stub_memory_free(registered->entry.tower);
    free(registered);
    own.count--;
}

/* What the mapper has of us goes with our connection, whatever it made of the call; it is told
 * everything again when it answers. */
static void note_silence(RPC_STATUS status, uint64_t begun_ms)
{
    if (!own.registration || !says_silent(status, begun_ms))
        return;
    let_go();
    own.silent = true;
}

/* Takes what `which` says out of the list and the mapper. */
static RPC_STATUS remove_entries(bool which(const struct ep_entry *const *entries, size_t count,
                                            const struct ep_entry *entry),
                                 const struct ep_entry *const *entries, size_t count)
{
    const uint64_t begun_ms = clock_ms();
    struct list gone;
    size_t gone_count = 0, done;
    list_init(&gone);
    for (struct list *node = own.entries.next, *next; node != &own.entries; node = next) {
        struct registered *registered = list_entry(node, struct registered, node);
        next = node->next;
        if (!which(entries, count, &registered->entry))
            continue;
        list_remove(node);
        list_append(&gone, node);
        gone_count++;
    }
    const struct ep_entry **list = calloc(gone_count + 1, sizeof(*list));
    size_t i = 0;
    for (struct list *node = gone.next; list && node != &gone; node = node->next)
        list[i++] = &list_entry(node, struct registered, node)->entry;
    /* If the mapper is not there, neither are they.  Without memory the mapper keeps them until
     * this process ends, or it. */
    if (own.registration && i > 0)
        note_silence(call_all(client_epr_delete, list, i, &done), begun_ms);
    free(list);
    while (!list_empty(&gone))
        free_registered(list_entry(gone.next, struct registered, node));
    return gone_count > 0 ? RPC_S_OK : EPT_S_NOT_REGISTERED;
}

static bool is_one(const struct ep_entry *const *entries, size_t count,
                   const struct ep_entry *entry)
{
    return any(entries, count, entry, same);
}

static bool is_replaced(const struct ep_entry *const *entries, size_t count,
                        const struct ep_entry *entry)
{
    return !any(entries, count, entry, same) && any(entries, count, entry, replaces);
}

static struct registered *find_same(const struct ep_entry *entry)
{
    for (struct list *node = own.entries.next; node != &own.entries; node = node->next)
        if (same(&list_entry(node, struct registered, node)->entry, entry))
            return list_entry(node, struct registered, node);
    return NULL;
}

/* Takes the tower. */
static void keep(struct registered *fresh, struct ep_entry *entry)
{
    struct registered *old = find_same(entry);
    if (old) /* with another annotation, perhaps */
        free_registered(old);
    fresh->entry = *entry;
    entry->tower = NULL;
    list_append(&own.entries, &fresh->node);
    own.count++;
}

/* When the mapper says nothing they are as good as registered: the timer brings them, too. */
static RPC_STATUS insert_list(const struct ep_entry *const *list, size_t count)
{
    size_t done = 0, ignored;
    const uint64_t begun_ms = clock_ms();
    RPC_STATUS status = own.silent ? RPC_S_OK : come_back();
    if (status == RPC_S_OK && !own.silent)
        status = call_all(client_epr_insert, list, count, &done);
    note_silence(status, begun_ms);
    if (own.silent)
        return RPC_S_OK;
    if (says_lost(status) && own.registration) { /* before our watch has told us */
        let_go();
        status = come_back();
        if (status == RPC_S_OK)
            status = call_all(client_epr_insert, list, count, &done);
    }
    if (status != RPC_S_OK && own.registration) { /* the batch that failed may be there in part, */
        const size_t end = done + LIMIT_EP_BATCH;
        call_all(client_epr_delete, list, end < count ? end : count, &ignored);
        insert_own(); /* and what was there before is to stay */
    }
    return status;
}

/* Memory for all of them first: what was inserted must not be forgotten. */
static RPC_STATUS insert_entries(struct ep_entry *entries, const struct ep_entry *const *list,
                                 size_t count)
{
    struct registered **fresh = calloc(count, sizeof(*fresh));
    RPC_STATUS status = fresh ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
    for (size_t i = 0; i < count && status == RPC_S_OK; i++) {
        fresh[i] = calloc(1, sizeof(*fresh[i]));
        if (!fresh[i])
            status = RPC_S_OUT_OF_MEMORY;
    }
    if (status == RPC_S_OK)
        status = insert_list(list, count);
    for (size_t i = 0; fresh && i < count; i++) {
        if (status == RPC_S_OK)
            keep(fresh[i], &entries[i]);
        else
            free(fresh[i]);
    }
    free(fresh);
    return status;
}

static void free_towers(struct ep_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        stub_memory_free(entries[i].tower);
}

static const struct ep_entry **pointers(const struct ep_entry *entries, size_t count)
{
    const struct ep_entry **list = calloc(count, sizeof(*list));
    for (size_t i = 0; list && i < count; i++)
        list[i] = &entries[i];
    return list;
}

RPC_STATUS ep_register(struct ep_entry *entries, size_t count, bool replace)
{
    const struct ep_entry **list = pointers(entries, count);
    RPC_STATUS status = list ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
    struct stub_memory outer;
    if (status == RPC_S_OK)
        status = reactor_start() ? RPC_S_OK : RPC_S_OUT_OF_THREADS;
    stub_memory_enter(&outer);
    pthread_mutex_lock(&own.lock);
    const bool was_silent = own.silent; /* then the timer is set */
    if (status == RPC_S_OK && own.count + count > LIMIT_EP_REGISTERED)
        status = RPC_S_OUT_OF_RESOURCES;
    if (status == RPC_S_OK && replace)
        remove_entries(is_replaced, list, count);
    if (status == RPC_S_OK)
        status = insert_entries(entries, list, count);
    if (list_empty(&own.entries))
        close_registration();
    else if (!own.registration && !was_silent) /* those of before are still to come back */
        retry_later();
    pthread_mutex_unlock(&own.lock);
    stub_memory_leave(&outer);
    free_towers(entries, count);
    free(list);
    return status;
}

RPC_STATUS ep_unregister(struct ep_entry *entries, size_t count)
{
    const struct ep_entry **list = pointers(entries, count);
    RPC_STATUS status = RPC_S_OUT_OF_MEMORY;
    struct stub_memory outer;
    stub_memory_enter(&outer);
    pthread_mutex_lock(&own.lock);
    const bool was_silent = own.silent;
    if (list)
        status = remove_entries(is_one, list, count);
    if (status == RPC_S_OK && list_empty(&own.entries))
        close_registration();
    else if (own.silent && !was_silent)
        retry_later();
    pthread_mutex_unlock(&own.lock);
    stub_memory_leave(&outer);
    free_towers(entries, count);
    free(list);
    return status;
}
