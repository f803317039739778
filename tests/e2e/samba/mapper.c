/* SPDX-License-Identifier: MIT */
/* mapper.c - Samba's endpoint mapper. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

#define ENTRIES_MAX        500
#define TOWERS_MAX         8

static void put_entry(const ept_entry_t *entry)
{
    fputs("[", stdout);
    put_hex(&entry->object, sizeof(entry->object));
    fputs(", ", stdout);
    put_hex(entry->tower->tower_octet_string, entry->tower->tower_length);
    printf(", \"%s\"]", (const char *)entry->annotation);
}

/* All entries, `args[0]` at a time: the mapper's context handle leads from one call to the
 * next. */
long run_lookup(handle_t binding, char **args)
{
    ept_lookup_handle_t place = NULL;
    error_status_t status;
    uint32_t at_once = (uint32_t)strtoul(args[0], NULL, 0), calls = 0;
    const char *comma = "";
    fputs("{\"entries\": [", stdout);
    do {
        uint32_t count = 0;
        ept_entry_t *entries = allocate(ENTRIES_MAX * sizeof(*entries));
        ept_lookup(binding, 0, NULL, NULL, 1, &place, at_once, &count, entries, &status);
        for (uint32_t i = 0; i < count; i++) {
            fputs(comma, stdout);
            put_entry(&entries[i]);
            comma = ", ";
        }
        calls++;
    } while (status == 0 && place);
    printf("], \"calls\": %u}", (unsigned)calls);
    if (place) {
        error_status_t freed;
        ept_lookup_handle_free(binding, &place, &freed);
    }
    return (long)status;
}

static unsigned digit(char c)
{
    return (unsigned)(c >= 'a' ? c - 'a' + 10 : c - '0');
}

/* Towers for the tower `args[0]`, both in hexadecimal digits. */
long run_map(handle_t binding, char **args)
{
    ept_lookup_handle_t place = NULL;
    error_status_t status;
    uint32_t count = 0, len = (uint32_t)strlen(args[0]) / 2;
    twr_p_t asked = allocate(sizeof(*asked) + len), found[TOWERS_MAX] = {0};
    UUID object = {0};
    asked->tower_length = len;
    for (uint32_t i = 0; i < len; i++)
        asked->tower_octet_string[i] =
            (byte)(digit(args[0][2 * i]) << 4 | digit(args[0][2 * i + 1]));
    ept_map(binding, &object, asked, &place, TOWERS_MAX, &count, found, &status);
    fputs("[", stdout);
    for (uint32_t i = 0; i < count; i++) {
        fputs(i > 0 ? ", " : "", stdout);
        put_hex(found[i]->tower_octet_string, found[i]->tower_length);
    }
    fputs("]", stdout);
    if (place) {
        error_status_t freed;
        ept_lookup_handle_free(binding, &place, &freed);
    }
    return (long)status;
}
