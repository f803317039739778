/* SPDX-License-Identifier: MIT */
/* thread.c - threads as objects: ids, ends, and routines queued to them.
 *
 * Any thread of the process becomes an object when it first needs one: it waits
 * alertably, asks for its id, or makes a call that is to tell it by an APC.  Its own
 * reference goes when it ends; routines still queued are dropped then. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/list.h"
#include "win32/object.h"
#include "win32/win32.h"

struct win32_thread {
    struct win32_object object; /* signalled: it has ended */
    struct list node;           /* in `threads`, until it ends */
    DWORD id;
    DWORD exit_code; /* valid once it has ended */
    LPTHREAD_START_ROUTINE start;
    LPVOID parameter;
    int apc_fd; /* readable while apcs is not empty */
    /* Guarded by threads_lock. */
    bool ended;
    struct list apcs;
};

static pthread_mutex_t threads_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list threads = {&threads, &threads};
static DWORD last_id; /* ids are ours: unlike those of the kernel they never come again */

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* its destructor tells us of the end of a thread */
static bool key_valid;
static _Thread_local struct win32_thread *self;

static void destroy(struct win32_object *object)
{
    struct win32_thread *thread = (struct win32_thread *)object;
    if (thread->apc_fd >= 0)
        close(thread->apc_fd);
    free(thread);
}

const struct win32_class win32_thread_class = {.name = "thread", .destroy = destroy};

static void drop_apcs(struct list *apcs)
{
    struct list *node;
    while ((node = list_pop(apcs)) != NULL) {
        struct win32_apc *apc = list_entry(node, struct win32_apc, node);
        apc->run(apc, true);
    }
}

/* The thread ends: on itself, as the destructor of its key. */
static void end(void *value)
{
    struct win32_thread *thread = value;
    struct list rest;
    list_init(&rest);
    pthread_mutex_lock(&threads_lock);
    thread->ended = true;
    list_remove(&thread->node);
    struct list *node;
    while ((node = list_pop(&thread->apcs)) != NULL)
        list_append(&rest, node);
    pthread_mutex_unlock(&threads_lock);
    self = NULL;
    drop_apcs(&rest);
    win32_object_signal(&thread->object);
    win32_object_put(&thread->object);
}

static void make_key(void)
{
    key_valid = pthread_key_create(&key, end) == 0;
}

/* A thread that has not begun yet, or was unknown to us; NULL: out of memory. */
static struct win32_thread *thread_new(void)
{
    pthread_once(&key_once, make_key);
    struct win32_thread *thread = key_valid ? calloc(1, sizeof(*thread)) : NULL;
    if (!thread)
        return NULL;
    list_init(&thread->apcs);
    thread->apc_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!win32_object_init(&thread->object, &win32_thread_class, false) || thread->apc_fd < 0) {
        win32_object_put(&thread->object);
        return NULL;
    }
    pthread_mutex_lock(&threads_lock);
    thread->id = last_id += 4; /* as on Windows a multiple of four */
    list_append(&threads, &thread->node);
    pthread_mutex_unlock(&threads_lock);
    return thread;
}

static void forget(struct win32_thread *thread)
{
    pthread_mutex_lock(&threads_lock);
    list_remove(&thread->node);
    pthread_mutex_unlock(&threads_lock);
    win32_object_put(&thread->object);
}

/* Makes `thread` the calling one. */
static bool adopt(struct win32_thread *thread)
{
    if (pthread_setspecific(key, thread) != 0)
        return false;
    self = thread;
    return true;
}

static struct win32_thread *current(void)
{
    if (self)
        return self;
    struct win32_thread *thread = thread_new();
    if (thread && !adopt(thread)) {
        forget(thread);
        thread = NULL;
    }
    return thread;
}

struct win32_object *win32_thread_object_self(void)
{
    struct win32_thread *thread = current();
    if (!thread)
        return NULL;
    counted_get(&thread->object.counted);
    return &thread->object;
}

/* ---- For the run time ---------------------------------------------------------- */

struct win32_thread *win32_thread_self(void)
{
    return (struct win32_thread *)win32_thread_object_self();
}

bool win32_thread_is_known(void)
{
    return self != NULL;
}

struct win32_thread *win32_thread_from_handle(HANDLE handle)
{
    return (struct win32_thread *)win32_object_get(handle, &win32_thread_class);
}

bool win32_is_thread(HANDLE handle)
{
    struct win32_thread *thread = win32_thread_from_handle(handle);
    if (thread)
        win32_thread_put(thread);
    return thread != NULL;
}

void win32_thread_put(struct win32_thread *thread)
{
    win32_object_put(&thread->object);
}

bool win32_thread_queue(struct win32_thread *thread, struct win32_apc *apc)
{
    pthread_mutex_lock(&threads_lock);
    bool ended = thread->ended;
    if (!ended) {
        list_append(&thread->apcs, &apc->node);
        int saved_errno = errno;
        (void)eventfd_write(thread->apc_fd, 1);
        errno = saved_errno;
    }
    pthread_mutex_unlock(&threads_lock);
    return !ended;
}

int win32_apc_fd(void)
{
    struct win32_thread *thread = current();
    return thread ? thread->apc_fd : -1;
}

