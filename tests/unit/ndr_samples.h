/* SPDX-License-Identifier: MIT */
/* ndr_samples.h - operations written by hand as penstock-idl would emit them, shared
 * by the tests of src/ndr and its fuzz target.  Each begins with its IDL. */
#ifndef PENSTOCK_TESTS_NDR_SAMPLES_H
#define PENSTOCK_TESTS_NDR_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include <penstock/rpcndr.h>

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

#define SCALAR(name, k, ctype, wire_align)                                                         \
    static const NDR_TYPE name = {                                                                 \
        .kind = (k), .flags = NDR_TYPE_FLAT, .size = sizeof(ctype), .align = (wire_align)}
#define POINTER_TO(ident, pointee, class)                                                          \
    static const NDR_TYPE ident = {.kind = NDR_KIND_POINTER,                                       \
                                   .flags = (class) | NDR_TYPE_HAS_POINTERS,                       \
                                   .size = sizeof(void *),                                         \
                                   .align = 4,                                                     \
                                   .element = &(pointee)}
#define ARRAY_SIZED(ident, elem, expr)                                                             \
    static const NDR_TYPE ident = {                                                                \
        .kind = NDR_KIND_ARRAY, .align = 4, .element = &(elem), .max_count = &(expr)}
#define ARRAY_OF(ident, elem, n, octets, wire_align)                                               \
    static const NDR_TYPE ident = {.kind = NDR_KIND_ARRAY,                                         \
                                   .size = (octets),                                               \
                                   .align = (wire_align),                                          \
                                   .count = (n),                                                   \
                                   .element = &(elem)}
#define STRUCT_OF(ident, ctype, wire_align, field_table)                                           \
    static const NDR_TYPE ident = {.kind = NDR_KIND_STRUCT,                                        \
                                   .size = sizeof(ctype),                                          \
                                   .align = (wire_align),                                          \
                                   .count = COUNT_OF(field_table),                                 \
                                   .name = #ctype,                                                 \
                                   .fields = (field_table)}
#define FIELD(ctype, member, t)                                                                    \
    {                                                                                              \
        .name = #member, .type = &(t), .offset = offsetof(ctype, member)                           \
    }
#define PARAM(ctype, member, t, f)                                                                 \
    {                                                                                              \
        .name = #member, .type = &(t), .offset = offsetof(ctype, member), .flags = (f)             \
    }
#define LOAD_OF(ident, ctype, member, k)                                                           \
    static const NDR_EXPR ident = {                                                                \
        .op = NDR_EXPR_LOAD, .kind = (k), .offset = offsetof(ctype, member)}
#define OPERATION(ident, frame, param_table)                                                       \
    static const NDR_OPERATION ident = {.name = #ident,                                            \
                                        .frame_size = sizeof(frame),                               \
                                        .param_count = COUNT_OF(param_table),                      \
                                        .params = (param_table)}

SCALAR(t_boolean, NDR_KIND_BOOLEAN, uint8_t, 1);
SCALAR(t_byte, NDR_KIND_BYTE, uint8_t, 1);
SCALAR(t_char, NDR_KIND_CHAR, uint8_t, 1);
SCALAR(t_small, NDR_KIND_INT8, int8_t, 1);
SCALAR(t_short, NDR_KIND_INT16, int16_t, 2);
SCALAR(t_wchar, NDR_KIND_WCHAR, WCHAR, 2);
SCALAR(t_long, NDR_KIND_INT32, int32_t, 4);
SCALAR(t_ulong, NDR_KIND_UINT32, uint32_t, 4);
SCALAR(t_hyper, NDR_KIND_INT64, int64_t, 8);
SCALAR(t_float, NDR_KIND_FLOAT, float, 4);
SCALAR(t_double, NDR_KIND_DOUBLE, double, 8);
SCALAR(t_enum16, NDR_KIND_ENUM16, int32_t, 2);
SCALAR(t_enum32, NDR_KIND_ENUM32, int32_t, 4);
SCALAR(t_int3264, NDR_KIND_INT3264, intptr_t, 4);
SCALAR(t_uint3264, NDR_KIND_UINT3264, uintptr_t, 4);
SCALAR(t_status, NDR_KIND_ERROR_STATUS, uint32_t, 4);
SCALAR(t_handle, NDR_KIND_HANDLE, void *, 1);

