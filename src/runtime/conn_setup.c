/* SPDX-License-Identifier: MIT */
/* conn_setup.c - see conn_setup.h.  In the order in which it runs. */
#include "runtime/conn_setup.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <penstock/rpcnterr.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/slab.h"
#include "base/trace.h"
#include "runtime/call.h"
#include "runtime/capture.h"
#include "runtime/client_begin.h"
#include "runtime/conn_pool_internal.h"
#include "runtime/error_info.h"

static void run_job(struct io_job *job);
static void on_timer(struct counted *object);

/* ---- Beginning ---------------------------------------------------------------- */

/* Takes over the attempt, also when it fails. */
static struct conn *new_conn(struct server_pool *pool, const struct conn_wish *wish,
                             struct transport_attempt *attempt, bool named)
{
    struct conn_setup *setup = object_alloc(sizeof(*setup));
    struct conn *conn =
        setup ? conn_new(-1, pool->kind, ASSOC_CLIENT, NULL) : NULL;
    if (!conn) {
        transport_attempt_fini(attempt);
        object_free(setup, sizeof(*setup));
        return NULL;
    }
    *setup = (struct conn_setup){
        .conn = conn, .wish = *wish, .attempt = *attempt, .named = named, .job = {.run = run_job}};
    setup->wish.lane = NULL; /* of the call that came first */
    list_init(&setup->calls);
    conn->pool = pool;
    conn->setup = setup;
    setup->timer = (struct io_timer){.object = &conn->watch.object, .expired = on_timer};
    return conn;
}

RPC_STATUS conn_setup_new(struct server_pool *pool, const struct conn_wish *wish,
                          struct conn **ret_conn)
{
    struct transport_attempt attempt = {.kind = pool->kind};
    bool named = true; /* without an endpoint there is something to be asked, too */
    const char *endpoint = pool_endpoint(pool);
    RPC_STATUS status = RPC_S_OK;
    if (*endpoint)
        status = transport_attempt_init_numeric(&attempt, pool->kind, pool->address, endpoint,
                                                &named);
    if (status != RPC_S_OK) {
        error_on_connect(pool->kind, pool->address, &attempt.failure);
        return status;
    }
    *ret_conn = new_conn(pool, wish, &attempt, named);
    return *ret_conn ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
}

void conn_setup_free(struct conn_setup *setup)
{
    if (!setup)
        return;
    transport_attempt_fini(&setup->attempt);
    error_put(setup->errors);
    object_free(setup, sizeof(*setup));
}

static void set_timer(struct conn *conn)
{
    struct conn_setup *setup = conn->setup;
    uint64_t next = setup->retry_us != 0 && (setup->due_us == 0 || setup->retry_us < setup->due_us)
                        ? setup->retry_us
                        : setup->due_us;
    if (next == 0)
        timer_clear(&setup->timer);
    else if (!timer_set(&setup->timer, next))
        conn_fail(conn, RPC_S_OUT_OF_RESOURCES);
}

/* ---- Connecting ------------------------------------------------------------------ */

/* The address is of no use, or none of its server's octets. */
static void drop_socket(struct conn *conn)
{
    if (conn->watch.fd < 0)
        return;
    reactor_remove(&conn->watch);
    conn->watch.handle = 0;
    close(conn->watch.fd);
    conn->watch.fd = -1;
    conn->armed = 0;
    conn->lazy = 0;
}

static void send_bind(struct conn *conn)
{
    struct conn_setup *setup = conn->setup;
    setup->state = SETUP_BIND;
    conn->bound = false;
    RPC_STATUS status = assoc_bind(&conn->assoc, &setup->wish.interface_id,
                                   setup->wish.syntaxes, setup->group_id);
    if (status == RPC_S_OK)
        conn_flush(conn);
    else
        conn_fail(conn, status);
}

static void ask_group(struct conn *conn)
{
    struct conn_setup *setup = conn->setup;
    setup->state = SETUP_GROUP;
    if (!client_group_ask_later(conn->pool, setup, &setup->group_id))
        return;
    setup->founds = setup->group_id == 0;
    send_bind(conn);
}

