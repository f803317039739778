/* SPDX-License-Identifier: MIT */
/* describe_test.c - what idl_describe() makes in memory is what the emitters write as C.
 *
 * The descriptors that the C compiler has compiled, with its sizeof and offsetof, against
 * those of the same IDL file: every operation, parameter, type, field, arm, range and
 * expression.  Left out is what may differ: layouts below #pragma pack, offsets in frames
 * (an expression has to lead to the same parameter), context handles, ACF attributes. */
#include <setjmp.h>
#include <stdio.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "calls.h"
#include "constructs.h"
#include "efs.h"
#include "frstrans.h"
#include "roundtrip.h"

#include "idl/describe.h"
#include "idl/preprocess.h"

/* ---- Compiling ---------------------------------------------------------------------------- */

struct files {
    const char *directory; /* of the file, with its slash at the end */
    char *texts[16];
    unsigned count;
};

static const char *const own_dir = IDL_OWN_DIR "/";

static bool read_idl(struct files *files, const char *directory, const char *name,
                     struct idl_source *ret_source)
{
    static char paths[16][512];
    const char *macros[] = {"-I" IDL_OWN_DIR};
    const struct preprocess_options options = {.macros = macros, .macro_count = 1};
    assert_in_range(files->count, 0, 15);
    char *path = paths[files->count];
    snprintf(path, sizeof(paths[0]), "%s%s", directory, name);
    size_t len;
    char *text = preprocess_run(&options, path, &len);
    if (!text)
        return false;
    files->texts[files->count++] = text;
    *ret_source = (struct idl_source){.path = path, .text = text, .len = len};
    return true;
}

static bool exists(const char *directory, const char *name)
{
    char path[512];
    size_t len;
    snprintf(path, sizeof(path), "%s%s", directory, name);
    char *text = preprocess_read(path, &len);
    free(text);
    return text != NULL;
}

static bool open_import(void *ctx, const char *name, const char *importer,
                        struct idl_source *ret_source)
{
    struct files *files = ctx;
    (void)importer;
    const char *directory = exists(files->directory, name) ? files->directory : own_dir;
    return read_idl(files, directory, name, ret_source);
}

static const NDR_INTERFACE memory = {.allocate = malloc, .free = free};

/* NULL: it did not work within `limit` octets, which is only right when there is one. */
static struct idl_compiler *compile(struct files *files, const char *name, size_t limit,
                                    const struct idl_description **ret_list)
{
    const struct idl_host host = {.ctx = files, .open_import = open_import};
    static struct idl_options options;
    struct idl_source source;
    options = (struct idl_options){.idl_name = name,
                                   .header_name = "",
                                   .explicit_handles = true,
                                   .memory_limit = limit};
    assert_true(read_idl(files, files->directory, name, &source));
    struct idl_compiler *compiler = idl_new(&options, &host);
    assert_non_null(compiler);
    bool ok = idl_compile(compiler, &source, NULL) && idl_describe(compiler, &memory, ret_list);
    assert_true(ok || limit > 0);
    if (ok)
        return compiler;
    idl_free(compiler);
    return NULL;
}

static void files_fini(struct files *files)
{
    while (files->count > 0)
        free(files->texts[--files->count]);
}

/* ---- Comparing ------------------------------------------------------------------------------ */

/* Types compared already, or being compared further up. */
struct pairs {
    struct {
        const NDR_TYPE *a, *b;
    } at[8192];
    size_t count;
};

struct context {
    struct pairs *pairs;
    const NDR_OPERATION *a, *b; /* around expressions over a frame */
    bool in_struct;             /* expressions are over a structure */
    bool packed;                /* below #pragma pack: C's layout is another */
};

/* How much was compared: nothing is no success. */
static unsigned types, expressions;

static const NDR_PARAM *param_at(const NDR_OPERATION *operation, uint32_t offset)
{
    for (uint32_t i = 0; i < operation->param_count; i++) {
        if (operation->params[i].offset == offset)
            return &operation->params[i];
    }
    return NULL;
}

