/* SPDX-License-Identifier: MIT */
/* mgmt_client.c - asks a server about itself.
 *
 *     mgmt_client BINDING QUESTION ...
 *
 *     ids  stats  listening  stop  name SERVICE
 *
 * Prints one line of JSON per question: {"status": N, ...}. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc.h"

static void ids(RPC_BINDING_HANDLE h)
{
    RPC_IF_ID_VECTOR *vector = NULL;
    printf("{\"status\": %d, \"ids\": [", (int)RpcMgmtInqIfIds(h, &vector));
    for (unsigned long i = 0; vector && i < vector->Count; i++) {
        RPC_CSTR text = NULL;
        if (UuidToStringA(&vector->IfId[i]->Uuid, &text) != RPC_S_OK)
            exit(EXIT_FAILURE);
        printf("%s[\"%s\", %u, %u]", i > 0 ? ", " : "", (char *)text, vector->IfId[i]->VersMajor,
               vector->IfId[i]->VersMinor);
        RpcStringFreeA(&text);
    }
    printf("]}\n");
    RpcIfIdVectorFree(&vector);
}

static void stats(RPC_BINDING_HANDLE h)
{
    RPC_STATS_VECTOR *vector = NULL;
    printf("{\"status\": %d, \"stats\": [", (int)RpcMgmtInqStats(h, &vector));
    for (unsigned i = 0; vector && i < vector->Count; i++)
        printf("%s%lu", i > 0 ? ", " : "", vector->Stats[i]);
    printf("]}\n");
    RpcMgmtStatsVectorFree(&vector);
}

static void name(RPC_BINDING_HANDLE h, const char *service)
{
    RPC_CSTR text = NULL;
    RPC_STATUS status = RpcMgmtInqServerPrincNameA(h, strtoul(service, NULL, 10), &text);
    printf("{\"status\": %d, \"name\": \"%s\"}\n", (int)status, text ? (char *)text : "");
    RpcStringFreeA(&text);
}

int main(int argc, char **argv)
{
    RPC_BINDING_HANDLE h;
    if (argc < 3 || RpcBindingFromStringBindingA((RPC_CSTR)argv[1], &h) != RPC_S_OK)
        return EXIT_FAILURE;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "ids") == 0)
            ids(h);
        else if (strcmp(argv[i], "stats") == 0)
            stats(h);
        else if (strcmp(argv[i], "listening") == 0)
            printf("{\"status\": %d}\n", (int)RpcMgmtIsServerListening(h));
        else if (strcmp(argv[i], "stop") == 0)
            printf("{\"status\": %d}\n", (int)RpcMgmtStopServerListening(h));
        else if (strcmp(argv[i], "name") == 0 && i + 1 < argc)
            name(h, argv[++i]);
        else
            return EXIT_FAILURE;
    }
    RpcBindingFree(&h);
    return EXIT_SUCCESS;
}
