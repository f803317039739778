/* SPDX-License-Identifier: MIT */
/* transport.h - protocol sequences as sockets: resolve, connect, listen, accept.
 * Knows no PDUs.  System errors are translated to RPC_STATUS here and nowhere
 * else.  Descriptors are close-on-exec and stay in blocking mode; whoever wants
 * no blocking passes MSG_DONTWAIT. */
#ifndef IO_TRANSPORT_H
#define IO_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <penstock/rpctypes.h>

enum transport_kind {
    TRANSPORT_TCP,  /* ncacn_ip_tcp: IPv4, IPv6 or a host name; endpoint = port */
    TRANSPORT_UNIX, /* ncalrpc: a Unix stream socket; endpoint = its name       */
    TRANSPORT_COUNT
};

/* RPC_S_OK; RPC_S_PROTSEQ_NOT_SUPPORTED: well formed, but none of ours;
 * RPC_S_INVALID_RPC_PROTSEQ: no such name. */
RPC_STATUS transport_from_protseq(const char *protseq, enum transport_kind *ret_kind);
const char *transport_protseq(enum transport_kind kind);

/* Checks an endpoint's form: RPC_S_OK or RPC_S_INVALID_ENDPOINT_FORMAT. */
RPC_STATUS transport_check_endpoint(enum transport_kind kind, const char *endpoint);

/* Why a connection attempt failed, for the people who look. */
struct transport_failure {
    int error;      /* errno of the last address tried; ETIMEDOUT: it took too long */
    int resolver;   /* EAI_...: the host was not found; 0: it was                   */
    char where[64]; /* that address as text; ncalrpc: the end of the socket's name  */
    uint8_t ip[16]; /* in network byte order, an IPv4 address in the last four      */
    unsigned port;  /* 0: there is none                                             */
};

struct transport_address;

/* An attempt to connect to one server, each of its addresses in turn (connect.c). */
struct transport_attempt {
    enum transport_kind kind;
    struct transport_address *addresses; /* owned */
    unsigned count, next;
    struct transport_failure failure;    /* of the last address; all zero: none has failed */
};

enum transport_progress {
    TRANSPORT_CONNECTED,
    TRANSPORT_CONNECTING, /* go on when the descriptor is writable                          */
    TRANSPORT_BUSY,       /* ncalrpc: the server's backlog is full; nothing says when it has
                           * room: go on in LIMIT_BACKLOG_RETRY_MS                          */
    TRANSPORT_FAILED
};

/* Finds the addresses of `address` (NULL or "": this host; ignored by ncalrpc); a name may be
 * asked for elsewhere, and nothing can interrupt that.  What fails leaves nothing to release.
 * RPC_S_INVALID_NET_ADDR: the host is unknown (then the failure says why);
 * RPC_S_INVALID_ENDPOINT_FORMAT; RPC_S_OUT_OF_MEMORY. */
RPC_STATUS transport_attempt_init(struct transport_attempt *attempt, enum transport_kind kind,
                                  const char *address, const char *endpoint);
void transport_attempt_fini(struct transport_attempt *attempt);

/* The same without asking anybody: *ret_named says that `address` is a name, which init() would
 * have to look up, and the attempt is empty. */
RPC_STATUS transport_attempt_init_numeric(struct transport_attempt *attempt,
                                          enum transport_kind kind, const char *address,
                                          const char *endpoint, bool *ret_named);

/* `to` is an attempt to the addresses of `from`, from the first on.  RPC_S_OUT_OF_MEMORY. */
RPC_STATUS transport_attempt_copy(struct transport_attempt *to,
                                  const struct transport_attempt *from);

/* The same for the one address that `fd` is connected to, without asking anybody.
 * RPC_S_SERVER_UNAVAILABLE: it no longer is; RPC_S_OUT_OF_MEMORY. */
RPC_STATUS transport_attempt_init_peer(struct transport_attempt *attempt,
                                       enum transport_kind kind, int fd);

/* Tries the addresses that are left, without blocking.  FAILED: none is; else *ret_fd is the
 * caller's. */
enum transport_progress transport_attempt_begin(struct transport_attempt *attempt, int *ret_fd);

/* How it goes with the address that begin() gave `fd` for.  FAILED: the caller closes it, and
 * may begin with the next one. */
enum transport_progress transport_attempt_go_on(struct transport_attempt *attempt, int fd);

/* The address under way has taken too long: so the failure says. */
void transport_attempt_expire(struct transport_attempt *attempt);

