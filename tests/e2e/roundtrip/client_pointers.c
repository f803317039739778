/* SPDX-License-Identifier: MIT */
/* client_pointers.c - pointers of every class, inside structures and behind each other. */
#include "client.h"

static bool unique(void)
{
    for (uint32_t mask = 0; mask < 8; mask++) {
        int32_t n = 4711;
        int64_t both = 0x123456789abcdef0;
        TAIL tail = sample_Tail(5);
        uint32_t seen = 99;
        RtUnique(server, mask & 1 ? &n : NULL, mask & 2 ? &both : NULL, mask & 4 ? &tail : NULL,
                 &seen);
        CHECK_EQUAL(seen, mask);
        CHECK_EQUAL(both, mask & 2 ? ~0x123456789abcdef0 : 0x123456789abcdef0);
    }
    return true;
}

/* test_roundtrip.py knows the octets of it. */
static bool unique_octets(void)
{
    int32_t n = 4711;
    int64_t both = 0x0102030405060708;
    TAIL tail = sample_Tail(5);
    uint32_t seen;
    RtUnique(server, &n, &both, &tail, &seen);
    RtUnique(server, NULL, &both, NULL, &seen);
    CHECK_EQUAL(seen, 2);
    return true;
}

static bool records(void)
{
    for (uint32_t seed = 0; seed < 32; seed++) {
        RECORD in = {0}, out, both = {0};
        record_fill(&in, seed);
        record_fill(&both, seed + 1);
        int32_t *value = seed % 2 ? sample_allocate(sizeof(*value)) : NULL;
        record_is_out(&out, value);
        RtRecord(server, seed, &in, &out, &both);
        CHECK(out.value && (!value || out.value == value));
        CHECK(record_equal(&in, seed, false));
        CHECK(record_equal(&out, seed + 2, false));
        CHECK(record_equal(&both, seed + 1, true));
        record_clear(&in);
        record_clear(&out);
        record_clear(&both);
    }
    return true;
}

static bool record_results(void)
{
    CHECK(!RtRecordResult(server, 0, 1));
    for (uint32_t seed = 0; seed < 6; seed++) {
        RECORD *record = RtRecordResult(server, seed, 0);
        CHECK(record_equal(record, seed, false));
        record_clear(record);
        midl_user_free(record);
    }
    return true;
}

/* Pointer defaults of an imported file: is_ref has no NULL. */
static bool imported_pointers(void)
{
    int32_t n = 7, m = 8;
    SHARED_REF both = {.tag = 9, .is_ref = &n, .is_unique = &m};
    RtSharedRef(server, &both);
    CHECK_EQUAL(n, ~7);
    CHECK(both.is_ref == &n && !both.is_unique);
    RtSharedRef(server, &both);
    CHECK_EQUAL(n, 7);
    CHECK(both.is_unique && *both.is_unique == 9);
    midl_user_free(both.is_unique);
    both.is_ref = NULL;
    CHECK_RAISES(RPC_X_NULL_REF_POINTER, RtSharedRef(server, &both));
    return true;
}

static bool pointers_to_pointers(void)
{
    for (uint32_t mask = 0; mask < 8; mask++) {
        int32_t three = 3, *p = &three, *null = NULL, *n = mask & 1 ? &three : NULL, *out;
        int32_t **deep = mask & 2 ? &p : mask & 4 ? &null : NULL, **deep_out;
        GARBAGE(out);
        GARBAGE(deep_out);
        RtPointerToPointer(server, &n, &deep, &out, &deep_out);
        CHECK(n ? out && *out == ~3 : !out);
        CHECK((deep_out != NULL) == (deep != NULL));
        if (deep) {
            CHECK(*deep ? *deep_out && **deep_out == ~3 : !*deep_out);
            midl_user_free(*deep_out);
        }
        midl_user_free(deep_out);
        midl_user_free(out);
    }
    return true;
}

