/* SPDX-License-Identifier: MIT */
/* error_call.c - what calls have to do with error information: it arrives with faults, is
 * handed to who gets the failure, and leaves with faults of ours; see error_info.h. */
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <penstock/rpc.h>

#include "runtime/call.h"
#include "runtime/error_info.h"
#include "runtime/server.h"
#include "runtime/server_call.h"

/* ---- Client: before there is a call ---------------------------------------------------- */

/* Win32's number for a system error, of those a connection attempt has. */
static uint32_t win32_error(int error)
{
    static const struct {
        int error;
        uint32_t number;
    } rows[] = {{EACCES, 10013},      {EPERM, 10013},       {EMFILE, 10024},
                {ENFILE, 10024},      {ENOBUFS, 10055},     {EADDRNOTAVAIL, 10049},
                {ENETDOWN, 10050},    {ENETUNREACH, 10051}, {ECONNRESET, 10054},
                {ETIMEDOUT, 10060},   {ECONNREFUSED, 10061}, {EHOSTDOWN, 10064},
                {EHOSTUNREACH, 10065}, {ENOENT, 2},         {EAFNOSUPPORT, 10047}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].error == error)
            return rows[i].number;
    return 10107; /* WSASYSCALLFAILURE */
}

static int64_t half_of(const uint8_t ip[8])
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | ip[i];
    return (int64_t)value;
}

/* What the system said; a record of the call's own follows. */
struct error_record *error_note_connect(struct error_record *next, enum transport_kind kind,
                                        const char *address,
                                        const struct transport_failure *failure)
{
    char text[192];
    const char *why = failure->resolver != 0 ? gai_strerror(failure->resolver)
                                             : strerrordesc_np(failure->error);
    snprintf(text, sizeof(text), "%s: %s", failure->where[0] ? failure->where : address,
             why ? why : "?");
    const struct error_arg where[4] = {ERROR_NUMBER(failure->port),
                                       ERROR_POINTER(half_of(failure->ip)),
                                       ERROR_POINTER(half_of(failure->ip + 8)), ERROR_TEXT(text)};
    if (failure->resolver != 0)
        return error_note(next, EEInfoGCWinsock, ERROR_LOCATION_RESOLVE, 11001, 1,
                          &ERROR_TEXT(address));
    if (failure->error != 0 && kind == TRANSPORT_TCP)
        return error_note(next, EEInfoGCWinsock, ERROR_LOCATION_CONNECT,
                          (RPC_STATUS)win32_error(failure->error), 4, where);
    if (failure->error != 0)
        return error_note(next, RPCX_EEINFO_GC_PENSTOCK, ERROR_AT_CONNECT,
                          (RPC_STATUS)win32_error(failure->error), 1, &where[3]);
    return next;
}

struct error_record *error_note_bind(struct conn *conn, const char *address,
                                     const char *endpoint, RPC_STATUS status)
{
    const struct error_arg args[2] = {ERROR_TEXT(address), ERROR_TEXT(endpoint)};
    struct error_record *next = conn->bind_errors ? error_get(conn->bind_errors) : NULL;
    return error_note(next, RPCX_EEINFO_GC_PENSTOCK, ERROR_AT_BIND, status, 2, args);
}

void error_on_connect(enum transport_kind kind, const char *address,
                      const struct transport_failure *failure)
{
    error_thread_set(error_note_connect(error_get(error_thread()), kind, address, failure));
}

void error_on_nak(struct conn *conn, const uint8_t *octets, size_t len)
{
    if (len == 0)
        return;
    error_put(conn->bind_errors);
    conn->bind_errors = error_decode(octets, len);
}

void error_on_bind(struct conn *conn, const char *address, const char *endpoint,
                   RPC_STATUS status)
{
    const struct error_arg args[2] = {ERROR_TEXT(address), ERROR_TEXT(endpoint)};
    conn_lock(conn);
    if (conn->bind_errors)
        error_thread_set(error_get(conn->bind_errors));
    conn_unlock(conn);
    error_thread_note(RPCX_EEINFO_GC_PENSTOCK, ERROR_AT_BIND, status, 2, args);
}

/* ---- Client: calls --------------------------------------------------------------------- */

void error_on_fault(struct rpc_call *call, RPC_STATUS status, const uint8_t *octets, size_t len)
{
    const struct error_arg arg = ERROR_TEXT(call->op->name);
    struct error_record *head = len > 0 ? error_decode(octets, len) : NULL;
    error_put(call->errors);
    call->errors = error_note(head, RPCX_EEINFO_GC_PENSTOCK, ERROR_AT_FAULT, status, 1, &arg);
}

