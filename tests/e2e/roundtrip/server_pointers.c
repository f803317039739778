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

static SHARED_POINT *point_copy(const SHARED_POINT *point)
{
    SHARED_POINT *copy = point ? sample_allocate(sizeof(*copy)) : NULL;
    if (copy)
        *copy = *point;
    return copy;
}

static int32_t *long_copy(const int32_t *n)
{
    int32_t *copy = n ? sample_allocate(sizeof(*copy)) : NULL;
    if (copy)
        *copy = *n;
    return copy;
}

static void blob_copy(const BLOB *blob, BLOB *copy)
{
    copy->size = blob->size;
    copy->data = blob->data ? sample_allocate(blob->size) : NULL;
    if (copy->data)
        memcpy(copy->data, blob->data, blob->size);
}

static void holder_answer(const HOLDER *in, HOLDER *out)
{
    for (int i = 0; i < 2; i++) {
        out->points[i] = point_copy(in->points[1 - i]);
        blob_copy(&in->blobs[1 - i], &out->blobs[i]);
    }
    out->capacity = in->capacity;
    out->text = in->text ? sample_allocate((size_t)in->capacity * sizeof(WCHAR)) : NULL;
    if (out->text)
        memcpy(out->text, in->text, (wide_len(in->text) + 1) * sizeof(WCHAR));
    out->last = in->last;
    out->numbers = in->numbers ? sample_allocate((size_t)(in->last + 1) * sizeof(int64_t)) : NULL;
    for (int i = 0; in->numbers && i <= in->last; i++)
        out->numbers[i] = ~in->numbers[i];
    VERIFY(in->colours);
    out->colours = sample_allocate(RT_DEPTH * sizeof(RT_COLOUR));
    memcpy(out->colours, in->colours, RT_DEPTH * sizeof(RT_COLOUR));
    out->ref.tag = in->ref.tag;
    out->ref.is_ref = long_copy(in->ref.is_ref);
    out->ref.is_unique = long_copy(in->ref.is_unique);
}

void RtHolder(handle_t h, HOLDER *in, HOLDER *out)
{
    (void)h;
    holder_answer(in, out);
}

void RtHolders(handle_t h, signed char n, HOLDER *in, HOLDER *out, BLOB *kept)
{
    (void)h;
    for (int i = 0; i < n; i++) {
        holder_answer(&in[i], &out[i]);
        for (uint32_t k = 0; k < kept[i].size; k++)
            kept[i].data[k] ^= 0xff;
    }
}

void RtRefs(handle_t h, uint32_t n, RPLONG *both, RPLONG *out)
{
    (void)h;
    for (uint32_t i = 0; i < n; i++) {
        out[i] = sample_allocate(sizeof(*out[i]));
        *out[i] = 3 * *both[i];
        *both[i] *= 2;
    }
}

static RT_STR string_answer(RT_STR s)
{
    static const char grown[] = "grown", made[] = "made";
    bool grow = s && strcmp((char *)s, "grow") == 0;
    if (s && strncmp((char *)s, "cut", 3) == 0)
        s[3] = 0;
    if (s && !grow && strcmp((char *)s, "drop") != 0)
        return s;
    RT_STR answer = NULL;
    if (!s || grow) {
        answer = sample_allocate(sizeof(grown));
        strcpy((char *)answer, grow ? grown : made);
    }
    midl_user_free(s);
    return answer;
}

void RtStrings(handle_t h, uint32_t n, RT_STR *strings)
{
    (void)h;
    for (uint32_t i = 0; i < n; i++)
        strings[i] = string_answer(strings[i]);
}

void RtMaybe(handle_t h, unsigned char *maybe, boolean n, TAIL *tails)
{
    (void)h;
    for (; maybe && *maybe; maybe++)
        *maybe = (unsigned char)(*maybe + 1);
    for (int i = 0; tails && i < n; i++)
        tails[i].a = -tails[i].a;
}

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