static bool null_ref_pointers(void)
{
    int32_t n = 20, m = 22, sum;
    uint32_t seen;
    RECORD record = {0}, out;
    RtRef(server, &n, &m, &sum);
    CHECK_EQUAL(sum, 42);
    CHECK_RAISES(RPC_X_NULL_REF_POINTER, RtRef(server, NULL, &m, &sum));
    CHECK_RAISES(RPC_X_NULL_REF_POINTER, RtRef(server, &n, NULL, &sum));
    CHECK_RAISES(RPC_X_NULL_REF_POINTER, RtRef(server, &n, &m, NULL));
    CHECK_RAISES(RPC_X_NULL_REF_POINTER, RtUnique(server, NULL, NULL, NULL, NULL));
    CHECK_RAISES(RPC_X_NULL_REF_POINTER, RtShorten(server, NULL));
    CHECK_RAISES(RPC_X_NULL_REF_POINTER, RtBigBoth(server, 5, NULL));
    CHECK_RAISES(RPC_X_NULL_REF_POINTER, RtBigOut(server, 5, NULL));
    CHECK_RAISES(RPC_X_NULL_REF_POINTER, RtRecord(server, 0, &record, &out, &record));
    RtUnique(server, NULL, NULL, NULL, &seen);
    CHECK_EQUAL(seen, 0);
    return true;
}

static bool lists(void)
{
    static const uint32_t counts[] = {0, 1, 2, 5, 5000};
    for (size_t k = 0; k < COUNT_OF(counts); k++) {
        uint32_t n = counts[k];
        NODE *list = list_new(n), *both = list_new(n), *back, *last;
        GARBAGE(back);
        for (last = both; last && last->next; last = last->next)
            ;
        RtList(server, list, &back, &both);
        CHECK(list_is(list, 0, 1, n));
        CHECK(list_is(back, (int32_t)n - 1, -1, n));
        CHECK(list_is(both, 1, 1, n > 0 ? n - 1 : 0));
        list_free(list);
        list_free(back);
        list_free(both);
        midl_user_free(last); /* cut off the end of `both`, where the values moved up */
    }
    return true;
}

/* A list longer than anyone would walk recursively is not sent, let alone a ring. */
static bool endless_list(void)
{
    NODE ring = {.next = &ring, .value = 1}, *back, *none = NULL;
    CHECK_RAISES(RPC_S_OUT_OF_RESOURCES, RtList(server, &ring, &back, &none));
    return true;
}

static bool mutual_recursion(void)
{
    for (int32_t depth = 0; depth < 10; depth++) {
        LEFT lefts[10] = {{0}};
        RIGHT rights[10] = {{0}}, *right;
        for (int32_t i = 0; i < 10; i++) {
            lefts[i] = (LEFT){.right = i < depth ? &rights[i] : NULL, .n = i};
            rights[i] = (RIGHT){.left = i < 9 ? &lefts[i + 1] : NULL, .n = i};
        }
        RtMutual(server, &lefts[0], &right);
        CHECK(right && right->left && !right->left->right);
        CHECK_EQUAL(right->n, depth);
        CHECK_EQUAL(right->left->n, -depth);
        midl_user_free(right->left);
        midl_user_free(right);
    }
    return true;
}

/* Memory an [in,out] structure points to is written in place, and never beyond the size
 * it had. */
static bool in_out_blob(void)
{
    byte *data = sample_allocate(10), small_data[2] = {octet(0), octet(1)};
    BLOB blob = {.size = 10, .data = data};
    for (uint32_t i = 0; i < 10; i++)
        data[i] = octet(i);
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtBlob(server, 11, &blob));
    CHECK(blob.data == data);
    blob.size = 10;
    RtBlob(server, 10, &blob);
    CHECK(blob.size == 10 && blob.data == data && data[9] == octet(10));
    for (uint32_t i = 0; i < 10; i++)
        data[i] = octet(i);
    RtBlob(server, 4, &blob);
    CHECK(blob.size == 4 && blob.data == data && data[3] == octet(4) && data[4] == octet(4));
    blob = (BLOB){.size = 2, .data = small_data};
    RtBlob(server, 0, &blob);
    CHECK(blob.size == 0 && !blob.data);
    RtBlob(server, 5, &blob);
    CHECK(blob.size == 5 && blob.data && blob.data[4] == octet(5));
    midl_user_free(blob.data);
    midl_user_free(data);
    return true;
}

