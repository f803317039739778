/* SPDX-License-Identifier: MIT */
/* mes_test.c - serialisation through stubs that penstock-idl made (tests/golden/b_pickle):
 * the octets are typed from MS-RPCE 2.2.6 and 2.2.7 and docs/design/pickling.md. */
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
#include "c_pickle_all.h"
#include "c_pickle_convert.h"

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
static void check_octets(const char *octets, size_t len, const char *expected)
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
static char *from_hex(const char *hex, size_t *ret_len)
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

static handle_t decoder(char *octets, size_t len)
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

static void dynamic_init(struct dynamic *d)
{
    assert_int_equal(MesEncodeDynBufferHandleCreate(&d->buffer, &d->size, &d->handle), RPC_S_OK);
    assert_null(d->buffer);
    assert_int_equal(d->size, 0);
}

static void dynamic_fini(struct dynamic *d)
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

static void check_ann(const PERSON *person)
{
    assert_memory_equal(person->name, u"Ann", sizeof(u"Ann"));
    assert_int_equal(person->age, 42);
    assert_int_equal(person->colour, GREEN);
    assert_int_equal(person->count, 2);
    assert_int_equal(person->values[0], 7);
    assert_int_equal(person->values[1], 8);
    assert_null(person->next);
}

/* ---- Types -------------------------------------------------------------------------- */

static void b_types_have_the_octets_of_version_1(void **state)
{
    (void)state;
    struct dynamic d;
    dynamic_init(&d);
    COLOUR colour = GREEN;
    COLOUR_Encode(d.handle, &colour);
    /* a primitive type: no private header */
    check_octets(d.buffer, d.size, COMMON_1 "01000000 00000000");
    PERSON_Encode(d.handle, (PERSON *)&ann);
    /* one common header a stream; the private one counts the padding */
    check_octets(d.buffer, d.size, COMMON_1 "01000000 00000000" "38000000 00000000" ANN);
    dynamic_fini(&d);
}

static void b_a_pointer_type_has_a_referent(void **state)
{
    (void)state;
    struct dynamic d;
    dynamic_init(&d);
    PPERSON person = NULL;
    PPERSON_Encode(d.handle, &person);
    check_octets(d.buffer, d.size, COMMON_1 "08000000 00000000 00000000 00000000");
    TEXT text = (WCHAR *)u"x";
    TEXT_Encode(d.handle, &text);
    check_octets(d.buffer + 24, d.size - 24,
                 "18000000 00000000 00000200 02000000 00000000 02000000 78000000 00000000");
    dynamic_fini(&d);
}

static void b_a_conformant_structure_has_its_count_in_front(void **state)
{
    (void)state;
    struct dynamic d;
    dynamic_init(&d);
    BLOB *blob = calloc(1, sizeof(*blob) + 8);
    blob->id = 5;
    blob->count = 3;
    memcpy((char *)blob + offsetof(BLOB, data), "abc", 3);
    BLOB_Encode(d.handle, blob);
    check_octets(d.buffer, d.size,
                 COMMON_1 "18000000 00000000"
                          "03000000 00000000 0500000000000000 03000000 616263 00");
    memset((char *)blob + offsetof(BLOB, data), 0, 3);
    handle_t in = decoder(d.buffer, d.size);
    BLOB_Decode(in, blob);
    assert_memory_equal((char *)blob + offsetof(BLOB, data), "abc", 3);
    /* there was room for three: no more are written, whatever the octets say */
    assert_int_equal(MesBufferHandleReset(in, MES_FIXED_BUFFER_HANDLE, MES_DECODE, &d.buffer,
                                          d.size, NULL),
                     RPC_S_OK);
    blob->count = 2;
    assert_int_equal(RAISED(BLOB_Decode(in, blob)), RPC_X_BAD_STUB_DATA);
    assert_int_equal(MesHandleFree(in), RPC_S_OK);
    free(blob);
    dynamic_fini(&d);
}

static void b_types_have_the_octets_of_version_2(void **state)
{
    (void)state;
    struct dynamic d;
    dynamic_init(&d);
    assert_int_equal(MesBufferHandleReset(d.handle, MES_DYNAMIC_BUFFER_HANDLE, MES_ENCODE_NDR64,
                                          &d.buffer, 0, &d.size),
                     RPC_S_OK);
    COLOUR colour = GREEN;
    COLOUR_Encode(d.handle, &colour);
    PERSON_Encode(d.handle, (PERSON *)&ann);
    check_octets(d.buffer, d.size,
                 COMMON_2 "10000000 000000000000000000000000 01000000 000000000000000000000000"
                          "60000000 000000000000000000000000" ANN_64 "0000000000000000");
    handle_t in = decoder(d.buffer, d.size);
    PERSON person = {0};
    colour = RED;
    COLOUR_Decode(in, &colour);
    assert_int_equal(colour, GREEN);
    PERSON_Decode(in, &person);
    check_ann(&person);
    PERSON_Free(in, &person);
    assert_int_equal(MesHandleFree(in), RPC_S_OK);
    dynamic_fini(&d);
}

static void check_green_and_ann(const char *stream)
{
    size_t len;
    char *octets = from_hex(stream, &len);
    handle_t in = decoder(octets, len);
    COLOUR colour = RED;
    PERSON person = {0};
    COLOUR_Decode(in, &colour);
    PERSON_Decode(in, &person);
    assert_int_equal(colour, GREEN);
    check_ann(&person);
    /* that is all */
    assert_int_equal(RAISED(COLOUR_Decode(in, &colour)), RPC_X_INVALID_BUFFER);
    assert_int_equal(MesHandleFree(in), RPC_S_OK);
    PERSON_Free(NULL, &person);
    assert_null(person.name);
    free(octets);
}

