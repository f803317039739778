/* SPDX-License-Identifier: MIT */
/* main.c - octets of calls of published interfaces.
 *
 *   published CALL ndr20|ndr64 [--request HEX] [--response HEX] [--order little|big]
 *
 * Calls the client stub with the program's own values, carries the octets to the server stub
 * within the process, and its answer back.  Others' octets given as options travel instead of
 * ours, in the byte order --order names.  One line each:
 *
 *   request HEX    what the client stub sends
 *   taken HEX      what the server stub made of the request, sent again
 *   response HEX   what the server stub answers, with the values of the manager routine
 *   given HEX      what the client stub made of the response, sent again
 *   result TEXT    the same, printed
 *
 * Others choose other referents; sent again, the same values have our octets. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ndr/layout.h"
#include "ndr/ndr.h"
#include "published.h"

/* Referenced by the stubs. */
void RPC_ENTRY published_call(const RPC_CLIENT_INTERFACE *interface_spec, unsigned int opnum,
                              void *frame);

static const struct { /* the engine puts them into the order of the wire */
    uint32_t attributes;
    GUID uuid;
} the_handle = {0, {0x01020304, 0x0506, 0x0708, {9, 10, 11, 12, 13, 14, 15, 16}}};
void *const published_handle = (void *)&the_handle;

static const char *request_hex, *response_hex;
static bool given_little = NDR_HOST_LITTLE_ENDIAN; /* the octets of the options */
static bool ndr64;
static bool ran;

static void die(const char *what, long number)
{
    fprintf(stderr, "%s: %ld\n", what, number);
    exit(1);
}

/* ---- Memory ------------------------------------------------------------------------------- */

struct object {
    struct object *next;
    max_align_t memory[];
};
static struct object *objects;

void *published_new(size_t size)
{
    struct object *object = calloc(1, sizeof(*object) + size);
    if (!object)
        die("no memory", (long)size);
    object->next = objects;
    objects = object;
    return object->memory;
}

/* All of it goes at the end: what a client is given and what it has are hard to tell apart. */
static void keep(void *object)
{
    (void)object;
}

static void free_all(void)
{
    while (objects) {
        struct object *next = objects->next;
        free(objects);
        objects = next;
    }
}

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return published_new(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    keep(object);
}

static const struct ndr_memory memory = {.allocate = published_new, .free = keep};

WCHAR *published_text(const WCHAR *text)
{
    size_t len = 0;
    while (text[len])
        len++;
    return memcpy(published_new((len + 1) * sizeof(WCHAR)), text, (len + 1) * sizeof(WCHAR));
}

RPC_UNICODE_STRING published_string(const WCHAR *text)
{
    RPC_UNICODE_STRING string = {.Buffer = published_text(text)};
    while (text[string.Length / 2])
        string.Length += 2;
    string.MaximumLength = string.Length;
    return string;
}

/* ---- Context handles ---------------------------------------------------------------------- */

static RPC_STATUS handle_to_wire(void *arg, const NDR_TYPE *type, const void *slot, uint8_t *out)
{
    const void *handle;
    (void)arg, (void)type;
    memcpy(&handle, slot, sizeof(handle));
    memset(out, 0, NDR_CONTEXT_LEN);
    if (handle)
        memcpy(out, handle, NDR_CONTEXT_LEN);
    return RPC_S_OK;
}

static RPC_STATUS handle_from_wire(void *arg, const NDR_TYPE *type, const uint8_t *in, void *slot)
{
    static const uint8_t null[NDR_CONTEXT_LEN];
    void *handle = NULL;
    (void)arg, (void)type;
    if (memcmp(in, null, sizeof(null)) != 0)
        handle = memcpy(published_new(NDR_CONTEXT_LEN), in, NDR_CONTEXT_LEN);
    memcpy(slot, &handle, sizeof(handle));
    return RPC_S_OK;
}

static const struct ndr_context_hooks hooks = {.to_wire = handle_to_wire,
                                               .from_wire = handle_from_wire};

void __RPC_USER SAMPR_HANDLE_rundown(SAMPR_HANDLE handle)
{
    keep(handle);
}
void __RPC_USER DRS_HANDLE_rundown(DRS_HANDLE handle)
{
    keep(handle);
}
void __RPC_USER SC_RPC_HANDLE_rundown(SC_RPC_HANDLE handle)
{
    keep(handle);
}
void __RPC_USER ept_lookup_handle_t_rundown(ept_lookup_handle_t handle)
{
    keep(handle);
}
void __RPC_USER PRINTER_HANDLE_rundown(PRINTER_HANDLE handle)
{
    keep(handle);
}

/* ---- There and back ----------------------------------------------------------------------- */

/* A stub's parameters of one direction as octets, shown under `label`. */
static struct ndr_writer encode(const char *label, const NDR_OPERATION *operation,
                                const void *frame, uint32_t direction)
{
    struct ndr_writer writer;
    ndr_writer_init(&writer);
    writer.ndr64 = ndr64;
    writer.contexts = &hooks;
    RPC_STATUS status = ndr_encode_params(&writer, operation, frame, direction);
    if (status != RPC_S_OK)
        die(label, status);
    printf("%s ", label);
    for (size_t i = 0; i < writer.len; i++)
        printf("%02x", writer.octets[i]);
    printf("\n");
    return writer;
}

