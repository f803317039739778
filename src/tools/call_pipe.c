/* SPDX-License-Identifier: MIT */
/* call_pipe.c - files through asynchronous pipes, with constant memory: all that go in, in
 * the order of the parameters, then all that come out.
 *
 *   in    read a piece --> elements --> push, which waits where the server is slower
 *   out   pull --> elements --> write
 *
 * Elements are raw (call_element.h), or with --pipe-json lines of JSON. */
#include "call_element.h"
#include "call_run.h"
#include "call_value.h"
#include "penstock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE_LEN ((size_t)256 * 1024) /* octets read or pulled at a time, one element at least */
#define LINE_MAX_LEN ((size_t)16 * 1024 * 1024) /* of JSON: more is no line of one element */

/* One direction of one pipe. */
struct stream {
    struct call_run *run;
    struct call_pipe *pipe;
    const NDR_TYPE *element;
    const char *file_name;
    size_t raw_size, memory_size; /* of one element */
    uint8_t *raw, *memory;        /* a piece in both forms */
    size_t raw_len;               /* octets read and not yet pushed */
    size_t raw_room;
    size_t count_max;             /* elements of a piece */
    uint64_t line;                /* --pipe-json: lines so far */
};

static bool stream_init(struct stream *stream, struct call_run *run, struct call_pipe *pipe,
                        bool in)
{
    *stream = (struct stream){.run = run,
                              .pipe = pipe,
                              .element = pipe->param->type->element,
                              .file_name = in ? pipe->in_name : pipe->out_name};
    stream->raw_size = element_raw_size(stream->element);
    stream->memory_size = value_size(stream->element);
    stream->count_max = PIECE_LEN / stream->memory_size;
    if (stream->count_max == 0)
        stream->count_max = 1;
    stream->raw_room = run->pipe_json ? PIECE_LEN : stream->count_max * stream->raw_size;
    stream->raw = malloc(stream->raw_room);
    stream->memory = malloc(stream->count_max * stream->memory_size);
    return stream->raw && stream->memory;
}

static void stream_fini(struct stream *stream)
{
    free(stream->raw);
    free(stream->memory);
}

/* A file is at fault, not the server: the call is given up. */
static RPC_STATUS give_up(struct stream *stream)
{
    progress_stop(&stream->run->progress);
    stream->run->local_error = EXIT_WRONG;
    RpcAsyncCancelCall(&stream->run->async, TRUE);
    return RPC_S_OK;
}

static RPC_STATUS file_failed(struct stream *stream)
{
    int error = errno;
    RPC_STATUS status = give_up(stream);
    tool_complain("%s: %s", stream->file_name, strerror(error));
    return status;
}

/* ---- In ------------------------------------------------------------------------------------------ */

enum reading { READING_MORE, READING_END, READING_STOPPED, READING_FAILED };

/* Adds what the file has now; STOPPED: the call is over or cancelled, more is of no use. */
static enum reading read_piece(struct stream *stream)
{
    ssize_t n;
    do {
        if (call_wait(stream->run, stream->pipe->in_fd) != CALL_WAIT_READY)
            return READING_STOPPED;
        n = read(stream->pipe->in_fd, stream->raw + stream->raw_len,
                 stream->raw_room - stream->raw_len);
    } while (n < 0 && (errno == EINTR || errno == EAGAIN));
    if (n < 0)
        return READING_FAILED;
    stream->raw_len += (size_t)n;
    return n == 0 ? READING_END : READING_MORE;
}

static RPC_STATUS push(struct stream *stream, size_t count, size_t raw_len)
{
    NDR_ASYNC_PIPE *pipe = &stream->pipe->pipe;
    RPC_STATUS status = pipe->push(pipe->state, stream->memory, count);
    stream->run->progress.done += raw_len;
    progress_tick(&stream->run->progress);
    return status;
}

static void drop_raw(struct stream *stream, size_t len)
{
    stream->raw_len -= len;
    memmove(stream->raw, stream->raw + len, stream->raw_len);
}

static RPC_STATUS push_raw(struct stream *stream, bool at_end, bool *ret_done)
{
    size_t count = stream->raw_len / stream->raw_size, len = count * stream->raw_size;
    *ret_done = at_end;
    if (at_end && len != stream->raw_len) {
        RPC_STATUS status = give_up(stream);
        tool_complain("%s: ends within an element, which has %zu octets", stream->file_name,
                      stream->raw_size);
        return status;
    }
    if (count == 0)
        return RPC_S_OK;
    element_from_raw(stream->element, stream->raw, stream->memory, count);
    RPC_STATUS status = push(stream, count, len);
    drop_raw(stream, len);
    return status;
}

static bool is_blank(const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
            return false;
    }
    return true;
}

/* One element from one line.  False: reported. */
static bool line_element(struct stream *stream, const uint8_t *line, size_t len, uint8_t *memory)
{
    json_error_t error;
    struct value_walk walk;
    char root[64];
    snprintf(root, sizeof(root), "line %llu", (unsigned long long)stream->line);
    json_t *json = json_loadb((const char *)line, len,
                              JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!json) {
        tool_complain("%s:%llu:%d: %s", stream->file_name, (unsigned long long)stream->line,
                      error.column, error.text);
        return false;
    }
    memset(memory, 0, stream->memory_size);
    value_walk_init(&walk, root);
    bool ok = value_fill_element(&walk, stream->element, memory, json);
    if (!ok)
        tool_complain("%s: %s", stream->file_name, walk.error);
    value_walk_fini(&walk);
    json_decref(json);
    return ok;
}

