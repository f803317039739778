/* SPDX-License-Identifier: MIT */
/* marshal.c - what encoding and decoding cost, without any transport.
 *
 *     marshal message ROUNDS          nanoseconds per message, encoded and decoded
 *     marshal longs|doubles|items N   GB/s of an array of about N octets, beside memcpy
 *                                     between the same buffers
 *
 * It reaches into the engine and into the generated stub, as nobody else should: the
 * descriptors are the stub's own.  One line of JSON. */
#include "marshal_c.c"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "ndr/ndr.h"

#define ITEMS 100
/* Trials of an array; the best counts, for only interruptions make one slower. */
#define TRIALS 200

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    free(object);
}

static const struct ndr_memory memory = {.allocate = malloc, .free = free};

static bool ndr64;

static void encode(struct ndr_writer *writer, const NDR_OPERATION *op, const void *frame)
{
    ndr_writer_reset(writer);
    writer->ndr64 = ndr64;
    RPC_STATUS status = ndr_encode_params(writer, op, frame, NDR_PARAM_IN);
    if (status != RPC_S_OK)
        die("encoding fails: %d", (int)status);
}

/* Into a zeroed frame; the caller frees. */
static void decode(const struct ndr_writer *writer, const NDR_OPERATION *op, void *frame)
{
    struct ndr_reader reader = {.octets = writer->octets,
                                .len = writer->len,
                                .little_endian = true,
                                .last = true,
                                .ndr64 = ndr64};
    memset(frame, 0, op->frame_size);
    if (ndr_decode_params(&reader, op, frame, NDR_PARAM_IN, &memory) != NDR_DONE)
        die("decoding fails: %d", (int)reader.status);
}

/* ---- A message ----------------------------------------------------------------------------- */

static void fill_items(MARSHAL_ITEM *items, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        items[i] = (MARSHAL_ITEM){i, i * 3, i * 0.5};
}

static void check_message(const MARSHAL_MESSAGE *got, const MARSHAL_MESSAGE *sent)
{
    if (strcmp((char *)got->name, (char *)sent->name) != 0 ||
        strcmp((char *)got->owner, (char *)sent->owner) != 0 ||
        strcmp((char *)got->comment, (char *)sent->comment) != 0 || got->count != sent->count ||
        memcmp(got->items, sent->items, sizeof(*sent->items) * ITEMS) != 0)
        die("the message has changed");
}

static void measure_message(uint64_t rounds)
{
    static MARSHAL_ITEM items[ITEMS];
    fill_items(items, ITEMS);
    MARSHAL_MESSAGE message = {.name = (unsigned char *)"quarterly-figures.ods",
                               .owner = (unsigned char *)"replication service",
                               .comment = (unsigned char *)"changed twice since the last run",
                               .count = ITEMS,
                               .items = items};
    const NDR_OPERATION *op = &marshal_Operations[0];
    struct marshal_MarshalMessage_frame out = {.message = &message}, in;
    struct ndr_writer writer;
    ndr_writer_init(&writer);
    uint64_t start = 0;
    for (uint64_t i = 0; i < rounds + rounds / 10; i++) {
        if (i == rounds / 10) /* warm */
            start = now_ns();
        encode(&writer, op, &out);
        decode(&writer, op, &in);
        check_message(in.message, &message);
        ndr_free_params(op, &in, &memory);
    }
    printf("{\"rounds\": %llu, \"ns\": %.1f, \"octets\": %zu}\n", (unsigned long long)rounds,
           (double)(now_ns() - start) / (double)rounds, writer.len);
    ndr_writer_fini(&writer);
}

/* ---- Arrays -------------------------------------------------------------------------------- */

/* All three frames look alike. */
struct array_frame {
    handle_t binding;
    int32_t count;
    void *values;
};

static uint64_t best(uint64_t a, uint64_t b)
{
    return b < a ? b : a;
}

/* Nanoseconds of the best trial. */
struct ways {
    uint64_t encode, decode;
};

