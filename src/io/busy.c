/* SPDX-License-Identifier: MIT */
/* busy.c - see busy.h. */
#include "io/busy.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void busy_self(struct busy_thread *ret_thread)
{
    *ret_thread = (struct busy_thread){.tid = gettid(), .clock = CLOCK_MONOTONIC};
    pthread_getcpuclockid(pthread_self(), &ret_thread->clock); /* else: always busy */
}

static struct timespec cpu_time(const struct busy_thread *thread)
{
    struct timespec time;
    if (clock_gettime(thread->clock, &time) != 0)
        return (struct timespec){0};
    return time;
}

void busy_sample(struct busy_sample *ret_sample, const struct busy_thread *thread)
{
    *ret_sample = (struct busy_sample){.thread = *thread, .cpu = cpu_time(thread)};
}

/* proc_pid_stat(5): "TID (name) STATE ...", and the name may hold anything. */
bool busy_wants(const struct busy_thread *thread)
{
    char path[48], line[128];
    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)thread->tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) /* a process without descriptors knows nothing of its threads, and has no /proc */
        return errno == EMFILE || errno == ENFILE;
    ssize_t n = read(fd, line, sizeof(line) - 1);
    close(fd);
    line[n > 0 ? n : 0] = '\0';
    const char *end = strrchr(line, ')');
    return end && end[1] == ' ' && end[2] == 'R';
}

bool busy_since(const struct busy_sample *sample, uint64_t *ret_ran_us)
{
    const struct timespec now = cpu_time(&sample->thread);
    const int64_t ran_ns = (int64_t)(now.tv_sec - sample->cpu.tv_sec) * 1000000000 +
                           (now.tv_nsec - sample->cpu.tv_nsec);
    *ret_ran_us = ran_ns > 0 ? (uint64_t)ran_ns / 1000 : 0;
    return ran_ns != 0 || busy_wants(&sample->thread);
}
