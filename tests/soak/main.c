/* SPDX-License-Identifier: MIT */
/* main.c - the soak: starts servers and clients, kills some now and then, looks at all of
 * them once a second, and judges.
 *
 *     soak [--minutes N | --seconds N] [--workers N] [--seed S] [--limit SECONDS] [--hold]
 *
 * It fails when a process ends that nobody killed (it found wrong data or a wrong status
 * and says so), when a call hangs, when anything is left at the end, or when memory,
 * descriptors or threads of a lasting process have grown since the warm-up. */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "soak.h"

/* A part of the run that does not count, and seconds of it at least: caches and arenas
 * fill, connections are made. */
#define WARM_UP_SHARE 5
#define WARM_UP_S     60
/* At the end nothing is left by then, milliseconds. */
#define QUIET_MS 20000u
#define REPORT_S 60u

struct options {
    unsigned seconds, workers;
    unsigned limit; /* seconds a call may take: far more than any does on a loaded machine */
    uint64_t seed;
    bool hold; /* leave a hanging process, stopped, to a debugger */
};

enum { LASTING_SERVER, VICTIM_SERVER };
#define VICTIM_CLIENT (CLIENTS - 1)

static struct options options = {.seconds = 60, .workers = 6, .limit = 60};
static unsigned kills_of_servers, kills_of_clients;

/* ---- Processes ------------------------------------------------------------- */

static void kill_all(int number)
{
    for (unsigned i = 0; i < SERVERS; i++)
        if (world->servers[i].pid > 0)
            kill(world->servers[i].pid, number);
    for (unsigned i = 0; i < CLIENTS; i++)
        if (world->clients[i].pid > 0)
            kill(world->clients[i].pid, number);
}

static _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "soak: %s (seed %llu)\n", why, (unsigned long long)options.seed);
    if (options.hold) {
        kill_all(SIGSTOP);
        fputs("soak: all are stopped; Enter ends them\n", stderr);
        getchar();
    }
    kill_all(SIGKILL);
    exit(1);
}

static void spawn(struct board *board, bool server, unsigned index, uint64_t seed)
{
    board->ready = board->stop = false;
    board->sessions = board->managers = 0;
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        board->slots[i].began_ms = 0;
    fflush(stdout);
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        give_up("cannot start a process");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        if (server)
            serve(board, index);
        call_all_day(board, seed);
    }
    board->pid = pid;
    for (unsigned waited = 0; !board->ready; waited++) {
        if (waited > 1500 || waitpid(pid, NULL, WNOHANG) == pid)
            give_up("a process does not start");
        sleep_ms(10);
    }
}

static void murder(struct board *board)
{
    kill(board->pid, SIGKILL);
    waitpid(board->pid, NULL, 0);
    board->pid = 0;
}

/* Did one end of itself? */
static void look_for_the_dead(void)
{
    int state;
    pid_t pid = waitpid(-1, &state, WNOHANG);
    if (pid <= 0)
        return;
    char why[80];
    snprintf(why, sizeof(why), "process %d has ended, %s %d", (int)pid,
             WIFSIGNALED(state) ? "signal" : "status",
             WIFSIGNALED(state) ? WTERMSIG(state) : WEXITSTATUS(state));
    give_up(why);
}

static void look_for_hangs(void)
{
    for (unsigned c = 0; c < CLIENTS; c++) {
        for (unsigned w = 0; w < options.workers; w++) {
            const struct slot *slot = &world->clients[c].slots[w];
            uint64_t began = atomic_load(&slot->began_ms), now = now_ms();
            if (began == 0 || now < began + world->limit_ms)
                continue;
            char why[200];
            snprintf(why, sizeof(why),
                     "%s hangs in process %d, worker %u, %llu of %llu octets, told by %d%s%s%s",
                     kind_names[slot->kind], (int)world->clients[c].pid, w,
                     (unsigned long long)slot->moved, (unsigned long long)slot->count,
                     slot->notified_by, slot->victim ? ", its server may die" : "",
                     slot->cancelled ? ", cancelled" : "",
                     slot->cancelled && slot->abortive ? " abortively" : "");
            give_up(why);
        }
    }
}

