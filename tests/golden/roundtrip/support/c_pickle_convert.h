/* SPDX-License-Identifier: MIT */
#include "routines.h"

/* hyper <-> PAIR */
void __RPC_USER BOTH_to_xmit(BOTH *both, PAIR **wire)
{
    *wire = routine_memory(sizeof(**wire));
    **wire = (PAIR){.x = (int32_t)*both, .y = (int32_t)(*both >> 32)};
}

void __RPC_USER BOTH_from_xmit(PAIR *wire, BOTH *both)
{
    *both = (int64_t)((uint64_t)(uint32_t)wire->y << 32 | (uint32_t)wire->x);
}

void __RPC_USER BOTH_free_xmit(PAIR *wire)
{
    midl_user_free(wire);
}

void __RPC_USER BOTH_free_inst(BOTH *both)
{
    (void)both;
}

/* PAIR <-> WIRE */
void __RPC_USER WIRE_from_local(PAIR *pair, WIRE **wire)
{
    *wire = routine_memory(sizeof(**wire));
    **wire = (WIRE){.a = (int32_t)((uint32_t)pair->x ^ (uint32_t)pair->y)};
}

void __RPC_USER WIRE_to_local(WIRE *wire, PAIR *pair)
{
    *pair = (PAIR){.x = (int32_t)((uint32_t)wire->a ^ 0x5a5a5a5au), .y = 0x5a5a5a5a};
}

void __RPC_USER WIRE_free_inst(WIRE *wire)
{
    midl_user_free(wire);
}

void __RPC_USER WIRE_free_local(PAIR *pair)
{
    (void)pair;
}
