/* SPDX-License-Identifier: MIT */
/* mes_handle_test.c - serialisation handles: arguments, buffers, routines of the program; and
 * hostile octets and missing memory in all styles. */
#include "mes_samples.h"

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
    assert_int_equal(MesBufferHandleReset(h, MES_DYNAMIC_BUFFER_HANDLE, MES_ENCODE, &none, 0, NULL),
                     RPC_S_INVALID_ARG);
    assert_int_equal(
        MesBufferHandleReset(h, MES_DYNAMIC_BUFFER_HANDLE, MES_DECODE, &here, 64, NULL), RPC_S_OK);
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
    unsigned int most; /* octets given at a time; 0: all             */
    unsigned calls;    /* of Alloc, Write and Read                   */
    unsigned fails_at; /* the call that raises; 0: none              */
    int spoiled;       /* 1: NULL, 2: misaligned, 3: 4 octets, 4: 0  */
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
        assert_int_equal(MesEncodeIncrementalHandleCreate(&stream, stream_alloc, stream_write, &h),
                         RPC_S_OK);
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
        assert_int_equal(MesEncodeIncrementalHandleCreate(&stream, stream_alloc, stream_write, &h),
                         RPC_S_OK);
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
            assert_int_equal(
                MesIncrementalHandleReset(h, NULL, NULL, NULL, stream_read, MES_DECODE), RPC_S_OK);
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
        assert_int_equal(MesEncodeIncrementalHandleCreate(&stream, stream_alloc, stream_write, &h),
                         RPC_S_OK);
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

/* ---- Hostile octets, no memory -----------------------------------------------------------------
 */

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

/* ThreadSanitizer forgets no frame that an exception leaves, and has room for so many. */
#ifdef __SANITIZE_THREAD__
#define STEP 37
#else
#define STEP 1
#endif

static void c_every_prefix_and_every_flipped_bit(void **state)
{
    (void)state;
    static const char *const streams[] = {
        COMMON_1 "38000000 00000000" ANN "38000000 00000000" ANN,
        "01 00 0800 cccccccc"
        "00000038 00000000" ANN_BIG,
        COMMON_2 "60000000 000000000000000000000000" ANN_64 "0000000000000000",
        PROC "01000000 01000000 40000000" ANN LOADED,
        "01010000" NDR IF_ID "01000000 01000000 00000000" ANN LOADED,
    };
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        size_t len;
        char *octets = from_hex(streams[i], &len);
        for (size_t n = 0; n <= len; n += STEP)
            feed(octets, n);
        for (size_t bit = 0; bit < 8 * len; bit += STEP) {
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
        status = style == 0
                     ? MesIncrementalHandleReset(h, NULL, NULL, NULL, NULL, code)
                     : MesBufferHandleReset(h, (unsigned long)style, code,
                                            style == 1 ? &start : &buffer, sizeof(fixed), &size);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_arguments_of_handles),
        cmocka_unit_test(b_a_fixed_buffer_takes_what_fits),
        cmocka_unit_test(b_incremental_handles_take_pieces),
        cmocka_unit_test(c_buffers_of_alloc_are_checked),
        cmocka_unit_test(c_routines_may_raise),
        cmocka_unit_test(c_every_prefix_and_every_flipped_bit),
        cmocka_unit_test(c_claims_are_not_believed),
        cmocka_unit_test(c_every_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, fill_handle_table, NULL);
}
