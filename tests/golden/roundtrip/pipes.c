/* SPDX-License-Identifier: MIT */
/* pipes.c - elements of pipes, at random, in pieces of any size. */
#include <stdlib.h>
#include <string.h>

#include "win32.h"

#include "calls.h"
#include "shape.h"

#define ELEMENTS_SENT_MAX 40
#define PIECE_MAX         7
#define PATIENCE_MS       60000u

static size_t element_size(const struct stream *s)
{
    return storage_size(s->param->type->element, NULL, 0);
}

/* Elements of the next piece; [range] of the parameter bounds those of a chunk. */
static unsigned long next_piece(struct stream *s, unsigned long room)
{
    const NDR_RANGE *range = s->param->range;
    unsigned long most = PIECE_MAX;
    if (range && (uint64_t)range->high < most)
        most = (unsigned long)range->high;
    if (most > room)
        most = room;
    if (most > s->left)
        most = (unsigned long)s->left;
    return most == 0 ? 0 : (unsigned long)random_between(s->values, 1, (int64_t)most);
}

static void make_elements(struct stream *s, void *buf, unsigned long count)
{
    size_t size = element_size(s);
    memset(buf, 0, count * size);
    for (unsigned long i = 0; i < count; i++) {
        void *element = (char *)buf + i * size;
        value_new(s->values, s->param->type->element, element, NULL,
                  s->param->type->element_range);
        text_add(&s->sent, " ");
        value_print(&s->sent, s->printed, s->param->type->element, element, NULL);
    }
    s->left -= count;
}

static void take_elements(struct stream *s, const void *buf, unsigned long count)
{
    size_t size = element_size(s);
    for (unsigned long i = 0; i < count; i++) {
        text_add(&s->received, " ");
        value_print(&s->received, s->printed, s->param->type->element,
                    (const char *)buf + i * size, NULL);
    }
}

void streams_print(struct text *text, const NDR_OPERATION *operation,
                   const struct stream *streams, uint32_t direction, bool is_sender)
{
    for (uint32_t i = 0; i < operation->param_count; i++) {
        const struct text *elements = is_sender ? &streams[i].sent : &streams[i].received;
        if (streams[i].param && streams[i].param->flags & direction)
            text_add(text, " %s=pipe[%s ]", streams[i].param->name,
                     elements->chars ? elements->chars : "");
    }
}

/* ---- What a synchronous client stub calls --------------------------------------------------- */

static void __RPC_USER pull_routine(char *state, void *buf, unsigned long esize,
                                    unsigned long *ecount)
{
    struct stream *s = (struct stream *)(void *)state;
    *ecount = next_piece(s, esize);
    make_elements(s, buf, *ecount);
}

static void __RPC_USER push_routine(char *state, void *buf, unsigned long ecount)
{
    take_elements((struct stream *)(void *)state, buf, ecount);
}

static void __RPC_USER alloc_routine(char *state, unsigned long bsize, void **buf,
                                     unsigned long *bcount)
{
    struct stream *s = (struct stream *)(void *)state;
    *buf = s->buffer;
    *bcount = bsize < s->buffer_len ? bsize : s->buffer_len;
}

void stream_init(struct stream *s, const NDR_PARAM *param, struct values *values,
                 struct printed *printed)
{
    *s = (struct stream){.param = param, .values = values, .printed = printed};
    s->left = (uint64_t)random_between(values, 0, ELEMENTS_SENT_MAX);
    s->buffer_len = element_size(s) * (size_t)random_between(values, 1, 16);
    s->buffer = malloc(s->buffer_len);
    if (!s->buffer)
        die("no memory");
    s->pipe = (NDR_PIPE){pull_routine, push_routine, alloc_routine, (char *)s};
}

void stream_fini(struct stream *s)
{
    text_fini(&s->sent);
    text_fini(&s->received);
    free(s->buffer);
}

/* ---- What a manager routine and an asynchronous client do ------------------------------------ */

RPC_STATUS stream_push(struct stream *s, void *pipe, HANDLE event)
{
    RPC_STATUS status = RPC_S_OK;
    unsigned long count;
    do {
        count = next_piece(s, (unsigned long)(s->buffer_len / element_size(s)));
        make_elements(s, s->buffer, count);
        if (event) {
            NDR_ASYNC_PIPE *async_pipe = pipe;
            status = async_pipe->push(async_pipe->state, s->buffer, count);
        } else {
            NDR_PIPE *sync_pipe = pipe;
            sync_pipe->push(sync_pipe->state, s->buffer, count);
        }
    } while (count > 0 && status == RPC_S_OK);
    return status;
}

RPC_STATUS stream_pull(struct stream *s, void *pipe, HANDLE event)
{
    unsigned long room = (unsigned long)(s->buffer_len / element_size(s));
    for (;;) {
        unsigned long count = 0;
        RPC_STATUS status = RPC_S_OK;
        if (event) {
            NDR_ASYNC_PIPE *async_pipe = pipe;
            status = async_pipe->pull(async_pipe->state, s->buffer, room, &count);
        } else {
            NDR_PIPE *sync_pipe = pipe;
            sync_pipe->pull(sync_pipe->state, s->buffer, room, &count);
        }
        if (status == RPC_S_ASYNC_CALL_PENDING) {
            if (WaitForSingleObject(event, PATIENCE_MS) != WAIT_OBJECT_0)
                return RPC_S_CALL_FAILED;
            continue;
        }
        if (status != RPC_S_OK || count == 0)
            return status;
        take_elements(s, s->buffer, count);
    }
}
