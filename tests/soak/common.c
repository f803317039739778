/* SPDX-License-Identifier: MIT */
/* common.c - contents, chance, time and failure, for both sides. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "soak.h"

struct world *world;

const char *const kind_names[KIND_COUNT] = {
    [KIND_ECHO] = "echo",           [KIND_CALLBACK] = "callback",   [KIND_SESSION] = "session",
    [KIND_LATER] = "later",         [KIND_TAKE] = "take",           [KIND_GIVE] = "give",
    [KIND_TURN] = "turn",           [KIND_SEVERAL] = "several",     [KIND_SYNC_TAKE] = "sync take",
    [KIND_SYNC_GIVE] = "sync give", [KIND_SYNC_TURN] = "sync turn",
};

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    free(object);
}

void soak_fail(const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fprintf(stderr, "soak: process %d: %s\n", (int)getpid(), text);
    fflush(stderr);
    _exit(3);
}

uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void sleep_ms(unsigned ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
}

/* ---- Contents -------------------------------------------------------------- */

/* No period near a power of two: a block lost, doubled or swapped shows. */
uint8_t octet_of(uint32_t seed, uint64_t at)
{
    return (uint8_t)(seed + at * 7 + at / 251 + (at >> 16) * 3);
}

void fill(uint32_t seed, uint64_t at, byte *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        octets[i] = octet_of(seed, at + i);
}

void check(const char *what, uint32_t seed, uint64_t at, const byte *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (octets[i] != octet_of(seed, at + i))
            soak_fail("%s: octet %llu differs", what, (unsigned long long)(at + i));
}

RECORD record_of(uint32_t seed, uint64_t index)
{
    RECORD record;
    memset(&record, 0, sizeof(record));
    record.number = (int64_t)(index * 0x9e3779b97f4a7c15u + seed);
    record.check = (int16_t)(index * 31 + seed);
    return record;
}

void check_records(const char *what, uint32_t seed, uint64_t at, const RECORD *records,
                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        RECORD right = record_of(seed, at + i);
        if (records[i].number != right.number || records[i].check != right.check)
            soak_fail("%s: record %llu differs", what, (unsigned long long)(at + i));
    }
}

/* ---- Chance ---------------------------------------------------------------- */

/* splitmix64 */
uint32_t below(struct chance *chance, uint32_t bound)
{
    uint64_t z = chance->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)(((z ^ z >> 31) >> 32) * bound >> 32);
}

uint32_t skewed(struct chance *chance, uint32_t most)
{
    uint32_t bound = below(chance, most + 1);
    return below(chance, bound + 1);
}
