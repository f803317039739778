/* SPDX-License-Identifier: MIT */
/* client.c - synchronous pipes, the client's side: the stub calls routines of ours until
 * each pipe is through, and returns when the call is complete.
 *
 *     text_client BINDING count < FILE
 *     text_client BINDING repeat WORD TIMES
 *     text_client BINDING reverse < FILE
 *     text_client BINDING shutdown              (ends the server)
 *
 *   pull   the stub wants elements to send; 0 end the pipe        [in], [in, out]
 *   push   the stub has elements that arrived; 0 at the end       [out], [in, out]
 *   alloc  the stub wants a buffer for either                     all */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "text.h"

/* What the routines work on: the stub passes its address and does not look into it. */
struct files {
    FILE *from, *to;
    byte buf[65536];
};

static void pipe_alloc(char *state, unsigned long bsize, byte **buf, unsigned long *bcount)
{
    struct files *files = (struct files *)(void *)state;
    *buf = files->buf; /* the same each time: the stub is done with it by then */
    *bcount = bsize < sizeof(files->buf) ? bsize : sizeof(files->buf);
}

static void pipe_pull(char *state, byte *buf, unsigned long esize, unsigned long *ecount)
{
    struct files *files = (struct files *)(void *)state;
    *ecount = fread(buf, 1, esize, files->from);
    if (ferror(files->from))
        RpcRaiseException(RPC_S_CALL_CANCELLED); /* ends the call; the stub raises it */
}

static void pipe_push(char *state, byte *buf, unsigned long ecount)
{
    struct files *files = (struct files *)(void *)state;
    if (ecount > 0) /* the end comes without a buffer */
        fwrite(buf, 1, ecount, files->to);
}

static void run(handle_t server, int argc, char **argv)
{
    static struct files files;
    TEXT_PIPE text = {
        .pull = pipe_pull, .push = pipe_push, .alloc = pipe_alloc, .state = (char *)&files};
    files.from = stdin;
    files.to = stdout;
    if (strcmp(argv[2], "count") == 0)
        printf("%llu lines\n", (unsigned long long)CountLines(server, text));
    else if (strcmp(argv[2], "repeat") == 0 && argc == 5)
        Repeat(server, (unsigned char *)argv[3], (uint32_t)strtoul(argv[4], NULL, 10), &text);
    else if (strcmp(argv[2], "reverse") == 0)
        ReverseLines(server, &text);
    else if (strcmp(argv[2], "shutdown") == 0)
        Shutdown(server);
    else
        RpcRaiseException(RPC_S_INVALID_ARG);
}

int main(int argc, char **argv)
{
    handle_t server;
    volatile int result = 0;
    if (argc < 3 || RpcBindingFromStringBinding((RPC_CSTR)argv[1], &server) != RPC_S_OK) {
        fprintf(stderr, "usage: text_client BINDING count|repeat WORD TIMES|reverse|shutdown\n");
        return 2;
    }
    RpcTryExcept
    {
        run(server, argc, argv);
    }
    RpcExcept(1)
    {
        fprintf(stderr, "failed: %lu\n", (unsigned long)RpcExceptionCode());
        result = 1;
    }
    RpcEndExcept
    RpcBindingFree(&server);
    return result;
}

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}
