/* SPDX-License-Identifier: MIT */
/* peer.h - see peer.c. */
#ifndef ENDPOINT_PEER_H
#define ENDPOINT_PEER_H

#include <stdbool.h>

#include <penstock/rpc.h>

/* The client's commands: reads one a line from standard input until its end; each answers with
 * one line or, "list", with several and "end". */
int peer_client(void);

/* peer_manage.c's commands.  False: it is none of them. */
bool peer_manage(RPC_BINDING_HANDLE handle, const char *line);

/* What it answers. */
void peer_say(long value);

#endif
