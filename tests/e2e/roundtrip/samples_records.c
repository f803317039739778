/* SPDX-License-Identifier: MIT */
/* samples_records.c - structures with pointers: strings, arrays and structures behind them,
 * NULL or not; see samples.h. */
#include "samples.h"

#include <stdlib.h>
#include <string.h>

#include "rpc.h"
#include "values.h"

static bool string_is(const unsigned char *s, uint32_t seed)
{
    unsigned char *wanted = sample_string(seed);
    bool equal = s && strcmp((const char *)s, (const char *)wanted) == 0;
    midl_user_free(wanted);
    return equal;
}

static bool wide_is(const WCHAR *s, uint32_t seed)
{
    WCHAR *wanted = sample_wide(seed);
    bool equal = s && wide_equal(s, wanted);
    midl_user_free(wanted);
    return equal;
}

/* Which pointers of a record are NULL follows from its seed: over seeds 0 to 31 each is
 * and is not, and so in many combinations. */
#define HAS(seed, bit) (((seed) >> (bit)&1) != 0)
#define RECORDS_MAX 3u

static uint32_t rows_of(uint32_t seed)
{
    return seed % 4;
}

static uint32_t count_of(uint32_t seed)
{
    return seed / 3 % 4;
}

static uint32_t size_of(uint32_t seed)
{
    return seed * 5 % 9;
}

static void blob_fill(BLOB *blob, uint32_t seed)
{
    blob->size = size_of(seed);
    if (blob->size == 0 && HAS(seed, 0))
        return; /* nothing, without an array of nothing */
    blob->data = sample_allocate(blob->size);
    for (uint32_t i = 0; i < blob->size; i++)
        blob->data[i] = octet(seed + i);
}

static bool blob_equal(const BLOB *blob, uint32_t seed, byte changed)
{
    uint32_t size = size_of(seed);
    if (blob->size != size || (blob->data != NULL) != (size > 0 || !HAS(seed, 0)))
        return false;
    for (uint32_t i = 0; i < size; i++)
        if (blob->data[i] != (octet(seed + i) ^ changed))
            return false;
    return true;
}

static void record_fill_arrays(RECORD *record, uint32_t seed)
{
    record->rows = (uint16_t)(rows_of(seed) + 1);
    record->extra = -1;
    record->padded = sample_allocate(rows_of(seed) * sizeof(PADDED));
    for (uint32_t i = 0; i < rows_of(seed); i++)
        record->padded[i] = sample_Padded(seed + i);
    record->count = count_of(seed);
    record->strings = sample_allocate(record->count * sizeof(RT_STR));
    record->blobs = sample_allocate(record->count * sizeof(BLOB));
    for (uint32_t i = 0; i < record->count; i++) {
        if (!HAS(seed + i, 1))
            record->strings[i] = sample_string(seed + i);
        blob_fill(&record->blobs[i], seed + i);
    }
}

static void record_fill_one(RECORD *record, uint32_t seed)
{
    record->odd = (byte)seed;
    memcpy(record->label, "abcdefg", seed % sizeof(record->label));
    record->value = sample_allocate(sizeof(int32_t));
    *record->value = VALUE(long_values, seed);
    if (HAS(seed, 0))
        record->name = sample_string(seed);
    if (HAS(seed, 1))
        record->wide = sample_wide(seed);
    if (HAS(seed, 2)) {
        record->tail = sample_allocate(sizeof(TAIL));
        *record->tail = sample_Tail(seed);
    }
    if (HAS(seed, 3)) {
        record->deep = sample_allocate(sizeof(int32_t *));
        if (HAS(seed, 4)) {
            *record->deep = sample_allocate(sizeof(int32_t));
            **record->deep = (int32_t)seed;
        }
    }
    if (HAS(seed, 4)) {
        record->colour = sample_allocate(sizeof(RT_COLOUR));
        *record->colour = VALUE(colour_values, seed);
    }
    blob_fill(&record->blob, seed);
    record_fill_arrays(record, seed);
}

void record_fill(RECORD *record, uint32_t seed)
{
    for (uint32_t i = 0;; i++) {
        record_fill_one(record, seed + i);
        if (i == seed % RECORDS_MAX)
            return;
        record->next = sample_allocate(sizeof(*record));
        record = record->next;
    }
}

/* Of a string only the letters change, and none becomes the terminator. */
static void string_change(unsigned char *s)
{
    for (; s && *s; s++)
        *s = (unsigned char)(256 - *s);
}

static void wide_change(WCHAR *s)
{
    for (; s && *s; s++)
        *s = (WCHAR)(0x10000 - *s);
}

static void blob_change(BLOB *blob)
{
    for (uint32_t i = 0; i < blob->size; i++)
        blob->data[i] ^= 0xff;
}

static void record_change_one(RECORD *record)
{
    record->odd ^= 0xff;
    string_change(record->label);
    *record->value = ~*record->value;
    string_change(record->name);
    wide_change(record->wide);
    if (record->tail)
        record->tail->a = ~record->tail->a;
    if (record->deep && *record->deep)
        **record->deep = ~**record->deep;
    if (record->colour)
        *record->colour = (RT_COLOUR)(RT_LAST - *record->colour);
    blob_change(&record->blob);
    for (int32_t i = 0; i < record->rows + record->extra; i++)
        record->padded[i].b = ~record->padded[i].b;
    for (uint32_t i = 0; i < record->count; i++) {
        string_change(record->strings[i]);
        blob_change(&record->blobs[i]);
    }
}

