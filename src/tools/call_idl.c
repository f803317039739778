/* SPDX-License-Identifier: MIT */
/* call_idl.c - see call_idl.h.  The ACF is not read: it says what C looks like, and here is
 * none. */
#include "call_idl.h"

#include "call_memory.h"
#include "penstock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool call_idl_compile(struct call_idl *idl, const char *path)
{
    static const NDR_INTERFACE memory = {.allocate = call_allocate, .free = call_free};
    struct stat info;
    errno = stat(path, &info) != 0      ? errno
            : S_ISDIR(info.st_mode)     ? EISDIR
            : access(path, R_OK) != 0   ? errno
                                        : 0;
    if (errno != 0) {
        fprintf(stderr, "%s: error MIDL1001: cannot open input file: %s\n", path, strerror(errno));
        return false;
    }
    idl->files.plain = true;
    const struct idl_file *file = idl_files_load(&idl->files, idl_files_keep(strdup(path)));
    if (!file)
        return false;
    const struct idl_options options = {
        .idl_name = idl_base_name(path),
        .header_name = "",
        .app_config = true,
        .explicit_handles = true,
        .acf_explicit = true,
    };
    struct idl_host host = idl_files_host(&idl->files);
    host.open_import_acf = NULL;
    const struct idl_source source = {.path = file->path, .text = file->text, .len = file->len};
    idl->compiler = idl_files_keep(idl_new(&options, &host));
    bool ok = idl_compile(idl->compiler, &source, NULL) &&
              idl_describe(idl->compiler, &memory, &idl->interfaces);
    if (!idl_files_print(idl->compiler) && !ok)
        fprintf(stderr, "%s: error MIDL2005: out of memory\n", path);
    return ok && !idl->files.failed;
}

static const NDR_OPERATION *operation_named(const struct idl_description *d, const char *name)
{
    for (uint32_t i = 0; i < d->ndr.operation_count; i++) {
        if (strcmp(d->ndr.operations[i].name, name) == 0)
            return &d->ndr.operations[i];
    }
    return NULL;
}

static void list_interfaces(const struct call_idl *idl)
{
    fputs("penstock: the file has:", stderr);
    for (const struct idl_description *d = idl->interfaces; d; d = d->next)
        fprintf(stderr, " %s", d->name);
    fputs(idl->interfaces ? "\n" : " no interface with operations\n", stderr);
}

static void list_operations(const struct idl_description *d)
{
    fprintf(stderr, "penstock: '%s' has:", d->name);
    for (uint32_t i = 0; i < d->ndr.operation_count && i < 40; i++)
        fprintf(stderr, " %s", d->ndr.operations[i].name);
    fputs(d->ndr.operation_count > 40 ? " ...\n" : "\n", stderr);
}

static bool check_callable(const char *name, const NDR_OPERATION *operation)
{
    if (operation->flags & (NDR_OP_ENCODE | NDR_OP_DECODE)) {
        tool_complain("'%s' is [encode] or [decode]: serialised, never called", name);
        return false;
    }
    return true;
}

bool call_idl_find(const struct call_idl *idl, const char *name,
                   const struct idl_description **ret_interface,
                   const NDR_OPERATION **ret_operation)
{
    const char *dot = strchr(name, '.');
    const char *operation = dot ? dot + 1 : name;
    const struct idl_description *found = NULL;
    for (const struct idl_description *d = idl->interfaces; d; d = d->next) {
        if (dot ? strncmp(d->name, name, (size_t)(dot - name)) != 0 ||
                      d->name[dot - name] != '\0'
                : !operation_named(d, name))
            continue;
        found = d;
    }
    if (!found) {
        if (dot)
            tool_complain("there is no interface '%.*s'", (int)(dot - name), name);
        else
            tool_complain("no interface has an operation '%s'", name);
        list_interfaces(idl);
        return false;
    }
    *ret_interface = found;
    *ret_operation = operation_named(found, operation);
    if (*ret_operation)
        return check_callable(name, *ret_operation);
    tool_complain("there is no operation '%s' in '%s'", operation, found->name);
    list_operations(found);
    return false;
}

void call_idl_fini(struct call_idl *idl)
{
    idl_free(idl->compiler);
    idl_files_fini(&idl->files);
}
