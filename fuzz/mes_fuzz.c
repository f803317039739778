/* SPDX-License-Identifier: MIT */
/* mes_fuzz.c - arbitrary octets as serialised values, through generated stubs
 * (tests/golden/b_pickle) and the public functions.
 *
 *     octet 0   bit 0: octets come from a Read routine, in pieces; bits 1-7: of so many
 *     octet 1   which decoders are tried, three bits each: two of them
 *     rest      the stream
 *
 * What was accepted is encoded, decoded and encoded again in both transfer syntaxes: both
 * encodings are equal.  Nothing leaks. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "b_pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- Memory ------------------------------------------------------------------------- */

static long live;

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    live++;
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    if (object)
        live--;
    free(object);
}

/* ---- Types of one kind of stream ------------------------------------------------------ */

/* Room for any of them; a BLOB has its elements behind it. */
union value {
    COLOUR colour;
    PERSON person;
    PPERSON pointer;
    VECTOR vector;
    TEXT text;
    PERCENT percent;
    struct {
        BLOB blob;
        byte more[64];
    } open;
};

typedef void routine(handle_t handle, void *object);

#define TYPE(T)                                                                                    \
    static void encode_##T(handle_t handle, void *object)                                         \
    {                                                                                              \
        T##_Encode(handle, object);                                                                \
    }                                                                                              \
    static void decode_##T(handle_t handle, void *object)                                         \
    {                                                                                              \
        T##_Decode(handle, object);                                                                \
    }                                                                                              \
    static void free_##T(handle_t handle, void *object)                                           \
    {                                                                                              \
        T##_Free(handle, object);                                                                  \
    }
TYPE(COLOUR)
TYPE(PERSON)
TYPE(PPERSON)
TYPE(BLOB)
TYPE(VECTOR)
TYPE(TEXT)
TYPE(PERCENT)

#define ROW(T) {encode_##T, decode_##T, free_##T}
static const struct {
    routine *encode, *decode, *free;
} types[] = {ROW(COLOUR), ROW(PERSON), ROW(PPERSON), ROW(BLOB),
             ROW(VECTOR), ROW(TEXT),   ROW(PERCENT)};

/* What it raises. */
static RPC_STATUS try(routine *fn, handle_t handle, void *object)
{
    volatile RPC_STATUS status = RPC_S_OK;
    RpcTryExcept
    {
        fn(handle, object);
    }
    RpcExcept(1)
    {
        status = (RPC_STATUS)RpcExceptionCode();
        assert(status != RPC_S_OK);
    }
    RpcEndExcept
    return status;
}

static void prepare(union value *value)
{
    memset(value, 0, sizeof(*value));
}

static void prepare_for(size_t type, union value *value)
{
    prepare(value);
    if (types[type].decode == decode_BLOB)
        value->open.blob.count = (int32_t)sizeof(value->open.more);
}

static char *encoded(size_t type, union value *value, MIDL_ES_CODE code, unsigned long *ret_size)
{
    handle_t handle;
    char *buffer;
    RPC_STATUS status = MesEncodeDynBufferHandleCreate(&buffer, ret_size, &handle);
    assert(status == RPC_S_OK);
    status = MesBufferHandleReset(handle, MES_DYNAMIC_BUFFER_HANDLE, code, &buffer, 0, ret_size);
    assert(status == RPC_S_OK);
    status = try(types[type].encode, handle, value);
    /* What a decoder accepts can be encoded, except an enumerator it was not told of. */
    assert(status == RPC_S_OK || status == RPC_X_ENUM_VALUE_OUT_OF_RANGE);
    MesHandleFree(handle);
    return buffer;
}

static void check_round_trip(size_t type, union value *value, MIDL_ES_CODE code)
{
    unsigned long first_size, second_size;
    union value again;
    handle_t handle;
    char *first = encoded(type, value, code, &first_size);
    prepare_for(type, &again);
    RPC_STATUS status = MesDecodeBufferHandleCreate(first, first_size, &handle);
    assert(status == RPC_S_OK);
    status = try(types[type].decode, handle, &again);
    assert(status == RPC_S_OK);
    MesHandleFree(handle);
    char *second = encoded(type, &again, code, &second_size);
    assert(first_size == second_size && memcmp(first, second, first_size) == 0);
    types[type].free(NULL, &again);
    MIDL_user_free(first);
    MIDL_user_free(second);
}

static void try_type(size_t type, handle_t handle)
{
    union value value;
    prepare_for(type, &value);
    if (try(types[type].decode, handle, &value) == RPC_S_OK) {
        check_round_trip(type, &value, MES_ENCODE);
        check_round_trip(type, &value, MES_ENCODE_NDR64);
    }
    types[type].free(NULL, &value);
    assert(live == 0);
}

/* ---- Operations ------------------------------------------------------------------------- */

struct loaded {
    PERSON person;
    TEXT name;
};

static void load(handle_t handle, void *object)
{
    struct loaded *loaded = object;
    Load(handle, &loaded->person, &loaded->name);
}

static void try_operation(handle_t handle)
{
    struct loaded loaded = {.name = NULL};
    RPC_SYNTAX_IDENTIFIER id;
    unsigned long number;
    RPC_STATUS known = MesInqProcEncodingId(handle, &id, &number);
    RPC_STATUS status = try(load, handle, &loaded);
    assert(known == RPC_S_OK || status != RPC_S_OK);
    PERSON_Free(NULL, &loaded.person);
    TEXT_Free(NULL, &loaded.name);
    assert(live == 0);
}

/* ---- Streams ------------------------------------------------------------------------------ */

struct input {
    const uint8_t *octets;
    size_t left;
    unsigned int piece;
    uint8_t copy[128]; /* what Read gives: gone with the next Read */
};

static void __RPC_USER read_piece(void *state, char **buffer, unsigned int *size)
{
    struct input *input = state;
    if (*size > input->piece)
        *size = input->piece;
    if (*size > input->left)
        *size = (unsigned int)input->left;
    memset(input->copy, 0xee, sizeof(input->copy));
    memcpy(input->copy, input->octets, *size);
    *buffer = (char *)input->copy;
    input->octets += *size;
    input->left -= *size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct input input = {.octets = data + 2, .left = size - 2, .piece = (data[0] >> 1) + 1u};
    size_t rounded = input.left & ~(size_t)7;
    char *buffer = malloc(rounded > 0 ? rounded : 1); /* aligned, and nothing behind it */
    assert(buffer);
    memcpy(buffer, input.octets, rounded);
    handle_t handle;
    RPC_STATUS status = data[0] & 1 ? MesDecodeIncrementalHandleCreate(&input, read_piece, &handle)
                                    : MesDecodeBufferHandleCreate(buffer, rounded, &handle);
    assert(status == RPC_S_OK);
    for (unsigned shift = 0; shift <= 3; shift += 3) {
        size_t choice = data[1] >> shift & 7;
        if (choice < sizeof(types) / sizeof(types[0]))
            try_type(choice, handle);
        else
            try_operation(handle);
    }
    MesHandleFree(handle);
    free(buffer);
    return 0;
}