void record_change(RECORD *record)
{
    for (; record; record = record->next)
        record_change_one(record);
}

/* Compares by making another; `changed` tells what became of strings. */
static bool strings_equal(const unsigned char *s, uint32_t seed, bool changed)
{
    if (!changed)
        return string_is(s, seed);
    if (!s)
        return false;
    unsigned char *wanted = sample_string(seed);
    string_change(wanted);
    bool equal = strcmp((const char *)s, (const char *)wanted) == 0;
    midl_user_free(wanted);
    return equal;
}

static bool wides_equal(const WCHAR *s, uint32_t seed, bool changed)
{
    if (!changed)
        return wide_is(s, seed);
    if (!s)
        return false;
    WCHAR *wanted = sample_wide(seed);
    wide_change(wanted);
    bool equal = wide_equal(s, wanted);
    midl_user_free(wanted);
    return equal;
}

static bool arrays_equal(const RECORD *record, uint32_t seed, bool changed)
{
    if (record->rows != rows_of(seed) + 1 || record->extra != -1 || !record->padded ||
        record->count != count_of(seed) || !record->strings || !record->blobs)
        return false;
    for (uint32_t i = 0; i < rows_of(seed); i++) {
        PADDED padded = record->padded[i];
        if (changed)
            padded.b = ~padded.b;
        if (!equal_Padded(&padded, seed + i))
            return false;
    }
    for (uint32_t i = 0; i < record->count; i++) {
        const unsigned char *s = record->strings[i];
        if (HAS(seed + i, 1) ? s != NULL : !strings_equal(s, seed + i, changed))
            return false;
        if (!blob_equal(&record->blobs[i], seed + i, changed ? 0xff : 0))
            return false;
    }
    return true;
}

static bool label_equal(const RECORD *record, uint32_t seed, bool changed)
{
    unsigned char label[sizeof(record->label)] = {0};
    memcpy(label, "abcdefg", seed % sizeof(label));
    if (changed)
        string_change(label);
    return strncmp((const char *)label, (const char *)record->label, sizeof(label)) == 0;
}

static bool optional_equal(const RECORD *record, uint32_t seed, bool changed)
{
    int32_t mask = changed ? -1 : 0;
    if ((record->name != NULL) != HAS(seed, 0) || (record->wide != NULL) != HAS(seed, 1) ||
        (record->tail != NULL) != HAS(seed, 2) || (record->deep != NULL) != HAS(seed, 3) ||
        (record->colour != NULL) != HAS(seed, 4))
        return false;
    if (record->name && !strings_equal(record->name, seed, changed))
        return false;
    if (record->wide && !wides_equal(record->wide, seed, changed))
        return false;
    if (record->tail) {
        TAIL tail = {.a = record->tail->a ^ mask, .b = record->tail->b};
        if (!equal_Tail(&tail, seed))
            return false;
    }
    if (record->deep && ((*record->deep != NULL) != HAS(seed, 4) ||
                         (*record->deep && **record->deep != ((int32_t)seed ^ mask))))
        return false;
    RT_COLOUR colour = VALUE(colour_values, seed);
    return !record->colour ||
           *record->colour == (changed ? (RT_COLOUR)(RT_LAST - colour) : colour);
}

static bool record_equal_one(const RECORD *record, uint32_t seed, bool changed)
{
    int32_t mask = changed ? -1 : 0;
    return record->odd == (byte)((int32_t)seed ^ mask) && label_equal(record, seed, changed) &&
           record->value && *record->value == (VALUE(long_values, seed) ^ mask) &&
           optional_equal(record, seed, changed) &&
           blob_equal(&record->blob, seed, changed ? 0xff : 0) &&
           arrays_equal(record, seed, changed);
}

bool record_equal(const RECORD *record, uint32_t seed, bool changed)
{
    for (uint32_t i = 0; record; i++, record = record->next) {
        if (!record_equal_one(record, seed + i, changed))
            return false;
        if (i == seed % RECORDS_MAX)
            return !record->next;
    }
    return false;
}

static void record_clear_one(RECORD *record)
{
    for (uint32_t i = 0; i < record->count; i++) {
        if (record->strings)
            midl_user_free(record->strings[i]);
        if (record->blobs)
            midl_user_free(record->blobs[i].data);
    }
    if (record->deep)
        midl_user_free(*record->deep);
    midl_user_free(record->deep);
    midl_user_free(record->strings);
    midl_user_free(record->blobs);
    midl_user_free(record->blob.data);
    midl_user_free(record->name);
    midl_user_free(record->wide);
    midl_user_free(record->tail);
    midl_user_free(record->padded);
    midl_user_free(record->value);
    midl_user_free(record->colour);
}

void record_clear(RECORD *record)
{
    RECORD *next = record->next;
    record_clear_one(record);
    memset(record, 0, sizeof(*record));
    while (next) {
        record = next;
        next = record->next;
        record_clear_one(record);
        midl_user_free(record);
    }
}
