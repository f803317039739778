/* SPDX-License-Identifier: MIT */
/* command.c - switches with - or /, their arguments, and response files.
 *
 * `/` is also how a path begins here: an argument that names an existing file, or has
 * a second slash and ends like an input, is a file and no switch. */
#include "idl/command.h"

#include "idl/preprocess.h"
#include "idl/switches.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What the user should know and need not change. */
static void warn(const struct command *command, unsigned number, const char *text)
{
    if (!command->no_warnings)
        fprintf(stderr, "penstock-idl: warning MIDL%u: %s\n", number, text);
}

void command_complain(struct command *command, unsigned number, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "penstock-idl: error MIDL%u: ", number);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    command->errors++;
}

static void out_of_memory(void)
{
    fputs("penstock-idl: error MIDL2005: out of memory\n", stderr);
    exit(1);
}

void string_list_add(struct string_list *list, const char *text)
{
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 16;
        const char **bigger = realloc(list->at, room * sizeof(*bigger));
        if (!bigger)
            out_of_memory();
        list->at = bigger;
        list->room = room;
    }
    list->at[list->count++] = text;
}

char *command_keep(struct command *command, const char *prefix, const char *text, size_t len)
{
    size_t head = strlen(prefix);
    char *copy = malloc(head + len + 1);
    if (!copy)
        out_of_memory();
    memcpy(copy, prefix, head);
    memcpy(copy + head, text, len);
    copy[head + len] = '\0';
    string_list_add(&command->owned, copy);
    return copy;
}

/* ---- Arguments ---------------------------------------------------------------------------- */

/* -prefix { client | server | all | switch } text ..., the arguments from `i` on. */
static size_t prefixes(struct command *command, const struct string_list *args, size_t i)
{
    size_t first = i;
    for (; i + 1 < args->count; i += 2) {
        const char *who = args->at[i], *prefix = args->at[i + 1];
        bool client = strcmp(who, "client") == 0, server = strcmp(who, "server") == 0;
        bool all = strcmp(who, "all") == 0, other = strcmp(who, "switch") == 0;
        if (!client && !server && !all && !other)
            break;
        if (client || all)
            command->client_prefix = prefix;
        if (server || all)
            command->server_prefix = prefix;
        if (other)
            command->switch_prefix = prefix;
    }
    if (i == first)
        command_complain(command, 1011,
                         "missing argument for switch -prefix: client, server, all or switch, "
                         "and a text");
    return i;
}

static bool is_file(const char *text)
{
    if (text[0] != '/' && text[0] != '-')
        return true;
    if (text[0] == '-')
        return false;
    struct stat info;
    if (stat(text, &info) == 0 && S_ISREG(info.st_mode))
        return true;
    const char *dot = strrchr(text, '.');
    return strchr(text + 1, '/') && dot && strcmp(dot, ".idl") == 0;
}

static void parse_list(struct command *command, const struct string_list *args)
{
    for (size_t i = 0; i < args->count;) {
        const char *text = args->at[i++];
        if (is_file(text)) {
            if (command->input)
                command_complain(command, 1009, "unknown argument '%s': the input is '%s'", text,
                                 command->input);
            else
                command->input = text;
            continue;
        }
        const char *value;
        const struct switch_row *row = switch_find(text + 1, &value);
        if (!row) {
            command_complain(command, 1008, "unknown switch '%s'", text);
            continue;
        }
        if (row->form == ARG_LIST) {
            i = prefixes(command, args, i);
            continue;
        }
        if (row->form != ARG_NO && !value) {
            if (i == args->count) {
                command_complain(command, 1011, "missing argument for switch -%s", row->name);
                return;
            }
            value = args->at[i++];
        }
        if (row->set)
            row->set(command, row, value);
    }
}

/* ---- Response files -------------------------------------------------------------------- */

/* Words of `text`; "..." holds blanks together. */
static void split_words(struct command *command, const char *text, struct string_list *args)
{
    for (;;) {
        while (isspace((unsigned char)*text))
            text++;
        if (*text == '\0')
            return;
        size_t len;
        if (*text == '"') {
            text++;
            len = strcspn(text, "\"");
        } else {
            len = strcspn(text, " \t\r\n\f\v");
        }
        string_list_add(args, command_keep(command, "", text, len));
        text += len + (text[len] == '"');
    }
}

static void response_file(struct command *command, const char *path, struct string_list *args)
{
    size_t len;
    char *text = preprocess_read(path, &len);
    if (!text) {
        command_complain(command, 1020, "cannot open response file '%s': %s", path,
                         strerror(errno));
        return;
    }
    size_t first = args->count;
    for (size_t i = 0; i < len; i++) {
        unsigned char octet = (unsigned char)text[i];
        if (octet >= ' ' ? octet == 0x7f : !isspace(octet)) {
            command_complain(command, 1021, "illegal character 0x%02x found in response file '%s'",
                             octet, path);
            free(text);
            return;
        }
    }
    split_words(command, text, args);
    free(text);
    for (size_t i = first; i < args->count; i++) {
        if (args->at[i][0] != '@')
            continue;
        command_complain(command, 1023, "response files cannot be nested");
        args->count = i;
    }
}

/* Switches that exclude each other, or leave nothing to do for another. */
static void check_together(struct command *command)
{
    if (command->osf && command->extensions)
        command_complain(command, 2338, "switches are contradictory: -osf and -ms_ext or -c_ext");
    if (command->osf && command->app_config)
        command_complain(command, 2338, "switches are contradictory: -osf and -app_config");
    if (command->osf && command->protocol)
        command_complain(command, 2338, "switches are contradictory: -osf and -protocol");
    if (command->no_cpp && (command->cpp_command || command->cpp_flags.count > 0))
        warn(command, 1014, "-no_cpp overrides -cpp_cmd and -cpp_opt");
    if (command->no_warnings)
        command->warning_level = 0;
    else if (command->warning_level == 0)
        command->warning_level = 1;
}

bool command_parse(struct command *command, int argc, char **argv)
{
    struct string_list args = {0};
    memset(command, 0, sizeof(*command));
    command->warning_level = 1;
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '@')
            response_file(command, argv[i] + 1, &args);
        else if (argv[i][0] != '\0')
            string_list_add(&args, argv[i]);
    }
    parse_list(command, &args);
    check_together(command);
    if (command->confirm) {
        fputs("penstock-idl:", stdout);
        for (size_t i = 0; i < args.count; i++)
            printf(" %s", args.at[i]);
        fputc('\n', stdout);
    }
    free(args.at);
    if (!command->input && !command->help && !command->confirm && command->errors == 0)
        command_complain(command, 1000, "missing source file name");
    return command->errors == 0;
}

void command_fini(struct command *command)
{
    for (size_t i = 0; i < command->owned.count; i++)
        free((char *)(uintptr_t)command->owned.at[i]);
    free(command->owned.at);
    free(command->macros.at);
    free(command->dirs.at);
    free(command->cpp_flags.at);
}
