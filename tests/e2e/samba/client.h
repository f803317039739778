/* SPDX-License-Identifier: MIT */
/* client.h - what the commands of samba_client share.  Each prints one JSON value and
 * returns the status of its last call; what it allocates is freed when it has ended. */
#ifndef PENSTOCK_TESTS_E2E_SAMBA_CLIENT_H
#define PENSTOCK_TESTS_E2E_SAMBA_CLIENT_H

#include "services.h"

long run_lookup(handle_t binding, char **args);
long run_map(handle_t binding, char **args);

long run_interfaces(handle_t binding, char **args);
long run_statistics(handle_t binding, char **args);
long run_listening(handle_t binding, char **args);
long run_stop(handle_t binding, char **args);
long run_elements(handle_t binding, char **args);
long run_resolve(handle_t binding, char **args);

long run_server(handle_t binding, char **args);
long run_shares(handle_t binding, char **args);
long run_time(handle_t binding, char **args);
long run_times(handle_t binding, char **args);
long run_name(handle_t binding, char **args);
long run_beyond(handle_t binding, char **args);
long run_nowhere(handle_t binding, char **args);

long run_registry(handle_t binding, char **args);

long run_domains(handle_t binding, char **args);
long run_names(handle_t binding, char **args);
long run_policy(handle_t binding, char **args);

/* The octets as a JSON string of hexadecimal digits. */
void put_hex(const void *octets, size_t len);
/* UTF-16 as a JSON string; `units` do not count a NUL.  NULL: null. */
void put_wide(const WCHAR *text, size_t units);
void put_wide_string(const WCHAR *text);
void put_string(const RPC_UNICODE_STRING *text);
/* ASCII as UTF-16 with a NUL, from MIDL_user_allocate. */
WCHAR *wide(const char *text);
/* MIDL_user_allocate of zeros that ends the program rather than answer NULL. */
void *allocate(size_t size);

#endif
