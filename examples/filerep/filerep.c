/* SPDX-License-Identifier: MIT */
/* filerep.c - the client's command line, messages and signals; the work is in engine.c. */
#include "client.h"
#include "status.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_USAGE       2
#define EXIT_INTERRUPTED 130 /* as a shell reports a program that SIGINT ended */

/* For the signal handler, which gets no pointer and runs on any thread. */
static _Atomic bool interrupted;
static int interrupt_fd = -1; /* the client's */

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    free(object);
}

/* ---- Waking and sleeping ---- */

static void on_signal(int number)
{
    (void)number;
    int saved_errno = errno;
    const uint64_t one = 1;
    interrupted = true;
    (void)!write(interrupt_fd, &one, sizeof(one)); /* can only fail when it is awake anyway */
    errno = saved_errno;
}

bool client_interrupted(void)
{
    return interrupted;
}

bool client_stopping(const struct client *client)
{
    return client->lost || interrupted;
}

/* A signal handler may write to an eventfd, but not post a packet: so both are polled. */
void client_wait(struct client *client)
{
    struct pollfd fds[] = {{.fd = RpcxEventFd(client->main_port), .events = POLLIN},
                           {.fd = client->interrupt_fd, .events = POLLIN}};
    progress_tick(&client->progress);
    if (poll(fds, 2, client->progress.enabled ? PROGRESS_INTERVAL_MS : -1) > 0) {
        uint64_t count;
        (void)!read(client->interrupt_fd, &count, sizeof(count));
    }
    while (work_take(client->main_port, 0))
        ;
    progress_tick(&client->progress);
}

static int prepare_ports(struct client *client)
{
    unsigned int threads = work_threads();
    client->main_port = work_port(0);
    client->transfer_port = work_port(threads < client->jobs ? threads : client->jobs);
    return client->main_port && client->transfer_port ? 0 : ENOMEM;
}

static int prepare_signals(struct client *client)
{
    client->interrupt_fd = interrupt_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (interrupt_fd < 0)
        return errno;
    /* The second one ends the process: the first may have come while a stub was waiting for
     * a connection, which nothing can hurry. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    return 0;
}

/* ---- Paths ---- */

bool client_remote_path(const struct client *client, const char *rel, char ret_path[PATH_MAX])
{
    bool root = strcmp(client->remote, ".") == 0;
    const char *start = root && rel[0] ? rel : client->remote;
    const char *end = root || !rel[0] ? "" : rel;
    return snprintf(ret_path, PATH_MAX, "%s%s%s", start, *end ? "/" : "", end) < PATH_MAX;
}

const char *client_local_path(const struct client *client, const char *rel)
{
    return rel[0] ? rel : client->local_name;
}

/* ---- Messages ---- */

/* Names come from the other side and go to a terminal: no control characters. */
static void print_name(const char *name)
{
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        fputc(c < 0x20 || c == 0x7f ? '?' : c, stderr);
    }
}

static void print_message(struct client *client, const char *base, const char *rel,
                          const char *words)
{
    progress_clear(&client->progress);
    fprintf(stderr, "filerep: %s: ", client->verb);
    print_name(base);
    if (rel[0]) {
        if (base[strlen(base) - 1] != '/')
            fputc('/', stderr);
        print_name(rel);
    }
    fprintf(stderr, ": %s\n", words);
}

void client_complain_here(struct client *client, const char *rel, int error)
{
    client->failures++;
    print_message(client, client->local, rel, error_words(error));
}

void client_complain_there(struct client *client, const char *rel, RPC_STATUS status)
{
    char text[DCE_C_ERROR_STRING_LEN];
    client->failures++;
    /* A fault of the server's is about one file; what the runtime reports is about all. */
    if (!status_is_ours(status) || (ULONG)status == status_fault(ERROR_STOPPING))
        client->lost = true;
    if (client_interrupted())
        return; /* that is why it failed */
    status_describe(status, text, sizeof(text));
    print_message(client, client->remote, rel, text);
}

void client_warn(struct client *client, const char *rel, const char *words)
{
    print_message(client, client->putting ? client->local : client->remote, rel, words);
}