static void b_both_byte_orders_are_decoded(void **state)
{
    (void)state;
    static const char *const streams[] = {
        COMMON_1 "01000000 00000000" "38000000 00000000" ANN,
        "01 00 0800 cccccccc" "00000001 00000000" "00000038 00000000" ANN_BIG,
        "01 00 0008 00000000" "00000001 ffffffff" "00000038 ffffffff" ANN_BIG,
        /* version 2 may say NDR 2.0 */
        "02 10 4000 cccccccc cccccccccccccccccccccccccccccccc" NDR IF_ID
        "10000000 000000000000000000000000 01000000 000000000000000000000000"
        "40000000 000000000000000000000000" ANN "0000000000000000",
    };
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
        check_green_and_ann(streams[i]);
}

static void b_align_size_is_what_encode_adds(void **state)
{
    (void)state;
    for (int ndr64 = 0; ndr64 <= 1; ndr64++) {
        struct dynamic d;
        dynamic_init(&d);
        if (ndr64)
            assert_int_equal(MesBufferHandleReset(d.handle, MES_DYNAMIC_BUFFER_HANDLE,
                                                  MES_ENCODE_NDR64, &d.buffer, 0, &d.size),
                             RPC_S_OK);
        VECTOR vector = {1, 2, 3, 4};
        REAL real = 1.5;
        unsigned long size = PERSON_AlignSize(d.handle, (PERSON *)&ann);
        PERSON_Encode(d.handle, (PERSON *)&ann);
        assert_int_equal(d.size, size);
        size += VECTOR_AlignSize(d.handle, &vector);
        VECTOR_Encode(d.handle, &vector);
        assert_int_equal(d.size, size);
        size += REAL_AlignSize(d.handle, &real);
        REAL_Encode(d.handle, &real);
        assert_int_equal(d.size, size);
        assert_int_equal(size, ndr64 ? 64 + 16 + 96 + 16 + 16 + 16 + 16 : 8 + 8 + 56 + 8 + 16 + 8);
        dynamic_fini(&d);
    }
}

static void b_values_are_checked(void **state)
{
    (void)state;
    struct dynamic d;
    dynamic_init(&d);
    PERCENT percent = 101;
    PERCENT_Encode(d.handle, &percent);
    handle_t in = decoder(d.buffer, d.size);
    percent = 0;
    assert_int_equal(RAISED(PERCENT_Decode(in, &percent)), RPC_X_BAD_STUB_DATA);
    COLOUR colour;
    COLOUR_Decode(in, &colour); /* still there: the handle stood still */
    assert_int_equal(colour, 101);
    assert_int_equal(MesHandleFree(in), RPC_S_OK);
    PERSON bad = {.count = -1, .values = (int32_t[]){1}};
    unsigned long size = d.size;
    assert_int_equal(RAISED(PERSON_Encode(d.handle, &bad)), RPC_S_INVALID_BOUND);
    assert_int_equal(RAISED(PERSON_Encode(d.handle, NULL)), RPC_X_NULL_REF_POINTER);
    assert_int_equal(d.size, size);
    dynamic_fini(&d);
}

/* ---- Operations ------------------------------------------------------------------------ */

static void b_operations_have_a_header(void **state)
{
    (void)state;
    struct dynamic d;
    RPC_SYNTAX_IDENTIFIER id;
    unsigned long number = 99;
    dynamic_init(&d);
    assert_int_equal(MesInqProcEncodingId(d.handle, &id, &number), RPC_X_INVALID_ES_ACTION);
    Save(d.handle, (WCHAR *)u"k", (PERSON *)&ann);
    check_octets(d.buffer, d.size,
                 PROC "00000000 01000000 48000000"
                      "02000000 00000000 02000000 6b000000" ANN);
    assert_int_equal(MesInqProcEncodingId(d.handle, &id, &number), RPC_S_OK);
    assert_int_equal(number, 0);
    assert_int_equal(id.SyntaxGUID.Data4[7], 0x81);
    assert_int_equal(id.SyntaxVersion.MajorVersion, 1);
    assert_int_equal(id.SyntaxVersion.MinorVersion, 2);
    int32_t n = 2;
    int16_t v[2] = {3, 4};
    Both(d.handle, (PERSON *)&ann, &n, v);
    assert_int_equal(MesInqProcEncodingId(d.handle, &id, &number), RPC_S_OK);
    assert_int_equal(number, 2);

    /* Save is for encoding only; the handle says what comes next, and stands still */
    handle_t in = decoder(d.buffer + 128, d.size - 128);
    assert_int_equal(RAISED(Save(in, (WCHAR *)u"k", (PERSON *)&ann)), RPC_X_INVALID_ES_ACTION);
    number = 99;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(MesInqProcEncodingId(in, &id, &number), RPC_S_OK);
        assert_int_equal(number, 2);
    }
    PERSON person = {0};
    assert_int_equal(RAISED(PERSON_Decode(in, &person)), RPC_X_WRONG_ES_VERSION);
    v[0] = v[1] = 0;
    Both(in, &person, &n, v);
    check_ann(&person);
    PERSON_Free(in, &person);
    assert_int_equal(v[1], 4);
    assert_int_equal(MesInqProcEncodingId(in, &id, &number), RPC_X_INVALID_BUFFER);
    assert_int_equal(MesHandleFree(in), RPC_S_OK);
    assert_int_equal(RAISED(Load(d.handle, &person, NULL)), RPC_X_INVALID_ES_ACTION);
    dynamic_fini(&d);
}

#define LOADED "00000000" /* the name is NULL; the result */ "f0ffffff"

