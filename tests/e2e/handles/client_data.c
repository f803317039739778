/* SPDX-License-Identifier: MIT */
/* client_data.c - cases of the handle tests: handles in structures and arrays. */
#include "client.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void close_all(SESSION *all, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (all[i])
            Close(&all[i]);
}

void data_sized(void)
{
    COUNTERS before = counters();
    uint32_t count = 0;
    SESSION *all = NULL;
    OpenMany(server, 5, 10, &count, &all);
    CHECK(count == 5 && all);
    CHECK(counters().live == before.live + 5);
    CHECK(AddMany(server, 5, all, 1) == 11 + 12 + 13 + 14 + 15);
    CHECK(Add(all[3], 1) == 15); /* it carries calls of its own, too */
    SESSION some[4] = {all[0], NULL, all[1], all[0]}, garbage[2] = {all[0], &count};
    CHECK(AddMany(server, 4, some, 1) == 12 + 13 + 13); /* one twice: its lock is taken once */
    CHECK(AddMany(server, 0, some, 1) == 0);
    CHECK(RAISED(AddMany(server, 2, garbage, 1)) == RPC_X_SS_CONTEXT_MISMATCH);
    close_all(all, 5);
    CHECK(counters().live == before.live);
    free(all);
    OpenMany(server, 0, 0, &count, &all);
    CHECK(count == 0 && all);
    free(all);
}

void data_closed(void)
{
    COUNTERS before = counters();
    uint32_t count;
    SESSION *all, old[4];
    OpenMany(server, 4, 0, &count, &all);
    memcpy(old, all, sizeof(old));
    ToggleMany(server, 4, all);
    CHECK(!all[0] && all[1] == old[1] && !all[2] && all[3] == old[3]);
    CHECK(RAISED(Add(old[0], 1)) == RPC_X_SS_CONTEXT_MISMATCH);
    CHECK(counters().live == before.live + 2);
    all[3] = NULL; /* as if it were another's */
    ToggleMany(server, 4, all);
    CHECK(all[0] && all[1] == old[1] && all[2] && all[3]);
    CHECK(AddMany(server, 4, all, 0) == 1000 + 1 + 1000 + 1000);
    close_all(all, 4);
    Close(&old[3]);
    CHECK(counters().live == before.live);
    CHECK(counters().rundowns == before.rundowns);
    free(all);
}

void data_structures(void)
{
    COUNTERS before = counters();
    HOLDER holder = {.tag = 1};
    ToggleHolder(server, &holder);
    CHECK(holder.tag == 2 && holder.session && holder.views[0] && holder.views[1]);
    CHECK(Add(holder.session, 2) == 1002);
    CHECK(SlowView(holder.views[1], 0, 0) == 1);
    HOLDER old = holder;
    ToggleHolder(server, &holder);
    CHECK(!holder.session && !holder.views[0] && !holder.views[1]);
    CHECK(RAISED(SlowView(old.views[0], 0, 0)) == RPC_X_SS_CONTEXT_MISMATCH);
    holder = MakeHolder(server, 50);
    CHECK(holder.tag == 7 && !holder.views[0] && holder.views[1]);
    CHECK(Add(holder.session, 1) == 51);
    ToggleHolder(server, &holder);
    CHECK(!holder.session && holder.views[0] && !holder.views[1]);
    CloseView(&holder.views[0]);
    CHECK(counters().live == before.live);

    EITHER either = {.kind = 1};
    ToggleEither(server, &either, 1);
    CHECK(either.kind == 1 && Add(either.u.session, 1) == 1001);
    ToggleEither(server, &either, 1);
    CHECK(either.kind == 1 && !either.u.session);
    ToggleEither(server, &either, 2);
    CHECK(either.kind == 2 && either.u.view && SlowView(*either.u.view, 0, 0) == 1);
    VIEW *view = either.u.view;
    ToggleEither(server, &either, 2);
    CHECK(either.u.view == view && !*view);
    ToggleEither(server, &either, 0);
    CHECK(either.kind == 0);
    free(view);
    CHECK(counters().live == before.live);
    CHECK(counters().rundowns == before.rundowns);
}

