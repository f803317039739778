/* SPDX-License-Identifier: MIT */
/* client_open.c - varying arrays, structures with an open array at their end, several
 * levels of size_is. */
#include "client.h"

#include "samples_unions.h"

static bool varying_fixed(void)
{
    for (int32_t first = 0; first < RT_CAPACITY; first++) {
        for (int32_t last = first - 1; last < RT_CAPACITY; last++) {
            int32_t v[RT_CAPACITY];
            for (int32_t i = 0; i < RT_CAPACITY; i++)
                v[i] = 100 + i;
            RtVaryFixed(server, first, last, v);
            for (int32_t i = 0; i < RT_CAPACITY; i++)
                CHECK_EQUAL(v[i], i >= first && i <= last ? ~(100 + i) : 100 + i);
        }
    }
    return true;
}

/* What does not fit, in either direction, is refused before anything is sent. */
static bool varying_refused(void)
{
    int32_t v[RT_CAPACITY] = {0}, length = 3;
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtVaryFixed(server, 0, RT_CAPACITY, v));
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtVaryFixed(server, -1, 3, v));
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtVaryFixed(server, 5, 3, v));
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtVaryFixed(server, RT_CAPACITY + 1, RT_CAPACITY, v));
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtVaryOpen(server, 5, 3, &length, v));
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtVaryOpen(server, -1, 0, &length, v));
    length = -1;
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtVaryOpen(server, 5, 0, &length, v));
    return true;
}

static bool varying_open(void)
{
    static const int32_t sizes[] = {0, 1, 2, 7, 1000};
    for (size_t k = 0; k < COUNT_OF(sizes); k++) {
        for (int32_t part = 0; part < 4; part++) {
            int32_t size = sizes[k], first = size * part / 4, length = (size - first + 1) / 2;
            int32_t sent = length, *v = sample_allocate(size * sizeof(*v));
            for (int32_t i = 0; i < size; i++)
                v[i] = 100 + i;
            RtVaryOpen(server, size, first, &length, v);
            CHECK_EQUAL(length, (sent + 1) / 2);
            for (int32_t i = 0; i < size; i++)
                CHECK_EQUAL(v[i], i >= first && i < first + length ? ~(100 + i) : 100 + i);
            midl_user_free(v);
        }
    }
    return true;
}

static bool varying_elements(void)
{
    static const uint32_t sizes[] = {0, 1, 2, 9, 500};
    for (size_t k = 0; k < COUNT_OF(sizes); k++) {
        for (uint32_t part = 0; part < 3; part++) {
            uint32_t size = sizes[k], length = size * part / 2;
            RT_PAIR *in = sample_allocate(size * sizeof(*in));
            RT_PAIR *out = sample_allocate(size * sizeof(*out));
            for (uint32_t i = 0; i < size; i++) {
                in[i] = (RT_PAIR){.a = (int32_t)i, .b = octet(i)};
                out[i] = (RT_PAIR){.a = 77, .b = 78};
            }
            RtVaryTails(server, size, length, in, out);
            for (uint32_t i = 0; i < size; i++) {
                CHECK_EQUAL(out[i].a, i < length ? ~(int32_t)i : 77);
                CHECK_EQUAL(out[i].b, i < length ? (byte)~octet(i) : 78);
            }
            midl_user_free(in);
            midl_user_free(out);
        }
    }
    return true;
}

static bool varying_read(void)
{
    static const uint32_t wants[] = {0, 1, 100, 20000};
    for (size_t k = 0; k < COUNT_OF(wants); k++) {
        for (uint32_t size = 0; size < 20001; size += 2000) {
            uint32_t read = 4711, wanted = wants[k] < size ? wants[k] : size;
            byte *buffer = sample_allocate(size);
            memset(buffer, 0xee, size);
            RtVaryRead(server, wants[k], size, &read, buffer);
            CHECK_EQUAL(read, wanted);
            for (uint32_t i = 0; i < size; i++)
                CHECK_EQUAL(buffer[i], i < read ? octet(i) : 0xee);
            midl_user_free(buffer);
        }
    }
    return true;
}

