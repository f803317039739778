/* SPDX-License-Identifier: MIT */
/* switches.c - the table of switches: how one is found, what it sets, and the help. */
#include "idl/switches.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* ---- What switches set ------------------------------------------------------------------ */

static void *member_of(struct command *command, const struct switch_row *row)
{
    return (char *)command + row->member;
}

/* A bool. */
static void set_flag(struct command *command, const struct switch_row *row, const char *value)
{
    (void)value;
    *(bool *)member_of(command, row) = true;
}

/* Is the argument one of the row's words? */
static bool is_word(const struct switch_row *row, const char *value)
{
    size_t len = strlen(value);
    for (const char *at = row->words; *at != '\0';) {
        size_t word = strcspn(at, " ");
        if (word == len && strncmp(at, value, len) == 0)
            return true;
        at += word + strspn(at + word, " ");
    }
    return false;
}

/* Where the argument has no effect, a misspelling still is one. */
static void check_word(struct command *command, const struct switch_row *row, const char *value)
{
    if (row->words && !is_word(row, value))
        command_complain(command, 1012, "illegal argument '%s' for switch -%s: one of %s", value,
                         row->name, row->words);
}

/* A string, once. */
static void set_text(struct command *command, const struct switch_row *row, const char *value)
{
    const char **text = member_of(command, row);
    check_word(command, row, value);
    if (*text)
        command_complain(command, 1007, "switch -%s is given more than once", row->name);
    *text = value;
}

/* A bool: without that stub? */
static void set_without(struct command *command, const struct switch_row *row, const char *value)
{
    bool none = strcmp(value, "none") == 0;
    if (!none && strcmp(value, "stub") != 0)
        command_complain(command, 1012, "illegal argument '%s' for switch -%s: stub or none",
                         value, row->name);
    *(bool *)member_of(command, row) = none;
}

static void set_depfile(struct command *command, const struct switch_row *row, const char *value)
{
    set_text(command, row, value);
    command->write_depfile = true;
}

static void set_compatibility(struct command *command, const struct switch_row *row,
                              const char *value)
{
    check_word(command, row, value);
    command->maybe_null |= strcmp(value, "maybenull_sizeis") == 0;
}

static void set_level(struct command *command, const struct switch_row *row, const char *value)
{
    if (strlen(value) != 1 || *value < '0' || *value > '4')
        command_complain(command, 1012, "illegal argument '%s' for switch -%s: 0 to 4", value,
                         row->name);
    else if (*value == '0')
        command->no_warnings = true;
    else
        command->warning_level = (unsigned)(*value - '0');
}

/* n = 8 is the natural alignment of everything the language has. */
static void set_packing(struct command *command, const struct switch_row *row, const char *value)
{
    if (strlen(value) != 1 || !strchr("1248", *value))
        command_complain(command, 1012, "illegal argument '%s' for switch -%s: 1, 2, 4 or 8",
                         value, row->name);
    else
        command->pack = *value == '8' ? 0 : (unsigned)(*value - '0');
}

static void check_number(struct command *command, const struct switch_row *row, const char *value)
{
    if (*value == '\0' || value[strspn(value, "0123456789")] != '\0')
        command_complain(command, 1012, "illegal argument '%s' for switch -%s: a number", value,
                         row->name);
}

/* dir[;dir] */
static void add_dirs(struct command *command, const struct switch_row *row, const char *value)
{
    (void)row;
    while (*value != '\0') {
        size_t len = strcspn(value, ";");
        if (len > 0) {
            char *flag = command_keep(command, "-I", value, len);
            string_list_add(&command->macros, flag);
            string_list_add(&command->dirs, flag + 2);
        }
        value += len + (value[len] == ';');
    }
}

/* -D and -U, as the preprocessor has them. */
static void add_macro(struct command *command, const struct switch_row *row, const char *value)
{
    const char prefix[] = {'-', row->name[0], '\0'};
    string_list_add(&command->macros, command_keep(command, prefix, value, strlen(value)));
}

static void add_flags(struct command *command, const struct switch_row *row, const char *value)
{
    bool has_e = false;
    while (*value != '\0') {
        value += strspn(value, " \t");
        size_t len = strcspn(value, " \t");
        if (len == 0)
            break;
        const char *flag = command_keep(command, "", value, len);
        has_e |= strcmp(flag, "-E") == 0 || strcmp(flag, "/E") == 0;
        string_list_add(&command->cpp_flags, flag);
        value += len;
    }
    if (!has_e)
        command_complain(command, 1012, "illegal argument for switch -%s: it must include -E",
                         row->name);
}

