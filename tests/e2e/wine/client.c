/* SPDX-License-Identifier: MIT */
/* client.c - calls every operation of exchange and checks what comes back.
 *
 *     exchange_client BINDING
 *
 * Prints "CASE ok" or "CASE raised N", "CASE wrong" for each; 0 when all are ok. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "side.h"

#define STEP_COUNT 100000u
#define LIST_COUNT 2000

static int good; /* of the case that runs */

static void add(void *arg)
{
    (void)arg;
    good = Add(40, 2) == 42 && Add(-5, 3) == -2 &&
           Add(0x7fffffff, (LONG)-0x7fffffff - 1) == -1;
}

static void double_values(void *arg)
{
    VALUES values = {.tiny = -7,
                     .octet = 100,
                     .half = -1234,
                     .flag = 1,
                     .whole = -123456789,
                     .big = 0x123456789abcdefull,
                     .single_float = 1.25f,
                     .word = 0x7001,
                     .double_float = -1e100};
    (void)arg;
    Double(&values);
    good = values.tiny == -14 && values.octet == 200 && values.half == -2468 && !values.flag &&
           values.whole == -246913578 && values.big == 0x2468acf13579bdeull &&
           values.single_float == 2.5f && values.word == 0xe002 && values.double_float == -2e100;
}

static void reverse(void *arg)
{
    static const WCHAR wide[] = {0x41, 0x20ac, 0xfeff, 0x7a, 0},
                       reversed[] = {0x7a, 0xfeff, 0x20ac, 0x41, 0};
    ANSWER answer = {0};
    (void)arg;
    Reverse((const unsigned char *)"stressed", wide, &answer);
    good = answer.text && strcmp((char *)answer.text, "desserts") == 0 && answer.wide &&
           memcmp(answer.wide, reversed, sizeof(reversed)) == 0;
    MIDL_user_free(answer.text);
    MIDL_user_free(answer.wide);
    Reverse((const unsigned char *)"", wide + 4, &answer);
    good = good && answer.text && answer.text[0] == '\0' && answer.wide && answer.wide[0] == 0;
    MIDL_user_free(answer.text);
    MIDL_user_free(answer.wide);
}

static void free_list(NODE *node)
{
    while (node) {
        NODE *next = node->next;
        MIDL_user_free(node);
        node = next;
    }
}

static void lists(void *arg)
{
    NODE *list = NULL;
    LONG expected = 0;
    (void)arg;
    Count(0, &list);
    good = !list;
    Count(LIST_COUNT, &list);
    for (NODE *node = list; node; node = node->next)
        good = good && node->number == ++expected;
    good = good && expected == LIST_COUNT &&
           Sum(list) == (hyper)LIST_COUNT * (LIST_COUNT + 1) / 2 &&
           Sum(NULL) == 0;
    free_list(list);
}

static TAGGED *same(TAGGED *asked)
{
    TAGGED *answer = NULL;
    Same(asked, &answer);
    good = good && answer && answer->trail == asked->trail && answer->kind == asked->kind;
    return answer;
}

static void unions(void *arg)
{
    NODE nodes[2] = {{.number = 5, .next = &nodes[1]}, {.number = 6}};
    TAGGED asked = {.kind = 1, .value.number = -0x123456789abll, .trail = 'n'}, *answer;
    (void)arg;
    good = 1;
    answer = same(&asked);
    good = good && answer->value.number == asked.value.number;
    MIDL_user_free(answer);

    asked.kind = 2;
    asked.value.text = (unsigned char *)"text";
    answer = same(&asked);
    good = good && strcmp((char *)answer->value.text, "text") == 0;
    MIDL_user_free(answer->value.text);
    MIDL_user_free(answer);

    asked.kind = 3;
    asked.value.list = nodes;
    answer = same(&asked);
    good = good && answer->value.list->number == 5 && answer->value.list->next->number == 6 &&
           !answer->value.list->next->next;
    free_list(answer->value.list);
    MIDL_user_free(answer);

    asked.kind = 99; /* the [default] arm */
    MIDL_user_free(same(&asked));
}

