/* SPDX-License-Identifier: MIT */
/* ndr_samba_test.c - calls of real interfaces as an independent implementation encodes them
 * (tests/vectors/samba_ndr.txt), in both syntaxes: decoded, looked at, and encoded again to
 * the same octets.  The interfaces' types are written down here from the open
 * specifications MS-SRVS, MS-LSAT, MS-LSAD and MS-RRP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uchar.h>

#include <cmocka.h>

#include <penstock/rpcnterr.h>

#include "ndr/ndr.h"
#include "ndr_heap.h"
#include "ndr_samples.h"

#define VECTOR_FILE "tests/vectors/samba_ndr.txt"

POINTER_TO(t_ulong_unique, t_ulong, NDR_TYPE_UNIQUE);
POINTER_TO(t_ulong_ref, t_ulong, NDR_TYPE_REF);

/* ---- srvsvc: a union of pointers ------------------------------------------------------------ */

struct share2 {
    WCHAR *name;
    uint32_t type;
    WCHAR *comment;
    uint32_t permissions, max_users, current_users;
    WCHAR *path, *password;
};
static const NDR_FIELD share2_fields[] = {
    FIELD(struct share2, name, t_wstring_unique),
    FIELD(struct share2, type, t_ulong),
    FIELD(struct share2, comment, t_wstring_unique),
    FIELD(struct share2, permissions, t_ulong),
    FIELD(struct share2, max_users, t_ulong),
    FIELD(struct share2, current_users, t_ulong),
    FIELD(struct share2, path, t_wstring_unique),
    FIELD(struct share2, password, t_wstring_unique),
};
STRUCT_OF(t_share2, struct share2, 4, share2_fields);
POINTER_TO(t_share2_unique, t_share2, NDR_TYPE_UNIQUE);
union share_info {
    struct share2 *info2;
};
struct share_add_frame {
    WCHAR *server;
    uint32_t level;
    union share_info info;
    uint32_t *error;
};
LOAD_OF(share_add_level, struct share_add_frame, level, NDR_KIND_UINT32);
static const NDR_ARM share_info_arms[] = {ARM("info2", 2, t_share2_unique)};
static const NDR_UNION share_info_union = {.switch_kind = NDR_KIND_UINT32,
                                           .switch_is = &share_add_level,
                                           .arm_count = COUNT_OF(share_info_arms),
                                           .arms = share_info_arms};
UNION_OF(t_share_info, union share_info, share_info_union);
static const NDR_PARAM share_add_params[] = {
    PARAM(struct share_add_frame, server, t_wstring_unique, NDR_PARAM_IN),
    PARAM(struct share_add_frame, level, t_ulong, NDR_PARAM_IN),
    PARAM(struct share_add_frame, info, t_share_info, NDR_PARAM_IN),
    PARAM(struct share_add_frame, error, t_ulong_unique, NDR_PARAM_IN),
};
OPERATION(share_add_op, struct share_add_frame, share_add_params);

static void check_share_add(const void *frame)
{
    const struct share_add_frame *f = frame;
    assert_int_equal(f->level, 2);
    assert_memory_equal(f->server, u"\\\\srv", 12);
    assert_memory_equal(f->info.info2->name, u"data", 10);
    assert_memory_equal(f->info.info2->path, u"C:\\d", 10);
    assert_int_equal(f->info.info2->max_users, UINT32_MAX);
    assert_null(f->info.info2->password);
    assert_int_equal(*f->error, 7);
}

