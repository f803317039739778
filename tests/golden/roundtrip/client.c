/* SPDX-License-Identifier: MIT */
/* client.c - calls every operation of every golden.
 *
 *     golden_client BINDING LOG SEED TIMES [GOLDEN...]
 *     golden_client --list
 *     golden_client --write FILE LOG SEED TIMES     or --read FILE LOG: pickles.h
 *
 * Each operation is called TIMES times with values made from SEED; LOG gets the lines of
 * calls.h, and "skipped NAME" for an operation that could not be called. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "memory.h"
#include "pickles.h"
#include "shape.h"

handle_t golden_binding;

/* ---- Context handles -------------------------------------------------------------------------*/

#define HANDLES_MAX 4096

static struct {
    const NDR_CONTEXT *context;
    const struct golden *golden;
    const void *handle;
    void *slot;  /* where this call has it, or NULL */
} handles[HANDLES_MAX];
static unsigned handle_count;
static const struct golden *current; /* whose operation is called */

/* How far from home a handle may be used. */
enum distance { SAME_TYPE, SAME_INTERFACE, ANYWHERE, DISTANCE_COUNT };

static bool is_usable(unsigned i, const NDR_CONTEXT *context, enum distance distance)
{
    uint32_t flags = handles[i].context->flags | context->flags;
    if (!handles[i].handle || handles[i].slot)
        return false;
    if (distance == SAME_TYPE)
        return handles[i].context == context;
    if (distance == SAME_INTERFACE)
        return handles[i].golden == current && !(flags & NDR_CONTEXT_TYPE_STRICT);
    return !(flags & (NDR_CONTEXT_STRICT | NDR_CONTEXT_TYPE_STRICT));
}

/* One that a call has brought: of this type or, where none is, as far away as the strictness
 * of both lets it come from.  No handle goes twice with one call, which might close it. */
static void take_handle(struct values *v, const NDR_TYPE *type, void *slot, bool is_new,
                        bool carries)
{
    if (!is_new)
        die("a client changes nothing");
    if (!carries && one_in(v, 4))
        return;
    for (int far = SAME_TYPE; far < DISTANCE_COUNT; far++) {
        unsigned usable = 0;
        for (unsigned i = 0; i < handle_count; i++)
            usable += is_usable(i, type->context, (enum distance)far);
        if (usable == 0)
            continue;
        int64_t nth = random_between(v, 1, usable);
        for (unsigned i = 0; i < handle_count; i++) {
            if (!is_usable(i, type->context, (enum distance)far) || --nth > 0)
                continue;
            handles[i].slot = slot;
            pointer_store(slot, handles[i].handle);
            return;
        }
    }
    v->failed |= carries;
}

static unsigned number_of_handle(const NDR_TYPE *type, const void *handle)
{
    if (!handle)
        return 0;
    for (unsigned i = 0; i < handle_count; i++)
        if (handles[i].handle == handle)
            return i + 1;
    if (handle_count == HANDLES_MAX)
        die("too many context handles");
    handles[handle_count].context = type->context;
    handles[handle_count].golden = current;
    handles[handle_count++].handle = handle;
    return handle_count;
}

static void forget_slots(void)
{
    for (unsigned i = 0; i < handle_count; i++)
        handles[i].slot = NULL;
}

/* What the server closed is NULL now. */
static void forget_closed(void)
{
    for (unsigned i = 0; i < handle_count; i++)
        if (handles[i].slot && pointer_load(handles[i].slot) != handles[i].handle)
            handles[i].handle = NULL;
}

/* ---- Calls ---------------------------------------------------------------------------------- */

static void call_interface(const struct golden *golden, const struct golden_interface *interface,
                           bool *done, const char *syntax)
{
    const RPC_CLIENT_INTERFACE *spec = *interface->spec;
    const NDR_INTERFACE *ndr = spec->InterpreterInfo;
    uint32_t other = strcmp(syntax, "ndr64") == 0 ? RPC_INTERFACE_NDR_ONLY
                                                  : RPC_INTERFACE_NDR64_ONLY;
    for (uint32_t i = 0; i < ndr->operation_count; i++) {
        bool skipped = false;
        const NDR_OPERATION *operation = &ndr->operations[i];
        if (!interface->calls[i] || spec->Flags & other)
            continue;
        if (operation->flags & (NDR_OP_ENCODE | NDR_OP_DECODE))
            continue;
        golden_call(golden, ndr->name, operation, interface->calls[i], &skipped);
        done[i] |= !skipped;
    }
}