static void refuse_obsolete(struct command *command, const struct switch_row *row,
                            const char *value)
{
    (void)value;
    command_complain(command, 2397, "switch -%s is obsolete", row->name);
}

static void refuse(struct command *command, const struct switch_row *row, const char *value)
{
    (void)value;
    command_complain(command, 1010, "switch -%s is not supported yet by penstock-idl", row->name);
}

/* ---- The table ------------------------------------------------------------------------------ */

#define IGNORED(word)           {.name = (word)}
#define IGNORED_WITH(word)      {.name = (word), .form = ARG_NEXT}
#define FLAG(word, field)                                                                          \
    {                                                                                              \
        .name = (word), .set = set_flag, .member = offsetof(struct command, field)                 \
    }
#define TEXT(word, field)                                                                          \
    {                                                                                              \
        .name = (word), .form = ARG_NEXT, .set = set_text,                                         \
        .member = offsetof(struct command, field)                                                  \
    }
#define WITHOUT(word, field)                                                                       \
    {                                                                                              \
        .name = (word), .form = ARG_NEXT, .set = set_without,                                      \
        .member = offsetof(struct command, field)                                                  \
    }
#define WORD(word, list)                                                                           \
    {                                                                                              \
        .name = (word), .form = ARG_NEXT, .set = check_word, .words = (list)                       \
    }
#define SET(word, arg, setter)  {.name = (word), .form = (arg), .set = (setter)}

static const struct switch_row switches[] = {
    TEXT("acf", acf),
    TEXT("h", header),
    TEXT("header", header),
    TEXT("cstub", cstub),
    TEXT("sstub", sstub),
    TEXT("out", out_dir),
    WITHOUT("client", no_client),
    WITHOUT("server", no_server),
    {.name = "prefix", .form = ARG_LIST},
    FLAG("oldnames", old_names),
    FLAG("no_cpp", no_cpp),
    FLAG("nocpp", no_cpp),
    TEXT("cpp_cmd", cpp_command),
    SET("cpp_opt", ARG_NEXT, add_flags),
    FLAG("no_def_idir", no_def_dirs),
    FLAG("WX", warnings_are_errors),
    FLAG("no_warn", no_warnings),
    FLAG("no_default_epv", no_default_epv),
    FLAG("app_config", app_config),
    {.name = "char",
     .form = ARG_NEXT,
     .set = set_text,
     .member = offsetof(struct command, chars),
     .words = "signed unsigned ascii7"},
    SET("pack", ARG_NEXT, set_packing),
    SET("align:", ARG_SUFFIX, set_packing),
    FLAG("syntax_check", check_only),
    FLAG("Zs", check_only),
    SET("Zp", ARG_ATTACHED, set_packing),
    FLAG("help", help),
    FLAG("-help", help),
    FLAG("?", help),
    FLAG("confirm", confirm),
    FLAG("MD", write_depfile),
    {.name = "MF",
     .form = ARG_NEXT,
     .set = set_depfile,
     .member = offsetof(struct command, depfile)},
    TEXT("MT", dep_target),
    FLAG("MP", dep_phony),
    /* The stubs always dispatch through an EPV. */
    IGNORED("use_epv"),
    /* One mode of marshalling (the old ones are only remarked on), always robust, in the
     * representation the peers agree on. */
    FLAG("Os", old_mode),
    FLAG("Oi", old_mode),
    FLAG("Oic", old_mode),
    IGNORED("Oif"),
    IGNORED("Oicf"),
    IGNORED("robust"),
    IGNORED("no_robust"),
    {.name = "protocol",
     .form = ARG_NEXT,
     .set = set_text,
     .member = offsetof(struct command, protocol),
     .words = "dce ndr64 all"},
    WORD("env", "win32 win64 ia64 amd64 arm arm32 arm64 x64"),
    IGNORED("win32"),
    IGNORED("win64"),
    IGNORED("amd64"),
    IGNORED("ia64"),
    IGNORED("x64"),
    WORD("target", "NT50 NT51 NT60 NT61 NT62 NT63 NT100 NT1001 NT1010 NT1020"),
    WORD("error", "allocation stub_data ref bounds_check none all"),
    FLAG("ms_ext", extensions),
    FLAG("c_ext", extensions),
    FLAG("ms_union", ms_union),
    FLAG("ms_conf_struct", ms_conf_struct),
    IGNORED("nologo"),
    FLAG("rpcss", rpcss),
    IGNORED("no_format_opt"),
    {.name = "backward_compat",
     .form = ARG_NEXT,
     .set = set_compatibility,
     .words = "maybenull_sizeis zeroout_alignmentgap BSTR_byvalue_escaping string_defaultvalue "
              "signed_wchar_t"},
    SET("msc_ver", ARG_NEXT, check_number),
    IGNORED("sal"),
    IGNORED("sal_local"),
    IGNORED("version_stamp"),
    SET("lcid", ARG_NEXT, check_number),
    FLAG("savePP", save_pp),
    TEXT("o", messages),
    SET("warn", ARG_ATTACHED, set_level),
    IGNORED_WITH("iid"),
    IGNORED_WITH("proxy"),
    IGNORED_WITH("dlldata"),
    IGNORED_WITH("tlb"),
    IGNORED("notlb"),
    IGNORED("newtlb"),
    IGNORED("oldtlb"),
    FLAG("osf", osf),
    /* Type libraries and the Windows Runtime. */
    SET("mktyplib203", ARG_NO, refuse),
    SET("winrt", ARG_NO, refuse),
    SET("winmd", ARG_NEXT, refuse),
    SET("metadata_dir", ARG_NEXT, refuse),
    SET("nomd", ARG_NO, refuse),
    SET("nomidl", ARG_NO, refuse),
    SET("ns_prefix", ARG_NO, refuse),
    SET("enum_class", ARG_NO, refuse),
    SET("import", ARG_NO, refuse_obsolete),
    SET("saux", ARG_NO, refuse_obsolete),
    SET("caux", ARG_NO, refuse_obsolete),
    /* Last: their arguments may look like other switches. */
    SET("I", ARG_ATTACHED, add_dirs),
    SET("D", ARG_ATTACHED, add_macro),
    SET("U", ARG_ATTACHED, add_macro),
    SET("W", ARG_ATTACHED, set_level),
};