static bool blobs(void)
{
    byte data[100];
    BLOB many[50];
    uint32_t wanted = 0, sum;
    for (uint32_t i = 0; i < 100; i++)
        data[i] = octet(i);
    for (uint32_t i = 0; i < 50; i++) {
        many[i] = (BLOB){.size = i, .data = i > 0 ? data : NULL};
        for (uint32_t k = 0; k < i; k++)
            wanted += data[k];
    }
    RtBlobs(server, 50, many, &sum);
    CHECK_EQUAL(sum, wanted);
    RtBlobs(server, 0, many, &sum);
    CHECK_EQUAL(sum, 0);
    return true;
}

/* test_roundtrip.py knows the octets of it. */
static bool blob_octets(void)
{
    byte data[] = {1, 2, 3};
    BLOB many[3] = {{.size = 3, .data = data}, {.size = 0}, {.size = 1, .data = data}};
    uint32_t sum;
    RtBlobs(server, 3, many, &sum);
    CHECK_EQUAL(sum, 7);
    return true;
}

/* ---- Pointers in arrays ------------------------------------------------------------------ */

#define HOLDER_MAX 5

/* What holder number `i` points to. */
struct holder_memory {
    SHARED_POINT point;
    byte octets[5];
    WCHAR text[8];
    int64_t numbers[4];
    RT_COLOUR colours[RT_DEPTH];
    int32_t ref, unique;
};

static HOLDER holder_make(struct holder_memory *m, int i)
{
    *m = (struct holder_memory){.point = sample_Flat((uint32_t)i),
                                .octets = {1, 2, 3, 4, (byte)i},
                                .text = {'t', (WCHAR)(0x100 + i), 0},
                                .numbers = {i, -1, INT64_MIN, INT64_MAX},
                                .colours = {RT_LAST, RT_GREEN},
                                .ref = i,
                                .unique = -i};
    return (HOLDER){.points = {i % 2 ? &m->point : NULL, &m->point},
                    .blobs = {{.size = 0}, {.size = (uint32_t)i, .data = i ? m->octets : NULL}},
                    .capacity = (int16_t)(i % 3 ? 3 + i : 0),
                    .text = i % 3 ? m->text : NULL,
                    .last = (small)(i - 1),
                    .numbers = m->numbers,
                    .colours = m->colours,
                    .ref = {.tag = (byte)i, .is_ref = &m->ref,
                            .is_unique = i % 2 ? &m->unique : NULL}};
}

/* [unique] pointers hold anything in [out] memory, [ref] pointers do not. */
static void holder_is_out(HOLDER *out)
{
    GARBAGE(*out);
    out->ref.is_ref = NULL;
}

static bool holder_check(const HOLDER *out, int i)
{
    struct holder_memory m;
    const HOLDER in = holder_make(&m, i);
    for (int k = 0; k < 2; k++) {
        CHECK((out->points[k] != NULL) == (in.points[1 - k] != NULL));
        CHECK(!out->points[k] || equal_Flat(out->points[k], (uint32_t)i));
    }
    CHECK(out->blobs[0].size == (uint32_t)i && (out->blobs[0].data != NULL) == (i > 0));
    CHECK(i == 0 || memcmp(out->blobs[0].data, m.octets, (size_t)i) == 0);
    CHECK(out->blobs[1].size == 0 && !out->blobs[1].data);
    CHECK(out->capacity == in.capacity && (out->text != NULL) == (in.text != NULL));
    CHECK(!out->text || wide_equal(out->text, in.text));
    CHECK(out->last == in.last && out->numbers);
    for (int k = 0; k < i; k++)
        CHECK_EQUAL(out->numbers[k], ~in.numbers[k]);
    CHECK(out->colours && memcmp(out->colours, in.colours, sizeof(m.colours)) == 0);
    CHECK(out->ref.tag == i && out->ref.is_ref && *out->ref.is_ref == i);
    CHECK((out->ref.is_unique != NULL) == (i % 2 == 1));
    CHECK(!out->ref.is_unique || *out->ref.is_unique == -i);
    return true;
}

static void holder_clear(HOLDER *out)
{
    for (int k = 0; k < 2; k++) {
        midl_user_free(out->points[k]);
        midl_user_free(out->blobs[k].data);
    }
    midl_user_free(out->text);
    midl_user_free(out->numbers);
    midl_user_free(out->colours);
    midl_user_free(out->ref.is_ref);
    midl_user_free(out->ref.is_unique);
}

