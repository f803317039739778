/* SPDX-License-Identifier: MIT */
/* utf16.h - between UTF-8, which this system speaks, and UTF-16 in native byte
 * order, which RPC_WSTR and IDL wchar_t are (Unicode chapter 3, tables 3-5 to 3-7).
 * Pure functions; no allocation. */
#ifndef PENSTOCK_BASE_UTF16_H
#define PENSTOCK_BASE_UTF16_H

#include <stddef.h>
#include <sys/types.h>
#include <uchar.h>

/* What to do with input that is not well formed: surrogates without a partner,
 * overlong or cut sequences, values above U+10FFFF. */
enum utf_policy {
    UTF_STRICT, /* fail                                                       */
    UTF_REPLACE /* write U+FFFD for each such piece; for showing, not for use */
};

/* Both convert `src_len` units and return the number of units the whole result
 * needs, or -1 for malformed input (UTF_STRICT).  At most `dst_len` units are
 * written, whole characters only; more was needed when the result is larger than
 * `dst_len`.  With dst_len 0 they only measure; `dst` may then be NULL.  No NUL is
 * added, a NUL in the input is a character like any other. */
ssize_t utf16_from_utf8(const char *src, size_t src_len, char16_t *dst, size_t dst_len,
                        enum utf_policy policy);
ssize_t utf16_to_utf8(const char16_t *src, size_t src_len, char *dst, size_t dst_len,
                      enum utf_policy policy);

#endif
