/* SPDX-License-Identifier: MIT */
/* mes_samples.h - what the tests of serialisation share: values, their octets, handles. */
#ifndef PENSTOCK_TESTS_UNIT_MES_SAMPLES_H
#define PENSTOCK_TESTS_UNIT_MES_SAMPLES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_shim.h"
#include "b_pickle.h"

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    free(object);
}

/* What `statement` raises; RPC_S_OK: nothing. */
#define RAISED(statement)                                                                          \
    __extension__({                                                                                \
        volatile RPC_STATUS raised_ = RPC_S_OK;                                                    \
        RpcTryExcept                                                                               \
        {                                                                                          \
            statement;                                                                             \
        }                                                                                          \
        RpcExcept(1)                                                                               \
        {                                                                                          \
            raised_ = (RPC_STATUS)RpcExceptionCode();                                              \
        }                                                                                          \
        RpcEndExcept raised_;                                                                      \
    })

/* ---- Octets ------------------------------------------------------------------------- */

/* In hexadecimal; blanks may stand anywhere. */
static inline void check_octets(const char *octets, size_t len, const char *expected)
{
    char hex[4096], wanted[4096];
    size_t n = 0;
    assert_in_range(len, 0, sizeof(hex) / 2 - 1);
    hex[0] = '\0';
    for (size_t i = 0; i < len; i++)
        snprintf(hex + 2 * i, 3, "%02x", (unsigned char)octets[i]);
    for (; *expected != '\0'; expected++)
        if (*expected != ' ')
            wanted[n++] = *expected;
    wanted[n] = '\0';
    assert_string_equal(hex, wanted);
}

/* The octets of a text. */
static inline char *from_hex(const char *hex, size_t *ret_len)
{
    char *octets = malloc(strlen(hex) / 2);
    size_t n = 0;
    assert_non_null(octets);
    while (*hex != '\0') {
        unsigned value;
        if (*hex == ' ') {
            hex++;
            continue;
        }
        assert_int_equal(sscanf(hex, "%2x", &value), 1);
        octets[n++] = (char)value;
        hex += 2;
    }
    *ret_len = n;
    return octets;
}

static inline handle_t decoder(char *octets, size_t len)
{
    handle_t handle = NULL;
    assert_int_equal(MesDecodeBufferHandleCreate(octets, len, &handle), RPC_S_OK);
    return handle;
}

struct dynamic {
    char *buffer;
    unsigned long size;
    handle_t handle;
};

static inline void dynamic_init(struct dynamic *d)
{
    assert_int_equal(MesEncodeDynBufferHandleCreate(&d->buffer, &d->size, &d->handle), RPC_S_OK);
    assert_null(d->buffer);
    assert_int_equal(d->size, 0);
}

static inline void dynamic_fini(struct dynamic *d)
{
    assert_int_equal(MesHandleFree(d->handle), RPC_S_OK);
    MIDL_user_free(d->buffer);
}

#define COMMON_1 "01 10 0800 cccccccc"
#define NDR      "045d888aeb1cc9119fe808002b104860 02000000"
#define NDR64    "33057171babe37498319b5dbef9ccc36 01000000"
#define IF_ID    "01000000000000000000000000000081 0100 0200"
#define COMMON_2 "02 10 4000 cccccccc cccccccccccccccccccccccccccccccc" NDR64 IF_ID
#define PROC     "0101cccc" NDR IF_ID

static const PERSON ann = {
    .name = (WCHAR *)u"Ann", .age = 42, .colour = GREEN, .count = 2, .values = (int32_t[]){7, 8}};
/* 20 octets flat and padded, then what the pointers lead to */
#define ANN                                                                                        \
    "00000200 2a00 0000 01000000 02000000 04000200 00000000"                                       \
    "04000000 00000000 04000000 41006e006e000000"                                                  \
    "02000000 07000000 08000000"
#define ANN_BIG                                                                                    \
    "00020000 002a 0000 00000001 00000002 00020004 00000000"                                       \
    "00000004 00000000 00000004 0041006e006e0000"                                                  \
    "00000002 00000007 00000008"
#define ANN_64                                                                                     \
    "0000020000000000 2a00 0000 01000000 02000000 00000000 0400020000000000 0000000000000000"      \
    "0400000000000000 0000000000000000 0400000000000000 41006e006e000000"                          \
    "0200000000000000 07000000 08000000"

static inline void check_ann(const PERSON *person)
{
    assert_memory_equal(person->name, u"Ann", sizeof(u"Ann"));
    assert_int_equal(person->age, 42);
    assert_int_equal(person->colour, GREEN);
    assert_int_equal(person->count, 2);
    assert_int_equal(person->values[0], 7);
    assert_int_equal(person->values[1], 8);
    assert_null(person->next);
}

#define LOADED "00000000" /* the name is NULL; the result */ "f0ffffff"

/* The table of handles grows until slots are used again; only then is memory back to what
 * it was after a test. */
static inline int fill_handle_table(void **state)
{
    (void)state;
    static _Alignas(8) char buffer[8];
    for (int i = 0; i < 8192; i++)
        assert_int_equal(MesHandleFree(decoder(buffer, sizeof(buffer))), RPC_S_OK);
    return 0;
}

#endif
