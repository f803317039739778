/* SPDX-License-Identifier: MIT */
/* server_types.c - managers of rt_types. */
#include "server.h"

#include <string.h>

#include "types.h"

#define SERVER_FILE WRONG_TYPES

void RtBox(handle_t h, int32_t first, int32_t rows, int32_t columns, int32_t (*v)[5])
{
    (void)h;
    for (int32_t i = 0; i < 4; i++) {
        for (int32_t k = 0; k < 5; k++) {
            bool came = i >= first && i < first + rows && k < columns;
            VERIFY(v[i][k] == (came ? 10 * i + k + 1 : 0));
            v[i][k] = ~v[i][k];
        }
    }
}

void RtOpenBox(handle_t h, int32_t n, int32_t rows, int32_t *columns, int16_t (*v)[3])
{
    (void)h;
    for (int32_t i = 0; i < n; i++) {
        for (int32_t k = 0; k < 3; k++) {
            VERIFY(v[i][k] == (i < rows && k < *columns ? 10 * i + k + 1 : 0));
            v[i][k] = (int16_t)~v[i][k];
        }
    }
    *columns = 3 - *columns;
}

void RtTable(handle_t h, RT_TABLE *table)
{
    (void)h;
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 4; k++) {
            bool came = i < table->rows && k < table->columns;
            VERIFY(came ? table->words[i][k] != NULL : table->words[i][k] == NULL);
        }
        for (int k = 0; i < table->rows && 2 * k < table->columns - 1; k++) {
            RT_WORD word = table->words[i][k];
            table->words[i][k] = table->words[i][table->columns - 1 - k];
            table->words[i][table->columns - 1 - k] = word;
        }
    }
    for (int i = 0; i < table->rows; i++)
        for (int k = 0; k < 4; k++)
            table->cells[i][k] = ~table->cells[i][k];
}

int32_t RtDigits(handle_t h, int32_t n, RT_DIGIT *v, int32_t back, int32_t digit, int32_t *count,
                 RT_DIGIT **digits)
{
    int32_t sum = 0;
    (void)h;
    for (int32_t i = 0; i < n; i++) {
        VERIFY(v[i] >= 0 && v[i] <= 9);
        sum += v[i];
    }
    *count = back;
    *digits = sample_allocate((size_t)back * sizeof(**digits));
    for (int32_t i = 0; i < back; i++)
        (*digits)[i] = digit;
    return sum;
}

int32_t RtWords(handle_t h, int32_t n, unsigned char **words)
{
    int32_t letters = 0;
    (void)h;
    for (int32_t i = 0; i < n; i++)
        letters += (int32_t)strlen((char *)words[i]);
    return letters;
}

static RT_KEPT_LIST remembered;

int32_t RtRemember(handle_t h, RT_KEPT_LIST chain)
{
    int32_t sum = 0;
    (void)h;
    while (remembered) {
        RT_KEPT_LIST next = remembered->next;
        sum += remembered->value;
        midl_user_free(remembered);
        remembered = next;
    }
    /* A list of one that is negative is given back at once. */
    if (chain->value < 0 && !chain->next)
        midl_user_free(chain);
    else
        remembered = chain;
    return sum;
}

int32_t RtOptional(handle_t h, int32_t n, int32_t *twice, RT_WORD *words, WCHAR *text)
{
    (void)h;
    if (twice) {
        VERIFY(*twice == 0);
        *twice = 2 * n;
    }
    for (int32_t i = 0; words && i < n; i++) {
        VERIFY(!words[i]);
        words[i] = sample_allocate(3);
        words[i][0] = (unsigned char)('a' + i);
        words[i][1] = '!';
    }
    if (text && n > 1) {
        VERIFY(text[0] == 0 && text[n - 1] == 0);
        text[0] = u'x';
    }
    return (twice != NULL) + 2 * (words != NULL) + 4 * (text != NULL);
}
