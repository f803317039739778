/* SPDX-License-Identifier: MIT */
/* server_modes.c - managers of rt_modes. */
#include "server.h"

#include <string.h>

#include "modes.h"
#include "samples.h"

#define SERVER_FILE WRONG_MODES

static void negate(RT_TIGHT *packed)
{
    packed->a = (byte)~packed->a; /* an octet has no sign */
    packed->b = -packed->b;
    packed->c = (int16_t)-packed->c;
    packed->d = -packed->d;
}

void RtTight(handle_t h, RT_TIGHT *both, int32_t n, RT_TIGHT *v)
{
    (void)h;
    VERIFY(both->a == 1 && both->b == -2 && both->c == 3 && both->d == 4.5);
    VERIFY(n == 3 && v[1].b == -10 && v[2].a == 13 && v[2].d == -16);
    negate(both);
    for (int32_t i = 0; i < n; i++)
        negate(&v[i]);
}

void RtSigns(handle_t h, RT_SIGNS *letters, char *text, char *four)
{
    (void)h;
    VERIFY(letters->plain == 'a' && letters->upper == 0xfe && letters->lower == -128);
    VERIFY(letters->least == 126 && strcmp(text, "abc \xfc") == 0);
    letters->plain++;
    letters->upper++;
    letters->lower++;
    letters->least++;
    for (int i = 0; i < 4; i++)
        four[i] = (char)(four[i] + 1);
}

void RtOwnMemory(handle_t h, int32_t n, int32_t **made)
{
    (void)h;
    if (n < 0 || (size_t)n > sample_size_max / sizeof(**made))
        RpcRaiseException(RPC_S_OUT_OF_MEMORY); /* nothing any client of ours asks for */
    *made = RpcSsAllocate((size_t)n * sizeof(**made));
    for (int32_t i = 0; i < n; i++)
        (*made)[i] = i * i;
}

void RtImported(handle_t h, RT_LOCAL *kept)
{
    (void)h;
    VERIFY(kept->number == 41);
    kept->number = RtModesStep((int32_t)kept->number);
}

void RtAway(handle_t h, RT_LOCAL *away, RT_AROUND *around)
{
    (void)h;
    VERIFY(away->number == 3 && around->before == -1 && around->away.number == 4);
    away->number += around->away.number;
    around->away.number = (int32_t)away->number;
}