/* Load decodes what any operation of the interface wrote: here by hand. */
static void b_operations_are_decoded_from_every_writer(void **state)
{
    (void)state;
    static const char *const streams[] = {
        PROC "01000000 01000000 40000000" ANN LOADED,
        /* one number of an older minor version */
        "0101cccc" NDR "01000000000000000000000000000081 0100 0000"
        "07000000 01000000 40000000" ANN LOADED,
        /* DCE: no filler, no length */
        "01010000" NDR IF_ID "01000000 01000000 00000000" ANN LOADED,
        /* big-endian, header and parameters */
        "01000000 8a885d041ceb11c99fe808002b104860 00000002"
        "00000001000000000000000000000081 0001 0002 00000001 00000000 00000040" ANN_BIG
        "00000000 fffffff0",
        "0101cccc" NDR64 IF_ID "01000000 01000000 68000000" ANN_64 "0000000000000000"
        "f0ffffff 00000000",
    };
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        size_t len;
        char *octets = from_hex(streams[i], &len);
        handle_t in = decoder(octets, len);
        PERSON person = {0};
        TEXT name = NULL;
        assert_int_equal(Load(in, &person, &name), -16);
        check_ann(&person);
        assert_null(name);
        PERSON_Free(in, &person);
        assert_int_equal(MesHandleFree(in), RPC_S_OK);
        free(octets);
    }
}

static void b_operations_in_ndr64(void **state)
{
    (void)state;
    struct dynamic d;
    dynamic_init(&d);
    assert_int_equal(MesBufferHandleReset(d.handle, MES_DYNAMIC_BUFFER_HANDLE, MES_ENCODE_NDR64,
                                          &d.buffer, 0, &d.size),
                     RPC_S_OK);
    int32_t n = 1;
    int16_t v[1] = {3};
    for (int i = 0; i < 2; i++)
        Both(d.handle, (PERSON *)&ann, &n, v);
    assert_int_equal(d.size % 32, 0);
    handle_t in = decoder(d.buffer, d.size);
    for (int i = 0; i < 2; i++) {
        PERSON person = {0};
        v[0] = 0;
        Both(in, &person, &n, v);
        check_ann(&person);
        assert_int_equal(v[0], 3);
        PERSON_Free(in, &person);
    }
    assert_int_equal(MesHandleFree(in), RPC_S_OK);
    dynamic_fini(&d);
}

/* the_pickle is the implicit handle of c_pickle_all. */
static void b_implicit_handles_and_status_attributes(void **state)
{
    (void)state;
    struct dynamic d;
    POINT point = {.x = 3, .y = 4};
    TAGGED tagged = {.tag = 1, .any.point = {5, 6}}, none = {.tag = 2};
    the_pickle = NULL;
    assert_int_equal(RAISED(POINT_Encode(&point)), RPC_S_INVALID_ARG);
    assert_int_equal(Move(&point), RPC_S_INVALID_ARG); /* its result, not an exception */
    dynamic_init(&d);
    the_pickle = d.handle;
    POINT_Encode(&point);
    TAGGED_Encode(&tagged);
    TAGGED_Encode(&none);
    check_octets(d.buffer, d.size,
                 COMMON_1 "08000000 00000000 03000000 04000000"
                          "10000000 00000000 0100 0100 05000000 06000000 00000000"
                          "08000000 00000000 0200 0200 00000000");
    unsigned long size = d.size;
    assert_int_equal(Move(&point), RPC_S_OK);
    check_octets(d.buffer + size + 48, d.size - size - 48, "01000000 08000000 03000000 04000000");
    the_pickle = decoder(d.buffer + size, d.size - size);
    point.x = 0;
    assert_int_equal(Move(&point), RPC_S_OK); /* the status was never written */
    assert_int_equal(point.x, 3);
    assert_int_equal(Move(&point), RPC_X_INVALID_BUFFER);
    assert_int_equal(MesHandleFree(the_pickle), RPC_S_OK);
    dynamic_fini(&d);
}

/* ---- Values the program converts --------------------------------------------------------- */

static bool conversion_raises;

void __RPC_USER BOTH_to_xmit(BOTH *both, PAIR **ret_pair)
{
    if (conversion_raises)
        RpcRaiseException(4712);
    *ret_pair = MIDL_user_allocate(sizeof(**ret_pair));
    if (!*ret_pair)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    **ret_pair = (PAIR){.x = (int32_t)(*both >> 32), .y = (int32_t)*both};
}

void __RPC_USER BOTH_from_xmit(PAIR *pair, BOTH *both)
{
    *both = (int64_t)pair->x << 32 | (uint32_t)pair->y;
}

void __RPC_USER BOTH_free_xmit(PAIR *pair)
{
    MIDL_user_free(pair);
}

void __RPC_USER BOTH_free_inst(BOTH *both)
{
    (void)both;
}

void __RPC_USER WIRE_from_local(PAIR *pair, WIRE **ret_wire)
{
    *ret_wire = MIDL_user_allocate(sizeof(**ret_wire));
    if (!*ret_wire)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    (*ret_wire)->a = pair->x + pair->y;
}

void __RPC_USER WIRE_to_local(WIRE *wire, PAIR *pair)
{
    *pair = (PAIR){.x = wire->a};
}

void __RPC_USER WIRE_free_inst(WIRE *wire)
{
    MIDL_user_free(wire);
}

void __RPC_USER WIRE_free_local(PAIR *pair)
{
    (void)pair;
}

