/* SPDX-License-Identifier: MIT */
/* modes_routines.c - RT_KEPT and RT_AWAY to and from RT_LOCAL, and what modes.idl declares. */
#include "modes.h"

static int32_t step(int32_t n)
{
    return n + 1;
}

RT_STEP RtModesStep = step;

#define ROUTINES(T)                                                                                \
    void __RPC_USER T##_from_local(RT_LOCAL *local, T **ret_named)                                 \
    {                                                                                              \
        *ret_named = sample_allocate(sizeof(T));                                                   \
        (*ret_named)->number = (int32_t)local->number;                                             \
    }                                                                                              \
    void __RPC_USER T##_to_local(T *named, RT_LOCAL *local)                                        \
    {                                                                                              \
        local->number = named->number;                                                             \
    }                                                                                              \
    void __RPC_USER T##_free_inst(T *named)                                                        \
    {                                                                                              \
        midl_user_free(named);                                                                     \
    }                                                                                              \
    void __RPC_USER T##_free_local(RT_LOCAL *local)                                                \
    {                                                                                              \
        local->number = 0; /* nothing hangs on it */                                               \
    }

ROUTINES(RT_KEPT)
ROUTINES(RT_AWAY)
