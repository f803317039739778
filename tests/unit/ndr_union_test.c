/* SPDX-License-Identifier: MIT */
/* ndr_union_test.c - unions, varying arrays and full pointers in NDR 2.0: vectors derived by
 * hand (C706 14.3.3.3, 14.3.8, 14.3.12; ndr_vectors.h), what is refused, and whose memory a
 * reply is written to. */
#include "ndr_vectors.h"

/* The octets are laid out by meaning. */
/* clang-format off */
const struct vector vectors[] = {
    {"unions: discriminant again in front of the arm, each at its own alignment", &unions_op,
     NDR_PARAM_IN, fill_unions, 0,
     "07 00 fdff 00000200 03000000 00000000 03000000 616200 00" /* mark, choice, "ab", gap */
     "fdff"                                                     /* kind */
     "01 00 04000200 00 00 0100 0200 0300"                      /* link, *next */
     "09 00 0700 08000200 0700 0000"                            /* holder, gap */
     "01 00 0900 0500 0900"                                     /* *pick.next */
     "64000000 0c000200 64000000 10000200 4d000000",            /* box, *info, *p */
     "07 00 fffd 00000200 00000003 00000000 00000003 616200 00"
     "fffd"
     "01 00 04000200 00 00 0001 0002 0003"
     "09 00 0007 08000200 0007 0000"
     "01 00 0009 0005 0009"
     "00000064 0c000200 00000064 10000200 0000004d"},
    {"unions: empty arms", &unions_op, NDR_PARAM_IN, fill_empty_unions, 0,
     "07 00 0500 0500 02 00 09 00 0000 78 00 0000 65000000 00000200 65000000 05000000", NULL},
    {"unions: default arm", &unions_op, NDR_PARAM_IN, fill_default_union, 0,
     "07 00 6300 03 000000 00000200 06000000 6300 02 00 09 00 0000 78 00 0000"
     "65000000 04000200 65000000 05000000", NULL},
    {"unions: the [out] part", &unions_op, NDR_PARAM_OUT, fill_unions, 0,
     "09 00 0700 00000200 0700 0000 01 00 0900 0500 0900"
     "64000000 04000200 64000000 08000200 4d000000", NULL},
    {"varying: conformant, in a structure's tail, fixed, of pointers", &varying_op, NDR_PARAM_IN,
     fill_varying, 0,
     "04000000 00000000 02000000 0102 0000 04000000 02000000"      /* buf, max, len */
     "05000000 05000000 0200 0000 00000000 02000000 0700 0800"     /* tail */
     "01000000 02000000 0b000000 0c000000 0100 0200"               /* fix */
     "04000000 01000000 03000000 00000200 00000000 04000200"       /* names */
     "02000000 00000000 02000000 7800 0000 02000000 00000000 02000000 7900",
     "00000004 00000000 00000002 0102 0000 00000004 00000002"
     "00000005 00000005 0002 0000 00000000 00000002 0007 0008"
     "00000001 00000002 0000000b 0000000c 0001 0002"
     "00000004 00000001 00000003 00000200 00000000 04000200"
     "00000002 00000000 00000002 7800 0000 00000002 00000000 00000002 7900"},
    {"varying: the [out] part", &varying_op, NDR_PARAM_OUT, fill_varying, 0,
     "04000000 00000000 02000000 0102 0000 02000000", NULL},
    {"varying: nothing travels", &varying_op, NDR_PARAM_IN, fill_varying_nothing, 0,
     "01000000 00000000 00000000 01000000 00000000"
     "00000000 00000000 0000 0000 00000000 00000000"
     "05000000 00000000 0500 0000"
     "01000000 01000000 00000000", NULL},
    {"graph: each object once, behind the first pointer worked off; a circle", &graph_op,
     NDR_PARAM_IN, fill_graph, 0,
     "01000000 00000200 00000200 04000200 00000000" /* root */
     "02000000 00000200 08000200 04000200 00000000" /* a */
     "03000000 00000000 00000200 00000000 00000000" /* a->b */
     "03000000 00000000 03000000 6e6d00 00"         /* the name, gap */
     "08000200",                                    /* also */
     "00000001 00020000 00020000 00020004 00000000"
     "00000002 00020000 00020008 00020004 00000000"
     "00000003 00000000 00020000 00000000 00000000"
     "00000003 00000000 00000003 6e6d00 00"
     "00020008"},
    {"graph: the [out] part", &graph_op, NDR_PARAM_OUT, fill_graph, 0,
     "01000000 00000200 00000200 04000200 00000000"
     "02000000 00000200 08000200 04000200 00000000"
     "03000000 00000000 00000200 00000000 00000000"
     "03000000 00000000 03000000 6e6d00", NULL},
};
/* clang-format on */

