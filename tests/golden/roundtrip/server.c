/* SPDX-License-Identifier: MIT */
/* server.c - serves every interface of every golden on the endpoints named by its arguments
 * (PROTSEQ:ENDPOINT) until its standard input ends.  GOLDEN_LOG names the file of the lines of
 * calls.h; at the end of it there is "notified N M", how often [notify] and [notify_flag]
 * routines were called.  An object or a context handle that is left over is an error. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../e2e/endpoint.h"
#include "calls.h"
#include "memory.h"
#include "shape.h"

#define RUNDOWN_PATIENCE_MS 10000

handle_t golden_binding; /* of callbacks: the call's own */

/* ---- Context handles -------------------------------------------------------------------------*/

struct context {
    unsigned number; /* in the order they are printed first, as clients see them */
};
static atomic_int contexts_live;
static unsigned context_count;

static void close_context(struct context *context)
{
    free(context);
    contexts_live--;
}

static void make_context(struct values *v, const NDR_TYPE *type, void *slot, bool is_new,
                         bool carries)
{
    (void)type;
    (void)is_new;
    struct context *context = pointer_load(slot);
    if (context) {
        if (one_in(v, 4)) {
            close_context(context);
            pointer_store(slot, NULL);
        }
        return;
    }
    if (!carries && one_in(v, 6))
        return;
    context = calloc(1, sizeof(*context));
    if (!context)
        die("no memory");
    contexts_live++;
    pointer_store(slot, context);
}

static unsigned number_of_context(const NDR_TYPE *type, const void *memory)
{
    (void)type;
    struct context *context = (struct context *)(uintptr_t)memory;
    if (context && context->number == 0)
        context->number = ++context_count;
    return context ? context->number : 0;
}

void golden_rundown(void *context)
{
    close_context(context);
}

/* ---- [notify] ------------------------------------------------------------------------------- */

static atomic_uint notified, notified_of;

void golden_notified(void)
{
    notified++;
}

void golden_notified_of(boolean called)
{
    notified_of += called != 0;
}

/* ---- main ----------------------------------------------------------------------------------- */

static void nothing(void)
{
}

static void check(const char *what, RPC_STATUS status)
{
    if (status != RPC_S_OK)
        die("%s: %d", what, (int)status);
}

/* Some goldens have an endpoint of their own for automatic handles. */
static void register_all(void)
{
    for (size_t g = 0; goldens[g]; g++) {
        if (goldens[g]->set_up)
            goldens[g]->set_up();
        for (const struct golden_interface *i = goldens[g]->interfaces; i->spec; i++)
            check(goldens[g]->name,
                  RpcServerRegisterIf(*i->spec, NULL, (RPC_MGR_EPV *)(uintptr_t)i->epv));
    }
}

int main(int argc, char **argv)
{
    const char *path = getenv("GOLDEN_LOG"), *seed = getenv("GOLDEN_SEED");
    const char *syntax = getenv("PENSTOCK_TRANSFER_SYNTAX");
    side = (struct side){.log = path ? fopen(path, "w") : NULL,
                         .seed = seed ? strtoull(seed, NULL, 0) : 0,
                         .server = true,
                         .wide = syntax && strcmp(syntax, "ndr64") == 0,
                         .context = make_context,
                         .context_number = number_of_context,
                         .call_begins = nothing,
                         .call_is_over = nothing};
    if (!side.log)
        die("GOLDEN_LOG names no file that can be written");
    for (int i = 1; i < argc; i++)
        check(argv[i], use_endpoint(argv[i]));
    register_all();
    check("RpcServerListen", RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE));
    puts("ready");
    fflush(stdout);
    char octet;
    while (read(STDIN_FILENO, &octet, 1) > 0)
        ;
    /* The client is gone: its handles are run down. */
    for (int waited = 0; contexts_live > 0 && waited < RUNDOWN_PATIENCE_MS; waited += 10)
        usleep(10000);
    if (contexts_live != 0)
        die("%d context handles were not run down", contexts_live);
    check("RpcMgmtStopServerListening", RpcMgmtStopServerListening(NULL));
    check("RpcMgmtWaitServerListen", RpcMgmtWaitServerListen());
    for (size_t g = 0; goldens[g]; g++)
        for (const struct golden_interface *i = goldens[g]->interfaces; i->spec; i++)
            check(goldens[g]->name, RpcServerUnregisterIf(*i->spec, NULL, 1));
    fprintf(side.log, "notified %u %u\n", notified, notified_of);
    if (memory_live() > 0)
        die("%zu objects were not freed", memory_live());
    memory_fini();
    return fclose(side.log) == 0 ? 0 : 1;
}
