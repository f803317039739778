/* SPDX-License-Identifier: MIT */
/* uuid.c - UUID text and comparison. */
#include "base/uuid.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool is_hyphen_place(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

static uint16_t be16(const uint8_t *octets)
{
    return (uint16_t)(octets[0] << 8 | octets[1]);
}

bool uuid_parse(const char *text, size_t len, UUID *ret_uuid)
{
    if (len != UUID_TEXT_LEN)
        return false;
    uint8_t octets[16] = {0};
    size_t digits = 0;
    for (size_t i = 0; i < UUID_TEXT_LEN; i++) {
        if (is_hyphen_place(i)) {
            if (text[i] != '-')
                return false;
            continue;
        }
        int value = hex_value(text[i]);
        if (value < 0)
            return false;
        octets[digits / 2] = (uint8_t)(octets[digits / 2] << 4 | value);
        digits++;
    }
    ret_uuid->Data1 = (uint32_t)be16(octets) << 16 | be16(octets + 2);
    ret_uuid->Data2 = be16(octets + 4);
    ret_uuid->Data3 = be16(octets + 6);
    memcpy(ret_uuid->Data4, octets + 8, sizeof(ret_uuid->Data4));
    return true;
}

void uuid_format(const UUID *uuid, char ret_text[UUID_TEXT_LEN + 1])
{
    const uint8_t *d4 = uuid->Data4;
    snprintf(ret_text, UUID_TEXT_LEN + 1, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             (unsigned)uuid->Data1, uuid->Data2, uuid->Data3, d4[0], d4[1], d4[2], d4[3], d4[4],
             d4[5], d4[6], d4[7]);
}

int uuid_compare(const UUID *a, const UUID *b)
{
    if (a->Data1 != b->Data1)
        return a->Data1 < b->Data1 ? -1 : 1;
    if (a->Data2 != b->Data2)
        return a->Data2 < b->Data2 ? -1 : 1;
    if (a->Data3 != b->Data3)
        return a->Data3 < b->Data3 ? -1 : 1;
    int order = memcmp(a->Data4, b->Data4, sizeof(a->Data4));
    return order < 0 ? -1 : order > 0;
}

bool uuid_equal(const UUID *a, const UUID *b)
{
    return uuid_compare(a, b) == 0;
}

bool uuid_is_nil(const UUID *uuid)
{
    static const UUID nil;
    return uuid_equal(uuid, &nil);
}
