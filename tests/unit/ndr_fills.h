/* SPDX-License-Identifier: MIT */
/* ndr_fills.h - a value for each operation of ndr_samples.h.  Decoding a reply writes into
 * them, so each call sets everything. */
#ifndef PENSTOCK_TESTS_NDR_FILLS_H
#define PENSTOCK_TESTS_NDR_FILLS_H

#include <string.h>
#include <uchar.h>

#include "ndr_samples.h"

static inline void fill_scalars(union frames *f)
{
    f->scalars = (struct scalars_frame){.b = 1,
                                        .s = -2,
                                        .y = 0xaa,
                                        .h = 0x0102030405060708,
                                        .c = -1,
                                        .e16 = 3,
                                        .f = 1.0f,
                                        .e32 = -5,
                                        .d = 2.0,
                                        .i = -7,
                                        .st = 1783};
}

static inline void fill_strings(union frames *f)
{
    static uint8_t a[] = "hi", buf[6] = "xy";
    static WCHAR w[] = u"\u00e9";
    f->strings = (struct strings_frame){
        .a = a, .w = w, .label = {.tag = 0x7f, .name = "abc"}, .buf = buf, .n = 6};
}

static inline void fill_arrays(union frames *f)
{
    static int32_t v[2], pn, fixed[3];
    static int16_t w[3];
    static int64_t h[1];
    memcpy(v, (int32_t[]){1, 2}, sizeof(v));
    memcpy(w, (int16_t[]){5, 6, 7}, sizeof(w));
    memcpy(fixed, (int32_t[]){8, 9, 10}, sizeof(fixed));
    pn = 3;
    f->arrays = (struct arrays_frame){
        .v = v, .n = 2, .w = w, .pn = &pn, .fixed = fixed, .h = h, .s = 0x1234};
}

static inline void fill_list(union frames *f)
{
    static int16_t v[] = {10, 11}, twelve = 12;
    static uint8_t name_a[] = "A", name_bc[] = "Bc";
    static struct node second, first;
    second = (struct node){.id = 2, .name = name_bc, .n = 1, .v = &twelve};
    first = (struct node){.id = 1, .next = &second, .name = name_a, .n = 2, .v = v};
    f->list.head = &first;
}

static inline void fill_names(union frames *f)
{
    static WCHAR a[] = u"a";
    static WCHAR *names[] = {a, NULL};
    static int32_t hundred = 100000, two_hundred = 200000, five = 5;
    static int32_t *refs[] = {&hundred, &two_hundred};
    static struct pair pairs[] = {{1, &five}, {2, NULL}};
    f->names = (struct names_frame){.n = 2, .names = names, .refs = refs, .pairs = pairs};
}

static inline void fill_tails(union frames *f)
{
    static union {
        struct tail tail;
        uint8_t room[sizeof(struct tail) + 3 * sizeof(int16_t)];
    } tail;
    static struct outer outer = {.h = 0x1122334455667788,
                                 .tail = {.n = 1, .tag = 5, .v = {0x7fff}}};
    tail.tail.n = 3;
    tail.tail.tag = 9;
    memcpy(tail.tail.v, (int16_t[]){1, 2, 3}, 6);
    f->tails = (struct tails_frame){.tail = &tail.tail, .outer = &outer};
}

static inline void fill_empty_tails(union frames *f)
{
    static struct tail tail;
    static struct outer outer;
    tail = (struct tail){.tag = 9};
    outer = (struct outer){.h = 0x1122334455667788, .tail = {.tag = 5}};
    f->tails = (struct tails_frame){.tail = &tail, .outer = &outer};
}

static inline void fill_outs(union frames *f)
{
    static struct info info;
    static uint8_t buf[3];
    static int32_t value = 77;
    static int32_t *p;
    info = (struct info){0x11, 0x22};
    memcpy(buf, "abc", 3);
    p = &value;
    static WCHAR result[] = u"ok";
    f->outs = (struct outs_frame){.n = 3, .info = &info, .buf = buf, .pp = &p, .result = result};
}

static inline void fill_blob(union frames *f)
{
    static uint8_t octets[3];
    static struct blob blob;
    blob = (struct blob){.cb = 3, .p = octets};
    memset(octets, 0xaa, sizeof(octets));
    f->blob = (struct blob_frame){.blob = &blob, .result = 0x65757254};
}

