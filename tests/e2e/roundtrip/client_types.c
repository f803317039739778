/* SPDX-License-Identifier: MIT */
/* client_types.c - arrays of several varying dimensions, [range], attributes about memory. */
#include "client.h"

#include "types.h"

static bool box(void)
{
    for (int32_t first = 0; first <= 4; first++)
        for (int32_t rows = 0; first + rows <= 4; rows++)
            for (int32_t columns = 0; columns <= 5; columns++) {
                int32_t v[4][5];
                for (int32_t i = 0; i < 20; i++)
                    v[i / 5][i % 5] = 10 * (i / 5) + i % 5 + 1;
                RtBox(server, first, rows, columns, v);
                for (int32_t i = 0; i < 4; i++)
                    for (int32_t k = 0; k < 5; k++) {
                        bool came = i >= first && i < first + rows && k < columns;
                        int32_t old = 10 * i + k + 1;
                        CHECK_EQUAL(v[i][k], came ? ~old : old);
                    }
            }
    int32_t v[4][5] = {{0}};
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtBox(server, 0, 5, 1, v));
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtBox(server, 3, 2, 1, v));
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtBox(server, 0, 1, 6, v));
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtBox(server, 0, -1, 1, v));
    return true;
}

static bool open_box(void)
{
    static const int32_t sizes[] = {0, 1, 3, 100};
    for (size_t s = 0; s < COUNT_OF(sizes); s++) {
        for (int32_t columns = 0; columns <= 3; columns++) {
            int32_t n = sizes[s], rows = (n + 1) / 2, back = columns;
            int16_t(*v)[3] = sample_allocate((size_t)n * sizeof(*v) + 1);
            for (int32_t i = 0; i < n; i++)
                for (int32_t k = 0; k < 3; k++)
                    v[i][k] = (int16_t)(10 * i + k + 1);
            RtOpenBox(server, n, rows, &back, v);
            CHECK_EQUAL(back, 3 - columns);
            for (int32_t i = 0; i < n; i++)
                for (int32_t k = 0; k < 3; k++) {
                    int16_t old = (int16_t)(10 * i + k + 1);
                    int16_t now = k < columns ? (int16_t)~old : -1; /* it had 0 of the others */
                    CHECK_EQUAL(v[i][k], i < rows && k < back ? now : old);
                }
            midl_user_free(v);
        }
    }
    return true;
}

static RT_WORD word(int i, int k)
{
    RT_WORD text = sample_allocate(3);
    text[0] = (unsigned char)('a' + i);
    text[1] = (unsigned char)('0' + k);
    return text;
}

static bool table(void)
{
    for (unsigned short rows = 0; rows <= 3; rows++)
        for (unsigned short columns = 0; columns <= 4; columns++) {
            RT_TABLE table;
            int64_t cells[3][4];
            GARBAGE(table.words); /* what does not travel is not looked at */
            for (int i = 0; i < rows; i++)
                for (int k = 0; k < columns; k++)
                    table.words[i][k] = word(i, k);
            for (int i = 0; i < 12; i++)
                cells[i / 4][i % 4] = i;
            table.rows = rows;
            table.columns = columns;
            table.cells = cells;
            RtTable(server, &table);
            for (int i = 0; i < rows; i++)
                for (int k = 0; k < columns; k++) {
                    CHECK_EQUAL(table.words[i][k][0], 'a' + i);
                    CHECK_EQUAL(table.words[i][k][1], '0' + columns - 1 - k);
                    midl_user_free(table.words[i][k]);
                }
            for (int i = 0; i < 12; i++)
                CHECK_EQUAL(cells[i / 4][i % 4],
                            i / 4 < rows && i % 4 < columns ? ~(int64_t)i : i);
        }
    return true;
}

static bool ranges_of_elements(void)
{
    RT_DIGIT v[5] = {1, 2, 3, 9, 0}, *digits = NULL;
    int32_t count;
    CHECK_EQUAL(RtDigits(server, 4, v, 3, 9, &count, &digits), 15);
    CHECK(count == 3 && digits[2] == 9);
    midl_user_free(digits);
    v[3] = 10;
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtDigits(server, 4, v, 0, 0, &count, &digits));
    v[3] = -1;
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtDigits(server, 4, v, 0, 0, &count, &digits));
    v[3] = 0;
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtDigits(server, 5, v, 0, 0, &count, &digits));
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtDigits(server, 0, v, 0, 0, &count, &digits));
    /* The client looks at replies, too. */
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtDigits(server, 1, v, 1, 10, &count, &digits));
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtDigits(server, 1, v, 4, 1, &count, &digits));
    unsigned char abc[] = "abc", long_one[] = "abcd", empty[] = "";
    unsigned char *words[5] = {abc, empty, abc, abc, abc};
    CHECK_EQUAL(RtWords(server, 4, words), 9);
    CHECK_EQUAL(RtWords(server, 0, words), 0);
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtWords(server, 5, words));
    words[1] = long_one;
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtWords(server, 2, words));
    return true;
}

static bool dont_free(void)
{
    RT_KEPT_NODE third = {.value = 30}, second = {.value = 20, .next = &third};
    RT_KEPT_NODE first = {.value = 10, .next = &second}, last = {.value = -1};
    CHECK_EQUAL(RtRemember(server, &first), 0);
    CHECK_EQUAL(RtRemember(server, &second), 60);
    CHECK_EQUAL(RtRemember(server, &last), 50);
    CHECK_EQUAL(RtRemember(server, &last), 0);
    return true;
}

static bool partial_ignore(void)
{
    for (int which = 0; which < 8; which++) {
        int32_t twice;
        RT_WORD words[3];
        WCHAR text[3];
        GARBAGE(twice);
        GARBAGE(words);
        GARBAGE(text);
        CHECK_EQUAL(RtOptional(server, 3, which & 1 ? &twice : NULL, which & 2 ? words : NULL,
                               which & 4 ? text : NULL),
                    which);
        if (which & 1)
            CHECK_EQUAL(twice, 6);
        for (int i = 0; i < 3 && which & 2; i++) {
            CHECK_EQUAL(words[i][0], 'a' + i);
            midl_user_free(words[i]);
        }
        if (which & 4)
            CHECK(text[0] == u'x' && text[1] == 0);
    }
    int32_t twice = 7;
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtOptional(server, -1, &twice, &(RT_WORD){NULL}, NULL));
    CHECK_EQUAL(twice, 7);
    return true;
}

const struct test_case types_cases[] = {
    {"box", box},
    {"open_box", open_box},
    {"table", table},
    {"ranges_of_elements", ranges_of_elements},
    {"dont_free", dont_free},
    {"partial_ignore", partial_ignore},
    {NULL, NULL},
};
