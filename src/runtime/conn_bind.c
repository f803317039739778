/* SPDX-License-Identifier: MIT */
/* conn_bind.c - a new connection, or a presentation context more on an idle one, for a thread
 * that waits for it: synchronous calls.  Asynchronous ones have conn_setup.c. */
#include <sys/socket.h>
#include <sys/time.h>

#include <penstock/rpcnterr.h>

#include "runtime/call.h"
#include "runtime/cancel_thread.h"
#include "runtime/conn_pool_internal.h"
#include "runtime/error_info.h"

/* Waits for the answer to the bind or alter_context; the socket's time-out bounds each
 * receive. */
static RPC_STATUS wait_bound(struct conn *conn)
{
    if (cancel_thread_conn(conn)) {
        conn_flush_until(conn, 0);
        while (!conn->bound && conn_alive(conn))
            if (conn_read(conn, true) == CONN_READ_DRY)
                break; /* silence */
    }
    if (!cancel_thread_conn(NULL)) {
        conn_fail(conn, RPC_S_CALL_CANCELLED); /* it may have been shut down */
        return RPC_S_CALL_CANCELLED;
    }
    if (!conn->bound && conn_alive(conn))
        return RPC_S_SERVER_UNAVAILABLE;
    if (!conn->bound)
        return conn->assoc.status == RPC_S_CALL_FAILED ? RPC_S_SERVER_UNAVAILABLE
                                                       : conn->assoc.status;
    return conn->bind_status;
}

static void set_timeout(struct conn *conn, unsigned timeout_ms)
{
    const struct timeval tv = {.tv_sec = timeout_ms / 1000,
                               .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};
    setsockopt(conn->watch.fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

RPC_STATUS conn_alter(struct conn *conn, const struct conn_wish *wish)
{
    RPC_STATUS status = RPC_S_CALL_FAILED;
    conn_lock(conn);
    if (conn->assoc.state == ASSOC_OPEN) {
        conn->bound = false;
        set_timeout(conn, wish->timeout_ms);
        status = assoc_alter(&conn->assoc, &wish->interface_id, wish->syntaxes);
        if (status == RPC_S_OK)
            status = wait_bound(conn);
        set_timeout(conn, 0);
    }
    conn_unlock(conn);
    return status;
}

static RPC_STATUS connect_and_bind(struct server_pool *pool, const struct conn_wish *wish,
                                   uint32_t group_id, struct conn **ret_conn)
{
    int fd;
    struct transport_failure failure;
    RPC_STATUS status =
        transport_connect(pool->kind, pool->address, pool_endpoint(pool), wish->timeout_ms,
                          cancel_thread_fd(), &fd, &failure);
    if (status != RPC_S_OK) {
        error_on_connect(pool->kind, pool->address, &failure);
        return status;
    }
    struct conn *conn = conn_new(fd, pool->kind, ASSOC_CLIENT, NULL);
    if (!conn)
        return RPC_S_OUT_OF_MEMORY;
    conn->pool = pool;
    set_timeout(conn, wish->timeout_ms);
    conn_lock(conn);
    status = assoc_bind(&conn->assoc, &wish->interface_id, wish->syntaxes, group_id);
    if (status == RPC_S_OK)
        status = wait_bound(conn);
    if (status == RPC_S_OK) /* or its block would lie between the connection and the call, */
        txq_trim(&conn->assoc.txq); /* and leave a hole that fits neither */
    else
        conn_close(conn);
    conn_unlock(conn);
    if (status != RPC_S_OK) {
        error_on_bind(conn, pool->address, pool_endpoint(pool), status);
        conn_put(conn);
        return status;
    }
    set_timeout(conn, 0);
    *ret_conn = conn;
    return RPC_S_OK;
}

RPC_STATUS server_pool_connect(struct server_pool *pool, const struct conn_wish *wish,
                               struct conn **ret_conn)
{
    uint32_t group_id;
    struct conn *conn = NULL;
    RPC_STATUS status = client_group_ask(pool, wish->timeout_ms, &group_id);
    if (status != RPC_S_OK)
        return status;
    status = connect_and_bind(pool, wish, group_id, &conn);
    if (group_id != 0 && client_group_refused(status))
        status = connect_and_bind(pool, wish, 0, &conn);
    client_group_join(pool, status == RPC_S_OK ? conn : NULL, group_id == 0);
    *ret_conn = conn;
    return status;
}