static void on_connected(struct conn *conn)
{
    struct conn_setup *setup = conn->setup;
    setup->retry_us = 0;
    TRACE(TRACE_ASSOC, "conn %d: connected", conn->watch.fd);
    if (!conn_watch(conn))
        conn_fail(conn, RPC_S_OUT_OF_RESOURCES);
    else if (setup->again)
        send_bind(conn);
    else
        ask_group(conn);
}

static void wait_writable(struct conn *conn)
{
    conn->armed = EPOLLOUT;
    if (!conn_watch(conn) || !reactor_arm(&conn->watch, EPOLLOUT))
        conn_fail(conn, RPC_S_OUT_OF_RESOURCES);
}

/* `progress` of the address under way, FAILED: it is the next one's turn. */
static void follow(struct conn *conn, enum transport_progress progress)
{
    struct conn_setup *setup = conn->setup;
    if (progress == TRANSPORT_FAILED) {
        drop_socket(conn);
        progress = transport_attempt_begin(&setup->attempt, &conn->watch.fd);
    }
    switch (progress) {
    case TRANSPORT_CONNECTED:
        on_connected(conn);
        return;
    case TRANSPORT_CONNECTING:
        wait_writable(conn);
        return;
    case TRANSPORT_BUSY:
        setup->retry_us = clock_us() + LIMIT_BACKLOG_RETRY_MS * 1000u;
        set_timer(conn);
        return;
    case TRANSPORT_FAILED:
        conn_fail(conn, transport_attempt_status(&setup->attempt));
        return;
    }
}

RPC_STATUS conn_setup_start(struct conn *conn)
{
    struct conn_setup *setup = conn->setup;
    if (setup && setup->state == SETUP_NEW) {
        setup->state = setup->named ? SETUP_RESOLVE : SETUP_CONNECT;
        if (setup->wish.timeout_ms > 0)
            setup->due_us = clock_us() + (uint64_t)setup->wish.timeout_ms * 1000u;
        set_timer(conn);
        if (conn_alive(conn) && setup->named)
            conn_resolve_begin(conn);
        else if (conn_alive(conn))
            follow(conn, TRANSPORT_FAILED);
        conn_settle(conn, CONN_ARM_NOW);
    }
    if (conn_alive(conn))
        return RPC_S_OK;
    if (conn->setup) {
        error_thread_set(error_get(conn->setup->errors));
        return conn->setup->status;
    }
    return RPC_S_CALL_FAILED_DNE; /* it was up, and nothing of the call has been sent */
}

void conn_setup_resolved(struct conn *conn, const struct transport_attempt *found,
                         RPC_STATUS status)
{
    struct conn_setup *setup = conn->setup;
    if (!setup || setup->state != SETUP_RESOLVE || !conn_alive(conn))
        return;
    if (status == RPC_S_OK)
        status = transport_attempt_copy(&setup->attempt, found);
    else
        setup->attempt.failure = found->failure;
    if (status == RPC_S_OK) {
        setup->state = SETUP_CONNECT;
        follow(conn, TRANSPORT_FAILED);
    } else {
        conn_fail(conn, status);
    }
    conn_settle(conn, CONN_ARM_NOW);
}

bool conn_setup_on_io(struct conn *conn)
{
    if (conn->setup->state != SETUP_CONNECT)
        return conn->setup->state == SETUP_READY; /* whoever makes it ready goes on */
    if (conn->watch.fd >= 0 && conn_alive(conn))
        follow(conn, transport_attempt_go_on(&conn->setup->attempt, conn->watch.fd));
    return true;
}

/* ---- Time, and turns ---------------------------------------------------------------- */

static void on_timer(struct counted *object)
{
    struct conn *conn = list_entry(object, struct conn, watch.object);
    conn_lock(conn);
    struct conn_setup *setup = conn->setup;
    if (conn_is_pending(conn) && setup->state != SETUP_READY && conn_alive(conn)) {
        const uint64_t now = clock_us();
        if (setup->due_us != 0 && setup->due_us <= now) {
            TRACE(TRACE_ASSOC, "conn %d: no answer in time", conn->watch.fd);
            if (setup->state == SETUP_CONNECT)
                transport_attempt_expire(&setup->attempt);
            else if (setup->state == SETUP_RESOLVE)
                setup->attempt.failure.resolver = EAI_AGAIN;
            conn_fail(conn, RPC_S_SERVER_UNAVAILABLE);
        } else if (setup->retry_us != 0 && setup->retry_us <= now) {
            setup->retry_us = 0;
            follow(conn, transport_attempt_go_on(&setup->attempt, conn->watch.fd));
        }
        if (conn_is_pending(conn) && conn_alive(conn))
            set_timer(conn);
        conn_settle(conn, CONN_ARM_NOW);
    }
    conn_unlock(conn);
}

