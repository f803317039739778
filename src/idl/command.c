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

static void complain(struct command *command, unsigned number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What the user should know and need not change. */
static void warn(const struct command *command, unsigned number, const char *text)
{
    if (!command->no_warnings)
        fprintf(stderr, "penstock-idl: warning MIDL%u: %s\n", number, text);
}

static void complain(struct command *command, unsigned number, const char *format, ...)
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

/* A copy that lives as long as the command. */
static char *keep(struct command *command, const char *prefix, const char *text, size_t len)
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

/* ---- Switches ---------------------------------------------------------------------------- */

static void set_once(struct command *command, const char **where, const char *value,
                     const char *name)
{
    if (*where)
        complain(command, 1007, "switch -%s is given more than once", name);
    *where = value;
}

static bool stub_or_none(struct command *command, const char *name, const char *value)
{
    if (strcmp(value, "none") != 0 && strcmp(value, "stub") != 0)
        complain(command, 1012, "illegal argument '%s' for switch -%s: stub or none", value, name);
    return strcmp(value, "none") == 0;
}

/* dir[;dir] */
static void include_dirs(struct command *command, const char *value)
{
    while (*value != '\0') {
        size_t len = strcspn(value, ";");
        if (len > 0) {
            char *flag = keep(command, "-I", value, len);
            string_list_add(&command->macros, flag);
            string_list_add(&command->dirs, flag + 2);
        }
        value += len + (value[len] == ';');
    }
}

static void split_flags(struct command *command, const char *value)
{
    bool has_e = false;
    while (*value != '\0') {
        value += strspn(value, " \t");
        size_t len = strcspn(value, " \t");
        if (len == 0)
            break;
        const char *flag = keep(command, "", value, len);
        has_e |= strcmp(flag, "-E") == 0 || strcmp(flag, "/E") == 0;
        string_list_add(&command->cpp_flags, flag);
        value += len;
    }
    if (!has_e)
        complain(command, 1012, "illegal argument for switch -cpp_opt: it must include -E");
}

static void level(struct command *command, const char *name, const char *value)
{
    if (strlen(value) != 1 || *value < '0' || *value > '4')
        complain(command, 1012, "illegal argument '%s' for switch -%s: 0 to 4", value, name);
    else if (*value == '0')
        command->no_warnings = true;
    else
        command->warning_level = (unsigned)(*value - '0');
}

/* n = 8 is the natural alignment of everything the language has. */
static void packing(struct command *command, const char *name, const char *value)
{
    if (strlen(value) != 1 || !strchr("1248", *value))
        complain(command, 1012, "illegal argument '%s' for switch -%s: 1, 2, 4 or 8", value, name);
    else
        command->pack = *value == '8' ? 0 : (unsigned)(*value - '0');
}

static void number(struct command *command, const char *name, const char *value)
{
    if (*value == '\0' || value[strspn(value, "0123456789")] != '\0')
        complain(command, 1012, "illegal argument '%s' for switch -%s: a number", value, name);
}

/* One of `words`, which blanks separate; their effect is nil here, a misspelling is not. */
static void one_of(struct command *command, const char *name, const char *value, const char *words)
{
    size_t len = strlen(value);
    for (const char *at = words; *at != '\0';) {
        size_t word = strcspn(at, " ");
        if (word == len && strncmp(at, value, len) == 0)
            return;
        at += word + strspn(at + word, " ");
    }
    complain(command, 1012, "illegal argument '%s' for switch -%s: one of %s", value, name, words);
}

static void apply(struct command *command, const struct switch_row *row, const char *value)
{
    switch (row->id) {
    case SW_IGNORED:
    case SW_IGNORED_ARG:
    case SW_PREFIX:
        break;
    case SW_OBSOLETE:
        complain(command, 2397, "switch -%s is obsolete", row->name);
        break;
    case SW_UNSUPPORTED:
        complain(command, 1010, "switch -%s is not supported yet by penstock-idl", row->name);
        break;
    case SW_ACF:
        set_once(command, &command->acf, value, row->name);
        break;
    case SW_HEADER:
        set_once(command, &command->header, value, row->name);
        break;
    case SW_CSTUB:
        set_once(command, &command->cstub, value, row->name);
        break;
    case SW_SSTUB:
        set_once(command, &command->sstub, value, row->name);
        break;
    case SW_OUT:
        set_once(command, &command->out_dir, value, row->name);
        break;
    case SW_CLIENT:
        command->no_client = stub_or_none(command, row->name, value);
        break;
    case SW_SERVER:
        command->no_server = stub_or_none(command, row->name, value);
        break;
    case SW_OLDNAMES:
        command->old_names = true;
        break;
    case SW_NO_CPP:
        command->no_cpp = true;
        break;
    case SW_CPP_CMD:
        set_once(command, &command->cpp_command, value, row->name);
        break;
    case SW_CPP_OPT:
        split_flags(command, value);
        break;
    case SW_NO_DEF_IDIR:
        command->no_def_dirs = true;
        break;
    case SW_INCLUDE:
        include_dirs(command, value);
        break;
    case SW_DEFINE:
        string_list_add(&command->macros, keep(command, "-D", value, strlen(value)));
        break;
    case SW_UNDEFINE:
        string_list_add(&command->macros, keep(command, "-U", value, strlen(value)));
        break;
    case SW_WARN:
        level(command, row->name, value);
        break;
    case SW_WX:
        command->warnings_are_errors = true;
        break;
    case SW_NO_WARN:
        command->no_warnings = true;
        break;
    case SW_NO_DEFAULT_EPV:
        command->no_default_epv = true;
        break;
    case SW_APP_CONFIG:
        command->app_config = true;
        break;
    case SW_CHAR:
        one_of(command, row->name, value, "signed unsigned ascii7");
        set_once(command, &command->chars, value, row->name);
        break;
    case SW_PACK:
        packing(command, row->name, value);
        break;
    case SW_CHECK:
        command->check_only = true;
        break;
    case SW_HELP:
        command->help = true;
        break;
    case SW_MD:
        command->write_depfile = true;
        break;
    case SW_MF:
        set_once(command, &command->depfile, value, row->name);
        command->write_depfile = true;
        break;
    case SW_MT:
        set_once(command, &command->dep_target, value, row->name);
        break;
    case SW_NUMBER:
        number(command, row->name, value);
        break;
    case SW_SAVE_PP:
        command->save_pp = true;
        break;
    case SW_MESSAGES:
        set_once(command, &command->messages, value, row->name);
        break;
    case SW_OSF:
        command->osf = true;
        break;
    case SW_EXTENSIONS:
        command->extensions = true;
        break;
    case SW_MS_UNION:
        command->ms_union = true;
        break;
    case SW_ERROR:
        one_of(command, row->name, value, "allocation stub_data ref bounds_check none all");
        break;
    case SW_COMPAT:
        one_of(command, row->name, value,
               "maybenull_sizeis zeroout_alignmentgap BSTR_byvalue_escaping string_defaultvalue "
               "signed_wchar_t");
        command->maybe_null |= strcmp(value, "maybenull_sizeis") == 0;
        break;
    case SW_RPCSS:
        command->rpcss = true;
        break;
    case SW_CONFIRM:
        command->confirm = true;
        break;
    case SW_OLD_MODE:
        command->old_mode = true;
        break;
    case SW_PROTOCOL:
        one_of(command, row->name, value, "dce ndr64 all");
        set_once(command, &command->protocol, value, row->name);
        break;
    case SW_ENV:
        one_of(command, row->name, value, "win32 win64 ia64 amd64 arm arm32 arm64 x64");
        break;
    case SW_TARGET:
        one_of(command, row->name, value,
               "NT50 NT51 NT60 NT61 NT62 NT63 NT100 NT1001 NT1010 NT1020");
        break;
    case SW_MP:
        command->dep_phony = true;
        break;
    }
}

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
        complain(command, 1011,
                 "missing argument for switch -prefix: client, server, all or switch, and a text");
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
                complain(command, 1009, "unknown argument '%s': the input is '%s'", text,
                         command->input);
            else
                command->input = text;
            continue;
        }
        const char *value;
        const struct switch_row *row = switch_find(text + 1, &value);
        if (!row) {
            complain(command, 1008, "unknown switch '%s'", text);
            continue;
        }
        if (row->id == SW_PREFIX) {
            i = prefixes(command, args, i);
            continue;
        }
        if (row->form != ARG_NO && !value) {
            if (i == args->count) {
                complain(command, 1011, "missing argument for switch -%s", row->name);
                return;
            }
            value = args->at[i++];
        }
        apply(command, row, value);
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
        string_list_add(args, keep(command, "", text, len));
        text += len + (text[len] == '"');
    }
}

