/* SPDX-License-Identifier: MIT */
/* idl_ndr_types_test.c - client stubs that penstock-idl made (tests/golden) through the
 * engine: what they send is what the test spells out, in NDR 2.0 and NDR64; a server that
 * gets it, in either byte order, has values that encode to the same again; no prefix of it
 * and no failing allocation leaves anything behind.
 *
 * The octets are spelled as words, each aligned to its size:
 *   1:n 2:n 4:n 8:n   integers of so many octets      c:n  a count, 4 octets or, in NDR64, 8
 *   p:n               the n-th referent, 0: NULL      @n   a context handle, 0: NULL
 *   'text'            octets                          /n   a gap up to a multiple of n
 *   |n                the same in NDR64 only                                             */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <penstock/rpcnterr.h>

#include "b_allocate.h"
#include "b_context_data.h"
#include "b_dimensions.h"
#include "c_ranges.h"

#include "ndr/ndr.h"
#include "ndr_heap.h"

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return heap_allocate(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    heap_free(object);
}

/* ---- Octets from words ------------------------------------------------------------------ */

struct octets {
    uint8_t at[4096];
    size_t len;
    bool ndr64, little_endian;
};

static void put_gap(struct octets *o, size_t align)
{
    while (o->len % align != 0)
        o->at[o->len++] = 0;
}

static void put(struct octets *o, size_t size, uint64_t value)
{
    put_gap(o, size);
    for (size_t i = 0; i < size; i++)
        o->at[o->len + i] = (uint8_t)(value >> 8 * (o->little_endian ? i : size - 1 - i));
    o->len += size;
}

/* Handle n: a UUID made of n. */
static void put_context(struct octets *o, unsigned n)
{
    static const uint8_t end[2][8] = {{0}, {[7] = 0xff}};
    put(o, 4, 0);
    put(o, 4, n ? 0x01020300u + n : 0);
    put(o, 2, n ? 0x0405 : 0);
    put(o, 2, n ? 6 : 0);
    memcpy(o->at + o->len, end[n != 0], 8);
    o->len += 8;
}

static const char *put_word(struct octets *o, const char *word)
{
    if (*word == '\'') {
        for (word++; *word != '\''; word++)
            o->at[o->len++] = (uint8_t)*word;
        return word + 1;
    }
    char *end;
    bool is_letter = *word == 'c' || *word == 'p' || *word == '/' || *word == '|' || *word == '@';
    char letter = is_letter ? *word++ : '\0';
    size_t size = is_letter ? (o->ndr64 ? 8 : 4) : strtoul(word, &end, 10);
    if (!is_letter)
        word = end;
    if (*word == ':')
        word++;
    uint64_t value = (uint64_t)strtoll(word, &end, 0);
    assert_ptr_not_equal(word, end);
    if (letter == '/' || (letter == '|' && o->ndr64))
        put_gap(o, value);
    else if (letter == '@')
        put_context(o, (unsigned)value);
    else if (letter != '|')
        put(o, size, letter == 'p' && value ? 0x20000 + 4 * (value - 1) : value);
    return end;
}

static void spell(struct octets *o, const char *words, bool ndr64, bool little_endian)
{
    *o = (struct octets){.ndr64 = ndr64, .little_endian = little_endian};
    while (*words != '\0') {
        assert_in_range(o->len, 0, sizeof(o->at) - 64);
        words = *words == ' ' ? words + 1 : put_word(o, words);
    }
}

/* ---- Context handles --------------------------------------------------------------------- */

static char objects[8]; /* handle n is objects + n */

static RPC_STATUS to_wire(void *arg, const NDR_TYPE *type, const void *slot,
                          uint8_t out[NDR_CONTEXT_LEN])
{
    struct octets o = {.little_endian = true};
    const char *object;
    (void)arg;
    assert_non_null(type->context);
    memcpy(&object, slot, sizeof(object));
    put_context(&o, object ? (unsigned)(object - objects) : 0);
    memcpy(out, o.at, NDR_CONTEXT_LEN);
    return RPC_S_OK;
}

static RPC_STATUS from_wire(void *arg, const NDR_TYPE *type, const uint8_t in[NDR_CONTEXT_LEN],
                            void *slot)
{
    (void)arg;
    assert_non_null(type->context);
    for (unsigned n = 0; n < sizeof(objects); n++) {
        struct octets o = {.little_endian = true};
        char *object = n ? objects + n : NULL;
        put_context(&o, n);
        if (memcmp(o.at, in, NDR_CONTEXT_LEN) != 0)
            continue;
        memcpy(slot, &object, sizeof(object));
        return RPC_S_OK;
    }
    return RPC_X_SS_CONTEXT_MISMATCH;
}

