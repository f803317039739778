/* SPDX-License-Identifier: MIT */
/* ndr_vector_test.c - parameters as octets in NDR 2.0, derived by hand from C706 chapter 14
 * and the captures of real Windows calls (ndr_vectors.h says what is done with them). */
#include "ndr_vectors.h"

/* ---- Vectors ------------------------------------------------------------------------ */

/* clang-format off: the octets are laid out by meaning */
const struct vector vectors[] = {
    {"scalars: each aligned to its size", &scalars_op, NDR_PARAM_IN, fill_scalars, 0,
     "01 00 feff aa 000000 0807060504030201 ff 00 0300 0000803f fbffffff 00000000"
     "0000000000000040 f9ffffff f7060000",
     "01 99 fffe aa 999999 0102030405060708 ff 99 0003 3f800000 fffffffb 99999999"
     "4000000000000000 fffffff9 000006f7"},
    {"strings: max, offset, actual; fixed without max; sized with its size", &strings_op,
     NDR_PARAM_IN, fill_strings, 0,
     "03000000 00000000 03000000 686900 00"         /* a */
     "00000200 02000000 00000000 02000000 e9000000" /* w: referent, counts in characters */
     "7f 000000 00000000 04000000 61626300"         /* label */
     "06000000 00000000 03000000 787900 00"         /* buf */
     "06000000",
     "00000003 00000000 00000003 686900 99"
     "deadbeef 00000002 00000000 00000002 00e90000"
     "7f 999999 00000000 00000004 61626300"
     "00000006 00000000 00000003 787900 99"
     "00000006"},
    {"arrays: size_is before and after its operand; no gap for no hypers", &arrays_op, NDR_PARAM_IN,
     fill_arrays, 0,
     "02000000 01000000 02000000"   /* v */
     "02000000"                     /* n */
     "03000000 0500 0600 0700 0000" /* w, gap */
     "03000000"                     /* pn */
     "08000000 09000000 0a000000"   /* fixed */
     "00000000 3412",               /* h empty, s at 48: wire.md 2.4 */
     "00000002 00000001 00000002 00000002 00000003 0005 0006 0007 9999 00000003"
     "00000008 00000009 0000000a 00000000 1234"},
    {"arrays: the [out] part alone", &arrays_op, NDR_PARAM_OUT, fill_arrays, 0,
     "03000000 0500 0600 0700 0000 03000000 08000000 09000000 0a000000", NULL},
    {"list: depth first, B's name and v before A's", &list_op, NDR_PARAM_IN, fill_list, 0,
     "01000000 00000200 04000200 0200 0000 08000200" /* A flat */
     "02000000 00000000 0c000200 0100 0000 10000200" /* B flat */
     "03000000 00000000 03000000 426300 00"          /* B.name */
     "01000000 0c00 0000"                            /* B.v, gap */
     "02000000 00000000 02000000 4100 0000"          /* A.name, gap */
     "02000000 0a00 0b00",                           /* A.v */
     "00000001 00000001 00000001 0002 9999 00000001"
     "00000002 00000000 00000001 0001 9999 00000001"
     "00000003 00000000 00000003 426300 99"
     "00000001 000c 9999"
     "00000002 00000000 00000002 4100 9999"
     "00000002 000a 000b"},
    {"names: array of strings, of ref pointers, of structures with pointers", &names_op,
     NDR_PARAM_IN, fill_names, 0,
     "02000000"
     "02000000 00000200 00000000 02000000 00000000 02000000 61000000"
     "02000000 a0860100 400d0300" /* refs in arrays have no value: C706 14.3.12 */
     "02000000 01000000 04000200 02000000 00000000 05000000",
     NULL},
    {"tails: counts hoisted to the outermost structure", &tails_op, NDR_PARAM_IN, fill_tails, 0,
     "03000000 03000000 09 00 0100 0200 0300"
     "01000000 00000000 8877665544332211 01000000 05 00 ff7f",
     NULL},
    {"outs: result last", &outs_op, NDR_PARAM_OUT, fill_outs, 0,
     "1100000000000000 22000000 03000000 616263 00"
     "00000200 4d000000 04000200 03000000 00000000 03000000 6f006b000000",
     NULL},
    /* alignment is that of the stub, not of the buffer: pipe data came before */
    {"outs behind 4 octets of a pipe", &outs_op, NDR_PARAM_OUT, fill_outs, 4,
     "00000000 1100000000000000 22000000 03000000 616263 00"
     "00000200 4d000000 04000200 03000000 00000000 03000000 6f006b000000",
     NULL},
    {"outs behind 65537 octets of a pipe", &outs_op, NDR_PARAM_OUT, fill_outs, 65537,
     "00000000000000 1100000000000000 22000000 03000000 616263 00"
     "00000200 4d000000 04000200 03000000 00000000 03000000 6f006b000000",
     NULL},
    {"blob: request of [CAP01], real Windows", &blob_op, NDR_PARAM_IN, fill_blob, 0,
     "03000000 00000200 03000000 aaaaaa", NULL},
    {"blob: response of [CAP01], result behind a gap", &blob_op, NDR_PARAM_OUT, fill_blob, 0x94,
     "03000000 00000200 03000000 aaaaaa 00 54727565", NULL},
    {"tree: 16-bit enum, array of structures behind a pointer", &tree_op, NDR_PARAM_IN, fill_tree,
     0,
     "00000200 0200 0000 04000200 ff7f 78797a 000000"
     "02000000 0000 0000 00000000 0100 616263 000000 0000 0000 00000000 0200 646566",
     NULL},
    {"misc: arrays of structures with strings, of pointers; a string at the end", &misc_op,
     NDR_PARAM_IN, fill_misc, 0,
     "00000200 02000000 07000000 08000000 02000000"           /* a, n */
     "03000000 00000000 03000000 610062000000 0000"           /* w, gap */
     "02000000 02000000 01 00 0300 0400 0000"                 /* tail, gap */
     "01 000000 00000000 02000000 6100 0000"                  /* labels[0], gap */
     "02 000000 00000000 03000000 626300 00"                  /* labels[1], gap */
     "04000200 00000000 01000000 05000000 0100 0200 03000000" /* ptrs, fixed, inner */
     "09000000"                                               /* *ptrs[0] */
     "04000000 0400 0000 00000000 03000000 787900",           /* named, max hoisted */
     "00000200 00000002 00000007 00000008 00000002"
     "00000003 00000000 00000003 006100620000 9999"
     "00000002 00000002 01 99 0003 0004 9999"
     "01 999999 00000000 00000002 6100 9999"
     "02 999999 00000000 00000003 626300 99"
     "00000001 00000000 00000001 00000005 0001 0002 00000003"
     "00000009"
     "00000004 0004 9999 00000000 00000003 787900"},
    {"misc: the [out] part", &misc_op, NDR_PARAM_OUT, fill_misc, 0,
     "03000000 00000000 03000000 610062000000 0000 02000000 02000000 01 00 0300 0400", NULL},
    {"tree: NULL", &tree_op, NDR_PARAM_IN, fill_null_tree, 0, "00000000", NULL},
};

