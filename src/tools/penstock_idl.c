/* SPDX-License-Identifier: MIT */
/* penstock_idl.c - the IDL compiler's command: finds, preprocesses and reads files,
 * prints what the compiler has to say, and writes what it generates.
 *
 * Exit status: 0 success, 1 errors (and then nothing is written). */
#include "idl_write.h"

#include "idl/command.h"
#include "idl/idl.h"
#include "idl/preprocess.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that was read; kept until the end, the compiler refers to it. */
struct file {
    char *path;
    char *text; /* preprocessed */
    size_t len;
    char *original; /* as written; NULL: not asked for yet, or not readable */
    bool original_tried;
    dev_t device; /* with inode: the same file under another name is imported once */
    ino_t inode;
    struct file *next;
};

struct driver {
    struct command command;
    struct preprocess_options cpp;
    struct file *files;
    bool failed;
    bool ignore_case;     /* while searching */
    unsigned saved_count; /* files of -savePP */
};

static void *check_alloc(void *object)
{
    if (!object) {
        fputs("penstock-idl: error MIDL2005: out of memory\n", stderr);
        exit(1);
    }
    return object;
}

static char *join(const char *a, const char *b, const char *c)
{
    size_t len = strlen(a) + strlen(b) + strlen(c) + 1;
    char *text = check_alloc(malloc(len));
    snprintf(text, len, "%s%s%s", a, b, c);
    return text;
}