static bool holders(void)
{
    struct holder_memory memory[HOLDER_MAX];
    HOLDER in[HOLDER_MAX], out[HOLDER_MAX];
    BLOB kept[HOLDER_MAX];
    for (int n = 0; n < HOLDER_MAX; n++) {
        for (int i = 0; i < HOLDER_MAX; i++) {
            in[i] = holder_make(&memory[i], i);
            holder_is_out(&out[i]);
            kept[i] = in[i].blobs[1];
        }
        RtHolder(server, &in[n], &out[0]);
        if (!holder_check(&out[0], n))
            return false;
        holder_clear(&out[0]);
        holder_is_out(&out[0]);
        RtHolders(server, (small)n, in, out, kept);
        for (int i = 0; i < n; i++) {
            CHECK_EQUAL(kept[i].size, i);
            for (int k = 0; k < i; k++)
                CHECK_EQUAL(kept[i].data[k], (k < 4 ? k + 1 : i) ^ 0xff);
            if (!holder_check(&out[i], i))
                return false;
            holder_clear(&out[i]);
        }
    }
    return true;
}

static bool ref_arrays(void)
{
    for (uint32_t n = 0; n < 6; n++) {
        int32_t values[6], *both[6], *out[6] = {NULL};
        for (uint32_t i = 0; i < n; i++) {
            values[i] = (int32_t)i * 1000;
            both[i] = &values[i];
        }
        RtRefs(server, n, both, out);
        for (uint32_t i = 0; i < n; i++) {
            CHECK(both[i] == &values[i] && out[i]);
            CHECK_EQUAL(values[i], i * 2000);
            CHECK_EQUAL(*out[i], i * 3000);
            midl_user_free(out[i]);
        }
        if (n > 0) {
            both[n - 1] = NULL;
            CHECK_RAISES(RPC_X_NULL_REF_POINTER, RtRefs(server, n, both, out));
        }
    }
    return true;
}

static bool in_out_strings(void)
{
    unsigned char same[] = "same", cut[] = "cut this", drop[] = "drop", grow[] = "grow";
    RT_STR strings[] = {same, NULL, cut, drop};
    RtStrings(server, 4, strings);
    CHECK(strings[0] == same && strcmp((char *)same, "same") == 0);
    CHECK(strings[1] && strcmp((char *)strings[1], "made") == 0);
    CHECK(strings[2] == cut && strcmp((char *)cut, "cut") == 0);
    CHECK(!strings[3] && strcmp((char *)drop, "drop") == 0);
    midl_user_free(strings[1]);
    /* More than there was room for: nothing is written past it, pointers stay. */
    strings[1] = grow;
    strings[3] = NULL;
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtStrings(server, 4, strings));
    CHECK(strings[0] == same && strings[1] == grow && strings[2] == cut && !strings[3]);
    CHECK(strcmp((char *)grow, "grow") == 0);
    return true;
}

static bool in_out_unique(void)
{
    unsigned char text[] = "HAL";
    TAIL tails[] = {{1, 2}, {3, 4}, {5, 6}};
    RtMaybe(server, text, 2, tails);
    CHECK(strcmp((char *)text, "IBM") == 0);
    CHECK(tails[0].a == -1 && tails[1].a == -3 && tails[2].a == 5);
    RtMaybe(server, NULL, 0, NULL);
    RtMaybe(server, text, 0, NULL);
    CHECK(strcmp((char *)text, "JCN") == 0);
    RtMaybe(server, NULL, 3, tails);
    CHECK(tails[0].a == 1 && tails[2].a == -5);
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtMaybe(server, NULL, 3, NULL));
    return true;
}

const struct test_case pointer_cases[] = {
    {"unique", unique},
    {"unique_octets", unique_octets},
    {"records", records},
    {"record_results", record_results},
    {"imported_pointers", imported_pointers},
    {"pointers_to_pointers", pointers_to_pointers},
    {"null_ref_pointers", null_ref_pointers},
    {"lists", lists},
    {"endless_list", endless_list},
    {"mutual_recursion", mutual_recursion},
    {"in_out_blob", in_out_blob},
    {"blobs", blobs},
    {"blob_octets", blob_octets},
    {"holders", holders},
    {"ref_arrays", ref_arrays},
    {"in_out_strings", in_out_strings},
    {"in_out_unique", in_out_unique},
    {NULL, NULL},
};
