/* SPDX-License-Identifier: MIT */
/* cancel_thread.c - RpcCancelThread and kin: another thread ends a synchronous call; see
 * cancel_thread.h and docs/design/cancel.md.
 *
 * Each thread that takes part has a record for the rest of its life: so a call costs it
 * two uncontended locks, and who cancels finds the thread whatever it is doing. */
#include "runtime/cancel_thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <penstock/rpc.h>

#include "base/clock.h"
#include "base/trace.h"
#include "runtime/call.h"
#include "runtime/conn_pool.h"
#include "win32/win32.h"

struct record {
    struct list node;            /* records                    */
    struct win32_thread *thread; /* counted                    */
    pthread_mutex_t lock;        /* guards `wait`              */
    struct sync_wait wait;       /* the innermost, or inactive */
};

static pthread_mutex_t records_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list records = {&records, &records};

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool key_valid;
static _Thread_local struct record *own;
static _Thread_local int own_timeout_s = RPC_C_CANCEL_INFINITE_TIMEOUT;

/* ---- Records ---------------------------------------------------------------------- */

/* The thread ends. */
static void drop_record(void *value)
{
    struct record *record = value;
    pthread_mutex_lock(&records_lock);
    list_remove(&record->node);
    pthread_mutex_unlock(&records_lock);
    own = NULL;
    win32_thread_put(record->thread);
    pthread_mutex_destroy(&record->lock);
    free(record);
}

static void make_key(void)
{
    key_valid = pthread_key_create(&key, drop_record) == 0;
}

/* Out of memory: the thread cannot be cancelled, its calls can be made all the same. */
static struct record *own_record(void)
{
    if (own || !win32_thread_is_known())
        return own;
    pthread_once(&key_once, make_key);
    struct record *record = key_valid ? calloc(1, sizeof(*record)) : NULL;
    if (!record)
        return NULL;
    record->thread = win32_thread_self();
    if (!record->thread || pthread_setspecific(key, record) != 0) {
        if (record->thread)
            win32_thread_put(record->thread);
        free(record);
        return NULL;
    }
    pthread_mutex_init(&record->lock, NULL);
    pthread_mutex_lock(&records_lock);
    list_prepend(&records, &record->node);
    pthread_mutex_unlock(&records_lock);
    own = record;
    return record;
}

void cancel_thread_begin(struct sync_wait *ret_outer)
{
    struct record *record = own_record();
    *ret_outer = (struct sync_wait){.listed = record != NULL};
    if (!record)
        return;
    pthread_mutex_lock(&record->lock);
    *ret_outer = record->wait;
    ret_outer->listed = true;
    record->wait = (struct sync_wait){.active = true, .wake_fd = -1, .timeout_s = own_timeout_s};
    pthread_mutex_unlock(&record->lock);
}

void cancel_thread_end(const struct sync_wait *outer)
{
    if (!outer->listed)
        return;
    pthread_mutex_lock(&own->lock);
    int fd = own->wait.wake_fd;
    own->wait = *outer;
    pthread_mutex_unlock(&own->lock);
    if (fd >= 0)
        close(fd);
}

/* ---- The thread that calls ----------------------------------------------------------- */

/* The record of this thread, locked, while it makes a synchronous call that is not placed
 * yet; else NULL. */
static struct record *enter_unplaced(void)
{
    if (!own)
        return NULL;
    pthread_mutex_lock(&own->lock);
    if (own->wait.active && !own->wait.call)
        return own;
    pthread_mutex_unlock(&own->lock);
    return NULL;
}

bool cancel_thread_seen(void)
{
    struct record *record = enter_unplaced();
    if (!record)
        return false;
    bool cancelled = record->wait.cancelled;
    pthread_mutex_unlock(&record->lock);
    return cancelled;
}

int cancel_thread_fd(void)
{
    struct record *record = enter_unplaced();
    if (!record)
        return -1;
    if (record->wait.wake_fd < 0)
        record->wait.wake_fd = eventfd(record->wait.cancelled, EFD_CLOEXEC | EFD_NONBLOCK);
    int fd = record->wait.wake_fd;
    pthread_mutex_unlock(&record->lock);
    return fd;
}

bool cancel_thread_conn(struct conn *conn)
{
    struct record *record = enter_unplaced();
    if (!record)
        return true;
    record->wait.conn = conn;
    bool cancelled = record->wait.cancelled;
    pthread_mutex_unlock(&record->lock);
    return !cancelled;
}

bool cancel_thread_call(struct rpc_call *call)
{
    struct record *record = enter_unplaced();
    if (!record)
        return true;
    bool cancelled = record->wait.cancelled;
    if (!cancelled)
        record->wait.call = call;
    pthread_mutex_unlock(&record->lock);
    return !cancelled;
}

/* ---- The thread that cancels ------------------------------------------------------------ */