static void compare_exprs(struct context *c, const NDR_EXPR *a, const NDR_EXPR *b)
{
    assert_int_equal(a != NULL, b != NULL);
    if (!a)
        return;
    expressions++;
    assert_int_equal(a->op, b->op);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->value, b->value);
    bool operand = a->op == NDR_EXPR_LOAD || a->op == NDR_EXPR_DEREF || a->op == NDR_EXPR_NONNULL;
    if (operand && c->in_struct && !c->packed)
        assert_int_equal(a->offset, b->offset);
    if (operand && !c->in_struct) {
        assert_non_null(param_at(c->a, a->offset));
        assert_non_null(param_at(c->b, b->offset));
        assert_string_equal(param_at(c->a, a->offset)->name, param_at(c->b, b->offset)->name);
    }
    compare_exprs(c, a->a, b->a);
    compare_exprs(c, a->b, b->b);
    compare_exprs(c, a->c, b->c);
}

static void compare_ranges(const NDR_RANGE *a, const NDR_RANGE *b)
{
    assert_int_equal(a != NULL, b != NULL);
    if (a)
        assert_memory_equal(a, b, sizeof(*a));
}

static void compare_names(const char *a, const char *b)
{
    assert_int_equal(a != NULL, b != NULL);
    if (a)
        assert_string_equal(a, b);
}

static void compare_types(struct context *c, const NDR_TYPE *a, const NDR_TYPE *b);

static void compare_arm(struct context *c, const NDR_ARM *a, const NDR_ARM *b)
{
    assert_int_equal(a != NULL, b != NULL);
    if (!a)
        return;
    assert_int_equal(a->value, b->value);
    assert_int_equal(a->type != NULL, b->type != NULL);
    if (!a->type)
        return;
    compare_names(a->name, b->name);
    compare_ranges(a->range, b->range);
    compare_types(c, a->type, b->type);
}

static void compare_unions(struct context *c, const NDR_UNION *a, const NDR_UNION *b)
{
    assert_int_equal(a->switch_kind, b->switch_kind);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->arm_count, b->arm_count);
    compare_exprs(c, a->switch_is, b->switch_is);
    if (!a->switch_is && !c->packed) {
        assert_int_equal(a->switch_offset, b->switch_offset);
        assert_int_equal(a->arms_offset, b->arms_offset);
    }
    for (uint32_t i = 0; i < a->arm_count; i++)
        compare_arm(c, &a->arms[i], &b->arms[i]);
    compare_arm(c, a->otherwise, b->otherwise);
}

static void compare_structs(const struct context *outer, const NDR_TYPE *a, const NDR_TYPE *b,
                            struct context *c)
{
    c->in_struct = true;
    c->packed = outer->packed || (a->name && strcmp(a->name, "RT_PACKED") == 0);
    for (uint32_t i = 0; i < a->count; i++) {
        compare_names(a->fields[i].name, b->fields[i].name);
        compare_ranges(a->fields[i].range, b->fields[i].range);
        compare_types(c, a->fields[i].type, b->fields[i].type);
        if (!c->packed)
            assert_int_equal(a->fields[i].offset, b->fields[i].offset);
    }
    if (!c->packed)
        assert_int_equal(a->size, b->size);
}

static bool seen(struct pairs *pairs, const NDR_TYPE *a, const NDR_TYPE *b)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (pairs->at[i].a == a && pairs->at[i].b == b)
            return true;
    }
    assert_true(pairs->count < sizeof(pairs->at) / sizeof(pairs->at[0]));
    pairs->at[pairs->count].a = a;
    pairs->at[pairs->count++].b = b;
    return false;
}