const size_t vector_count = ROWS(vectors);
const bool vectors_are_ndr64 = false;

/* ---- Octets that are wrong ------------------------------------------------------------ */

/* `at`: one octet of a vector above changed to `to`. */
static const struct {
    const char *what;
    size_t vector, at;
    uint8_t to;
    RPC_STATUS status;
} wrong[] = {
    {"empty arm: switch_is, which comes later, has none", 1, 4, 6, RPC_X_BAD_STUB_DATA},
    {"switch_is is not the discriminant", 0, 24, 2, RPC_X_BAD_STUB_DATA},
    {"discriminant of an encapsulated union without arm", 0, 26, 3, RPC_S_INVALID_TAG},
    {"discriminant without arm", 0, 42, 8, RPC_S_INVALID_TAG},
    {"member switch_is names, behind the union", 0, 48, 9, RPC_X_BAD_STUB_DATA},
    {"[range] of an arm", 0, 56, 10, RPC_X_BAD_STUB_DATA},
    {"union behind a pointer: not the member", 0, 60, 101, RPC_X_BAD_STUB_DATA},
    {"union behind a pointer: not the discriminant", 0, 68, 101, RPC_X_BAD_STUB_DATA},
    {"union behind a pointer: no arm", 0, 68, 102, RPC_S_INVALID_TAG},
    {"enum discriminant above 32767", 0, 43, 0x80, RPC_X_BAD_STUB_DATA},
    {"offset without first_is", 4, 4, 1, RPC_X_BAD_STUB_DATA},
    {"actual above max", 4, 8, 5, RPC_X_BAD_STUB_DATA},
    {"actual is not length_is", 4, 20, 1, RPC_X_BAD_STUB_DATA},
    {"tail: hoisted max is not size_is", 4, 24, 6, RPC_X_BAD_STUB_DATA},
    {"tail: actual is not length_is", 4, 32, 3, RPC_X_BAD_STUB_DATA},
    {"tail: offset", 4, 36, 1, RPC_X_BAD_STUB_DATA},
    {"fixed: offset + actual above the array", 4, 48, 4, RPC_X_BAD_STUB_DATA},
    {"fixed: offset is not first_is behind the array", 4, 64, 2, RPC_X_BAD_STUB_DATA},
    {"fixed: actual is not length_is behind the array", 4, 66, 1, RPC_X_BAD_STUB_DATA},
    {"no length_is: actual is not the rest", 4, 76, 2, RPC_X_BAD_STUB_DATA},
    {"offset is not a constant first_is", 4, 72, 0, RPC_X_BAD_STUB_DATA},
    {"a string's referent is a structure's", 7, 32, 0, RPC_X_BAD_STUB_DATA},
};

static void b_wrong_octets(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(wrong); i++) {
        const struct vector *v = &vectors[wrong[i].vector];
        union frames frame;
        size_t len;
        uint8_t *octets = octets_of(v->octets, &len);
        print_message("# %s\n", wrong[i].what);
        assert_int_not_equal(octets[wrong[i].at], wrong[i].to);
        octets[wrong[i].at] = wrong[i].to;
        struct ndr_reader r = reader_of(v, octets, len);
        memset(&frame, 0, sizeof(frame));
        assert_int_equal(ndr_decode_params(&r, v->operation, &frame, NDR_PARAM_IN, &heap),
                         NDR_FAILED);
        assert_int_equal(r.status, wrong[i].status);
        assert_int_equal(heap_live, 0);
        assert_zero(&frame);
        free(octets);
    }
}

/* ---- A sender's mistakes ----------------------------------------------------------------- */

static RPC_STATUS encode_status(const NDR_OPERATION *operation, const union frames *frame)
{
    struct ndr_writer w;
    ndr_writer_init(&w);
    RPC_STATUS status = ndr_encode_params(&w, operation, frame, NDR_PARAM_IN);
    assert_true(status == RPC_S_OK || w.len == 0);
    ndr_writer_fini(&w);
    return status;
}

