/* SPDX-License-Identifier: MIT */
/* epmd_listen.c - the sockets of penstock-epmd, and what it has to say to systemd
 * (sd_listen_fds(3), sd_notify(3): the protocols are a few lines each). */
#include "epmd.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The first descriptor passed. */
#define LISTEN_FDS_START 3
#define LISTEN_FDS_MAX 64
#define USUAL_PORT 135u

static void complain(const char *what, RPC_STATUS status)
{
    unsigned char text[DCE_C_ERROR_STRING_LEN];
    DceErrorInqTextA(status, text);
    fprintf(stderr, "penstock-epmd: cannot listen on %s: %s (%d)\n", what, (const char *)text,
            (int)status);
}

/* ---- Our own -------------------------------------------------------------------------- */

static bool use(const char *protseq, const char *endpoint, const char *what)
{
    RPC_STATUS status = RpcServerUseProtseqEpA((RPC_CSTR)protseq, RPC_C_PROTSEQ_MAX_REQS_DEFAULT,
                                               (RPC_CSTR)endpoint, NULL);
    if (status == RPC_S_OK)
        return true;
    complain(what, status);
    if (status == RPC_S_DUPLICATE_ENDPOINT)
        fputs("Another endpoint mapper is running; --port gives this one a port of its own.\n",
              stderr);
    else if (status == RPC_S_CANT_CREATE_ENDPOINT && geteuid() != 0)
        fputs("That needs root; without, try --port 13135.\n", stderr);
    return false;
}

static bool listen_own(unsigned port, char *text, size_t size)
{
    char number[16], endpoint[32], tcp[32], local[64];
    snprintf(number, sizeof(number), "%u", port);
    snprintf(endpoint, sizeof(endpoint), port == USUAL_PORT ? "epmapper" : "epmapper-%u", port);
    snprintf(tcp, sizeof(tcp), "TCP port %u", port);
    snprintf(local, sizeof(local), "the local endpoint %s", endpoint);
    snprintf(text, size, "%s and %s", tcp, local);
    if (port == USUAL_PORT) /* for all users of this computer, whoever starts it */
        unsetenv("XDG_RUNTIME_DIR");
    return use("ncacn_ip_tcp", number, tcp) && use("ncalrpc", endpoint, local);
}

/* ---- Those of systemd ------------------------------------------------------------------- */

/* How many there are; 0: none are meant for us. */
static int passed_count(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    if (!pid || !count || strtol(pid, NULL, 10) != (long)getpid())
        return 0;
    const long value = strtol(count, NULL, 10);
    return value < 0 || value > LISTEN_FDS_MAX ? 0 : (int)value;
}

static bool use_passed(int fd)
{
    int family = 0;
    socklen_t len = sizeof(family);
    char what[64];
    snprintf(what, sizeof(what), "the socket passed as descriptor %d", fd);
    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
    const char *protseq = family == AF_UNIX ? "ncalrpc" : "ncacn_ip_tcp";
    RPC_STATUS status = RpcxServerUseSocket((RPC_CSTR)protseq, fd);
    if (status != RPC_S_OK)
        complain(what, status);
    return status == RPC_S_OK;
}

bool epmd_listen(unsigned port, char *text, size_t size)
{
    const int count = passed_count();
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (count == 0)
        return listen_own(port, text, size);
    for (int i = 0; i < count; i++)
        if (!use_passed(LISTEN_FDS_START + i))
            return false;
    snprintf(text, size, "%d sockets that were passed", count);
    return true;
}

void epmd_notify_ready(void)
{
    static const char ready[] = "READY=1";
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(to.sun_path))
        return;
    strcpy(to.sun_path, path);
    if (path[0] == '@') /* an abstract name */
        to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    const socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (sendto(fd, ready, sizeof(ready) - 1, MSG_NOSIGNAL, (const struct sockaddr *)&to, len) < 0)
        fprintf(stderr, "penstock-epmd: NOTIFY_SOCKET: %s\n", strerror(errno));
    close(fd);
}