static void print_summary(const struct client *client)
{
    char octets[16], rate[16];
    struct rusage usage;
    double done = (double)atomic_load(&client->progress.done);
    int64_t elapsed_ms = progress_elapsed_ms(&client->progress);
    getrusage(RUSAGE_SELF, &usage);
    progress_octets(octets, done);
    progress_octets(rate, done * 1000 / (double)elapsed_ms);
    fprintf(stderr,
            "filerep: %s: %llu files, %llu folders, %llu links, %s in %.2f s (%s/s), "
            "peak memory %.1f MB\n",
            client->verb, (unsigned long long)client->files, (unsigned long long)client->folders,
            (unsigned long long)client->links, octets, (double)elapsed_ms / 1000, rate,
            (double)usage.ru_maxrss / 1000);
}

/* ---- The command line ---- */

static void usage(FILE *out)
{
    fputs("usage: filerep [-j N] [-v] get SERVER REMOTE LOCAL\n"
          "       filerep [-j N] [-v] put SERVER REMOTE LOCAL\n"
          "  get      makes LOCAL a copy of REMOTE, a file or a whole tree\n"
          "  put      makes REMOTE a copy of LOCAL\n"
          "  SERVER   a string binding: ncalrpc:[NAME] or ncacn_ip_tcp:HOST[PORT]\n"
          "  REMOTE   relative to the folder served; \".\" is that folder\n"
          "  -j N     files at once, 1 to 64; default 4\n"
          "  -v       print a summary at the end\n"
          "Permissions, modification times and symbolic links are kept; owners, set-id bits\n"
          "and hard links are not.  Nothing is deleted.\n",
          out);
}

static int parse_jobs(const char *text, unsigned int *ret_jobs)
{
    char *end;
    errno = 0;
    long jobs = strtol(text, &end, 10);
    if (errno || *end || end == text || jobs < 1 || jobs > JOBS_MAX) {
        fprintf(stderr, "filerep: -j %s: not a number from 1 to %d\n", text, JOBS_MAX);
        return -1;
    }
    *ret_jobs = (unsigned int)jobs;
    return 0;
}

/* "a/b/" and "a/b" are the same to the user, not to the server. */
static char *without_trailing_slashes(char *path)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        path[--len] = '\0';
    return path;
}

static int parse_options(int argc, char **argv, struct client *client, const char **ret_server)
{
    static const struct option longopts[] = {{"jobs", required_argument, NULL, 'j'},
                                             {"verbose", no_argument, NULL, 'v'},
                                             {"help", no_argument, NULL, 'h'},
                                             {0}};
    for (int c; (c = getopt_long(argc, argv, "j:vh", longopts, NULL)) != -1;) {
        switch (c) {
        case 'j':
            if (parse_jobs(optarg, &client->jobs) < 0)
                return -1;
            break;
        case 'v':
            client->verbose = true;
            break;
        case 'h':
            usage(stdout);
            exit(0);
        default:
            usage(stderr);
            return -1;
        }
    }
    argv += optind;
    if (argc - optind != 4 || (strcmp(argv[0], "get") != 0 && strcmp(argv[0], "put") != 0) ||
        !argv[2][0] || !argv[3][0]) {
        usage(stderr);
        return -1;
    }
    client->verb = argv[0];
    client->putting = strcmp(argv[0], "put") == 0;
    *ret_server = argv[1];
    client->remote = without_trailing_slashes(argv[2]);
    client->local = argv[3];
    return 0;
}

int main(int argc, char **argv)
{
    struct client client = {.jobs = JOBS_DEFAULT, .local_root = -1};
    const char *server;
    if (parse_options(argc, argv, &client, &server) < 0)
        return EXIT_USAGE;
    umask(077); /* what is not whole yet is nobody else's business */
    int error = prepare_signals(&client);
    if (!error)
        error = prepare_ports(&client);
    if (error) {
        fprintf(stderr, "filerep: %s\n", strerror(error));
        return EXIT_FAILURE;
    }
    RPC_STATUS status = RpcBindingFromStringBindingA((RPC_CSTR)server, &client.server);
    if (status != RPC_S_OK) {
        char text[DCE_C_ERROR_STRING_LEN];
        status_describe(status, text, sizeof(text));
        fprintf(stderr, "filerep: %s: %s\n", server, text);
        return EXIT_USAGE;
    }
    progress_start(&client.progress, isatty(STDERR_FILENO));
    engine_run(&client);
    if (client.verbose)
        print_summary(&client);
    (void)RpcBindingFree(&client.server);
    if (client.local_root >= 0)
        close(client.local_root);
    if (client_interrupted())
        return EXIT_INTERRUPTED;
    return client.failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
