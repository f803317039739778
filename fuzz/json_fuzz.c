/* SPDX-License-Identifier: MIT */
/* json_fuzz.c - arguments of `penstock call`: JSON over an interface with every kind of type.
 *
 * The first octet chooses an operation, the rest is JSON.  What is accepted is encoded, read
 * back by the engine as if a server had sent it, shown, and filled in again: the octets must
 * be the same.  What is refused is refused with a message that has its place.  With the
 * highest bit of the first octet set the rest are the octets of a reply: whatever a server
 * sends and the engine takes can be shown. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "idl/describe.h"
#include "ndr/ndr.h"
#include "tools/call_memory.h"
#include "tools/call_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MIRROR(name, type) "void " name "([in] " type " *v, [out] " type " *w);\n"

static const char idl_text[] =
    "[uuid(7d3a1f60-9b1e-4c55-8e02-3f1c5a6b7c20), pointer_default(unique)] interface fuzz {\n"
    "typedef enum { RED, GREEN = 5 } COLOUR;\n"
    "typedef [v1_enum] enum { MINUS = -1, MUCH = 100000 } SIGN;\n"
    "typedef struct { unsigned long a; unsigned short b, c; byte d[8]; } GUID;\n"
    "typedef struct { boolean a; byte b; char c; small d; short e; unsigned short f; long g;\n"
    "  unsigned long h; hyper i; unsigned hyper j; __int3264 k; float l; double m; wchar_t n;\n"
    "  COLOUR o; SIGN p; GUID r; [range(0, 9)] long s; } SCALARS;\n"
    "typedef struct { [string] char *a; [string] wchar_t *b; [string] char c[8];\n"
    "  [string] wchar_t d[4]; wchar_t e[3]; char f[4]; byte g[4]; } TEXTS;\n"
    "typedef struct { small n; [size_is(n)] byte *a; small last; [max_is(last)] short *b;\n"
    "  small rows, columns; [size_is(rows, columns)] long **c; small m; [size_is(2 * m + 1)] hyper *d;\n"
    "  unsigned small max, first, used; [size_is(max), first_is(first), length_is(used)] long *e;\n"
    "  unsigned short Length, Max; [size_is(Max / 2), length_is(Length / 2)] wchar_t *f;\n"
    "  small k; [size_is(k), string] wchar_t **g; [first_is(first), length_is(used)] short h[5]; } SIZES;\n"
    "typedef struct OPEN { struct OPEN *next; small n; [size_is(n)] hyper tail[]; } OPEN;\n"
    "typedef struct { short flags; OPEN open; } AROUND;\n"
    "typedef struct { AROUND *a; OPEN *b; } OPENS;\n"
    "typedef [switch_type(long)] union { [case(1)] long a; [case(2, 3)] GUID b;\n"
    "  [case(4)] [string] wchar_t *c; [case(5)] ; [default] hyper d; } VALUE;\n"
    "typedef union switch (COLOUR tag) u { case RED: float a; case GREEN: struct { byte x; long y; } b;\n"
    "  default: ; } SHAPE;\n"
    "typedef struct { long t; [switch_is(t)] VALUE v; SHAPE s; short q;\n"
    "  [switch_type(short), switch_is(q)] union { [case(1)] long one; [case(2)] hyper two; [default] ; };\n"
    "  struct { byte x; long y; }; long z; [switch_is(z)] VALUE *p; } TAGGED;\n"
    "typedef struct RING { [ptr] struct RING *next; [ptr] struct RING *back; [ptr] long *n; } RING;\n"
    "typedef struct { long **a; [ref] long *b; struct TREE { long v; struct TREE *l, *r; } *t;\n"
    "  } POINTERS;\n"
    "typedef [context_handle] void *SESSION;\n"
    "typedef struct { byte a; SESSION s; } HOLDER;\n"
    MIRROR("Scalars", "SCALARS") MIRROR("Texts", "TEXTS") MIRROR("Sizes", "SIZES")
    MIRROR("Opens", "OPENS") MIRROR("Tagged", "TAGGED") MIRROR("Ring", "RING")
    MIRROR("Pointers", "POINTERS") MIRROR("Holder", "HOLDER") "}\n";

static const struct idl_description *interface(void)
{
    static const struct idl_description *list;
    static struct idl_compiler *compiler; /* lives as long as the program */
    static const NDR_INTERFACE memory = {.allocate = call_allocate, .free = call_free};
    static const struct idl_options options = {
        .idl_name = "fuzz.idl", .header_name = "", .explicit_handles = true};
    static const struct idl_source source = {
        .path = "fuzz.idl", .text = idl_text, .len = sizeof(idl_text) - 1};
    if (compiler)
        return list;
    compiler = idl_new(&options, NULL);
    bool ok = compiler && idl_compile(compiler, &source, NULL);
    for (const struct idl_diagnostic *d = ok ? NULL : idl_diagnostics(compiler); d; d = d->next) {
        char text[512];
        idl_diagnostic_text(d, text, sizeof(text));
        fputs(text, stderr);
    }
    assert(ok && idl_describe(compiler, &memory, &list) && list);
    return list;
}

