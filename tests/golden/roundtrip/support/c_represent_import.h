/* SPDX-License-Identifier: MIT */
#include "characters.h"
#include "local_name.h"

void __RPC_USER SPOT_from_local(LOCAL_POINT *point, SPOT **wire)
{
    *wire = routine_memory(sizeof(**wire));
    **wire = (SPOT){.x = (int32_t)point->x, .y = (int32_t)point->y};
}

void __RPC_USER SPOT_to_local(SPOT *wire, LOCAL_POINT *point)
{
    *point = (LOCAL_POINT){.x = wire->x, .y = wire->y};
}

void __RPC_USER SPOT_free_inst(SPOT *wire)
{
    midl_user_free(wire);
}

void __RPC_USER SPOT_free_local(LOCAL_POINT *point)
{
    (void)point;
}

static const struct golden_user_type user_types[] = {
    {"LABEL", make_name, print_name},
    {NULL, NULL, NULL},
};
#define GOLDEN_USER_TYPES user_types