static void b_sending_mistakes(void **state)
{
    union frames f;
    (void)state;
    fill_unions(&f);
    f.unions.holder->t = 1;
    assert_int_equal(encode_status(&unions_op, &f), RPC_S_INVALID_TAG);
    fill_unions(&f);
    f.unions.holder->t = 32768;
    assert_int_equal(encode_status(&unions_op, &f), RPC_S_INVALID_TAG);
    fill_unions(&f);
    f.unions.link->c = 3;
    assert_int_equal(encode_status(&unions_op, &f), RPC_S_INVALID_TAG);
    fill_varying(&f);
    *f.varying.len = 5;
    assert_int_equal(encode_status(&varying_op, &f), RPC_S_INVALID_BOUND);
    *f.varying.len = -1;
    assert_int_equal(encode_status(&varying_op, &f), RPC_S_INVALID_BOUND);
    fill_varying(&f);
    f.varying.fix->f = 4;
    assert_int_equal(encode_status(&varying_op, &f), RPC_S_INVALID_BOUND);
    f.varying.fix->f = 6;
    assert_int_equal(encode_status(&varying_op, &f), RPC_S_INVALID_BOUND);
    fill_varying(&f);
    f.varying.max = 0; /* first_is(1) */
    *f.varying.len = 0;
    assert_int_equal(encode_status(&varying_op, &f), RPC_S_INVALID_BOUND);
}

/* ---- Memory ------------------------------------------------------------------------------- */

/* Decodes vector `i` as the client of a reply. */
static void receive_reply(const char *hex, const NDR_OPERATION *operation, union frames *frame)
{
    struct vector v = {.operation = operation};
    size_t len;
    uint8_t *octets = octets_of(hex, &len);
    struct ndr_reader r = reader_of(&v, octets, len);
    assert_int_equal(ndr_decode_params(&r, operation, frame, NDR_PARAM_OUT, &heap), NDR_DONE);
    free(octets);
}

/* What does not travel is zero in a server's memory, although the allocator's is not. */
static void b_elements_that_do_not_travel_are_zero(void **state)
{
    union frames f;
    size_t len;
    uint8_t *octets = octets_of(vectors[4].octets, &len);
    struct ndr_reader r = reader_of(&vectors[4], octets, len);
    (void)state;
    memset(&f, 0, sizeof(f));
    assert_int_equal(ndr_decode_params(&r, &varying_op, &f, NDR_PARAM_IN, &heap), NDR_DONE);
    assert_memory_equal(f.varying.buf, "\1\2\0\0", 4);
    assert_memory_equal(f.varying.tail->v, ((int16_t[]){7, 8, 0, 0, 0}), 10);
    assert_memory_equal(f.varying.fix->a, ((int32_t[]){0, 11, 12, 0, 0}), 20);
    assert_null(f.varying.names[0]);
    assert_string_equal((char *)f.varying.names[3], "y");
    ndr_free_params(&varying_op, &f, &heap);
    assert_int_equal(heap_live, 0);
    free(octets);
}

/* An [in,out] union with another arm than before: what was there is no pointer now. */
static void b_reply_with_another_arm(void **state)
{
    struct holder inner = {.k = 1, .pick.c = 'c'};
    struct holder holder = {.k = 2, .pick.next = &inner, .t = 7};
    union infos info = {.v = 0x1234};
    struct box box = {.level = 101, .info = &info};
    union frames f = {.unions = {.holder = &holder, .box = &box}};
    (void)state;
    memset(&info, 0x5a, sizeof(info)); /* as a pointer it leads nowhere */
    /* holder: char arm; box: pointer arm */
    receive_reply("03 00 0000 79 00 0000 64000000 00000200 64000000 04000200 4d000000", &unions_op,
                  &f);
    assert_int_equal(holder.t, 0);
    assert_int_equal(holder.pick.c, 'y');
    assert_ptr_equal(box.info, &info);
    assert_int_equal(*info.p, 77);
    assert_int_equal(heap_live, 1); /* *p */
    assert_int_equal(inner.k, 1);
    heap_free_all();

    /* the same arm: the pointee stays where it is */
    int32_t value = 1;
    info.p = &value;
    receive_reply("03 00 0000 79 00 0000 64000000 00000200 64000000 04000200 4d000000", &unions_op,
                  &f);
    assert_ptr_equal(info.p, &value);
    assert_int_equal(value, 77);
    assert_int_equal(heap_live, 0);
}

