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

/* peer_wide.c.  In memory of their own, until the next call. */
WCHAR *peer_widen(const char *text);
const char *peer_narrow(const WCHAR *wide);
/* The functions of UTF-8 by those of UTF-16. */
RPC_STATUS peer_next_wide(RPC_EP_INQ_HANDLE inquiry, RPC_IF_ID *id, RPC_BINDING_HANDLE *binding,
                          UUID *object, RPC_CSTR *annotation);
RPC_STATUS peer_text_wide(RPC_BINDING_HANDLE binding, RPC_CSTR *text);

#endif