static void run_job(struct io_job *job)
{
    struct conn *conn = list_entry(job, struct conn_setup, job)->conn;
    conn_lock(conn);
    if (conn_is_pending(conn) && conn->setup->state == SETUP_NEW) {
        conn_setup_start(conn);
    } else if (conn_is_pending(conn) && conn->setup->state == SETUP_GROUP && conn_alive(conn)) {
        ask_group(conn);
        conn_settle(conn, CONN_ARM_NOW);
    }
    conn_unlock(conn);
    conn_put(conn);
}

/* ---- The end: up -------------------------------------------------------------------- */

void conn_setup_add(struct conn *conn, struct call_begin *begin)
{
    list_append(&conn->setup->calls, &begin->node);
}

RPC_STATUS conn_setup_move(struct call_begin *begin, const struct conn_wish *wish)
{
    struct rpc_call *call = begin->call;
    struct conn *from = call->conn;
    struct server_pool *pool = from->pool;
    struct conn_wish own = *wish;
    struct transport_attempt attempt;
    own.shared = false;
    RPC_STATUS status = transport_attempt_init_peer(&attempt, (enum transport_kind)from->kind, from->watch.fd);
    struct conn *to = status == RPC_S_OK ? new_conn(pool, &own, &attempt, false) : NULL;
    if (!to)
        return status != RPC_S_OK ? status : RPC_S_OUT_OF_MEMORY;
    TRACE(TRACE_CALL, "call %s: the server takes one at a time, another connection carries it",
          call->op->name);
    pthread_mutex_lock(&server_pools_lock);
    pool->users++;
    to->calls = 1;
    pthread_mutex_unlock(&server_pools_lock);
    server_pool_give(from, true); /* others are on it */
    list_remove(&begin->node);
    conn_setup_add(to, begin);
    conn_get(to); /* the job's */
    conn_get(to); /* the call's */
    call_set_conn(call, to);
    reactor_submit(&to->setup->job);
    return RPC_S_OK;
}

/* Those that come later find it as any other: what its contexts are is settled. */
static bool publish(struct conn *conn)
{
    struct server_pool *pool = conn->pool;
    const struct conn_setup *setup = conn->setup;
    pthread_mutex_lock(&server_pools_lock);
    conn->awaited = false;
    conn->shared = setup->wish.shared && conn->assoc.multiplex;
    if (!conn->shared) {
        list_remove(&conn->node);
        conn->lane = 0;
    }
    if (setup->wish.syntaxes == ASSOC_SYNTAXES)
        pool->takes_ndr = !conn_context_for(conn, &setup->wish)->ndr64;
    pthread_mutex_unlock(&server_pools_lock);
    client_group_join(pool, conn, setup->founds);
    return conn->shared;
}

/* Nothing drops the lock between the first request that is queued and the last: no call that
 * comes later gets in between (AR-9). */
static void begin_calls(struct conn *conn, struct conn_setup *setup, bool shared)
{
    struct list begun;
    unsigned count = 0;
    list_init(&begun);
    for (struct list *node = list_pop(&setup->calls); node; node = list_pop(&setup->calls)) {
        struct call_begin *begin = list_entry(node, struct call_begin, node);
        if (count > 0 && !shared) {
            RPC_STATUS status = conn_setup_move(begin, &setup->wish);
            if (status != RPC_S_OK)
                call_fail(begin->call, status);
            continue;
        }
        count++;
        client_begin_queue(begin, &setup->wish);
        list_append(&begun, &begin->node);
    }
    conn_own_output(conn);
    /* From here on the lock is dropped at times, and the calls may end. */
    conn_flush(conn);
    for (struct list *node = list_pop(&begun); node; node = list_pop(&begun))
        client_begin_go_on(list_entry(node, struct call_begin, node));
}

