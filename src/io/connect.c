/* SPDX-License-Identifier: MIT */
/* connect.c - connecting to a server, address by address; see transport.h.
 *
 *   init --> begin --> [CONNECTING | BUSY] --> go_on --> CONNECTED
 *              ^                                 |
 *              +-------- the next address <------+ FAILED                        */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <penstock/rpcnterr.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/slab.h"
#include "io/transport_internal.h"

struct transport_address *transport_addresses_new(unsigned count)
{
    return object_alloc(count * sizeof(struct transport_address));
}

void transport_addresses_free(struct transport_address *addresses, unsigned count)
{
    object_free(addresses, count * sizeof(*addresses));
}

static RPC_STATUS find_addresses(struct transport_attempt *attempt, enum transport_kind kind,
                                 const char *address, const char *endpoint, bool numeric)
{
    *attempt = (struct transport_attempt){.kind = kind};
    RPC_STATUS status = transport_check_endpoint(kind, endpoint);
    if (status != RPC_S_OK)
        return status;
    return kind == TRANSPORT_TCP ? tcp_resolve(address, endpoint, numeric, &attempt->addresses,
                                               &attempt->count, &attempt->failure.resolver)
                                 : unix_resolve(endpoint, &attempt->addresses, &attempt->count);
}

RPC_STATUS transport_attempt_init(struct transport_attempt *attempt, enum transport_kind kind,
                                  const char *address, const char *endpoint)
{
    return find_addresses(attempt, kind, address, endpoint, false);
}

RPC_STATUS transport_attempt_init_numeric(struct transport_attempt *attempt,
                                          enum transport_kind kind, const char *address,
                                          const char *endpoint, bool *ret_named)
{
    RPC_STATUS status = find_addresses(attempt, kind, address, endpoint, true);
    *ret_named = status != RPC_S_OK && attempt->failure.resolver == EAI_NONAME;
    if (!*ret_named)
        return status;
    attempt->failure.resolver = 0;
    return RPC_S_OK;
}

RPC_STATUS transport_attempt_copy(struct transport_attempt *to,
                                  const struct transport_attempt *from)
{
    struct transport_address *addresses = transport_addresses_new(from->count);
    if (!addresses)
        return RPC_S_OUT_OF_MEMORY;
    memcpy(addresses, from->addresses, from->count * sizeof(*addresses));
    *to = (struct transport_attempt){
        .kind = from->kind, .addresses = addresses, .count = from->count};
    return RPC_S_OK;
}

RPC_STATUS transport_attempt_init_peer(struct transport_attempt *attempt,
                                       enum transport_kind kind, int fd)
{
    *attempt = (struct transport_attempt){.kind = kind};
    struct transport_address *address = transport_addresses_new(1);
    if (!address)
        return RPC_S_OUT_OF_MEMORY;
    address->len = sizeof(address->name);
    if (getpeername(fd, (struct sockaddr *)(void *)&address->name, &address->len) != 0) {
        transport_addresses_free(address, 1);
        return RPC_S_SERVER_UNAVAILABLE;
    }
    attempt->addresses = address;
    attempt->count = 1;
    return RPC_S_OK;
}

void transport_attempt_fini(struct transport_attempt *attempt)
{
    transport_addresses_free(attempt->addresses, attempt->count);
    attempt->addresses = NULL;
    attempt->count = attempt->next = 0;
}

static void note_failure(struct transport_attempt *attempt, int error)
{
    const struct transport_address *address = &attempt->addresses[attempt->next - 1];
    if (attempt->kind == TRANSPORT_TCP)
        tcp_describe_failure(address, error, &attempt->failure);
    else
        unix_describe_failure(address, error, &attempt->failure);
}

static bool out_of_descriptors(int error)
{
    return error == EMFILE || error == ENFILE;
}

