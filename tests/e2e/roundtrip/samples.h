/* SPDX-License-Identifier: MIT */
/* samples.h - structured values made from a seed: the sender makes one, the receiver
 * makes it again to compare.  Also the memory both programs give the stubs, which is
 * counted and fails on demand. */
#ifndef ROUNDTRIP_SAMPLES_H
#define ROUNDTRIP_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "roundtrip.h"

/* ---- Memory ------------------------------------------------------------------- */

/* The nth allocation from now fails, 0 the next one; negative: none. */
void memory_fail_at(long nth);
/* Has one failed since memory_fail_at()? */
bool memory_has_failed(void);
/* Objects allocated and not freed. */
long memory_live(void);
/* Octets one sample_allocate() gives at most: managers make as much as a request says, and a
 * damaged one may say anything. */
extern size_t sample_size_max;
/* Zeroed memory of midl_user_allocate; raises RPC_S_OUT_OF_MEMORY. */
void *sample_allocate(size_t size);

/* ---- Strings -------------------------------------------------------------------- */

/* These two raise as sample_allocate does. */
unsigned char *sample_string(uint32_t seed);
WCHAR *sample_wide(uint32_t seed);
size_t wide_len(const WCHAR *s);
bool wide_equal(const WCHAR *a, const WCHAR *b);
/* A copy back to front; NULL of NULL. */
unsigned char *reversed(const unsigned char *s);
WCHAR *wide_reversed(const WCHAR *s);

/* ---- Structures of fixed layout: STRUCT() of roundtrip.idl -------------------------- */

#define STRUCT_TYPES(X)                                                                            \
    X(Flat, SHARED_POINT)                                                                          \
    X(Tail, TAIL)                                                                                  \
    X(Padded, PADDED)                                                                              \
    X(Nested, NESTED)

#define SAMPLE_DECLARATION(name, type)                                                             \
    type sample_##name(uint32_t seed);                                                             \
    bool equal_##name(const type *value, uint32_t seed);
STRUCT_TYPES(SAMPLE_DECLARATION)

/* ---- Structures with pointers --------------------------------------------------------- */

/* Fills *record, which is zero: what is allocated when this raises can be freed. */
void record_fill(RECORD *record, uint32_t seed);
/* Changes every value and no size. */
void record_change(RECORD *record);
/* Is it that of the seed, after record_change() if `changed`? */
bool record_equal(const RECORD *record, uint32_t seed, bool changed);
/* Frees what it points to; what there is of it. */
void record_clear(RECORD *record);

/* Values 0, 1 ... (count - 1). */
NODE *list_new(uint32_t count);
bool list_is(const NODE *list, int32_t from, int32_t step, uint32_t count);
void list_free(NODE *list);

/* Octet i of a long array. */
static inline byte octet(size_t i)
{
    return (byte)(i % 251 ^ i >> 12);
}

#endif