bool win32_run_apcs(void)
{
    bool any = false;
    struct win32_thread *thread = self;
    for (;;) {
        pthread_mutex_lock(&threads_lock);
        struct list *node = list_pop(&thread->apcs);
        if (list_empty(&thread->apcs)) {
            eventfd_t count;
            (void)eventfd_read(thread->apc_fd, &count);
        }
        pthread_mutex_unlock(&threads_lock);
        if (!node)
            return any;
        struct win32_apc *apc = list_entry(node, struct win32_apc, node);
        apc->run(apc, false);
        any = true;
    }
}

/* ---- For programs ----------------------------------------------------------------- */

struct user_apc {
    struct win32_apc apc;
    PAPCFUNC routine;
    ULONG_PTR data;
};

static void run_user_apc(struct win32_apc *apc, bool dropped)
{
    struct user_apc *user = list_entry(apc, struct user_apc, apc);
    PAPCFUNC routine = user->routine;
    ULONG_PTR data = user->data;
    free(user);
    if (!dropped)
        routine(data);
}

BOOL RpcxQueueUserAPC(PAPCFUNC routine, HANDLE handle, ULONG_PTR data)
{
    if (!routine) {
        RpcxSetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    struct win32_thread *thread = win32_thread_from_handle(handle);
    if (!thread) {
        RpcxSetLastError(ERROR_INVALID_HANDLE);
        return FALSE;
    }
    struct user_apc *user = calloc(1, sizeof(*user));
    bool queued = false;
    if (user) {
        *user = (struct user_apc){.apc.run = run_user_apc, .routine = routine, .data = data};
        queued = win32_thread_queue(thread, &user->apc);
    }
    if (!queued)
        RpcxSetLastError(user ? ERROR_GEN_FAILURE : ERROR_NOT_ENOUGH_MEMORY);
    if (!queued)
        free(user);
    win32_thread_put(thread);
    return queued;
}

DWORD RpcxGetCurrentThreadId(void)
{
    struct win32_thread *thread = current();
    return thread ? thread->id : 0;
}

HANDLE RpcxOpenThread(DWORD id)
{
    struct win32_thread *found = NULL;
    pthread_mutex_lock(&threads_lock);
    for (struct list *node = threads.next; node != &threads && !found; node = node->next) {
        struct win32_thread *thread = list_entry(node, struct win32_thread, node);
        if (thread->id == id)
            found = thread;
    }
    if (found)
        counted_get(&found->object.counted);
    pthread_mutex_unlock(&threads_lock);
    if (!found) {
        RpcxSetLastError(ERROR_INVALID_PARAMETER);
        return NULL;
    }
    HANDLE handle = win32_object_open(&found->object);
    win32_thread_put(found);
    if (!handle)
        RpcxSetLastError(ERROR_NOT_ENOUGH_MEMORY);
    return handle;
}

static void *run(void *arg)
{
    struct win32_thread *thread = arg;
    if (!adopt(thread)) { /* out of memory: nothing of the program has run */
        thread->exit_code = ERROR_NOT_ENOUGH_MEMORY;
        end(thread);
        return NULL;
    }
    win32_run_apcs(); /* what was queued before the thread began comes first */
    thread->exit_code = thread->start(thread->parameter);
    return NULL; /* the key's destructor does the rest */
}

static bool start_detached(struct win32_thread *thread, size_t stack_size)
{
    pthread_attr_t attributes;
    pthread_t id;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (stack_size >= (size_t)PTHREAD_STACK_MIN)
        pthread_attr_setstacksize(&attributes, (stack_size + 0xffffu) & ~(size_t)0xffff);
    bool started = pthread_create(&id, &attributes, run, thread) == 0;
    pthread_attr_destroy(&attributes);
    return started;
}

HANDLE RpcxCreateThread(size_t stack_size, LPTHREAD_START_ROUTINE start, LPVOID parameter,
                        DWORD *ret_id)
{
    if (!start) {
        RpcxSetLastError(ERROR_INVALID_PARAMETER);
        return NULL;
    }
    struct win32_thread *thread = thread_new();
    HANDLE handle = thread ? win32_object_open(&thread->object) : NULL;
    if (!handle) {
        if (thread)
            forget(thread);
        RpcxSetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    thread->start = start;
    thread->parameter = parameter;
    DWORD id = thread->id;
    if (!start_detached(thread, stack_size)) {
        RpcxCloseHandle(handle);
        forget(thread);
        RpcxSetLastError(ERROR_NO_SYSTEM_RESOURCES);
        return NULL;
    }
    if (ret_id)
        *ret_id = id;
    return handle;
}

void RpcxExitThread(DWORD exit_code)
{
    if (self)
        self->exit_code = exit_code;
    pthread_exit(NULL);
}

BOOL RpcxGetExitCodeThread(HANDLE handle, DWORD *ret_code)
{
    struct win32_thread *thread = win32_thread_from_handle(handle);
    if (!thread || !ret_code) {
        RpcxSetLastError(thread ? ERROR_INVALID_PARAMETER : ERROR_INVALID_HANDLE);
        if (thread)
            win32_thread_put(thread);
        return FALSE;
    }
    pthread_mutex_lock(&threads_lock);
    *ret_code = thread->ended ? thread->exit_code : STILL_ACTIVE;
    pthread_mutex_unlock(&threads_lock);
    win32_thread_put(thread);
    return TRUE;
}