static const struct ndr_context_hooks hooks = {.to_wire = to_wire, .from_wire = from_wire};

/* ---- A call -------------------------------------------------------------------------------- */

static const char *wanted;                     /* what the next call sends, in words     */
static const char *refused[8];                 /* what its server has to refuse          */
static void (*check_received)(const void *frame); /* what its server sees, or NULL       */

static struct ndr_reader reader_of(const struct octets *o, size_t len)
{
    return (struct ndr_reader){.octets = o->at,
                               .len = len,
                               .little_endian = o->little_endian,
                               .ndr64 = o->ndr64,
                               .last = true,
                               .reallocate = heap_reallocate,
                               .contexts = &hooks};
}

static void check_encoded(const NDR_OPERATION *operation, const void *frame, bool ndr64)
{
    struct octets o;
    struct ndr_writer writer;
    spell(&o, wanted, ndr64, true);
    ndr_writer_init(&writer);
    writer.ndr64 = ndr64;
    writer.contexts = &hooks;
    assert_int_equal(ndr_encode_params(&writer, operation, frame, NDR_PARAM_IN), RPC_S_OK);
    assert_int_equal(writer.len, o.len);
    assert_memory_equal(writer.octets, o.at, o.len);
    ndr_writer_fini(&writer);
}

/* *ret_status: RPC_S_OK, or what the decoding failed with; then nothing is left of it. */
static void receive(const NDR_OPERATION *operation, const struct octets *o, size_t len,
                    RPC_STATUS *ret_status)
{
    void *frame = calloc(1, operation->frame_size);
    uint8_t *copy = malloc(len + 1); /* so that a sanitizer sees reads beyond */
    struct octets part = *o;
    assert_true(frame && copy);
    memcpy(copy, o->at, len);
    struct ndr_reader reader = reader_of(&part, len);
    reader.octets = copy;
    enum ndr_verdict verdict =
        ndr_decode_params(&reader, operation, frame, NDR_PARAM_IN, &heap);
    heap_fail_at(-1);
    *ret_status = verdict == NDR_DONE ? RPC_S_OK : reader.status;
    if (verdict == NDR_DONE) {
        assert_int_equal(reader.pos, o->len);
        assert_int_equal(ndr_prepare_out(operation, frame, &heap), RPC_S_OK);
        check_encoded(operation, frame, o->ndr64);
        if (check_received)
            check_received(frame);
        ndr_free_params(operation, frame, &heap);
    }
    assert_int_equal(heap_live, 0);
    free(frame);
    free(copy);
}

static void check_syntax(const NDR_OPERATION *operation, const void *frame, bool ndr64)
{
    RPC_STATUS status;
    check_encoded(operation, frame, ndr64);
    for (int order = 0; order <= 1; order++) {
        struct octets o;
        spell(&o, wanted, ndr64, order);
        receive(operation, &o, o.len, &status);
        assert_int_equal(status, RPC_S_OK);
        for (size_t len = 0; len < o.len; len++) {
            receive(operation, &o, len, &status);
            assert_int_equal(status, RPC_X_BAD_STUB_DATA);
        }
        status = RPC_S_OUT_OF_MEMORY;
        for (long n = 0; status != RPC_S_OK; n++) {
            heap_fail_at(n);
            receive(operation, &o, o.len, &status);
            assert_true(status == RPC_S_OK || status == RPC_S_OUT_OF_MEMORY);
        }
    }
}

/* The stubs are compiled to call this instead of the runtime. */
void RPC_ENTRY NdrxClientCall(const RPC_CLIENT_INTERFACE *interface_spec, unsigned int opnum,
                                   void *frame)
{
    const NDR_OPERATION *operation = &interface_spec->InterpreterInfo->operations[opnum];
    assert_non_null(wanted);
    check_syntax(operation, frame, false);
    check_syntax(operation, frame, true);
    for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]) && refused[i]; i++) {
        for (unsigned n = 0; n < 4; n++) {
            struct octets o;
            RPC_STATUS status;
            spell(&o, refused[i], n & 1, n & 2);
            receive(operation, &o, o.len, &status);
            if (status != RPC_X_BAD_STUB_DATA)
                fail_msg("status %d, not refused: %s", (int)status, refused[i]);
        }
        refused[i] = NULL;
    }
    wanted = NULL;
    check_received = NULL;
}

