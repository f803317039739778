/* SPDX-License-Identifier: MIT */
/* server_get.c - filerep_get: a file goes out through an [out] pipe.
 *
 *   manager: open --> SENDING --push data--> (RpcSendComplete) --> SENDING ...
 *                        |  end of file
 *                        +--push nothing--> ENDING --(RpcSendComplete)--> RpcAsyncCompleteCall
 *
 * One push is outstanding at a time and the next octets are read when it was sent, so a
 * slow client costs one buffer and no thread.  If the client goes away, the outstanding
 * push is still notified and the next one fails.
 *
 * The file is read inside the notification routine.  A routine must not wait for other
 * people; a disk answers soon, so this is good enough here.  A server of tapes would queue
 * the request to threads of its own and push from there. */
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

/* Pushes the next part.  From the moment push accepts it, the notification may run on
 * another thread and free `get`: nothing here touches it afterwards. */
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

static void get_step(struct get *get)
{
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

static void get_on_event(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    (void)context;
    if (event == RpcSendComplete)
        get_step(async->UserInfo);
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
    *get = (struct get){.async = async,
                        .data = data,
                        .ret_info = ret_info,
                        .ret_digest = ret_digest,
                        .file = file,
                        .state = GET_SENDING,
                        .buf_len = buf_len};
    server_notify(async, get_on_event, get);
    get_step(get);
}
