/* SPDX-License-Identifier: MIT */
/* LOCAL_NAME, octets here, is sent as a string of wchar_t behind a pointer: a count, an offset
 * and a count, then the characters. */
#include "routines.h"

unsigned long __RPC_USER LOCAL_NAME_UserSize(unsigned long *flags, unsigned long start,
                                             LOCAL_NAME *name)
{
    (void)flags;
    return ((start + 3) & ~3ul) + 12 + 2 * (strlen(name->text ? name->text : "") + 1);
}

unsigned char *__RPC_USER LOCAL_NAME_UserMarshal(unsigned long *flags, unsigned char *buffer,
                                                 LOCAL_NAME *name)
{
    const char *text = name->text ? name->text : "";
    uint32_t zero = 0, count = (uint32_t)strlen(text) + 1;
    (void)flags;
    buffer = put_octets(buffer, 4, &count);
    buffer = put_octets(buffer, 4, &zero);
    buffer = put_octets(buffer, 4, &count);
    for (uint32_t i = 0; i < count; i++)
        buffer = put_octets(buffer, 2, &(WCHAR){(unsigned char)text[i]});
    return buffer;
}

unsigned char *__RPC_USER LOCAL_NAME_UserUnmarshal(unsigned long *flags, unsigned char *buffer,
                                                   LOCAL_NAME *name)
{
    uint32_t max, first, count;
    (void)flags;
    buffer = get_octets(buffer, 4, &max);
    buffer = get_octets(buffer, 4, &first);
    buffer = get_octets(buffer, 4, &count);
    midl_user_free(name->text);
    name->text = routine_memory(count);
    for (uint32_t i = 0; i < count; i++) {
        WCHAR wide = 0;
        buffer = get_octets(buffer, 2, &wide);
        name->text[i] = (char)wide;
    }
    return buffer;
}

void __RPC_USER LOCAL_NAME_UserFree(unsigned long *flags, LOCAL_NAME *name)
{
    (void)flags;
    midl_user_free(name->text);
    name->text = NULL;
}

static void make_name(struct values *values, void *value, bool is_new)
{
    LOCAL_NAME *name = value;
    size_t len = (size_t)random_between(values, 0, 20);
    if (!is_new)
        midl_user_free(name->text);
    name->text = routine_memory(len + 1);
    for (size_t i = 0; i < len; i++)
        name->text[i] = (char)random_between(values, 1, 255);
    name->text[len] = '\0';
}

static void print_name(struct text *text, const void *value)
{
    const LOCAL_NAME *name = value;
    for (const char *c = name->text ? name->text : ""; *c; c++)
        text_add(text, "%02x", (unsigned char)*c);
    text_add(text, ";");
}