/* ---- Endpoints ------------------------------------------------------------- */

/* A port that was free a moment ago. */
static unsigned free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        give_up("no TCP port");
    close(fd);
    return ntohs(address.sin_port);
}

static void choose_endpoints(void)
{
    for (unsigned i = 0; i < SERVERS; i++) {
        snprintf(world->endpoints[i][0], sizeof(world->endpoints[i][0]),
                 "ncacn_ip_tcp:127.0.0.1[%u]", free_port());
        snprintf(world->endpoints[i][1], sizeof(world->endpoints[i][1]), "ncalrpc:[soak-%d-%u]",
                 (int)getpid(), i);
    }
}

/* ---- Report ---------------------------------------------------------------- */

static unsigned long long calls_of(const struct tally *t)
{
    return t->ok + t->cancelled + t->lost + t->refused;
}

static void report(unsigned second, const struct history *histories, unsigned count)
{
    unsigned long long calls = 0;
    for (unsigned c = 0; c < CLIENTS; c++)
        for (unsigned k = 0; k < KIND_COUNT; k++)
            calls += calls_of(&world->clients[c].tallies[k]);
    printf("%5u s  %llu calls, %u servers and %u clients killed\n", second, calls,
           kills_of_servers, kills_of_clients);
    for (unsigned i = 0; i < count; i++) {
        const struct sample *s = &histories[i].samples[histories[i].count - 1];
        printf("         %-14s %7ld KiB, %3ld descriptors, %3ld threads\n", histories[i].name,
               s->rss_kib, s->descriptors, s->threads);
    }
    fflush(stdout);
}

static bool report_kinds(void)
{
    bool all = true;
    unsigned long long octets = 0;
    for (unsigned c = 0; c < CLIENTS; c++)
        octets += world->clients[c].octets;
    for (unsigned i = 0; i < SERVERS; i++)
        octets += world->servers[i].octets;
    printf("%-10s %10s %10s %10s %10s\n", "", "succeeded", "cancelled", "lost", "refused");
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        unsigned long long sum[4] = {0};
        for (unsigned c = 0; c < CLIENTS; c++) {
            const struct tally *t = &world->clients[c].tallies[k];
            sum[0] += t->ok;
            sum[1] += t->cancelled;
            sum[2] += t->lost;
            sum[3] += t->refused;
        }
        printf("%-10s %10llu %10llu %10llu %10llu\n", kind_names[k], sum[0], sum[1], sum[2],
               sum[3]);
        all &= sum[0] > 0;
    }
    printf("%llu octets through pipes, all of them checked\n", octets);
    return all;
}

/* ---- The course of it ------------------------------------------------------ */

static void kill_some(struct chance *chance, unsigned second)
{
    static unsigned server_at = 8, client_at = 5;
    if (second >= server_at) {
        murder(&world->servers[VICTIM_SERVER]);
        sleep_ms(below(chance, 1500)); /* nobody is there for a while */
        spawn(&world->servers[VICTIM_SERVER], true, VICTIM_SERVER, 0);
        server_at = second + 5 + below(chance, 20);
        kills_of_servers++;
    }
    if (second >= client_at) {
        murder(&world->clients[VICTIM_CLIENT]);
        spawn(&world->clients[VICTIM_CLIENT], false, VICTIM_CLIENT, options.seed + 1000 + second);
        client_at = second + 2 + below(chance, 10);
        kills_of_clients++;
    }
}

static void end_process(struct board *board, const char *what)
{
    int state = 0;
    board->stop = true;
    for (uint64_t until = now_ms() + world->limit_ms; waitpid(board->pid, &state, WNOHANG) == 0;) {
        if (now_ms() > until)
            give_up(what);
        sleep_ms(20);
    }
    board->pid = 0;
    if (state != 0)
        give_up(what);
}