static inline void fill_tree(union frames *f)
{
    static struct tree leaves[2], root;
    leaves[0] = (struct tree){.kind = 1, .mark = "abc"};
    leaves[1] = (struct tree){.kind = 2, .mark = "def"};
    root = (struct tree){.n = 2, .children = leaves, .kind = 32767, .mark = "xyz"};
    f->tree.root = &root;
}

static inline void fill_null_tree(union frames *f)
{
    f->tree.root = NULL;
}

static inline void fill_misc(union frames *f)
{
    static int32_t a[] = {7, 8}, nine = 9;
    static WCHAR w[3];
    static struct misc misc;
    static union {
        struct tail tail;
        uint8_t room[sizeof(struct tail) + 2 * sizeof(int16_t)];
    } tail;
    static union {
        struct named named;
        uint8_t room[sizeof(struct named) + 4];
    } named = {.named.len = 4};
    memcpy(w, u"ab", sizeof(w));
    misc = (struct misc){.labels = {{1, "a"}, {2, "bc"}},
                         .ptrs = {&nine, NULL},
                         .fixed = {1, 5},
                         .inner = {{1, 2}, 3}};
    tail.tail.n = 2;
    tail.tail.tag = 1;
    memcpy(tail.tail.v, (int16_t[]){3, 4}, 4);
    memcpy(named.named.name, "xy", 3);
    f->misc = (struct misc_frame){
        .a = a, .n = 2, .w = w, .tail = &tail.tail, .misc = &misc, .named = &named.named};
}

static inline void fill_unions(union frames *f)
{
    static union choice choice;
    static struct link last, link;
    static struct holder inner, holder;
    static union infos info;
    static struct box box;
    static int32_t value;
    static uint8_t s[3];
    memcpy(s, "ab", 3);
    value = 77;
    choice = (union choice){.s = s};
    last = (struct link){.c = 0, .tagged_union.a = {1, 2, 3}};
    link = (struct link){.c = 1, .tagged_union.next = &last};
    inner = (struct holder){.k = 1, .pick.r = 5, .t = 9};
    holder = (struct holder){.k = 9, .pick.next = &inner, .t = 7};
    info = (union infos){.p = &value};
    box = (struct box){.level = 100, .info = &info};
    f->unions = (struct unions_frame){
        .mark = 7, .choice = &choice, .kind = -3, .link = &link, .holder = &holder, .box = &box};
}

static inline void fill_empty_unions(union frames *f)
{
    static union infos info;
    fill_unions(f);
    f->unions.kind = 5;
    f->unions.link->c = 2;
    *f->unions.holder = (struct holder){.k = 9, .pick.c = 'x', .t = 0};
    info = (union infos){.v = 5};
    *f->unions.box = (struct box){.level = 101, .info = &info};
}

static inline void fill_default_union(union frames *f)
{
    static int32_t six;
    fill_empty_unions(f);
    six = 6;
    f->unions.kind = 99;
    f->unions.choice->pair = (struct pair){.k = 3, .p = &six};
}

static inline void fill_varying(union frames *f)
{
    static uint8_t buf[4], x[] = "x", y[] = "y";
    static uint8_t *names[4] = {NULL, x, NULL, y};
    static int32_t len;
    static struct vfix fix;
    static union {
        struct vtail tail;
        uint8_t room[sizeof(struct vtail) + 5 * sizeof(int16_t)];
    } tail;
    memcpy(buf, "\1\2\3", 4);
    len = 2;
    tail.tail.size = 5;
    tail.tail.len = 2;
    memcpy(tail.tail.v, (int16_t[]){7, 8, 9, 9, 9}, 5 * sizeof(int16_t));
    fix = (struct vfix){.a = {10, 11, 12, 13, 14}, .f = 1, .n = 2};
    f->varying = (struct varying_frame){
        .buf = buf, .max = 4, .len = &len, .tail = &tail.tail, .fix = &fix, .names = names};
}

static inline void fill_varying_nothing(union frames *f)
{
    fill_varying(f);
    f->varying.max = 1;
    *f->varying.len = 0;
    f->varying.tail->size = f->varying.tail->len = 0;
    f->varying.fix->f = 5;
    f->varying.fix->n = 0;
}

static inline void fill_graph(union frames *f)
{
    static struct gnode root, two, three;
    static uint8_t name[3];
    memcpy(name, "nm", 3);
    root = (struct gnode){.id = 1, .a = &two, .b = &two, .s = name};
    two = (struct gnode){.id = 2, .a = &two, .b = &three, .s = name};
    three = (struct gnode){.id = 3, .b = &two};
    f->graph = (struct graph_frame){.root = &root, .also = &three};
}

#endif