static void compare_types(struct context *c, const NDR_TYPE *a, const NDR_TYPE *b)
{
    if (seen(c->pairs, a, b))
        return;
    types++;
    if (a->kind == NDR_KIND_CONTEXT) {
        assert_int_equal(b->kind, NDR_KIND_STRUCT);
        assert_int_equal(idl_type_of(b)->form, IDL_FORM_CONTEXT);
        assert_int_equal(b->size, 20);
        assert_int_equal(a->align, b->align);
        return;
    }
    const uint32_t of_acf = NDR_TYPE_DONT_FREE | NDR_TYPE_ALL_NODES;
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->align, b->align);
    assert_int_equal(a->count, b->count);
    compare_names(a->name, b->name);
    struct context inside = *c;
    if (a->kind == NDR_KIND_STRUCT)
        compare_structs(c, a, b, &inside);
    else if (a->kind != NDR_KIND_PIPE && a->kind != NDR_KIND_HANDLE && !c->packed &&
             !(a->name && strcmp(a->name, "RT_PACKED") == 0))
        assert_int_equal(a->size, b->size);
    assert_int_equal(a->flags & ~of_acf, b->flags);
    compare_exprs(c, a->max_count, b->max_count);
    compare_exprs(c, a->first, b->first);
    compare_exprs(c, a->length, b->length);
    compare_ranges(a->count_range, b->count_range);
    compare_ranges(a->element_range, b->element_range);
    assert_int_equal(a->element != NULL, b->element != NULL);
    if (a->element)
        compare_types(&inside, a->element, b->element);
    assert_int_equal(a->alternatives != NULL, b->alternatives != NULL);
    if (a->alternatives)
        compare_unions(&inside, a->alternatives, b->alternatives);
}

static const NDR_PARAM *param_named(const NDR_OPERATION *operation, const char *name)
{
    for (uint32_t i = 0; i < operation->param_count; i++) {
        if (strcmp(operation->params[i].name, name) == 0)
            return &operation->params[i];
    }
    return NULL;
}

static void compare_operations(struct context *c, const NDR_OPERATION *a, const NDR_OPERATION *b)
{
    const uint32_t flags = NDR_OP_HAS_PIPES | NDR_OP_IDEMPOTENT | NDR_OP_MAYBE;
    const uint32_t of_param =
        NDR_PARAM_IN | NDR_PARAM_OUT | NDR_PARAM_RETURN | NDR_PARAM_PIPE | NDR_PARAM_PARTIAL_IGNORE;
    unsigned bindings = 0;
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->opnum, b->opnum);
    assert_int_equal(a->flags & flags, b->flags & flags);
    c->a = a;
    c->b = b;
    c->in_struct = c->packed = false;
    for (uint32_t i = 0; i < b->param_count; i++) {
        const NDR_PARAM *param = &b->params[i];
        const NDR_PARAM *other = param_named(a, param->name);
        bindings += (param->flags & NDR_PARAM_BINDING) != 0;
        assert_in_range(param->offset, 8, b->frame_size - 1);
        if (param->flags & NDR_PARAM_BINDING)
            continue;
        assert_non_null(other);
        assert_int_equal(other->flags & of_param, param->flags & of_param);
        compare_ranges(other->range, param->range);
        compare_types(c, other->type, param->type);
    }
    assert_int_equal(bindings, 1);
}

static void compare_interfaces(struct context *c, const RPC_CLIENT_INTERFACE *a,
                               const struct idl_description *b)
{
    assert_memory_equal(&a->InterfaceId, &b->spec.InterfaceId, sizeof(a->InterfaceId));
    assert_memory_equal(&a->TransferSyntax, &b->spec.TransferSyntax, sizeof(a->TransferSyntax));
    assert_int_equal(a->Flags, b->spec.Flags);
    assert_int_equal(a->RpcProtseqEndpointCount, b->spec.RpcProtseqEndpointCount);
    assert_int_equal(a->InterpreterInfo->operation_count, b->ndr.operation_count);
    for (uint32_t i = 0; i < b->ndr.operation_count; i++)
        compare_operations(c, &a->InterpreterInfo->operations[i], &b->ndr.operations[i]);
}