/* What an attempt failed with: RPC_S_SERVER_UNAVAILABLE; RPC_S_OUT_OF_RESOURCES: no
 * descriptors were left. */
RPC_STATUS transport_attempt_status(const struct transport_attempt *attempt);

/* Both in one, blocking: all addresses within `timeout_ms`, 0: as long as the system tries, and
 * until `interrupt_fd` (-1: none) becomes readable.  Gives *ret_fd.  *ret_failure is written in
 * any case, all zero unless an attempt failed.
 * RPC_S_SERVER_UNAVAILABLE: nobody answers, or interrupted; and what init() may say;
 * RPC_S_OUT_OF_RESOURCES. */
RPC_STATUS transport_connect(enum transport_kind kind, const char *address, const char *endpoint,
                             unsigned timeout_ms, int interrupt_fd, int *ret_fd,
                             struct transport_failure *ret_failure);

/* One endpoint being listened on; TCP has a socket for IPv6 and one for IPv4. */
struct transport_listener {
    enum transport_kind kind;
    int fds[2]; /* -1: none */
    char endpoint[108];
    bool lent; /* transport_adopt(): its name in the file system is another's */
    char address[64]; /* TCP: the only one it listens at; "": all */
};

/* Where a server listens with TCP.  All zero: at all addresses, on any port. */
#define TRANSPORT_RANGES_MAX    32u
#define TRANSPORT_ADDRESSES_MAX 16u
struct transport_place {
    struct {
        uint16_t first, last;
    } ranges[TRANSPORT_RANGES_MAX]; /* of ports for endpoints that are chosen here */
    unsigned range_count;
    bool any_port; /* when none of these is free */
    struct transport_at {
        struct sockaddr_storage name;
        socklen_t len;
        char text[64]; /* as the program wrote it */
    } addresses[TRANSPORT_ADDRESSES_MAX];
    unsigned address_count;
};

/* Add what `text` lists, "5000-5100,6000" and "127.0.0.1,::1".  False: it is no such list, or
 * too long. */
bool transport_place_ports(struct transport_place *place, const char *text);
bool transport_place_addresses(struct transport_place *place, const char *text);

/* Creates a listening endpoint; with `endpoint` NULL one is chosen.  Up to
 * TRANSPORT_ADDRESSES_MAX listeners, one for each address of the place.
 * RPC_S_DUPLICATE_ENDPOINT: somebody listens there; RPC_S_CANT_CREATE_ENDPOINT: no
 * permission, no folder; RPC_S_INVALID_ENDPOINT_FORMAT; RPC_S_OUT_OF_RESOURCES, also when no
 * port of the ranges is free. */
RPC_STATUS transport_listen(enum transport_kind kind, const char *endpoint, int backlog,
                            const struct transport_place *place,
                            struct transport_listener *ret_listeners, unsigned *ret_count);

/* The same of a socket that listens already, e.g. from systemd: takes `fd` over.
 * RPC_S_INVALID_ARG: it is no such socket, or its name is no endpoint; then it is left alone. */
RPC_STATUS transport_adopt(enum transport_kind kind, int fd,
                           struct transport_listener *ret_listener);

/* Closes the sockets and removes a Unix socket's name. */
void transport_unlisten(struct transport_listener *listener);

/* For a process that ends: removes what outlives it, the name in the file system, and
 * leaves the descriptors to the threads that may still use them. */
void transport_remove_name(const struct transport_listener *listener);

/* Accepts one connection without blocking; -1 when there is none or no descriptor
 * is left (errno tells). */
int transport_accept(enum transport_kind kind, int listen_fd);

/* A TCP peer that has been silent for `idle_s` seconds is asked once a second whether it is
 * still there; after three questions without an answer the connection is dead.  0: never. */
void transport_keep_alive(int fd, unsigned idle_s);

/* The same for what a listening socket will accept: after `idle_s` seconds of silence asked nine
 * times, with a tenth of that time (1 to 75 s) in between.  0: never. */
void transport_keep_alive_accepted(int listen_fd, unsigned idle_s);

/* Ends a connection in both directions.  `abandon`: octets a full window keeps here are
 * given up and the peer is told by a reset; the end of the stream would have to wait
 * behind them for as long as the peer does not read. */
void transport_shutdown(enum transport_kind kind, int fd, bool abandon);

/* Numeric host ("" for ncalrpc) and endpoint of the other (`peer`) or this side. */
void transport_name(int fd, bool peer, char *host, size_t host_size, char *endpoint,
                    size_t endpoint_size);

#endif
