/* SPDX-License-Identifier: MIT */
/* mes_test.c - serialisation through stubs that penstock-idl made (tests/golden/b_pickle and
 * others): the octets are typed from MS-RPCE 2.2.6 and 2.2.7 and docs/design/pickling.md. */
#include "mes_samples.h"

#include "c_pickle_all.h"
#include "c_pickle_convert.h"

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
    check_octets(d.buffer, d.size,
                 COMMON_1 "01000000 00000000"
                          "38000000 00000000" ANN);
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
    assert_int_equal(
        MesBufferHandleReset(in, MES_FIXED_BUFFER_HANDLE, MES_DECODE, &d.buffer, d.size, NULL),
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
        COMMON_1 "01000000 00000000"
                 "38000000 00000000" ANN,
        "01 00 0800 cccccccc"
        "00000001 00000000"
        "00000038 00000000" ANN_BIG,
        "01 00 0008 00000000"
        "00000001 ffffffff"
        "00000038 ffffffff" ANN_BIG,
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

/* [byte_count]: all of it lands in the program's buffer, from every writer; what does not fit is
 * refused, and nothing is allocated. */
static void b_operations_decode_into_a_buffer(void **state)
{
    (void)state;
    static const char *const streams[] = {
        PROC "03000000 01000000 38000000" ANN,
        "01000000 8a885d041ceb11c99fe808002b104860 00000002"
        "00000001000000000000000000000081 0001 0002 00000003 00000000 00000038" ANN_BIG,
        "0101cccc" NDR64 IF_ID "03000000 01000000 60000000" ANN_64 "0000000000000000",
    };
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        size_t len;
        long live = alloc_live;
        char *octets = from_hex(streams[i], &len);
        const int32_t room = 512;
        PERSON *person = malloc((size_t)room);
        assert_non_null(person);
        memset(person, 0xee, (size_t)room); /* nothing in it is looked at */
        handle_t in = decoder(octets, len);
        LoadInto(in, room, person);
        check_ann(person);
        assert_in_range((uintptr_t)person->name, (uintptr_t)person, (uintptr_t)person + 511);
        assert_int_equal(MesBufferHandleReset(in, MES_FIXED_BUFFER_HANDLE, MES_DECODE, &octets,
                                              (unsigned long)len, NULL),
                         RPC_S_OK);
        assert_int_equal(RAISED(LoadInto(in, (int32_t)sizeof(PERSON), person)),
                         RPC_X_BYTE_COUNT_TOO_SMALL);
        assert_int_equal(RAISED(LoadInto(in, 1, person)), RPC_X_BYTE_COUNT_TOO_SMALL);
        assert_int_equal(MesHandleFree(in), RPC_S_OK);
        free(person);
        free(octets);
        assert_int_equal(alloc_live, live);
    }
    struct dynamic d;
    dynamic_init(&d);
    SaveOne(d.handle, (PERSON *)&ann);
    PERSON person[8];
    handle_t in = decoder(d.buffer, d.size);
    LoadInto(in, (int32_t)sizeof(person), person);
    check_ann(person);
    assert_int_equal(MesHandleFree(in), RPC_S_OK);
    dynamic_fini(&d);
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
        {"00 10 0800 cccccccc"
         "01000000 00000000",
         RPC_X_WRONG_ES_VERSION, RPC_X_INVALID_BUFFER},
        {"03 10 0800 cccccccc"
         "01000000 00000000",
         RPC_X_WRONG_ES_VERSION, RPC_X_INVALID_BUFFER},
        {"01 11 0800 cccccccc"
         "01000000 00000000",
         RPC_X_WRONG_ES_VERSION, RPC_X_INVALID_BUFFER},
        {"01 10 1000 cccccccc"
         "01000000 00000000",
         RPC_X_WRONG_ES_VERSION, RPC_X_INVALID_BUFFER},
        {"02 00 4000 cccccccc"
         "01000000 00000000",
         RPC_X_WRONG_ES_VERSION, RPC_X_INVALID_BUFFER},
        {"02 10 0800 cccccccc"
         "01000000 00000000",
         RPC_X_WRONG_ES_VERSION, RPC_X_INVALID_BUFFER},
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
        {"0101cccc" NDR NDR "01000000 01000000 00000000", RPC_X_WRONG_ES_VERSION, RPC_S_UNKNOWN_IF},
        {"0101cccc" NDR "01000000000000000000000000000081 0100 0300"
         "01000000 01000000 00000000",
         RPC_X_WRONG_ES_VERSION, RPC_S_UNKNOWN_IF},
        {"0101cccc" NDR "01000000000000000000000000000081 0200 0200"
         "01000000 01000000 00000000",
         RPC_X_WRONG_ES_VERSION, RPC_S_UNKNOWN_IF},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_refusal(rows[i].stream, rows[i].type, rows[i].proc);
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
        cmocka_unit_test(b_operations_decode_into_a_buffer),
        cmocka_unit_test(b_operations_in_ndr64),
        cmocka_unit_test(b_implicit_handles_and_status_attributes),
        cmocka_unit_test(b_values_the_program_converts),
        cmocka_unit_test(c_wrong_headers),
    };
    return cmocka_run_group_tests(tests, fill_handle_table, NULL);
}