void data_deep(void)
{
    COUNTERS before = counters();
    SESSION session, closing, *in = &session, *both = &closing, *out = NULL, *none = NULL;
    Open(server, 5, &session);
    Open(server, 6, &closing);
    CHECK(AddDeep(server, &in, 2, &both, &out) == 7);
    CHECK(both == &closing && !closing);
    CHECK(out && Add(*out, 1) == 8);
    Close(out);
    free(out);
    CHECK(AddDeep(server, &none, 2, &none, &out) == 0);
    CHECK(Add(*out, 1) == 1);
    Close(out);
    free(out);
    Close(&session);
    CHECK(counters().live == before.live);
}

/* Every session of a reply that cannot be sent is run down, in whatever parameter. */
void data_unsent(void)
{
    COUNTERS before = counters();
    ODD first, many[2];
    SESSION pair[2] = {NULL, NULL};
    CHECK(RAISED(OpenUnsendable(server, &first, pair, many)) == RPC_X_NULL_REF_POINTER);
    CHECK(!pair[0] && !pair[1]);
    wait_for_live(before.live);
    CHECK(counters().rundowns == before.rundowns + 5);
}

/* What a manager closed before it raised is closed, in structures as elsewhere. */
void data_raised(void)
{
    COUNTERS before = counters();
    SESSION all[3], one, kept;
    for (int i = 0; i < 3; i++)
        Open(server, i, &all[i]);
    Open(server, 3, &one);
    Open(server, 4, &kept);
    GROUP group = {.n = 3, .all = all, .one = &one};
    CHECK(RAISED(ToggleGroup(server, &group, 4714)) == 4714);
    CHECK(all[0] && all[1] && all[2] && one);
    for (int i = 0; i < 3; i++) {
        CHECK(RAISED(Add(all[i], 1)) == RPC_X_SS_CONTEXT_MISMATCH);
        RpcSsDestroyClientContext(&all[i]);
    }
    CHECK(RAISED(Add(one, 1)) == RPC_X_SS_CONTEXT_MISMATCH);
    RpcSsDestroyClientContext(&one);
    CHECK(Add(kept, 1) == 5);
    group.one = &kept;
    ToggleGroup(server, &group, 0);
    CHECK(all[0] && all[1] && all[2] && !kept);
    group.one = NULL;
    ToggleGroup(server, &group, 0);
    CHECK(!all[0] && !all[1] && !all[2]);
    CHECK(counters().live == before.live);
    CHECK(counters().rundowns == before.rundowns);
}

struct crossing {
    pthread_t thread;
    SESSION all[8];
    int32_t most;
};

static void *run_crossing(void *arg)
{
    struct crossing *crossing = arg;
    for (int i = 0; i < 20; i++) {
        int32_t most = SlowMany(server, 8, crossing->all, 5);
        if (most > crossing->most)
            crossing->most = most;
    }
    return NULL;
}

/* Calls that name the same handles in different order wait for each other, never in a ring. */
void data_crossing(void)
{
    struct crossing crossing[4] = {0};
    uint32_t count;
    SESSION *all;
    OpenMany(server, 8, 0, &count, &all);
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 8; k++)
            crossing[i].all[k] = all[(i * 3 + (i % 2 ? k : 7 - k)) % 8];
        pthread_create(&crossing[i].thread, NULL, run_crossing, &crossing[i]);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(crossing[i].thread, NULL);
        CHECK(crossing[i].most == 1);
    }
    close_all(all, 8);
    free(all);
}

/* Neither a request nor a reply has more than 4096 handles. */
void data_too_many(void)
{
    COUNTERS before = counters();
    uint32_t count;
    SESSION *all, session;
    Open(server, 0, &session);
    SESSION *many = malloc(4097 * sizeof(*many));
    for (int i = 0; i < 4097; i++)
        many[i] = session;
    CHECK(AddMany(server, 4096, many, 0) == 0);
    CHECK(RAISED(AddMany(server, 4097, many, 0)) == RPC_S_OUT_OF_RESOURCES);
    Close(&session);
    free(many);
    OpenMany(server, 4096, 0, &count, &all);
    close_all(all, 4096);
    free(all);
    all = NULL;
    CHECK(counters().live == before.live);
    CHECK(RAISED(OpenMany(server, 20000, 0, &count, &all)) == RPC_S_OUT_OF_RESOURCES);
    CHECK(!all);
    wait_for_live(before.live);
}