static void response_file(struct command *command, const char *path, struct string_list *args)
{
    size_t len;
    char *text = preprocess_read(path, &len);
    if (!text) {
        complain(command, 1020, "cannot open response file '%s': %s", path, strerror(errno));
        return;
    }
    size_t first = args->count;
    for (size_t i = 0; i < len; i++) {
        unsigned char octet = (unsigned char)text[i];
        if (octet >= ' ' ? octet == 0x7f : !isspace(octet)) {
            complain(command, 1021, "illegal character 0x%02x found in response file '%s'", octet,
                     path);
            free(text);
            return;
        }
    }
    split_words(command, text, args);
    free(text);
    for (size_t i = first; i < args->count; i++) {
        if (args->at[i][0] != '@')
            continue;
        complain(command, 1023, "response files cannot be nested");
        args->count = i;
    }
}

/* Switches that exclude each other, or leave nothing to do for another. */
static void check_together(struct command *command)
{
    if (command->osf && command->extensions)
        complain(command, 2338, "switches are contradictory: -osf and -ms_ext or -c_ext");
    if (command->osf && command->app_config)
        complain(command, 2338, "switches are contradictory: -osf and -app_config");
    if (command->osf && command->protocol)
        complain(command, 2338, "switches are contradictory: -osf and -protocol");
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
        complain(command, 1000, "missing source file name");
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
