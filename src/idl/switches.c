/* SPDX-License-Identifier: MIT */
/* switches.c - the table of switches, how one is found, and the help. */
#include "idl/switches.h"

#include "idl/command.h"

#include <stdio.h>
#include <string.h>

static const struct switch_row switches[] = {
    {"acf", SW_ACF, ARG_NEXT},
    {"h", SW_HEADER, ARG_NEXT},
    {"header", SW_HEADER, ARG_NEXT},
    {"cstub", SW_CSTUB, ARG_NEXT},
    {"sstub", SW_SSTUB, ARG_NEXT},
    {"out", SW_OUT, ARG_NEXT},
    {"client", SW_CLIENT, ARG_NEXT},
    {"server", SW_SERVER, ARG_NEXT},
    {"prefix", SW_PREFIX, ARG_NO},
    {"oldnames", SW_OLDNAMES, ARG_NO},
    {"no_cpp", SW_NO_CPP, ARG_NO},
    {"nocpp", SW_NO_CPP, ARG_NO},
    {"cpp_cmd", SW_CPP_CMD, ARG_NEXT},
    {"cpp_opt", SW_CPP_OPT, ARG_NEXT},
    {"no_def_idir", SW_NO_DEF_IDIR, ARG_NO},
    {"WX", SW_WX, ARG_NO},
    {"no_warn", SW_NO_WARN, ARG_NO},
    {"no_default_epv", SW_NO_DEFAULT_EPV, ARG_NO},
    {"app_config", SW_APP_CONFIG, ARG_NO},
    {"char", SW_CHAR, ARG_NEXT},
    {"pack", SW_PACK, ARG_NEXT},
    {"align:", SW_PACK, ARG_SUFFIX},
    {"syntax_check", SW_CHECK, ARG_NO},
    {"Zs", SW_CHECK, ARG_NO},
    {"Zp", SW_PACK, ARG_ATTACHED},
    {"help", SW_HELP, ARG_NO},
    {"-help", SW_HELP, ARG_NO},
    {"?", SW_HELP, ARG_NO},
    {"confirm", SW_CONFIRM, ARG_NO},
    {"MD", SW_MD, ARG_NO},
    {"MF", SW_MF, ARG_NEXT},
    {"MT", SW_MT, ARG_NEXT},
    {"MP", SW_MP, ARG_NO},
    /* The stubs always dispatch through an EPV. */
    {"use_epv", SW_IGNORED, ARG_NO},
    /* One mode of marshalling (the old ones are only remarked on), always robust, in the representation the peers agree on. */
    {"Os", SW_OLD_MODE, ARG_NO},
    {"Oi", SW_OLD_MODE, ARG_NO},
    {"Oic", SW_OLD_MODE, ARG_NO},
    {"Oif", SW_IGNORED, ARG_NO},
    {"Oicf", SW_IGNORED, ARG_NO},
    {"robust", SW_IGNORED, ARG_NO},
    {"no_robust", SW_IGNORED, ARG_NO},
    {"protocol", SW_PROTOCOL, ARG_NEXT},
    {"env", SW_ENV, ARG_NEXT},
    {"win32", SW_IGNORED, ARG_NO},
    {"win64", SW_IGNORED, ARG_NO},
    {"amd64", SW_IGNORED, ARG_NO},
    {"ia64", SW_IGNORED, ARG_NO},
    {"x64", SW_IGNORED, ARG_NO},
    {"target", SW_TARGET, ARG_NEXT},
    {"error", SW_ERROR, ARG_NEXT},
    {"ms_ext", SW_EXTENSIONS, ARG_NO},
    {"c_ext", SW_EXTENSIONS, ARG_NO},
    {"ms_union", SW_MS_UNION, ARG_NO},
    {"nologo", SW_IGNORED, ARG_NO},
    {"rpcss", SW_RPCSS, ARG_NO},
    {"no_format_opt", SW_IGNORED, ARG_NO},
    {"backward_compat", SW_COMPAT, ARG_NEXT},
    {"msc_ver", SW_NUMBER, ARG_NEXT},
    {"sal", SW_IGNORED, ARG_NO},
    {"sal_local", SW_IGNORED, ARG_NO},
    {"version_stamp", SW_IGNORED, ARG_NO},
    {"lcid", SW_NUMBER, ARG_NEXT},
    {"savePP", SW_SAVE_PP, ARG_NO},
    {"o", SW_MESSAGES, ARG_NEXT},
    {"warn", SW_WARN, ARG_ATTACHED},
    {"iid", SW_IGNORED_ARG, ARG_NEXT},
    {"proxy", SW_IGNORED_ARG, ARG_NEXT},
    {"dlldata", SW_IGNORED_ARG, ARG_NEXT},
    {"tlb", SW_IGNORED_ARG, ARG_NEXT},
    {"notlb", SW_IGNORED, ARG_NO},
    {"newtlb", SW_IGNORED, ARG_NO},
    {"oldtlb", SW_IGNORED, ARG_NO},
    {"osf", SW_OSF, ARG_NO},
    {"ms_conf_struct", SW_UNSUPPORTED, ARG_NO},
    /* Type libraries and the Windows Runtime. */
    {"mktyplib203", SW_UNSUPPORTED, ARG_NO},
    {"winrt", SW_UNSUPPORTED, ARG_NO},
    {"winmd", SW_UNSUPPORTED, ARG_NEXT},
    {"metadata_dir", SW_UNSUPPORTED, ARG_NEXT},
    {"nomd", SW_UNSUPPORTED, ARG_NO},
    {"nomidl", SW_UNSUPPORTED, ARG_NO},
    {"ns_prefix", SW_UNSUPPORTED, ARG_NO},
    {"enum_class", SW_UNSUPPORTED, ARG_NO},
    {"import", SW_OBSOLETE, ARG_NO},
    {"saux", SW_OBSOLETE, ARG_NO},
    {"caux", SW_OBSOLETE, ARG_NO},
    /* Last: their arguments may look like other switches. */
    {"I", SW_INCLUDE, ARG_ATTACHED},
    {"D", SW_DEFINE, ARG_ATTACHED},
    {"U", SW_UNDEFINE, ARG_ATTACHED},
    {"W", SW_WARN, ARG_ATTACHED},
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
          "\n"
          "Other switches of midl are accepted where they have no effect here.\n",
          stdout);
}
