/* SPDX-License-Identifier: MIT */
/* progress.c - see progress.h. */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define BAR_LEN 24

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_start(struct progress *progress, bool enabled)
{
    progress->enabled = enabled;
    progress->drawn = false;
    progress->total = 0;
    atomic_init(&progress->done, 0);
    progress->start_ms = progress->drawn_ms = now_ms();
}

void progress_add(struct progress *progress, uint64_t octets)
{
    atomic_fetch_add_explicit(&progress->done, octets, memory_order_relaxed);
}

int64_t progress_elapsed_ms(const struct progress *progress)
{
    int64_t elapsed = now_ms() - progress->start_ms;
    return elapsed > 0 ? elapsed : 1;
}

void progress_octets(char buf[16], double octets)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    size_t unit = 0;
    for (; octets >= 999.5 && unit < 6; unit++)
        octets /= 1000;
    snprintf(buf, 16, octets < 99.95 && unit > 0 ? "%.1f %s" : "%.0f %s", octets, units[unit]);
}

/* " 42% [#####-----]" and "0:07 left", or nothing while the total is not known. */
static void draw_share(const struct progress *progress, double done, char bar[64], char left[32])
{
    bar[0] = left[0] = '\0';
    if (progress->total == 0)
        return;
    double share = done / (double)progress->total;
    if (share > 1)
        share = 1; /* files grow */
    char cells[BAR_LEN + 1];
    memset(cells, '-', BAR_LEN);
    memset(cells, '#', (size_t)(share * BAR_LEN));
    cells[BAR_LEN] = '\0';
    snprintf(bar, 64, "%3d%% [%s] ", (int)(share * 100), cells);
    if (share > 0) {
        double elapsed_s = (double)progress_elapsed_ms(progress) / 1000;
        double seconds = elapsed_s * (1 - share) / share;
        if (seconds > 359999) /* 99 h 59 min 59 s: no one waits for the exact figure */
            seconds = 359999;
        snprintf(left, 32, ", %d:%02d left", (int)seconds / 60, (int)seconds % 60);
    }
}

void progress_tick(struct progress *progress)
{
    if (!progress->enabled || now_ms() - progress->drawn_ms < PROGRESS_INTERVAL_MS)
        return;
    progress->drawn_ms = now_ms();
    progress->drawn = true;
    double done = (double)atomic_load_explicit(&progress->done, memory_order_relaxed);
    char bar[64], left[32], octets[16], rate[16];
    draw_share(progress, done, bar, left);
    progress_octets(octets, done);
    progress_octets(rate, done * 1000 / (double)progress_elapsed_ms(progress));
    fprintf(stderr, "\r%s%s, %s/s%s\033[K", bar, octets, rate, left);
    fflush(stderr);
}

void progress_clear(struct progress *progress)
{
    if (!progress->drawn)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    progress->drawn = false;
}