/* clang-format on */

const size_t vector_count = ROWS(vectors);
const bool vectors_are_ndr64 = false;

/* ---- Octets that are wrong -------------------------------------------------------------- */

/* Where one octet makes all the difference, `fix_at` and `fix_to` say which, and the test
 * proves that the rest is right. */
#define EMPTY_REST                                                                                 \
    " 00000000 7f000000 00000000 01000000 00 000000 01000000 00000000 01000000 00 000000 01000000"

static const struct {
    const char *what;
    const NDR_OPERATION *operation;
    const char *octets;
    RPC_STATUS status;
    int fix_at, fix_to;
} wrong[] = {
    {"max above 2^31 - 1", &strings_op, "03000080 00000000 03000000 686900 00" EMPTY_REST,
     RPC_X_BAD_STUB_DATA, 3, 0},
    {"offset of a string", &strings_op, "03000000 01000000 02000000 6900 0000" EMPTY_REST,
     RPC_X_BAD_STUB_DATA, 4, 0},
    {"actual above max", &strings_op, "02000000 00000000 03000000 686900 00" EMPTY_REST,
     RPC_X_BAD_STUB_DATA, 0, 3},
    {"empty string without terminator", &strings_op,
     "01000000 00000000 00000000 00000000" EMPTY_REST, RPC_X_BAD_STUB_DATA, 8, 1},
    {"no terminator", &strings_op, "03000000 00000000 03000000 686921 00" EMPTY_REST,
     RPC_X_BAD_STUB_DATA, 14, 0},
    {"half a wide terminator", &strings_op,
     "01000000 00000000 01000000 00 000000 00000200 01000000 00000000 01000000 0001 0000"
     "7f000000 00000000 01000000 00 000000 01000000 00000000 01000000 00 000000 01000000",
     RPC_X_BAD_STUB_DATA, 33, 0},
    {"the other half", &strings_op,
     "01000000 00000000 01000000 00 000000 00000200 01000000 00000000 01000000 0100 0000"
     "7f000000 00000000 01000000 00 000000 01000000 00000000 01000000 00 000000 01000000",
     RPC_X_BAD_STUB_DATA, 32, 0},
    {"fixed string longer than its array", &strings_op,
     "01000000 00000000 01000000 00 000000 00000000"
     "7f000000 00000000 09000000 616263646566676800 000000"
     "01000000 00000000 01000000 00 000000 01000000",
     RPC_X_BAD_STUB_DATA, -1, 0},
    {"sized string: max is not size_is", &strings_op,
     "01000000 00000000 01000000 00 000000 00000000 7f000000 00000000 01000000 00 000000"
     "02000000 00000000 01000000 00 000000 01000000",
     RPC_X_BAD_STUB_DATA, 36, 1},
    {"max is not size_is", &arrays_op,
     "02000000 01000000 02000000 02000000 03000000 0500 0600 0700 0000 04000000"
     "08000000 09000000 0a000000 00000000 3412",
     RPC_X_BAD_STUB_DATA, 28, 3},
    {"size_is negative: n - 2 with n 1", &arrays_op,
     "01000000 01000000 01000000 03000000 0500 0600 0700 0000 03000000"
     "08000000 09000000 0a000000 00000000 3412",
     RPC_X_BAD_STUB_DATA, -1, 0},
    {"[range] of a parameter", &arrays_op,
     "02000000 01000000 02000000 02000000 03000000 0500 0600 0700 0000 03000000"
     "08000000 09000000 0a000000 00000000 0120",
     RPC_X_BAD_STUB_DATA, 48, 0},
    {"enum16 above 32767", &tree_op, "00000200 0000 0000 00000000 0080 616263", RPC_X_BAD_STUB_DATA,
     13, 0x7f},
    {"[range] of a field", &tree_op,
     "00000200 0500 0000 04000200 0000 616263 000000 05000000"
     "0000 0000 00000000 0000 616263 000000 0000 0000 00000000 0000 616263 000000"
     "0000 0000 00000000 0000 616263 000000 0000 0000 00000000 0000 616263 000000"
     "0000 0000 00000000 0000 616263",
     RPC_X_BAD_STUB_DATA, -1, 0},
    {"count is not the field size_is names", &tree_op,
     "00000200 0200 0000 04000200 0000 616263 000000 01000000 0000 0000 00000000 0000 616263",
     RPC_X_BAD_STUB_DATA, 4, 1},
    {"NULL with size_is not 0 (/robust)", &tree_op, "00000200 0200 0000 00000000 0000 616263",
     RPC_X_BAD_STUB_DATA, 4, 0},
    {"NULL with size_is not 0, operand before", &list_op,
     "01000000 00000000 00000000 0200 0000 00000000", RPC_X_BAD_STUB_DATA, 12, 0},
    {"hoisted count is not the field", &tails_op,
     "02000000 03000000 0900 0100 0200 0000 01000000 00000000 8877665544332211 01000000 0500 ff7f",
     RPC_X_BAD_STUB_DATA, 4, 2},
    {"[range] of an array's elements", &misc_op,
     "00000200 02000000 07000000 08000000 02000000 03000000 00000000 03000000 610062000000 0000"
     "02000000 02000000 01 00 0300 0400 0000 01 000000 00000000 02000000 6100 0000"
     "02 000000 00000000 03000000 626300 00 04000200 00000000 01000000 06000000 0100 0200 03000000"
     "09000000 04000000 0400 0000 00000000 03000000 787900",
     RPC_X_BAD_STUB_DATA, 100, 5},
    {"enum16 in an array", &misc_op,
     "00000200 02000000 07000000 08000000 02000000 03000000 00000000 03000000 610062000000 0000"
     "02000000 02000000 01 00 0300 0400 0000 01 000000 00000000 02000000 6100 0000"
     "02 000000 00000000 03000000 626300 00 04000200 00000000 01000000 05000000 0100 0080 03000000"
     "09000000 04000000 0400 0000 00000000 03000000 787900",
     RPC_X_BAD_STUB_DATA, 107, 0x7f},
    {"hoisted max of a string is not the field", &misc_op,
     "00000200 02000000 07000000 08000000 02000000 03000000 00000000 03000000 610062000000 0000"
     "02000000 02000000 01 00 0300 0400 0000 01 000000 00000000 02000000 6100 0000"
     "02 000000 00000000 03000000 626300 00 04000200 00000000"
     "01000000 05000000 0100 0200 03000000"
     "09000000 04000000 0500 0000 00000000 03000000 787900",
     RPC_X_BAD_STUB_DATA, 120, 4},
    {"NULL parameter with size_is not 0 (/robust)", &misc_op,
     "00000000 02000000 03000000 00000000 03000000 610062000000 0000"
     "02000000 02000000 01 00 0300 0400 0000 01 000000 00000000 02000000 6100 0000"
     "02 000000 00000000 03000000 626300 00 00000000 00000000"
     "01000000 05000000 0100 0200 03000000"
     "04000000 0400 0000 00000000 03000000 787900",
     RPC_X_BAD_STUB_DATA, 4, 0},
    {"two arrays of one size_is differ", &names_op,
     "01000000 01000000 00000000 02000000 64000000 c8000000 01000000 01000000 00000000",
     RPC_X_BAD_STUB_DATA, -1, 0},
    {"2^31 - 1 pointers in 12 octets", &names_op, "ffffff7f ffffff7f 00000200", RPC_X_BAD_STUB_DATA,
     -1, 0},
    {"a string buffer of 1 GiB claimed by a few octets", &strings_op,
     "01000000 00000000 01000000 00 000000 00000000 7f000000 00000000 01000000 00 000000"
     "00000040 00000000 01000000 00 000000 00000040",
     RPC_S_OUT_OF_RESOURCES, -1, 0},
};

static void b_wrong_octets(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(wrong); i++) {
        struct vector v = {.operation = wrong[i].operation, .direction = NDR_PARAM_IN};
        union frames frame;
        size_t len;
        uint8_t *octets = octets_of(wrong[i].octets, &len);
        struct ndr_reader r = reader_of(&v, octets, len);
        memset(&frame, 0, sizeof(frame));
        print_message("# %s\n", wrong[i].what);
        assert_int_equal(ndr_decode_params(&r, v.operation, &frame, NDR_PARAM_IN, &heap),
                         NDR_FAILED);
        assert_int_equal(r.status, wrong[i].status);
        assert_int_equal(heap_live, 0);
        assert_zero(&frame);
        if (wrong[i].fix_at >= 0) {
            octets[wrong[i].fix_at] = (uint8_t)wrong[i].fix_to;
            assert_int_equal(ndr_decode_params(&r, v.operation, &frame, NDR_PARAM_IN, &heap),
                             NDR_DONE);
            release(&v, &frame);
        }
        free(octets);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VECTOR_TESTS,
        cmocka_unit_test(b_wrong_octets),
    };
    return cmocka_run_group_tests_name("ndr_vector", tests, NULL, NULL);
}
