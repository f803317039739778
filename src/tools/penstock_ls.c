/* SPDX-License-Identifier: MIT */
/* penstock_ls.c - `penstock ls`: the entries of a computer's endpoint mapper. */
#include "penstock.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf16.h"
#include "base/uuid.h"
#include "stubs/epmapper.h"
#include "wire/tower.h"

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
#define TEXT_MAX       (TOWER_LEN_MAX + 64) /* octets of what one entry says */
#define ENTRIES        100         /* asked for at a time */
#define LOOKUPS_MAX    1000        /* a mapper that never ends is not followed */

/* Its stubs' memory. */
void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}

/* ---- Entries as JSON ------------------------------------------------------------------- */

/* A server's words, which may be no UTF-8. */
static json_t *text_of(const char *words, size_t len)
{
    uint16_t units[TEXT_MAX];
    char text[3 * TEXT_MAX + 1];
    ssize_t count = utf16_from_utf8(words, len, units, TEXT_MAX, UTF_REPLACE);
    ssize_t size = utf16_to_utf8(units, (size_t)count, text, sizeof(text) - 1, UTF_REPLACE);
    return json_stringn(text, (size_t)size);
}

/* A string binding is read by people and given to programs: what is no letter is left out. */
static json_t *clean(char *text)
{
    for (char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
    return text_of(text, strlen(text));
}

/* A string binding, or "protocols 0b,07" where the sequence is unknown. */
static json_t *binding_text(const struct tower *tower)
{
    static const uint8_t anywhere[4];
    char text[TEXT_MAX], endpoint[TOWER_LEN_MAX], address[16] = "";
    const char *protseq = tower_protseq(tower->kind);
    const uint8_t *ip = tower->address;
    int len = snprintf(text, sizeof(text), "protocols");
    if (protseq && memcmp(ip, anywhere, sizeof(anywhere)) != 0)
        snprintf(address, sizeof(address), "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
    if (tower->port != 0 || tower->kind == TOWER_PIPE || tower->kind == TOWER_LOCAL)
        tower_endpoint(tower, endpoint, sizeof(endpoint));
    else
        strcpy(endpoint, "0");
    if (protseq)
        snprintf(text, sizeof(text), "%s:%s[%s]", protseq,
                 tower->kind == TOWER_PIPE ? tower->host : address, endpoint);
    for (unsigned i = 2; !protseq && i < tower->floor_count; i++)
        len += snprintf(text + len, sizeof(text) - (size_t)len, "%s%02x", i == 2 ? " " : ",",
                        tower->protocols[i]);
    return clean(text);
}

/* {"interface", "version", "binding", "object", "annotation"}; NULL: the tower is malformed. */
static json_t *entry_of(const ept_entry_t *entry)
{
    struct tower tower;
    char interface[UUID_TEXT_LEN + 1], object[UUID_TEXT_LEN + 1], version[24];
    if (!entry->tower ||
        !tower_decode(entry->tower->tower_octet_string, entry->tower->tower_length, &tower))
        return NULL;
    const struct pdu_syntax *id = &tower.interface_id;
    uuid_format(&id->uuid, interface);
    uuid_format(&entry->object, object);
    snprintf(version, sizeof(version), "%u.%u", (unsigned)id->major, (unsigned)id->minor);
    const char *annotation = (const char *)entry->annotation;
    return json_pack("{s:s, s:s, s:o, s:s, s:o}", "interface", interface, "version", version,
                     "binding", binding_text(&tower), "object", object, "annotation",
                     text_of(annotation, strnlen(annotation, ept_max_annotation_size)));
}

/* ---- Asking ------------------------------------------------------------------------------ */

static int add_entries(json_t *list, const ept_entry_t *entries, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        json_t *line = entry_of(&entries[i]);
        if (line && json_array_append_new(list, line) != 0)
            return tool_complain("out of memory");
    }
    return EXIT_OK;
}

/* Full pointers: a tower may be there twice. */
static void free_towers(ept_entry_t *entries, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        twr_t *tower = entries[i].tower;
        for (uint32_t k = i; k < count; k++)
            if (entries[k].tower == tower)
                entries[k].tower = NULL;
        free(tower);
    }
}

/* All entries; the handle carries on from one call to the next, NULL at the end. */
static int look_up(RPC_BINDING_HANDLE binding, const char *what, json_t *list)
{
    static ept_entry_t entries[ENTRIES];
    ept_lookup_handle_t more = NULL;
    int result = EXIT_OK;
    bool ended = false;
    for (unsigned i = 0; i < LOOKUPS_MAX && result == EXIT_OK && !ended; i++) {
        uint32_t count = 0;
        error_status_t status = RPC_S_OK;
        memset(entries, 0, sizeof(entries));
        client_ept_lookup(binding, 0, NULL, NULL, RPC_C_VERS_ALL, &more, ENTRIES, &count, entries,
                          &status);
        if (count > ENTRIES) /* of an answer that was refused for it */
            count = ENTRIES;
        if (status != RPC_S_OK && (uint32_t)status != NOT_REGISTERED)
            result = tool_failed(what, (RPC_STATUS)status);
        else
            result = add_entries(list, entries, count);
        free_towers(entries, ENTRIES);
        ended = !more || count == 0 || status != RPC_S_OK;
    }
    if (more)
        RpcSmDestroyClientContext(&more);
    return result;
}

/* ---- Printing ----------------------------------------------------------------------------- */

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
