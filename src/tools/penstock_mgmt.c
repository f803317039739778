/* SPDX-License-Identifier: MIT */
/* penstock_mgmt.c - `penstock ifs` and `penstock stats`: what a server says of itself through
 * its management interface. */
#include "penstock.h"

#include "builtin.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define NO_INTERFACES 1817u /* RPC_S_NO_INTERFACES: none but this one */

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

static void print_interfaces(const json_t *ids)
{
    size_t index;
    const json_t *id;
    json_array_foreach((json_t *)ids, index, id)
    {
        if (json_is_null(id))
            continue;
        printf("%s v%lld.%lld\n", json_string_value(json_object_get(id, "uuid")),
               (long long)json_integer_value(json_object_get(id, "major")),
               (long long)json_integer_value(json_object_get(id, "minor")));
    }
}

int command_ifs(int argc, char **argv)
{
    RPC_BINDING_HANDLE binding;
    json_t *results;
    bool as_json;
    int status = parse(argc, argv, ifs_help, &as_json, &binding);
    if (status != EXIT_OK)
        return status < 0 ? EXIT_OK : status;
    status = builtin_call(binding, argv[optind], "mgmt.inq_if_ids", json_object(), NO_INTERFACES,
                          &results);
    if (status == EXIT_OK) {
        json_t *vector = json_object_get(results, "vector");
        json_t *ids = json_object_get(vector, "ids");
        json_t *none = ids ? NULL : json_array();
        if (as_json)
            status = print_json(ids ? ids : none);
        else
            print_interfaces(ids);
        json_decref(none);
    }
    json_decref(results);
    RpcBindingFree(&binding);
    return status;
}

/* In the order of RPC_C_STATS_... */
static const char *const stat_names[] = {"calls_in", "calls_out", "pdus_in", "pdus_out"};
static const char *const stat_texts[] = {"calls received", "calls made", "PDUs received",
                                         "PDUs sent"};
#define STATS 4

static int print_stats(const json_t *statistics, bool as_json)
{
    json_t *object = as_json ? json_object() : NULL;
    int status = EXIT_OK;
    for (size_t i = 0; i < STATS && i < json_array_size(statistics); i++) {
        json_t *value = json_array_get(statistics, i);
        if (as_json)
            json_object_set(object, stat_names[i], value);
        else
            printf("%-16s %lld\n", stat_texts[i], (long long)json_integer_value(value));
    }
    if (as_json)
        status = print_json(object);
    json_decref(object);
    return status;
}

int command_stats(int argc, char **argv)
{
    RPC_BINDING_HANDLE binding;
    json_t *results;
    bool as_json;
    int status = parse(argc, argv, stats_help, &as_json, &binding);
    if (status != EXIT_OK)
        return status < 0 ? EXIT_OK : status;
    status = builtin_call(binding, argv[optind], "mgmt.inq_stats",
                          json_pack("{s:i}", "count", STATS), 0, &results);
    if (status == EXIT_OK)
        status = print_stats(json_object_get(results, "statistics"), as_json);
    json_decref(results);
    RpcBindingFree(&binding);
    return status;
}
