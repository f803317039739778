/* SPDX-License-Identifier: MIT */
/* deep.h - calls and managers of tests/golden/b_cs_deep.idl: [cs_char] wherever parameters lead,
 * with pipes and in callbacks.  A part of characters_test.c, whose check(), start() and finish()
 * it uses. */
#include "b_cs_callback.h"
#include "characters_deep.h"

#define NUMBERS_SENT 3000

/* ---- Managers ---------------------------------------------------------------------------------- */

void s_Deep(handle_t h, uint32_t stag, uint32_t *rtag, OUTER *outer, OUTER by_value, int32_t n,
            INNER *items)
{
    check("Deep: handle", h != NULL);
    *rtag = stag;
    manage_deep(outer, &by_value, n, items);
}

void s_Points(handle_t h, uint32_t stag, uint32_t *rtag, POINTS *points)
{
    (void)h;
    *rtag = stag;
    manage_points(points);
}

void s_List(handle_t h, uint32_t stag, uint32_t *rtag, NODE *list, NODE **other, NODE **fresh)
{
    (void)h;
    *rtag = stag;
    manage_list(list, other, fresh);
}

void s_Ends(handle_t h, uint32_t stag, uint32_t *rtag, BESIDE *beside, ENDS *ends,
            HOLDS_TAIL *holds, TAIL *none)
{
    (void)h;
    check("Ends: NULL", !none);
    *rtag = stag;
    manage_ends(beside, ends, holds);
}

void s_Meet(handle_t h, uint32_t stag, uint32_t *rtag, MEET *meet)
{
    (void)h;
    *rtag = stag;
    manage_meet(meet);
}

void s_Texts(handle_t h, uint32_t stag, uint32_t *rtag, int32_t n, int32_t size, UTF32 **texts,
             int32_t *got, UTF32 **text)
{
    (void)h;
    *rtag = stag;
    manage_texts(n, size, texts, got, text);
}

NODE *s_Result(handle_t h, uint32_t stag, uint32_t *rtag, UTF32 *letter)
{
    (void)h;
    *rtag = stag;
    return manage_result(letter);
}

/* Gives back what it got, each number one more. */
void s_Piped(handle_t h, uint32_t stag, uint32_t *rtag, NODE *list, NUMBERS *numbers)
{
    static int32_t all[NUMBERS_SENT];
    unsigned long count = 0, got = 1;
    (void)h;
    check("Piped: arguments", list->name[0] == 0xe4 && list->next && !list->next->next);
    while (got > 0) {
        numbers->pull(numbers->state, all + count, NUMBERS_SENT - count ? NUMBERS_SENT - count : 1,
                      &got);
        count += got;
    }
    check("Piped: numbers", count == NUMBERS_SENT);
    for (unsigned long i = 0; i < count; i++)
        all[i]++;
    numbers->push(numbers->state, all, count);
    numbers->push(numbers->state, all, 0);
    *rtag = stag;
    list->name[0] = 0xe9;
    MIDL_user_free(list->next);
    list->next = NULL;
}

/* Has the client do it. */
void s_Ask(handle_t h, uint32_t stag, uint32_t *rtag, ASKED *list)
{
    (void)h;
    uint32_t tag = 0;
    check("Ask: answer of the callback", s_Answer(stag, &tag, list) == 0xf6 && tag == stag);
    check("Ask: list of the callback", list->name[0] == 0xdf && list->next &&
                                           list->next->name[0] == 0xfc && !list->next->next);
    list->next->number = 17;
    *rtag = stag;
}

UTF32 c_Answer(uint32_t stag, uint32_t *rtag, ASKED *list)
{
    check("Answer: arguments", list->name[0] == 0xe4 && !list->next);
    list->name[0] = 0xdf;
    list->next = deep_new(sizeof(*list->next));
    list->next->name[0] = 0xfc;
    *rtag = stag;
    return 0xf6;
}

void s_AsyncResult(PRPC_ASYNC_STATE async, handle_t h, uint32_t stag, uint32_t *rtag, NODE *list)
{
    UTF32 result = list->name[0];
    (void)h;
    *rtag = stag;
    list->next = new_node(0xe9, NULL);
    RpcAsyncCompleteCall(async, &result);
}

/* Both are the thread's. */
struct piped_job {
    PRPC_ASYNC_STATE async;
    NODE *list;
    ASYNC_NUMBERS *numbers;
};

static void *answer_piped(void *arg)
{
    struct piped_job *job = arg;
    int32_t sum = 0, buf[100];
    unsigned long got = 1;
    RPC_STATUS status = RPC_S_OK;
    while (status == RPC_S_ASYNC_CALL_PENDING || (status == RPC_S_OK && got > 0)) {
        got = 0;
        status = job->numbers->pull(job->numbers->state, buf, 100, &got);
        for (unsigned long i = 0; status == RPC_S_OK && i < got; i++)
            sum += buf[i];
        if (status == RPC_S_ASYNC_CALL_PENDING)
            Sleep(1);
    }
    NODE *result = new_node(job->list->name[0], NULL);
    result->number = sum;
    RpcAsyncCompleteCall(job->async, &result);
    free(job);
    return NULL;
}