/* Encodes and decodes; what was decoded is the caller's to free. */
static void through_engine(const NDR_OPERATION *op, const struct array_frame *out,
                           struct ndr_writer *writer, struct array_frame *ret_in,
                           struct ways *took)
{
    uint64_t t0 = now_ns();
    encode(writer, op, out);
    uint64_t t1 = now_ns();
    decode(writer, op, ret_in);
    uint64_t t2 = now_ns();
    took->encode = best(took->encode, t1 - t0);
    took->decode = best(took->decode, t2 - t1);
}

/* The same octets between the same places: where pages lie changes what copying costs by a
 * quarter, so other buffers would measure those. */
static void through_memcpy(const struct array_frame *out, struct ndr_writer *writer,
                           struct array_frame *in, size_t len, struct ways *took)
{
    unsigned char *payload = writer->octets + writer->len - len; /* ends the message */
    uint64_t t0 = now_ns();
    memcpy(payload, out->values, len);
    __asm__ volatile("" : : "r"(payload) : "memory");
    uint64_t t1 = now_ns();
    memcpy(in->values, payload, len);
    __asm__ volatile("" : : "r"(in->values) : "memory");
    uint64_t t2 = now_ns();
    took->encode = best(took->encode, t1 - t0);
    took->decode = best(took->decode, t2 - t1);
}

static void check_array(const struct array_frame *in, const struct array_frame *out, size_t len)
{
    if (in->count != out->count || memcmp(in->values, out->values, len) != 0)
        die("the array has changed");
}

static void measure_array(const NDR_OPERATION *op, size_t element_len, size_t len)
{
    int32_t count = (int32_t)(len / element_len);
    len = (size_t)count * element_len;
    unsigned char *values = malloc(len);
    if (!values || op->frame_size != sizeof(struct array_frame))
        die("no memory, or another frame");
    for (size_t i = 0; i < len; i++)
        values[i] = (unsigned char)(i * 7);
    struct array_frame out = {.count = count, .values = values}, in;
    struct ndr_writer writer;
    struct ways own = {UINT64_MAX, UINT64_MAX}, plain = own;
    ndr_writer_init(&writer);
    for (unsigned trial = 0; trial < TRIALS; trial++) {
        /* Each begins after a comparison of the same two arrays. */
        through_engine(op, &out, &writer, &in, &own);
        check_array(&in, &out, len);
        through_memcpy(&out, &writer, &in, len, &plain);
        check_array(&in, &out, len);
        ndr_free_params(op, &in, &memory);
    }
    printf("{\"octets\": %zu, \"encode\": %.3f, \"encode_memcpy\": %.3f, \"decode\": %.3f, "
           "\"decode_memcpy\": %.3f}\n",
           len, (double)len / (double)own.encode, (double)len / (double)plain.encode,
           (double)len / (double)own.decode, (double)len / (double)plain.decode);
    ndr_writer_fini(&writer);
    free(values);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        unsigned opnum;
        size_t element_len;
    } arrays[] = {
        {"longs", 1, sizeof(int32_t)},
        {"doubles", 2, sizeof(double)},
        {"items", 3, sizeof(MARSHAL_ITEM)},
    };
    if (argc == 4 && strcmp(argv[3], "ndr64") == 0) {
        ndr64 = true;
        argc--;
    }
    if (argc == 3 && strcmp(argv[1], "message") == 0) {
        measure_message(parse_number(argv[2], 10, 100000000));
        return EXIT_SUCCESS;
    }
    for (size_t i = 0; argc == 3 && i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        if (strcmp(argv[1], arrays[i].name) == 0) {
            measure_array(&marshal_Operations[arrays[i].opnum], arrays[i].element_len,
                          parse_number(argv[2], 64, 1u << 30));
            return EXIT_SUCCESS;
        }
    }
    die("usage: marshal message ROUNDS | longs|doubles|items OCTETS [ndr64]");
}