static void check_converted(MIDL_ES_CODE code)
{
    struct dynamic d;
    BOTH more = 0x100000002;
    HOLDER holder = {.tag = 9, .both = 0x300000004, .more = &more}, again = {.more = NULL};
    PAIR pair = {.x = 5, .y = 6};
    dynamic_init(&d);
    assert_int_equal(
        MesBufferHandleReset(d.handle, MES_DYNAMIC_BUFFER_HANDLE, code, &d.buffer, 0, &d.size),
        RPC_S_OK);
    assert_int_equal(HOLDER_AlignSize(d.handle, &holder), code == MES_ENCODE ? 40 : 112);
    HOLDER_Encode(d.handle, &holder);
    WIRE_Encode(d.handle, &pair);
    if (code == MES_ENCODE)
        check_octets(d.buffer, d.size,
                     COMMON_1 "18000000 00000000 0900 0000 03000000 04000000 00000200"
                              "01000000 02000000"
                              "08000000 00000000 0b000000 00000000");
    handle_t in = decoder(d.buffer, d.size);
    HOLDER_Decode(in, &again);
    WIRE_Decode(in, &pair);
    assert_int_equal(again.both, holder.both);
    assert_int_equal(*again.more, more);
    assert_int_equal(pair.x, 11);
    HOLDER_Free(in, &again);
    conversion_raises = true;
    assert_int_equal(RAISED(HOLDER_Encode(d.handle, &holder)), 4712);
    conversion_raises = false;
    assert_int_equal(MesHandleFree(in), RPC_S_OK);
    dynamic_fini(&d);
}

static void b_values_the_program_converts(void **state)
{
    (void)state;
    long live = alloc_live;
    check_converted(MES_ENCODE);
    check_converted(MES_ENCODE_NDR64);
    assert_int_equal(alloc_live, live);
}

/* ---- Headers that are wrong ---------------------------------------------------------------- */

static void check_refusal(const char *stream, RPC_STATUS type, RPC_STATUS proc)
{
    size_t len;
    PERSON person = {0};
    TEXT name = NULL;
    char *octets = from_hex(stream, &len);
    handle_t in = decoder(octets, len);
    assert_int_equal(RAISED(PERSON_Decode(in, &person)), type);
    assert_int_equal(RAISED(Load(in, &person, &name)), proc);
    assert_int_equal(MesHandleFree(in), RPC_S_OK);
    free(octets);
}

