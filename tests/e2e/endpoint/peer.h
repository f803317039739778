/* SPDX-License-Identifier: MIT */
/* peer.h - see peer.c. */
#ifndef ENDPOINT_PEER_H
#define ENDPOINT_PEER_H

/* The client's commands: reads one a line from standard input until its end; each answers with
 * one line or, "list", with several and "end". */
int peer_client(void);

#endif
