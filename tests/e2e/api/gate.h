/* SPDX-License-Identifier: MIT */
/* gate.h - between a client and its server, for what happens while a connection is on its way
 * up: connections are accepted at once, and what the client sends waits until the gate opens.
 *
 *   client --connects--> gate [shut: nothing moves] --open--> server            */
#ifndef API_GATE_H
#define API_GATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "harness.h"

/* What an open gate does with a connection. */
enum gate_kind {
    GATE_RELAY,     /* hands everything on                                         */
    GATE_NO_MPX,    /* the same; the bind_ack says that the server takes one call at a time */
    GATE_NO_NDR64,  /* the same; the server sees no offer of NDR64                 */
    GATE_NAK,       /* answers the bind with a bind_nak, reason `nak`              */
    GATE_DIE        /* takes the bind and closes                                   */
};

struct gate {
    int listener;
    char binding[128]; /* of the gate                              */
    char target[128];  /* a string binding; who connects goes there */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_open;
    _Atomic enum gate_kind kind;
    _Atomic int nak;
    atomic_int accepted; /* connections, ever */
    int clients[64];     /* sockets of those that are relayed now; 0: none */
};

/* A gate in front of `target`, shut, on the transport of this run.  Lives as long as the
 * process. */
struct gate *gate_new(const char *target);
void gate_open(struct gate *gate);
/* Ends all connections that are relayed, as a server does that closes idle ones. */
void gate_cut(struct gate *gate);
/* How many there are. */
int gate_connected(struct gate *gate);

/* serve_here() behind a gate that is shut: bindings to the server itself and to the gate. */
struct gate *gate_serve(RPC_BINDING_HANDLE *ret_server, RPC_BINDING_HANDLE *ret_h);

/* The server answers, the client collects; frees both. */
void gate_answer(struct caller *caller, struct served *served, int32_t reply);

/* A listening endpoint that nobody accepts from; `full`: connections are not even
 * established.  Its string binding in `binding`. */
void listen_mute(bool full, char *binding, size_t len);

#endif
