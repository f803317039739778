/* SPDX-License-Identifier: MIT */
/* value_test.c - arguments and results of `penstock call` when memory ends: the n-th
 * allocation fails, for every n, over the inputs the fuzz target begins with.
 *
 * Whatever fails, the walk says "out of memory", and nothing is left behind. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../unit/alloc_shim.h"

/* Its interface and the way from a request to what a server would send back. */
#include "json_fuzz.c"

static bool fill_once(const NDR_OPERATION *operation, const json_t *json, uint8_t **ret_frame)
{
    struct value_walk walk;
    uint8_t *frame = call_allocate(operation->frame_size);
    *ret_frame = frame;
    if (!frame)
        return false;
    value_walk_init(&walk, "arguments");
    bool ok = value_fill_frame(&walk, operation, frame, json);
    assert_int_equal(ok, !walk.failed);
    if (!ok && alloc_failed())
        assert_non_null(strstr(walk.error, "out of memory"));
    value_walk_fini(&walk);
    return ok;
}

static bool show_once(const NDR_OPERATION *operation, const uint8_t *frame)
{
    struct value_walk walk;
    value_walk_init(&walk, "results");
    json_t *results = value_show_frame(&walk, operation, frame);
    assert_int_equal(results == NULL, walk.failed);
    if (walk.failed)
        assert_string_equal(strrchr(walk.error, ':'), ": out of memory");
    value_walk_fini(&walk);
    json_decref(results);
    return results != NULL;
}

/* Failing requests until none does any more; how many there were. */
static unsigned fail_fill(const NDR_OPERATION *operation, const json_t *json)
{
    const long before = alloc_live;
    for (unsigned n = 0;; n++) {
        uint8_t *frame;
        alloc_fail_at((long)n);
        bool ok = fill_once(operation, json, &frame);
        bool failed = alloc_failed();
        alloc_fail_at(-1);
        call_free_all();
        assert_int_equal(alloc_live, before);
        assert_true(!ok || !failed);
        if (!failed)
            return n;
    }
}

static unsigned fail_show(const NDR_OPERATION *operation, const uint8_t *frame)
{
    const long before = alloc_live;
    for (unsigned n = 0;; n++) {
        alloc_fail_at((long)n);
        bool ok = show_once(operation, frame);
        bool failed = alloc_failed();
        alloc_fail_at(-1);
        assert_int_equal(alloc_live, before);
        assert_int_equal(ok, !failed);
        if (!failed)
            return n;
    }
}

/* One input of the corpus; requests that failed in both directions. */
static unsigned try_input(const char *path)
{
    uint8_t data[4096];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(data, 1, sizeof(data), file);
    fclose(file);
    if (data[0] & 128)
        return 0; /* a reply */
    const NDR_INTERFACE *ndr = &interface()->ndr;
    const NDR_OPERATION *operation = &ndr->operations[(data[0] & 63) % ndr->operation_count];
    json_error_t error;
    json_t *json = json_loadb((const char *)data + 1, size - 1, JSON_ALLOW_NUL, &error);
    assert_non_null(json);
    unsigned count = fail_fill(operation, json);
    struct ndr_writer writer;
    uint8_t *frame = encode(operation, json, &writer, data[0] & 64);
    json_t *arguments = frame ? mirror(operation, frame, &writer) : NULL;
    if (arguments)
        count += fail_show(operation, frame);
    json_decref(arguments);
    if (frame)
        ndr_writer_fini(&writer);
    json_decref(json);
    call_free_all();
    return count;
}

static void nth_allocation(void **state)
{
    (void)state;
    unsigned count = 0, inputs = 0;
    DIR *dir = opendir(CORPUS_DIR);
    const struct dirent *entry;
    json_set_alloc_funcs(__wrap_malloc, __wrap_free);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        char path[1024];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", CORPUS_DIR, entry->d_name);
        count += try_input(path);
        inputs++;
    }
    closedir(dir);
    assert_in_range(inputs, 15, 10000);
    assert_in_range(count, 300, 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nth_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