/* Clients go first: what they leave behind the servers must get rid of. */
static void wind_up(void)
{
    for (unsigned c = 0; c < CLIENTS; c++)
        world->clients[c].stop = true;
    for (unsigned c = 0; c < CLIENTS; c++)
        end_process(&world->clients[c], "a client does not end well");
    for (unsigned i = 0; i < SERVERS; i++) {
        struct board *board = &world->servers[i];
        uint64_t until = now_ms() + QUIET_MS;
        while ((board->sessions != 0 || board->managers != 0) && now_ms() < until)
            sleep_ms(20);
        if (board->sessions != 0 || board->managers != 0) {
            char why[120];
            snprintf(why, sizeof(why), "server %u is left with %d sessions and %d calls", i,
                     board->sessions, board->managers);
            give_up(why);
        }
    }
    for (unsigned i = 0; i < SERVERS; i++)
        end_process(&world->servers[i], "a server does not end well");
}

static bool soak(void)
{
    struct history histories[] = {{.name = "server"}, {.name = "client 1"}, {.name = "client 2"}};
    const struct board *boards[] = {&world->servers[0], &world->clients[0], &world->clients[1]};
    struct chance chance = {options.seed};
    uint64_t start = now_ms();
    for (unsigned second = 0, reported = 0; second < options.seconds;
         second = (unsigned)((now_ms() - start) / 1000)) {
        kill_some(&chance, second);
        look_for_the_dead();
        look_for_hangs();
        for (unsigned i = 0; i < 3; i++) {
            struct sample sample;
            if (watch_sample(boards[i]->pid, &sample))
                history_add(&histories[i], &sample);
        }
        if (second >= reported + REPORT_S) {
            reported = second;
            report(second, histories, 3);
        }
        sleep_ms(1000);
    }
    report(options.seconds, histories, 3);
    wind_up();
    bool good = report_kinds();
    if (!good)
        puts("a kind of call never succeeded");
    for (unsigned i = 0; i < 3; i++) {
        size_t warm_up = histories[i].count / WARM_UP_SHARE;
        good &= history_is_flat(&histories[i], warm_up > WARM_UP_S ? warm_up : WARM_UP_S);
        free(histories[i].samples);
    }
    puts(good ? "soak: passed" : "soak: FAILED");
    return good;
}

/* ---- Set-up ---------------------------------------------------------------- */

static unsigned number(const char *text, unsigned most)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value == 0 || value > most) {
        fprintf(stderr, "soak: %s is no number from 1 to %u\n", text, most);
        exit(2);
    }
    return (unsigned)value;
}

static void parse(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"minutes", required_argument, NULL, 'm'}, {"seconds", required_argument, NULL, 's'},
        {"workers", required_argument, NULL, 'w'}, {"seed", required_argument, NULL, 'r'},
        {"limit", required_argument, NULL, 'l'},   {"hold", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    options.seed = (uint64_t)getpid();
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (c == 'm')
            options.seconds = 60 * number(optarg, 1000000);
        else if (c == 's')
            options.seconds = number(optarg, 60000000);
        else if (c == 'w')
            options.workers = number(optarg, WORKERS_MAX);
        else if (c == 'r')
            options.seed = number(optarg, UINT32_MAX);
        else if (c == 'l')
            options.limit = number(optarg, 3600);
        else if (c == 'h')
            options.hold = true;
        else
            exit(2);
    }
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (world == MAP_FAILED) {
        perror("soak: mmap");
        return 1;
    }
    world->workers = options.workers;
    world->limit_ms = options.limit * 1000;
    world->seed = options.seed;
    choose_endpoints();
    for (unsigned i = 0; i < SERVERS; i++)
        spawn(&world->servers[i], true, i, 0);
    for (unsigned i = 0; i < CLIENTS; i++)
        spawn(&world->clients[i], false, i, options.seed + i);
    return soak() ? EXIT_SUCCESS : EXIT_FAILURE;
}