static const NDR_TYPE t_string = {.kind = NDR_KIND_STRING, .align = 4, .element = &t_char};
static const NDR_TYPE t_wstring = {.kind = NDR_KIND_STRING, .align = 4, .element = &t_wchar};
POINTER_TO(t_string_ref, t_string, NDR_TYPE_REF);
POINTER_TO(t_string_unique, t_string, NDR_TYPE_UNIQUE);
POINTER_TO(t_wstring_unique, t_wstring, NDR_TYPE_UNIQUE);
POINTER_TO(t_long_ref, t_long, NDR_TYPE_REF);
POINTER_TO(t_long_unique, t_long, NDR_TYPE_UNIQUE);
POINTER_TO(t_long_full, t_long, NDR_TYPE_FULL);

/* void scalars([in] boolean b, [in] short s, [in] byte y, [in] hyper h, [in] small c,
 *              [in] enum E e16, [in] float f, [in] V1 e32, [in] double d,
 *              [in] __int3264 i, [in] error_status_t st, handle_t ignored); */
struct scalars_frame {
    void *ignored;
    uint8_t b;
    int16_t s;
    uint8_t y;
    int64_t h;
    int8_t c;
    int32_t e16;
    float f;
    int32_t e32;
    double d;
    intptr_t i;
    uint32_t st;
};
static const NDR_PARAM scalars_params[] = {
    PARAM(struct scalars_frame, ignored, t_handle, NDR_PARAM_IN | NDR_PARAM_BINDING),
    PARAM(struct scalars_frame, b, t_boolean, NDR_PARAM_IN),
    PARAM(struct scalars_frame, s, t_short, NDR_PARAM_IN),
    PARAM(struct scalars_frame, y, t_byte, NDR_PARAM_IN),
    PARAM(struct scalars_frame, h, t_hyper, NDR_PARAM_IN),
    PARAM(struct scalars_frame, c, t_small, NDR_PARAM_IN),
    PARAM(struct scalars_frame, e16, t_enum16, NDR_PARAM_IN),
    PARAM(struct scalars_frame, f, t_float, NDR_PARAM_IN),
    PARAM(struct scalars_frame, e32, t_enum32, NDR_PARAM_IN),
    PARAM(struct scalars_frame, d, t_double, NDR_PARAM_IN),
    PARAM(struct scalars_frame, i, t_int3264, NDR_PARAM_IN),
    PARAM(struct scalars_frame, st, t_status, NDR_PARAM_IN),
};
OPERATION(scalars_op, struct scalars_frame, scalars_params);

/* typedef struct { byte tag; [string] char name[8]; } LABEL;
 * void strings([in, string] char *a, [in, string, unique] wchar_t *w, [in] LABEL label,
 *              [in, string, size_is(n)] char *buf, [in] long n); */
struct label {
    uint8_t tag;
    uint8_t name[8];
};
struct strings_frame {
    uint8_t *a;
    WCHAR *w;
    struct label label;
    uint8_t *buf;
    int32_t n;
};
static const NDR_TYPE t_label_name = {
    .kind = NDR_KIND_STRING, .size = 8, .align = 4, .count = 8, .element = &t_char};
static const NDR_FIELD label_fields[] = {
    FIELD(struct label, tag, t_byte),
    FIELD(struct label, name, t_label_name),
};
STRUCT_OF(t_label, struct label, 4, label_fields);
LOAD_OF(strings_n, struct strings_frame, n, NDR_KIND_INT32);
static const NDR_TYPE t_string_n = {
    .kind = NDR_KIND_STRING, .align = 4, .element = &t_char, .max_count = &strings_n};
POINTER_TO(t_string_n_ref, t_string_n, NDR_TYPE_REF);
static const NDR_PARAM strings_params[] = {
    PARAM(struct strings_frame, a, t_string_ref, NDR_PARAM_IN),
    PARAM(struct strings_frame, w, t_wstring_unique, NDR_PARAM_IN),
    PARAM(struct strings_frame, label, t_label, NDR_PARAM_IN),
    PARAM(struct strings_frame, buf, t_string_n_ref, NDR_PARAM_IN),
    PARAM(struct strings_frame, n, t_long, NDR_PARAM_IN),
};
OPERATION(strings_op, struct strings_frame, strings_params);

