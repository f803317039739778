/* SPDX-License-Identifier: MIT */
/* BSTR as a string that ends with a zero, the way [MS-OAUT] 2.2.23.2 sends it: the number of
 * its octets, all ones for NULL, then its characters. */
#include "routines.h"

static uint32_t bstr_count(const WCHAR *text)
{
    uint32_t count = 0;
    while (text && text[count] != 0)
        count++;
    return count;
}

unsigned long __RPC_USER BSTR_UserSize(unsigned long *flags, unsigned long start, BSTR *text)
{
    (void)flags;
    return ((start + 3) & ~3ul) + 12 + 2 * bstr_count(*text);
}

unsigned char *__RPC_USER BSTR_UserMarshal(unsigned long *flags, unsigned char *buffer, BSTR *text)
{
    uint32_t count = bstr_count(*text), octets = *text ? 2 * count : UINT32_MAX;
    (void)flags;
    buffer = put_octets(buffer, 4, &count); /* of the array */
    buffer = put_octets(buffer, 4, &octets);
    buffer = put_octets(buffer, 4, &count);
    if (count > 0)
        memcpy(buffer, *text, 2 * count);
    return buffer + 2 * count;
}

unsigned char *__RPC_USER BSTR_UserUnmarshal(unsigned long *flags, unsigned char *buffer,
                                             BSTR *text)
{
    uint32_t max, octets, count;
    (void)flags;
    buffer = get_octets(buffer, 4, &max);
    buffer = get_octets(buffer, 4, &octets);
    buffer = get_octets(buffer, 4, &count);
    if (max != count || (octets != UINT32_MAX && octets != 2 * count))
        RpcRaiseException(RPC_X_BAD_STUB_DATA);
    midl_user_free(*text);
    *text = NULL;
    if (octets == UINT32_MAX)
        return buffer;
    *text = routine_memory(2 * (count + 1));
    memcpy(*text, buffer, 2 * count);
    (*text)[count] = 0;
    return buffer + 2 * count;
}

void __RPC_USER BSTR_UserFree(unsigned long *flags, BSTR *text)
{
    (void)flags;
    midl_user_free(*text);
    *text = NULL;
}

static void make_bstr(struct values *values, void *value, bool is_new)
{
    BSTR *text = value;
    if (!is_new)
        midl_user_free(*text);
    *text = NULL;
    uint32_t count = (uint32_t)random_between(values, 0, 12);
    if (count == 0)
        return;
    *text = routine_memory(2 * count);
    for (uint32_t i = 0; i + 1 < count; i++)
        (*text)[i] = (WCHAR)random_between(values, 1, 0xffff);
    (*text)[count - 1] = 0;
}

static void print_bstr(struct text *text, const void *value)
{
    const WCHAR *at = *(BSTR const *)value;
    text_add(text, at ? "b\"" : "no text");
    for (; at && *at != 0; at++)
        text_add(text, "%04x", (unsigned)*at);
    text_add(text, "\"");
}

static const struct golden_user_type user_types[] = {
    {"BSTR", make_bstr, print_bstr},
    {NULL, NULL, NULL},
};
#define GOLDEN_USER_TYPES user_types
