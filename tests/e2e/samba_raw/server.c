/* SPDX-License-Identifier: MIT */
/* server.c - what Samba's wire tests are run against (test_samba_raw.py).
 *
 *     raw_server ncacn_ip_tcp:PORT ...
 *
 * Prints "ready" when it listens and serves until its standard input ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../endpoint.h"
#include "raw.h"

void EpmOp0(handle_t h)
{
    (void)h;
}

void EpmOp1(handle_t h)
{
    (void)h;
}

void EpmOp2(handle_t h)
{
    (void)h;
}

static unsigned port;

/* The right-hand sides of floor 4, the port, and of floor 5, the address, both in network
 * order.  False: that is no tower of five floors. */
static int place(TOWER *tower)
{
    size_t at = 2;
    if (tower->tower_length < 2 || tower->octets[0] != 5)
        return 0;
    for (int floor = 1; floor <= 5; floor++) {
        for (int side = 0; side < 2; side++) {
            if (at + 2 > tower->tower_length)
                return 0;
            size_t len = tower->octets[at] | (size_t)tower->octets[at + 1] << 8;
            at += 2;
            if (at + len > tower->tower_length)
                return 0;
            if (side == 1 && floor == 4 && len == 2) {
                tower->octets[at] = (byte)(port >> 8);
                tower->octets[at + 1] = (byte)port;
            } else if (side == 1 && floor == 5 && len == 4) {
                memcpy(tower->octets + at, "\x7f\0\0\1", 4);
            }
            at += len;
        }
    }
    return at == tower->tower_length;
}

void EpmMap(handle_t h, OBJECT_UUID *object, TOWER *asked, ENTRY_HANDLE *entry,
            uint32_t max_towers, uint32_t *num_towers, TOWER **towers, error_status_t *status)
{
    (void)h;
    (void)object;
    memset(entry, 0, sizeof(*entry));
    *num_towers = 0;
    *status = 0x16c9a0d6; /* ept_s_not_registered */
    if (!asked || max_towers == 0)
        return;
    size_t size = sizeof(TOWER) + asked->tower_length;
    TOWER *found = MIDL_user_allocate(size);
    if (!found)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    found->tower_length = asked->tower_length;
    memcpy(found->octets, asked->octets, asked->tower_length);
    if (!place(found)) {
        MIDL_user_free(found);
        return;
    }
    towers[0] = found;
    *num_towers = 1;
    *status = 0;
}

void NetlogonOp0(handle_t h)
{
    (void)h;
}

void NetlogonOp1(handle_t h)
{
    (void)h;
}

void NetlogonOp2(handle_t h)
{
    (void)h;
}

void NetlogonOp3(handle_t h)
{
    (void)h;
}

uint32_t ReqChallenge(handle_t h, const WCHAR *server, const WCHAR *computer,
                      CREDENTIAL *challenge, CREDENTIAL *answer)
{
    (void)h;
    (void)server;
    (void)computer;
    for (size_t i = 0; i < sizeof(answer->octets); i++)
        answer->octets[i] = (byte)~challenge->octets[i];
    return 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *colon = strchr(argv[i], ':');
        port = colon ? (unsigned)strtoul(colon + 1, NULL, 10) : 0;
        RPC_STATUS status = use_endpoint(argv[i]);
        if (status != RPC_S_OK) {
            fprintf(stderr, "raw_server: %u: status %d\n", port, (int)status);
            return 1;
        }
    }
    if (RpcServerRegisterIf(raw_epm_v3_0_s_ifspec, NULL, NULL) != RPC_S_OK ||
        RpcServerRegisterIf(raw_netlogon_v1_0_s_ifspec, NULL, NULL) != RPC_S_OK ||
        RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE) != RPC_S_OK)
        return 1;
    printf("ready\n");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    RpcMgmtStopServerListening(NULL);
    return RpcMgmtWaitServerListen() != RPC_S_OK;
}

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}