static bool varying_struct(void)
{
    for (uint32_t size = 0; size < 12; size++) {
        for (uint32_t first = 0; first <= size; first++) {
            RT_VBLOB in = {.size = size, .first = first, .length = (size - first) / 2}, out;
            RT_VNAME name = {.used = (uint16_t)(size % 11)};
            GARBAGE(out);
            in.data = size > 0 ? sample_allocate(size * sizeof(*in.data)) : NULL;
            for (uint32_t i = 0; i < size; i++)
                in.data[i] = (int32_t)(100 + i);
            in.last = (int32_t)first;
            in.texts = sample_allocate((first + 1) * sizeof(*in.texts));
            for (uint32_t i = 0; i <= first; i++)
                in.texts[i] = i % 3 == 2 ? NULL : sample_string(i);
            for (uint16_t i = 0; i < RT_CAPACITY; i++)
                name.name[i] = (WCHAR)(1000 + i);
            uint16_t used = name.used;
            RtVaryStruct(server, &in, &out, &name);

            CHECK_EQUAL(name.used, RT_CAPACITY - used);
            for (uint16_t i = 0; i < name.used; i++)
                CHECK_EQUAL(name.name[i], i < used ? (WCHAR) ~(1000 + i) : 0);
            CHECK(out.size == size && out.first == first && out.length == in.length);
            CHECK((out.data != NULL) == (size > 0));
            for (uint32_t i = first; i < first + out.length; i++)
                CHECK_EQUAL(out.data[i], ~(int32_t)(100 + i));
            CHECK(out.texts);
            for (uint32_t i = 0; i <= first; i++) {
                if (i == first || i % 3 == 2) {
                    CHECK(!out.texts[i]);
                    midl_user_free(in.texts[i]);
                    continue;
                }
                unsigned char *back = reversed(in.texts[i]);
                CHECK(out.texts[i] && strcmp((char *)back, (char *)out.texts[i]) == 0);
                midl_user_free(back);
                midl_user_free(in.texts[i]);
                midl_user_free(out.texts[i]);
            }
            midl_user_free(in.texts);
            midl_user_free(out.texts);
            midl_user_free(in.data);
            midl_user_free(out.data);
        }
    }
    return true;
}

static bool varying_gift(void)
{
    static const int32_t wants[] = {-1, 0, 1, 33, 5000};
    for (size_t k = 0; k < COUNT_OF(wants); k++) {
        int32_t n = 4711;
        int64_t *v;
        GARBAGE(v);
        RtVaryGift(server, wants[k], &n, &v);
        CHECK_EQUAL(n, wants[k] < 0 ? 0 : wants[k]);
        CHECK((v != NULL) == (wants[k] >= 0));
        for (int32_t i = 0; i < n; i++)
            CHECK_EQUAL(v[i], ~(int64_t)i);
        midl_user_free(v);
    }
    return true;
}

static RT_COUNTED *counted_new(uint16_t max, uint16_t used, byte odd)
{
    RT_COUNTED *counted = sample_allocate(sizeof(*counted) + max * sizeof(int64_t));
    *counted = (RT_COUNTED){.max = max, .used = used, .odd = odd};
    for (uint16_t i = 0; i < max; i++)
        counted->numbers[i] = 1000 + i;
    return counted;
}

/* Conformant and varying, at the end of a structure. */
static bool open_counted(void)
{
    static const uint16_t sizes[] = {0, 1, 2, 5, 3000};
    for (size_t k = 0; k < COUNT_OF(sizes); k++) {
        for (uint16_t part = 0; part < 3; part++) {
            uint16_t max = sizes[k], used = (uint16_t)(max * part / 2);
            RT_COUNTED *both = counted_new(max, used, 0x5a), *in = counted_new(max, used, 0xa5);
            RT_COUNTED *out;
            GARBAGE(out);
            RtCounted(server, both, in, &out);
            CHECK(both->max == max && both->odd == 0xa5 && both->used == (used + 1) / 2);
            for (uint16_t i = 0; i < max; i++)
                CHECK_EQUAL(both->numbers[i], i < both->used ? ~(int64_t)(1000 + i) : 1000 + i);
            CHECK(out && out->max == max + 1 && out->used == used && out->odd == 0x77);
            for (uint16_t i = 0; i < used; i++)
                CHECK_EQUAL(out->numbers[i], ~(int64_t)(1000 + i));
            midl_user_free(both);
            midl_user_free(in);
            midl_user_free(out);
        }
    }
    RT_COUNTED *bad = counted_new(3, 4, 0x5a), *in = counted_new(0, 0, 0xa5), *out;
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtCounted(server, bad, in, &out));
    midl_user_free(bad);
    midl_user_free(in);
    return true;
}

static bool open_structs(void)
{
    static const uint32_t lengths[] = {0, 1, 2, 3, 4, 5, 100, 20000};
    for (size_t k = 0; k < COUNT_OF(lengths); k++) {
        uint32_t length = lengths[k];
        RT_TOWER *in = tower_new(length, 1), *both = tower_new(length, 2), *out;
        RT_OUTER *outer = sample_allocate(sizeof(*outer) + length);
        GARBAGE(out);
        outer->flags = 0x1234;
        outer->tower.length = length;
        for (uint32_t i = 0; i < length; i++)
            outer->tower.octets[i] = octet(i + 3);
        RtTower(server, in, &out, both, outer);
        CHECK(tower_equal(in, length, 1));
        CHECK(tower_equal(out, 2 * length, 4));
        CHECK(both->length == length && outer->tower.length == length && outer->flags == 0x4321);
        for (uint32_t i = 0; i < length; i++) {
            CHECK_EQUAL(both->octets[i], (byte)~octet(i + 2));
            CHECK_EQUAL(outer->tower.octets[i], (byte)~octet(i + 3));
        }
        midl_user_free(in);
        midl_user_free(both);
        midl_user_free(outer);
        midl_user_free(out);
        out = RtTowerResult(server, (int32_t)length);
        CHECK(tower_equal(out, length, 5));
        midl_user_free(out);
    }
    CHECK(!RtTowerResult(server, -1));
    return true;
}

