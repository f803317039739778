/* SPDX-License-Identifier: MIT */
/* common.h - what client and server of the scale test share. */
#ifndef SCALE_COMMON_H
#define SCALE_COMMON_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 4096u

/* What stands at place `i` of the pipe with this seed. */
static inline uint8_t octet(uint32_t seed, uint32_t i)
{
    uint32_t x = (seed + 1) * 2654435761u + i * 40503u;
    return (uint8_t)(x >> 13);
}

/* A number from /proc/self/status; 0: there is none. */
static inline uint64_t own_status(const char *name)
{
    char line[128];
    uint64_t value = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtoull(line + strlen(name), NULL, 10);
    if (file)
        fclose(file);
    return value;
}

static inline uint32_t own_descriptors(void)
{
    uint32_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

#endif
