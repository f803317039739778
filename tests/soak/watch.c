/* SPDX-License-Identifier: MIT */
/* watch.c - what a process holds, and whether it has grown. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "soak.h"

/* What may come and go without a leak: arenas of threads that happen to run at once. */
#define RSS_SLACK_KIB     1536
#define RSS_SLACK_PERCENT 8
#define DESCRIPTOR_SLACK  8
#define THREAD_SLACK      4
/* Samples, one a second: in less time caches and pools are still filling. */
#define JUDGED_MIN        120

bool watch_sample(pid_t pid, struct sample *ret_sample)
{
    char path[64], line[256];
    *ret_sample = (struct sample){.rss_kib = -1};
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    while (fgets(line, sizeof(line), file)) {
        if (strncmp(line, "VmRSS:", 6) == 0)
            ret_sample->rss_kib = strtol(line + 6, NULL, 10);
        if (strncmp(line, "Threads:", 8) == 0)
            ret_sample->threads = strtol(line + 8, NULL, 10);
    }
    fclose(file);
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    if (!dir)
        return false;
    while (readdir(dir))
        ret_sample->descriptors++;
    closedir(dir);
    ret_sample->descriptors -= 2; /* . and .. */
    return ret_sample->rss_kib >= 0; /* a zombie has none */
}

void history_add(struct history *history, const struct sample *sample)
{
    if (history->count == history->capacity) {
        history->capacity = history->capacity ? 2 * history->capacity : 1024;
        history->samples =
            realloc(history->samples, history->capacity * sizeof(*history->samples));
        if (!history->samples)
            soak_fail("out of memory");
    }
    history->samples[history->count++] = *sample;
}

/* ---- Judgement ------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

/* Of one figure (0 to 2) over `count` samples. */
static long median(const struct sample *samples, size_t count, unsigned figure)
{
    long *values = calloc(count, sizeof(*values));
    if (!values)
        soak_fail("out of memory");
    for (size_t i = 0; i < count; i++)
        values[i] = figure == 0   ? samples[i].rss_kib
                    : figure == 1 ? samples[i].descriptors
                                  : samples[i].threads;
    qsort(values, count, sizeof(*values), by_size);
    long middle = values[count / 2];
    free(values);
    return middle;
}

bool history_is_flat(const struct history *history, size_t warm_up)
{
    static const char *const figures[] = {"RSS KiB", "descriptors", "threads"};
    bool flat = true;
    if (history->count < warm_up + JUDGED_MIN) {
        printf("%-14s too short a run to judge growth\n", history->name);
        return true;
    }
    const struct sample *samples = history->samples + warm_up;
    size_t count = history->count - warm_up, third = count / 3;
    for (unsigned f = 0; f < 3; f++) {
        long early = median(samples, third, f);
        long late = median(samples + count - third, third, f);
        long slack = f == 0   ? RSS_SLACK_KIB + early * RSS_SLACK_PERCENT / 100
                     : f == 1 ? DESCRIPTOR_SLACK
                              : THREAD_SLACK;
        bool grown = late > early + slack;
        printf("%-14s %-12s %7ld early, %7ld late%s\n", history->name, figures[f], early, late,
               grown ? "  GROWN" : "");
        flat &= !grown;
    }
    return flat;
}