/* A line longer than the buffer makes it larger. */
static bool room_for_line(struct stream *stream)
{
    if (stream->raw_len < stream->raw_room)
        return true;
    size_t room = stream->raw_room * 2;
    uint8_t *bigger = room > LINE_MAX_LEN ? NULL : realloc(stream->raw, room);
    if (!bigger) {
        tool_complain("%s:%llu: the line is too long", stream->file_name,
                      (unsigned long long)stream->line + 1);
        return false;
    }
    stream->raw = bigger;
    stream->raw_room = room;
    return true;
}

static RPC_STATUS push_lines(struct stream *stream, bool at_end, bool *ret_done)
{
    size_t used = 0, count = 0;
    *ret_done = false;
    while (used < stream->raw_len && count < stream->count_max) {
        const uint8_t *line = stream->raw + used;
        const uint8_t *end = memchr(line, '\n', stream->raw_len - used);
        if (!end && !at_end)
            break;
        size_t len = end ? (size_t)(end - line) : stream->raw_len - used;
        stream->line++;
        used += len + (end ? 1 : 0);
        if (is_blank(line, len))
            continue;
        if (!line_element(stream, line, len, stream->memory + count * stream->memory_size))
            return give_up(stream);
        count++;
    }
    RPC_STATUS status = count > 0 ? push(stream, count, used) : RPC_S_OK;
    drop_raw(stream, used);
    *ret_done = at_end && stream->raw_len == 0;
    if (status == RPC_S_OK && !room_for_line(stream))
        return give_up(stream);
    return status;
}

static RPC_STATUS feed(struct stream *stream)
{
    enum reading reading = READING_MORE;
    bool done = false;
    while (!done) {
        if (reading == READING_MORE)
            reading = read_piece(stream);
        if (reading == READING_STOPPED) {
            stream->run->stopped = true;
            return RPC_S_OK;
        }
        if (reading == READING_FAILED)
            return file_failed(stream);
        RPC_STATUS status = stream->run->pipe_json
                                ? push_lines(stream, reading == READING_END, &done)
                                : push_raw(stream, reading == READING_END, &done);
        if (status != RPC_S_OK || stream->run->local_error != EXIT_OK)
            return status;
    }
    NDR_ASYNC_PIPE *pipe = &stream->pipe->pipe;
    return pipe->push(pipe->state, stream->memory, 0);
}

/* ---- Out ------------------------------------------------------------------------------------------- */

static bool write_all(int fd, const uint8_t *octets, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, octets, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        octets += n;
        len -= (size_t)n;
    }
    return true;
}

/* False: errno. */
static bool write_raw(struct stream *stream, size_t count)
{
    element_to_raw(stream->element, stream->memory, stream->raw, count);
    stream->run->progress.done += count * stream->raw_size;
    return write_all(stream->pipe->out_fd, stream->raw, count * stream->raw_size);
}

static bool write_lines(struct stream *stream, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct value_walk walk;
        value_walk_init(&walk, "element");
        json_t *json =
            value_show_element(&walk, stream->element, stream->memory + i * stream->memory_size);
        char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        value_walk_fini(&walk);
        json_decref(json);
        errno = ENOMEM;
        size_t len = text ? strlen(text) : 0;
        if (text)
            text[len] = '\n'; /* where the NUL was */
        bool ok = text && write_all(stream->pipe->out_fd, (const uint8_t *)text, len + 1);
        stream->run->progress.done += len + 1;
        free(text);
        if (!ok)
            return false;
    }
    return true;
}

static RPC_STATUS drain(struct stream *stream)
{
    NDR_ASYNC_PIPE *pipe = &stream->pipe->pipe;
    for (;;) {
        unsigned long count = 0;
        RPC_STATUS status = pipe->pull(pipe->state, stream->memory, stream->count_max, &count);
        if (status == RPC_S_ASYNC_CALL_PENDING) {
            call_wait(stream->run, -1);
            if (stream->run->async.Event == RpcCallComplete)
                return RPC_S_OK; /* failed, while we waited: completing tells why */
            continue;
        }
        if (status != RPC_S_OK || count == 0)
            return status;
        bool ok = stream->run->pipe_json ? write_lines(stream, count) : write_raw(stream, count);
        if (!ok)
            return file_failed(stream);
        progress_tick(&stream->run->progress);
    }
}

/* ---- All ------------------------------------------------------------------------------------------- */

static RPC_STATUS move_one(struct call_run *run, struct call_pipe *pipe, bool in)
{
    struct stream stream;
    RPC_STATUS status;
    if (!stream_init(&stream, run, pipe, in)) {
        errno = ENOMEM;
        status = file_failed(&stream);
    } else {
        status = in ? feed(&stream) : drain(&stream);
    }
    stream_fini(&stream);
    return status;
}

RPC_STATUS call_pipes_move(struct call_run *run)
{
    for (int out = 0; out < 2; out++) {
        for (unsigned i = 0; i < run->pipe_count; i++) {
            struct call_pipe *pipe = &run->pipes[i];
            uint32_t wanted = out ? NDR_PARAM_OUT : NDR_PARAM_IN;
            if (!(pipe->param->flags & wanted))
                continue;
            RPC_STATUS status = move_one(run, pipe, !out);
            if (status != RPC_S_OK || run->local_error != EXIT_OK || run->stopped)
                return status;
        }
    }
    return RPC_S_OK;
}
