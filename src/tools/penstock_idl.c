/* SPDX-License-Identifier: MIT */
/* penstock_idl.c - the IDL compiler's command: reads files (idl_files.c), prints what the
 * compiler has to say, and writes what it generates.
 *
 * Exit status: 0 success, 1 errors (and then nothing is written). */
#include "idl_files.h"
#include "idl_write.h"

#include "idl/command.h"
#include "idl/idl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct driver {
    struct command command;
    struct idl_files files;
    unsigned saved_count; /* files of -savePP */
};

/* -savePP: what the compiler reads, one file for each it preprocesses. */
static bool save_preprocessed(void *ctx, const char *text, size_t len)
{
    struct driver *driver = ctx;
    const char *dir = getenv("TEMP");
    if (!dir)
        dir = getenv("TMPDIR");
    char number[32];
    snprintf(number, sizeof(number), "/MID%u.tmp", ++driver->saved_count);
    char *path = idl_join(dir ? dir : "/tmp", number, "");
    struct write_set set = {0};
    bool ok = write_stage(&set, path, text, len) && write_commit(&set);
    write_fini(&set);
    free(path);
    return ok;
}

/* ---- Writing ------------------------------------------------------------------------------ */

/* `given`, or the input's name with `suffix` for its extension; in -out unless it has
 * a directory of its own.  Gives. */
static char *output_path(const struct command *command, const char *given, const char *suffix)
{
    char *name;
    if (given) {
        name = idl_files_keep(strdup(given));
    } else {
        const char *base = idl_base_name(command->input);
        const char *dot = strrchr(base, '.');
        char *stem = idl_files_keep(strndup(base, dot ? (size_t)(dot - base) : strlen(base)));
        name = idl_join(stem, suffix, "");
        free(stem);
    }
    if (!command->out_dir || strchr(name, '/'))
        return name;
    char *path = idl_join(command->out_dir, "/", name);
    free(name);
    return path;
}

static bool write_outputs(const struct driver *driver, struct idl_compiler *compiler,
                          const char *header)
{
    const struct command *command = &driver->command;
    struct write_set set = {0};
    bool ok = true;
    const struct {
        enum idl_output which;
        const char *given, *suffix;
        bool wanted;
    } outputs[] = {
        {IDL_HEADER, header, NULL, true},
        {IDL_CLIENT_STUB, command->cstub, "_c.c", !command->no_client},
        {IDL_SERVER_STUB, command->sstub, "_s.c", !command->no_server},
    };
    for (size_t i = 0; ok && i < 3; i++) {
        if (!outputs[i].wanted || !idl_has_output(compiler, outputs[i].which))
            continue;
        size_t len;
        const char *text = idl_output(compiler, outputs[i].which, &len);
        char *path = output_path(command, outputs[i].given, outputs[i].suffix);
        if (!text)
            fprintf(stderr, "%s: error MIDL2005: out of memory\n", path);
        ok = text && write_stage(&set, path, text, len);
        free(path);
    }
    if (ok && command->write_depfile) {
        /* Like a C compiler: -MF has nothing to do with -out. */
        char *path = command->depfile ? idl_files_keep(strdup(command->depfile))
                                      : output_path(command, NULL, ".d");
        ok = write_dependencies(&set, path, compiler, command->dep_target, command->dep_phony);
        free(path);
    }
    ok = ok && write_check(&set, compiler) && write_commit(&set);
    write_fini(&set);
    return ok;
}

/* ---- Compiling ------------------------------------------------------------------------------ */

/* The ACF of the command line, or the one with the input's name.  Gives; NULL: none. */
static char *find_acf(struct driver *driver)
{
    const struct command *command = &driver->command;
    if (command->acf) {
        char *path = idl_files_find(&driver->files, command->acf, NULL);
        if (!path)
            idl_files_fail(&driver->files, command->acf, 1001, "cannot open the ACF");
        return path;
    }
    const char *dot = strrchr(idl_base_name(command->input), '.');
    size_t len = dot ? (size_t)(dot - command->input) : strlen(command->input);
    char *stem = idl_files_keep(strndup(command->input, len));
    char *name = idl_join(stem, ".acf", "");
    /* As imported by the input: beside it first. */
    char *path = idl_files_find(&driver->files, idl_base_name(name), command->input);
    free(stem);
    free(name);
    return path;
}