static void c_wrong_headers(void **state)
{
    (void)state;
    static const struct {
        const char *stream;
        RPC_STATUS type, proc;
    } rows[] = {
        {"00 10 0800 cccccccc" "01000000 00000000", RPC_X_WRONG_ES_VERSION, RPC_X_INVALID_BUFFER},
        {"03 10 0800 cccccccc" "01000000 00000000", RPC_X_WRONG_ES_VERSION, RPC_X_INVALID_BUFFER},
        {"01 11 0800 cccccccc" "01000000 00000000", RPC_X_WRONG_ES_VERSION, RPC_X_INVALID_BUFFER},
        {"01 10 1000 cccccccc" "01000000 00000000", RPC_X_WRONG_ES_VERSION, RPC_X_INVALID_BUFFER},
        {"02 00 4000 cccccccc" "01000000 00000000", RPC_X_WRONG_ES_VERSION, RPC_X_INVALID_BUFFER},
        {"02 10 0800 cccccccc" "01000000 00000000", RPC_X_WRONG_ES_VERSION, RPC_X_INVALID_BUFFER},
        {COMMON_1, RPC_X_INVALID_BUFFER, RPC_X_INVALID_BUFFER},
        {COMMON_1 "ffffffff 00000000", RPC_X_INVALID_BUFFER, RPC_X_INVALID_BUFFER},
        {COMMON_1 "10000000 00000000 0000000000000000", RPC_X_INVALID_BUFFER, RPC_X_INVALID_BUFFER},
        {COMMON_1 "08000000 00000000 0000000000000000", RPC_X_BAD_STUB_DATA, RPC_X_INVALID_BUFFER},
        {"02 10 4000 cccccccc cccccccccccccccccccccccccccccccc" IF_ID IF_ID "10000000 00000000",
         RPC_S_UNSUPPORTED_TRANS_SYN, RPC_X_WRONG_ES_VERSION},
        {"0101cccc" IF_ID IF_ID "01000000 01000000 00000000", RPC_X_WRONG_ES_VERSION,
         RPC_S_UNSUPPORTED_TRANS_SYN},
        {"0201cccc" NDR IF_ID "01000000 01000000 00000000", RPC_X_WRONG_ES_VERSION,
         RPC_X_WRONG_ES_VERSION},
        {"0102cccc" NDR IF_ID "01000000 01000000 00000000", RPC_X_WRONG_ES_VERSION,
         RPC_X_WRONG_ES_VERSION},
        {"0101cccc" NDR IF_ID "01000000 01010000 00000000", RPC_X_WRONG_ES_VERSION,
         RPC_X_WRONG_ES_VERSION},
        {PROC "01000000 01000000 08000000", RPC_X_WRONG_ES_VERSION, RPC_X_INVALID_BUFFER},
        {PROC "01000000 01000000 ffffffff", RPC_X_WRONG_ES_VERSION, RPC_X_INVALID_BUFFER},
        {PROC "01000000 01000000 00000000", RPC_X_WRONG_ES_VERSION, RPC_X_BAD_STUB_DATA},
        {"0101cccc" NDR NDR "01000000 01000000 00000000", RPC_X_WRONG_ES_VERSION,
         RPC_S_UNKNOWN_IF},
        {"0101cccc" NDR "01000000000000000000000000000081 0100 0300" "01000000 01000000 00000000",
         RPC_X_WRONG_ES_VERSION, RPC_S_UNKNOWN_IF},
        {"0101cccc" NDR "01000000000000000000000000000081 0200 0200" "01000000 01000000 00000000",
         RPC_X_WRONG_ES_VERSION, RPC_S_UNKNOWN_IF},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_refusal(rows[i].stream, rows[i].type, rows[i].proc);
}

/* ---- Handles --------------------------------------------------------------------------------- */

static void b_arguments_of_handles(void **state)
{
    (void)state;
    static _Alignas(16) char buffer[64];
    char *here = buffer, *odd = buffer + 4, *eight = buffer + 8, *none = NULL;
    unsigned long size = 7;
    handle_t h = NULL, binding;
    assert_int_equal(MesEncodeFixedBufferHandleCreate(NULL, 64, &size, &h), RPC_S_INVALID_ARG);
    assert_int_equal(MesEncodeFixedBufferHandleCreate(buffer, 64, NULL, &h), RPC_S_INVALID_ARG);
    assert_int_equal(MesEncodeFixedBufferHandleCreate(buffer, 64, &size, NULL), RPC_S_INVALID_ARG);
    assert_int_equal(MesEncodeFixedBufferHandleCreate(odd, 32, &size, &h), RPC_X_INVALID_BUFFER);
    assert_int_equal(MesEncodeFixedBufferHandleCreate(buffer, 60, &size, &h), RPC_X_INVALID_BUFFER);
    assert_int_equal(MesEncodeDynBufferHandleCreate(NULL, &size, &h), RPC_S_INVALID_ARG);
    assert_int_equal(MesEncodeDynBufferHandleCreate(&here, NULL, &h), RPC_S_INVALID_ARG);
    assert_int_equal(MesDecodeBufferHandleCreate(NULL, 64, &h), RPC_S_INVALID_ARG);
    assert_int_equal(MesDecodeBufferHandleCreate(buffer, 64, NULL), RPC_S_INVALID_ARG);
    assert_int_equal(MesDecodeBufferHandleCreate(odd, 32, &h), RPC_X_INVALID_BUFFER);
    assert_int_equal(MesDecodeBufferHandleCreate(buffer, 63, &h), RPC_X_INVALID_BUFFER);
    assert_int_equal(MesEncodeIncrementalHandleCreate(NULL, NULL, NULL, &h), RPC_S_INVALID_ARG);
    assert_int_equal(MesDecodeIncrementalHandleCreate(NULL, NULL, &h), RPC_S_INVALID_ARG);
    assert_null(h);
    assert_int_equal(size, 7);

    assert_int_equal(MesEncodeFixedBufferHandleCreate(eight, 48, &size, &h), RPC_S_OK);
    assert_int_equal(size, 0);
    assert_int_equal(MesIncrementalHandleReset(h, NULL, NULL, NULL, NULL, MES_ENCODE),
                     RPC_S_INVALID_ARG);
    assert_int_equal(MesBufferHandleReset(h, MES_INCREMENTAL_HANDLE, MES_ENCODE, &here, 64, &size),
                     RPC_S_INVALID_ARG);
    assert_int_equal(
        MesBufferHandleReset(h, MES_FIXED_BUFFER_HANDLE, (MIDL_ES_CODE)3, &here, 64, &size),
        RPC_S_INVALID_ARG);
    assert_int_equal(MesBufferHandleReset(h, MES_FIXED_BUFFER_HANDLE, MES_ENCODE, NULL, 64, &size),
                     RPC_S_INVALID_ARG);
    assert_int_equal(MesBufferHandleReset(h, MES_FIXED_BUFFER_HANDLE, MES_ENCODE, &none, 64, &size),
                     RPC_S_INVALID_ARG);
    assert_int_equal(MesBufferHandleReset(h, MES_FIXED_BUFFER_HANDLE, MES_ENCODE, &here, 64, NULL),
                     RPC_S_INVALID_ARG);
    assert_int_equal(
        MesBufferHandleReset(h, MES_FIXED_BUFFER_HANDLE, MES_ENCODE_NDR64, &eight, 48, &size),
        RPC_X_INVALID_BUFFER);
    assert_int_equal(
        MesBufferHandleReset(h, MES_FIXED_BUFFER_HANDLE, MES_ENCODE_NDR64, &here, 64, &size),
        RPC_S_OK);
    assert_int_equal(
        MesBufferHandleReset(h, MES_DYNAMIC_BUFFER_HANDLE, MES_ENCODE, &none, 0, NULL),
        RPC_S_INVALID_ARG);
    assert_int_equal(MesBufferHandleReset(h, MES_DYNAMIC_BUFFER_HANDLE, MES_DECODE, &here, 64, NULL),
                     RPC_S_OK);
    RPC_SYNTAX_IDENTIFIER id;
    assert_int_equal(MesInqProcEncodingId(h, NULL, &size), RPC_S_INVALID_ARG);
    assert_int_equal(MesInqProcEncodingId(h, &id, NULL), RPC_S_INVALID_ARG);
    assert_int_equal(MesHandleFree(h), RPC_S_OK);
    assert_int_equal(MesHandleFree(h), RPC_S_INVALID_ARG);
    assert_int_equal(MesInqProcEncodingId(h, &id, &size), RPC_S_INVALID_ARG);

    /* handles of other kinds are none of ours, nor ours of theirs */
    COLOUR colour = RED;
    assert_int_equal(RAISED(COLOUR_Encode(h, &colour)), RPC_S_INVALID_ARG);
    assert_int_equal(RAISED(Save(NULL, (WCHAR *)u"", (PERSON *)&ann)), RPC_S_INVALID_ARG);
    assert_int_equal(RpcBindingFromStringBinding((RPC_CSTR) "ncalrpc:[x]", &binding), RPC_S_OK);
    assert_int_equal(RAISED(COLOUR_Encode(binding, &colour)), RPC_S_INVALID_ARG);
    assert_int_equal(MesHandleFree(binding), RPC_S_INVALID_ARG);
    assert_int_equal(RpcBindingFree(&binding), RPC_S_OK);
    assert_int_equal(MesDecodeBufferHandleCreate(buffer, 64, &h), RPC_S_OK);
    assert_int_equal(RAISED(COLOUR_Encode(h, &colour)), RPC_X_INVALID_ES_ACTION);
    assert_int_equal(RAISED(COLOUR_AlignSize(h, &colour)), RPC_X_INVALID_ES_ACTION);
    binding = h;
    assert_int_equal(RpcBindingFree(&binding), RPC_S_INVALID_BINDING);
    assert_int_equal(MesHandleFree(h), RPC_S_OK);
}

static void b_a_fixed_buffer_takes_what_fits(void **state)
{
    (void)state;
    static _Alignas(16) char buffer[80];
    unsigned long size;
    handle_t h;
    COLOUR colour = GREEN;
    assert_int_equal(MesEncodeFixedBufferHandleCreate(buffer, 72, &size, &h), RPC_S_OK);
    memset(buffer, 'x', sizeof(buffer));
    assert_int_equal(PERSON_AlignSize(h, (PERSON *)&ann), 72);
    PERSON_Encode(h, (PERSON *)&ann);
    assert_int_equal(size, 72);
    assert_int_equal(RAISED(COLOUR_Encode(h, &colour)), RPC_X_INVALID_BUFFER);
    assert_int_equal(size, 72);
    check_octets(buffer, 80, COMMON_1 "38000000 00000000" ANN "7878787878787878");
    char *here = buffer;
    assert_int_equal(MesBufferHandleReset(h, MES_FIXED_BUFFER_HANDLE, MES_ENCODE, &here, 16, &size),
                     RPC_S_OK);
    assert_int_equal(size, 0);
    COLOUR_Encode(h, &colour);
    check_octets(buffer, size, COMMON_1 "01000000 00000000");
    assert_int_equal(RAISED(PERSON_Encode(h, (PERSON *)&ann)), RPC_X_INVALID_BUFFER);
    assert_int_equal(MesHandleFree(h), RPC_S_OK);
}

/* ---- Incremental ----------------------------------------------------------------------------- */

struct stream {
    _Alignas(16) char octets[1024];
    _Alignas(16) char piece[64]; /* what Alloc gives, if not `octets` */
    size_t len, pos;
    unsigned int most;    /* octets given at a time; 0: all             */
    unsigned calls;       /* of Alloc, Write and Read                   */
    unsigned fails_at;    /* the call that raises; 0: none              */
    int spoiled;          /* 1: NULL, 2: misaligned, 3: 4 octets, 4: 0  */
};

static void count_call(struct stream *stream)
{
    if (++stream->calls == stream->fails_at)
        RpcRaiseException(4711);
}

static void __RPC_USER stream_alloc(void *state, char **buffer, unsigned int *size)
{
    struct stream *stream = state;
    count_call(stream);
    *buffer = stream->most ? stream->piece : stream->octets + stream->len;
    if (stream->most && *size > stream->most)
        *size = stream->most;
    if (stream->spoiled == 1)
        *buffer = NULL;
    if (stream->spoiled == 2)
        *buffer += 4;
    if (stream->spoiled >= 3)
        *size = stream->spoiled == 3 ? 4 : 0;
}

static void __RPC_USER stream_write(void *state, char *buffer, unsigned int size)
{
    struct stream *stream = state;
    count_call(stream);
    memmove(stream->octets + stream->len, buffer, size);
    stream->len += size;
}

static void __RPC_USER stream_read(void *state, char **buffer, unsigned int *size)
{
    struct stream *stream = state;
    count_call(stream);
    if (stream->most && *size > stream->most)
        *size = stream->most;
    if (*size > stream->len - stream->pos)
        *size = (unsigned int)(stream->len - stream->pos);
    *buffer = stream->octets + stream->pos;
    stream->pos += *size;
    if (stream->spoiled == 1)
        *buffer = NULL;
    if (stream->spoiled == 2)
        *size += 1000;
}

static void b_incremental_handles_take_pieces(void **state)
{
    (void)state;
    static const unsigned int most[] = {0, 8, 16, 56};
    for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
        struct stream stream = {.most = most[i]};
        handle_t h;
        COLOUR colour = GREEN;
        int32_t n = 1;
        int16_t v[1] = {9};
        assert_int_equal(
            MesEncodeIncrementalHandleCreate(&stream, stream_alloc, stream_write, &h), RPC_S_OK);
        PERSON_Encode(h, (PERSON *)&ann);
        assert_true(most[i] || stream.calls == 2);
        COLOUR_Encode(h, &colour);
        check_octets(stream.octets, stream.len,
                     COMMON_1 "38000000 00000000" ANN "01000000 00000000");
        Both(h, (PERSON *)&ann, &n, v);
        assert_int_equal(stream.len % 8, 0);

        stream.most = most[i] / 2 + most[i] / 7; /* any size will do */
        assert_int_equal(MesIncrementalHandleReset(h, NULL, NULL, NULL, NULL, MES_DECODE),
                         RPC_S_INVALID_ARG);
        assert_int_equal(MesIncrementalHandleReset(h, NULL, NULL, NULL, stream_read, MES_DECODE),
                         RPC_S_OK);
        PERSON person = {0};
        RPC_SYNTAX_IDENTIFIER id;
        unsigned long number;
        PERSON_Decode(h, &person);
        check_ann(&person);
        PERSON_Free(h, &person);
        colour = RED;
        COLOUR_Decode(h, &colour);
        assert_int_equal(colour, GREEN);
        assert_int_equal(MesInqProcEncodingId(h, &id, &number), RPC_S_OK);
        assert_int_equal(RAISED(COLOUR_Decode(h, &colour)), RPC_X_WRONG_ES_VERSION);
        v[0] = 0;
        Both(h, &person, &n, v);
        assert_int_equal(v[0], 9);
        assert_int_equal(stream.pos, stream.len);
        PERSON_Free(h, &person);
        assert_int_equal(MesInqProcEncodingId(h, &id, &number), RPC_X_INVALID_BUFFER);
        /* nothing is known any more of where the stream stands */
        assert_int_equal(MesInqProcEncodingId(h, &id, &number), RPC_X_INVALID_ES_ACTION);
        assert_int_equal(MesHandleFree(h), RPC_S_OK);
    }
}