/* void arrays([in, size_is(n)] long *v, [in] long n, [in, out, size_is(*pn)] short *w,
 *             [in, out] long *pn, [in, out] long fixed[3], [in, size_is(n - 2)] hyper *h,
 *             [in, range(0, 0x2000)] short s); */
struct arrays_frame {
    int32_t *v;
    int32_t n;
    int16_t *w;
    int32_t *pn;
    int32_t *fixed;
    int64_t *h;
    int16_t s;
};
LOAD_OF(arrays_n, struct arrays_frame, n, NDR_KIND_INT32);
static const NDR_EXPR arrays_pn = {
    .op = NDR_EXPR_DEREF, .kind = NDR_KIND_INT32, .offset = offsetof(struct arrays_frame, pn)};
static const NDR_EXPR arrays_two = {.op = NDR_EXPR_CONST, .value = 2};
static const NDR_EXPR arrays_n_less_2 = {.op = NDR_EXPR_SUB, .a = &arrays_n, .b = &arrays_two};
ARRAY_SIZED(t_arrays_v, t_long, arrays_n);
ARRAY_SIZED(t_arrays_w, t_short, arrays_pn);
ARRAY_SIZED(t_arrays_h, t_hyper, arrays_n_less_2);
ARRAY_OF(t_long3, t_long, 3, 12, 4);
POINTER_TO(t_arrays_v_ref, t_arrays_v, NDR_TYPE_REF);
POINTER_TO(t_arrays_w_ref, t_arrays_w, NDR_TYPE_REF);
POINTER_TO(t_arrays_h_ref, t_arrays_h, NDR_TYPE_REF);
POINTER_TO(t_long3_ref, t_long3, NDR_TYPE_REF);
static const NDR_RANGE arrays_s_range = {0, 0x2000};
static const NDR_PARAM arrays_params[] = {
    PARAM(struct arrays_frame, v, t_arrays_v_ref, NDR_PARAM_IN),
    PARAM(struct arrays_frame, n, t_long, NDR_PARAM_IN),
    PARAM(struct arrays_frame, w, t_arrays_w_ref, NDR_PARAM_IN | NDR_PARAM_OUT),
    PARAM(struct arrays_frame, pn, t_long_ref, NDR_PARAM_IN | NDR_PARAM_OUT),
    PARAM(struct arrays_frame, fixed, t_long3_ref, NDR_PARAM_IN | NDR_PARAM_OUT),
    PARAM(struct arrays_frame, h, t_arrays_h_ref, NDR_PARAM_IN),
    {.name = "s",
     .type = &t_short,
     .offset = offsetof(struct arrays_frame, s),
     .flags = NDR_PARAM_IN,
     .range = &arrays_s_range},
};
OPERATION(arrays_op, struct arrays_frame, arrays_params);

/* typedef struct NODE { long id; [unique] struct NODE *next; [string, unique] char *name;
 *                       short n; [size_is(n), unique] short *v; } NODE;
 * void list([in, out] NODE *head); */
struct node {
    int32_t id;
    struct node *next;
    uint8_t *name;
    int16_t n;
    int16_t *v;
};
struct list_frame {
    struct node *head;
};
LOAD_OF(node_n, struct node, n, NDR_KIND_INT16);
ARRAY_SIZED(t_node_v, t_short, node_n);
POINTER_TO(t_node_v_unique, t_node_v, NDR_TYPE_UNIQUE);
static const NDR_TYPE t_node;
POINTER_TO(t_node_unique, t_node, NDR_TYPE_UNIQUE);
POINTER_TO(t_node_ref, t_node, NDR_TYPE_REF);
static const NDR_FIELD node_fields[] = {
    FIELD(struct node, id, t_long),
    FIELD(struct node, next, t_node_unique),
    FIELD(struct node, name, t_string_unique),
    FIELD(struct node, n, t_short),
    FIELD(struct node, v, t_node_v_unique),
};
STRUCT_OF(t_node, struct node, 4, node_fields);
static const NDR_PARAM list_params[] = {
    PARAM(struct list_frame, head, t_node_ref, NDR_PARAM_IN | NDR_PARAM_OUT),
};
OPERATION(list_op, struct list_frame, list_params);

/* typedef struct { byte k; [unique] long *p; } PAIR;
 * void names([in] long n, [in, size_is(n), string] wchar_t **names,
 *            [in, size_is(n), range(0, 4000)] REF_LONG *refs,
 *            [in, size_is(n)] PAIR *pairs); */