/* Nothing of the call has left: it never will.  Record locked.  The connection the thread
 * waits on, with a reference: its lock comes before the record's. */
static struct conn *cancel_unplaced(struct sync_wait *wait)
{
    wait->cancelled = true;
    if (wait->wake_fd >= 0)
        (void)eventfd_write(wait->wake_fd, 1);
    if (wait->conn)
        conn_get(wait->conn);
    return wait->conn;
}

/* The thread is in recv() or sendmsg(), with the lock dropped, and sees the end of it.  It has
 * been marked as cancelled, so it gives the connection up whatever it was told meanwhile. */
static void end_waiting(struct conn *conn)
{
    conn_lock(conn);
    if (!conn->closed) /* else the number may be another's descriptor */
        shutdown(conn->watch.fd, SHUT_RDWR);
    conn_unlock(conn);
    conn_put(conn);
}

/* What the thread waits for: true, a call, with a reference, or nothing (NULL). */
static bool find_call(const struct win32_thread *thread, struct rpc_call **ret_call,
                      int *ret_timeout_s)
{
    bool unplaced = false;
    struct conn *conn = NULL;
    *ret_call = NULL;
    pthread_mutex_lock(&records_lock);
    for (struct list *node = records.next; node != &records; node = node->next) {
        struct record *record = list_entry(node, struct record, node);
        if (record->thread != thread)
            continue;
        pthread_mutex_lock(&record->lock);
        unplaced = record->wait.active && !record->wait.call;
        if (unplaced)
            conn = cancel_unplaced(&record->wait);
        *ret_call = record->wait.call;
        *ret_timeout_s = record->wait.timeout_s;
        if (*ret_call)
            call_get(*ret_call);
        pthread_mutex_unlock(&record->lock);
        break;
    }
    pthread_mutex_unlock(&records_lock);
    if (conn)
        end_waiting(conn);
    if (unplaced)
        server_pools_wake(); /* it may be waiting for another thread's connection */
    return *ret_call != NULL;
}

/* Lock held. */
static RPC_STATUS cancel_call(struct rpc_call *call, int timeout_s, RPC_STATUS late)
{
    if (call->over)
        return RPC_S_OK;
    client_cancel(call, false);
    if (timeout_s == 0)
        client_give_up(call, late);
    if (timeout_s <= 0)
        return RPC_S_OK;
    /* Who cancels twice is not more patient for it. */
    const uint64_t due_us = clock_us() + (uint64_t)timeout_s * 1000000u;
    if (client_deadline_us(call) != 0 && client_deadline_us(call) <= due_us)
        return RPC_S_OK;
    return client_set_deadline(call, due_us, late);
}

static bool check_timeout(long timeout, int *ret_timeout_s)
{
    if (timeout < RPC_C_CANCEL_INFINITE_TIMEOUT)
        return false;
    *ret_timeout_s = timeout > INT32_MAX ? INT32_MAX : (int)timeout;
    return true;
}

static RPC_STATUS cancel_thread(void *handle, const int *timeout_s, RPC_STATUS late)
{
    struct win32_thread *thread = win32_thread_from_handle(handle);
    if (!thread)
        return RPC_S_ACCESS_DENIED;
    struct rpc_call *call;
    int own_s;
    RPC_STATUS status = RPC_S_OK;
    if (find_call(thread, &call, &own_s)) {
        conn_lock(call->conn);
        status = cancel_call(call, timeout_s ? *timeout_s : own_s, late);
        conn_unlock(call->conn);
        call_put(call);
    }
    win32_thread_put(thread);
    return status;
}

RPC_STATUS RpcCancelThread(void *Thread)
{
    return cancel_thread(Thread, NULL, RPC_S_CALL_FAILED);
}

RPC_STATUS RpcCancelThreadEx(void *Thread, long Timeout)
{
    int timeout_s;
    if (!check_timeout(Timeout, &timeout_s))
        return RPC_S_INVALID_TIMEOUT;
    return cancel_thread(Thread, &timeout_s, RPC_S_CALL_CANCELLED);
}

RPC_STATUS RpcMgmtSetCancelTimeout(long Timeout)
{
    int timeout_s;
    if (!check_timeout(Timeout, &timeout_s))
        return RPC_S_INVALID_TIMEOUT;
    own_timeout_s = timeout_s;
    return RPC_S_OK;
}

RPC_STATUS RpcTestCancel(void)
{
    RPC_STATUS status = RpcServerTestCancel(NULL);
    return status == RPC_S_CALL_IN_PROGRESS ? RPC_S_ACCESS_DENIED : status;
}

RPC_STATUS RpcAsyncCleanupThread(DWORD dwTimeout)
{
    (void)dwTimeout;
    return RPC_S_OK; /* the runtime, not the thread, owns what is under way (AR-8) */
}