static void fail(struct driver *driver, const char *path, unsigned number, const char *text)
{
    fprintf(stderr, "%s: error MIDL%u: %s\n", path, number, text);
    driver->failed = true;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* ---- Finding and reading ----------------------------------------------------------------- */

static bool is_regular(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
}

/* Puts the spelling that the directory has in place of the last component of `path`. */
static bool respell(char *path)
{
    char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    char *folder = check_alloc(strndup(path, (size_t)(base - path)));
    DIR *dir = opendir(*folder != '\0' ? folder : ".");
    const struct dirent *entry;
    bool found = false;
    while (dir && !found && (entry = readdir(dir)) != NULL) {
        found = strcasecmp(entry->d_name, base) == 0;
        if (found)
            memcpy(base, entry->d_name, strlen(base));
    }
    if (dir)
        closedir(dir);
    free(folder);
    return found;
}

/* `dir`/`name` when that is a file.  Gives; NULL: it is none. */
static char *in_dir(const struct driver *driver, const char *dir, size_t dir_len, const char *name)
{
    char *prefix = check_alloc(strndup(dir, dir_len));
    char *path = join(prefix, dir_len > 0 && dir[dir_len - 1] != '/' ? "/" : "", name);
    free(prefix);
    if ((!driver->ignore_case || respell(path)) && is_regular(path))
        return path;
    free(path);
    return NULL;
}

static char *in_env_dirs(const struct driver *driver, const char *name)
{
    const char *dirs = getenv("INCLUDE");
    while (dirs && *dirs != '\0') {
        size_t len = strcspn(dirs, ";:");
        char *path = len > 0 ? in_dir(driver, dirs, len, name) : NULL;
        if (path)
            return path;
        dirs += len + (dirs[len] != '\0');
    }
    return NULL;
}

/* The files that come with the compiler (wtypes.idl ...), which itself stands in bin of
 * the installation, or in src/tools of a build directory below the sources. */
static char *in_own_dir(const struct driver *driver, const char *name)
{
    static const char *const below[] = {"/../" PENSTOCK_IDL_DIR "/",
                                        "/../../../include/penstock/idl/"};
    char exe[4096];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    char *found = NULL;
    if (len <= 0)
        return NULL;
    exe[len] = '\0';
    char *slash = strrchr(exe, '/');
    *slash = '\0';
    for (size_t i = 0; !found && i < sizeof(below) / sizeof(below[0]); i++) {
        char *dir = join(exe, below[i], "");
        char *real = realpath(dir, NULL);
        if (real)
            found = in_dir(driver, real, strlen(real), name);
        free(real);
        free(dir);
    }
    return found;
}

/* Beside the importing file, here, in the -I directories, in $INCLUDE, among our own. */
static char *find_as_written(const struct driver *driver, const char *name, const char *importer)
{
    const struct command *command = &driver->command;
    const char *slash = importer ? strrchr(importer, '/') : NULL;
    char *path = NULL;
    if (name[0] == '/')
        return is_regular(name) ? check_alloc(strdup(name)) : NULL;
    if (slash)
        path = in_dir(driver, importer, (size_t)(slash - importer) + 1, name);
    if (!path)
        path = in_dir(driver, "", 0, name);
    for (size_t i = 0; !path && i < command->dirs.count; i++)
        path = in_dir(driver, command->dirs.at[i], strlen(command->dirs.at[i]), name);
    if (!path && !command->no_def_dirs)
        path = in_env_dirs(driver, name);
    if (!path)
        path = in_own_dir(driver, name);
    return path;
}

/* Files come from systems where ObjSafe.idl and objsafe.idl are one: when nothing has the
 * name as written, case is ignored. */
static char *find_in_any_case(struct driver *driver, const char *name, const char *importer)
{
    char *path = find_as_written(driver, name, importer);
    if (path)
        return path;
    driver->ignore_case = true;
    path = find_as_written(driver, name, importer);
    driver->ignore_case = false;
    return path;
}

/* And folders are parted by a backslash there, which few names have here. */
static char *find_file(struct driver *driver, const char *name, const char *importer)
{
    char *path = find_in_any_case(driver, name, importer);
    if (path || !strchr(name, '\\'))
        return path;
    char *slashes = check_alloc(strdup(name));
    for (char *at = slashes; (at = strchr(at, '\\')) != NULL;)
        *at = '/';
    path = find_in_any_case(driver, slashes, importer);
    free(slashes);
    return path;
}

/* -savePP: what the compiler reads, one file for each it preprocesses. */
static void save_preprocessed(struct driver *driver, const struct file *file)
{
    const char *dir = getenv("TEMP");
    if (!dir)
        dir = getenv("TMPDIR");
    char number[32];
    snprintf(number, sizeof(number), "/MID%u.tmp", ++driver->saved_count);
    char *path = join(dir ? dir : "/tmp", number, "");
    struct write_set set = {0};
    if (!write_stage(&set, path, file->text, file->len) || !write_commit(&set))
        driver->failed = true;
    write_fini(&set);
    free(path);
}

/* Editors of other systems save UTF-16, with or without a mark; IDL is ASCII, so that one
 * of the first two octets tells. */
static bool is_utf16(const char *path)
{
    unsigned char head[2] = {0};
    FILE *file = fopen(path, "re");
    size_t n = file ? fread(head, 1, sizeof(head), file) : 0;
    if (file)
        fclose(file);
    bool marked = (head[0] == 0xff && head[1] == 0xfe) || (head[0] == 0xfe && head[1] == 0xff);
    return n == sizeof(head) && (marked || (head[0] == 0) != (head[1] == 0));
}

/* Reads `path`, which it takes.  NULL: reported. */
static struct file *load(struct driver *driver, char *path)
{
    struct stat info = {0};
    bool known = stat(path, &info) == 0;
    for (struct file *file = driver->files; known && file; file = file->next) {
        if (file->text && file->device == info.st_dev && file->inode == info.st_ino) {
            free(path);
            return file;
        }
    }
    struct file *file = check_alloc(calloc(1, sizeof(*file)));
    file->path = path;
    file->device = info.st_dev;
    file->inode = info.st_ino;
    file->next = driver->files;
    driver->files = file;
    errno = 0;
    if (is_utf16(path)) {
        fprintf(stderr,
                "%s:1:1: error MIDL2024: the file is in UTF-16: expected ASCII or UTF-8 "
                "(iconv -f UTF-16 -t UTF-8 makes it that)\n",
                path);
        driver->failed = true;
        return NULL;
    }
    if (driver->command.no_cpp)
        file->text = preprocess_read(path, &file->len);
    else if (access(path, R_OK) == 0)
        file->text = preprocess_run(&driver->cpp, path, &file->len);
    if (file->text && driver->command.save_pp)
        save_preprocessed(driver, file);
    if (file->text)
        return file;
    const char *cpp = driver->cpp.command ? driver->cpp.command : "cc";
    if (driver->command.no_cpp || access(path, R_OK) != 0)
        fail(driver, path, 1001, strerror(errno));
    else if (errno != 0)
        fprintf(stderr, "%s: error MIDL1004: cannot run the preprocessor '%s': %s\n", path, cpp,
                strerror(errno));
    else if (file->len == 0 && driver->cpp.command)
        fail(driver, path, 1003,
             "the C preprocessor wrote nothing: expected C text on its "
             "standard output");
    else
        fail(driver, path, 1003, "the C preprocessor reported errors");
    driver->failed = true;
    return NULL;
}

static bool open_import(void *ctx, const char *name, const char *importer,
                        struct idl_source *ret_source)
{
    struct driver *driver = ctx;
    char *path = find_file(driver, name, importer);
    struct file *file = path ? load(driver, path) : NULL;
    if (!file)
        return false;
    *ret_source = (struct idl_source){.path = file->path, .text = file->text, .len = file->len};
    return true;
}

/* The ACF of an imported file stands beside it, or nowhere. */
static bool open_import_acf(void *ctx, const char *path, struct idl_source *ret_source)
{
    struct driver *driver = ctx;
    const char *base = base_name(path);
    const char *dot = strrchr(base, '.');
    if (!dot || strcasecmp(dot, ".idl") != 0)
        return false;
    char *stem = check_alloc(strndup(path, (size_t)(dot - path)));
    char *name = join(stem, ".acf", "");
    free(stem);
    if (!is_regular(name)) {
        free(name);
        return false;
    }
    struct file *file = load(driver, name);
    if (!file)
        return false;
    *ret_source = (struct idl_source){.path = file->path, .text = file->text, .len = file->len};
    return true;
}

static const char *original_text(void *ctx, const char *path)
{
    struct driver *driver = ctx;
    struct file *file = driver->files;
    while (file && strcmp(file->path, path) != 0)
        file = file->next;
    if (!file) { /* something an #include brought in */
        file = check_alloc(calloc(1, sizeof(*file)));
        file->path = check_alloc(strdup(path));
        file->next = driver->files;
        driver->files = file;
    }
    if (!file->original_tried) {
        size_t len;
        file->original = preprocess_read(path, &len);
        file->original_tried = true;
    }
    return file->original;
}

/* ---- Writing ------------------------------------------------------------------------------ */

/* `given`, or the input's name with `suffix` for its extension; in -out unless it has
 * a directory of its own.  Gives. */
static char *output_path(const struct command *command, const char *given, const char *suffix)
{
    char *name;
    if (given) {
        name = check_alloc(strdup(given));
    } else {
        const char *base = base_name(command->input);
        const char *dot = strrchr(base, '.');
        char *stem = check_alloc(strndup(base, dot ? (size_t)(dot - base) : strlen(base)));
        name = join(stem, suffix, "");
        free(stem);
    }
    if (!command->out_dir || strchr(name, '/'))
        return name;
    char *path = join(command->out_dir, "/", name);
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
        char *path = command->depfile ? check_alloc(strdup(command->depfile))
                                      : output_path(command, NULL, ".d");
        ok = write_dependencies(&set, path, compiler, command->dep_target, command->dep_phony);
        free(path);
    }
    ok = ok && write_check(&set, compiler) && write_commit(&set);
    write_fini(&set);
    return ok;
}