/* ---- b_context_data ------------------------------------------------------------------------- */

static void b_handles_in_structures(void **state)
{
    (void)state;
    VIEW one = (VIEW)(void *)(objects + 5);
    CHANNEL all[2] = {objects + 3, NULL};
    SESSION in = {.tag = 7, .channel = objects + 1, .views = {(VIEW)(void *)(objects + 2), NULL}};
    SESSION both = {.tag = 8};
    SESSIONS some = {.n = 2, .all = all, .one = &one};
    wanted = "1:7 @1 @2 @0 1:8 @0 @0 @0 4:2 p:1 p:2 |8 c:2 @3 @0 @5";
    Struct(NULL, in, &both, &some);
}

static void b_handles_in_arrays(void **state)
{
    (void)state;
    CHANNEL pair[2] = {objects + 1, objects + 2}, three[3] = {NULL, objects + 4, objects + 1};
    VIEW out[3];
    wanted = "@1 @2";
    Fixed(NULL, pair);
    wanted = "4:3 c:3 @0 @4 @1";
    Sized(NULL, 3, three, out);
    wanted = "4:0 c:0";
    Sized(NULL, 0, three, out);
}

static void b_handles_behind_pointers(void **state)
{
    (void)state;
    struct {
        OPEN_SESSIONS open;
        CHANNEL more[1];
    } open = {.open = {.n = 2}};
    CHANNEL one = objects + 6, *in = &one, *null = NULL;
    VIEW *out = NULL;
    open.open.all[0] = objects + 1;
    memcpy((char *)&open + offsetof(OPEN_SESSIONS, all) + sizeof(CHANNEL), &one, sizeof(one));
    wanted = "p:1 @6 c:2 2:2 @1 @6";
    Deep(NULL, &in, &out, &open.open);
    wanted = "p:0 c:2 2:2 @1 @6";
    Deep(NULL, &null, &out, &open.open);
}

static void b_handles_in_unions(void **state)
{
    (void)state;
    VIEW view = (VIEW)(void *)(objects + 2), some[2] = {view, view};
    EITHER either = {.kind = 1, .tagged_union = {.channel = objects + 1}};
    wanted = "4:1 |8 @1 4:2 c:2 c:0 c:1 @2";
    Either(NULL, &either, 2, some);
    either = (EITHER){.kind = 2, .tagged_union = {.view = &view}};
    wanted = "4:2 |8 p:1 @2 4:2 c:2 c:0 c:1 @2";
    Either(NULL, &either, 2, some);
    either = (EITHER){.kind = 3};
    wanted = "4:3 |8 4:2 c:2 c:0 c:1 @2";
    Either(NULL, &either, 2, some);
}

/* ---- b_dimensions --------------------------------------------------------------------------- */

static void check_zero_around(const void *frame)
{
    int32_t(*v)[4];
    byte(*w)[4];
    memcpy(&v, (const char *)frame + 2 * sizeof(void *), sizeof(v)); /* h, n, v, w */
    memcpy(&w, (const char *)frame + 3 * sizeof(void *), sizeof(w));
    assert_int_equal(v[1][3], 24);
    for (int i = 0; i < 4; i++)
        assert_int_equal(v[2][i] | v[3][i], 0);
    assert_int_equal(w[0][2] | w[1][1] | w[2][1], 0);
    assert_int_equal(w[2][3], 'z');
}

static void b_every_dimension_has_offset_and_count(void **state)
{
    (void)state;
    int32_t v[4][4] = {{11, 12, 13, 14}, {21, 22, 23, 24}, {31}};
    byte w[3][4] = {"....", "..wx", "..yz"};
    int16_t three[2][2][2] = {{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}};
    check_received = check_zero_around;
    wanted = "4:2 c:0 c:2 c:0 c:4 4:11 4:12 4:13 4:14 4:21 4:22 4:23 4:24 "
             "c:1 c:2 c:2 c:2 'wxyz' "
             "c:0 c:2 c:0 c:2 c:0 c:2 2:1 2:2 2:3 2:4 2:5 2:6 2:7 2:8";
    DimensionsFixed(NULL, 2, v, w, three);
    wanted = "4:0 c:0 c:0 c:0 c:4 c:1 c:2 c:0 c:4 '..wx..yz' c:0 c:2 c:0 c:2 c:0 c:0";
    DimensionsFixed(NULL, 0, v, w, three);
}

