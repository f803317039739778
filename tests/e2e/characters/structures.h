/* SPDX-License-Identifier: MIT */
/* structures.h - calls and managers of tests/golden/b_cs_struct.idl: [cs_char] in structures and
 * alone.  A part of characters_test.c, whose check(), start() and finish() it uses. */
#include "b_cs_struct.h"

static bool says(const char *text, const char *wanted)
{
    return text && strcmp(text, wanted) == 0;
}

/* ---- Managers ---------------------------------------------------------------------------------- */

void s_StructFixed(handle_t h, uint32_t stag, uint32_t drtag, uint32_t *rtag, FIXED *fixed,
                   FIXED *copy)
{
    check("StructFixed: arguments", h && stag == LATIN && fixed->before == 12 &&
                                        fixed->name[1] == 0xe4 && !fixed->name[2] &&
                                        says((char *)fixed->note, "note") && fixed->mark == 0xfc);
    *rtag = drtag;
    *copy = *fixed;
    copy->note = NULL;
    fixed->before = 13;
    fixed->name[7] = 0xe9;
    fixed->note[0] = 'N';
    fixed->mark = 'm';
}

void s_StructVarying(handle_t h, uint32_t stag, uint32_t *rtag, VARYING by_value,
                     VARYING *varying)
{
    check("StructVarying: arguments",
          h && stag == UTF8 && by_value.length == 2 && by_value.text[1] == 0x3b1 &&
              by_value.after == 7);
    *rtag = stag;
    if (!varying)
        return;
    check("StructVarying: behind a pointer", varying->length == 1 && varying->after == 8);
    varying->length = 3;
    varying->text[1] = 0x3b2;
    varying->text[2] = 'c';
    varying->after = 9;
}

void s_StructConformant(handle_t h, uint32_t stag, uint32_t *rtag, CONFORMANT *one,
                        CONFORMANT *two)
{
    check("StructConformant: arguments", h && stag == UTF8 && one->size >= 3 &&
                                             one->text[1] == 0xe4 && two->size >= 4 &&
                                             two->text[3] == 'z');
    *rtag = stag;
    two->text[0] = one->text[1];
}

void s_StructOpen(handle_t h, uint32_t stag, uint32_t *rtag, OPEN *open)
{
    check("StructOpen: arguments", h && stag == UTF8 && open->name[3] == 'd' && open->size >= 8 &&
                                       open->length == 2 && open->text[1] == 0xe4);
    *rtag = stag;
    open->name[0] = 'A';
    open->text[2] = 0xe9;
    open->length = 3;
}

UTF32 s_Scalars(handle_t h, uint32_t stag, uint32_t drtag, uint32_t *rtag, UTF32 in, UTF32 *both,
                UTF32 *out)
{
    check("Scalars: arguments", h && stag == LATIN && in == 0xe4 && *both == 0xf6);
    *rtag = drtag;
    *out = in;
    *both = 'b';
    return 0xfc;
}

void s_AsyncStructOpen(PRPC_ASYNC_STATE async, handle_t h, uint32_t stag, uint32_t *rtag,
                       OPEN *open, UTF32 scalar, FIXED by_value)
{
    check("AsyncStructOpen: arguments",
          scalar == 's' && by_value.name[1] == 'y' && says((char *)by_value.note, "kept"));
    s_StructOpen(h, stag, rtag, open);
    RpcAsyncCompleteCall(async, NULL);
}

/* ---- Calls ------------------------------------------------------------------------------------- */

static void call_struct_fixed(handle_t h)
{
    unsigned char note[] = "note";
    FIXED fixed = {.before = 12, .name = {'a', 0xe4}, .note = note, .mark = 0xfc};
    FIXED copy;
    uint32_t rtag = 0;
    memset(&copy, 0xee, sizeof(copy));
    c_StructFixed(h, LATIN, LATIN, &rtag, &fixed, &copy);
    check("StructFixed: answer", rtag == LATIN && fixed.before == 13 && fixed.name[1] == 0xe4 &&
                                     fixed.name[7] == 0xe9 && fixed.mark == 'm' &&
                                     fixed.note == note && note[0] == 'N');
    check("StructFixed: the other", copy.before == 12 && copy.name[1] == 0xe4 && !copy.name[7] &&
                                        !copy.note && copy.mark == 0xfc);
}