/* void f([in, out, size_is(3), length_is(*n)] PAIR *pairs, [in, out] long *n) */
struct slots_frame {
    struct pair *pairs;
    int32_t *n;
};
static const NDR_EXPR slots_three = {.op = NDR_EXPR_CONST, .value = 3};
static const NDR_EXPR slots_n = {
    .op = NDR_EXPR_DEREF, .kind = NDR_KIND_INT32, .offset = offsetof(struct slots_frame, n)};
static const NDR_TYPE t_slots = {.kind = NDR_KIND_ARRAY,
                                 .flags = NDR_TYPE_VARYING,
                                 .align = 4,
                                 .element = &t_pair,
                                 .max_count = &slots_three,
                                 .length = &slots_n};
POINTER_TO(t_slots_ref, t_slots, NDR_TYPE_REF);
static const NDR_PARAM slots_params[] = {
    PARAM(struct slots_frame, pairs, t_slots_ref, NDR_PARAM_IN | NDR_PARAM_OUT),
    PARAM(struct slots_frame, n, t_long_ref, NDR_PARAM_IN | NDR_PARAM_OUT),
};
OPERATION(slots_op, struct slots_frame, slots_params);

/* The reply has two elements where one was sent: the second was never set. */
static void b_reply_with_more_elements(void **state)
{
    int32_t value = 1, n = 1;
    struct pair pairs[3];
    struct slots_frame slots = {.pairs = pairs, .n = &n};
    union frames f;
    (void)state;
    memset(pairs, 0x5a, sizeof(pairs));
    pairs[0] = (struct pair){.k = 1, .p = &value};
    memset(&f, 0, sizeof(f));
    memcpy(&f, &slots, sizeof(slots));
    receive_reply("03000000 00000000 02000000 01000000 01000000 02000000 01000000"
                  "07000000 08000000 02000000",
                  &slots_op, &f);
    assert_int_equal(n, 2);
    assert_ptr_equal(pairs[0].p, &value);
    assert_int_equal(value, 7);
    assert_int_equal(*pairs[1].p, 8);
    assert_int_equal(pairs[2].k, 0x5a);
    assert_int_equal(heap_live, 1);
    heap_free_all();
}

/* Objects are shared as the sender had them, and freed once. */
static void b_server_sees_the_graph(void **state)
{
    union frames f;
    size_t len;
    uint8_t *octets = octets_of(vectors[7].octets, &len);
    struct ndr_reader r = reader_of(&vectors[7], octets, len);
    (void)state;
    memset(&f, 0, sizeof(f));
    assert_int_equal(ndr_decode_params(&r, &graph_op, &f, NDR_PARAM_IN, &heap), NDR_DONE);
    struct gnode *root = f.graph.root, *two = root->a;
    assert_int_equal(heap_live, 4); /* three nodes, one name */
    assert_ptr_equal(root->b, two);
    assert_ptr_equal(two->a, two);
    assert_ptr_equal(two->s, root->s);
    assert_ptr_equal(two->b->b, two);
    assert_ptr_equal(f.graph.also, two->b);
    assert_string_equal((char *)root->s, "nm");
    ndr_free_params(&graph_op, &f, &heap);
    assert_int_equal(heap_live, 0);
    free(octets);
}

/* The client's two names were one object, the reply has two: both are kept apart.  And two
 * nodes that were apart are one now. */
static void b_reply_with_other_sharing(void **state)
{
    uint8_t name[] = "nm";
    struct gnode two = {.id = 2, .s = name}, three = {.id = 3};
    struct gnode root = {.id = 1, .a = &two, .b = &three, .s = name};
    union frames f = {.graph = {.root = &root}};
    (void)state;
    receive_reply("01000000 01000000 01000000 02000000 00000000"
                  "09000000 00000000 00000000 03000000 00000000"
                  "03000000 00000000 03000000 616200 00 02000000 00000000 02000000 6300",
                  &graph_op, &f);
    assert_ptr_equal(root.a, &two);
    assert_ptr_equal(root.b, &two);
    assert_int_equal(two.id, 9);
    assert_int_equal(three.id, 3);
    assert_ptr_equal(two.s, name);
    assert_string_equal((char *)name, "ab");
    assert_ptr_not_equal(root.s, name);
    assert_string_equal((char *)root.s, "c");
    assert_int_equal(heap_live, 1);
    heap_free_all();
}