/* A structure with a union whose discriminant is a member. */
struct share1 {
    WCHAR *name;
    uint32_t type;
    WCHAR *comment;
};
struct share_ctr1 {
    uint32_t count;
    struct share1 *array;
};
struct share_ctr {
    uint32_t level;
    union {
        struct share_ctr1 *ctr1;
    } ctr;
};
struct share_enum_frame {
    WCHAR *server;
    struct share_ctr *ctr;
    uint32_t max_buffer;
    uint32_t *resume;
};
static const NDR_FIELD share1_fields[] = {
    FIELD(struct share1, name, t_wstring_unique),
    FIELD(struct share1, type, t_ulong),
    FIELD(struct share1, comment, t_wstring_unique),
};
STRUCT_OF(t_share1, struct share1, 4, share1_fields);
LOAD_OF(share_ctr1_count, struct share_ctr1, count, NDR_KIND_UINT32);
ARRAY_SIZED(t_share1_array, t_share1, share_ctr1_count);
POINTER_TO(t_share1_array_unique, t_share1_array, NDR_TYPE_UNIQUE);
static const NDR_FIELD share_ctr1_fields[] = {
    FIELD(struct share_ctr1, count, t_ulong),
    FIELD(struct share_ctr1, array, t_share1_array_unique),
};
STRUCT_OF(t_share_ctr1, struct share_ctr1, 4, share_ctr1_fields);
POINTER_TO(t_share_ctr1_unique, t_share_ctr1, NDR_TYPE_UNIQUE);
LOAD_OF(share_ctr_level, struct share_ctr, level, NDR_KIND_UINT32);
static const NDR_ARM share_ctr_arms[] = {ARM("ctr1", 1, t_share_ctr1_unique)};
static const NDR_UNION share_ctr_union = {.switch_kind = NDR_KIND_UINT32,
                                          .switch_is = &share_ctr_level,
                                          .arm_count = COUNT_OF(share_ctr_arms),
                                          .arms = share_ctr_arms};
static const NDR_TYPE t_share_ctr_union = {
    .kind = NDR_KIND_UNION, .size = sizeof(void *), .align = 4, .alternatives = &share_ctr_union};
static const NDR_FIELD share_ctr_fields[] = {
    FIELD(struct share_ctr, level, t_ulong),
    FIELD(struct share_ctr, ctr, t_share_ctr_union),
};
STRUCT_OF(t_share_ctr, struct share_ctr, 4, share_ctr_fields);
POINTER_TO(t_share_ctr_ref, t_share_ctr, NDR_TYPE_REF);
static const NDR_PARAM share_enum_params[] = {
    PARAM(struct share_enum_frame, server, t_wstring_unique, NDR_PARAM_IN),
    PARAM(struct share_enum_frame, ctr, t_share_ctr_ref, NDR_PARAM_IN),
    PARAM(struct share_enum_frame, max_buffer, t_ulong, NDR_PARAM_IN),
    PARAM(struct share_enum_frame, resume, t_ulong_unique, NDR_PARAM_IN),
};
OPERATION(share_enum_op, struct share_enum_frame, share_enum_params);

static void check_share_enum(const void *frame)
{
    const struct share_enum_frame *f = frame;
    const struct share_ctr1 *ctr = f->ctr->ctr.ctr1;
    assert_int_equal(ctr->count, 2);
    assert_memory_equal(ctr->array[0].comment, u"x", 4);
    assert_memory_equal(ctr->array[1].name, u"two", 8);
    assert_null(ctr->array[1].comment);
    assert_int_equal(*f->resume, 5);
}

/* ---- lsarpc: a context handle, counted strings, an enum, a SID in a union ----------------------
 */

static const NDR_TYPE t_ushort = {.kind = NDR_KIND_UINT16, .size = 2, .align = 2};
static const NDR_CONTEXT lsa_context = {.name = "LSAPR_HANDLE"};
static const NDR_TYPE t_lsa_handle = {
    .kind = NDR_KIND_CONTEXT, .size = sizeof(void *), .align = 4, .context = &lsa_context};

/* { unsigned short len, size; [size_is(size / 2), length_is(len / 2), unique] wchar_t *s; } */
struct counted {
    uint16_t len, size;
    WCHAR *s;
};
LOAD_OF(counted_len, struct counted, len, NDR_KIND_UINT16);
LOAD_OF(counted_size, struct counted, size, NDR_KIND_UINT16);
static const NDR_EXPR two = {.op = NDR_EXPR_CONST, .value = 2};
static const NDR_EXPR counted_length = {.op = NDR_EXPR_DIV, .a = &counted_len, .b = &two};
static const NDR_EXPR counted_max = {.op = NDR_EXPR_DIV, .a = &counted_size, .b = &two};
static const NDR_TYPE t_counted_s = {.kind = NDR_KIND_ARRAY,
                                     .flags = NDR_TYPE_VARYING,
                                     .align = 4,
                                     .element = &t_wchar,
                                     .max_count = &counted_max,
                                     .length = &counted_length};