/* Both unless told otherwise: descriptors serve both, so nothing is saved by one. */
static enum idl_protocol protocol_of(const struct command *command)
{
    if (command->osf || (command->protocol && strcmp(command->protocol, "dce") == 0))
        return IDL_PROTOCOL_DCE;
    if (command->protocol && strcmp(command->protocol, "ndr64") == 0)
        return IDL_PROTOCOL_NDR64;
    return IDL_PROTOCOL_ALL;
}

static bool compile(struct driver *driver, const struct idl_file *idl, const struct idl_file *acf)
{
    const struct command *command = &driver->command;
    char *header = output_path(&(struct command){.input = command->input}, command->header, ".h");
    struct idl_options options = {
        .idl_name = idl_base_name(command->input),
        .header_name = idl_base_name(header),
        .client_prefix = command->client_prefix,
        .server_prefix = command->server_prefix,
        .switch_prefix = command->switch_prefix,
        .old_names = command->old_names,
        .no_default_epv = command->no_default_epv,
        .app_config = command->app_config,
        .osf = command->osf,
        .protocol = protocol_of(command),
        .ms_union = command->ms_union,
        .ms_conf_struct = command->ms_conf_struct,
        .pack = command->pack,
        .maybe_null = command->maybe_null,
        .old_mode = command->old_mode,
        .no_server = command->no_server,
        .enable_allocate = command->rpcss || command->osf,
        .plain_char = command->chars && strcmp(command->chars, "signed") != 0,
        .acf_explicit = command->acf != NULL,
        .warnings_are_errors = command->warnings_are_errors,
        .warning_level = command->warning_level,
    };
    struct idl_host host = idl_files_host(&driver->files);
    struct idl_compiler *compiler = idl_files_keep(idl_new(&options, &host));
    struct idl_source idl_source = {.path = idl->path, .text = idl->text, .len = idl->len};
    struct idl_source acf_source = {0};
    if (acf)
        acf_source = (struct idl_source){.path = acf->path, .text = acf->text, .len = acf->len};
    bool ok = idl_compile(compiler, &idl_source, acf ? &acf_source : NULL);
    idl_files_print(compiler);
    ok = ok && !driver->files.failed;
    if (ok && !command->check_only)
        ok = write_outputs(driver, compiler, header);
    idl_free(compiler);
    free(header);
    return ok;
}

static void driver_fini(struct driver *driver)
{
    idl_files_fini(&driver->files);
    command_fini(&driver->command);
}

static bool run(struct driver *driver)
{
    const struct command *command = &driver->command;
    driver->files.dirs = command->dirs.at;
    driver->files.dir_count = command->dirs.count;
    driver->files.no_def_dirs = command->no_def_dirs;
    driver->files.no_cpp = command->no_cpp;
    driver->files.loaded = command->save_pp ? save_preprocessed : NULL;
    driver->files.loaded_ctx = driver;
    driver->files.cpp = (struct preprocess_options){
        .command = command->cpp_command,
        .flags = command->cpp_flags.count > 0 ? command->cpp_flags.at : NULL,
        .flag_count = command->cpp_flags.count,
        .macros = command->macros.at,
        .macro_count = command->macros.count,
        .keep_comments = command->osf, /* it refuses some */
    };
    struct stat info;
    errno = stat(command->input, &info) != 0    ? errno
            : S_ISDIR(info.st_mode)             ? EISDIR
            : access(command->input, R_OK) != 0 ? errno
                                                : 0;
    if (errno != 0) {
        fprintf(stderr, "%s: error MIDL1001: cannot open input file: %s\n", command->input,
                strerror(errno));
        return false;
    }
    const struct idl_file *idl = idl_files_load(&driver->files, idl_files_keep(strdup(command->input)));
    char *acf_path = idl ? find_acf(driver) : NULL;
    const struct idl_file *acf = acf_path ? idl_files_load(&driver->files, acf_path) : NULL;
    return !driver->files.failed && compile(driver, idl, acf);
}

int main(int argc, char **argv)
{
    struct driver driver = {0};
    if (argc == 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-version") == 0)) {
        puts("penstock-idl " PENSTOCK_VERSION);
        return 0;
    }
    bool ok = command_parse(&driver.command, argc, argv);
    if (ok && driver.command.messages && !freopen(driver.command.messages, "w", stderr)) {
        printf("%s: error MIDL2117: error in opening file: %s\n", driver.command.messages,
               strerror(errno));
        ok = false;
    }
    if (ok && driver.command.help)
        command_help();
    else if (ok && !driver.command.confirm)
        ok = run(&driver);
    driver_fini(&driver);
    return ok ? 0 : 1;
}