void error_on_failure(struct rpc_call *call, RPC_STATUS status)
{
    if (call->server || call->errors)
        return;
    const struct error_arg arg = ERROR_TEXT(call->op->name);
    enum error_location location = conn_alive(call->conn) ? ERROR_AT_CALL : ERROR_AT_CONNECTION;
    call->errors = error_note(NULL, RPCX_EEINFO_GC_PENSTOCK, location, status, 1, &arg);
}

void error_deliver(struct rpc_call *call)
{
    if (!call->server && call->errors)
        error_thread_set(error_get(call->errors));
}

/* ---- Server ------------------------------------------------------------------------ */

static pthread_once_t settings_once = PTHREAD_ONCE_INIT;
static bool sending_off;
static char computer[256]; /* the host's name without its domain */

static void read_settings(void)
{
    const char *value = getenv("PENSTOCK_ERROR_INFO");
    sending_off = value && strcmp(value, "off") == 0;
    if (gethostname(computer, sizeof(computer) - 1) != 0)
        computer[0] = '\0';
    computer[strcspn(computer, ".")] = '\0';
}

/* The record that crosses to another computer bears this one's name. */
static struct error_record *with_name(struct error_record *head)
{
    char16_t units[sizeof(computer)];
    size_t len = strlen(computer);
    if (!head || len == 0 || len >= sizeof(computer))
        return head;
    for (size_t i = 0; i <= len; i++)
        units[i] = (unsigned char)computer[i]; /* host names are ASCII */
    struct eerr_record info = head->info;
    info.has_name = true;
    info.name = (struct eerr_text){.units = units, .count = (uint16_t)(len + 1)};
    struct error_record *named = error_push(error_get(head->next), &info, false);
    error_put(head);
    return named;
}

/* This thread's chain with one record more, which has `arg` unless it is NULL, as octets. */
static size_t describe(uint32_t component, unsigned location, RPC_STATUS status,
                       const struct error_arg *arg, uint8_t *buf, size_t cap)
{
    pthread_once(&settings_once, read_settings);
    if (sending_off)
        return 0;
    struct error_record *head = with_name(
        error_note(error_get(error_thread()), component, location, status, arg ? 1 : 0, arg));
    size_t len = error_encode(head, buf, cap);
    error_put(head);
    return len;
}

/* Room for it in a fault. */
static size_t fault_room(const struct conn *conn)
{
    size_t cap = assoc_fault_info_max(&conn->assoc);
    return cap < ERROR_WIRE_MAX ? cap : ERROR_WIRE_MAX;
}

RPC_STATUS error_send_fault(struct rpc_call *call, RPC_STATUS status, bool did_not_execute,
                            enum error_location location)
{
    uint8_t buf[ERROR_WIRE_MAX];
    const struct error_arg arg = ERROR_TEXT(call->op->name);
    size_t len = describe(RPCX_EEINFO_GC_PENSTOCK, location, status, &arg, buf,
                          fault_room(call->conn));
    return call_fault_info(&call->wire, status, did_not_execute, buf, len);
}

/* Documented locations where they say the same. */
static unsigned admission_location(RPC_STATUS status)
{
    switch (status) {
    case RPC_S_UNKNOWN_IF:
        return ERROR_LOCATION_UNREGISTERED;
    case RPC_S_UNSUPPORTED_TYPE:
        return ERROR_LOCATION_NO_TYPE;
    case RPC_S_PROCNUM_OUT_OF_RANGE:
        return ERROR_LOCATION_NO_PROCEDURE;
    case RPC_S_SERVER_TOO_BUSY:
        return server_is_listening() ? ERROR_LOCATION_MAX_CALLS : ERROR_LOCATION_NOT_LISTENING;
    default:
        return 0;
    }
}

void error_reject(struct conn *conn, RPC_STATUS status)
{
    uint8_t buf[ERROR_WIRE_MAX];
    unsigned location = admission_location(status);
    uint32_t component = location != 0 ? EEInfoGCRuntime : RPCX_EEINFO_GC_PENSTOCK;
    error_thread_clear(); /* a thread of the pool: what it has is of another call */
    size_t len = describe(component, location != 0 ? location : ERROR_AT_ADMISSION, status, NULL,
                          buf, fault_room(conn));
    assoc_reject_info(&conn->assoc, status, true, buf, len);
}

size_t error_explain_nak(struct assoc *assoc, uint16_t reason, uint8_t *buf, size_t cap)
{
    (void)assoc;
    const struct error_arg arg = ERROR_NUMBER(reason);
    error_thread_clear();
    return describe(RPCX_EEINFO_GC_PENSTOCK, ERROR_AT_NAK, assoc_status_of_nak(reason), &arg, buf,
                    cap);
}