static void b_conformant_dimensions_have_their_count_first(void **state)
{
    (void)state;
    int32_t v[3][3] = {{1, 2, 3}, {4, 5, 6}, {7}}, one[3][2] = {{1, 2}, {3, 4}, {5, 6}};
    ROW rows[3] = {{1, 2, 3}, {4, 5, 6}, {7}};
    wanted = "4:3 4:2 c:3 c:0 c:2 c:0 c:2 4:1 4:2 4:4 4:5 "
             "c:3 c:0 c:2 c:0 c:3 2:1 2:2 2:3 2:4 2:5 2:6 "
             "c:0 c:2 c:0 c:2 4:1 4:2 4:3 4:4";
    DimensionsSized(NULL, 3, 2, v, rows, &one);
}

static void b_dimensions_in_structures(void **state)
{
    (void)state;
    ROW rows[2] = {{1, 2, 3}, {4, 5, 6}};
    unsigned char b[] = "b";
    TABLES tables = {.rows = 2,
                     .columns = 1,
                     .fixed = {{1}, {2}},
                     .sized = rows,
                     .texts = {{NULL, b}},
                     .lines = {"abc"}};
    OPEN_TABLE open = {.n = 1, .columns = 1, .cells = {{-9}}};
    wanted = "4:2 4:1 c:0 c:2 c:0 c:1 4:1 4:2 p:1 c:0 c:2 c:0 c:2 p:0 p:2 p:0 p:0 "
             "c:0 c:1 c:0 c:4 'abc' 1:0 |8 "
             "c:2 c:0 c:2 c:1 c:2 2:2 2:3 2:5 2:6 c:2 c:0 c:2 'b' 1:0 "
             "c:1 /8 2:1 2:1 c:0 c:1 c:0 c:1 8:-9";
    DimensionsStruct(NULL, &tables, &open);
}

static void b_dimensions_of_pointers(void **state)
{
    (void)state;
    unsigned char a[] = "a";
    TEXT texts[2][2] = {{a, NULL}};
    wanted = "4:1 c:0 c:1 c:0 c:1 p:1 c:2 c:0 c:2 'a' 1:0";
    Texts(NULL, 1, texts);
}

static void b_dimensions_nobody_announced(void **state)
{
    (void)state;
    int32_t v[4][4] = {{1, 2, 3, 4}};
    byte w[3][4] = {"", ".ab", ".cd"};
    int16_t three[2][2][2] = {{{0}}};
#define V "c:0 c:1 c:0 c:4 4:1 4:2 4:3 4:4 "
#define W "c:1 c:2 c:1 c:2 'abcd' "
#define THREE "c:0 c:2 c:0 c:2 c:0 c:1 2:0 2:0 2:0 2:0"
    wanted = "4:1 " V "c:1 c:2 c:1 c:3 1:97 1:98 1:0 1:99 1:100 1:0 " THREE;
    refused[0] = "4:1 c:1 c:1 c:0 c:4 4:1 4:2 4:3 4:4 " W THREE;   /* first without first_is */
    refused[1] = "4:1 c:0 c:1 c:0 c:3 4:1 4:2 4:3 " W THREE;       /* fewer than there are   */
    refused[2] = "4:1 c:0 c:1 c:0 c:5 4:1 4:2 4:3 4:4 4:5 " W THREE;
    refused[3] = "4:1 c:0 c:1 c:0 c:0x7fffffff 4:1 4:2 " W THREE;
    refused[4] = "4:1 " V "c:1 c:3 c:1 c:3 'abcdefghi' " THREE; /* beyond the outer end */
    refused[5] = "4:1 " V "c:1 c:2 c:2 c:3 'abcdef' " THREE;    /* beyond the inner end */
    refused[6] = "4:1 " V "c:1 c:2 c:1 c:2 'abcd' " THREE;      /* not what last_is says */
    DimensionsFixed(NULL, 1, v, w, three);
}

/* ---- c_ranges -------------------------------------------------------------------------------- */