static void tables(void *arg)
{
    static short numbers[] = {1, -2, 30000};
    unsigned char name[] = "a name";
    TABLE *table = malloc(sizeof(*table) + 3 * sizeof(ROW));
    ULONG count = 0;
    hyper sum = 0;
    (void)arg;
    if (!table)
        abort();
    table->count = 3;
    table->rows[0] = (ROW){.count = 3, .numbers = numbers, .name = name};
    table->rows[1] = (ROW){0};
    table->rows[2] = (ROW){.count = 1, .numbers = numbers + 1};
    Survey(table, &count, &sum);
    good = count == 4 && sum == 29997;
    free(table);
}

/* 400 KB each way. */
static void fragments(void *arg)
{
    static LONG given[STEP_COUNT], stepped[STEP_COUNT];
    (void)arg;
    for (ULONG i = 0; i < STEP_COUNT; i++)
        given[i] = (LONG)(i * 2654435761u >> 1);
    Step(STEP_COUNT, given, stepped);
    good = 1;
    for (ULONG i = 0; i < STEP_COUNT; i++)
        good = good && stepped[i] == given[i] + 1;
    Step(0, given, stepped);
}

static void windows_of_arrays(void *arg)
{
    short window[8] = {1, 2, 3, 4, 5, 77, 77, 77};
    ULONG length = 5;
    (void)arg;
    Window(8, &length, window);
    good = length == 4 && window[0] == 2 && window[3] == 8;
}

static void counters(void *arg)
{
    COUNTER one = NULL, two = NULL;
    (void)arg;
    LONG closed = CounterClosed();
    CounterOpen(10, &one);
    CounterOpen(100, &two);
    good = one && two && CounterNext(one) == 11 && CounterNext(two) == 101 &&
           CounterNext(one) == 12;
    CounterClose(&one);
    CounterClose(&two);
    good = good && !one && !two && CounterClosed() == closed + 2;
}

/* Left open: the server runs it down when this program is gone. */
static void left_open(void *arg)
{
    COUNTER counter = NULL;
    (void)arg;
    CounterOpen(0, &counter);
    good = CounterNext(counter) == 1;
}

static void raise_code(void *arg)
{
    Raise(*(ULONG *)arg);
}

static void nothing(void *arg)
{
    (void)arg;
    binding_to_nobody = binding;
    Nothing();
}

static void exceptions(void *arg)
{
    ULONG code;
    (void)arg;
    good = 1;
    for (size_t i = 0; i < 3; i++) {
        code = (ULONG[]){5, 1783, 0xE0001234}[i];
        unsigned long raised = raised_by(raise_code, &code);
        good = good && raised == code;
        if (raised != code)
            printf("raised %lu for %lu\n", raised, (unsigned long)code);
    }
    unsigned long raised = raised_by(nothing, NULL);
    good = good && raised == RPC_S_UNKNOWN_IF;
    if (raised != RPC_S_UNKNOWN_IF)
        printf("raised %lu by an unknown interface\n", raised);
    good = good && Add(1, 1) == 2;
}

static const struct {
    const char *name;
    void (*run)(void *arg);
    int catches; /* by itself */
} cases[] = {
    {"add", add, 0},          {"values", double_values, 0}, {"strings", reverse, 0},
    {"lists", lists, 0},          {"unions", unions, 0},
    {"tables", tables, 0},    {"fragments", fragments, 0},  {"windows", windows_of_arrays, 0},
    {"counters", counters, 0}, {"exceptions", exceptions, 1}, {"left_open", left_open, 0},
};

int main(int argc, char **argv)
{
    int failed = 0;
    if (argc != 2 || RpcBindingFromStringBindingA((RPC_CSTR)argv[1], &binding) != RPC_S_OK) {
        fputs("usage: exchange_client BINDING\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned long raised = 0;
        good = 0;
        if (cases[i].catches)
            cases[i].run(NULL);
        else
            raised = raised_by(cases[i].run, NULL);
        if (raised)
            printf("%s raised %lu\n", cases[i].name, raised);
        else
            printf("%s %s\n", cases[i].name, good ? "ok" : "wrong");
        failed += raised || !good;
        fflush(stdout);
    }
    RpcBindingFree(&binding);
    return failed > 0;
}
