/* SPDX-License-Identifier: MIT */
/* Whatever is sent makes a value, which is sent the same again: all of it counts. */
#include "routines.h"

/* ---- hyper <-> DATE_WIRE ---- */

static uint64_t mixed(int32_t year)
{
    return (uint64_t)(uint32_t)year * UINT64_C(0x9e3779b97f4a7c15);
}

void __RPC_USER MOMENT_to_xmit(MOMENT *moment, DATE_WIRE **wire)
{
    int32_t year = (int32_t)((uint64_t)*moment >> 20 & 0xffff);
    uint64_t rest = (uint64_t)*moment ^ mixed(year);
    *wire = routine_memory(sizeof(**wire));
    **wire = (DATE_WIRE){.day = (int32_t)rest, .month = (int32_t)(rest >> 32), .year = year};
}

void __RPC_USER MOMENT_from_xmit(DATE_WIRE *wire, MOMENT *moment)
{
    *moment = (int64_t)(((uint64_t)(uint32_t)wire->month << 32 | (uint32_t)wire->day) ^
                        mixed(wire->year));
}

void __RPC_USER MOMENT_free_xmit(DATE_WIRE *wire)
{
    midl_user_free(wire);
}

void __RPC_USER MOMENT_free_inst(MOMENT *moment)
{
    (void)moment;
}

/* ---- a list <-> LIST_WIRE ---- */

void __RPC_USER LIST_to_xmit(LIST *list, LIST_WIRE **wire)
{
    int32_t n = 0;
    for (const NODE *node = *list; node; node = node->next)
        n++;
    *wire = routine_memory(sizeof(**wire) + (size_t)n * sizeof(int32_t));
    (*wire)->n = n;
    n = 0;
    for (const NODE *node = *list; node; node = node->next)
        (*wire)->values[n++] = node->value;
}

void __RPC_USER LIST_free_inst(LIST *list)
{
    while (*list) {
        NODE *next = (*list)->next;
        midl_user_free(*list);
        *list = next;
    }
}

void __RPC_USER LIST_from_xmit(LIST_WIRE *wire, LIST *list)
{
    LIST_free_inst(list);
    for (int32_t i = wire->n; i-- > 0;) {
        NODE *node = routine_memory(sizeof(*node));
        *node = (NODE){.value = wire->values[i], .next = *list};
        *list = node;
    }
}

void __RPC_USER LIST_free_xmit(LIST_WIRE *wire)
{
    midl_user_free(wire);
}

/* ---- twelve letters <-> small ---- */

void __RPC_USER LETTERS_to_xmit(LETTERS *letters, signed char **wire)
{
    *wire = routine_memory(sizeof(**wire));
    **wire = (signed char)(*letters)[11];
}

void __RPC_USER LETTERS_from_xmit(signed char *wire, LETTERS *letters)
{
    for (int i = 0; i < 12; i++)
        (*letters)[i] = (unsigned char)(*wire + 11 - i);
}

void __RPC_USER LETTERS_free_xmit(signed char *wire)
{
    midl_user_free(wire);
}

void __RPC_USER LETTERS_free_inst(LETTERS *letters)
{
    (void)letters;
}