#define LEVELS "c:2 p:1 p:2 c:2 4:0 4:1 c:2 4:2 4:100 "
static void c_counts_and_elements_have_limits(void **state)
{
    (void)state;
    PERCENT v[5] = {5, 100}, row[2] = {0, 1}, last[2] = {2, 100}, *levels[5] = {row, last};
    PERCENT table[2][2] = {{1, 2}, {3, 4}}, *few[1] = {v};
    wanted = "4:2 c:2 4:5 4:100 " LEVELS "c:2 4:1 4:2 4:3 4:4 p:3 c:2 4:5 4:100";
    refused[0] = "4:2 c:2 4:5 4:101 " LEVELS "c:2 4:1 4:2 4:3 4:4 p:3 c:2 4:5 4:100";
    refused[1] = "4:2 c:2 4:5 4:100 " LEVELS "c:2 4:1 4:2 4:3 4:101 p:3 c:2 4:5 4:100";
    refused[2] = "4:2 c:2 4:5 4:100 " LEVELS "c:2 4:1 4:2 4:3 4:4 p:3 c:2 4:5 4:-1";
    refused[3] = "4:2 c:2 4:5 4:100 c:2 p:1 p:2 c:2 4:0 4:1 c:2 4:2 4:101 "
                 "c:2 4:1 4:2 4:3 4:4 p:3 c:2 4:5 4:100";
    refused[4] = "4:4 c:4 4:5 4:5 4:5 4:5 c:4 p:0 p:0 p:0 p:0 "
                 "c:4 4:1 4:1 4:1 4:1 4:1 4:1 4:1 4:1 p:0";
    refused[5] = "4:0 c:0 c:0 c:0 p:1 c:0";
    Elements(NULL, 2, v, levels, table, few);
}

static void c_strings_have_limits(void **state)
{
    (void)state;
    WCHAR x[] = u"x", long_one[] = u"xyz", *names[5] = {x, long_one};
    WCHAR y[] = u"y";
    LABEL labels[5] = {x, y}; /* x again, but checked otherwise: another object */
    unsigned char text[] = "ab";
#define LABELS "c:2 p:3 p:4 c:2 c:0 c:2 2:120 2:0 c:2 c:0 c:2 2:121 2:0 "
    wanted = "4:2 c:2 p:1 p:2 c:2 c:0 c:2 2:120 2:0 c:4 c:0 c:4 2:120 2:121 2:122 2:0 " LABELS
             "p:5 c:3 c:0 c:3 'ab' 1:0";
    refused[0] = "4:2 c:2 p:1 p:0 c:5 c:0 c:2 2:120 2:0 " LABELS "p:5 c:3 c:0 c:3 'ab' 1:0";
    refused[1] = "4:2 c:2 p:1 p:0 c:2 c:0 c:2 2:120 2:0 " LABELS "p:5 c:4 c:0 c:4 'abc' 1:0";
    refused[2] = "4:0 c:0 c:0 p:1 c:0 c:0 c:0";
    refused[3] = "4:5 c:5 p:0 p:0 p:0 p:0 p:0 c:5 p:0 p:0 p:0 p:0 p:0 p:0";
    refused[4] = "4:1 c:1 p:0 c:1 p:1 c:65 c:0 c:1 2:0 p:0";
    Names(NULL, 2, names, labels, text);
}

/* ---- b_allocate ------------------------------------------------------------------------------ */

struct optional_frame {
    handle_t h;
    int32_t n;
    int32_t *previous;
    TEXT *texts;
    WCHAR *name;
    LISTS *lists;
};

static void check_storage(const void *received)
{
    const struct optional_frame *frame = received;
    assert_int_equal(*frame->previous, 0);
    assert_null(frame->texts[2]);
    assert_int_equal(frame->name[2], 0);
    assert_null(frame->lists->kept);
}

/* Only whether they are NULL goes to the server, whose manager gets zeros. */
static void b_partial_ignore_sends_the_pointer_alone(void **state)
{
    (void)state;
    int32_t previous = 0x5a5a5a5a;
    TEXT texts[3] = {(TEXT)(uintptr_t)1, (TEXT)(uintptr_t)2, (TEXT)(uintptr_t)3};
    WCHAR name[3] = {1, 2, 3};
    LISTS lists = {.kept = (PNODE)(uintptr_t)4, .freed = (PNODE)(uintptr_t)8};
    check_received = check_storage;
    wanted = "4:3 p:1 p:2 p:3 p:4";
    refused[0] = "4:-1 p:0 p:1 p:0 p:0";
    Optional(NULL, 3, &previous, texts, name, &lists);
    wanted = "4:0 p:0 p:1 p:0 p:2";
    Optional(NULL, 0, NULL, texts, NULL, &lists);
}

