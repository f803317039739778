/* SPDX-License-Identifier: MIT */
/* utf16.c - UTF-8 <-> UTF-16.  Own code instead of iconv: it allocates nothing, has
 * no state to open and behaves the same with every C library. */
#include "base/utf16.h"

#include <stdbool.h>
#include <stdint.h>

#define REPLACEMENT 0xFFFDu
#define MALFORMED   UINT32_MAX

static bool is_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* Length a lead octet announces; 0 for an octet that leads nothing.  C0, C1 (overlong)
 * and F5 to FF (above U+10FFFF) are never valid. */
static size_t announced_len(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    if (lead >= 0xf0 && lead <= 0xf4)
        return 4;
    return 0;
}

/* May `second` follow `lead`?  The narrower ranges keep out overlong forms,
 * surrogates and values above U+10FFFF (Unicode table 3-7). */
static bool is_valid_second(unsigned char lead, unsigned char second)
{
    switch (lead) {
    case 0xe0:
        return second >= 0xa0 && second <= 0xbf;
    case 0xed:
        return second >= 0x80 && second <= 0x9f;
    case 0xf0:
        return second >= 0x90 && second <= 0xbf;
    case 0xf4:
        return second >= 0x80 && second <= 0x8f;
    default:
        return is_continuation(second);
    }
}

/* The character at `src`, of which `len` > 0 octets are there, or MALFORMED.  *ret_used
 * is what it took; of a malformed piece the longest part that could have begun a
 * character, at least one octet, so that one U+FFFD stands for it. */
static uint32_t decode_utf8(const char *src, size_t len, size_t *ret_used)
{
    const unsigned char *octets = (const unsigned char *)src;
    size_t need = announced_len(octets[0]);
    *ret_used = 1;
    if (need == 0)
        return MALFORMED;
    if (need == 1)
        return octets[0];
    uint32_t code = octets[0] & (0x7fu >> need);
    for (size_t i = 1; i < need; i++) {
        if (i == len)
            return MALFORMED;
        bool valid = i == 1 ? is_valid_second(octets[0], octets[1]) : is_continuation(octets[i]);
        if (!valid)
            return MALFORMED;
        code = code << 6 | (octets[i] & 0x3fu);
        *ret_used = i + 1;
    }
    return code;
}

/* The same for UTF-16. */
static uint32_t decode_utf16(const char16_t *src, size_t len, size_t *ret_used)
{
    *ret_used = 1;
    uint32_t unit = src[0];
    if (unit < 0xd800 || unit > 0xdfff)
        return unit;
    if (unit > 0xdbff || len < 2 || src[1] < 0xdc00 || src[1] > 0xdfff)
        return MALFORMED;
    *ret_used = 2;
    return 0x10000u + ((unit - 0xd800u) << 10) + (src[1] - 0xdc00u);
}

static size_t encode_utf16(uint32_t code, char16_t units[2])
{
    if (code < 0x10000) {
        units[0] = (char16_t)code;
        return 1;
    }
    units[0] = (char16_t)(0xd800 + ((code - 0x10000) >> 10));
    units[1] = (char16_t)(0xdc00 + ((code - 0x10000) & 0x3ff));
    return 2;
}

static size_t encode_utf8(uint32_t code, char octets[4])
{
    if (code < 0x80) {
        octets[0] = (char)code;
        return 1;
    }
    size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--) {
        octets[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    octets[0] = (char)(lead[len] | code);
    return len;
}

ssize_t utf16_from_utf8(const char *src, size_t src_len, char16_t *dst, size_t dst_len,
                        enum utf_policy policy)
{
    size_t total = 0;
    while (src_len > 0) {
        size_t used;
        uint32_t code = decode_utf8(src, src_len, &used);
        if (code == MALFORMED) {
            if (policy == UTF_STRICT)
                return -1;
            code = REPLACEMENT;
        }
        char16_t units[2];
        size_t count = encode_utf16(code, units);
        if (dst_len >= count)
            for (size_t i = 0; i < count; i++)
                *dst++ = units[i];
        /* Once a character did not fit nothing after it may be written. */
        dst_len = dst_len >= count ? dst_len - count : 0;
        total += count;
        src += used;
        src_len -= used;
    }
    return (ssize_t)total;
}

ssize_t utf16_to_utf8(const char16_t *src, size_t src_len, char *dst, size_t dst_len,
                      enum utf_policy policy)
{
    size_t total = 0;
    while (src_len > 0) {
        size_t used;
        uint32_t code = decode_utf16(src, src_len, &used);
        if (code == MALFORMED) {
            if (policy == UTF_STRICT)
                return -1;
            code = REPLACEMENT;
        }
        char octets[4];
        size_t count = encode_utf8(code, octets);
        if (dst_len >= count)
            for (size_t i = 0; i < count; i++)
                *dst++ = octets[i];
        dst_len = dst_len >= count ? dst_len - count : 0;
        total += count;
        src += used;
        src_len -= used;
    }
    return (ssize_t)total;
}