/* Finds each of `specs` in the file by its UUID. */
static void compare_file(const char *directory, const char *name, const RPC_IF_HANDLE *specs,
                         size_t count, unsigned least_types, unsigned least_expressions)
{
    static struct pairs pairs;
    struct files files = {.directory = directory};
    struct context context = {.pairs = &pairs};
    const struct idl_description *list;
    struct idl_compiler *compiler = compile(&files, name, 0, &list);
    pairs.count = 0;
    types = expressions = 0;
    for (size_t i = 0; i < count; i++) {
        const RPC_CLIENT_INTERFACE *spec = specs[i];
        const struct idl_description *d = list;
        while (d && memcmp(&d->spec.InterfaceId, &spec->InterfaceId, sizeof(GUID)) != 0)
            d = d->next;
        assert_non_null(d);
        compare_interfaces(&context, spec, d);
    }
    assert_in_range(types, least_types, 100000);
    assert_in_range(expressions, least_expressions, 100000);
    idl_free(compiler);
    files_fini(&files);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void roundtrip(void **state)
{
    (void)state;
    const RPC_IF_HANDLE specs[] = {
        rt_base_v1_0_c_ifspec,    rt_struct_v1_0_c_ifspec,   rt_array_v1_0_c_ifspec,
        rt_string_v1_0_c_ifspec,  rt_pointer_v1_0_c_ifspec,  rt_range_v1_0_c_ifspec,
        rt_explicit_v3_2_c_ifspec, rt_async_v1_0_c_ifspec,   rt_failure_v1_0_c_ifspec};
    compare_file(ROUNDTRIP_DIR "/", "roundtrip.idl", specs, COUNT(specs), 150, 60);
}

static void constructs(void **state)
{
    (void)state;
    const RPC_IF_HANDLE specs[] = {rt_union_v1_0_c_ifspec, rt_open_v1_0_c_ifspec,
                                   rt_full_v1_0_c_ifspec, rt_async_more_v1_0_c_ifspec};
    compare_file(ROUNDTRIP_DIR "/", "constructs.idl", specs, COUNT(specs), 150, 60);
}

static void published(void **state)
{
    (void)state;
    const RPC_IF_HANDLE specs[] = {
        c_samr_v1_0_c_ifspec,    c_drsuapi_v4_0_c_ifspec, c_svcctl_v2_0_c_ifspec,
        c_netdfs_v3_0_c_ifspec,  c_logon_v1_0_c_ifspec,   c_epm_v3_0_c_ifspec,
        c_witness_v1_1_c_ifspec, c_ntsvcs_v1_0_c_ifspec,  c_spoolss_v1_0_c_ifspec,
        c_wkssvc_v1_0_c_ifspec};
    compare_file(PUBLISHED_DIR "/", "calls.idl", specs, COUNT(specs), 140, 35);
}

static void transfers(void **state)
{
    (void)state;
    compare_file(TRANSFERS_DIR "/", "efs.idl", &efsrpc_v1_0_c_ifspec, 1, 5, 0);
    compare_file(TRANSFERS_DIR "/", "frstrans.idl", &FrsTransport_v1_0_c_ifspec, 1, 20, 3);
}

/* Wherever memory ends, that is all: no description is half made. */
static void out_of_memory(void **state)
{
    (void)state;
    unsigned failed = 0, done = 0;
    for (size_t limit = 64 * 1024; limit < 4 * 1024 * 1024 && done < 3; limit += 16 * 1024) {
        struct files files = {.directory = ROUNDTRIP_DIR "/"};
        const struct idl_description *list;
        struct idl_compiler *compiler = compile(&files, "constructs.idl", limit, &list);
        if (compiler)
            done++;
        else
            failed++;
        idl_free(compiler);
        files_fini(&files);
    }
    assert_in_range(failed, 1, 1000);
    assert_int_equal(done, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roundtrip), cmocka_unit_test(constructs), cmocka_unit_test(published),
        cmocka_unit_test(transfers), cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}