/* The reply fills what the client has and allocates what hangs there. */
static void b_partial_ignore_replies_into_the_clients_memory(void **state)
{
    (void)state;
    const NDR_OPERATION *operation =
        &((const RPC_CLIENT_INTERFACE *)allocate_v1_0_c_ifspec)->InterpreterInfo->operations[2];
    for (int variant = 0; variant < 4; variant++) {
        int32_t previous = 0x5a5a5a5a;
        TEXT texts[2] = {(TEXT)(uintptr_t)1, (TEXT)(uintptr_t)2};
        WCHAR name[2] = {1, 2};
        LISTS lists = {.kept = (PNODE)(uintptr_t)4, .freed = (PNODE)(uintptr_t)8};
        struct optional_frame frame = {NULL, 2, &previous, texts, name, &lists};
        struct octets o;
        spell(&o,
              "p:1 4:7 p:2 c:2 p:3 p:0 c:2 c:0 c:2 'a' 1:0 p:4 c:2 c:0 c:2 2:98 2:0 "
              "p:5 p:0 p:6 4:9 |8 p:0",
              variant & 1, variant & 2);
        struct ndr_reader reader = reader_of(&o, o.len);
        assert_int_equal(ndr_decode_params(&reader, operation, &frame, NDR_PARAM_OUT, &heap),
                         NDR_DONE);
        assert_true(previous == 7 && frame.previous == &previous && frame.lists == &lists);
        assert_string_equal((char *)texts[0], "a");
        assert_null(texts[1]);
        assert_int_equal(name[0], 'b');
        assert_null(lists.kept);
        assert_int_equal(lists.freed->value, 9);
        assert_int_equal(heap_live, 2);
        heap_free_all();
    }
}

static PNODE kept;

static void remember_kept(const void *frame)
{
    memcpy(&kept, (const char *)frame + sizeof(void *), sizeof(kept)); /* h, list */
}

/* dont_free: when the manager was called the list is its own, else it goes with the rest. */
static void b_dont_free_leaves_it_to_the_manager(void **state)
{
    (void)state;
    const NDR_OPERATION *operation =
        &((const RPC_CLIENT_INTERFACE *)allocate_v1_0_c_ifspec)->InterpreterInfo->operations[0];
    const char *words = "4:1 p:1 4:2 |8 p:0 p:2 p:3 4:3 |8 p:0 4:4 |8 p:0 4:5 |8 p:0";
    NODE second = {.value = 2}, first = {.value = 1, .next = &second}, freed = {.value = 5};
    NODE three = {.value = 3}, four = {.value = 4};
    LISTS lists = {.kept = &three, .freed = &four};
    wanted = words;
    Keep(NULL, &first, &lists, &freed);

    void *frame = calloc(1, operation->frame_size);
    struct octets o;
    spell(&o, words, false, true);
    struct ndr_reader reader = reader_of(&o, o.len);
    struct ndr_memory managed = heap;
    managed.managed = true;
    assert_non_null(frame);
    assert_int_equal(ndr_decode_params(&reader, operation, frame, NDR_PARAM_IN, &heap), NDR_DONE);
    remember_kept(frame);
    ndr_free_params(operation, frame, &managed);
    assert_int_equal(heap_live, 3); /* both of the list, and lists->kept */
    assert_int_equal(kept->next->value, 2);
    heap_free_all();
    free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_handles_in_structures),
        cmocka_unit_test(b_handles_in_arrays),
        cmocka_unit_test(b_handles_behind_pointers),
        cmocka_unit_test(b_handles_in_unions),
        cmocka_unit_test(b_every_dimension_has_offset_and_count),
        cmocka_unit_test(b_conformant_dimensions_have_their_count_first),
        cmocka_unit_test(b_dimensions_in_structures),
        cmocka_unit_test(b_dimensions_of_pointers),
        cmocka_unit_test(b_dimensions_nobody_announced),
        cmocka_unit_test(c_counts_and_elements_have_limits),
        cmocka_unit_test(c_strings_have_limits),
        cmocka_unit_test(b_partial_ignore_sends_the_pointer_alone),
        cmocka_unit_test(b_partial_ignore_replies_into_the_clients_memory),
        cmocka_unit_test(b_dont_free_leaves_it_to_the_manager),
    };
    return cmocka_run_group_tests_name("idl_ndr_types", tests, NULL, NULL);
}
