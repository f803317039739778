/* SPDX-License-Identifier: MIT */
/* subscribe.h - what a server's manager wants to hear of its call: that the client
 * cancels it, that the client is gone (RpcServerSubscribeForNotification). */
#ifndef RUNTIME_SUBSCRIBE_H
#define RUNTIME_SUBSCRIBE_H

#include <penstock/rpcasync.h>

struct rpc_call;
struct subscription;

/* The call's own part, guarded by its connection's lock.  What has happened is noted in
 * the call (`happened`), subscribed or not. */
struct subscriptions {
    struct subscription *of[2]; /* counted; disconnect, cancel */
    unsigned queued;            /* how many were told          */
};

/* `which` (one RpcNotification... bit) has happened.  Lock held. */
void subscriptions_post(struct rpc_call *call, RPC_NOTIFICATIONS which);

/* The call ends, and with it what was subscribed. */
void subscriptions_drop(struct rpc_call *call);

#endif