POINTER_TO(t_counted_s_unique, t_counted_s, NDR_TYPE_UNIQUE);
static const NDR_FIELD counted_fields[] = {
    FIELD(struct counted, len, t_ushort),
    FIELD(struct counted, size, t_ushort),
    FIELD(struct counted, s, t_counted_s_unique),
};
STRUCT_OF(t_counted, struct counted, 4, counted_fields);
struct sids {
    uint32_t count;
    uint32_t *sids; /* NULL here */
};
struct lookup_frame {
    void *handle;
    uint32_t count;
    struct counted *names;
    struct sids *sids;
    int32_t level;
    uint32_t *mapped;
};
static const NDR_FIELD sids_fields[] = {
    FIELD(struct sids, count, t_ulong),
    FIELD(struct sids, sids, t_ulong_unique),
};
STRUCT_OF(t_sids, struct sids, 4, sids_fields);
POINTER_TO(t_sids_ref, t_sids, NDR_TYPE_REF);
LOAD_OF(lookup_count, struct lookup_frame, count, NDR_KIND_UINT32);
ARRAY_SIZED(t_lookup_names, t_counted, lookup_count);
POINTER_TO(t_lookup_names_ref, t_lookup_names, NDR_TYPE_REF);
static const NDR_PARAM lookup_params[] = {
    PARAM(struct lookup_frame, handle, t_lsa_handle, NDR_PARAM_IN),
    PARAM(struct lookup_frame, count, t_ulong, NDR_PARAM_IN),
    PARAM(struct lookup_frame, names, t_lookup_names_ref, NDR_PARAM_IN),
    PARAM(struct lookup_frame, sids, t_sids_ref, NDR_PARAM_IN),
    PARAM(struct lookup_frame, level, t_enum16, NDR_PARAM_IN),
    PARAM(struct lookup_frame, mapped, t_ulong_ref, NDR_PARAM_IN),
};
OPERATION(lookup_op, struct lookup_frame, lookup_params);

static void check_lookup(const void *frame)
{
    const struct lookup_frame *f = frame;
    assert_non_null(f->handle);
    assert_int_equal(f->count, 2);
    assert_int_equal(f->names[1].len, 10);
    assert_memory_equal(f->names[1].s, u"Bob Q", 10);
    assert_int_equal(f->level, 1);
}

/* RPC_SID: { unsigned char revision, count; unsigned char authority[6];
 *            [size_is(count)] unsigned long sub[]; } */
struct sid {
    uint8_t revision, count, authority[6];
    uint32_t sub[];
};
struct domain {
    struct counted name;
    struct sid *sid;
};
union policy {
    struct domain domain;
};
struct policy_frame {
    int32_t level;
    union policy *info;
    int32_t result;
};
ARRAY_OF(t_char6, t_char, 6, 6, 1);
LOAD_OF(sid_count, struct sid, count, NDR_KIND_UINT8);
ARRAY_SIZED(t_sid_sub, t_ulong, sid_count);
static const NDR_FIELD sid_fields[] = {
    FIELD(struct sid, revision, t_byte),
    FIELD(struct sid, count, t_byte),
    FIELD(struct sid, authority, t_char6),
    FIELD(struct sid, sub, t_sid_sub),
};
STRUCT_OF(t_sid, struct sid, 4, sid_fields);
POINTER_TO(t_sid_unique, t_sid, NDR_TYPE_UNIQUE);
static const NDR_FIELD domain_fields[] = {
    FIELD(struct domain, name, t_counted),
    FIELD(struct domain, sid, t_sid_unique),
};
STRUCT_OF(t_domain, struct domain, 4, domain_fields);
LOAD_OF(policy_level, struct policy_frame, level, NDR_KIND_ENUM16);
static const NDR_ARM policy_arms[] = {ARM("domain", 5, t_domain)};
static const NDR_UNION policy_union = {.switch_kind = NDR_KIND_ENUM16,
                                       .switch_is = &policy_level,
                                       .arm_count = COUNT_OF(policy_arms),
                                       .arms = policy_arms};
