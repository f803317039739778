/* SPDX-License-Identifier: MIT */
#include "routines.h"

void __RPC_USER POINT_from_local(LOCAL_POINT *point, POINT **wire)
{
    *wire = routine_memory(sizeof(**wire));
    **wire = (POINT){.x = (int32_t)point->x, .y = (int32_t)point->y};
}

void __RPC_USER POINT_to_local(POINT *wire, LOCAL_POINT *point)
{
    *point = (LOCAL_POINT){.x = wire->x, .y = wire->y};
}

void __RPC_USER POINT_free_inst(POINT *wire)
{
    midl_user_free(wire);
}

void __RPC_USER POINT_free_local(LOCAL_POINT *point)
{
    (void)point;
}

/* float <-> ANGLE <-> long: a minute is the 256th part, which a float has exactly. */
void __RPC_USER ANGLE_from_local(float *angle, ANGLE **named)
{
    int32_t degrees = (int32_t)(*angle + 32768) - 32768; /* downwards */
    *named = routine_memory(sizeof(**named));
    **named = (ANGLE){.degrees = (int16_t)degrees,
                      .minutes = (int16_t)((*angle - (float)degrees) * 256)};
}

void __RPC_USER ANGLE_to_local(ANGLE *named, float *angle)
{
    *angle = (float)named->degrees + (float)(named->minutes & 255) / 256;
}

void __RPC_USER ANGLE_free_inst(ANGLE *named)
{
    midl_user_free(named);
}

void __RPC_USER ANGLE_free_local(float *angle)
{
    (void)angle;
}

void __RPC_USER ANGLE_to_xmit(ANGLE *named, int32_t **wire)
{
    *wire = routine_memory(sizeof(**wire));
    **wire = (int32_t)((uint32_t)(uint16_t)named->degrees << 16 | (uint16_t)named->minutes);
}

void __RPC_USER ANGLE_from_xmit(int32_t *wire, ANGLE *named)
{
    *named = (ANGLE){.degrees = (int16_t)((uint32_t)*wire >> 16), .minutes = (int16_t)*wire};
}

void __RPC_USER ANGLE_free_xmit(int32_t *wire)
{
    midl_user_free(wire);
}
