/* SPDX-License-Identifier: MIT */
/* idl_files.c - finds, reads and preprocesses IDL files; see idl_files.h. */
#include "idl_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

void *idl_files_keep(void *object)
{
    if (!object) {
        fprintf(stderr, "%s: error MIDL2005: out of memory\n", program_invocation_short_name);
        exit(1);
    }
    return object;
}

char *idl_join(const char *a, const char *b, const char *c)
{
    size_t len = strlen(a) + strlen(b) + strlen(c) + 1;
    char *text = idl_files_keep(malloc(len));
    snprintf(text, len, "%s%s%s", a, b, c);
    return text;
}

void idl_files_fail(struct idl_files *files, const char *path, unsigned number, const char *text)
{
    fprintf(stderr, "%s: error MIDL%u: %s\n", path, number, text);
    files->failed = true;
}

const char *idl_base_name(const char *path)
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
    char *folder = idl_files_keep(strndup(path, (size_t)(base - path)));
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
static char *in_dir(const struct idl_files *files, const char *dir, size_t dir_len, const char *name)
{
    char *prefix = idl_files_keep(strndup(dir, dir_len));
    char *path = idl_join(prefix, dir_len > 0 && dir[dir_len - 1] != '/' ? "/" : "", name);
    free(prefix);
    if ((!files->ignore_case || respell(path)) && is_regular(path))
        return path;
    free(path);
    return NULL;
}

static char *in_env_dirs(const struct idl_files *files, const char *name)
{
    const char *dirs = getenv("INCLUDE");
    while (dirs && *dirs != '\0') {
        size_t len = strcspn(dirs, ";:");
        char *path = len > 0 ? in_dir(files, dirs, len, name) : NULL;
        if (path)
            return path;
        dirs += len + (dirs[len] != '\0');
    }
    return NULL;
}

/* The files that come with the compiler (wtypes.idl ...), which itself stands in bin of
 * the installation, or in src/tools of a build directory below the sources. */
static char *in_own_dir(const struct idl_files *files, const char *name)
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
        char *dir = idl_join(exe, below[i], "");
        char *real = realpath(dir, NULL);
        if (real)
            found = in_dir(files, real, strlen(real), name);
        free(real);
        free(dir);
    }
    return found;
}

/* Beside the importing file, here, in the -I directories, in $INCLUDE, among our own. */
static char *find_as_written(const struct idl_files *files, const char *name, const char *importer)
{
    const char *slash = importer ? strrchr(importer, '/') : NULL;
    char *path = NULL;
    if (name[0] == '/')
        return is_regular(name) ? idl_files_keep(strdup(name)) : NULL;
    if (slash)
        path = in_dir(files, importer, (size_t)(slash - importer) + 1, name);
    if (!path)
        path = in_dir(files, "", 0, name);
    for (size_t i = 0; !path && i < files->dir_count; i++)
        path = in_dir(files, files->dirs[i], strlen(files->dirs[i]), name);
    if (!path && !files->no_def_dirs)
        path = in_env_dirs(files, name);
    if (!path)
        path = in_own_dir(files, name);
    return path;
}

/* Files come from systems where ObjSafe.idl and objsafe.idl are one: when nothing has the
 * name as written, case is ignored. */
static char *find_in_any_case(struct idl_files *files, const char *name, const char *importer)
{
    char *path = find_as_written(files, name, importer);
    if (path)
        return path;
    files->ignore_case = true;
    path = find_as_written(files, name, importer);
    files->ignore_case = false;
    return path;
}

