/* SPDX-License-Identifier: MIT */
/* samples.c - see samples.h. */
#include "samples.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "rpc.h"
#include "values.h"

/* ---- Memory ------------------------------------------------------------------- */

static atomic_long live, countdown = -1;
static atomic_bool has_failed;

void memory_fail_at(long nth)
{
    has_failed = false;
    countdown = nth;
}

bool memory_has_failed(void)
{
    return has_failed;
}

long memory_live(void)
{
    return live;
}

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    if (countdown >= 0 && atomic_fetch_sub(&countdown, 1) == 0) {
        has_failed = true;
        return NULL;
    }
    void *object = malloc(size);
    if (object) {
        live++;
        memset(object, 0xa5, size); /* nobody may count on zeros */
    }
    return object;
}

void __RPC_USER MIDL_user_free(void *object)
{
    if (object)
        live--;
    free(object);
}

void *sample_allocate(size_t size)
{
    void *object = midl_user_allocate(size > 0 ? size : 1);
    if (!object)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    return memset(object, 0, size);
}

/* ---- Strings -------------------------------------------------------------------- */

/* Lengths around multiples of four, where gaps begin and end. */
static size_t sample_len(uint32_t seed)
{
    return seed % 11;
}

unsigned char *sample_string(uint32_t seed)
{
    size_t len = sample_len(seed);
    unsigned char *s = sample_allocate(len + 1);
    for (size_t i = 0; i < len; i++)
        s[i] = (unsigned char)(1 + (seed * 7 + i * 13) % 255);
    return s;
}

WCHAR *sample_wide(uint32_t seed)
{
    size_t len = sample_len(seed + 3);
    WCHAR *s = sample_allocate((len + 1) * sizeof(*s));
    for (size_t i = 0; i < len; i++)
        s[i] = (WCHAR)(0x100u * (1 + (seed + i) % 255)); /* low octets are zero */
    return s;
}

size_t wide_len(const WCHAR *s)
{
    size_t len = 0;
    while (s[len] != 0)
        len++;
    return len;
}

bool wide_equal(const WCHAR *a, const WCHAR *b)
{
    size_t len = wide_len(a);
    return wide_len(b) == len && memcmp(a, b, len * sizeof(*a)) == 0;
}

unsigned char *reversed(const unsigned char *s)
{
    if (!s)
        return NULL;
    size_t len = strlen((const char *)s);
    unsigned char *back = sample_allocate(len + 1);
    for (size_t i = 0; i < len; i++)
        back[i] = s[len - 1 - i];
    return back;
}

WCHAR *wide_reversed(const WCHAR *s)
{
    if (!s)
        return NULL;
    size_t len = wide_len(s);
    WCHAR *back = sample_allocate((len + 1) * sizeof(*back));
    for (size_t i = 0; i < len; i++)
        back[i] = s[len - 1 - i];
    return back;
}

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

/* ---- Structures of fixed layout ---------------------------------------------------- */

SHARED_POINT sample_Flat(uint32_t seed)
{
    return (SHARED_POINT){.x = VALUE(long_values, seed), .y = (int32_t)seed};
}

bool equal_Flat(const SHARED_POINT *value, uint32_t seed)
{
    SHARED_POINT s = sample_Flat(seed);
    return value->x == s.x && value->y == s.y;
}

TAIL sample_Tail(uint32_t seed)
{
    return (TAIL){.a = VALUE(long_values, seed + 1), .b = (byte)seed};
}

bool equal_Tail(const TAIL *value, uint32_t seed)
{
    TAIL s = sample_Tail(seed);
    return value->a == s.a && value->b == s.b;
}

PADDED sample_Padded(uint32_t seed)
{
    return (PADDED){.a = (byte)seed,
                    .b = VALUE(hyper_values, seed),
                    .c = VALUE(short_values, seed),
                    .d = VALUE(double_values, seed),
                    .e = (byte)~seed};
}

bool equal_Padded(const PADDED *value, uint32_t seed)
{
    PADDED s = sample_Padded(seed);
    return value->a == s.a && value->b == s.b && value->c == s.c &&
           memcmp(&value->d, &s.d, sizeof(s.d)) == 0 && value->e == s.e;
}

NESTED sample_Nested(uint32_t seed)
{
    NESTED s = {.first = (byte)(seed + 1),
                .padded = sample_Padded(seed + 1),
                .colour = VALUE(colour_values, seed),
                .wide = VALUE(wide_values, seed),
                .pointer = VALUE(int3264_values, seed),
                .unsigned_pointer = VALUE(uint3264_values, seed),
                .yes = VALUE(boolean_values, seed),
                .last = VALUE(signed_char_values, seed)};
    struct RT_INNER *inner[] = {&s.one, &s.many[0], &s.many[1]};
    for (uint32_t i = 0; i < 3; i++) {
        s.tails[i] = sample_Tail(seed + i);
        s.letters[i] = VALUE(wchar_values, seed + i);
        inner[i]->x = VALUE(short_values, seed + i);
        inner[i]->at = sample_Flat(seed + i);
        inner[i]->when = VALUE(hyper_values, seed + 2 * i);
    }
    for (uint32_t i = 0; i < 2; i++) {
        s.colours[i] = VALUE(colour_values, seed + 1 + i);
        for (uint32_t k = 0; k < 2; k++)
            s.f[i][k] = VALUE(float_values, seed + 2 * i + k);
    }
    return s;
}

static bool equal_inner(const struct RT_INNER *value, uint32_t seed, uint32_t i)
{
    return value->x == VALUE(short_values, seed + i) && equal_Flat(&value->at, seed + i) &&
           value->when == VALUE(hyper_values, seed + 2 * i);
}

bool equal_Nested(const NESTED *value, uint32_t seed)
{
    NESTED s = sample_Nested(seed);
    bool equal = value->first == s.first && equal_Padded(&value->padded, seed + 1) &&
                 value->colour == s.colour && value->wide == s.wide &&
                 value->pointer == s.pointer && value->unsigned_pointer == s.unsigned_pointer &&
                 value->yes == s.yes && value->last == s.last &&
                 equal_inner(&value->one, seed, 0);
    for (uint32_t i = 0; i < 3; i++)
        equal = equal && equal_Tail(&value->tails[i], seed + i);
    for (uint32_t i = 0; i < 2; i++)
        equal = equal && equal_inner(&value->many[i], seed, i + 1);
    return equal && memcmp(value->letters, s.letters, sizeof(s.letters)) == 0 &&
           memcmp(value->colours, s.colours, sizeof(s.colours)) == 0 &&
           memcmp(value->f, s.f, sizeof(s.f)) == 0;
}

/* ---- Structures with pointers --------------------------------------------------------- */

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

/* ---- Lists ---------------------------------------------------------------------------- */

NODE *list_new(uint32_t count)
{
    NODE *list = NULL;
    while (count-- > 0) {
        NODE *node = sample_allocate(sizeof(*node));
        *node = (NODE){.next = list, .value = (int32_t)count};
        list = node;
    }
    return list;
}

bool list_is(const NODE *list, int32_t from, int32_t step, uint32_t count)
{
    for (; list && count > 0; list = list->next, count--, from += step)
        if (list->value != from)
            return false;
    return !list && count == 0;
}

void list_free(NODE *list)
{
    while (list) {
        NODE *next = list->next;
        midl_user_free(list);
        list = next;
    }
}
