/* SPDX-License-Identifier: MIT */
/* peer.c - a server that registers its endpoints, or a client that looks for some; told what to
 * do by lines on standard input, answers with lines: a status, or what was asked for.
 *
 *   endpoint_peer server [PROTSEQ...]   dynamic endpoints; then lines:
 *       register|noreplace|unregister IF OBJECTS ANNOTATION   IF: endpoint, named;
 *                                       OBJECTS: how many UUIDs; ANNOTATION: "-" is none
 *       use PROTSEQ, named ENDPOINT     one more endpoint
 *       listen                          begun without PROTSEQ it does not yet
 *       and those of peer_wide.c
 *   endpoint_peer client                lines: peer_client.c */
#include "peer.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "endpoint.h"

#define OBJECTS_MAX 8192

int32_t s_who(handle_t h)
{
    (void)h;
    return getpid();
}

void s_who_async(PRPC_ASYNC_STATE call, handle_t h)
{
    int32_t pid = getpid();
    (void)h;
    RpcAsyncCompleteCall(call, &pid);
}

int32_t s_who_named(handle_t h)
{
    (void)h;
    return getpid();
}

int32_t s_stay(handle_t h, uint32_t count)
{
    static atomic_uint here;
    (void)h;
    here++;
    for (int i = 0; i < 2000 && here < count; i++)
        usleep(10000);
    return here >= count ? getpid() : 0;
}

int32_t s_hold(handle_t h, holder *held)
{
    static int something;
    (void)h;
    *held = &something;
    return getpid();
}

int32_t s_who_holds(holder held)
{
    (void)held;
    return getpid();
}

void __RPC_USER holder_rundown(holder held)
{
    (void)held;
}

static void say(RPC_STATUS status)
{
    printf("%d\n", (int)status);
    fflush(stdout);
}

/* Objects 1, 2, ... of this process. */
static UUID_VECTOR *make_objects(unsigned count)
{
    static UUID objects[OBJECTS_MAX];
    UUID_VECTOR *vector = calloc(1, sizeof(*vector) + count * sizeof(vector->Uuid[0]));
    if (!vector)
        return NULL;
    vector->Count = count;
    for (unsigned i = 0; i < count; i++) {
        objects[i] = (UUID){i + 1, 0, 0, {0}};
        vector->Uuid[i] = &objects[i];
    }
    return vector;
}

static RPC_STATUS obey(const char *what, const char *interface, unsigned object_count,
                       const char *annotation)
{
    RPC_BINDING_VECTOR *bindings = NULL;
    RPC_IF_HANDLE spec =
        strcmp(interface, "named") == 0 ? s_named_v1_0_s_ifspec : s_endpoint_v2_3_s_ifspec;
    RPC_CSTR text = strcmp(annotation, "-") == 0 ? NULL : (RPC_CSTR)annotation;
    UUID_VECTOR *objects = object_count > 0 ? make_objects(object_count) : NULL;
    RPC_STATUS status = object_count == 0 || objects ? RpcServerInqBindings(&bindings)
                                                     : RPC_S_OUT_OF_MEMORY;
    if (status == RPC_S_OK && strcmp(what, "register") == 0)
        status = RpcEpRegisterA(spec, bindings, objects, text);
    else if (status == RPC_S_OK && strcmp(what, "noreplace") == 0)
        status = RpcEpRegisterNoReplaceA(spec, bindings, objects, text);
    else if (status == RPC_S_OK && strcmp(what, "wregister") == 0)
        status = RpcEpRegisterW(spec, bindings, objects, text ? peer_widen(annotation) : NULL);
    else if (status == RPC_S_OK && strcmp(what, "wnoreplace") == 0)
        status = RpcEpRegisterNoReplaceW(spec, bindings, objects,
                                         text ? peer_widen(annotation) : NULL);
    else if (status == RPC_S_OK && strcmp(what, "unregister") == 0)
        status = RpcEpUnregister(spec, bindings, objects);
    else if (status == RPC_S_OK)
        status = RPC_S_INVALID_ARG;
    RpcBindingVectorFree(&bindings);
    free(objects);
    return status;
}

static int serve(int count, char **protseqs)
{
    char line[512], what[32], interface[32], annotation[256];
    unsigned objects;
    RPC_STATUS status = RPC_S_OK;
    for (int i = 0; i < count && status == RPC_S_OK; i++)
        status = RpcServerUseProtseqA((RPC_CSTR)protseqs[i], RPC_C_PROTSEQ_MAX_REQS_DEFAULT, NULL);
    if (status == RPC_S_OK)
        status = RpcServerRegisterIf(s_endpoint_v2_3_s_ifspec, NULL, NULL);
    if (status == RPC_S_OK)
        status = RpcServerRegisterIf(s_named_v1_0_s_ifspec, NULL, NULL);
    if (status == RPC_S_OK && count > 0)
        status = RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE);
    if (status == RPC_S_OK) {
        printf("%d\n", (int)getpid());
        fflush(stdout);
    }
    while (status == RPC_S_OK && fgets(line, sizeof(line), stdin)) {
        if (sscanf(line, "use %255s", annotation) == 1) /* one more endpoint */
            say(RpcServerUseProtseqA((RPC_CSTR)annotation, RPC_C_PROTSEQ_MAX_REQS_DEFAULT, NULL));
        else if (sscanf(line, "named %255s", annotation) == 1)
            say(RpcServerUseProtseqEpA((RPC_CSTR) "ncalrpc", RPC_C_PROTSEQ_MAX_REQS_DEFAULT,
                                       (RPC_CSTR)annotation, NULL));
        else if (strcmp(line, "listen\n") == 0)
            say(RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE));
        else if (sscanf(line, "wnamed %255s", annotation) == 1)
            say(RpcServerUseProtseqEpW((RPC_WSTR)(uintptr_t)u"ncalrpc", RPC_C_PROTSEQ_MAX_REQS_DEFAULT,
                                       peer_widen(annotation), NULL));
        else if (sscanf(line, "%31s %31s %u %255[^\n]", what, interface, &objects, annotation) == 4 &&
                 objects <= OBJECTS_MAX)
            say(obey(what, interface, objects, annotation));
        else
            say(-1);
    }
    return status != RPC_S_OK;
}

int main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "server") == 0)
        return serve(argc - 2, argv + 2);
    if (argc == 2 && strcmp(argv[1], "client") == 0)
        return peer_client();
    fputs("usage: endpoint_peer server [PROTSEQ...] | client\n", stderr);
    return 2;
}

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}
