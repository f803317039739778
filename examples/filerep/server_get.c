/* SPDX-License-Identifier: MIT */
/* server_get.c - filerep_get: a file goes out through an [out] pipe.
 *
 *   manager: open, post a packet, return
 *   threads at the port:
 *                     SENDING --push data--> (RpcSendComplete) --> SENDING ...
 *                        |  end of file
 *                        +--push nothing--> ENDING --(RpcSendComplete)--> RpcAsyncCompleteCall
 *
 * One push is outstanding at a time and the next octets are read when it was sent, so a
 * slow client costs one buffer and no thread.  If the client goes away, the outstanding
 * push is still notified and the next one fails. */
#include "file.h"
#include "server.h"
#include "status.h"

#include <errno.h>
#include <stdlib.h>

enum get_state {
    GET_SENDING, /* the next thing to do is to push what the file has */
    GET_ENDING   /* the null push is out; when it was sent, complete */
};

struct get {
    struct work work;
    PRPC_ASYNC_STATE async; /* the runtime's, until Complete or Abort */
    ASYNC_byte_pipe *data;  /* the runtime's, as the [out] parameters below */
    file_info *ret_info;
    file_digest *ret_digest;
    struct infile file;
    enum get_state state;
    size_t buf_len;
    byte buf[];
};

static void get_free(struct get *get)
{
    infile_close(&get->file);
    free(get);
}

static void get_fail(struct get *get, int error)
{
    server_fail(get->async, error);
    get_free(get);
}

static void get_complete(struct get *get)
{
    *get->ret_info = get->file.info;
    digest_final(&get->file.digest, get->ret_digest);
    /* Should this fail the client is gone, and nothing is left to do. */
    (void)RpcAsyncCompleteCall(get->async, NULL);
    get_free(get);
}

/* Pushes the next part.  From the moment push accepts it, another thread may have the
 * notification and free `get`: nothing here touches it afterwards. */
static void get_send(struct get *get)
{
    ssize_t len = infile_read(&get->file, get->buf, get->buf_len);
    if (len < 0) {
        get_fail(get, (int)-len);
        return;
    }
    if (len == 0)
        get->state = GET_ENDING;
    /* A push of nothing ends the pipe. */
    RPC_STATUS status = get->data->push(get->data->state, get->buf, (unsigned long)len);
    if (status != RPC_S_OK)
        get_free(get); /* the client is gone and the call with it: no notification will come */
}

/* The manager's packet, and then one RpcSendComplete after each push. */
static void get_step(struct work *work, DWORD number)
{
    struct get *get = (struct get *)work;
    (void)number;
    if (atomic_load(&server.stopping)) {
        get_fail(get, ERROR_STOPPING);
        return;
    }
    switch (get->state) {
    case GET_SENDING:
        get_send(get);
        break;
    case GET_ENDING:
        get_complete(get);
        break;
    }
}

void filerep_get(PRPC_ASYNC_STATE async, handle_t client, const unsigned char *path,
                 ASYNC_byte_pipe *data, file_info *ret_info, file_digest *ret_digest)
{
    (void)client;
    struct infile file;
    int error = infile_open(&file, server.root, (const char *)path);
    if (error) {
        server_fail(async, error);
        return;
    }
    size_t buf_len = file_chunk_len(file.info.size);
    struct get *get = malloc(sizeof(*get) + buf_len);
    if (!get) {
        infile_close(&file);
        server_fail(async, ENOMEM);
        return;
    }
    *get = (struct get){.work.run = get_step,
                        .async = async,
                        .data = data,
                        .ret_info = ret_info,
                        .ret_digest = ret_digest,
                        .file = file,
                        .state = GET_SENDING,
                        .buf_len = buf_len};
    /* With one push at a time there is nothing to wait for in it. */
    (void)RpcxPipeSetLimits(data->state, 0, FILE_CHUNK_LEN);
    if (!server_start(&get->work, async))
        get_fail(get, ENOMEM);
}
