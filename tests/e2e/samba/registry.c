/* SPDX-License-Identifier: MIT */
/* registry.c - the whole of HKEY_LOCAL_MACHINE: each key by a context handle of its own,
 * several of them open at once. */
#include <stdio.h>

#include "client.h"

#define MAXIMUM_ALLOWED 0x02000000u
#define NAME_SIZE       1024
#define VALUE_SIZE      65536

static void room(RPC_UNICODE_STRING *text)
{
    *text = (RPC_UNICODE_STRING){.MaximumLength = NAME_SIZE, .Buffer = allocate(NAME_SIZE)};
}

static void put_values(RPC_HKEY key, DWORD count)
{
    for (DWORD i = 0; i < count; i++) {
        RPC_UNICODE_STRING asked, name = {0};
        DWORD type = 0, size = VALUE_SIZE, length = 0;
        BYTE *data = allocate(VALUE_SIZE);
        room(&asked);
        error_status_t status =
            BaseRegEnumValue(key, i, &asked, &name, &type, data, &size, &length);
        if (status != 0)
            RpcRaiseException((RPC_STATUS)status);
        fputs(i > 0 ? ", [" : "[", stdout);
        put_string(&name);
        printf(", %u, ", (unsigned)type);
        put_hex(data, length);
        putchar(']');
        MIDL_user_free(data);
    }
}

static void put_key(RPC_HKEY key);

static void put_sub_keys(RPC_HKEY key, DWORD count)
{
    for (DWORD i = 0; i < count; i++) {
        RPC_UNICODE_STRING asked, name = {0}, class_in, *class_out = NULL;
        FILETIME written = {0};
        RPC_HKEY sub_key = NULL;
        room(&asked);
        room(&class_in);
        error_status_t status =
            BaseRegEnumKey(key, i, &asked, &name, &class_in, &class_out, &written);
        if (status != 0)
            RpcRaiseException((RPC_STATUS)status);
        fputs(i > 0 ? ", " : "", stdout);
        put_string(&name);
        fputs(": ", stdout);
        /* What EnumKey answers can be sent as it is. */
        status = BaseRegOpenKey(key, &name, 0, MAXIMUM_ALLOWED, &sub_key);
        if (status == 0) {
            put_key(sub_key);
            status = BaseRegCloseKey(&sub_key);
            if (status != 0 || sub_key)
                RpcRaiseException(RPC_S_INTERNAL_ERROR);
        } else {
            printf("%u", (unsigned)status);
        }
    }
}

static void put_key(RPC_HKEY key)
{
    RPC_UNICODE_STRING class_in = {0}, class_out = {0};
    DWORD sub_keys = 0, sub_key_len = 0, class_len = 0, values = 0, name_len = 0, value_len = 0,
          security_len = 0;
    FILETIME written;
    error_status_t status =
        BaseRegQueryInfoKey(key, &class_in, &class_out, &sub_keys, &sub_key_len, &class_len,
                            &values, &name_len, &value_len, &security_len, &written);
    if (status != 0)
        RpcRaiseException((RPC_STATUS)status);
    printf("{\"info\": [%u, %u, %u, %u, %u, %u], \"values\": [", (unsigned)sub_keys,
           (unsigned)sub_key_len, (unsigned)values, (unsigned)name_len, (unsigned)value_len,
           (unsigned)security_len);
    put_values(key, values);
    fputs("], \"keys\": {", stdout);
    put_sub_keys(key, sub_keys);
    fputs("}}", stdout);
}

long run_registry(handle_t binding, char **args)
{
    RPC_HKEY key = NULL;
    DWORD version = 0;
    WCHAR server = 'x';
    (void)args;
    error_status_t status = OpenLocalMachine(binding, &server, MAXIMUM_ALLOWED, &key);
    if (status == 0)
        status = BaseRegGetVersion(key, &version);
    if (status != 0)
        RpcRaiseException((RPC_STATUS)status);
    printf("{\"version\": %u, \"root\": ", (unsigned)version);
    put_key(key);
    fputs("}", stdout);
    return (long)BaseRegCloseKey(&key);
}
