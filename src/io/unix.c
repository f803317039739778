/* SPDX-License-Identifier: MIT */
/* unix.c - ncalrpc: a Unix stream socket named after the endpoint, in
 * $XDG_RUNTIME_DIR/penstock, or in /run/penstock where that variable is not set.
 *
 * A server that died leaves its name behind.  Who finds the name taken connects
 * to it: only when nobody answers is it removed.  A lock on the folder keeps two
 * servers from doing so at once. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <penstock/rpcnterr.h>

#include "io/transport_internal.h"

#define SYSTEM_DIR "/run/penstock"

RPC_STATUS unix_check_endpoint(const char *endpoint)
{
    size_t len = strlen(endpoint);
    struct transport_listener *listener = NULL;
    bool good = len > 0 && len < sizeof(listener->endpoint) && !strchr(endpoint, '/') &&
                endpoint[0] != '.';
    return good ? RPC_S_OK : RPC_S_INVALID_ENDPOINT_FORMAT;
}

static RPC_STATUS user_dir(char *dir, size_t size)
{
    const char *runtime_dir = getenv("XDG_RUNTIME_DIR");
    int len = runtime_dir && runtime_dir[0] == '/' ? snprintf(dir, size, "%s/penstock", runtime_dir)
                                                   : snprintf(dir, size, SYSTEM_DIR);
    return len > 0 && (size_t)len < size ? RPC_S_OK : RPC_S_INVALID_ENDPOINT_FORMAT;
}

static RPC_STATUS address_in(const char *dir, const char *endpoint, struct sockaddr_un *ret_addr)
{
    *ret_addr = (struct sockaddr_un){.sun_family = AF_UNIX};
    int len = snprintf(ret_addr->sun_path, sizeof(ret_addr->sun_path), "%s/%s", dir, endpoint);
    return len > 0 && (size_t)len < sizeof(ret_addr->sun_path) ? RPC_S_OK
                                                               : RPC_S_INVALID_ENDPOINT_FORMAT;
}

/* A connected descriptor, or -1 and errno. */
static int connect_to(const struct sockaddr_un *addr)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* A user's own server first, then one of the system. */
RPC_STATUS unix_resolve(const char *endpoint, struct transport_address **ret_addresses,
                        unsigned *ret_count)
{
    char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
    RPC_STATUS status = user_dir(dir, sizeof(dir));
    if (status != RPC_S_OK)
        return status;
    const char *dirs[] = {dir, SYSTEM_DIR};
    struct transport_address *addresses = transport_addresses_new(2);
    if (!addresses)
        return RPC_S_OUT_OF_MEMORY;
    for (size_t i = 0; i < 2; i++) {
        struct sockaddr_un name;
        status = address_in(dirs[i], endpoint, &name);
        if (status != RPC_S_OK) {
            transport_addresses_free(addresses, 2);
            return status;
        }
        addresses[i].len = sizeof(name);
        memcpy(&addresses[i].name, &name, sizeof(name));
    }
    *ret_addresses = addresses;
    *ret_count = 2;
    return RPC_S_OK;
}

/* The user's own socket, if there is one, is what the failure is about. */
void unix_describe_failure(const struct transport_address *address, int error,
                           struct transport_failure *failure)
{
    const struct sockaddr_un *name = (const struct sockaddr_un *)(const void *)&address->name;
    if (failure->error != 0 && failure->error != ENOENT)
        return;
    size_t len = strlen(name->sun_path);
    size_t room = sizeof(failure->where) - 1;
    failure->error = error;
    snprintf(failure->where, sizeof(failure->where), "%s",
             name->sun_path + (len > room ? len - room : 0));
}

/* Removes a name nobody answers behind.  Returns 0, or EADDRINUSE. */
static int remove_stale(const struct sockaddr_un *addr)
{
    int fd = connect_to(addr);
    if (fd >= 0) {
        close(fd);
        return EADDRINUSE;
    }
    /* EAGAIN: alive, its backlog is full. */
    if (errno != ECONNREFUSED && errno != ENOENT)
        return EADDRINUSE;
    unlink(addr->sun_path);
    return 0;
}

static int bind_name(int fd, const struct sockaddr_un *addr, int dir_fd)
{
    if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0)
        return 0;
    if (errno != EADDRINUSE)
        return errno;
    flock(dir_fd, LOCK_EX);
    int error = remove_stale(addr);
    if (error == 0 && bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) != 0)
        error = errno;
    flock(dir_fd, LOCK_UN);
    return error;
}

static int open_dir(const char *dir)
{
    if (mkdir(dir, 0755) != 0 && errno != EEXIST)
        return -1;
    return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int listen_at(const char *dir, const struct sockaddr_un *addr, int backlog, int *ret_fd)
{
    int error = 0;
    int dir_fd = open_dir(dir);
    if (dir_fd < 0)
        return errno;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        error = errno;
    else
        error = bind_name(fd, addr, dir_fd);
    /* Who may call is for the server to decide, not for the umask. */
    if (error == 0 && (chmod(addr->sun_path, 0666) != 0 || listen(fd, backlog) != 0))
        error = errno;
    close(dir_fd);
    if (error != 0 && fd >= 0)
        close(fd);
    else
        *ret_fd = fd;
    return error;
}

RPC_STATUS unix_listen(const char *endpoint, int backlog, struct transport_listener *listener)
{
    char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
    RPC_STATUS status = user_dir(dir, sizeof(dir));
    if (status != RPC_S_OK)
        return status;
    if (endpoint) {
        snprintf(listener->endpoint, sizeof(listener->endpoint), "%s", endpoint);
    } else {
        uint64_t random = 0;
        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
            return RPC_S_CANT_CREATE_ENDPOINT;
        snprintf(listener->endpoint, sizeof(listener->endpoint), "LRPC-%016llx",
                 (unsigned long long)random);
    }
    struct sockaddr_un addr;
    status = address_in(dir, listener->endpoint, &addr);
    if (status != RPC_S_OK)
        return status;
    int error = listen_at(dir, &addr, backlog, &listener->fds[0]);
    return error == 0 ? RPC_S_OK : transport_status_from_errno(error);
}

void unix_remove(const char *endpoint)
{
    char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
    struct sockaddr_un addr;
    if (user_dir(dir, sizeof(dir)) == RPC_S_OK && address_in(dir, endpoint, &addr) == RPC_S_OK)
        unlink(addr.sun_path);
}