void s_AsyncPiped(PRPC_ASYNC_STATE async, handle_t h, uint32_t stag, uint32_t *rtag, NODE *list,
                  ASYNC_NUMBERS *numbers)
{
    struct piped_job *job = malloc(sizeof(*job));
    (void)h;
    if (!job)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    *rtag = stag;
    *job = (struct piped_job){async, list, numbers};
    if (!start_detached(answer_piped, job))
        answer_piped(job);
}

/* ---- Calls ------------------------------------------------------------------------------------- */

static enum deep deep_operation;
static int deep_variant;

static void make_deep_call(handle_t h, struct deep_arguments *a)
{
    switch (deep_operation) {
    case DEEP:
        c_Deep(h, a->stag, &a->rtag, &a->outer, a->by_value, ITEMS, a->items);
        break;
    case POINTS_OP:
        c_Points(h, a->stag, &a->rtag, &a->points);
        break;
    case LIST:
        c_List(h, a->stag, &a->rtag, a->list, &a->other, &a->fresh);
        break;
    case ENDS_OP:
        c_Ends(h, a->stag, &a->rtag, a->beside, a->ends, a->holds, NULL);
        break;
    case MEET_OP:
        c_Meet(h, a->stag, &a->rtag, &a->meet);
        break;
    case TEXTS:
        c_Texts(h, a->stag, &a->rtag, ITEMS, TEXT_SIZE, a->texts, &a->got, &a->got_text);
        break;
    case RESULT:
        a->result = c_Result(h, a->stag, &a->rtag, &a->sent_letter);
        break;
    case DEEP_OPERATIONS:
        break;
    }
}

static void call_deep(handle_t h)
{
    struct deep_arguments a;
    fill_deep(&a, deep_operation, deep_variant);
    RpcTryFinally
    {
        make_deep_call(h, &a);
        check("deep: answer", deep_is_right(&a, deep_operation, deep_variant) &&
                                  a.rtag == a.stag);
    }
    RpcFinally
    {
        clear_deep(&a);
    }
    RpcEndFinally
}

/* A client's pipe: numbers from 0 on go out, and come back, each one more. */
struct numbers {
    unsigned long given, taken;
    int32_t buf[500];
};

static void give_numbers(char *state, int32_t *buf, unsigned long size, unsigned long *count)
{
    struct numbers *numbers = (struct numbers *)(void *)state;
    *count = 0;
    while (*count < size && numbers->given < NUMBERS_SENT)
        buf[(*count)++] = (int32_t)numbers->given++;
}

static void take_numbers(char *state, int32_t *buf, unsigned long count)
{
    struct numbers *numbers = (struct numbers *)(void *)state;
    for (unsigned long i = 0; i < count; i++)
        numbers->taken += buf[i] == (int32_t)numbers->taken + 1;
}

static void room_for_numbers(char *state, unsigned long size, int32_t **buf, unsigned long *count)
{
    struct numbers *numbers = (struct numbers *)(void *)state;
    (void)size;
    *buf = numbers->buf;
    *count = sizeof(numbers->buf);
}

static void call_piped(handle_t h)
{
    struct numbers numbers = {0};
    NUMBERS pipe = {.pull = give_numbers, .push = take_numbers, .alloc = room_for_numbers,
                    .state = (char *)(void *)&numbers};
    NODE second = {.name = {'s'}}, list = {.name = {0xe4}, .next = &second};
    uint32_t rtag = 0;
    c_Piped(h, LATIN, &rtag, &list, &pipe);
    check("Piped: answer", list.name[0] == 0xe9 && !list.next && rtag == LATIN);
    check("Piped: numbers back", numbers.taken == NUMBERS_SENT);
}

static void call_ask(handle_t h)
{
    ASKED list = {.name = {0xe4}};
    uint32_t rtag = 0;
    RpcTryFinally
    {
        c_Ask(h, LATIN, &rtag, &list);
        check("Ask: answer", list.name[0] == 0xdf && list.next && list.next->name[0] == 0xfc &&
                                 list.next->number == 17);
    }
    RpcFinally
    {
        MIDL_user_free(list.next);
    }
    RpcEndFinally
}

static void call_async_result(handle_t h)
{
    RPC_ASYNC_STATE async;
    NODE list = {.name = {0xe4}};
    UTF32 result = 0;
    uint32_t rtag = 0;
    RpcTryFinally
    {
        start(&async);
        c_AsyncResult(&async, h, LATIN, &rtag, &list);
        finish(&async, &result);
        check("AsyncResult: answer", result == 0xe4 && rtag == LATIN && list.next &&
                                         list.next->name[0] == 0xe9);
    }
    RpcFinally
    {
        free_list(list.next);
    }
    RpcEndFinally
}

static void call_async_piped(handle_t h)
{
    RPC_ASYNC_STATE async;
    ASYNC_NUMBERS pipe;
    NODE list = {.name = {0xfc}}, *result = NULL;
    int32_t numbers[] = {1, 2, 3, 4};
    uint32_t rtag = 0;
    start(&async);
    c_AsyncPiped(&async, h, LATIN, &rtag, &list, &pipe);
    pipe.push(pipe.state, numbers, 4);
    pipe.push(pipe.state, numbers, 0);
    finish(&async, &result);
    check("AsyncPiped: answer", rtag == LATIN && result && result->name[0] == 0xfc &&
                                    result->number == 10 && !result->next);
    free_list(result);
}

static void (*const deep_calls[])(handle_t h) = {call_piped, call_ask, call_async_result,
                                                 call_async_piped};
