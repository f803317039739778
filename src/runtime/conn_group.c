/* SPDX-License-Identifier: MIT */
/* conn_group.c - the association group of a client's connections to one server: the first
 * one founds it, the others name it in their binds, so they wait until it is known. */
#include <pthread.h>

#include <penstock/rpcnterr.h>

#include "base/clock.h"
#include "runtime/cancel_thread.h"
#include "runtime/conn_pool_internal.h"
#include "runtime/conn_setup.h"

static pthread_cond_t founded = PTHREAD_COND_INITIALIZER;

RPC_STATUS client_group_ask(struct server_pool *pool, unsigned timeout_ms,
                            uint32_t *ret_group_id)
{
    const uint64_t until_us = clock_us() + (uint64_t)timeout_ms * 1000;
    const struct timespec until = {.tv_sec = (time_t)(until_us / 1000000u),
                                   .tv_nsec = (long)(until_us % 1000000u) * 1000};
    int late = 0;
    pthread_mutex_lock(&server_pools_lock);
    while (pool->founding && late == 0 && !cancel_thread_seen())
        if (timeout_ms == 0)
            pthread_cond_wait(&founded, &server_pools_lock);
        else
            late = pthread_cond_clockwait(&founded, &server_pools_lock, CLOCK_MONOTONIC, &until);
    RPC_STATUS status = pool->founding ? RPC_S_SERVER_UNAVAILABLE : RPC_S_OK;
    *ret_group_id = pool->group_id;
    if (status == RPC_S_OK)
        pool->founding = pool->group_id == 0;
    pthread_mutex_unlock(&server_pools_lock);
    return status;
}

bool client_group_ask_later(struct server_pool *pool, struct conn_setup *setup,
                            uint32_t *ret_group_id)
{
    pthread_mutex_lock(&server_pools_lock);
    const bool now = !pool->founding;
    if (now) {
        *ret_group_id = pool->group_id;
        pool->founding = pool->group_id == 0;
    } else {
        conn_get(setup->conn);
        list_append(&pool->awaiting, &setup->group_node);
    }
    pthread_mutex_unlock(&server_pools_lock);
    return now;
}

void client_group_forget(struct conn_setup *setup)
{
    pthread_mutex_lock(&server_pools_lock);
    const bool listed = list_linked(&setup->group_node);
    list_remove(&setup->group_node);
    pthread_mutex_unlock(&server_pools_lock);
    if (listed)
        conn_put(setup->conn); /* not the last: the caller has one */
}

void server_pools_wake(void)
{
    pthread_mutex_lock(&server_pools_lock);
    pthread_cond_broadcast(&founded);
    pthread_mutex_unlock(&server_pools_lock);
}

void client_group_join(struct server_pool *pool, const struct conn *conn, bool founds)
{
    pthread_mutex_lock(&server_pools_lock);
    if (conn && conn->assoc.group_id == pool->group_id) {
        pool->members++;
    } else if (conn) { /* the server has forgotten the one before */
        pool->group_id = conn->assoc.group_id;
        pool->members = 1;
    }
    conn_idle_look_at(pool);
    if (founds) {
        pool->founding = false;
        pthread_cond_broadcast(&founded);
        for (struct list *node = list_pop(&pool->awaiting); node;
             node = list_pop(&pool->awaiting)) /* the reference goes with the job */
            reactor_submit(&list_entry(node, struct conn_setup, group_node)->job);
    }
    pthread_mutex_unlock(&server_pools_lock);
}

void client_group_leave(struct server_pool *pool, const struct conn *conn)
{
    if (conn->assoc.group_id == pool->group_id && pool->members > 0 && --pool->members == 0)
        pool->group_id = 0;
}