/* Fills a new frame from `json` and encodes it.  NULL: refused. */
static uint8_t *encode(const NDR_OPERATION *operation, const json_t *json,
                       struct ndr_writer *writer, bool ndr64)
{
    struct value_walk walk;
    uint8_t *frame = call_allocate(operation->frame_size);
    assert(frame);
    value_walk_init(&walk, "arguments");
    bool ok = value_fill_frame(&walk, operation, frame, json);
    assert(ok == !walk.failed);
    assert(ok || strncmp(walk.error, "arguments", 9) == 0);
    value_walk_fini(&walk);
    ndr_writer_init(writer);
    writer->ndr64 = ndr64;
    if (ok && ndr_encode_params(writer, operation, frame, NDR_PARAM_IN) == RPC_S_OK)
        return frame;
    ndr_writer_fini(writer);
    return NULL;
}

/* Paths of aliases begin with the parameter: results are to be arguments. */
static void rename_paths(json_t *json)
{
    const char *key;
    size_t index;
    json_t *value;
    json_t *same = json_object_size(json) == 1 ? json_object_get(json, "$same") : NULL;
    if (json_is_string(same)) {
        char *path = strdup(json_string_value(same));
        assert(path && *path == 'w');
        *path = 'v';
        json_string_set(same, path);
        free(path);
    }
    json_object_foreach(json, key, value)
    {
        rename_paths(value);
    }
    json_array_foreach(json, index, value)
    {
        rename_paths(value);
    }
}

/* What the request says, as the reply of a server that sends it back.  NULL: the engine does
 * not take it. */
static json_t *mirror(const NDR_OPERATION *operation, uint8_t *frame,
                      const struct ndr_writer *writer)
{
    const struct ndr_memory memory = {.allocate = call_allocate, .free = call_free};
    struct ndr_reader reader = {.octets = writer->octets,
                                .len = writer->len,
                                .little_endian = true,
                                .last = true,
                                .ndr64 = writer->ndr64};
    struct value_walk walk;
    if (ndr_decode_params(&reader, operation, frame, NDR_PARAM_OUT, &memory) != NDR_DONE)
        return NULL;
    value_walk_init(&walk, "results");
    json_t *results = value_show_frame(&walk, operation, frame);
    assert(results);
    value_walk_fini(&walk);
    rename_paths(results);
    json_t *arguments = json_pack("{s:O}", "v", json_object_get(results, "w"));
    assert(arguments);
    json_decref(results);
    return arguments;
}

static void run(const NDR_OPERATION *operation, const json_t *json, bool ndr64)
{
    struct ndr_writer first, second;
    uint8_t *frame = encode(operation, json, &first, ndr64);
    json_t *arguments = frame ? mirror(operation, frame, &first) : NULL;
    if (arguments) {
        frame = encode(operation, arguments, &second, ndr64);
        assert(frame && first.len == second.len);
        assert(memcmp(first.octets, second.octets, first.len) == 0);
        ndr_writer_fini(&second);
    }
    if (frame)
        ndr_writer_fini(&first);
    json_decref(arguments);
    call_free_all();
}

/* A reply, with the results where a frame would have them. */
static void show_reply(const NDR_OPERATION *operation, const uint8_t *octets, size_t len, bool ndr64)
{
    const struct ndr_memory memory = {.allocate = call_allocate, .free = call_free};
    struct ndr_reader reader = {
        .octets = octets, .len = len, .little_endian = true, .last = true, .ndr64 = ndr64};
    uint8_t *frame = call_allocate(operation->frame_size);
    struct value_walk walk;
    assert(frame);
    for (uint32_t i = 0; i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        if (!(param->flags & NDR_PARAM_OUT))
            continue;
        void *room = call_allocate(value_size(param->type->element));
        assert(room);
        memcpy(frame + param->offset, &room, sizeof(room));
    }
    if (ndr_decode_params(&reader, operation, frame, NDR_PARAM_OUT, &memory) == NDR_DONE) {
        value_walk_init(&walk, "results");
        json_t *results = value_show_frame(&walk, operation, frame);
        assert(results || strstr(walk.error, "nested more than"));
        json_decref(results);
        value_walk_fini(&walk);
    }
    call_free_all();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const NDR_INTERFACE *ndr = &interface()->ndr;
    json_error_t error;
    if (size < 2)
        return 0;
    const NDR_OPERATION *operation = &ndr->operations[(data[0] & 63) % ndr->operation_count];
    if (data[0] & 128) {
        show_reply(operation, data + 1, size - 1, data[0] & 64);
        return 0;
    }
    json_t *json = json_loadb((const char *)data + 1, size - 1,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    if (!json)
        return 0;
    run(operation, json, data[0] & 64);
    json_decref(json);
    return 0;
}
