/* SPDX-License-Identifier: MIT */
/* penstock_ls.c - `penstock ls`: the entries of a computer's endpoint mapper. */
#include "penstock.h"

#include "builtin.h"
#include "tower.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char ls_help[] =
    "usage: penstock ls [--json] [HOST | BINDING]\n"
    "\n"
    "Prints what the endpoint mapper of HOST (this computer) has registered: interface, version,\n"
    "where it is served, the object, the annotation.\n"
    "\n"
    "  -p, --port=N  the endpoint mapper's TCP port (135, or $PENSTOCK_EPMAPPER)\n"
    "      --json    as a JSON array\n"
    "  -h, --help    print this\n";

#define NIL_UUID       "00000000-0000-0000-0000-000000000000"
#define NOT_REGISTERED 0x16c9a0d6u /* ept_s_not_registered: there are no more (C706 Appendix E) */
#define ENTRIES        100         /* asked for at a time */
#define LOOKUPS_MAX    1000        /* a mapper that never ends is not followed */

/* The octets of hexadecimal digits, which our own code has written. */
static size_t from_hex(const char *digits, uint8_t *octets, size_t size)
{
    size_t len = 0;
    unsigned value;
    for (; len < size && sscanf(digits + 2 * len, "%2x", &value) == 1; len++)
        octets[len] = (uint8_t)value;
    return len;
}

/* {"interface", "version", "binding", "object", "annotation"}; NULL: the tower is malformed. */
static json_t *entry_of(const json_t *entry)
{
    uint8_t octets[2000];
    struct tower_text text;
    const char *digits = json_string_value(json_object_get(json_object_get(entry, "tower"), "octets"));
    json_t *annotation = json_object_get(entry, "annotation");
    if (!digits || !tower_text(octets, from_hex(digits, octets, sizeof(octets)), &text))
        return NULL;
    char version[24];
    snprintf(version, sizeof(version), "%u.%u", text.major, text.minor);
    return json_pack("{s:s, s:s, s:s, s:O, s:O}", "interface", text.uuid, "version", version,
                     "binding", text.binding, "object", json_object_get(entry, "object"),
                     "annotation", annotation);
}

static int add_entries(json_t *list, const json_t *entries)
{
    size_t index;
    const json_t *entry;
    json_array_foreach((json_t *)entries, index, entry)
    {
        json_t *line = entry_of(entry);
        if (line && json_array_append_new(list, line) != 0)
            return tool_complain("out of memory");
    }
    return EXIT_OK;
}

/* All entries; the handle carries on from one call to the next, NULL at the end. */
static int look_up(RPC_BINDING_HANDLE binding, const char *what, json_t *list)
{
    json_t *handle = json_null(), *results;
    int status = EXIT_OK;
    for (unsigned i = 0; i < LOOKUPS_MAX && status == EXIT_OK; i++) {
        json_t *arguments =
            json_pack("{s:i, s:n, s:n, s:i, s:o, s:i}", "inquiry_type", 0, "object", "interface_id",
                      "vers_option", 1, "entry_handle", handle, "max_ents", ENTRIES);
        status = builtin_call(binding, what, "epmapper.lookup", arguments, NOT_REGISTERED, &results);
        if (status != EXIT_OK)
            return status;
        json_t *entries = json_object_get(results, "entries");
        status = add_entries(list, entries);
        handle = json_incref(json_object_get(results, "entry_handle"));
        bool more = !json_is_null(handle) && json_array_size(entries) > 0 &&
                    json_integer_value(json_object_get(results, "status")) == 0;
        json_decref(results);
        if (!more)
            break;
    }
    json_decref(handle);
    return status;
}

/* What people wrote into a server's annotation goes to a terminal. */
static void print_clean(const char *text)
{
    for (; *text != '\0'; text++)
        putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

static void print_table(const json_t *list)
{
    int width = 7;
    size_t index;
    const json_t *line;
    json_array_foreach((json_t *)list, index, line)
    {
        int len = (int)json_string_length(json_object_get(line, "binding"));
        width = len > width ? len : width;
    }
    printf("%-36s  %-7s  %-*s  %s\n", "INTERFACE", "VERSION", width, "BINDING", "ANNOTATION");
    json_array_foreach((json_t *)list, index, line)
    {
        const char *object = json_string_value(json_object_get(line, "object"));
        const char *annotation = json_string_value(json_object_get(line, "annotation"));
        printf("%-36s  %-7s  %-*s  ", json_string_value(json_object_get(line, "interface")),
               json_string_value(json_object_get(line, "version")), width,
               json_string_value(json_object_get(line, "binding")));
        print_clean(annotation ? annotation : "");
        if (object && strcmp(object, NIL_UUID) != 0)
            printf("%sobject %s", annotation && *annotation ? ", " : "", object);
        putchar('\n');
    }
}

/* "host" -> "ncacn_ip_tcp:host[135]"; a string binding stays one; nothing is this computer. */
static void binding_of(const char *host, const char *port, char *buf, size_t size)
{
    const char *usual = getenv("PENSTOCK_EPMAPPER");
    if (host && strchr(host, '['))
        snprintf(buf, size, "%s", host);
    else if (!host && !port)
        snprintf(buf, size, usual ? "ncalrpc:[epmapper-%s]" : "ncalrpc:[epmapper]", usual);
    else
        snprintf(buf, size, "%s%s[%s]", host && strncmp(host, "nca", 3) == 0 ? "" : "ncacn_ip_tcp:",
                 host ? host : "127.0.0.1", port ? port : usual ? usual : "135");
}

int command_ls(int argc, char **argv)
{
    static const struct option longs[] = {{"port", required_argument, NULL, 'p'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    const char *port = NULL;
    bool as_json = false;
    char string_binding[512];
    int option;
    while ((option = getopt_long(argc, argv, "p:jh", longs, NULL)) != -1) {
        switch (option) {
        case 'p':
            port = optarg;
            break;
        case 'j':
            as_json = true;
            break;
        case 'h':
            fputs(ls_help, stdout);
            return EXIT_OK;
        default:
            return tool_usage("ls");
        }
    }
    if (argc - optind > 1) {
        fputs(ls_help, stderr);
        return EXIT_WRONG;
    }
    binding_of(optind < argc ? argv[optind] : NULL, port, string_binding, sizeof(string_binding));
    RPC_BINDING_HANDLE binding;
    int status = tool_bind(string_binding, NULL, &binding);
    if (status != EXIT_OK)
        return status;
    json_t *list = json_array();
    status = look_up(binding, string_binding, list);
    if (status == EXIT_OK && as_json)
        status = json_dumpf(list, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF
                     ? EXIT_OK
                     : tool_complain("the results cannot be written");
    else if (status == EXIT_OK)
        print_table(list);
    json_decref(list);
    RpcBindingFree(&binding);
    return status;
}