/* Ours, or those of the option: then `writer` is filled with them. */
static void replace(struct ndr_writer *writer, const char *hex)
{
    if (!hex)
        return;
    ndr_writer_fini(writer);
    writer->len = writer->capacity = strlen(hex) / 2;
    writer->octets = malloc(writer->len + 1);
    if (!writer->octets)
        die("no memory", 0);
    for (size_t i = 0; i < writer->len; i++) {
        unsigned octet;
        if (sscanf(hex + 2 * i, "%2x", &octet) != 1)
            die("no hexadecimal number at", (long)i);
        writer->octets[i] = (uint8_t)octet;
    }
}

/* All octets have to be used: samba and impacket send no more than there is. */
static void decode(const struct ndr_writer *writer, bool given, const NDR_OPERATION *operation,
                   void *frame, uint32_t direction)
{
    struct ndr_reader reader = {.octets = writer->octets,
                                .len = writer->len,
                                .little_endian = given ? given_little : NDR_HOST_LITTLE_ENDIAN,
                                .last = true,
                                .ndr64 = ndr64,
                                .contexts = &hooks};
    if (ndr_decode_params(&reader, operation, frame, direction, &memory) != NDR_DONE)
        die("decoding failed", reader.status);
    if (reader.pos != reader.len)
        die("octets left over", (long)(reader.len - reader.pos));
}

static const RPC_SERVER_INTERFACE *server_of(const RPC_CLIENT_INTERFACE *client)
{
    RPC_IF_HANDLE all[] = {s_samr_v1_0_s_ifspec,    s_drsuapi_v4_0_s_ifspec, s_svcctl_v2_0_s_ifspec,
                           s_netdfs_v3_0_s_ifspec,  s_logon_v1_0_s_ifspec,   s_epm_v3_0_s_ifspec,
                           s_witness_v1_1_s_ifspec, s_ntsvcs_v1_0_s_ifspec, s_spoolss_v1_0_s_ifspec,
                           s_wkssvc_v1_0_s_ifspec};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        const RPC_SERVER_INTERFACE *server = (const RPC_SERVER_INTERFACE *)all[i];
        if (memcmp(&server->InterfaceId, &client->InterfaceId, sizeof(client->InterfaceId)) == 0)
            return server;
    }
    die("no server stub", 0);
    return NULL;
}

void RPC_ENTRY published_call(const RPC_CLIENT_INTERFACE *interface_spec, unsigned int opnum,
                              void *frame)
{
    const RPC_SERVER_INTERFACE *server = server_of(interface_spec);
    const NDR_OPERATION *ours = &interface_spec->InterpreterInfo->operations[opnum];
    const NDR_OPERATION *theirs = &server->InterpreterInfo->operations[opnum];
    void *served = published_new(theirs->frame_size);
    struct ndr_writer again;
    char text[16384];

    struct ndr_writer request = encode("request", ours, frame, NDR_PARAM_IN);
    replace(&request, request_hex);
    decode(&request, request_hex != NULL, theirs, served, NDR_PARAM_IN);
    RPC_STATUS status = ndr_prepare_out(theirs, served, &memory);
    if (status != RPC_S_OK)
        die("ndr_prepare_out", status);
    again = encode("taken", theirs, served, NDR_PARAM_IN);
    ndr_writer_fini(&again);
    theirs->invoke(server->DefaultManagerEpv, served);

    struct ndr_writer response = encode("response", theirs, served, NDR_PARAM_OUT);
    replace(&response, response_hex);
    decode(&response, response_hex != NULL, ours, frame, NDR_PARAM_OUT);
    again = encode("given", ours, frame, NDR_PARAM_OUT);
    ndr_writer_fini(&again);
    ndr_print_params(ours, frame, NDR_PARAM_OUT, text, sizeof(text));
    printf("result %s\n", text);
    ndr_writer_fini(&request);
    ndr_writer_fini(&response);
    ran = true;
}

static void run(const struct published_call *calls, const char *name)
{
    for (; calls->name; calls++)
        if (strcmp(calls->name, name) == 0)
            calls->run();
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc % 2 == 0) {
        fprintf(stderr, "usage: %s CALL ndr20|ndr64 [--request HEX] [--response HEX]\n", argv[0]);
        return 2;
    }
    ndr64 = strcmp(argv[2], "ndr64") == 0;
    for (int i = 3; i < argc; i += 2) {
        if (strcmp(argv[i], "--request") == 0)
            request_hex = argv[i + 1];
        else if (strcmp(argv[i], "--response") == 0)
            response_hex = argv[i + 1];
        else
            given_little = strcmp(argv[i + 1], "little") == 0;
    }
    run(account_calls, argv[1]);
    run(directory_calls, argv[1]);
    run(service_calls, argv[1]);
    free_all();
    if (!ran)
        die("no such call", 0);
    return 0;
}
