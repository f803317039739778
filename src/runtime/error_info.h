/* SPDX-License-Identifier: MIT */
/* error_info.h - chains of records about failures (penstock/rpceeinfo.h).
 *
 *   thread's chain --> record --> record --> record
 *   call->errors ----------------^
 *
 * Records are counted and never change, so chains share their ends, and a chain is known by
 * its first record; NULL is the empty one.  All of this is best effort: without memory a
 * record is missing, and that is all. */
#ifndef RUNTIME_ERROR_INFO_H
#define RUNTIME_ERROR_INFO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <penstock/rpceeinfo.h>

#include "io/transport.h"
#include "wire/eerr.h"

struct error_record {
    atomic_uint refs;
    unsigned count;            /* records from this one on */
    struct error_record *next; /* the one before in time; counted */
    struct eerr_record info;   /* its strings end in a NUL behind what they count and lie, */
    max_align_t storage[];     /* in the host's byte order, here                            */
};

struct error_record *error_get(struct error_record *head);
void error_put(struct error_record *head);

/* A chain of a copy of `info`, whose UTF-16 units are `swapped` or not, in front of `next`,
 * whose reference it takes.  Without memory: `next`. */
struct error_record *error_push(struct error_record *next, const struct eerr_record *info,
                                bool swapped);
/* The same of now and this process. */
struct error_record *error_push_now(struct error_record *next, struct eerr_record *info);

/* Where our own component finds failures; numbers are never reused, see
 * docs/design/errors.md. */
enum error_location {
    ERROR_AT_CONNECT = 1, /* ncalrpc: no socket answers     */
    ERROR_AT_BIND,        /* the server refused it          */
    ERROR_AT_PREPARE,     /* before anything was sent       */
    ERROR_AT_CALL,        /* the call ended here            */
    ERROR_AT_CONNECTION,  /* the connection ended           */
    ERROR_AT_FAULT,       /* the server ended the call      */
    ERROR_AT_REPLY,       /* the answer could not be read   */
    ERROR_AT_REQUEST,     /* server: the request could not be read */
    ERROR_AT_MANAGER,     /* server: the manager raised, or it was aborted */
    ERROR_AT_ADMISSION,   /* server: the call was refused   */
    ERROR_AT_DISCIPLINE,  /* server: something broke on the way */
    ERROR_AT_NAK          /* server: the bind was refused; number, the reason on the wire */
};
/* Documented ones that mean what we mean, of components EEInfoGC... */
#define ERROR_LOCATION_NO_TYPE      170 /* runtime */
#define ERROR_LOCATION_UNREGISTERED 171
#define ERROR_LOCATION_MAX_CALLS    180
#define ERROR_LOCATION_NOT_LISTENING 181
#define ERROR_LOCATION_NO_PROCEDURE 183
#define ERROR_LOCATION_CONNECT      311 /* Winsock: port, address' halves, text */
#define ERROR_LOCATION_RESOLVE      320 /* Winsock: name                        */

/* One parameter: a number, or UTF-8. */
struct error_arg {
    enum eerr_type type; /* EERR_UNICODE, EERR_LONG, EERR_POINTER */
    int64_t number;
    const char *text;
};
#define ERROR_NUMBER(n)  ((struct error_arg){.type = EERR_LONG, .number = (int64_t)(n)})
#define ERROR_POINTER(n) ((struct error_arg){.type = EERR_POINTER, .number = (int64_t)(n)})
#define ERROR_TEXT(s)    ((struct error_arg){.type = EERR_UNICODE, .text = (s)})

/* A record of now and this process in front of `next`, whose reference it takes. */
struct error_record *error_note(struct error_record *next, uint32_t component, unsigned location,
                                RPC_STATUS status, unsigned arg_count,
                                const struct error_arg *args);

/* ---- The calling thread's chain ------------------------------------------------ */

void error_thread_clear(void);
/* Takes the reference. */
void error_thread_set(struct error_record *head);
/* Borrowed. */
struct error_record *error_thread(void);
/* error_note() in front of it. */
void error_thread_note(uint32_t component, unsigned location, RPC_STATUS status,
                       unsigned arg_count, const struct error_arg *args);

/* ---- On the wire ----------------------------------------------------------------- */

/* The chain as octets, fewer records or no strings if it must be; 0: it does not fit. */
size_t error_encode(const struct error_record *head, uint8_t *buf, size_t cap);
/* A chain from octets, in front of nothing; NULL: they are none, or no memory. */
struct error_record *error_decode(const uint8_t *octets, size_t len);
/* RPC_S_OK and *ret_head, or which of both. */
RPC_STATUS error_load(const uint8_t *octets, size_t len, struct error_record **ret_head);

struct assoc;
struct rpc_call;
struct conn;
/* Client: a server could not be reached: records in front of `next`, whose reference they
 * take; or it did not accept the bind: in front of what its bind_nak said (lock held). */
struct error_record *error_note_connect(struct error_record *next, enum transport_kind kind,
                                        const char *address,
                                        const struct transport_failure *failure);
struct error_record *error_note_bind(struct conn *conn, const char *address,
                                     const char *endpoint, RPC_STATUS status);
/* The same for the calling thread's chain. */
void error_on_connect(enum transport_kind kind, const char *address,
                      const struct transport_failure *failure);
void error_on_bind(struct conn *conn, const char *address, const char *endpoint,
                   RPC_STATUS status);
/* Client, lock held: the association has died, perhaps by a bind_nak with `len` octets of
 * information. */
void error_on_nak(struct conn *conn, const uint8_t *octets, size_t len);

/* Client, lock held: a fault came for the call, with `len` octets of information. */
void error_on_fault(struct rpc_call *call, RPC_STATUS status, const uint8_t *octets, size_t len);
/* The call has failed and nobody has said why yet.  Lock held. */
void error_on_failure(struct rpc_call *call, RPC_STATUS status);
/* The application gets the failure of the call on this thread. */
void error_deliver(struct rpc_call *call);

/* Room for the information in a fault. */
#define ERROR_WIRE_MAX 5760u
/* Server, lock held: ends the wire's part of a call with a fault that carries this thread's
 * chain and a record about it. */
RPC_STATUS error_send_fault(struct rpc_call *call, RPC_STATUS status, bool did_not_execute,
                            enum error_location location);
/* Server, lock held: refuses the request that came last. */
void error_reject(struct conn *conn, RPC_STATUS status);
/* Server, lock held: what a bind_nak says besides its reason, see struct assoc. */
size_t error_explain_nak(struct assoc *assoc, uint16_t reason, uint8_t *buf, size_t cap);

#endif
