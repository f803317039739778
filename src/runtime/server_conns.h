/* SPDX-License-Identifier: MIT */
/* server_conns.h - the connections of a server: who may have one, and for how long. */
#ifndef RUNTIME_SERVER_CONNS_H
#define RUNTIME_SERVER_CONNS_H

#include <stdbool.h>

#include "runtime/conn.h"

/* A client and how many connections it has. */
struct server_peer;

/* Counts a connection that was accepted and takes a reference.  False: one more than there may
 * be; the caller closes it.  No lock. */
bool server_conns_add(struct conn *conn);

/* It is closed.  Lock of the connection held. */
void server_conns_remove(struct conn *conn);

/* It was bound, and may stay.  Lock of the connection held. */
void server_conns_bound(struct conn *conn);

/* Its association is over and it only swallows what the peer still sends: that has an end.  Lock
 * of the connection held. */
void server_conns_lingers(struct conn *conn);

/* Closes those whose time is over.  No lock. */
void server_conns_look(void);

/* They are looked at anew. */
void server_conns_limits_changed(void);

#endif
