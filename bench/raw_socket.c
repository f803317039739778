/* SPDX-License-Identifier: MIT */
/* raw_socket.c - two processes and a socket between them. */
#include "raw_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

static void tcp_pair(int pair[2])
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t addr_len = sizeof(addr);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || pair[0] < 0 || bind(listener, (struct sockaddr *)&addr, addr_len) != 0 ||
        listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&addr, &addr_len) != 0 ||
        connect(pair[0], (struct sockaddr *)&addr, addr_len) != 0)
        die("TCP on the loopback: %s", strerror(errno));
    pair[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (pair[1] < 0)
        die("accept: %s", strerror(errno));
    close(listener);
    for (int i = 0; i < 2; i++) /* as Penstock does; it matters to nobody who waits for replies */
        setsockopt(pair[i], IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

int raw_fork_pair(const char *transport, bool *ret_server)
{
    int pair[2];
    if (strcmp(transport, "tcp") == 0)
        tcp_pair(pair);
    else if (strcmp(transport, "unix") != 0)
        die("no transport '%s'", transport);
    else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        die("socketpair: %s", strerror(errno));

    pid_t pid = fork();
    if (pid < 0)
        die("fork: %s", strerror(errno));
    *ret_server = pid == 0;
    if (*ret_server)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(pair[*ret_server ? 0 : 1]);
    return pair[*ret_server ? 1 : 0];
}

void raw_join(void)
{
    int status;
    if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        die("the other process failed");
}

void raw_send(int fd, const void *buf, size_t len)
{
    const unsigned char *pos = buf;
    while (len > 0) {
        ssize_t n = send(fd, pos, len, MSG_NOSIGNAL);
        if (n < 0)
            die("send: %s", strerror(errno));
        pos += n;
        len -= (size_t)n;
    }
}

size_t raw_recv_some(int fd, void *buf, size_t len)
{
    ssize_t n = recv(fd, buf, len, 0);
    if (n <= 0)
        die("recv: %s", n == 0 ? "the other process is gone" : strerror(errno));
    return (size_t)n;
}

void raw_recv(int fd, void *buf, size_t len)
{
    unsigned char *pos = buf;
    while (len > 0) {
        size_t n = raw_recv_some(fd, pos, len);
        pos += n;
        len -= n;
    }
}
