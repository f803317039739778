/* SPDX-License-Identifier: MIT */
/* penstock_mgmt.c - `penstock ifs` and `penstock stats`: what a server says of itself through
 * its management interface. */
#include "penstock.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>

#include "base/uuid.h"

static const char ifs_help[] =
    "usage: penstock ifs [--json] BINDING\n"
    "\n"
    "Prints the interfaces the server has registered: UUID and version.\n"
    "\n"
    "      --json    as a JSON array\n"
    "  -h, --help    print this\n";

static const char stats_help[] =
    "usage: penstock stats [--json] BINDING\n"
    "\n"
    "Prints how many calls and PDUs the server's process has received and sent.\n"
    "\n"
    "      --json    as a JSON object\n"
    "  -h, --help    print this\n";

/* The binding handle of the only argument; EXIT_OK, -1: help was printed, or reported. */
static int parse(int argc, char **argv, const char *help, bool *ret_json,
                 RPC_BINDING_HANDLE *ret_binding)
{
    static const struct option longs[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    int option;
    *ret_json = false;
    while ((option = getopt_long(argc, argv, "jh", longs, NULL)) != -1) {
        switch (option) {
        case 'j':
            *ret_json = true;
            break;
        case 'h':
            fputs(help, stdout);
            return -1;
        default:
            return tool_usage(argv[0]);
        }
    }
    if (argc - optind != 1) {
        fputs(help, stderr);
        return EXIT_WRONG;
    }
    return tool_bind(argv[optind], NULL, ret_binding);
}

static int print_json(const json_t *json)
{
    bool ok = json && json_dumpf(json, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF;
    return ok ? EXIT_OK : tool_complain("the results cannot be written");
}

/* [{"uuid", "major", "minor"}, ...]; NULL: out of memory. */
static json_t *interfaces_json(const RPC_IF_ID_VECTOR *ids)
{
    json_t *list = json_array();
    char uuid[UUID_TEXT_LEN + 1];
    for (unsigned long i = 0; i < ids->Count; i++) {
        const RPC_IF_ID *id = ids->IfId[i];
        uuid_format(&id->Uuid, uuid);
        json_array_append_new(list, json_pack("{s:s, s:i, s:i}", "uuid", uuid, "major",
                                              id->VersMajor, "minor", id->VersMinor));
    }
    return list;
}

static int print_interfaces(const RPC_IF_ID_VECTOR *ids, bool as_json)
{
    char uuid[UUID_TEXT_LEN + 1];
    if (as_json) {
        json_t *list = interfaces_json(ids);
        int status = print_json(list);
        json_decref(list);
        return status;
    }
    for (unsigned long i = 0; i < ids->Count; i++) {
        uuid_format(&ids->IfId[i]->Uuid, uuid);
        printf("%s v%u.%u\n", uuid, ids->IfId[i]->VersMajor, ids->IfId[i]->VersMinor);
    }
    return EXIT_OK;
}

int command_ifs(int argc, char **argv)
{
    RPC_BINDING_HANDLE binding;
    RPC_IF_ID_VECTOR none = {.Count = 0}, *ids = NULL;
    bool as_json;
    int result = parse(argc, argv, ifs_help, &as_json, &binding);
    if (result != EXIT_OK)
        return result < 0 ? EXIT_OK : result;
    RPC_STATUS status = RpcMgmtInqIfIds(binding, &ids);
    if (status == RPC_S_OK || status == RPC_S_NO_INTERFACES)
        result = print_interfaces(ids ? ids : &none, as_json);
    else
        result = tool_failed(argv[optind], status);
    if (ids)
        RpcIfIdVectorFree(&ids);
    RpcBindingFree(&binding);
    return result;
}

/* In the order of RPC_C_STATS_... */
static const char *const stat_names[] = {"calls_in", "calls_out", "pdus_in", "pdus_out"};
static const char *const stat_texts[] = {"calls received", "calls made", "PDUs received",
                                         "PDUs sent"};
#define STATS 4

static int print_stats(const RPC_STATS_VECTOR *statistics, bool as_json)
{
    json_t *object = as_json ? json_object() : NULL;
    int result = EXIT_OK;
    for (unsigned i = 0; i < STATS && i < statistics->Count; i++) {
        const unsigned long value = statistics->Stats[i];
        if (as_json)
            json_object_set_new(object, stat_names[i], json_integer((json_int_t)value));
        else
            printf("%-16s %lu\n", stat_texts[i], value);
    }
    if (as_json)
        result = print_json(object);
    json_decref(object);
    return result;
}

int command_stats(int argc, char **argv)
{
    RPC_BINDING_HANDLE binding;
    RPC_STATS_VECTOR *statistics = NULL;
    bool as_json;
    int result = parse(argc, argv, stats_help, &as_json, &binding);
    if (result != EXIT_OK)
        return result < 0 ? EXIT_OK : result;
    RPC_STATUS status = RpcMgmtInqStats(binding, &statistics);
    if (status == RPC_S_OK)
        result = print_stats(statistics, as_json);
    else
        result = tool_failed(argv[optind], status);
    RpcMgmtStatsVectorFree(&statistics);
    RpcBindingFree(&binding);
    return result;
}
