/* SPDX-License-Identifier: MIT */
/* client_modes.c - calls of stubs compiled with -Zp2 -char ascii7 -rpcss. */
#include "client.h"
#include "modes.h"

_Static_assert(sizeof(RT_TIGHT) == 20, "two octets before the hyper, none before the double");
_Static_assert(sizeof(RT_FLAGS) == 4, "bit fields share one long");

static bool packed(void)
{
    RT_TIGHT both = {1, -2, 3, 4.5}, v[3] = {{5, 6, 7, 8}, {9, -10, 11, 12}, {13, 14, 15, -16}};
    RtTight(server, &both, 3, v);
    CHECK(both.a == 0xfe && both.b == 2 && both.c == -3 && both.d == -4.5);
    CHECK(v[1].a == 0xf6 && v[1].b == 10 && v[1].c == -11 && v[1].d == -12);
    CHECK(v[2].d == 16);
    return true;
}

static bool letters(void)
{
    RT_SIGNS l = {'a', 0xfe, -128, 126};
    char four[4] = {'k', '\x7f', '\xfe', '\0'}, text[] = "abc \xfc";
    RtSigns(server, &l, text, four);
    CHECK(l.plain == 'b' && l.upper == 0xff && l.lower == -127 && l.least == 127);
    CHECK(memcmp(four, "l\x80\xff\x01", 4) == 0);
    return true;
}

static bool own_memory(void)
{
    int32_t *made = NULL;
    RtOwnMemory(server, 100, &made);
    for (int32_t i = 0; i < 100; i++)
        CHECK_EQUAL(made[i], i * i);
    midl_user_free(made);
    return true;
}

static bool imported_acf(void)
{
    RT_LOCAL kept = {41};
    RtImported(server, &kept);
    CHECK(kept.number == 42);
    return true;
}

static bool importing_acf(void)
{
    RT_LOCAL away = {3};
    RT_AROUND around = {-1, {4}};
    RtAway(server, &away, &around);
    CHECK(away.number == 7 && around.away.number == 7);
    return true;
}

const struct test_case mode_cases[] = {
    {"mode_packed", packed},
    {"mode_letters", letters},
    {"mode_own_memory", own_memory},
    {"mode_imported_acf", imported_acf},
    {"mode_importing_acf", importing_acf},
    {NULL, NULL},
};
