/* SPDX-License-Identifier: MIT */
/* server_limits.h - what a program may set of the bounds in base/limits.h
 * (docs/design/limits.md). */
#ifndef RUNTIME_SERVER_LIMITS_H
#define RUNTIME_SERVER_LIMITS_H

/* Of RPCX_CONNECTION_LIMITS, now; no lock. */
unsigned limit_connections(void);
unsigned limit_connections_per_peer(void); /* 0: no limit     */
unsigned limit_bind_ms(void);
unsigned limit_idle_ms(void);              /* 0: no limit     */
unsigned limit_keep_alive_s(void);         /* 0: never        */

#endif