/* And folders are parted by a backslash there, which few names have here. */
char *idl_files_find(struct idl_files *files, const char *name, const char *importer)
{
    char *path = find_in_any_case(files, name, importer);
    if (path || !strchr(name, '\\'))
        return path;
    char *slashes = idl_files_keep(strdup(name));
    for (char *at = slashes; (at = strchr(at, '\\')) != NULL;)
        *at = '/';
    path = find_in_any_case(files, slashes, importer);
    free(slashes);
    return path;
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

/* Would the preprocessor change `text`?  Directives, names it predefines, lines that go on in
 * the next one; comments the compiler skips itself. */
static bool needs_cpp(const struct idl_files *files, const char *text)
{
    bool line_start = true;
    if (files->cpp.command || files->cpp.flags)
        return true;
    for (size_t i = 0; i < files->cpp.macro_count; i++) {
        if (strncmp(files->cpp.macros[i], "-I", 2) != 0)
            return true;
    }
    for (const char *at = text; *at != '\0'; at++) {
        if ((line_start && *at == '#') || (*at == '\\' && (at[1] == '\n' || at[1] == '\r')))
            return true;
        if (*at == '\n')
            line_start = true;
        else if (*at != ' ' && *at != '\t')
            line_start = false;
    }
    static const char *const predefined[] = {"__midl", "__FILE__", "__LINE__", "__DATE__",
                                             "__TIME__", "__STDC", "__COUNTER__", "__INCLUDE",
                                             "__has_", "_Pragma", "%:", "?" "?"};
    for (size_t i = 0; i < sizeof(predefined) / sizeof(predefined[0]); i++) {
        if (strstr(text, predefined[i]))
            return true;
    }
    return false;
}

/* The text of a file that the preprocessor would leave alone; NULL: it would not. */
static char *read_plain(const struct idl_files *files, const char *path, size_t *ret_len)
{
    char *text = files->plain ? preprocess_read(path, ret_len) : NULL;
    if (text && strlen(text) == *ret_len && !needs_cpp(files, text))
        return text;
    free(text);
    return NULL;
}

struct idl_file *idl_files_load(struct idl_files *files, char *path)
{
    struct stat info = {0};
    bool known = stat(path, &info) == 0;
    for (struct idl_file *file = files->list; known && file; file = file->next) {
        if (file->text && file->device == info.st_dev && file->inode == info.st_ino) {
            free(path);
            return file;
        }
    }
    struct idl_file *file = idl_files_keep(calloc(1, sizeof(*file)));
    file->path = path;
    file->device = info.st_dev;
    file->inode = info.st_ino;
    file->next = files->list;
    files->list = file;
    errno = 0;
    if (is_utf16(path)) {
        fprintf(stderr,
                "%s:1:1: error MIDL2024: the file is in UTF-16: expected ASCII or UTF-8 "
                "(iconv -f UTF-16 -t UTF-8 makes it that)\n",
                path);
        files->failed = true;
        return NULL;
    }
    if (files->no_cpp)
        file->text = preprocess_read(path, &file->len);
    else
        file->text = read_plain(files, path, &file->len);
    if (!files->no_cpp && !file->text && access(path, R_OK) == 0)
        file->text = preprocess_run(&files->cpp, path, &file->len);
    if (file->text && files->loaded && !files->loaded(files->loaded_ctx, file->text, file->len))
        files->failed = true;
    if (file->text)
        return file;
    const char *cpp = files->cpp.command ? files->cpp.command : "cc";
    if (files->no_cpp || access(path, R_OK) != 0)
        idl_files_fail(files, path, 1001, strerror(errno));
    else if (errno != 0)
        fprintf(stderr, "%s: error MIDL1004: cannot run the preprocessor '%s': %s\n", path, cpp,
                strerror(errno));
    else if (file->len == 0 && files->cpp.command)
        idl_files_fail(files, path, 1003,
             "the C preprocessor wrote nothing: expected C text on its "
             "standard output");
    else
        idl_files_fail(files, path, 1003, "the C preprocessor reported errors");
    files->failed = true;
    return NULL;
}

static bool open_import(void *ctx, const char *name, const char *importer,
                        struct idl_source *ret_source)
{
    struct idl_files *files = ctx;
    char *path = idl_files_find(files, name, importer);
    struct idl_file *file = path ? idl_files_load(files, path) : NULL;
    if (!file)
        return false;
    *ret_source = (struct idl_source){.path = file->path, .text = file->text, .len = file->len};
    return true;
}

/* The ACF of an imported file stands beside it, or nowhere. */
static bool open_import_acf(void *ctx, const char *path, struct idl_source *ret_source)
{
    struct idl_files *files = ctx;
    const char *base = idl_base_name(path);
    const char *dot = strrchr(base, '.');
    if (!dot || strcasecmp(dot, ".idl") != 0)
        return false;
    char *stem = idl_files_keep(strndup(path, (size_t)(dot - path)));
    char *name = idl_join(stem, ".acf", "");
    free(stem);
    if (!is_regular(name)) {
        free(name);
        return false;
    }
    struct idl_file *file = idl_files_load(files, name);
    if (!file)
        return false;
    *ret_source = (struct idl_source){.path = file->path, .text = file->text, .len = file->len};
    return true;
}

static const char *original_text(void *ctx, const char *path)
{
    struct idl_files *files = ctx;
    struct idl_file *file = files->list;
    while (file && strcmp(file->path, path) != 0)
        file = file->next;
    if (!file) { /* something an #include brought in */
        file = idl_files_keep(calloc(1, sizeof(*file)));
        file->path = idl_files_keep(strdup(path));
        file->next = files->list;
        files->list = file;
    }
    if (!file->original_tried) {
        size_t len;
        file->original = preprocess_read(path, &len);
        file->original_tried = true;
    }
    return file->original;
}

struct idl_host idl_files_host(struct idl_files *files)
{
    return (struct idl_host){.ctx = files,
                             .open_import = open_import,
                             .open_import_acf = open_import_acf,
                             .original = original_text};
}

bool idl_files_print(const struct idl_compiler *compiler)
{
    bool found = false;
    for (const struct idl_diagnostic *d = idl_diagnostics(compiler); d; d = d->next) {
        size_t len = idl_diagnostic_text(d, NULL, 0);
        char *text = idl_files_keep(malloc(len + 1));
        idl_diagnostic_text(d, text, len + 1);
        fputs(text, stderr);
        free(text);
        found = true;
    }
    return found;
}

void idl_files_fini(struct idl_files *files)
{
    while (files->list) {
        struct idl_file *next = files->list->next;
        free(files->list->path);
        free(files->list->text);
        free(files->list->original);
        free(files->list);
        files->list = next;
    }
}