static bool is_wanted(const struct golden *golden, char **names, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], golden->name) == 0)
            return true;
    return count == 0;
}

static void tell_skipped(const struct golden *golden, const struct golden_interface *interface,
                         const bool *done)
{
    const NDR_INTERFACE *ndr = ((const RPC_CLIENT_INTERFACE *)*interface->spec)->InterpreterInfo;
    for (uint32_t i = 0; i < ndr->operation_count; i++)
        if (!done[i])
            fprintf(side.log, "skipped %s.%s.%s\n", golden->name, ndr->name,
                    ndr->operations[i].name);
}

static int serialise(int argc, char **argv)
{
    bool writes = strcmp(argv[1], "--write") == 0;
    const char *syntax = getenv("PENSTOCK_TRANSFER_SYNTAX");
    FILE *file = fopen(argv[2], writes ? "wb" : "rb");
    side = (struct side){.log = fopen(argv[3], "w"),
                         .seed = argc > 4 ? strtoull(argv[4], NULL, 0) : 0,
                         .wide = syntax && strcmp(syntax, "ndr64") == 0};
    if (!file || !side.log)
        die("%s, %s: cannot be opened", argv[2], argv[3]);
    if (writes)
        pickles_write(file, argc > 5 ? atoi(argv[5]) : 1);
    else
        pickles_read(file);
    fclose(side.log);
    memory_fini();
    return fclose(file) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    static bool done[256][8][64];
    const char *syntax = getenv("PENSTOCK_TRANSFER_SYNTAX");
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t g = 0; goldens[g]; g++)
            puts(goldens[g]->name);
        return 0;
    }
    if (argc > 3 && (strcmp(argv[1], "--write") == 0 || strcmp(argv[1], "--read") == 0))
        return serialise(argc, argv);
    if (argc < 5)
        die("usage: golden_client BINDING LOG SEED TIMES [GOLDEN...]");
    syntax = syntax ? syntax : "ndr64";
    side = (struct side){.log = fopen(argv[2], "w"),
                         .seed = strtoull(argv[3], NULL, 0),
                         .wide = strcmp(syntax, "ndr64") == 0,
                         .context = take_handle,
                         .context_number = number_of_handle,
                         .call_begins = forget_slots,
                         .call_is_over = forget_closed};
    if (!side.log)
        die("%s cannot be written", argv[2]);
    RPC_STATUS status = RpcBindingFromStringBinding((RPC_CSTR)argv[1], &golden_binding);
    if (status != RPC_S_OK)
        die("%s: %d", argv[1], (int)status);
    int times = atoi(argv[4]);
    for (int time = 0; time < times; time++) {
        for (size_t g = 0; goldens[g]; g++) {
            if (!is_wanted(goldens[g], argv + 5, argc - 5))
                continue;
            current = goldens[g];
            for (size_t i = 0; goldens[g]->handles[i]; i++)
                *goldens[g]->handles[i] = golden_binding;
            if (time == 0 && goldens[g]->set_up)
                goldens[g]->set_up();
            for (size_t i = 0; goldens[g]->interfaces[i].spec; i++)
                call_interface(goldens[g], &goldens[g]->interfaces[i], done[g][i], syntax);
        }
    }
    for (size_t g = 0; goldens[g]; g++)
        for (size_t i = 0; is_wanted(goldens[g], argv + 5, argc - 5) &&
                           goldens[g]->interfaces[i].spec; i++)
            tell_skipped(goldens[g], &goldens[g]->interfaces[i], done[g][i]);
    RpcBindingFree(&golden_binding);
    fclose(side.log);
    memory_fini();
    return 0;
}
