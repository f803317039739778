/* SPDX-License-Identifier: MIT */
/* server.c - synchronous pipes, the server's side: text_server [PROTSEQ ENDPOINT]
 *
 * The runtime calls a manager on a thread that is the manager's until it returns.  It
 * pulls and pushes as it likes, through routines of the stub that wait when they must.
 * They return nothing: what goes wrong is raised, and passes through the manager to the
 * stub, which answers with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "text.h"

#define CHUNK_LEN 8192
#define TEXT_MAX  (64u << 20) /* octets kept for one client */

/* A pipe by value arrives by value: the structure is ours, its state the stub's. */
uint64_t CountLines(handle_t server, TEXT_PIPE text)
{
    byte buf[CHUNK_LEN];
    uint64_t lines = 0;
    unsigned long n;
    (void)server;
    do {
        text.pull(text.state, buf, sizeof(buf), &n);
        for (unsigned long i = 0; i < n; i++)
            lines += buf[i] == '\n';
    } while (n > 0); /* to the end, whatever the manager needs of it */
    return lines;
}

void Repeat(handle_t server, const unsigned char *word, uint32_t times, TEXT_PIPE *text)
{
    byte buf[CHUNK_LEN];
    size_t len = strlen((const char *)word);
    unsigned long n = 0;
    (void)server;
    if (len + 1 > sizeof(buf))
        RpcRaiseException(RPC_S_STRING_TOO_LONG);
    for (uint32_t i = 0; i < times; i++) {
        if (n + len + 1 > sizeof(buf)) {
            text->push(text->state, buf, n);
            n = 0;
        }
        memcpy(buf + n, word, len);
        n += len;
        buf[n++] = '\n';
    }
    if (n > 0)
        text->push(text->state, buf, n);
    text->push(text->state, NULL, 0); /* the end */
}

/* The text of the pipe, all of it, in `memory`, which is freed also when a pull raises. */
struct held_text {
    byte *memory;
    size_t len, capacity;
};

static void pull_all(TEXT_PIPE *text, struct held_text *held)
{
    unsigned long n;
    do {
        if (held->capacity - held->len < CHUNK_LEN) {
            size_t capacity = held->capacity ? 2 * held->capacity : 4 * CHUNK_LEN;
            byte *larger = capacity <= 2 * TEXT_MAX ? realloc(held->memory, capacity) : NULL;
            if (!larger)
                RpcRaiseException(RPC_S_OUT_OF_RESOURCES);
            held->memory = larger;
            held->capacity = capacity;
        }
        text->pull(text->state, held->memory + held->len, CHUNK_LEN, &n);
        held->len += n;
    } while (n > 0);
}

static void push_reversed(TEXT_PIPE *text, struct held_text *held)
{
    size_t end = held->len;
    while (end > 0) {
        size_t start = end - 1; /* of the line that ends here, its end included */
        while (start > 0 && held->memory[start - 1] != '\n')
            start--;
        text->push(text->state, held->memory + start, end - start);
        end = start;
    }
    text->push(text->state, NULL, 0);
}

void ReverseLines(handle_t server, TEXT_PIPE *text)
{
    struct held_text held = {0};
    (void)server;
    RpcTryFinally
    {
        pull_all(text, &held); /* first everything comes in, then something may go out */
        push_reversed(text, &held);
    }
    RpcFinally
    {
        free(held.memory);
    }
    RpcEndFinally
}

void Shutdown(handle_t server)
{
    (void)server;
    RpcMgmtStopServerListening(NULL);
}

int main(int argc, char **argv)
{
    const char *protseq = argc == 3 ? argv[1] : "ncalrpc";
    const char *endpoint = argc == 3 ? argv[2] : "text";
    RPC_STATUS status = RpcServerUseProtseqEp((RPC_CSTR)protseq, RPC_C_PROTSEQ_MAX_REQS_DEFAULT,
                                              (RPC_CSTR)endpoint, NULL);
    if (status == RPC_S_OK)
        status = RpcServerRegisterIf(text_v1_0_s_ifspec, NULL, NULL);
    if (status == RPC_S_OK)
        status = RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE);
    if (status == RPC_S_OK) {
        printf("listening\n");
        fflush(stdout);
        status = RpcMgmtWaitServerListen(); /* until Shutdown */
    }
    if (status != RPC_S_OK)
        fprintf(stderr, "status %d\n", (int)status);
    return status != RPC_S_OK;
}

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}
