/* SPDX-License-Identifier: MIT */
/* ndr_samples_more.h - the part of ndr_samples.h with unions, varying arrays and full
 * pointers.  Included there. */
#ifndef PENSTOCK_TESTS_NDR_SAMPLES_MORE_H
#define PENSTOCK_TESTS_NDR_SAMPLES_MORE_H

#define UNION_OF(ident, ctype, table)                                                              \
    static const NDR_TYPE ident = {.kind = NDR_KIND_UNION,                                         \
                                   .size = sizeof(ctype),                                          \
                                   .align = 4,                                                     \
                                   .name = #ctype,                                                 \
                                   .alternatives = &(table)}
#define ARM(n, label, t)                                                                           \
    {                                                                                              \
        .name = (n), .value = (label), .type = &(t)                                                \
    }

/* typedef union { [case(1)] long l; [case(2, -3)] [string, unique] char *s; [case(4)] hyper h;
 *                 [case(5)] ; [default] PAIR pair; } CHOICE;             discriminant: short
 * typedef union switch (unsigned char c) { case 0: short a[3]; case 1: struct LINK *next;
 *                 case 2: ; } LINK;
 * typedef union { [case(0)] char c; [case(7)] [unique] struct HOLDER *next;
 *                 [case(9)] [range(1, 9)] short r; } PICK;               discriminant: enum
 * typedef struct HOLDER { byte k; [switch_is(t)] PICK pick; enum E t; } HOLDER;
 * typedef union { [case(100)] [unique] long *p; [case(101)] long v; } INFOS;
 * typedef struct { long level; [switch_is(level), unique] INFOS *info; } BOX;
 * void unions([in] char mark, [in, switch_is(kind)] CHOICE *choice, [in] short kind,
 *             [in] LINK *link, [in, out] HOLDER *holder, [in, out] BOX *box); */
union choice {
    int32_t l;
    uint8_t *s;
    int64_t h;
    struct pair pair;
};
struct link {
    uint8_t c;
    union {
        int16_t a[3];
        struct link *next;
    } tagged_union;
};
struct holder;
union pick {
    uint8_t c;
    struct holder *next;
    int16_t r;
};
struct holder {
    uint8_t k;
    union pick pick;
    int32_t t;
};
union infos {
    int32_t *p;
    int32_t v;
};
struct box {
    int32_t level;
    union infos *info;
};
struct unions_frame {
    uint8_t mark;
    union choice *choice;
    int16_t kind;
    struct link *link;
    struct holder *holder;
    struct box *box;
};
LOAD_OF(unions_kind, struct unions_frame, kind, NDR_KIND_INT16);
static const NDR_ARM choice_default = {.name = "pair", .type = &t_pair};
static const NDR_ARM choice_arms[] = {
    ARM("l", 1, t_long),
    ARM("s", 2, t_string_unique),
    ARM("s", -3, t_string_unique),
    ARM("h", 4, t_hyper),
    {.value = 5},
};
static const NDR_UNION choice_union = {.switch_kind = NDR_KIND_INT16,
                                       .switch_is = &unions_kind,
                                       .arm_count = COUNT_OF(choice_arms),
                                       .arms = choice_arms,
                                       .otherwise = &choice_default};
UNION_OF(t_choice, union choice, choice_union);
POINTER_TO(t_choice_ref, t_choice, NDR_TYPE_REF);

ARRAY_OF(t_link_a, t_short, 3, sizeof(int16_t[3]), 2);
static const NDR_TYPE t_link;
POINTER_TO(t_link_unique, t_link, NDR_TYPE_UNIQUE);
static const NDR_ARM link_arms[] = {
    ARM("a", 0, t_link_a),
    ARM("next", 1, t_link_unique),
    {.value = 2},
};
static const NDR_UNION link_union = {.switch_kind = NDR_KIND_UINT8,
                                     .switch_offset = offsetof(struct link, c),
                                     .arms_offset = offsetof(struct link, tagged_union),
                                     .arm_count = COUNT_OF(link_arms),
                                     .arms = link_arms};
UNION_OF(t_link, struct link, link_union);
POINTER_TO(t_link_ref, t_link, NDR_TYPE_REF);

