/* SPDX-License-Identifier: MIT */
/* uuid.h - UUIDs as values and as text (C706 appendix A).  Not here: their form on
 * the wire, which is a matter of wire/ and ndr/.  Pure functions. */
#ifndef PENSTOCK_BASE_UUID_H
#define PENSTOCK_BASE_UUID_H

#include <stdbool.h>
#include <stddef.h>

#include <penstock/rpctypes.h>

#define UUID_TEXT_LEN 36 /* 8-4-4-4-12 hexadecimal digits and 4 hyphens, without NUL */

/* Reads exactly UUID_TEXT_LEN characters, either case, no braces; `len` is the length
 * of `text`.  False, and *ret_uuid untouched, when it is anything else. */
bool uuid_parse(const char *text, size_t len, UUID *ret_uuid);

/* Writes the text in lower case, with a NUL. */
void uuid_format(const UUID *uuid, char ret_text[UUID_TEXT_LEN + 1]);

bool uuid_equal(const UUID *a, const UUID *b);
bool uuid_is_nil(const UUID *uuid);

/* -1, 0 or 1: numeric order of Data1, Data2, Data3, then of the octets of Data4. */
int uuid_compare(const UUID *a, const UUID *b);

#endif