static bool open_pointers(void)
{
    for (uint32_t n = 0; n < 40; n = n * 3 + 1) {
        RT_TOWERS *in = sample_allocate(sizeof(*in) + n * sizeof(PRT_TOWER)), *out;
        GARBAGE(out);
        in->when = 0x123456789abcdef0;
        in->count = n;
        for (uint32_t i = 0; i < n; i++)
            in->towers[i] = i % 5 == 2 ? NULL : tower_new(i, i);
        RtTowers(server, in, &out);
        CHECK(out && out->when == ~in->when && out->count == n);
        for (uint32_t i = 0; i < n; i++) {
            RT_TOWER *there = in->towers[i], *back = out->towers[n - 1 - i];
            CHECK((there != NULL) == (back != NULL));
            CHECK(!there || back->length == i);
            for (uint32_t k = 0; there && k < i; k++)
                CHECK_EQUAL(back->octets[k], (byte)~there->octets[k]);
            midl_user_free(there);
            midl_user_free(back);
        }
        midl_user_free(in);
        midl_user_free(out);
    }
    RT_TOWERS *none;
    GARBAGE(none);
    RtTowers(server, NULL, &none);
    CHECK(!none);
    return true;
}

static bool levels(void)
{
    for (uint32_t rows = 0; rows < 12; rows += rows / 3 + 1) {
        for (uint32_t columns = 0; columns < 200; columns = columns * 4 + 1) {
            int32_t *in[12], *out[12], *one;
            GARBAGE(out);
            for (uint32_t i = 0; i < rows; i++) {
                in[i] = i % 4 == 3 && columns == 0 ? NULL : sample_allocate(columns * sizeof(**in));
                for (uint32_t k = 0; in[i] && k < columns; k++)
                    in[i][k] = (int32_t)(1000 * i + k);
            }
            RtLevels(server, rows, columns, in, out);
            for (uint32_t i = 0; i < rows; i++) {
                int32_t *back = out[rows - 1 - i];
                CHECK((back != NULL) == (in[i] != NULL));
                for (uint32_t k = 0; back && k < columns; k++)
                    CHECK_EQUAL(back[k], ~(int32_t)(1000 * i + k));
                midl_user_free(in[i]);
                midl_user_free(back);
            }
            one = sample_allocate(columns * sizeof(*one));
            for (uint32_t k = 0; k < columns; k++)
                one[k] = (int32_t)k;
            CHECK_EQUAL(RtSecond(server, columns, &one), columns * (columns - 1) / 2);
            midl_user_free(one);
        }
    }
    /* No array where size_is promises one. */
    int32_t *null = NULL, row[2] = {1, 2}, *rows[] = {row, NULL}, *back[2];
    CHECK_EQUAL(RtMaybeNull(server, 2, row), 3);
    CHECK_EQUAL(RtMaybeNull(server, 2, NULL), -1); /* [disable_consistency_check] */
    CHECK_EQUAL(RtSecond(server, 0, &null), -1);
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtSecond(server, 5, &null));
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtLevels(server, 2, 2, rows, back));
    return true;
}

static bool limited(void)
{
    WCHAR *names[5];
    RT_LIMITED in[4] = {{0}}, back;
    for (uint32_t i = 0; i < 5; i++)
        names[i] = i == 1 ? NULL : sample_wide(i);
    for (uint32_t count = 0; count < 5; count++) {
        uint32_t letters = 0;
        in[0] = (RT_LIMITED){.count = count, .names = names};
        for (uint32_t k = 0; k < count; k++)
            letters += names[k] ? (uint32_t)wide_len(names[k]) : 0;
        GARBAGE(back);
        CHECK_EQUAL(RtLimited(server, 1 + count % 3, in, &back), letters);
        CHECK(back.count == count && back.names);
        for (uint32_t k = 0; k < count; k++) {
            WCHAR *wanted = wide_reversed(names[k]), *got = back.names[count - 1 - k];
            CHECK(wanted ? got && wide_equal(wanted, got) : !got);
            midl_user_free(wanted);
            midl_user_free(got);
        }
        midl_user_free(back.names);
    }
    in[0].count = 5;
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtLimited(server, 1, in, &back));
    in[0].count = 0;
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtLimited(server, 0, in, &back));
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtLimited(server, 4, in, &back));
    for (uint32_t i = 0; i < 5; i++)
        midl_user_free(names[i]);
    return true;
}

const struct test_case open_cases[] = {
    {"varying_fixed", varying_fixed},
    {"varying_refused", varying_refused},
    {"varying_open", varying_open},
    {"varying_elements", varying_elements},
    {"varying_read", varying_read},
    {"varying_struct", varying_struct},
    {"varying_gift", varying_gift},
    {"open_counted", open_counted},
    {"open_structs", open_structs},
    {"open_pointers", open_pointers},
    {"levels", levels},
    {"limited", limited},
    {NULL, NULL},
};
