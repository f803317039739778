/* SPDX-License-Identifier: MIT */
/* idl_fuzz.c - the whole IDL front end and all emitters over one input, without cpp.
 *
 * The input is an IDL file; behind a line "%%acf" its ACF, behind a line "%%import"
 * what any import finds, with the ACF of that behind a second "%%acf".  Whatever it is:
 * no crash, messages that can be printed, and output for what was accepted.  idl.dict has
 * the words of the language, for -dict=. */
#include "idl/idl.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Enough for any honest input of the size a fuzzer tries. */
#define MEMORY_LIMIT ((size_t)32 * 1024 * 1024)

struct parts {
    struct idl_source idl, acf, imported, imported_acf;
};

/* Cuts the text behind `mark` off `from`; true: there is one. */
static bool cut(struct idl_source *from, const char *mark, struct idl_source *ret_rest)
{
    size_t len = strlen(mark);
    const char *at = from->len > 0 ? memmem(from->text, from->len, mark, len) : NULL;
    if (!at)
        return false;
    ret_rest->text = at + len;
    ret_rest->len = from->len - (size_t)(at - from->text) - len;
    from->len = (size_t)(at - from->text);
    return true;
}

/* Any name is found, and each is a file of its own: recursion must end by itself. */
static bool open_import(void *ctx, const char *name, const char *importer,
                        struct idl_source *ret_source)
{
    const struct parts *parts = ctx;
    (void)importer;
    if (!parts->imported.text)
        return false;
    *ret_source = parts->imported;
    ret_source->path = name;
    return true;
}

static bool open_import_acf(void *ctx, const char *path, struct idl_source *ret_source)
{
    const struct parts *parts = ctx;
    (void)path;
    if (!parts->imported_acf.text)
        return false;
    *ret_source = parts->imported_acf;
    return true;
}

static void print_all(const struct idl_compiler *compiler)
{
    for (const struct idl_diagnostic *d = idl_diagnostics(compiler); d; d = d->next) {
        size_t len = idl_diagnostic_text(d, NULL, 0);
        char *text = malloc(len + 1);
        if (!text)
            return;
        size_t again = idl_diagnostic_text(d, text, len + 1);
        assert(again == len && strlen(text) == len);
        free(text);
        char small[16]; /* cut short, never beyond the buffer */
        idl_diagnostic_text(d, small, sizeof(small));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct parts parts = {
        .idl = {.path = "fuzz.idl", .text = (const char *)data, .len = size},
        .acf = {.path = "fuzz.acf"},
        .imported = {.path = "import.idl"},
        .imported_acf = {.path = "import.acf"},
    };
    cut(&parts.idl, "\n%%import\n", &parts.imported);
    if (parts.imported.text)
        cut(&parts.imported, "\n%%acf\n", &parts.imported_acf);
    bool has_acf = cut(&parts.idl, "\n%%acf\n", &parts.acf);

    struct idl_options options = {
        .idl_name = "fuzz.idl",
        .header_name = "fuzz.h",
        .client_prefix = size % 3 == 0 ? "c_" : NULL,
        .old_names = size % 5 == 0,
        .app_config = size % 2 == 0,
        .osf = size % 7 == 0,
        .plain_char = size % 11 == 0,
        .ms_union = size % 13 == 0,
        .pack = size % 17 == 0 ? 2 : 0,
        .old_mode = size % 19 == 0,
        .enable_allocate = size % 23 == 0,
        .warning_level = 4,
        .error_limit = 1000,
        .memory_limit = MEMORY_LIMIT,
    };
    struct idl_host host = {
        .ctx = &parts, .open_import = open_import, .open_import_acf = open_import_acf};
    struct idl_compiler *compiler = idl_new(&options, &host);
    if (!compiler)
        return 0;
    bool ok = idl_compile(compiler, &parts.idl, has_acf ? &parts.acf : NULL);
    print_all(compiler);
    bool has_errors = false;
    for (const struct idl_diagnostic *d = idl_diagnostics(compiler); d; d = d->next)
        has_errors |= d->severity == IDL_ERROR;
    assert(ok == !has_errors);
    for (int which = IDL_HEADER; ok && which <= IDL_SERVER_STUB; which++) {
        size_t len = 0;
        const char *text = idl_output(compiler, (enum idl_output)which, &len);
        assert(!text || strlen(text) == len);
    }
    idl_free(compiler);
    return 0;
}