static void call_struct_varying(handle_t h)
{
    VARYING by_value = {.length = 2, .text = {'a', 0x3b1}, .after = 7};
    VARYING varying = {.length = 1, .text = {'b', 0, 0, 4711}, .after = 8};
    uint32_t rtag = 0;
    c_StructVarying(h, UTF8, &rtag, by_value, &varying);
    check("StructVarying: answer", varying.length == 3 && varying.text[0] == 'b' &&
                                       varying.text[1] == 0x3b2 && varying.text[2] == 'c' &&
                                       varying.text[3] == 4711 && varying.after == 9);
    c_StructVarying(h, UTF8, &rtag, by_value, NULL);
}

static CONFORMANT *conformant(const UTF32 *text, int32_t size)
{
    CONFORMANT *made = calloc(1, offsetof(CONFORMANT, text) + 16 * sizeof(UTF32));
    if (!made)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    made->size = size;
    memcpy(made->text, text, (size_t)size * sizeof(UTF32));
    made->text[size] = 4711;
    return made;
}

static void call_struct_conformant(handle_t h)
{
    static const UTF32 first[3] = {'a', 0xe4, 'c'}, second[4] = {'w', 'x', 'y', 'z'};
    CONFORMANT *one = conformant(first, 3), *two = conformant(second, 4);
    uint32_t rtag = 0;
    RpcTryFinally
    {
        c_StructConformant(h, UTF8, &rtag, one, two);
        check("StructConformant: answer", two->size == 4 && two->text[0] == 0xe4 &&
                                              two->text[3] == 'z' && two->text[4] == 4711);
    }
    RpcFinally
    {
        free(one);
        free(two);
    }
    RpcEndFinally
}

static OPEN *new_open(void)
{
    OPEN *open = calloc(1, offsetof(OPEN, text) + 9 * sizeof(UTF32));
    if (!open)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    memcpy(open->name, (const UTF32[]){'a', 'b', 'c', 'd'}, sizeof(open->name));
    open->size = 8;
    open->length = 2;
    open->text[0] = 't';
    open->text[1] = 0xe4;
    open->text[8] = 4711;
    return open;
}

static void check_open(const OPEN *open)
{
    check("StructOpen: answer", open->name[0] == 'A' && open->name[3] == 'd' &&
                                    open->size == 8 && open->length == 3 &&
                                    open->text[0] == 't' && open->text[2] == 0xe9 &&
                                    open->text[8] == 4711);
}

static void call_struct_open(handle_t h)
{
    OPEN *open = new_open();
    uint32_t rtag = 0;
    RpcTryFinally
    {
        c_StructOpen(h, UTF8, &rtag, open);
        check_open(open);
    }
    RpcFinally
    {
        free(open);
    }
    RpcEndFinally
}

static void call_scalars(handle_t h)
{
    UTF32 both = 0xf6, out = 0;
    uint32_t rtag = 0;
    UTF32 result = c_Scalars(h, LATIN, LATIN, &rtag, 0xe4, &both, &out);
    check("Scalars: answer", result == 0xfc && both == 'b' && out == 0xe4 && rtag == LATIN);
}

static void call_async_struct_open(handle_t h)
{
    RPC_ASYNC_STATE async;
    unsigned char note[] = "kept";
    FIXED by_value = {.name = {'x', 'y'}, .note = note, .mark = 'm'};
    OPEN *open = new_open();
    uint32_t rtag = 0;
    RpcTryFinally
    {
        start(&async);
        c_AsyncStructOpen(&async, h, UTF8, &rtag, open, 's', by_value);
        finish(&async, NULL);
        check_open(open);
    }
    RpcFinally
    {
        free(open);
    }
    RpcEndFinally
}