struct pair {
    uint8_t k;
    int32_t *p;
};
struct names_frame {
    int32_t n;
    WCHAR **names;
    int32_t **refs;
    struct pair *pairs;
};
LOAD_OF(names_n, struct names_frame, n, NDR_KIND_INT32);
static const NDR_FIELD pair_fields[] = {
    FIELD(struct pair, k, t_byte),
    FIELD(struct pair, p, t_long_unique),
};
STRUCT_OF(t_pair, struct pair, 4, pair_fields);
ARRAY_SIZED(t_names, t_wstring_unique, names_n);
static const NDR_RANGE refs_range = {0, 4000}; /* of the count, not of the values */
static const NDR_TYPE t_refs = {.kind = NDR_KIND_ARRAY,
                                .align = 4,
                                .element = &t_long_ref,
                                .max_count = &names_n,
                                .count_range = &refs_range};
ARRAY_SIZED(t_pairs, t_pair, names_n);
POINTER_TO(t_names_ref, t_names, NDR_TYPE_REF);
POINTER_TO(t_refs_ref, t_refs, NDR_TYPE_REF);
POINTER_TO(t_pairs_ref, t_pairs, NDR_TYPE_REF);
static const NDR_PARAM names_params[] = {
    PARAM(struct names_frame, n, t_long, NDR_PARAM_IN),
    PARAM(struct names_frame, names, t_names_ref, NDR_PARAM_IN),
    PARAM(struct names_frame, refs, t_refs_ref, NDR_PARAM_IN),
    PARAM(struct names_frame, pairs, t_pairs_ref, NDR_PARAM_IN),
};
OPERATION(names_op, struct names_frame, names_params);

/* typedef struct { long n; byte tag; [size_is(n)] short v[]; } TAIL;
 * typedef struct { hyper h; TAIL tail; } OUTER;
 * void tails([in] TAIL *tail, [in] OUTER *outer); */
struct tail {
    int32_t n;
    uint8_t tag;
    int16_t v[];
};
/* OUTER as it lies in memory: C forbids a flexible array inside. */
struct outer {
    int64_t h;
    struct {
        int32_t n;
        uint8_t tag;
        int16_t v[1];
    } tail;
};
struct tails_frame {
    struct tail *tail;
    struct outer *outer;
};
LOAD_OF(tail_n, struct tail, n, NDR_KIND_INT32);
ARRAY_SIZED(t_tail_v, t_short, tail_n);
static const NDR_FIELD tail_fields[] = {
    FIELD(struct tail, n, t_long),
    FIELD(struct tail, tag, t_byte),
    FIELD(struct tail, v, t_tail_v),
};
STRUCT_OF(t_tail, struct tail, 4, tail_fields);
static const NDR_FIELD outer_fields[] = {
    FIELD(struct outer, h, t_hyper),
    FIELD(struct outer, tail, t_tail),
};
STRUCT_OF(t_outer, struct outer, 8, outer_fields);
POINTER_TO(t_tail_ref, t_tail, NDR_TYPE_REF);
POINTER_TO(t_outer_ref, t_outer, NDR_TYPE_REF);
static const NDR_PARAM tails_params[] = {
    PARAM(struct tails_frame, tail, t_tail_ref, NDR_PARAM_IN),
    PARAM(struct tails_frame, outer, t_outer_ref, NDR_PARAM_IN),
};
OPERATION(tails_op, struct tails_frame, tails_params);

/* typedef struct { hyper size; unsigned long mode; } INFO;
 * [string, unique] wchar_t *outs([in] long n, [out] INFO *info, [out, size_is(n)] byte *buf,
 *                                [out] long **pp); */
