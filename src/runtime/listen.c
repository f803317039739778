/* SPDX-License-Identifier: MIT */
/* listen.c - RpcServerListen and kin.
 *
 *   QUIET --Listen--> LISTENING --Stop--> STOPPING --last call ends--> QUIET
 *
 * A wait ends when the state is QUIET again.  A stop may be through before anybody
 * comes to wait for it; the first wait after it finds that out and succeeds. */
#include <pthread.h>

#include <penstock/rpc.h>

#include "io/reactor.h"
#include "runtime/mgmt.h"
#include "runtime/server.h"

enum listen_state {
    LISTEN_QUIET,
    LISTEN_LISTENING,
    LISTEN_STOPPING
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum listen_state state;
    unsigned calls; /* running in the process */
    bool waited;    /* somebody waits for the end                    */
    bool unheard;   /* the last stop is through, nobody waited for it */
} server = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

bool server_is_listening(void)
{
    pthread_mutex_lock(&server.lock);
    bool listening = server.state == LISTEN_LISTENING;
    pthread_mutex_unlock(&server.lock);
    return listening;
}

/* Lock held. */
static void check_drained(void)
{
    if (server.state == LISTEN_STOPPING && server.calls == 0) {
        server.state = LISTEN_QUIET;
        server.unheard = !server.waited;
        pthread_cond_broadcast(&server.changed);
    }
}

void server_count_call(int delta)
{
    pthread_mutex_lock(&server.lock);
    server.calls = (unsigned)((int)server.calls + delta);
    check_drained();
    pthread_mutex_unlock(&server.lock);
}

RPC_STATUS RpcServerListen(unsigned int MinimumCallThreads, unsigned int MaxCalls,
                           unsigned int DontWait)
{
    if (MaxCalls == 0 || MinimumCallThreads > MaxCalls)
        return RPC_S_MAX_CALLS_TOO_SMALL;
    if (!server_has_endpoints())
        return RPC_S_NO_PROTSEQS_REGISTERED;
    pthread_mutex_lock(&server.lock);
    RPC_STATUS status = RPC_S_ALREADY_LISTENING;
    if (server.state == LISTEN_QUIET) {
        server.state = LISTEN_LISTENING;
        server.unheard = false;
        status = RPC_S_OK;
    }
    pthread_mutex_unlock(&server.lock);
    if (status != RPC_S_OK)
        return status;
    if (MaxCalls != RPC_C_LISTEN_MAX_CALLS_DEFAULT)
        reactor_set_thread_max(MaxCalls);
    return DontWait ? RPC_S_OK : RpcMgmtWaitServerListen();
}

RPC_STATUS RpcMgmtWaitServerListen(void)
{
    RPC_STATUS status = RPC_S_OK;
    pthread_mutex_lock(&server.lock);
    if (server.waited) {
        status = RPC_S_ALREADY_LISTENING;
    } else if (server.state == LISTEN_QUIET) {
        status = server.unheard ? RPC_S_OK : RPC_S_NOT_LISTENING;
        server.unheard = false;
    } else {
        server.waited = true;
        while (server.state != LISTEN_QUIET)
            pthread_cond_wait(&server.changed, &server.lock);
        server.waited = false;
    }
    pthread_mutex_unlock(&server.lock);
    return status;
}

RPC_STATUS RpcMgmtStopServerListening(RPC_BINDING_HANDLE Binding)
{
    if (Binding)
        return mgmt_ask_stop(Binding);
    RPC_STATUS status = RPC_S_NOT_LISTENING;
    pthread_mutex_lock(&server.lock);
    if (server.state == LISTEN_LISTENING) {
        server.state = LISTEN_STOPPING;
        check_drained();
        status = RPC_S_OK;
    }
    pthread_mutex_unlock(&server.lock);
    return status;
}

RPC_STATUS RpcMgmtIsServerListening(RPC_BINDING_HANDLE Binding)
{
    if (Binding)
        return mgmt_ask_listening(Binding);
    return server_is_listening() ? RPC_S_OK : RPC_S_NOT_LISTENING;
}