static void set_nonblocking(int fd, bool on)
{
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

static enum transport_progress connected(struct transport_attempt *attempt, int fd)
{
    set_nonblocking(fd, false);
    transport_tune(attempt->kind, fd);
    attempt->failure = (struct transport_failure){0};
    return TRANSPORT_CONNECTED;
}

/* The address before `next`. */
static enum transport_progress try_address(struct transport_attempt *attempt, int fd)
{
    const struct transport_address *address = &attempt->addresses[attempt->next - 1];
    if (connect(fd, (const struct sockaddr *)(const void *)&address->name, address->len) == 0)
        return connected(attempt, fd);
    if (attempt->kind == TRANSPORT_TCP && errno == EINPROGRESS)
        return transport_attempt_go_on(attempt, fd); /* this host's answer is here already */
    if (attempt->kind == TRANSPORT_UNIX && errno == EAGAIN)
        return TRANSPORT_BUSY;
    note_failure(attempt, errno);
    return TRANSPORT_FAILED;
}

enum transport_progress transport_attempt_begin(struct transport_attempt *attempt, int *ret_fd)
{
    while (attempt->next < attempt->count) {
        const struct transport_address *address = &attempt->addresses[attempt->next++];
        int fd = socket(address->name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                        address->protocol);
        if (fd < 0) {
            note_failure(attempt, errno);
            if (!out_of_descriptors(errno))
                continue;
            attempt->failure.error = errno; /* whatever was wrong with the addresses before */
            break;
        }
        enum transport_progress progress = try_address(attempt, fd);
        if (progress != TRANSPORT_FAILED) {
            *ret_fd = fd;
            return progress;
        }
        close(fd);
    }
    return TRANSPORT_FAILED;
}

enum transport_progress transport_attempt_go_on(struct transport_attempt *attempt, int fd)
{
    if (attempt->kind == TRANSPORT_UNIX)
        return try_address(attempt, fd);
    struct pollfd pfd = {.fd = fd, .events = POLLOUT};
    if (poll(&pfd, 1, 0) <= 0)
        return TRANSPORT_CONNECTING;
    int error = 0;
    socklen_t len = sizeof(error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error == 0)
        return connected(attempt, fd);
    note_failure(attempt, error);
    return TRANSPORT_FAILED;
}

void transport_attempt_expire(struct transport_attempt *attempt)
{
    if (attempt->next > 0)
        note_failure(attempt, ETIMEDOUT);
}

RPC_STATUS transport_attempt_status(const struct transport_attempt *attempt)
{
    return out_of_descriptors(attempt->failure.error) ? RPC_S_OUT_OF_RESOURCES
                                                      : RPC_S_SERVER_UNAVAILABLE;
}

/* ---- Blocking ------------------------------------------------------------------- */

/* Until something may have changed.  False: errno says why it is no use. */
static bool wait_a_while(enum transport_progress progress, int fd, uint64_t deadline_ms,
                         int interrupt_fd)
{
    uint64_t now = clock_ms();
    errno = ETIMEDOUT;
    if (now >= deadline_ms)
        return false;
    uint64_t left = deadline_ms - now;
    if (progress == TRANSPORT_BUSY && left > LIMIT_BACKLOG_RETRY_MS)
        left = LIMIT_BACKLOG_RETRY_MS;
    struct pollfd pfds[2] = {{.fd = interrupt_fd, .events = POLLIN}, /* or -1 */
                             {.fd = fd, .events = POLLOUT}};
    nfds_t count = progress == TRANSPORT_BUSY ? 1 : 2;
    int n = poll(pfds, count, left > INT_MAX ? INT_MAX : (int)left);
    if (n > 0 && pfds[0].revents) {
        errno = ECANCELED;
        return false;
    }
    return n >= 0 || errno == EINTR;
}

RPC_STATUS transport_connect(enum transport_kind kind, const char *address, const char *endpoint,
                             unsigned timeout_ms, int interrupt_fd, int *ret_fd,
                             struct transport_failure *ret_failure)
{
    const uint64_t deadline_ms = timeout_ms > 0 ? clock_ms() + timeout_ms : UINT64_MAX;
    struct transport_attempt attempt;
    RPC_STATUS status = transport_attempt_init(&attempt, kind, address, endpoint);
    enum transport_progress progress = TRANSPORT_FAILED;
    while (status == RPC_S_OK && progress == TRANSPORT_FAILED) {
        int fd;
        progress = transport_attempt_begin(&attempt, &fd);
        if (progress == TRANSPORT_FAILED)
            break;
        while (progress != TRANSPORT_CONNECTED && progress != TRANSPORT_FAILED) {
            if (wait_a_while(progress, fd, deadline_ms, interrupt_fd)) {
                progress = transport_attempt_go_on(&attempt, fd);
            } else {
                note_failure(&attempt, errno);
                progress = TRANSPORT_FAILED;
            }
        }
        if (progress == TRANSPORT_CONNECTED)
            *ret_fd = fd;
        else
            close(fd);
    }
    if (status == RPC_S_OK && progress == TRANSPORT_FAILED)
        status = transport_attempt_status(&attempt);
    *ret_failure = attempt.failure;
    transport_attempt_fini(&attempt);
    return status;
}
