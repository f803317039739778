/* SPDX-License-Identifier: MIT */
/* modes_routines.c - RT_KEPT to and from RT_LOCAL, and what modes.idl declares. */
#include "modes.h"

static int32_t step(int32_t n)
{
    return n + 1;
}

RT_STEP RtModesStep = step;

void __RPC_USER RT_KEPT_from_local(RT_LOCAL *local, RT_KEPT **ret_kept)
{
    *ret_kept = sample_allocate(sizeof(RT_KEPT));
    (*ret_kept)->number = (int32_t)local->number;
}

void __RPC_USER RT_KEPT_to_local(RT_KEPT *kept, RT_LOCAL *local)
{
    local->number = kept->number;
}

void __RPC_USER RT_KEPT_free_inst(RT_KEPT *kept)
{
    midl_user_free(kept);
}

void __RPC_USER RT_KEPT_free_local(RT_LOCAL *local)
{
    local->number = 0; /* nothing hangs on it */
}
