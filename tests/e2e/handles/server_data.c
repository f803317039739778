/* SPDX-License-Identifier: MIT */
/* server_data.c - managers of handles_data: context handles in structures and arrays. */
#include "server.h"

#include <stdlib.h>
#include <string.h>

static void toggle(SESSION *session)
{
    if (*session) {
        session_free(check(*session));
        *session = NULL;
    } else {
        *session = session_new(1000);
    }
}

static void toggle_view(VIEW *view)
{
    SESSION session = *view;
    toggle(&session);
    *view = session;
}

void OpenMany(handle_t h, uint32_t n, int32_t seed, uint32_t *count, SESSION **all)
{
    (void)h;
    *all = MIDL_user_allocate(n * sizeof(SESSION));
    for (uint32_t i = 0; i < n; i++)
        (*all)[i] = session_new(seed + (int32_t)i);
    *count = n;
}

int32_t AddMany(handle_t h, uint32_t count, SESSION *all, int32_t n)
{
    int32_t sum = 0;
    (void)h;
    for (uint32_t i = 0; i < count; i++)
        if (all[i])
            sum += check(all[i])->total += n;
    return sum;
}

int32_t SlowMany(handle_t h, uint32_t count, SESSION *all, int32_t ms)
{
    (void)h;
    for (uint32_t i = 1; i < count; i++)
        check(all[i]);
    return stay(check(all[0]), ms);
}

void ToggleMany(handle_t h, uint32_t count, SESSION *all)
{
    (void)h;
    for (uint32_t i = 0; i < count; i++)
        if (i % 2 == 0 || !all[i])
            toggle(&all[i]);
}

void ToggleGroup(handle_t h, GROUP *group, int32_t then_raise)
{
    (void)h;
    for (uint32_t i = 0; i < group->n; i++)
        toggle(&group->all[i]);
    if (group->one)
        toggle(group->one);
    if (then_raise)
        RpcRaiseException(then_raise);
}

void ToggleHolder(handle_t h, HOLDER *holder)
{
    (void)h;
    holder->tag++;
    toggle(&holder->session);
    toggle_view(&holder->views[0]);
    toggle_view(&holder->views[1]);
}

HOLDER MakeHolder(handle_t h, int32_t seed)
{
    HOLDER holder = {.tag = 7, .session = session_new(seed)};
    VIEW view = NULL;
    (void)h;
    toggle_view(&view);
    holder.views[1] = view;
    return holder;
}

/* A context is closed by NULL in its place, so the place has to stay. */
void ToggleEither(handle_t h, EITHER *either, int32_t kind)
{
    (void)h;
    if (either->kind == 2 && kind != 2)
        MIDL_user_free(either->u.view);
    if (either->kind != kind)
        memset(&either->u, 0, sizeof(either->u));
    either->kind = kind;
    if (kind == 2 && !either->u.view) {
        either->u.view = MIDL_user_allocate(sizeof(*either->u.view));
        *either->u.view = NULL;
    }
    if (kind == 1)
        toggle(&either->u.session);
    if (kind == 2)
        toggle_view(either->u.view);
}

int32_t AddDeep(handle_t h, SESSION **in, int32_t n, SESSION **both, SESSION **out)
{
    int32_t total = 0;
    (void)h;
    if (*in)
        total = check(**in)->total += n;
    if (*both)
        toggle(*both);
    *out = MIDL_user_allocate(sizeof(SESSION));
    **out = session_new(total);
    return total;
}

void OpenUnsendable(handle_t h, ODD *first, SESSION *pair, ODD *many)
{
    (void)h;
    first->session = session_new(1);
    first->number = NULL;
    pair[0] = session_new(2);
    pair[1] = session_new(3);
    for (int i = 0; i < 2; i++) {
        many[i].session = session_new(4 + i);
        many[i].number = MIDL_user_allocate(sizeof(*many[i].number));
        *many[i].number = i;
    }
}
