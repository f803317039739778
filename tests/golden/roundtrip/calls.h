/* SPDX-License-Identifier: MIT */
/* calls.h - one call, as either side makes and sees it.
 *
 * Each side writes a line for what went in and one for what came out:
 *
 *     GOLDEN.INTERFACE.OPERATION#N in|out NAME=VALUE ...
 *
 * N counts the calls of the operation.  The lines of both programs are to be the same. */
#ifndef PENSTOCK_TESTS_GOLDEN_CALLS_H
#define PENSTOCK_TESTS_GOLDEN_CALLS_H

#include <stdio.h>

#include "win32.h"

#include "harness.h"
#include "values.h"

/* What differs between the programs; set once, before the first call. */
struct side {
    FILE *log;
    uint64_t seed;
    bool server;
    bool wide; /* NDR64 is spoken */
    void (*context)(struct values *values, const NDR_TYPE *type, void *slot, bool is_new,
                    bool carries);
    unsigned (*context_number)(const NDR_TYPE *type, const void *context);
    /* Around each call that is made: a client forgets handles the server closed. */
    void (*call_begins)(void);
    void (*call_is_over)(void);
};
extern struct side side;

/* Calls the stub with values of its own.  RPC_S_OK, or what was raised.  With *ret_skipped no
 * call was made: there is no context handle for it yet. */
RPC_STATUS golden_call(const struct golden *golden, const char *interface_name,
                       const NDR_OPERATION *operation, golden_call_fn call, bool *ret_skipped);

/* The operation with parameters as C has them: of [cs_char], characters (characters.c). */
const NDR_OPERATION *local_operation(const NDR_OPERATION *operation);

/* ---- What a call is made of ---------------------------------------------------------------- */

#define PARAMS_MAX 40

struct line {
    char key[256];
    uint64_t hash; /* of the key: the seed of its values */
};
void line_init(struct line *line, const struct golden *golden, const char *interface_name,
               const NDR_OPERATION *operation);
/* The call is not made, its number is the next one's. */
void line_take_back(const NDR_OPERATION *operation);
void write_line(const struct line *line, const char *direction, const struct text *text);

void values_init(struct values *v, const struct golden *golden, const struct line *line,
                 const NDR_OPERATION *operation);

/* Does the parameter travel in this direction as ordinary data? */
bool travels(const NDR_PARAM *param, uint32_t direction);
void print_params(struct text *text, struct printed *printed, const NDR_OPERATION *operation,
                  const void *frame, uint32_t direction);
/* Gives the members that are new or to be changed their values. */
void fill(struct values *v, const NDR_OPERATION *operation, void *frame,
          const struct member *members);

/* ---- Pipes (pipes.c) ----------------------------------------------------------------------- */

/* One pipe parameter of one call. */
struct stream {
    const NDR_PARAM *param;
    struct values *values;
    struct printed *printed;
    struct text sent, received; /* the elements, in order */
    uint64_t left;              /* elements still to send */
    char *buffer;               /* of the alloc routine   */
    size_t buffer_len;
    NDR_PIPE pipe;              /* client: what the stub is given */
    NDR_ASYNC_PIPE async_pipe;
};

void stream_init(struct stream *stream, const NDR_PARAM *param, struct values *values,
                 struct printed *printed);
void stream_fini(struct stream *stream);
/* The elements of those that go in the direction; `streams` is by parameter. */
void streams_print(struct text *text, const NDR_OPERATION *operation,
                   const struct stream *streams, uint32_t direction, bool is_sender);

/* Client, asynchronous: after the stub.  Server: in the manager routine; `pipe` is the
 * parameter, an NDR_PIPE, or with `event` an NDR_ASYNC_PIPE. */
RPC_STATUS stream_push(struct stream *stream, void *pipe, HANDLE event);
RPC_STATUS stream_pull(struct stream *stream, void *pipe, HANDLE event);

#endif