UNION_OF(t_policy, union policy, policy_union);
POINTER_TO(t_policy_unique, t_policy, NDR_TYPE_UNIQUE);
/* [out] POLICY **info: one level less here, as a result would be */
static const NDR_PARAM policy_params[] = {
    PARAM(struct policy_frame, info, t_policy_unique, NDR_PARAM_OUT),
    PARAM(struct policy_frame, result, t_long, NDR_PARAM_OUT | NDR_PARAM_RETURN),
};
OPERATION(policy_op, struct policy_frame, policy_params);

static void check_policy(const void *frame)
{
    const struct domain *domain = &((const struct policy_frame *)frame)->info->domain;
    assert_int_equal(domain->name.size, 8);
    assert_memory_equal(domain->name.s, u"DOM\0", 8); /* the fourth did not travel */
    assert_int_equal(domain->sid->count, 4);
    assert_int_equal(domain->sid->sub[0], 21);
    assert_int_equal(domain->sid->sub[3], 3);
}

/* ---- winreg: size_is(p ? *p : 0), length_is(q ? *q : 0) ----------------------------------------
 */

struct value_frame {
    void *handle;
    struct counted name;
    uint32_t *type;
    uint8_t *data;
    uint32_t *size, *length;
};
#define VALUE_OF(ident, member)                                                                    \
    static const NDR_EXPR ident##_there = {.op = NDR_EXPR_NONNULL,                                 \
                                           .offset = offsetof(struct value_frame, member)};        \
    static const NDR_EXPR ident##_deref = {.op = NDR_EXPR_DEREF,                                   \
                                           .kind = NDR_KIND_UINT32,                                \
                                           .offset = offsetof(struct value_frame, member)};        \
    static const NDR_EXPR ident##_zero = {.op = NDR_EXPR_CONST};                                   \
    static const NDR_EXPR ident = {                                                                \
        .op = NDR_EXPR_COND, .a = &ident##_there, .b = &ident##_deref, .c = &ident##_zero}
VALUE_OF(value_size, size);
VALUE_OF(value_length, length);
static const NDR_TYPE t_value_data = {.kind = NDR_KIND_ARRAY,
                                      .flags = NDR_TYPE_VARYING,
                                      .align = 4,
                                      .element = &t_byte,
                                      .max_count = &value_size,
                                      .length = &value_length};
POINTER_TO(t_value_data_unique, t_value_data, NDR_TYPE_UNIQUE);
static const NDR_PARAM value_params[] = {
    PARAM(struct value_frame, handle, t_lsa_handle, NDR_PARAM_IN),
    PARAM(struct value_frame, name, t_counted, NDR_PARAM_IN),
    PARAM(struct value_frame, type, t_ulong_unique, NDR_PARAM_IN),
    PARAM(struct value_frame, data, t_value_data_unique, NDR_PARAM_IN),
    PARAM(struct value_frame, size, t_ulong_unique, NDR_PARAM_IN),
    PARAM(struct value_frame, length, t_ulong_unique, NDR_PARAM_IN),
};
OPERATION(value_op, struct value_frame, value_params);

static void check_value(const void *frame)
{
    const struct value_frame *f = frame;
    assert_memory_equal(f->name.s, u"val", 8);
    assert_memory_equal(f->data, "\1\2\3\0\0\0\0\0", 8);
    assert_int_equal(*f->size, 8);
    assert_int_equal(*f->length, 3);
}

/* ---- Both ways
 * ------------------------------------------------------------------------------------ */

/* The octets themselves are the handle. */
static uint8_t handle_octets[NDR_CONTEXT_LEN];

static RPC_STATUS handle_to_wire(void *arg, const NDR_TYPE *type, const void *slot,
                                 uint8_t out[NDR_CONTEXT_LEN])
{
    (void)arg, (void)type, (void)slot;
    memcpy(out, handle_octets, NDR_CONTEXT_LEN);
    return RPC_S_OK;
}

static RPC_STATUS handle_from_wire(void *arg, const NDR_TYPE *type,
                                   const uint8_t in[NDR_CONTEXT_LEN], void *slot)
{
    const void *handle = handle_octets;
    (void)arg, (void)type;
    memcpy(handle_octets, in, NDR_CONTEXT_LEN);
    memcpy(slot, &handle, sizeof(handle));
    return RPC_S_OK;
}

static const struct ndr_context_hooks hooks = {.to_wire = handle_to_wire,
                                               .from_wire = handle_from_wire};

static const struct {
    const char *name;
    const NDR_OPERATION *operation;
    uint32_t direction;
    void (*check)(const void *frame);
} calls[] = {
    {"share_add", &share_add_op, NDR_PARAM_IN, check_share_add},
    {"share_enum", &share_enum_op, NDR_PARAM_IN, check_share_enum},
    {"lookup_names", &lookup_op, NDR_PARAM_IN, check_lookup},
    {"query_domain", &policy_op, NDR_PARAM_OUT, check_policy},
    {"query_value", &value_op, NDR_PARAM_IN, check_value},
};

union any_frame {
    struct share_add_frame share_add;
    struct share_enum_frame share_enum;
    struct lookup_frame lookup;
    struct policy_frame policy;
    struct value_frame value;
};

static void check_call(size_t i, bool ndr64, const uint8_t *octets, size_t len)
{
    union any_frame frame;
    struct ndr_writer w;
    struct ndr_reader r = {.octets = octets,
                           .len = len,
                           .little_endian = true,
                           .last = true,
                           .ndr64 = ndr64,
                           .contexts = &hooks};
    memset(&frame, 0, sizeof(frame));
    if (calls[i].operation == &policy_op)
        frame.policy.level = 5; /* the client's own [in] */
    assert_int_equal(ndr_decode_params(&r, calls[i].operation, &frame, calls[i].direction, &heap),
                     NDR_DONE);
    assert_int_equal(r.pos, len);
    calls[i].check(&frame);
    ndr_writer_init(&w);
    w.ndr64 = ndr64;
    w.contexts = &hooks;
    assert_int_equal(ndr_encode_params(&w, calls[i].operation, &frame, calls[i].direction),
                     RPC_S_OK);
    assert_int_equal(w.len, len);
    assert_memory_equal(w.octets, octets, len);
    ndr_writer_fini(&w);
    ndr_free_params(calls[i].operation, &frame, &heap);
    assert_int_equal(heap_live, 0);
}

static void c_every_call(void **state)
{
    char line[2048], name[64], syntax[8], hex[1500];
    size_t done[2] = {0};
    FILE *file = fopen(VECTOR_FILE, "r");
    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        if (line[0] == '#')
            continue;
        assert_int_equal(sscanf(line, "%63s %7s %1499s", name, syntax, hex), 3);
        size_t len = strlen(hex) / 2, i = 0;
        uint8_t *octets = malloc(len);
        for (size_t k = 0; k < len; k++) {
            unsigned octet;
            assert_int_equal(sscanf(hex + 2 * k, "%2x", &octet), 1);
            octets[k] = (uint8_t)octet;
        }
        while (strcmp(calls[i].name, name) != 0)
            assert_in_range(++i, 1, COUNT_OF(calls) - 1);
        bool ndr64 = strcmp(syntax, "ndr64") == 0;
        print_message("# %s %s\n", name, syntax);
        check_call(i, ndr64, octets, len);
        done[ndr64]++;
        free(octets);
    }
    fclose(file);
    assert_int_equal(done[0], COUNT_OF(calls));
    assert_int_equal(done[1], COUNT_OF(calls));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_every_call),
    };
    return cmocka_run_group_tests_name("ndr_samba", tests, NULL, NULL);
}
