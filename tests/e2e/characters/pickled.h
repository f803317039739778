/* SPDX-License-Identifier: MIT */
/* pickled.h - serialised operations of tests/golden/b_cs_pickle.idl.  A part of characters_test.c,
 * whose check() it uses. */
#include <penstock/midles.h>

#include "b_cs_pickle.h"

static void fill_item(ITEM *item, ITEM *next, UTF32 *text)
{
    *item = (ITEM){.name = {'i', 0xe4}, .size = 3, .text = text, .next = next};
    *next = (ITEM){.name = {'n'}};
}

/* What Load has brought. */
static void clear_item(ITEM *item)
{
    for (ITEM *next = item->next; next;) {
        ITEM *gone = next;
        next = next->next;
        MIDL_user_free(gone->text);
        MIDL_user_free(gone);
    }
    MIDL_user_free(item->text);
}

static void save(char **buffer, unsigned long *size)
{
    handle_t handle = NULL;
    UTF32 letters[3] = {'x', 0xfc, 'z'}, text[8] = {'t', 0xe9};
    ITEM item, next;
    fill_item(&item, &next, letters);
    check("Save: handle", MesEncodeDynBufferHandleCreate(buffer, size, &handle) == RPC_S_OK);
    RpcTryFinally
    {
        c_Save(handle, LATIN, &item, 2, text);
    }
    RpcFinally
    {
        MesHandleFree(handle);
    }
    RpcEndFinally
}

static void load(char *buffer, unsigned long size)
{
    handle_t handle = NULL;
    UTF32 text[8] = {[7] = 4711};
    ITEM item;
    uint32_t rtag = 0;
    int32_t length = 0;
    memset(&item, 0, sizeof(item));
    check("Load: handle", MesDecodeBufferHandleCreate(buffer, size, &handle) == RPC_S_OK);
    RpcTryFinally
    {
        c_Load(handle, LATIN, &rtag, &item, &length, text);
        check("Load: values", rtag == LATIN && item.name[1] == 0xe4 && item.size == 3 &&
                                  item.text[1] == 0xfc && item.text[2] == 'z' && item.next &&
                                  item.next->name[0] == 'n' && !item.next->text &&
                                  !item.next->next);
        check("Load: text", length == 2 && text[0] == 't' && text[1] == 0xe9 && text[7] == 4711);
    }
    RpcFinally
    {
        clear_item(&item);
        MesHandleFree(handle);
    }
    RpcEndFinally
}

static void save_and_load(handle_t unused)
{
    /* stag, ITEM with its pointers, as the octets of bytes are: after the header */
    static const uint8_t start[] = {4, 0, 0, 0, 'i', 0xe4, 0, 0, 3, 0, 0, 0};
    char *buffer = NULL;
    unsigned long size = 0;
    (void)unused;
    RpcTryFinally
    {
        save(&buffer, &size);
        check("Save: octets", size > 56 + sizeof(start) &&
                                  memcmp(buffer + 56, start, sizeof(start) - 2) == 0);
        load(buffer, size);
    }
    RpcFinally
    {
        MIDL_user_free(buffer);
    }
    RpcEndFinally
}

/* [in,out] in one that only writes: nothing comes back, so no tag has to. */
static void save_both(handle_t unused)
{
    handle_t handle = NULL;
    char *buffer = NULL;
    unsigned long size = 0;
    uint32_t tag = UTF8;
    UTF32 letters[3] = {'x', 0x3b1, 'z'};
    ITEM item, next;
    (void)unused;
    fill_item(&item, &next, letters);
    item.name[1] = 'j';
    check("Both: handle", MesEncodeDynBufferHandleCreate(&buffer, &size, &handle) == RPC_S_OK);
    c_Both(handle, &tag, &item);
    check("Both: untouched", item.next == &next && item.text == letters && item.size == 3);
    MesHandleFree(handle);
    MIDL_user_free(buffer);
}
