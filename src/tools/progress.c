/* SPDX-License-Identifier: MIT */
/* progress.c - see progress.h. */
#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL_MS 100
#define BAR_WIDTH   24

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* "12.3 MB" */
static void octets_text(char *buf, size_t size, double octets)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    unsigned unit = 0;
    while (octets >= 1000 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        octets /= 1000;
        unit++;
    }
    snprintf(buf, size, unit == 0 ? "%.0f %s" : "%.1f %s", octets, units[unit]);
}

static void draw(struct progress *progress, int64_t now)
{
    char octets[24], rate[24], bar[BAR_WIDTH + 1] = "";
    double seconds = (double)(now - progress->start_ms) / 1000;
    octets_text(octets, sizeof(octets), (double)progress->done);
    octets_text(rate, sizeof(rate), seconds > 0 ? (double)progress->done / seconds : 0);
    fprintf(stderr, "\r\033[K");
    if (progress->total > 0) {
        double part = (double)progress->done / (double)progress->total;
        unsigned full = part >= 1 ? BAR_WIDTH : (unsigned)(part * BAR_WIDTH);
        for (unsigned i = 0; i < BAR_WIDTH; i++)
            bar[i] = i < full ? '#' : '.';
        fprintf(stderr, "[%s] %3.0f%%  ", bar, part >= 1 ? 100.0 : part * 100);
    }
    fprintf(stderr, "%s  %s/s  %d:%04.1f", octets, rate, (int)(seconds / 60),
            seconds - 60 * (int)(seconds / 60));
    fflush(stderr);
    progress->drawn = true;
    progress->drawn_ms = now;
}

void progress_start(struct progress *progress)
{
    progress->enabled = progress->enabled && isatty(STDERR_FILENO);
    progress->start_ms = progress->drawn_ms = now_ms();
    progress->running = true;
}

void progress_tick(struct progress *progress)
{
    if (!progress->enabled || !progress->running)
        return;
    int64_t now = now_ms();
    if (now - progress->drawn_ms >= INTERVAL_MS)
        draw(progress, now);
}

void progress_stop(struct progress *progress)
{
    if (progress->enabled && progress->running && progress->drawn) {
        draw(progress, now_ms());
        fputc('\n', stderr);
    }
    progress->running = progress->drawn = false;
}

int progress_wait_ms(const struct progress *progress)
{
    return progress->enabled && progress->running ? INTERVAL_MS : -1;
}
