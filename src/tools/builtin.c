/* SPDX-License-Identifier: MIT */
/* builtin.c - management (C706 Appendix Q) and endpoint mapper (Appendix O), with the ranges of
 * MS-RPCE 2.2.1.2 and 2.2.1.3. */
#include "builtin.h"

#include "call_memory.h"
#include "call_run.h"
#include "call_value.h"
#include "penstock.h"

#include "idl/describe.h"

#include <stdio.h>
#include <string.h>

#define GUID_TEXT                                                                                  \
    "typedef struct _GUID { unsigned long Data1; unsigned short Data2, Data3; byte Data4[8]; } "   \
    "UUID;\n"

static const char mgmt_idl[] =
    "[uuid(afa8bd80-7d8a-11c9-bef4-08002b102989), version(1.0), pointer_default(ptr)]\n"
    "interface mgmt {\n" GUID_TEXT
    "typedef struct { UUID uuid; unsigned short major, minor; } if_id;\n"
    "typedef struct { unsigned long count; [size_is(count)] if_id *ids[]; } if_ids;\n"
    "void inq_if_ids([in] handle_t h, [out] if_ids **vector, [out] error_status_t *status);\n"
    "void inq_stats([in] handle_t h, [in, out, range(0, 50)] unsigned long *count,\n"
    "  [out, size_is(*count)] unsigned long statistics[], [out] error_status_t *status);\n"
    "unsigned long is_server_listening([in] handle_t h, [out] error_status_t *status);\n"
    "}\n";

static const char epmapper_idl[] =
    "[uuid(e1af8308-5d1f-11c9-91a4-08002b14a0fa), version(3.0), pointer_default(ptr)]\n"
    "interface epmapper {\n" GUID_TEXT
    "typedef struct { UUID uuid; unsigned short major, minor; } if_id;\n"
    "typedef struct { [range(0, 2000)] unsigned long length; [size_is(length)] byte octets[]; }\n"
    "  twr_t;\n"
    "typedef struct { UUID object; twr_t *tower; [string] char annotation[64]; } entry;\n"
    "typedef [context_handle] void *handle;\n"
    "void insert([in] handle_t h);\n" /* these two are never called */
    "void delete_entry([in] handle_t h);\n"
    "void lookup([in] handle_t h, [in] unsigned long inquiry_type, [in, ptr] UUID *object,\n"
    "  [in, ptr] if_id *interface_id, [in] unsigned long vers_option, [in, out] handle *entry_handle,\n"
    "  [in, range(0, 500)] unsigned long max_ents, [out] unsigned long *num_ents,\n"
    "  [out, size_is(max_ents), length_is(*num_ents)] entry entries[],\n"
    "  [out] error_status_t *status);\n"
    "}\n";

/* The two files, compiled when the first operation of one is called; until the program ends,
 * because connections refer to them. */
static const struct idl_description *describe(const char *name, const char *text)
{
    static const struct idl_description *known;
    static struct idl_compiler *compiler;
    static const NDR_INTERFACE memory = {.allocate = call_allocate, .free = call_free};
    static const struct idl_options options = {.idl_name = "builtin.idl", .header_name = ""};
    const struct idl_source source = {.path = name, .text = text, .len = strlen(text)};
    if (known && strcmp(known->name, name) == 0)
        return known;
    compiler = idl_new(&options, NULL); /* no command needs both */
    if (!compiler || !idl_compile(compiler, &source, NULL) ||
        !idl_describe(compiler, &memory, &known)) {
        tool_complain("out of memory");
        return NULL;
    }
    return known;
}

static const NDR_OPERATION *find(const struct idl_description *d, const char *name)
{
    for (uint32_t i = 0; i < d->ndr.operation_count; i++) {
        if (strcmp(d->ndr.operations[i].name, name) == 0)
            return &d->ndr.operations[i];
    }
    return NULL;
}

static int run(RPC_BINDING_HANDLE binding, const char *what, const struct idl_description *d,
               const NDR_OPERATION *operation, const json_t *arguments, struct value_walk *walk,
               json_t **ret_results)
{
    struct call_run run = {0};
    bool cancelled;
    uint8_t *frame = call_allocate(operation->frame_size);
    if (!frame || !value_fill_frame(walk, operation, frame, arguments))
        return tool_complain("%s", frame ? walk->error : "out of memory");
    for (uint32_t i = 0; i < operation->param_count; i++) {
        if (operation->params[i].flags & NDR_PARAM_BINDING)
            memcpy(frame + operation->params[i].offset, &binding, sizeof(binding));
    }
    RpcAsyncInitializeHandle(&run.async, sizeof(run.async));
    RPC_STATUS status = call_run(&run, &d->spec, operation, frame, &cancelled);
    if (status != RPC_S_OK) {
        tool_failed(what, status);
        return cancelled ? EXIT_CANCELLED : EXIT_FAILED;
    }
    *ret_results = value_show_frame(walk, operation, frame);
    if (*ret_results)
        return EXIT_OK;
    fprintf(stderr, "penstock: %s: %s\n", what, walk->error);
    return EXIT_FAILED;
}

int builtin_call(RPC_BINDING_HANDLE binding, const char *what, const char *name,
                 json_t *arguments, uint32_t expected, json_t **ret_results)
{
    bool is_mgmt = strncmp(name, "mgmt.", 5) == 0;
    const struct idl_description *d =
        is_mgmt ? describe("mgmt", mgmt_idl) : describe("epmapper", epmapper_idl);
    const NDR_OPERATION *operation = d ? find(d, strchr(name, '.') + 1) : NULL;
    struct value_walk walk;
    int status = EXIT_FAILED;
    *ret_results = NULL;
    if (operation && arguments) {
        value_walk_init(&walk, name);
        status = run(binding, what, d, operation, arguments, &walk, ret_results);
        value_walk_fini(&walk);
    }
    json_decref(arguments);
    call_free_all();
    if (status != EXIT_OK)
        return status;
    json_int_t answer = json_integer_value(json_object_get(*ret_results, "status"));
    if (answer == 0 || answer == (json_int_t)expected)
        return EXIT_OK;
    json_decref(*ret_results);
    *ret_results = NULL;
    return tool_failed(what, (RPC_STATUS)(uint32_t)answer);
}