struct info {
    int64_t size;
    uint32_t mode;
};
struct outs_frame {
    int32_t n;
    struct info *info;
    uint8_t *buf;
    int32_t **pp;
    WCHAR *result;
};
static const NDR_FIELD info_fields[] = {
    FIELD(struct info, size, t_hyper),
    FIELD(struct info, mode, t_ulong),
};
STRUCT_OF(t_info, struct info, 8, info_fields);
LOAD_OF(outs_n, struct outs_frame, n, NDR_KIND_INT32);
ARRAY_SIZED(t_outs_buf, t_byte, outs_n);
POINTER_TO(t_info_ref, t_info, NDR_TYPE_REF);
POINTER_TO(t_outs_buf_ref, t_outs_buf, NDR_TYPE_REF);
POINTER_TO(t_long_unique_ref, t_long_unique, NDR_TYPE_REF);
static const NDR_PARAM outs_params[] = {
    PARAM(struct outs_frame, n, t_long, NDR_PARAM_IN),
    PARAM(struct outs_frame, info, t_info_ref, NDR_PARAM_OUT),
    PARAM(struct outs_frame, buf, t_outs_buf_ref, NDR_PARAM_OUT),
    PARAM(struct outs_frame, pp, t_long_unique_ref, NDR_PARAM_OUT),
    {.type = &t_wstring_unique,
     .offset = offsetof(struct outs_frame, result),
     .flags = NDR_PARAM_OUT | NDR_PARAM_RETURN},
};
OPERATION(outs_op, struct outs_frame, outs_params);

/* typedef struct { long cb; [size_is(cb), unique] byte *p; } BLOB;
 * long blob([in, out] BLOB *blob, [in] PIPE pipe); */
struct blob {
    int32_t cb;
    uint8_t *p;
};
struct blob_frame {
    struct blob *blob;
    void *pipe;
    int32_t result;
};
static const NDR_TYPE t_pipe = {.kind = NDR_KIND_PIPE, .element = &t_info};
LOAD_OF(blob_cb, struct blob, cb, NDR_KIND_INT32);
ARRAY_SIZED(t_blob_p, t_byte, blob_cb);
POINTER_TO(t_blob_p_unique, t_blob_p, NDR_TYPE_UNIQUE);
static const NDR_FIELD blob_fields[] = {
    FIELD(struct blob, cb, t_long),
    FIELD(struct blob, p, t_blob_p_unique),
};
STRUCT_OF(t_blob, struct blob, 4, blob_fields);
POINTER_TO(t_blob_ref, t_blob, NDR_TYPE_REF);
static const NDR_PARAM blob_params[] = {
    PARAM(struct blob_frame, blob, t_blob_ref, NDR_PARAM_IN | NDR_PARAM_OUT),
    PARAM(struct blob_frame, pipe, t_pipe, NDR_PARAM_IN | NDR_PARAM_PIPE),
    {.type = &t_long,
     .offset = offsetof(struct blob_frame, result),
     .flags = NDR_PARAM_OUT | NDR_PARAM_RETURN},
};
OPERATION(blob_op, struct blob_frame, blob_params);

/* typedef struct TREE { [range(0, 4)] short n; [size_is(n), unique] struct TREE *children;
 *                       enum E kind; char mark[3]; } TREE;
 * void tree([in, unique] TREE *root); */
struct tree {
    int16_t n;
    struct tree *children;
    int32_t kind;
    uint8_t mark[3];
};
struct tree_frame {
    struct tree *root;
};
static const NDR_RANGE tree_n_range = {0, 4};
LOAD_OF(tree_n, struct tree, n, NDR_KIND_INT16);
static const NDR_TYPE t_tree;
ARRAY_SIZED(t_tree_children, t_tree, tree_n);
POINTER_TO(t_tree_children_unique, t_tree_children, NDR_TYPE_UNIQUE);
POINTER_TO(t_tree_unique, t_tree, NDR_TYPE_UNIQUE);
ARRAY_OF(t_mark, t_char, 3, 3, 1);
static const NDR_FIELD tree_fields[] = {
    {.name = "n", .type = &t_short, .offset = offsetof(struct tree, n), .range = &tree_n_range},
    FIELD(struct tree, children, t_tree_children_unique),
    FIELD(struct tree, kind, t_enum16),
    FIELD(struct tree, mark, t_mark),
};
STRUCT_OF(t_tree, struct tree, 4, tree_fields);
static const NDR_PARAM tree_params[] = {
    PARAM(struct tree_frame, root, t_tree_unique, NDR_PARAM_IN),
};
OPERATION(tree_op, struct tree_frame, tree_params);

/* typedef struct { enum E kinds[2]; unsigned __int3264 size; } INNER;
 * typedef struct { LABEL labels[2]; [unique] long *ptrs[2]; [range(1, 5)] long fixed[2];
 *                  INNER inner; } MISC;
 * typedef struct { short len; [string, size_is(len)] char name[]; } NAMED;
 * void misc([in, unique, size_is(n)] long *a, [in] long n, [in, out, string] wchar_t *w,
 *           [in, out] TAIL *tail, [in] MISC *misc, [in] NAMED *named); */