static const NDR_TYPE t_holder;
POINTER_TO(t_holder_unique, t_holder, NDR_TYPE_UNIQUE);
POINTER_TO(t_holder_ref, t_holder, NDR_TYPE_REF);
LOAD_OF(holder_t, struct holder, t, NDR_KIND_ENUM16);
static const NDR_RANGE pick_r_range = {1, 9};
static const NDR_ARM pick_arms[] = {
    ARM("c", 0, t_char),
    ARM("next", 7, t_holder_unique),
    {.name = "r", .value = 9, .type = &t_short, .range = &pick_r_range},
};
static const NDR_UNION pick_union = {.switch_kind = NDR_KIND_ENUM16,
                                     .switch_is = &holder_t,
                                     .arm_count = COUNT_OF(pick_arms),
                                     .arms = pick_arms};
UNION_OF(t_pick, union pick, pick_union);
static const NDR_FIELD holder_fields[] = {
    FIELD(struct holder, k, t_byte),
    FIELD(struct holder, pick, t_pick),
    FIELD(struct holder, t, t_enum16),
};
STRUCT_OF(t_holder, struct holder, 4, holder_fields);

LOAD_OF(box_level, struct box, level, NDR_KIND_INT32);
static const NDR_ARM infos_arms[] = {ARM("p", 100, t_long_unique), ARM("v", 101, t_long)};
static const NDR_UNION infos_union = {.switch_kind = NDR_KIND_INT32,
                                      .switch_is = &box_level,
                                      .arm_count = COUNT_OF(infos_arms),
                                      .arms = infos_arms};
UNION_OF(t_infos, union infos, infos_union);
POINTER_TO(t_infos_unique, t_infos, NDR_TYPE_UNIQUE);
static const NDR_FIELD box_fields[] = {
    FIELD(struct box, level, t_long),
    FIELD(struct box, info, t_infos_unique),
};
STRUCT_OF(t_box, struct box, 4, box_fields);
POINTER_TO(t_box_ref, t_box, NDR_TYPE_REF);
static const NDR_PARAM unions_params[] = {
    PARAM(struct unions_frame, mark, t_char, NDR_PARAM_IN),
    PARAM(struct unions_frame, choice, t_choice_ref, NDR_PARAM_IN),
    PARAM(struct unions_frame, kind, t_short, NDR_PARAM_IN),
    PARAM(struct unions_frame, link, t_link_ref, NDR_PARAM_IN),
    PARAM(struct unions_frame, holder, t_holder_ref, NDR_PARAM_IN | NDR_PARAM_OUT),
    PARAM(struct unions_frame, box, t_box_ref, NDR_PARAM_IN | NDR_PARAM_OUT),
};
OPERATION(unions_op, struct unions_frame, unions_params);

/* typedef struct { long size; short len; [size_is(size), length_is(len)] short v[]; } VTAIL;
 * typedef struct { [first_is(f), length_is(n)] long a[5]; short f; short n; } VFIX;
 * void varying([in, out, size_is(max), length_is(*len)] byte *buf, [in] long max,
 *              [in, out] long *len, [in] VTAIL *tail, [in] VFIX *fix,
 *              [in, size_is(max), first_is(1), string] char **names); */
struct vtail {
    int32_t size;
    int16_t len;
    int16_t v[];
};
struct vfix {
    int32_t a[5];
    int16_t f, n;
};
struct varying_frame {
    uint8_t *buf;
    int32_t max;
    int32_t *len;
    struct vtail *tail;
    struct vfix *fix;
    uint8_t **names;
};
LOAD_OF(varying_max, struct varying_frame, max, NDR_KIND_INT32);
static const NDR_EXPR varying_len = {
    .op = NDR_EXPR_DEREF, .kind = NDR_KIND_INT32, .offset = offsetof(struct varying_frame, len)};
static const NDR_EXPR varying_one = {.op = NDR_EXPR_CONST, .value = 1};
LOAD_OF(vtail_size, struct vtail, size, NDR_KIND_INT32);
LOAD_OF(vtail_len, struct vtail, len, NDR_KIND_INT16);
LOAD_OF(vfix_f, struct vfix, f, NDR_KIND_INT16);
LOAD_OF(vfix_n, struct vfix, n, NDR_KIND_INT16);
static const NDR_TYPE t_varying_buf = {.kind = NDR_KIND_ARRAY,
                                       .flags = NDR_TYPE_VARYING,
                                       .align = 4,
                                       .element = &t_byte,
                                       .max_count = &varying_max,
                                       .length = &varying_len};
