/* SPDX-License-Identifier: MIT */
#include "local_name.h"

/* ---- void * <-> long ---- */

unsigned long __RPC_USER WINDOW_UserSize(unsigned long *flags, unsigned long start, WINDOW *window)
{
    (void)flags, (void)window;
    return ((start + 3) & ~3ul) + 4;
}

unsigned char *__RPC_USER WINDOW_UserMarshal(unsigned long *flags, unsigned char *buffer,
                                             WINDOW *window)
{
    int32_t number = (int32_t)(intptr_t)*window;
    (void)flags;
    return put_octets(buffer, 4, &number);
}

unsigned char *__RPC_USER WINDOW_UserUnmarshal(unsigned long *flags, unsigned char *buffer,
                                               WINDOW *window)
{
    int32_t number;
    (void)flags;
    buffer = get_octets(buffer, 4, &number);
    *window = (WINDOW)(intptr_t)number;
    return buffer;
}

void __RPC_USER WINDOW_UserFree(unsigned long *flags, WINDOW *window)
{
    (void)flags;
    *window = NULL;
}

static void make_window(struct values *values, void *value, bool is_new)
{
    (void)is_new;
    *(WINDOW *)value = (WINDOW)(intptr_t)random_between(values, INT32_MIN, INT32_MAX);
}

static void print_window(struct text *text, const void *value)
{
    text_add(text, "%ld", (long)(intptr_t) * (WINDOW const *)value);
}

/* ---- a size and a pointer <-> a conformant structure behind a pointer ---- */

unsigned long __RPC_USER BLOB_UserSize(unsigned long *flags, unsigned long start, BLOB *blob)
{
    (void)flags;
    return ((start + 3) & ~3ul) + 8 + blob->size;
}

unsigned char *__RPC_USER BLOB_UserMarshal(unsigned long *flags, unsigned char *buffer, BLOB *blob)
{
    (void)flags;
    buffer = put_octets(buffer, 4, &blob->size); /* of the array */
    buffer = put_octets(buffer, 4, &blob->size); /* the field    */
    for (uint32_t i = 0; i < blob->size; i++)
        *buffer++ = blob->data[i];
    return buffer;
}

unsigned char *__RPC_USER BLOB_UserUnmarshal(unsigned long *flags, unsigned char *buffer,
                                             BLOB *blob)
{
    uint32_t max, size;
    (void)flags;
    buffer = get_octets(buffer, 4, &max);
    buffer = get_octets(buffer, 4, &size);
    if (max != size)
        RpcRaiseException(RPC_X_BAD_STUB_DATA);
    midl_user_free(blob->data);
    blob->data = routine_memory(size);
    blob->size = size;
    memcpy(blob->data, buffer, size);
    return buffer + size;
}

void __RPC_USER BLOB_UserFree(unsigned long *flags, BLOB *blob)
{
    (void)flags;
    midl_user_free(blob->data);
    *blob = (BLOB){0};
}

static void make_blob(struct values *values, void *value, bool is_new)
{
    BLOB *blob = value;
    if (!is_new)
        midl_user_free(blob->data);
    blob->size = (uint32_t)random_between(values, 0, 30);
    blob->data = routine_memory(blob->size);
    for (uint32_t i = 0; i < blob->size; i++)
        blob->data[i] = (byte)random_bits(values);
}

static void print_blob(struct text *text, const void *value)
{
    const BLOB *blob = value;
    text_add(text, "%u[", (unsigned)blob->size);
    for (uint32_t i = 0; i < blob->size; i++)
        text_add(text, "%02x", blob->data[i]);
    text_add(text, "]");
}

static const struct golden_user_type user_types[] = {
    {"WINDOW", make_window, print_window},
    {"BLOB", make_blob, print_blob},
    {"NAME", make_name, print_name},
    {NULL, NULL, NULL},
};
#define GOLDEN_USER_TYPES user_types
