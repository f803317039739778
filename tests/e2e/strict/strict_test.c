/* SPDX-License-Identifier: MIT */
/* strict_test.c - which context handle may be used where: one made as each of the types of
 * strict.idl is used, and closed, as each of them.
 *
 *     strict_test PROTSEQ ENDPOINT
 *
 * Client and server are one process.  Prints a line for what is wrong, then "N uses". */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc.h"

#include "strict.h"

#define VALUE 4711

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}

/* ---- Server -------------------------------------------------------------------------------- */

static atomic_int live;

static void *make(int32_t value)
{
    int32_t *object = malloc(sizeof(*object));
    if (!object)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    *object = value;
    live++;
    return object;
}

static void unmake(void **handle)
{
    free(*handle);
    *handle = NULL;
    live--;
}

/* Managers and rundown of one type, and what a client does with it. */
#define TYPE(p, t)                                                                                 \
    p##_##t s_##p##_Open##t(handle_t h, int32_t value)                                             \
    {                                                                                              \
        (void)h;                                                                                   \
        return make(value);                                                                        \
    }                                                                                              \
    int32_t s_##p##_Use##t(p##_##t handle)                                                         \
    {                                                                                              \
        return *(int32_t *)handle;                                                                 \
    }                                                                                              \
    void s_##p##_Close##t(p##_##t *handle)                                                         \
    {                                                                                              \
        unmake(handle);                                                                            \
    }                                                                                              \
    void __RPC_USER p##_##t##_rundown(p##_##t handle)                                              \
    {                                                                                              \
        unmake(&handle);                                                                           \
    }
TYPE(loose, A)
TYPE(loose, B)
TYPE(second, A)
TYPE(second, B)
TYPE(strict, A)
TYPE(strict, B)
TYPE(by_type, A)
TYPE(by_type, B)

/* ---- Client -------------------------------------------------------------------------------- */

enum strictness { LOOSE, STRICT, BY_TYPE };

static const struct type {
    const char *interface_name, *name;
    enum strictness strictness;
    void *(*open)(handle_t h, int32_t value);
    int32_t (*use)(void *handle);
    void (*close)(void **handle);
} types[] = {
#define ROW(p, t, s) {#p, #t, s, c_##p##_Open##t, c_##p##_Use##t, c_##p##_Close##t}
    ROW(loose, A, LOOSE),   ROW(loose, B, LOOSE),   ROW(second, A, LOOSE),
    ROW(second, B, LOOSE),  ROW(strict, A, STRICT), ROW(strict, B, STRICT),
    ROW(by_type, A, BY_TYPE), ROW(by_type, B, BY_TYPE),
};
#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

/* A strict handle stays in its interface, and a strict interface takes no others; by type,
 * it stays of its type, too. */
static bool allowed(const struct type *made, const struct type *used)
{
    bool home = strcmp(made->interface_name, used->interface_name) == 0;
    if (!home)
        return made->strictness == LOOSE && used->strictness == LOOSE;
    return made->strictness != BY_TYPE || made == used;
}

static RPC_STATUS use(const struct type *type, void *handle, int32_t *ret_value)
{
    volatile RPC_STATUS status = RPC_S_OK;
    RpcTryExcept
    {
        *ret_value = type->use(handle);
    }
    RpcExcept(1)
    {
        status = (RPC_STATUS)RpcExceptionCode();
    }
    RpcEndExcept
    return status;
}

static RPC_STATUS end(const struct type *type, void **handle)
{
    volatile RPC_STATUS status = RPC_S_OK;
    RpcTryExcept
    {
        type->close(handle);
    }
    RpcExcept(1)
    {
        status = (RPC_STATUS)RpcExceptionCode();
    }
    RpcEndExcept
    return status;
}

static bool check(const struct type *made, const struct type *used, const char *what, bool right)
{
    if (!right)
        printf("made as %s_%s, used as %s_%s: %s\n", made->interface_name, made->name,
               used->interface_name, used->name, what);
    return right;
}

static bool try_pair(handle_t server, const struct type *made, const struct type *used)
{
    const RPC_STATUS wanted = allowed(made, used) ? RPC_S_OK : RPC_X_SS_CONTEXT_MISMATCH;
    void *handle = made->open(server, VALUE);
    int32_t value = 0;
    bool good = check(made, used, "using it", use(used, handle, &value) == wanted);
    good &= check(made, used, "the value", value == (wanted == RPC_S_OK ? VALUE : 0));
    good &= check(made, used, "closing it", end(used, &handle) == wanted);
    good &= check(made, used, "the handle after that", (handle == NULL) == (wanted == RPC_S_OK));
    if (handle) { /* refused: it is what it was */
        value = 0;
        good &= check(made, made, "after a refusal",
                      use(made, handle, &value) == RPC_S_OK && value == VALUE);
        good &= check(made, made, "closing after a refusal",
                      end(made, &handle) == RPC_S_OK && !handle);
    }
    return check(made, used, "an object is left", live == 0) && good;
}

static int complain(const char *what, RPC_STATUS status)
{
    fprintf(stderr, "%s: %d\n", what, (int)status);
    return 1;
}

int main(int argc, char **argv)
{
    const RPC_IF_HANDLE interfaces[] = {s_loose_v1_0_s_ifspec, s_second_v1_0_s_ifspec,
                                        s_strict_v1_0_s_ifspec, s_by_type_v1_0_s_ifspec};
    RPC_CSTR text = NULL;
    handle_t server = NULL;
    int refused = 0, uses = 0;
    bool good = true;
    if (argc != 3)
        return 2;
    RPC_STATUS status = RpcServerUseProtseqEp((RPC_CSTR)argv[1], RPC_C_PROTSEQ_MAX_REQS_DEFAULT,
                                              (RPC_CSTR)argv[2], NULL);
    for (int i = 0; i < 4 && status == RPC_S_OK; i++)
        status = RpcServerRegisterIf(interfaces[i], NULL, NULL);
    if (status == RPC_S_OK)
        status = RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE);
    if (status == RPC_S_OK)
        status = RpcStringBindingCompose(
            NULL, (RPC_CSTR)argv[1],
            strcmp(argv[1], "ncalrpc") == 0 ? NULL : (RPC_CSTR) "127.0.0.1", (RPC_CSTR)argv[2],
            NULL, &text);
    if (status == RPC_S_OK)
        status = RpcBindingFromStringBinding(text, &server);
    if (status != RPC_S_OK)
        return complain("starting", status);
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        for (size_t k = 0; k < TYPE_COUNT; k++, uses++) {
            good &= try_pair(server, &types[i], &types[k]);
            refused += !allowed(&types[i], &types[k]);
        }
    }
    RpcStringFree(&text);
    RpcBindingFree(&server);
    status = RpcMgmtStopServerListening(NULL);
    if (status == RPC_S_OK)
        status = RpcMgmtWaitServerListen();
    for (int i = 0; i < 4 && status == RPC_S_OK; i++)
        status = RpcServerUnregisterIf(interfaces[i], NULL, 1);
    if (status != RPC_S_OK)
        return complain("stopping", status);
    printf("%d uses, %d refused\n", uses, refused);
    return good ? 0 : 1;
}