struct inner {
    int32_t kinds[2];
    uintptr_t size;
};
struct misc {
    struct label labels[2];
    int32_t *ptrs[2];
    int32_t fixed[2];
    struct inner inner;
};
struct named {
    int16_t len;
    uint8_t name[];
};
struct misc_frame {
    int32_t *a;
    int32_t n;
    WCHAR *w;
    struct tail *tail;
    struct misc *misc;
    struct named *named;
};
LOAD_OF(misc_n, struct misc_frame, n, NDR_KIND_INT32);
LOAD_OF(named_len, struct named, len, NDR_KIND_INT16);
ARRAY_SIZED(t_misc_a, t_long, misc_n);
POINTER_TO(t_misc_a_unique, t_misc_a, NDR_TYPE_UNIQUE);
POINTER_TO(t_wstring_ref, t_wstring, NDR_TYPE_REF);
ARRAY_OF(t_kinds, t_enum16, 2, sizeof(int32_t[2]), 2);
static const NDR_FIELD inner_fields[] = {
    FIELD(struct inner, kinds, t_kinds),
    FIELD(struct inner, size, t_uint3264),
};
STRUCT_OF(t_inner, struct inner, 4, inner_fields);
ARRAY_OF(t_labels, t_label, 2, sizeof(struct label[2]), 4);
ARRAY_OF(t_ptrs, t_long_unique, 2, sizeof(int32_t *[2]), 4);
ARRAY_OF(t_long2, t_long, 2, sizeof(int32_t[2]), 4);
static const NDR_RANGE misc_fixed_range = {1, 5};
static const NDR_FIELD misc_fields[] = {
    FIELD(struct misc, labels, t_labels),
    FIELD(struct misc, ptrs, t_ptrs),
    {.name = "fixed",
     .type = &t_long2,
     .offset = offsetof(struct misc, fixed),
     .range = &misc_fixed_range},
    FIELD(struct misc, inner, t_inner),
};
STRUCT_OF(t_misc, struct misc, 4, misc_fields);
static const NDR_TYPE t_named_name = {
    .kind = NDR_KIND_STRING, .align = 4, .element = &t_char, .max_count = &named_len};
static const NDR_FIELD named_fields[] = {
    FIELD(struct named, len, t_short),
    FIELD(struct named, name, t_named_name),
};
STRUCT_OF(t_named, struct named, 4, named_fields);
POINTER_TO(t_misc_ref, t_misc, NDR_TYPE_REF);
POINTER_TO(t_named_ref, t_named, NDR_TYPE_REF);
static const NDR_PARAM misc_params[] = {
    PARAM(struct misc_frame, a, t_misc_a_unique, NDR_PARAM_IN),
    PARAM(struct misc_frame, n, t_long, NDR_PARAM_IN),
    PARAM(struct misc_frame, w, t_wstring_ref, NDR_PARAM_IN | NDR_PARAM_OUT),
    PARAM(struct misc_frame, tail, t_tail_ref, NDR_PARAM_IN | NDR_PARAM_OUT),
    PARAM(struct misc_frame, misc, t_misc_ref, NDR_PARAM_IN),
    PARAM(struct misc_frame, named, t_named_ref, NDR_PARAM_IN),
};
OPERATION(misc_op, struct misc_frame, misc_params);

#include "ndr_samples_more.h"

static const NDR_OPERATION *const sample_operations[] = {
    &scalars_op, &strings_op, &arrays_op, &list_op,   &names_op,   &tails_op, &outs_op,
    &blob_op,    &tree_op,    &misc_op,   &unions_op, &varying_op, &graph_op,
};

/* Large and aligned enough for each. */
union frames {
    struct scalars_frame scalars;
    struct strings_frame strings;
    struct arrays_frame arrays;
    struct list_frame list;
    struct names_frame names;
    struct tails_frame tails;
    struct outs_frame outs;
    struct blob_frame blob;
    struct tree_frame tree;
    struct misc_frame misc;
    struct unions_frame unions;
    struct varying_frame varying;
    struct graph_frame graph;
};

#endif