static void be_ready(struct conn *conn)
{
    struct conn_setup *setup = conn->setup;
    setup->state = SETUP_READY;
    while (conn->writing) /* what is queued must not be moved meanwhile */
        conn_wait(conn);
    if (conn->closed) /* and the set-up ended with it */
        return;
    if (!conn_alive(conn)) {
        setup->state = SETUP_BIND;
        return;
    }
    timer_clear(&setup->timer);
    const bool shared = publish(conn);
    conn->setup = NULL;
    begin_calls(conn, setup, shared);
    conn_setup_free(setup);
}

/* ---- The end: failed ------------------------------------------------------------------- */

/* All over again, without a group.  False: that would be no use. */
static bool begin_again(struct conn *conn)
{
    struct conn_setup *setup = conn->setup;
    if (setup->state != SETUP_BIND || setup->group_id == 0 || setup->again || conn->closed ||
        conn->reading || conn->writing || !client_group_refused(conn->assoc.status))
        return false;
    TRACE(TRACE_ASSOC, "conn %d: the server does not know the group", conn->watch.fd);
    setup->again = true;
    setup->group_id = 0;
    setup->state = SETUP_CONNECT;
    struct transport_attempt attempt;
    if (transport_attempt_init_peer(&attempt, (enum transport_kind)conn->kind, conn->watch.fd) == RPC_S_OK) {
        transport_attempt_fini(&setup->attempt);
        setup->attempt = attempt;
    } else {
        setup->attempt.next--; /* the address that was connected */
    }
    drop_socket(conn);
    conn_renew(conn);
    follow(conn, TRANSPORT_FAILED);
    return true;
}

static void note_errors(struct conn *conn, RPC_STATUS status)
{
    const struct server_pool *pool = conn->pool;
    struct conn_setup *setup = conn->setup;
    if (setup->errors) /* of the endpoint mapper */
        return;
    if (setup->state == SETUP_CONNECT || setup->state == SETUP_RESOLVE)
        setup->errors =
            error_note_connect(NULL, pool->kind, pool->address, &setup->attempt.failure);
    else
        setup->errors = error_note_bind(conn, pool->address, pool_endpoint(pool), status);
}

static void fail_calls(struct conn *conn)
{
    struct conn_setup *setup = conn->setup;
    RPC_STATUS status = conn->assoc.status;
    if (status == RPC_S_CALL_FAILED) /* it ended; nothing of any call was on it */
        status = RPC_S_SERVER_UNAVAILABLE;
    note_errors(conn, status);
    setup->status = status;
    for (struct list *node = list_pop(&setup->calls); node; node = list_pop(&setup->calls)) {
        struct rpc_call *call = list_entry(node, struct call_begin, node)->call;
        const struct error_arg arg = ERROR_TEXT(call->op->name);
        call->errors = error_note(error_get(setup->errors), RPCX_EEINFO_GC_PENSTOCK,
                                  ERROR_AT_PREPARE, status, 1, &arg);
        call_fail(call, status);
    }
    conn_close(conn);
}

bool conn_setup_settle(struct conn *conn)
{
    while (conn_is_pending(conn) && !conn->closed) {
        const struct conn_setup *setup = conn->setup;
        if (setup->state == SETUP_READY)
            return true; /* whoever does that will settle it */
        if (conn_alive(conn) && !(setup->state == SETUP_BIND && conn->bound))
            return setup->state == SETUP_CONNECT || setup->state == SETUP_NEW ||
                   setup->state == SETUP_RESOLVE;
        if (conn_alive(conn) && conn->bind_status == RPC_S_OK)
            be_ready(conn);
        else if (conn_alive(conn))
            conn_fail(conn, conn->bind_status);
        else if (!begin_again(conn))
            fail_calls(conn);
    }
    return conn->closed;
}

void conn_setup_closed(struct conn *conn)
{
    struct conn_setup *setup = conn->setup;
    if (!setup || setup->state == SETUP_ENDED)
        return;
    if (setup->status == RPC_S_OK)
        setup->status = RPC_S_SERVER_UNAVAILABLE;
    setup->state = SETUP_ENDED;
    timer_clear(&setup->timer);
    client_group_forget(setup);
    conn_resolve_forget(setup);
    if (setup->founds)
        client_group_join(conn->pool, NULL, true);
}
