/* SPDX-License-Identifier: MIT */
/* store.c - see store.h. */
#include "store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 64u
#define PIECE_MAX 70000u

static struct {
    WCHAR name[NAME_MAX_CHARS + 1];
    struct content *content;
} files[FILES_MAX];
static size_t file_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
atomic_int live;

struct content *content_new(size_t len)
{
    struct content *content = malloc(sizeof(*content) + len);
    if (content) {
        content->users = 1;
        content->len = len;
    }
    return content;
}

void content_put(struct content *content)
{
    if (content && --content->users == 0)
        free(content);
}

static size_t length_of(const WCHAR *name)
{
    size_t len = 0;
    while (name[len])
        len++;
    return len;
}

/* The index of a name, or file_count. */
static size_t find(const WCHAR *name)
{
    size_t i = 0, octets = (length_of(name) + 1) * sizeof(WCHAR);
    while (i < file_count && memcmp(files[i].name, name, octets) != 0)
        i++;
    return i;
}

struct content *store_get(const WCHAR *name)
{
    struct content *content = NULL;
    if (length_of(name) > NAME_MAX_CHARS)
        return NULL;
    pthread_mutex_lock(&lock);
    size_t i = find(name);
    if (i < file_count) {
        content = files[i].content;
        content->users++;
    }
    pthread_mutex_unlock(&lock);
    return content;
}

bool store_put(const WCHAR *name, struct content *content)
{
    bool fits = length_of(name) <= NAME_MAX_CHARS;
    pthread_mutex_lock(&lock);
    size_t i = fits ? find(name) : FILES_MAX;
    struct content *old = content; /* refused: it goes */
    if (i < FILES_MAX) {
        old = i < file_count ? files[i].content : NULL;
        memcpy(files[i].name, name, (length_of(name) + 1) * sizeof(WCHAR));
        files[i].content = content;
        file_count += i == file_count;
    }
    pthread_mutex_unlock(&lock);
    content_put(old);
    return i < FILES_MAX;
}

void store_fini(void)
{
    while (file_count > 0)
        content_put(files[--file_count].content);
}

/* ---- Out through a pipe -------------------------------------------------------------------- */

struct sending {
    push_fn push;
    char *state;
    struct content *content;
    size_t pos;
    unsigned piece; /* the last one's length */
    bool ended;     /* the null push is out  */
};

static void sending_free(struct sending *sending)
{
    content_put(sending->content);
    free(sending);
    live--;
}

/* One push is out at a time; its RpcSendComplete brings the next. */
static void send_step(PRPC_ASYNC_STATE async, struct sending *sending)
{
    if (sending->ended) {
        uint32_t result = 0;
        RpcAsyncCompleteCall(async, &result);
        sending_free(sending);
        return;
    }
    size_t left = sending->content->len - sending->pos;
    sending->piece = (sending->piece * 31 + 7) % PIECE_MAX + 1;
    unsigned long count = left < sending->piece ? left : sending->piece;
    byte *octets = sending->content->octets + sending->pos;
    sending->pos += count;
    sending->ended = count == 0;
    if (sending->push(sending->state, octets, count) != RPC_S_OK)
        sending_free(sending); /* the client is gone, and the call */
}

static void on_sent(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    (void)context;
    if (event == RpcSendComplete)
        send_step(async, async->UserInfo);
}

void send_start(PRPC_ASYNC_STATE async, push_fn push, char *state, struct content *content,
                size_t pos)
{
    struct sending *sending = malloc(sizeof(*sending));
    if (!sending) {
        content_put(content);
        RpcAsyncAbortCall(async, RPC_S_OUT_OF_MEMORY);
        return;
    }
    live++;
    *sending = (struct sending){.push = push, .state = state, .content = content, .pos = pos};
    async->UserInfo = sending;
    async->Flags = RPC_C_NOTIFY_ON_SEND_COMPLETE;
    async->NotificationType = RpcNotificationTypeCallback;
    async->u.NotificationRoutine = on_sent;
    send_step(async, sending);
}

/* ---- In through a pipe --------------------------------------------------------------------- */

struct receiving {
    pull_fn pull;
    char *state;
    WCHAR name[NAME_MAX_CHARS + 1];
    struct content *content; /* len: octets so far */
    size_t capacity;
};

static void receiving_free(struct receiving *receiving)
{
    content_put(receiving->content);
    free(receiving);
    live--;
}

static bool make_room(struct receiving *receiving)
{
    if (receiving->content->len < receiving->capacity)
        return true;
    size_t capacity = 2 * receiving->capacity + 1000;
    struct content *larger = realloc(receiving->content, sizeof(*larger) + capacity);
    if (!larger)
        return false;
    receiving->content = larger;
    receiving->capacity = capacity;
    return true;
}

static void receive_step(PRPC_ASYNC_STATE async, struct receiving *receiving)
{
    for (;;) {
        unsigned long count = 0;
        if (!make_room(receiving)) {
            RpcAsyncAbortCall(async, RPC_S_OUT_OF_MEMORY);
            break;
        }
        struct content *content = receiving->content;
        RPC_STATUS status = receiving->pull(receiving->state, content->octets + content->len,
                                            receiving->capacity - content->len, &count);
        if (status == RPC_S_ASYNC_CALL_PENDING)
            return;
        if (status != RPC_S_OK)
            break; /* the client is gone, and the call */
        content->len += count;
        if (count == 0) {
            receiving->content = NULL;
            uint32_t result = store_put(receiving->name, content) ? 0 : INVALID_PARAMETER;
            RpcAsyncCompleteCall(async, &result);
            break;
        }
    }
    receiving_free(receiving);
}

static void on_received(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    (void)context;
    if (event == RpcReceiveComplete)
        receive_step(async, async->UserInfo);
}

void receive_start(PRPC_ASYNC_STATE async, pull_fn pull, char *state, const WCHAR *name)
{
    struct receiving *receiving = calloc(1, sizeof(*receiving));
    struct content *content = content_new(0);
    if (!receiving || !content) {
        free(receiving);
        content_put(content);
        RpcAsyncAbortCall(async, RPC_S_OUT_OF_MEMORY);
        return;
    }
    live++;
    receiving->pull = pull;
    receiving->state = state;
    receiving->content = content;
    memcpy(receiving->name, name, (length_of(name) + 1) * sizeof(WCHAR));
    async->UserInfo = receiving;
    async->NotificationType = RpcNotificationTypeCallback;
    async->u.NotificationRoutine = on_received;
    receive_step(async, receiving);
}
