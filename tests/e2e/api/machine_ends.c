/* SPDX-License-Identifier: MIT */
/* machine_ends.c - when a call of the client's process has ended there, seen from outside: its
 * PENSTOCK_TRACE=call says so.  To ask the process itself would be a reaction of the
 * application, which is what the walks are about. */
#include "machine.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned ends; /* calls that have ended, since the process began */

/* "TIME [THREAD] call: call ID NAME: answered", or "... fails with STATUS". */
static bool tells_end(const char *line)
{
    return strstr(line, " call: call ") && (strstr(line, ": answered") || strstr(line, ": fails with "));
}

/* What it says on its standard error, a sanitizer's report, too, goes on to ours. */
static void *read_trace(void *arg)
{
    FILE *trace = arg;
    char line[2048];
    while (fgets(line, sizeof(line), trace)) {
        fputs(line, stderr);
        if (!tells_end(line))
            continue;
        pthread_mutex_lock(&lock);
        ends++;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
    fclose(trace);
    return NULL;
}

struct child traced_client(const struct child *server)
{
    int trace[2], own = dup(STDERR_FILENO);
    pthread_t thread;
    ends = 0;
    CHECK(own >= 0 && pipe2(trace, O_CLOEXEC) == 0);
    fcntl(own, F_SETFD, FD_CLOEXEC);
    CHECK(dup2(trace[1], STDERR_FILENO) == STDERR_FILENO && setenv("PENSTOCK_TRACE", "call", 1) == 0);
    struct child child = step_client(server);
    CHECK(dup2(own, STDERR_FILENO) == STDERR_FILENO && unsetenv("PENSTOCK_TRACE") == 0);
    close(own);
    close(trace[1]);
    FILE *file = fdopen(trace[0], "r");
    CHECK(file && pthread_create(&thread, NULL, read_trace, file) == 0);
    pthread_detach(thread);
    return child;
}

void wait_for_ends(unsigned count)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += SOON_MS / 1000;
    int timeout = 0;
    pthread_mutex_lock(&lock);
    while (ends < count && timeout == 0)
        timeout = pthread_cond_timedwait(&changed, &lock, &until);
    unsigned seen = ends;
    pthread_mutex_unlock(&lock);
    if (seen < count)
        failed(__FILE__, __LINE__, "%u of %u calls have ended at the client", seen, count);
}
