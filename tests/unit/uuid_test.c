/* SPDX-License-Identifier: MIT */
/* uuid_test.c - UUID text, comparison and the documented Uuid... functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <penstock/rpc.h>

#include "base/uuid.h"

static const char text[] = "6b29fc40-ca47-1067-b31d-00dd010662da";
static const UUID value = {
    0x6b29fc40, 0xca47, 0x1067, {0xb3, 0x1d, 0x00, 0xdd, 0x01, 0x06, 0x62, 0xda}};

/* Parses an exactly sized heap copy, so that the address sanitizer sees any octet read
 * beyond the end. */
static bool parse(const char *source, size_t len, UUID *ret_uuid)
{
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, source, len);
    bool result = uuid_parse(copy, len, ret_uuid);
    free(copy);
    return result;
}

static void a_parse_and_format(void **state)
{
    (void)state;
    UUID uuid;
    assert_true(parse(text, UUID_TEXT_LEN, &uuid));
    assert_memory_equal(&uuid, &value, sizeof(uuid));
    assert_true(parse("6B29FC40-CA47-1067-B31D-00DD010662DA", UUID_TEXT_LEN, &uuid));
    assert_memory_equal(&uuid, &value, sizeof(uuid));
    char out[UUID_TEXT_LEN + 1];
    uuid_format(&value, out);
    assert_string_equal(out, text);
}

/* Each place takes exactly the characters it should, all 256 tried. */
static void c_parse_every_character(void **state)
{
    (void)state;
    for (size_t place = 0; place < UUID_TEXT_LEN; place++) {
        for (int c = 0; c < 256; c++) {
            char changed[UUID_TEXT_LEN];
            memcpy(changed, text, UUID_TEXT_LEN);
            changed[place] = (char)c;
            bool hex = c != 0 && strchr("0123456789abcdefABCDEF", c);
            bool expected = text[place] == '-' ? c == '-' : hex;
            UUID uuid = value;
            assert_int_equal(parse(changed, UUID_TEXT_LEN, &uuid), expected);
            if (!expected)
                assert_memory_equal(&uuid, &value, sizeof(uuid)); /* untouched */
        }
    }
}

static void c_parse_every_length(void **state)
{
    (void)state;
    char long_text[64];
    memset(long_text, 'a', sizeof(long_text));
    memcpy(long_text, text, UUID_TEXT_LEN);
    UUID uuid;
    for (size_t len = 0; len < sizeof(long_text); len++)
        assert_int_equal(parse(long_text, len, &uuid), len == UUID_TEXT_LEN);
    assert_false(parse("{6b29fc40-ca47-1067-b31d-00dd010662d}", 37, &uuid));
}

static void b_compare(void **state)
{
    (void)state;
    /* Ascending; each differs from the one before in one field only where it can. */
    static const UUID order[] = {
        {0, 0, 0, {0}},          {0, 0, 0, {0, 0, 0, 0, 0, 0, 0, 1}},
        {0, 0, 0, {0, 1}},       {0, 0, 0, {0x80}},
        {0, 0, 1, {0}},          {0, 0, 0x8000, {0}},
        {0, 1, 0, {0}},          {1, 0, 0, {0}},
        {0x80000000, 0, 0, {0}}, {0xffffffff, 0, 0, {0}},
    };
    size_t count = sizeof(order) / sizeof(order[0]);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            int expected = i < j ? -1 : i > j;
            RPC_STATUS status = 1;
            assert_int_equal(UuidCompare((UUID *)&order[i], (UUID *)&order[j], &status), expected);
            assert_int_equal(status, RPC_S_OK);
            assert_int_equal(UuidEqual((UUID *)&order[i], (UUID *)&order[j], &status), i == j);
        }
        assert_int_equal(UuidIsNil((UUID *)&order[i], NULL), i == 0);
    }
}

