/* SPDX-License-Identifier: MIT */
/* contacts.c - names and numbers in a file.
 *
 *     contacts FILE                   lists them
 *     contacts FILE NAME [NUMBER]     adds one
 *
 * The file holds what BOOK_Encode makes of the list.  Octets go through routines of the
 * program, the incremental style; with a buffer it would be MesEncodeDynBufferHandleCreate
 * and MesDecodeBufferHandleCreate. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "contacts.h"

/* Between the run time and stdio: one buffer at a time. */
struct stream {
    FILE *file;
    char *buffer;
};

/* What the routines raise, BOOK_Encode and BOOK_Decode raise. */
static void grow(struct stream *stream, unsigned int size)
{
    free(stream->buffer);
    stream->buffer = malloc(size);
    if (!stream->buffer)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
}

static void __RPC_USER stream_alloc(void *state, char **buffer, unsigned int *size)
{
    struct stream *stream = state;
    grow(stream, *size);
    *buffer = stream->buffer;
}

static void __RPC_USER stream_write(void *state, char *buffer, unsigned int size)
{
    struct stream *stream = state;
    if (fwrite(buffer, 1, size, stream->file) != size)
        RpcRaiseException(RPC_S_CALL_FAILED);
}

static void __RPC_USER stream_read(void *state, char **buffer, unsigned int *size)
{
    struct stream *stream = state;
    if (*size > 4096)
        *size = 4096; /* the rest is asked for again: a damaged length costs no memory */
    grow(stream, *size);
    *size = (unsigned int)fread(stream->buffer, 1, *size, stream->file);
    *buffer = stream->buffer;
}

static RPC_STATUS load(const char *path, BOOK *book)
{
    struct stream stream = {.file = fopen(path, "rb")};
    handle_t handle;
    if (!stream.file)
        return RPC_S_OK; /* an empty book */
    RPC_STATUS status = MesDecodeIncrementalHandleCreate(&stream, stream_read, &handle);
    if (status == RPC_S_OK) {
        RpcTryExcept
        {
            BOOK_Decode(handle, book);
        }
        RpcExcept(1)
        {
            status = (RPC_STATUS)RpcExceptionCode();
        }
        RpcEndExcept
        MesHandleFree(handle);
    }
    free(stream.buffer);
    fclose(stream.file);
    return status;
}

static RPC_STATUS save(const char *path, BOOK *book)
{
    struct stream stream = {.file = fopen(path, "wb")};
    handle_t handle;
    if (!stream.file)
        return RPC_S_CALL_FAILED;
    RPC_STATUS status =
        MesEncodeIncrementalHandleCreate(&stream, stream_alloc, stream_write, &handle);
    if (status == RPC_S_OK) {
        RpcTryExcept
        {
            BOOK_Encode(handle, book);
        }
        RpcExcept(1)
        {
            status = (RPC_STATUS)RpcExceptionCode();
        }
        RpcEndExcept
        MesHandleFree(handle);
    }
    free(stream.buffer);
    if (fclose(stream.file) != 0 && status == RPC_S_OK)
        status = RPC_S_CALL_FAILED;
    return status;
}

int main(int argc, char **argv)
{
    BOOK book = {0};
    CONTACT contact;
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: contacts FILE              shows them\n"
                        "       contacts FILE NAME [NUMBER] adds one\n");
        return 2;
    }
    RPC_STATUS status = load(argv[1], &book);
    if (status == RPC_S_OK && argc == 2) {
        for (const CONTACT *c = book.first; c; c = c->next)
            printf("%s %s\n", (char *)c->name, c->number ? (char *)c->number : "-");
    } else if (status == RPC_S_OK) {
        contact = (CONTACT){.name = (unsigned char *)argv[2],
                            .number = (unsigned char *)argv[3],
                            .next = book.first};
        BOOK longer = {.saved_at = (int64_t)time(NULL), .first = &contact};
        status = save(argv[1], &longer);
    }
    BOOK_Free(NULL, &book);
    if (status != RPC_S_OK)
        fprintf(stderr, "status %d\n", (int)status);
    return status != RPC_S_OK;
}

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    free(object);
}