static void c_buffers_of_alloc_are_checked(void **state)
{
    (void)state;
    static const RPC_STATUS expected[] = {RPC_S_OK, RPC_S_OUT_OF_MEMORY, RPC_X_INVALID_BUFFER,
                                          RPC_X_INVALID_BUFFER, RPC_X_INVALID_BUFFER};
    for (int spoiled = 0; spoiled <= 4; spoiled++) {
        struct stream stream = {.spoiled = spoiled};
        handle_t h;
        COLOUR colour = GREEN;
        assert_int_equal(
            MesEncodeIncrementalHandleCreate(&stream, stream_alloc, stream_write, &h), RPC_S_OK);
        assert_int_equal(RAISED(COLOUR_Encode(h, &colour)), expected[spoiled]);
        if (spoiled)
            assert_int_equal(RAISED(COLOUR_Encode(h, &colour)), RPC_X_INVALID_ES_ACTION);
        stream.spoiled = 0;
        stream.len = 0;
        assert_int_equal(MesIncrementalHandleReset(h, NULL, NULL, NULL, NULL, MES_ENCODE_NDR64),
                         RPC_S_OK);
        COLOUR_Encode(h, &colour);
        assert_int_equal(stream.len, 96);
        for (int wrong = 1; wrong <= 2; wrong++) {
            stream.pos = 0;
            stream.spoiled = wrong;
            assert_int_equal(MesIncrementalHandleReset(h, NULL, NULL, NULL, stream_read, MES_DECODE),
                             RPC_S_OK);
            assert_int_equal(RAISED(COLOUR_Decode(h, &colour)), RPC_X_INVALID_BUFFER);
        }
        assert_int_equal(MesHandleFree(h), RPC_S_OK);
    }
}