static void b_null_is_nil(void **state)
{
    (void)state;
    UUID nil = value;
    RPC_STATUS status;
    assert_int_equal(UuidCreateNil(&nil), RPC_S_OK);
    assert_true(UuidIsNil(&nil, &status));
    assert_true(UuidIsNil(NULL, &status));
    assert_true(UuidEqual(NULL, &nil, &status));
    assert_int_equal(UuidCompare((UUID *)&value, NULL, &status), 1);
    assert_int_equal(UuidHash(NULL, &status), UuidHash(&nil, &status));
    assert_int_equal(UuidCreateNil(NULL), RPC_S_INVALID_ARG);
}

static void b_strings(void **state)
{
    (void)state;
    RPC_CSTR string = NULL;
    assert_int_equal(UuidToString(&value, &string), RPC_S_OK);
    assert_string_equal((char *)string, text);
    UUID uuid;
    assert_int_equal(UuidFromString(string, &uuid), RPC_S_OK);
    assert_memory_equal(&uuid, &value, sizeof(uuid));
    assert_int_equal(RpcStringFree(&string), RPC_S_OK);
    assert_null(string);
    assert_int_equal(UuidFromString((RPC_CSTR) "{6b29fc40}", &uuid), RPC_S_INVALID_STRING_UUID);
    assert_int_equal(UuidFromString(NULL, &uuid), RPC_S_OK);
    assert_true(uuid_is_nil(&uuid));
    assert_int_equal(UuidFromString((RPC_CSTR)text, NULL), RPC_S_INVALID_ARG);
    assert_int_equal(UuidToString(&value, NULL), RPC_S_INVALID_ARG);
    assert_int_equal(UuidToString(NULL, &string), RPC_S_OK);
    assert_string_equal((char *)string, "00000000-0000-0000-0000-000000000000");
    RpcStringFree(&string);
}

/* Version and variant are fixed, every other bit takes both values (a fair bit stays
 * the same 200 times with probability 2^-199). */
static void b_create_is_random_version_4(void **state)
{
    (void)state;
    uint8_t ones[16] = {0}, zeros[16] = {0};
    for (int round = 0; round < 200; round++) {
        UUID uuid;
        assert_int_equal(UuidCreate(&uuid), RPC_S_OK);
        assert_int_equal(uuid.Data3 >> 12, 4);
        assert_int_equal(uuid.Data4[0] >> 6, 2);
        const uint8_t *octets = (const uint8_t *)&uuid;
        for (size_t i = 0; i < 16; i++) {
            ones[i] |= octets[i];
            zeros[i] |= (uint8_t)~octets[i];
        }
    }
    int fixed_bits = 0;
    for (size_t i = 0; i < 16; i++)
        fixed_bits += 8 - __builtin_popcount((unsigned)(ones[i] & zeros[i]));
    assert_int_equal(fixed_bits, 6);
    assert_int_equal(UuidCreate(NULL), RPC_S_INVALID_ARG);
}

static void b_hash_spreads(void **state)
{
    (void)state;
    /* Equal for equal UUIDs, and not one value for all. */
    UUID copy = value;
    assert_int_equal(UuidHash(&copy, NULL), UuidHash((UUID *)&value, NULL));
    int differing = 0;
    for (uint8_t i = 0; i < 128; i++) {
        UUID changed = value;
        changed.Data4[i / 16] ^= (uint8_t)(1 + i % 16);
        differing += UuidHash(&changed, NULL) != UuidHash(&copy, NULL);
    }
    assert_true(differing > 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parse_and_format),
        cmocka_unit_test(b_compare),
        cmocka_unit_test(b_null_is_nil),
        cmocka_unit_test(b_strings),
        cmocka_unit_test(b_create_is_random_version_4),
        cmocka_unit_test(b_hash_spreads),
        cmocka_unit_test(c_parse_every_character),
        cmocka_unit_test(c_parse_every_length),
    };
    return cmocka_run_group_tests_name("uuid", tests, NULL, NULL);
}
