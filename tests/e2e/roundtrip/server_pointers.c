/* SPDX-License-Identifier: MIT */
/* server_pointers.c - managers of rt_string and rt_pointer.  Objects a manager replaces
 * it frees itself; the others the stub frees. */
#include "server.h"

#include <string.h>

#include "values.h"

#define SERVER_FILE WRONG_POINTERS

/* ---- rt_string ---------------------------------------------------------------------------- */

void RtNarrow(handle_t h, const unsigned char *s, unsigned char *maybe, unsigned char **back,
              unsigned char **maybe_back)
{
    (void)h;
    *back = reversed(s);
    *maybe_back = reversed(maybe);
}

void RtWideString(handle_t h, const WCHAR *s, RT_WSTR maybe, RT_WSTR *back, WCHAR **maybe_back)
{
    (void)h;
    *back = wide_reversed(s);
    *maybe_back = wide_reversed(maybe);
}

void RtBytes(handle_t h, const byte *s, byte **back)
{
    (void)h;
    *back = reversed(s);
}

static void turn_wide(WCHAR *s)
{
    size_t len = wide_len(s);
    for (size_t i = 0; i < len / 2; i++) {
        WCHAR letter = s[i];
        s[i] = s[len - 1 - i];
        s[len - 1 - i] = letter;
    }
}

void RtOpen(handle_t h, unsigned char *s, WCHAR *both)
{
    (void)h;
    VERIFY(strlen((char *)s) == wide_len(both));
    turn_wide(both);
}

void RtFixedStrings(handle_t h, unsigned char *s, WCHAR *name, unsigned char *back, WCHAR *both)
{
    (void)h;
    VERIFY(wide_equal(name, both));
    size_t len = strlen((char *)s);
    VERIFY(len < 12);
    for (size_t i = 0; i < len; i++)
        back[i] = s[len - 1 - i];
    back[len] = 0;
    turn_wide(both);
}

void RtBuffer(handle_t h, const unsigned char *s, uint32_t n, unsigned char *buffer)
{
    (void)h;
    size_t len = strlen((const char *)s);
    if (len >= n) /* does not fit: a buffer without terminator */
        memset(buffer, 'x', n);
    else
        memcpy(buffer, s, len + 1);
}

void RtSized(handle_t h, uint32_t n, WCHAR *s)
{
    (void)h;
    size_t len = wide_len(s);
    VERIFY(2 * len < n);
    memcpy(s + len, s, len * sizeof(*s));
    s[2 * len] = 0;
}

void RtShorten(handle_t h, unsigned char *s)
{
    (void)h;
    if (s[0])
        s[1] = 0;
}

void RtMany(handle_t h, uint32_t n, WCHAR **names, RT_STR *more, RT_STR *back)
{
    (void)h;
    for (uint32_t i = 0; i < n; i++) {
        WCHAR *name = sample_wide(i);
        bool equal = names[i] && wide_equal(name, names[i]);
        midl_user_free(name);
        VERIFY(equal);
        back[i] = reversed(more[i]);
    }
}

WCHAR *RtLetters(handle_t h, int32_t n)
{
    (void)h;
    if (n < 0)
        return NULL;
    WCHAR *s = sample_allocate(((size_t)n + 1) * sizeof(*s));
    for (int32_t i = 0; i < n; i++)
        s[i] = (WCHAR)(i % 0xffff + 1);
    return s;
}

RT_STR RtStr(handle_t h, int32_t n)
{
    (void)h;
    if (n < 0)
        return NULL;
    unsigned char *s = sample_allocate((size_t)n + 1);
    memset(s, 'x', (size_t)n);
    return s;
}

/* ---- rt_pointer ------------------------------------------------------------------------------ */

void RtUnique(handle_t h, int32_t *n, int64_t *both, TAIL *tail, uint32_t *seen)
{
    (void)h;
    *seen = (n ? 1u : 0) | (both ? 2u : 0) | (tail ? 4u : 0);
    if (n)
        VERIFY(*n == 4711);
    if (both)
        *both = ~*both;
    if (tail)
        VERIFY(equal_Tail(tail, 5));
}

void RtRecord(handle_t h, uint32_t seed, RECORD *in, RECORD *out, RECORD *both)
{
    (void)h;
    VERIFY(record_equal(in, seed, false));
    VERIFY(record_equal(both, seed + 1, false));
    record_change(both);
    record_fill(out, seed + 2);
}

RECORD *RtRecordResult(handle_t h, uint32_t seed, boolean null)
{
    (void)h;
    RECORD *volatile record = NULL;
    if (null)
        return NULL;
    record = sample_allocate(sizeof(*record));
    RpcTryExcept
    {
        record_fill(record, seed);
    }
    RpcExcept(1)
    {
        RPC_STATUS status = (RPC_STATUS)RpcExceptionCode();
        record_clear(record);
        midl_user_free(record);
        RpcRaiseException(status);
    }
    RpcEndExcept
    return record;
}

void RtSharedRef(handle_t h, SHARED_REF *both)
{
    (void)h;
    *both->is_ref = ~*both->is_ref;
    if (both->is_unique) {
        midl_user_free(both->is_unique);
        both->is_unique = NULL;
    } else {
        both->is_unique = sample_allocate(sizeof(int32_t));
        *both->is_unique = both->tag;
    }
}

void RtPointerToPointer(handle_t h, int32_t **n, int32_t ***deep, int32_t **out,
                        int32_t ***deep_out)
{
    (void)h;
    VERIFY(!*deep || !**deep || ***deep == 3);
    if (*n) {
        *out = sample_allocate(sizeof(**out));
        **out = ~**n;
    }
    if (!*deep)
        return;
    *deep_out = sample_allocate(sizeof(**deep_out));
    if (**deep) {
        **deep_out = sample_allocate(sizeof(***deep_out));
        ***deep_out = ~***deep;
    }
}

void RtRef(handle_t h, RPLONG n, int32_t *m, RPLONG sum)
{
    (void)h;
    *sum = *n + *m;
}

void RtList(handle_t h, NODE *list, PNODE *reversed_list, NODE **both)
{
    (void)h;
    for (; list; list = list->next) {
        NODE *node = sample_allocate(sizeof(*node));
        *node = (NODE){.next = *reversed_list, .value = list->value};
        *reversed_list = node;
    }
    NODE *first = *both;
    if (first) {
        *both = first->next;
        midl_user_free(first);
    }
}

/* left.right.left ... as long as it goes; the numbers tell the depth. */
void RtMutual(handle_t h, LEFT *left, RIGHT **right)
{
    (void)h;
    int32_t depth = 0;
    while (left->right && left->right->left) {
        VERIFY(left->n == depth && left->right->n == depth);
        left = left->right->left;
        depth++;
    }
    *right = sample_allocate(sizeof(**right));
    (*right)->n = depth;
    (*right)->left = sample_allocate(sizeof(LEFT));
    (*right)->left->n = -depth;
}

void RtBlob(handle_t h, uint32_t wanted, BLOB *blob)
{
    (void)h;
    for (uint32_t i = 0; i < blob->size; i++)
        VERIFY(blob->data[i] == octet(i));
    midl_user_free(blob->data);
    blob->data = NULL;
    blob->size = wanted;
    if (wanted > 0)
        blob->data = sample_allocate(wanted);
    for (uint32_t i = 0; i < wanted; i++)
        blob->data[i] = octet(i + 1);
}

void RtBlobs(handle_t h, uint32_t n, BLOB *blobs, uint32_t *sum)
{
    (void)h;
    *sum = 0;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < blobs[i].size; k++)
            *sum += blobs[i].data[k];
}