static const NDR_TYPE t_varying_names = {.kind = NDR_KIND_ARRAY,
                                         .flags = NDR_TYPE_VARYING | NDR_TYPE_HAS_POINTERS,
                                         .align = 4,
                                         .element = &t_string_unique,
                                         .max_count = &varying_max,
                                         .first = &varying_one};
static const NDR_TYPE t_vtail_v = {.kind = NDR_KIND_ARRAY,
                                   .flags = NDR_TYPE_VARYING,
                                   .align = 4,
                                   .element = &t_short,
                                   .max_count = &vtail_size,
                                   .length = &vtail_len};
static const NDR_TYPE t_vfix_a = {.kind = NDR_KIND_ARRAY,
                                  .flags = NDR_TYPE_VARYING,
                                  .size = sizeof(int32_t[5]),
                                  .align = 4,
                                  .count = 5,
                                  .element = &t_long,
                                  .first = &vfix_f,
                                  .length = &vfix_n};
static const NDR_FIELD vtail_fields[] = {
    FIELD(struct vtail, size, t_long),
    FIELD(struct vtail, len, t_short),
    FIELD(struct vtail, v, t_vtail_v),
};
STRUCT_OF(t_vtail, struct vtail, 4, vtail_fields);
static const NDR_FIELD vfix_fields[] = {
    FIELD(struct vfix, a, t_vfix_a),
    FIELD(struct vfix, f, t_short),
    FIELD(struct vfix, n, t_short),
};
STRUCT_OF(t_vfix, struct vfix, 4, vfix_fields);
POINTER_TO(t_varying_buf_ref, t_varying_buf, NDR_TYPE_REF);
POINTER_TO(t_varying_names_ref, t_varying_names, NDR_TYPE_REF);
POINTER_TO(t_vtail_ref, t_vtail, NDR_TYPE_REF);
POINTER_TO(t_vfix_ref, t_vfix, NDR_TYPE_REF);
static const NDR_PARAM varying_params[] = {
    PARAM(struct varying_frame, buf, t_varying_buf_ref, NDR_PARAM_IN | NDR_PARAM_OUT),
    PARAM(struct varying_frame, max, t_long, NDR_PARAM_IN),
    PARAM(struct varying_frame, len, t_long_ref, NDR_PARAM_IN | NDR_PARAM_OUT),
    PARAM(struct varying_frame, tail, t_vtail_ref, NDR_PARAM_IN),
    PARAM(struct varying_frame, fix, t_vfix_ref, NDR_PARAM_IN),
    PARAM(struct varying_frame, names, t_varying_names_ref, NDR_PARAM_IN),
};
OPERATION(varying_op, struct varying_frame, varying_params);

/* typedef struct GNODE { long id; [ptr] struct GNODE *a, *b; [ptr, string] char *s;
 *                        [ignore] long *skip; } GNODE;
 * void graph([in, out] GNODE *root, [in, ptr] GNODE *also); */
struct gnode {
    int32_t id;
    struct gnode *a, *b;
    uint8_t *s;
    int32_t *skip;
};
struct graph_frame {
    struct gnode *root, *also;
};
static const NDR_TYPE t_gnode;
POINTER_TO(t_gnode_full, t_gnode, NDR_TYPE_FULL);
POINTER_TO(t_gnode_ref, t_gnode, NDR_TYPE_REF);
POINTER_TO(t_string_full, t_string, NDR_TYPE_FULL);
POINTER_TO(t_long_ignored, t_long, NDR_TYPE_UNIQUE | NDR_TYPE_IGNORE);
static const NDR_FIELD gnode_fields[] = {
    FIELD(struct gnode, id, t_long),           FIELD(struct gnode, a, t_gnode_full),
    FIELD(struct gnode, b, t_gnode_full),      FIELD(struct gnode, s, t_string_full),
    FIELD(struct gnode, skip, t_long_ignored),
};
STRUCT_OF(t_gnode, struct gnode, 4, gnode_fields);
static const NDR_PARAM graph_params[] = {
    PARAM(struct graph_frame, root, t_gnode_ref, NDR_PARAM_IN | NDR_PARAM_OUT),
    PARAM(struct graph_frame, also, t_gnode_full, NDR_PARAM_IN),
};
OPERATION(graph_op, struct graph_frame, graph_params);

#endif