const struct switch_row *switch_find(const char *text, const char **ret_attached)
{
    *ret_attached = NULL;
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        const struct switch_row *row = &switches[i];
        size_t len = strlen(row->name);
        if (strncmp(text, row->name, len) != 0)
            continue;
        if (text[len] == '\0' && row->form != ARG_SUFFIX)
            return row;
        if (text[len] != '\0' && (row->form == ARG_ATTACHED || row->form == ARG_SUFFIX)) {
            *ret_attached = text + len;
            return row;
        }
    }
    return NULL;
}

void command_help(void)
{
    fputs("usage: penstock-idl [switches] file.idl      (switches begin with - or /)\n"
          "\n"
          "  -out dir                directory of the generated files\n"
          "  -h, -header file        name of the header (default: file.h)\n"
          "  -cstub file             name of the client stub (default: file_c.c)\n"
          "  -sstub file             name of the server stub (default: file_s.c)\n"
          "  -client none|stub       do not write, or write, the client stub\n"
          "  -server none|stub       do not write, or write, the server stub\n"
          "  -acf file               attribute configuration file (default: file.acf)\n"
          "  -I dir[;dir]  -D name[=value]  -U name      for the preprocessor\n"
          "  -no_cpp                 do not preprocess\n"
          "  -cpp_cmd program        the preprocessor (default: cc)\n"
          "  -cpp_opt \"flags\"        its flags, which must include -E\n"
          "  -no_def_idir            do not search the directories of $INCLUDE\n"
          "  -prefix who text ...    prefix of function names; who: client, server, all, switch\n"
          "  -oldnames               If_ClientIfHandle instead of If_v1_0_c_ifspec\n"
          "  -no_default_epv         registration must pass an entry-point vector\n"
          "  -app_config             allow ACF attributes in the IDL\n"
          "  -osf                    strict DCE: the extensions of Microsoft's IDL are errors\n"
          "  -char signed|unsigned|ascii7   `char` is unsigned char (signed, the default) or char\n"
          "  -Zp n, -pack n          alignment of structures in memory: 1, 2, 4 or 8\n"
          "  -ms_union               unions are aligned as by early versions of midl\n"
          "  -ms_conf_struct         [ms_conf_struct] for all structures\n"
          "  -rpcss                  [enable_allocate] for all operations\n"
          "  -savePP                 keep what the preprocessor wrote, in $TEMP/MID*.tmp\n"
          "  -o file                 messages go to a file\n"
          "  -confirm                show the switches in effect, compile nothing\n"
          "  -syntax_check, -Zs      check only, write nothing\n"
          "  -W0 ... -W4, -no_warn   warning level (default 1); none\n"
          "  -WX                     warnings are errors\n"
          "  -MD, -MF file           write a make dependency file (default: file.d)\n"
          "  -MT target              what it says depends on the files (default: the outputs)\n"
          "  -MP                     a rule for each file it depends on, should one go away\n"
          "  @file                   more arguments from a file\n"
          "  --version, -help        the version; this text\n"
          "\n"
          "Other switches of midl are accepted where they have no effect here.\n",
          stdout);
}
