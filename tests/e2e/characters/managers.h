/* SPDX-License-Identifier: MIT */
/* managers.h - of tests/golden/b_cs_char.idl, with the prefix s_.  For one file of a program,
 * which says what becomes of ARGUMENTS_ARE(operation, are they what the test's client sends).
 * Damaged requests reach them too, so they look at nothing that is not there. */
#ifndef PENSTOCK_TESTS_CHARACTERS_MANAGERS_H
#define PENSTOCK_TESTS_CHARACTERS_MANAGERS_H

#include <stdlib.h>
#include <string.h>

#include "../detached.h"
#include "b_cs_char.h"
#include "characters_routines.h"

void s_Fixed(handle_t h, uint32_t stag, uint32_t drtag, uint32_t *rtag, UTF32 *name)
{
    ARGUMENTS_ARE("Fixed",
                  h && stag == LATIN && name[0] == 'a' && name[1] == 0xe4 && !name[2]);
    *rtag = drtag;
    name[7] = 0xe9;
}

void s_Varying(handle_t h, uint32_t stag, uint32_t *rtag, int32_t *length, UTF32 *text)
{
    ARGUMENTS_ARE("Varying", h && *length == 2 && text[1] == 0x3b1);
    *rtag = stag;
    *length = 3;
    text[2] = 0x3b2;
}

void s_Open(handle_t h, uint32_t stag, uint32_t drtag, uint32_t *rtag, int32_t size,
            int32_t *length, UTF32 *text)
{
    ARGUMENTS_ARE("Open", h && stag == UTF8 && *length == 2 && size >= 8 && text[1] == 0xe4);
    *rtag = drtag;
    if (*length < size)
        text[(*length)++] = 0xe9;
}

int32_t s_Hidden(handle_t h, int32_t *size, UTF32 *text)
{
    (void)h;
    ARGUMENTS_ARE("Hidden", text ? *size >= 8 && text[0] == 0xe4 : *size == 0);
    if (text && *size > 0)
        text[0] = 'H';
    return text != NULL;
}

void s_Pair(handle_t h, uint32_t stag, int32_t size, uint32_t wide_length, int16_t length,
            UTF32 *wide, cs_byte *narrow)
{
    (void)narrow;
    ARGUMENTS_ARE("Pair", h && stag == UTF8 && size >= 8 && wide_length == 2 && length == 3 &&
                              wide[1] == 0xe4 && memcmp(narrow, "xyz", 3) == 0);
}

void s_Get(handle_t h, uint32_t *drtag, uint32_t *rtag, int32_t size, int32_t *length, UTF32 *text)
{
    ARGUMENTS_ARE("Get", h && *drtag == UTF8 && size >= 8);
    *rtag = *drtag;
    *length = size < 2 ? size : 2;
    for (int32_t i = 0; i < *length; i++)
        text[i] = i == 0 ? 'G' : 0xe4;
}

/* Answered at once. */
void s_AsyncOpen(PRPC_ASYNC_STATE async, handle_t h, uint32_t stag, uint32_t drtag, uint32_t *rtag,
                 int32_t size, int32_t *length, UTF32 *text)
{
    int32_t result = *length;
    s_Open(h, stag, drtag, rtag, size, length, text);
    RpcAsyncCompleteCall(async, &result);
}

struct hidden_job {
    PRPC_ASYNC_STATE async;
    int32_t *size;
    UTF32 *text;
};

/* The characters are the manager's until then. */
static void *answer_hidden(void *arg)
{
    struct hidden_job *job = arg;
    bool aborts = job->text && *job->size > 0 && job->text[0] == 'A';
    if (job->text && *job->size > 0)
        job->text[0] = 'H';
    if (aborts)
        RpcAsyncAbortCall(job->async, REFUSED);
    else
        RpcAsyncCompleteCall(job->async, NULL);
    free(job);
    return NULL;
}

/* Answered by another thread, later; a text that begins with A is refused. */
void s_AsyncHidden(PRPC_ASYNC_STATE async, handle_t h, int32_t *size, UTF32 *text)
{
    (void)h;
    struct hidden_job *job = malloc(sizeof(*job));
    if (!job)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    *job = (struct hidden_job){async, size, text};
    if (!start_detached(answer_hidden, job))
        answer_hidden(job);
}

#endif
