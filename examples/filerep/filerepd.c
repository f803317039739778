/* SPDX-License-Identifier: MIT */
/* filerepd.c - serves one folder; the managers are in server_*.c.
 *
 * There is no authentication: who can reach an endpoint can read, and without --read-only
 * replace, everything in the folder that this process can.  Offer ncacn_ip_tcp only where
 * that is acceptable. */
#include "beneath.h"
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ENDPOINTS_MAX   16
#define CALLS_MAX       256   /* each may hold FILE_CHUNK_LEN octets and four descriptors */
#define REQUEST_LEN_MAX 65536 /* no request is longer, but for its pipe */
#define STOP_GRACE_S    3     /* for transfers to notice `stopping` */

struct server server = {.root = -1};

struct options {
    const char *root;
    char *endpoints[ENDPOINTS_MAX];
    int endpoint_count;
};

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    free(object);
}

static void usage(FILE *out)
{
    fputs("usage: filerepd --root DIR [--endpoint PROTSEQ:ENDPOINT]... [--read-only]\n"
          "  --root DIR           the folder to serve\n"
          "  --endpoint EP        where to listen: ncalrpc:NAME or ncacn_ip_tcp:PORT;\n"
          "                       may be repeated; default ncalrpc:filerep\n"
          "  --read-only          refuse every change\n"
          "  --no-openat2         resolve paths step by step, as on kernels before 5.6\n",
          out);
}

static int parse_options(int argc, char **argv, struct options *ret)
{
    static const struct option longopts[] = {
        {"root", required_argument, NULL, 'r'}, {"endpoint", required_argument, NULL, 'e'},
        {"read-only", no_argument, NULL, 'o'},  {"no-openat2", no_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},       {0}};
    static char default_endpoint[] = "ncalrpc:filerep";
    for (int c; (c = getopt_long(argc, argv, "h", longopts, NULL)) != -1;) {
        switch (c) {
        case 'r':
            ret->root = optarg;
            break;
        case 'e':
            if (ret->endpoint_count == ENDPOINTS_MAX || !strchr(optarg, ':')) {
                fprintf(stderr, "filerepd: %s: not an endpoint, or one too many\n", optarg);
                return -1;
            }
            ret->endpoints[ret->endpoint_count++] = optarg;
            break;
        case 'o':
            server.read_only = true;
            break;
        case 'n':
            beneath_without_openat2();
            break;
        case 'h':
            usage(stdout);
            exit(0);
        default:
            usage(stderr);
            return -1;
        }
    }
    if (!ret->root || optind != argc) {
        usage(stderr);
        return -1;
    }
    if (ret->endpoint_count == 0)
        ret->endpoints[ret->endpoint_count++] = default_endpoint;
    return 0;
}

static int complain(const char *what, RPC_STATUS status)
{
    unsigned char text[DCE_C_ERROR_STRING_LEN];
    DceErrorInqTextA(status, text);
    fprintf(stderr, "filerepd: %s: %s\n", what, (const char *)text);
    return -1;
}

static int open_endpoint(char *endpoint)
{
    char *colon = strchr(endpoint, ':');
    *colon = '\0';
    RPC_STATUS status = RpcServerUseProtseqEpA((RPC_CSTR)endpoint, RPC_C_PROTSEQ_MAX_REQS_DEFAULT,
                                               (RPC_CSTR)(colon + 1), NULL);
    *colon = ':';
    return status == RPC_S_OK ? 0 : complain(endpoint, status);
}

static int start(const struct options *options)
{
    server.root = open(options->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (server.root < 0) {
        fprintf(stderr, "filerepd: %s: %s\n", options->root, strerror(errno));
        return -1;
    }
    server.port = work_port(work_threads());
    if (!server.port) {
        fprintf(stderr, "filerepd: no threads\n");
        return -1;
    }
    RPC_STATUS status = RpcServerRegisterIf2(filerep_v1_0_s_ifspec, NULL, NULL, 0, CALLS_MAX,
                                             REQUEST_LEN_MAX, NULL);
    if (status != RPC_S_OK)
        return complain("cannot offer the interface", status);
    for (int i = 0; i < options->endpoint_count; i++) {
        if (open_endpoint(options->endpoints[i]) < 0)
            return -1;
    }
    status = RpcServerListen(1, CALLS_MAX, TRUE);
    return status == RPC_S_OK ? 0 : complain("cannot listen", status);
}

/* The signal mask of all threads, set before there are any: signals are for sigwait. */
static void block_signals(sigset_t *ret_signals)
{
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(ret_signals);
    sigaddset(ret_signals, SIGINT);
    sigaddset(ret_signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, ret_signals, NULL);
}

/* A listing holds a descriptor per level, a transfer a few more. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void *wait_for_calls(void *done)
{
    (void)RpcMgmtWaitServerListen();
    atomic_store((atomic_bool *)done, true);
    kill(getpid(), SIGTERM); /* wakes the sigtimedwait below */
    return NULL;
}

/* Stops listening, tells the transfers, and gives them a moment.  One whose client neither
 * sends nor takes anything does not notice; it is left to the end of the process, which
 * removes its nameless file as well. */
static void stop(const sigset_t *signals)
{
    static atomic_bool done;
    pthread_t waiter;
    const struct timespec grace = {.tv_sec = STOP_GRACE_S};
    atomic_store(&server.stopping, true);
    (void)RpcMgmtStopServerListening(NULL);
    if (pthread_create(&waiter, NULL, wait_for_calls, &done) != 0)
        return;
    pthread_detach(waiter);
    while (!atomic_load(&done)) {
        if (sigtimedwait(signals, NULL, &grace) < 0 && errno == EAGAIN)
            return;
    }
}

int main(int argc, char **argv)
{
    struct options options = {0};
    sigset_t signals;
    int signal_number;
    block_signals(&signals);
    raise_descriptor_limit();
    umask(077); /* what is not whole yet is nobody else's business */
    if (parse_options(argc, argv, &options) < 0)
        return 2;
    if (start(&options) < 0)
        return 1;
    for (int i = 0; i < options.endpoint_count; i++)
        printf("filerepd: serving %s on %s\n", options.root, options.endpoints[i]);
    fflush(stdout);
    sigwait(&signals, &signal_number);
    stop(&signals);
    /* Threads of the runtime may still run managers: end without running destructors. */
    fflush(stdout);
    _exit(0);
}
