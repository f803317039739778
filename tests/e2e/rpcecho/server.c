/* SPDX-License-Identifier: MIT */
/* server.c - rpcecho for smbtorture.
 *
 *     rpcecho_server [--register] PROTSEQ:ENDPOINT [PROTSEQ:ENDPOINT ...]
 *
 * --register tells the endpoint mapper, too.
 * Prints "ready" when it listens and serves until its standard input ends. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../detached.h"
#include "../endpoint.h"
#include "rpcecho.h"

#define NT_STATUS_INVALID_LEVEL ((int32_t)0xC0000148)

/* Beyond it a count from the wire is refused: the tests ask for 500,000 at most. */
#define COUNT_MAX (16u << 20)

static void *allocate(size_t size)
{
    void *memory = MIDL_user_allocate(size);
    if (!memory)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    return memory;
}

void EchoAddOne(handle_t binding, uint32_t number, uint32_t *next)
{
    (void)binding;
    *next = number + 1;
}

void EchoData(handle_t binding, uint32_t count, const byte *sent, byte *back)
{
    (void)binding;
    memcpy(back, sent, count);
}

void EchoSink(handle_t binding, uint32_t count, const byte *sent)
{
    (void)binding;
    (void)count;
    (void)sent;
}

void EchoSource(handle_t binding, uint32_t count, byte *made)
{
    (void)binding;
    for (uint32_t i = 0; i < count; i++)
        made[i] = (byte)i;
}

void EchoText(handle_t binding, const WCHAR *text, WCHAR **answer)
{
    size_t len = 0;
    (void)binding;
    while (text[len] != 0)
        len++;
    *answer = allocate((len + 1) * sizeof(**answer));
    memcpy(*answer, text, (len + 1) * sizeof(**answer));
}

int32_t EchoInfo(handle_t binding, uint16_t level, ECHO_INFO *info)
{
    (void)binding;
    memset(info, 0, sizeof(*info));
    switch (level) {
    case 1:
        info->one.value = 10;
        return 0;
    case 2:
        info->two.value = 20;
        return 0;
    case 3:
        info->three.value = 30;
        return 0;
    case 4:
        info->four.value = 40;
        return 0;
    case 5:
        info->five.octet = 50;
        info->five.value = 60;
        return 0;
    case 6:
        info->six.octet = 70;
        info->six.nested.value = 80;
        return 0;
    case 7:
        info->seven.octet = 80;
        info->seven.nested.value = 90;
        return 0;
    default:
        return NT_STATUS_INVALID_LEVEL;
    }
}

struct sleeper {
    PRPC_ASYNC_STATE async;
    uint32_t seconds;
};

static void *wake_up(void *arg)
{
    struct sleeper sleeper = *(struct sleeper *)arg;
    free(arg);
    sleep(sleeper.seconds < 60 ? sleeper.seconds : 60);
    RpcAsyncCompleteCall(sleeper.async, &sleeper.seconds);
    return NULL;
}

void EchoSleep(PRPC_ASYNC_STATE async, handle_t binding, uint32_t seconds)
{
    (void)binding;
    struct sleeper *sleeper = malloc(sizeof(*sleeper));
    if (!sleeper)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    *sleeper = (struct sleeper){.async = async, .seconds = seconds};
    if (!start_detached(wake_up, sleeper)) {
        free(sleeper);
        RpcRaiseException(RPC_S_OUT_OF_RESOURCES);
    }
}

/* Everything as it came. */
void EchoChoices(handle_t binding, ECHO_CHOICE *choice, ECHO_CHOICES *choices, ECHO_CHOSEN *chosen)
{
    (void)binding;
    (void)choice;
    (void)choices;
    (void)chosen;
}

void EchoSurrounding(handle_t binding, ECHO_SURROUNDING_REF *data)
{
    (void)binding;
    uint32_t count = (*data)->count;
    if (count > COUNT_MAX)
        RpcRaiseException(RPC_S_INVALID_BOUND);
    ECHO_SURROUNDING *twice =
        allocate(sizeof(*twice) + 2 * (size_t)count * sizeof(twice->values[0]));
    twice->count = 2 * count;
    memcpy(twice->values, (*data)->values, count * sizeof(twice->values[0]));
    memcpy(twice->values + count, (*data)->values, count * sizeof(twice->values[0]));
    MIDL_user_free(*data);
    *data = twice;
}

uint16_t EchoPointers(handle_t binding, uint16_t ***data)
{
    (void)binding;
    return *data && **data ? ***data : 0;
}

static void check(RPC_STATUS status, const char *what)
{
    if (status == RPC_S_OK)
        return;
    fprintf(stderr, "rpcecho_server: %s: status %d\n", what, (int)status);
    exit(EXIT_FAILURE);
}

static void register_endpoints(void)
{
    RPC_BINDING_VECTOR *bindings;
    check(RpcServerInqBindings(&bindings), "RpcServerInqBindings");
    check(RpcEpRegister(rpcecho_v1_0_s_ifspec, bindings, NULL, (RPC_CSTR) "rpcecho"),
          "RpcEpRegister");
    RpcBindingVectorFree(&bindings);
}

int main(int argc, char **argv)
{
    bool tell = argc > 1 && strcmp(argv[1], "--register") == 0;
    for (int i = tell ? 2 : 1; i < argc; i++)
        check(use_endpoint(argv[i]), argv[i]);
    check(RpcServerRegisterIf(rpcecho_v1_0_s_ifspec, NULL, NULL), "RpcServerRegisterIf");
    if (tell)
        register_endpoints();
    check(RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE), "RpcServerListen");
    puts("ready");
    fflush(stdout);
    char c;
    while (read(STDIN_FILENO, &c, 1) > 0)
        continue;
    return EXIT_SUCCESS;
}

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    free(object);
}