static void c_routines_may_raise(void **state)
{
    (void)state;
    long live = alloc_live;
    unsigned fails_at = 0;
    RPC_STATUS status;
    do {
        struct stream stream = {.most = 16, .fails_at = ++fails_at};
        PERSON person = {0};
        handle_t h;
        assert_int_equal(
            MesEncodeIncrementalHandleCreate(&stream, stream_alloc, stream_write, &h), RPC_S_OK);
        status = RAISED(PERSON_Encode(h, (PERSON *)&ann));
        if (status == RPC_S_OK) {
            assert_int_equal(
                MesIncrementalHandleReset(h, NULL, NULL, NULL, stream_read, MES_DECODE), RPC_S_OK);
            status = RAISED(PERSON_Decode(h, &person));
        }
        assert_true(status == RPC_S_OK || status == 4711);
        PERSON_Free(h, &person);
        assert_int_equal(MesHandleFree(h), RPC_S_OK);
        assert_int_equal(alloc_live, live);
    } while (status != RPC_S_OK);
    assert_true(fails_at > 10);
}

/* ---- Hostile octets, no memory ----------------------------------------------------------------- */

/* The same octets to a buffer handle and to Reads; whatever comes of it, nothing leaks. */
static void feed(const char *octets, size_t len)
{
    long live = alloc_live;
    for (int incremental = 0; incremental <= 1; incremental++) {
        struct stream stream = {.len = len, .most = 24};
        size_t rounded = len & ~(size_t)7;
        char *copy = malloc(rounded > 0 ? rounded : 1); /* exactly, for the address sanitizer */
        handle_t h;
        memcpy(copy, octets, rounded);
        memcpy(stream.octets, octets, len);
        if (incremental)
            assert_int_equal(MesDecodeIncrementalHandleCreate(&stream, stream_read, &h), RPC_S_OK);
        else
            h = decoder(copy, rounded);
        for (int i = 0; i < 2; i++) {
            PERSON person = {0};
            TEXT name = NULL;
            PPERSON pointer = NULL;
            (void)RAISED(PERSON_Decode(h, &person));
            PERSON_Free(h, &person);
            (void)RAISED(Load(h, &person, &name));
            PERSON_Free(h, &person);
            TEXT_Free(h, &name);
            (void)RAISED(PPERSON_Decode(h, &pointer));
            PPERSON_Free(h, &pointer);
        }
        assert_int_equal(MesHandleFree(h), RPC_S_OK);
        free(copy);
    }
    assert_int_equal(alloc_live, live);
}

static void c_every_prefix_and_every_flipped_bit(void **state)
{
    (void)state;
    static const char *const streams[] = {
        COMMON_1 "38000000 00000000" ANN "38000000 00000000" ANN,
        "01 00 0800 cccccccc" "00000038 00000000" ANN_BIG,
        COMMON_2 "60000000 000000000000000000000000" ANN_64 "0000000000000000",
        PROC "01000000 01000000 40000000" ANN LOADED,
        "01010000" NDR IF_ID "01000000 01000000 00000000" ANN LOADED,
    };
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        size_t len;
        char *octets = from_hex(streams[i], &len);
        for (size_t n = 0; n <= len; n++)
            feed(octets, n);
        for (size_t bit = 0; bit < 8 * len; bit++) {
            octets[bit / 8] = (char)(octets[bit / 8] ^ (1 << bit % 8));
            feed(octets, len);
            octets[bit / 8] = (char)(octets[bit / 8] ^ (1 << bit % 8));
        }
        free(octets);
    }
}