/* ---- Compiling ------------------------------------------------------------------------------ */

static void print_diagnostics(const struct idl_compiler *compiler)
{
    for (const struct idl_diagnostic *d = idl_diagnostics(compiler); d; d = d->next) {
        size_t len = idl_diagnostic_text(d, NULL, 0);
        char *text = check_alloc(malloc(len + 1));
        idl_diagnostic_text(d, text, len + 1);
        fputs(text, stderr);
        free(text);
    }
}

/* The ACF of the command line, or the one with the input's name.  Gives; NULL: none. */
static char *find_acf(struct driver *driver)
{
    const struct command *command = &driver->command;
    if (command->acf) {
        char *path = find_file(driver, command->acf, NULL);
        if (!path)
            fail(driver, command->acf, 1001, "cannot open the ACF");
        return path;
    }
    const char *dot = strrchr(base_name(command->input), '.');
    size_t len = dot ? (size_t)(dot - command->input) : strlen(command->input);
    char *stem = check_alloc(strndup(command->input, len));
    char *name = join(stem, ".acf", "");
    /* As imported by the input: beside it first. */
    char *path = find_file(driver, base_name(name), command->input);
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

static bool compile(struct driver *driver, const struct file *idl, const struct file *acf)
{
    const struct command *command = &driver->command;
    char *header = output_path(&(struct command){.input = command->input}, command->header, ".h");
    struct idl_options options = {
        .idl_name = base_name(command->input),
        .header_name = base_name(header),
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
    struct idl_host host = {.ctx = driver,
                            .open_import = open_import,
                            .open_import_acf = open_import_acf,
                            .original = original_text};
    struct idl_compiler *compiler = check_alloc(idl_new(&options, &host));
    struct idl_source idl_source = {.path = idl->path, .text = idl->text, .len = idl->len};
    struct idl_source acf_source = {0};
    if (acf)
        acf_source = (struct idl_source){.path = acf->path, .text = acf->text, .len = acf->len};
    bool ok = idl_compile(compiler, &idl_source, acf ? &acf_source : NULL);
    print_diagnostics(compiler);
    ok = ok && !driver->failed;
    if (ok && !command->check_only)
        ok = write_outputs(driver, compiler, header);
    idl_free(compiler);
    free(header);
    return ok;
}

static void driver_fini(struct driver *driver)
{
    while (driver->files) {
        struct file *next = driver->files->next;
        free(driver->files->path);
        free(driver->files->text);
        free(driver->files->original);
        free(driver->files);
        driver->files = next;
    }
    command_fini(&driver->command);
}

static bool run(struct driver *driver)
{
    const struct command *command = &driver->command;
    driver->cpp = (struct preprocess_options){
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
    const struct file *idl = load(driver, check_alloc(strdup(command->input)));
    char *acf_path = idl ? find_acf(driver) : NULL;
    const struct file *acf = acf_path ? load(driver, acf_path) : NULL;
    return !driver->failed && compile(driver, idl, acf);
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
