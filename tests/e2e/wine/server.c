/* SPDX-License-Identifier: MIT */
/* server.c - serves exchange.
 *
 *     exchange_server PORT
 *
 * Prints "ready" when it listens and serves until its standard input ends, then how many
 * counters were opened and closed or run down. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "side.h"

/* Beyond it a count from the wire is refused. */
#define COUNT_MAX 1000000u

static volatile LONG opened, closed;

static long count_of(volatile LONG *counter)
{
    return (long)__sync_fetch_and_add(counter, 0);
}

static void *allocate(size_t size)
{
    void *memory = MIDL_user_allocate(size);
    if (!memory)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    return memory;
}

LONG Add(LONG a, LONG b)
{
    return (LONG)((ULONG)a + (ULONG)b);
}

void Double(VALUES *values)
{
    values->tiny = (signed char)(values->tiny * 2);
    values->octet = (unsigned char)(values->octet * 2);
    values->half = (short)(values->half * 2);
    values->flag = !values->flag;
    values->whole *= 2;
    values->big *= 2;
    values->single_float *= 2;
    values->word = (unsigned short)(values->word * 2);
    values->double_float *= 2;
}

void Reverse(const unsigned char *text, const WCHAR *wide, ANSWER *answer)
{
    size_t len = strlen((const char *)text), wide_len = 0;
    while (wide[wide_len] != 0)
        wide_len++;
    answer->text = allocate(len + 1);
    for (size_t i = 0; i < len; i++)
        answer->text[i] = text[len - 1 - i];
    answer->text[len] = '\0';
    answer->wide = allocate((wide_len + 1) * sizeof(*answer->wide));
    for (size_t i = 0; i < wide_len; i++)
        answer->wide[i] = wide[wide_len - 1 - i];
    answer->wide[wide_len] = 0;
}

void Count(LONG count, NODE **list)
{
    *list = NULL;
    for (LONG number = count; number > 0; number--) {
        NODE *node = allocate(sizeof(*node));
        node->number = number;
        node->next = *list;
        *list = node;
    }
}

hyper Sum(NODE *list)
{
    hyper sum = 0;
    for (NODE *node = list; node; node = node->next)
        sum += node->number;
    return sum;
}

static NODE *copy_of_list(const NODE *list)
{
    NODE *copy = NULL, **end = &copy;
    for (; list; list = list->next, end = &(*end)->next) {
        *end = allocate(sizeof(**end));
        **end = (NODE){.number = list->number};
    }
    return copy;
}

void Same(TAGGED *asked, TAGGED **answer)
{
    TAGGED *copy = allocate(sizeof(*copy));
    memset(copy, 0, sizeof(*copy));
    copy->trail = asked->trail;
    copy->kind = asked->kind;
    if (asked->kind == 1) {
        copy->value.number = asked->value.number;
    } else if (asked->kind == 2 && asked->value.text) {
        size_t size = strlen((const char *)asked->value.text) + 1;
        copy->value.text = allocate(size);
        memcpy(copy->value.text, asked->value.text, size);
    } else if (asked->kind == 3) {
        copy->value.list = copy_of_list(asked->value.list);
    }
    *answer = copy;
}

void Survey(TABLE *table, ULONG *count, hyper *sum)
{
    *count = 0;
    *sum = 0;
    for (ULONG i = 0; i < table->count; i++) {
        for (ULONG j = 0; j < table->rows[i].count; j++)
            *sum += table->rows[i].numbers[j];
        *count += table->rows[i].count;
    }
}

void Step(ULONG count, const LONG *given, LONG *stepped)
{
    if (count > COUNT_MAX)
        RpcRaiseException(RPC_S_INVALID_BOUND);
    for (ULONG i = 0; i < count; i++)
        stepped[i] = given[i] + 1;
}

void Window(ULONG size, ULONG *length, short *window)
{
    (void)size;
    for (ULONG i = 0; i < *length; i++)
        window[i] = (short)(window[i] * 2);
    if (*length > 0)
        --*length;
}

void CounterOpen(LONG start, COUNTER *counter)
{
    LONG *number = allocate(sizeof(*number));
    *number = start;
    *counter = number;
    __sync_fetch_and_add(&opened, 1);
}

LONG CounterNext(COUNTER counter)
{
    return ++*(LONG *)counter;
}

void CounterClose(COUNTER *counter)
{
    MIDL_user_free(*counter);
    *counter = NULL;
    __sync_fetch_and_add(&closed, 1);
}

LONG CounterClosed(void)
{
    return (LONG)count_of(&closed);
}

void __RPC_USER COUNTER_rundown(COUNTER counter)
{
    CounterClose(&counter);
}

void Raise(ULONG code)
{
    RpcRaiseException((RPC_STATUS)code);
}

void Nothing(void)
{
}

int main(int argc, char **argv)
{
    RPC_STATUS status = RPC_S_INVALID_ARG;
    if (argc == 2)
        status = RpcServerUseProtseqEpA((RPC_CSTR) "ncacn_ip_tcp", RPC_C_PROTSEQ_MAX_REQS_DEFAULT,
                                        (RPC_CSTR)argv[1], NULL);
    if (status == RPC_S_OK)
        status = RpcServerRegisterIf(exchange_v3_1_s_ifspec, NULL, NULL);
    if (status == RPC_S_OK)
        status = RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE);
    if (status != RPC_S_OK) {
        fprintf(stderr, "exchange_server: status %d\n", (int)status);
        return EXIT_FAILURE;
    }
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    for (int i = 0; i < 500 && count_of(&closed) < count_of(&opened); i++)
        pause_ms(10);
    printf("%ld opened, %ld closed\n", count_of(&opened), count_of(&closed));
    return EXIT_SUCCESS;
}