/* What a few octets claim is not allocated. */
static void c_claims_are_not_believed(void **state)
{
    (void)state;
    struct stream stream = {0};
    size_t len;
    handle_t h;
    PERSON person = {0};
    char *octets = from_hex(COMMON_1 "f8ffffff 00000000" ANN, &len);
    memcpy(stream.octets, octets, len);
    stream.len = len;
    stream.most = 8;
    alloc_fail_at(1000000); /* counts */
    assert_int_equal(MesDecodeIncrementalHandleCreate(&stream, stream_read, &h), RPC_S_OK);
    assert_int_equal(RAISED(PERSON_Decode(h, &person)), RPC_X_INVALID_BUFFER);
    assert_true(alloc_countdown > 1000000 - 100);
    alloc_fail_at(-1);
    assert_int_equal(MesHandleFree(h), RPC_S_OK);
    free(octets);
}

/* Encodes and decodes in every style; the status of the first failure. */
static RPC_STATUS run_all(int style, int ndr64)
{
    static _Alignas(16) char fixed[2048];
    struct stream stream = {.most = 48};
    char *buffer = NULL;
    unsigned long size = 0;
    handle_t h = NULL, in = NULL;
    PERSON person = {0}, loaded = {0};
    TEXT name = NULL;
    int32_t n = 1;
    int16_t v[1] = {9};
    const MIDL_ES_CODE code = ndr64 ? MES_ENCODE_NDR64 : MES_ENCODE;
    RPC_STATUS status =
        style == 0   ? MesEncodeIncrementalHandleCreate(&stream, stream_alloc, stream_write, &h)
        : style == 1 ? MesEncodeFixedBufferHandleCreate(fixed, sizeof(fixed), &size, &h)
                     : MesEncodeDynBufferHandleCreate(&buffer, &size, &h);
    char *start = fixed;
    if (status == RPC_S_OK)
        status = style == 0 ? MesIncrementalHandleReset(h, NULL, NULL, NULL, NULL, code)
                            : MesBufferHandleReset(h, (unsigned long)style, code,
                                                   style == 1 ? &start : &buffer, sizeof(fixed),
                                                   &size);
    if (status == RPC_S_OK)
        status = RAISED(PERSON_Encode(h, (PERSON *)&ann));
    if (status == RPC_S_OK)
        status = RAISED(Both(h, (PERSON *)&ann, &n, v));
    if (status == RPC_S_OK)
        status = style == 0 ? MesDecodeIncrementalHandleCreate(&stream, stream_read, &in)
                            : MesDecodeBufferHandleCreate(style == 1 ? fixed : buffer, size, &in);
    if (status == RPC_S_OK)
        status = RAISED(PERSON_Decode(in, &person));
    if (status == RPC_S_OK)
        check_ann(&person);
    if (status == RPC_S_OK)
        status = RAISED(Both(in, &loaded, &n, v));
    if (status == RPC_S_OK)
        check_ann(&loaded);
    PERSON_Free(NULL, &person);
    PERSON_Free(NULL, &loaded);
    TEXT_Free(NULL, &name);
    if (h)
        assert_int_equal(MesHandleFree(h), RPC_S_OK);
    if (in)
        assert_int_equal(MesHandleFree(in), RPC_S_OK);
    if (style == 2)
        MIDL_user_free(buffer);
    return status;
}

static void c_every_allocation_fails_once(void **state)
{
    (void)state;
    for (int style = 0; style < 3; style++) {
        for (int ndr64 = 0; ndr64 <= 1; ndr64++) {
            assert_int_equal(run_all(style, ndr64), RPC_S_OK); /* tables of handles grow */
            long live = alloc_live;
            long failed = 0;
            for (long n = 0;; n++) {
                alloc_fail_at(n);
                RPC_STATUS status = run_all(style, ndr64);
                bool reached = alloc_failed();
                alloc_fail_at(-1);
                assert_int_equal(alloc_live, live);
                if (!reached)
                    break;
                assert_int_equal(status, RPC_S_OUT_OF_MEMORY);
                failed++;
            }
            assert_in_range(failed, 8, 100);
        }
    }
}

/* The table of handles grows until slots are used again; only then is memory back to what
 * it was after a test. */
static int fill_handle_table(void **state)
{
    (void)state;
    static _Alignas(8) char buffer[8];
    for (int i = 0; i < 8192; i++)
        assert_int_equal(MesHandleFree(decoder(buffer, sizeof(buffer))), RPC_S_OK);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_types_have_the_octets_of_version_1),
        cmocka_unit_test(b_a_pointer_type_has_a_referent),
        cmocka_unit_test(b_a_conformant_structure_has_its_count_in_front),
        cmocka_unit_test(b_types_have_the_octets_of_version_2),
        cmocka_unit_test(b_both_byte_orders_are_decoded),
        cmocka_unit_test(b_align_size_is_what_encode_adds),
        cmocka_unit_test(b_values_are_checked),
        cmocka_unit_test(b_operations_have_a_header),
        cmocka_unit_test(b_operations_are_decoded_from_every_writer),
        cmocka_unit_test(b_operations_in_ndr64),
        cmocka_unit_test(b_implicit_handles_and_status_attributes),
        cmocka_unit_test(b_values_the_program_converts),
        cmocka_unit_test(b_arguments_of_handles),
        cmocka_unit_test(b_a_fixed_buffer_takes_what_fits),
        cmocka_unit_test(b_incremental_handles_take_pieces),
        cmocka_unit_test(c_wrong_headers),
        cmocka_unit_test(c_buffers_of_alloc_are_checked),
        cmocka_unit_test(c_routines_may_raise),
        cmocka_unit_test(c_every_prefix_and_every_flipped_bit),
        cmocka_unit_test(c_claims_are_not_believed),
        cmocka_unit_test(c_every_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, fill_handle_table, NULL);
}
