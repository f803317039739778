/* SPDX-License-Identifier: MIT */
/* epmd.c - penstock-epmd, the endpoint mapper: clients ask it on which endpoint a server of this
 * computer listens.  See man/penstock-epmd.8.scd and docs/design/endpoint-mapper.md. */
#include "epmd.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/limits.h"
#include "epregister.h"

struct epm_map *epmd_map;

static const char usage[] =
    "usage: penstock-epmd [--port PORT] [--quiet]\n"
    "The endpoint mapper: servers of this computer tell it where they listen, clients ask.\n"
    "\n"
    "  -p, --port PORT  TCP port, 135 if not given; with another one the local endpoint is\n"
    "                   epmapper-PORT instead of epmapper, and servers and clients find both\n"
    "                   with PENSTOCK_EPMAPPER=PORT in their environment\n"
    "  -q, --quiet      do not say where it listens\n"
    "  -V, --version    print the version\n"
    "  -h, --help       print this\n"
    "\n"
    "Sockets passed by systemd (LISTEN_FDS) are used instead of own ones.  It runs until it gets\n"
    "SIGTERM or SIGINT.  Exit status: 0 it was told to end, 1 it could not run, 2 wrong usage.\n";

static void say_status(const char *what, RPC_STATUS status)
{
    unsigned char text[DCE_C_ERROR_STRING_LEN];
    DceErrorInqTextA(status, text);
    fprintf(stderr, "penstock-epmd: %s: %s (%d)\n", what, (const char *)text, (int)status);
}

static bool parse_port(const char *text, unsigned *ret_port)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || port < 1 || port > 65535)
        return false;
    *ret_port = (unsigned)port;
    return true;
}

struct options {
    unsigned port;
    bool quiet;
};

/* An exit status, or -1: go on. */
static int parse_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {{"port", required_argument, NULL, 'p'},
                                          {"quiet", no_argument, NULL, 'q'},
                                          {"version", no_argument, NULL, 'V'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "p:qVh", known, NULL)) != -1) {
        switch (option) {
        case 'p':
            if (parse_port(optarg, &options->port))
                break;
            fprintf(stderr, "penstock-epmd: --port %s: a number from 1 to 65535 is expected\n",
                    optarg);
            return 2;
        case 'q':
            options->quiet = true;
            break;
        case 'V':
            puts("penstock-epmd " PENSTOCK_VERSION);
            return 0;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            fputs("Try penstock-epmd --help.\n", stderr);
            return 2;
        }
    }
    if (optind == argc)
        return -1;
    fprintf(stderr, "penstock-epmd: %s: no argument is expected; try penstock-epmd --help\n",
            argv[optind]);
    return 2;
}

static bool serve(void)
{
    const struct epm_limits limits = {.entries = LIMIT_EPM_ENTRIES,
                                      .user_entries = LIMIT_EPM_USER_ENTRIES,
                                      .user_owners = LIMIT_EPM_USER_REGISTRATIONS};
    epmd_map = epm_map_new(&limits);
    RPC_STATUS status = epmd_map ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
    if (status == RPC_S_OK)
        status = RpcServerRegisterIf(epmapper_v3_0_s_ifspec, NULL, NULL);
    if (status == RPC_S_OK)
        status = RpcServerRegisterIfEx(epregister_v1_0_s_ifspec, NULL, NULL,
                                       RPC_IF_ALLOW_LOCAL_ONLY, RPC_C_LISTEN_MAX_CALLS_DEFAULT,
                                       NULL);
    if (status == RPC_S_OK)
        status = RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE);
    if (status != RPC_S_OK)
        say_status("cannot serve", status);
    return status == RPC_S_OK;
}

/* Each registered process and each client has a connection, and the usual soft limit is for
 * programs that use select(). */
static void allow_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    struct options options = {.port = 135};
    char where[200];
    int signal_number;
    sigset_t ends;
    const int status = parse_options(argc, argv, &options);
    if (status >= 0)
        return status;
    allow_descriptors();
    /* Before there are threads: they leave these to us. */
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    if (!epmd_listen(options.port, where, sizeof(where)) || !serve())
        return 1;
    if (!options.quiet) {
        printf("penstock-epmd: listening on %s\n", where);
        fflush(stdout);
    }
    epmd_notify_ready();
    sigwait(&ends, &signal_number);
    /* No call is waited for: each registered server has one that never ends. */
    return 0;
}

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}
