/* SPDX-License-Identifier: MIT */
/* epmd.h - what the files of penstock-epmd share.
 *
 *   epmd.c           options, the beginning and the end
 *   epmd_listen.c    sockets: our own, or those of systemd
 *   epmd_lookup.c    the epmapper interface
 *   epmd_register.c  the epregister interface: entries that go with their process */
#ifndef TOOLS_EPMD_H
#define TOOLS_EPMD_H

#include <stdbool.h>
#include <stdint.h>

#include "rpc.h"

#include "epm/map.h"
#include "epmapper.h"

/* Lives as long as the process. */
extern struct epm_map *epmd_map;

/* Opens TCP port `port` and the local endpoint, or takes what systemd has opened.  Writes what
 * for people to *ret_text (`size` octets); false: it has said why not. */
bool epmd_listen(unsigned port, char *text, size_t size);

/* Tells systemd that we are there; nothing without it. */
void epmd_notify_ready(void);

/* The user behind a call: false: it is not from a process of this computer. */
bool epmd_local_user(handle_t h, uint32_t *ret_uid);

/* An entry as the map takes it; `tower` NULL: none. */
struct epm_entry epmd_entry(const ept_entry_t *entry);

#endif