/* A list of full pointers as long as depth allows: hashing, not searching. */
static void c_long_full_list(void **state)
{
    enum { NODES = 16000 };
    struct gnode *nodes = calloc(NODES, sizeof(*nodes));
    union frames f = {.graph = {.root = nodes}}, again;
    struct ndr_writer w;
    (void)state;
    for (size_t i = 0; i < NODES; i++) {
        nodes[i].id = (int32_t)i;
        nodes[i].a = i + 1 < NODES ? &nodes[i + 1] : &nodes[1];
        nodes[i].b = i > 1 ? &nodes[i / 2 + 1] : NULL;
    }
    ndr_writer_init(&w);
    assert_int_equal(ndr_encode_params(&w, &graph_op, &f, NDR_PARAM_IN), RPC_S_OK);
    assert_int_equal(w.len, NODES * 20 + 4);
    struct ndr_reader r = {.octets = w.octets, .len = w.len, .little_endian = true, .last = true};
    memset(&again, 0, sizeof(again));
    assert_int_equal(ndr_decode_params(&r, &graph_op, &again, NDR_PARAM_IN, &heap), NDR_DONE);
    assert_int_equal(heap_live, NODES);
    ndr_free_params(&graph_op, &again, &heap);
    assert_int_equal(heap_live, 0);
    ndr_writer_fini(&w);
    free(nodes);
}

/* [ignore]: a value on the wire, never a pointer in memory. */
static void b_ignored_pointers(void **state)
{
    int32_t value = 5;
    struct gnode node = {.id = 1, .skip = &value};
    union frames f = {.graph = {.root = &node}}, again;
    struct ndr_writer w;
    (void)state;
    ndr_writer_init(&w);
    assert_int_equal(ndr_encode_params(&w, &graph_op, &f, NDR_PARAM_IN), RPC_S_OK);
    assert_int_equal(w.len, 24);
    assert_int_not_equal(w.octets[18], 0); /* not NULL, and not the address */
    assert_memory_not_equal(w.octets + 16, &node.skip, 4);
    struct ndr_reader r = {.octets = w.octets, .len = w.len, .little_endian = true, .last = true};
    memset(&again, 0, sizeof(again));
    assert_int_equal(ndr_decode_params(&r, &graph_op, &again, NDR_PARAM_IN, &heap), NDR_DONE);
    assert_null(again.graph.root->skip);
    again.graph.root->skip = &value; /* the manager's: not ours to free */
    ndr_free_params(&graph_op, &again, &heap);
    assert_int_equal(heap_live, 0);
    ndr_writer_fini(&w);
    /* a client's stays what it was */
    receive_reply("01000000 00000000 00000000 00000000 01000000", &graph_op, &f);
    assert_ptr_equal(node.skip, &value);
}

static void b_print(void **state)
{
    union frames f;
    char text[300];
    (void)state;
    fill_unions(&f);
    ndr_print_params(&unions_op, &f, NDR_PARAM_IN, text, sizeof(text));
    assert_string_equal(text, "mark=7, choice=<-3>s=\"ab\", kind=-3, "
                              "link=<1>next=<0>a=3[1, 2, 3], "
                              "holder={k=9, pick=<7>next={k=1, pick=<9>r=5, t=9}, t=7}, "
                              "box={level=100, info=<100>p=77}");
    f.unions.holder->t = 1;
    ndr_print_params(&unions_op, &f, NDR_PARAM_OUT, text, 40);
    assert_string_equal(text, "holder={k=9, pick=<1>, t=1}, box={level");
    fill_varying(&f);
    ndr_print_params(&varying_op, &f, NDR_PARAM_IN, text, sizeof(text));
    assert_string_equal(text, "buf=0..+2[1, 2], max=4, len=2, "
                              "tail={size=5, len=2, v=0..+2[7, 8]}, "
                              "fix={a=1..+2[11, 12], f=1, n=2}, names=1..+3[\"x\", NULL, \"y\"]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VECTOR_TESTS,
        cmocka_unit_test(b_wrong_octets),
        cmocka_unit_test(b_sending_mistakes),
        cmocka_unit_test(b_elements_that_do_not_travel_are_zero),
        cmocka_unit_test(b_reply_with_another_arm),
        cmocka_unit_test(b_reply_with_more_elements),
        cmocka_unit_test(b_server_sees_the_graph),
        cmocka_unit_test(b_reply_with_other_sharing),
        cmocka_unit_test(b_ignored_pointers),
        cmocka_unit_test(b_print),
        cmocka_unit_test(c_long_full_list),
    };
    return cmocka_run_group_tests_name("ndr_union", tests, NULL, NULL);
}
