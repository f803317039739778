/* SPDX-License-Identifier: MIT */
/* client.c - calls what Samba serves and prints what came back.
 *
 *     samba_client BINDING COMMAND [ARGUMENT ...]
 *
 * One line of JSON: {"value": ..., "status": N}, the status of the command's last call, or
 * {"raised": N}. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

static const struct {
    const char *name;
    int arg_count;
    long (*run)(handle_t binding, char **args);
} commands[] = {
    {"lookup", 1, run_lookup},   {"map", 1, run_map},         {"server", 1, run_server},
    {"shares", 1, run_shares},   {"time", 0, run_time},       {"times", 1, run_times},
    {"name", 1, run_name},       {"beyond", 0, run_beyond},   {"nowhere", 0, run_nowhere},
    {"registry", 0, run_registry}, {"domains", 0, run_domains}, {"names", 2, run_names},
    {"policy", 1, run_policy},   {"interfaces", 0, run_interfaces},
    {"statistics", 0, run_statistics}, {"listening", 0, run_listening}, {"stop", 0, run_stop},
    {"elements", 0, run_elements}, {"resolve", 0, run_resolve},
};

/* Everything MIDL_user_allocate gave, in a ring, so that commands need not free piece by
 * piece what others' servers sent. */
struct piece {
    struct piece *next, *before;
    max_align_t memory[];
};
static struct piece pieces = {.next = &pieces, .before = &pieces};

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    struct piece *piece = malloc(sizeof(*piece) + size);
    if (!piece)
        return NULL;
    *piece = (struct piece){.next = pieces.next, .before = &pieces};
    pieces.next->before = piece;
    pieces.next = piece;
    return piece->memory;
}

void __RPC_USER MIDL_user_free(void *object)
{
    if (!object)
        return;
    struct piece *piece = (struct piece *)((char *)object - offsetof(struct piece, memory));
    piece->next->before = piece->before;
    piece->before->next = piece->next;
    free(piece);
}

void *allocate(size_t size)
{
    void *memory = MIDL_user_allocate(size);
    if (!memory)
        abort();
    return memset(memory, 0, size);
}

WCHAR *wide(const char *text)
{
    size_t len = strlen(text);
    WCHAR *units = allocate((len + 1) * sizeof(*units));
    for (size_t i = 0; i < len; i++)
        units[i] = (unsigned char)text[i];
    return units;
}

void put_hex(const void *octets, size_t len)
{
    putchar('"');
    for (size_t i = 0; i < len; i++)
        printf("%02x", ((const unsigned char *)octets)[i]);
    putchar('"');
}

void put_wide(const WCHAR *text, size_t units)
{
    if (!text) {
        fputs("null", stdout);
        return;
    }
    putchar('"');
    for (size_t i = 0; i < units; i++)
        printf("\\u%04x", text[i]);
    putchar('"');
}

void put_wide_string(const WCHAR *text)
{
    size_t units = 0;
    while (text && text[units] != 0)
        units++;
    put_wide(text, units);
}

void put_string(const RPC_UNICODE_STRING *text)
{
    put_wide(text->Buffer, text->Length / 2);
}

int main(int argc, char **argv)
{
    handle_t binding;
    for (size_t i = 0; argc > 2 && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(argv[2], commands[i].name) != 0 || argc != 3 + commands[i].arg_count)
            continue;
        RPC_STATUS status = RpcBindingFromStringBinding((RPC_CSTR)argv[1], &binding);
        if (status != RPC_S_OK) {
            fprintf(stderr, "samba_client: %s: status %d\n", argv[1], (int)status);
            return 1;
        }
        fputs("{\"value\": ", stdout);
        RpcTryExcept
        {
            printf(", \"status\": %lu}\n",
                   (unsigned long)(uint32_t)commands[i].run(binding, argv + 3));
        }
        RpcExcept(1)
        {
            printf("null, \"raised\": %lu}\n", (unsigned long)RpcExceptionCode());
        }
        RpcEndExcept
        RpcBindingFree(&binding);
        while (pieces.next != &pieces)
            MIDL_user_free(pieces.next->memory);
        return 0;
    }
    fputs("usage: samba_client BINDING COMMAND [ARGUMENT ...]\n", stderr);
    return 1;
}
