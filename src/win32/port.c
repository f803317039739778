/* SPDX-License-Identifier: MIT */
/* port.c - completion ports: a queue of packets that several threads take from, first
 * in, first out.  No files: what a port carries is posted to it. */
#include <pthread.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/list.h"
#include "win32/object.h"
#include "win32/win32.h"

struct port {
    struct win32_object object; /* signalled: there are packets, or it is closed */
    pthread_mutex_t lock;
    struct win32_packet *first, **end; /* the packets, and where the next one goes */
    unsigned posted; /* packets of the program among them */
    bool closed;
};

struct user_packet {
    struct win32_packet packet;
    struct port *port; /* counted */
};

/* Lock held. */
static struct win32_packet *pop(struct port *port)
{
    struct win32_packet *packet = port->first;
    if (packet)
        port->first = packet->next;
    if (!port->first)
        port->end = &port->first;
    return packet;
}

static void drop_packets(struct port *port)
{
    for (;;) {
        pthread_mutex_lock(&port->lock);
        struct win32_packet *packet = pop(port);
        pthread_mutex_unlock(&port->lock);
        if (!packet)
            return;
        packet->taken(packet);
    }
}

static void closed(struct win32_object *object)
{
    struct port *port = (struct port *)object;
    pthread_mutex_lock(&port->lock);
    port->closed = true;
    pthread_mutex_unlock(&port->lock);
    win32_object_signal(object); /* for ever: who waits is to see it */
    drop_packets(port);
}

static void destroy(struct win32_object *object)
{
    struct port *port = (struct port *)object;
    pthread_mutex_destroy(&port->lock);
    free(port);
}

const struct win32_class win32_port_class = {
    .name = "completion port", .closed = closed, .destroy = destroy};

HANDLE RpcxCreateCompletionPort(void)
{
    struct port *port = calloc(1, sizeof(*port));
    if (!port) {
        RpcxSetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    pthread_mutex_init(&port->lock, NULL);
    port->end = &port->first;
    bool ok = win32_object_init(&port->object, &win32_port_class, false);
    HANDLE handle = ok ? win32_object_open(&port->object) : NULL;
    if (!handle)
        RpcxSetLastError(ok ? ERROR_NOT_ENOUGH_MEMORY : ERROR_NO_SYSTEM_RESOURCES);
    win32_object_put(&port->object);
    return handle;
}

/* False: it is closed. */
static bool put(struct port *port, struct win32_packet *packet)
{
    pthread_mutex_lock(&port->lock);
    bool open = !port->closed;
    if (open) {
        if (!port->first)
            win32_object_signal(&port->object);
        packet->next = NULL;
        *port->end = packet;
        port->end = &packet->next;
    }
    pthread_mutex_unlock(&port->lock);
    return open;
}

bool win32_is_port(HANDLE handle)
{
    struct win32_object *object = win32_object_get(handle, &win32_port_class);
    if (object)
        win32_object_put(object);
    return object != NULL;
}

bool win32_port_post(HANDLE handle, struct win32_packet *packet)
{
    struct win32_object *object = win32_object_get(handle, &win32_port_class);
    if (!object)
        return false;
    bool open = put((struct port *)object, packet);
    win32_object_put(object);
    return open;
}

/* ---- Packets of the program -------------------------------------------------------- */

static void user_packet_taken(struct win32_packet *packet)
{
    struct user_packet *user = list_entry(packet, struct user_packet, packet);
    struct port *port = user->port;
    pthread_mutex_lock(&port->lock);
    port->posted--;
    pthread_mutex_unlock(&port->lock);
    win32_object_put(&port->object);
    free(user);
}

/* ERROR_SUCCESS, or why not. */
static DWORD post(struct port *port, DWORD bytes, ULONG_PTR key, LPOVERLAPPED overlapped)
{
    pthread_mutex_lock(&port->lock);
    bool full = port->posted >= LIMIT_PORT_PACKETS;
    if (!full)
        port->posted++;
    pthread_mutex_unlock(&port->lock);
    if (full)
        return ERROR_NO_SYSTEM_RESOURCES;
    struct user_packet *user = calloc(1, sizeof(*user));
    bool open = true;
    if (user) {
        user->port = port;
        user->packet.bytes = bytes;
        user->packet.key = key;
        user->packet.overlapped = overlapped;
        user->packet.taken = user_packet_taken;
        counted_get(&port->object.counted);
        open = put(port, &user->packet);
    }
    if (user && open)
        return ERROR_SUCCESS;
    pthread_mutex_lock(&port->lock);
    port->posted--;
    pthread_mutex_unlock(&port->lock);
    if (!user)
        return ERROR_NOT_ENOUGH_MEMORY;
    win32_object_put(&port->object);
    free(user);
    return ERROR_INVALID_HANDLE;
}

BOOL RpcxPostQueuedCompletionStatus(HANDLE handle, DWORD bytes, ULONG_PTR key,
                                    LPOVERLAPPED overlapped)
{
    struct win32_object *object = win32_object_get(handle, &win32_port_class);
    DWORD error = ERROR_INVALID_HANDLE;
    if (object) {
        error = post((struct port *)object, bytes, key, overlapped);
        win32_object_put(object);
    }
    if (error != ERROR_SUCCESS)
        RpcxSetLastError(error);
    return error == ERROR_SUCCESS;
}

/* ---- Taking --------------------------------------------------------------------------- */

/* Up to `max` packets into `entries`, how many into *ret_count.  ERROR_SUCCESS, also
 * with none; ERROR_ABANDONED_WAIT_0: the port is closed. */
static DWORD take(struct port *port, OVERLAPPED_ENTRY *entries, DWORD max, DWORD *ret_count)
{
    DWORD error = ERROR_SUCCESS;
    *ret_count = 0;
    while (*ret_count < max && error == ERROR_SUCCESS) {
        pthread_mutex_lock(&port->lock);
        struct win32_packet *packet = pop(port);
        if (port->closed)
            error = ERROR_ABANDONED_WAIT_0;
        else if (!port->first)
            (void)win32_object_reset(&port->object);
        pthread_mutex_unlock(&port->lock);
        if (!packet)
            break;
        entries[(*ret_count)++] = (OVERLAPPED_ENTRY){.lpCompletionKey = packet->key,
                                                     .lpOverlapped = packet->overlapped,
                                                     .dwNumberOfBytesTransferred = packet->bytes};
        packet->taken(packet);
    }
    return *ret_count > 0 ? ERROR_SUCCESS : error;
}

static DWORD wait_for_packets(struct port *port, OVERLAPPED_ENTRY *entries, DWORD max,
                              DWORD *ret_count, DWORD timeout_ms, bool alertable)
{
    uint64_t deadline_us = win32_deadline(timeout_ms);
    for (;;) {
        DWORD error = take(port, entries, max, ret_count);
        if (error != ERROR_SUCCESS || *ret_count > 0)
            return error;
        switch (win32_wait_fd(port->object.fd, deadline_us, alertable)) {
        case WAIT_OBJECT_0:
            break;
        case WAIT_TIMEOUT:
            return WAIT_TIMEOUT;
        case WAIT_IO_COMPLETION:
            return WAIT_IO_COMPLETION;
        default:
            return RpcxGetLastError();
        }
    }
}

BOOL RpcxGetQueuedCompletionStatus(HANDLE handle, OVERLAPPED_ENTRY *entries, DWORD max,
                                   DWORD *ret_count, DWORD timeout_ms, BOOL alertable)
{
    if (!entries || max == 0 || !ret_count) {
        RpcxSetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    *ret_count = 0;
    struct win32_object *object = win32_object_get(handle, &win32_port_class);
    if (!object) {
        RpcxSetLastError(ERROR_INVALID_HANDLE);
        return FALSE;
    }
    DWORD error = wait_for_packets((struct port *)object, entries, max, ret_count, timeout_ms,
                                   alertable != FALSE);
    win32_object_put(object);
    if (error != ERROR_SUCCESS)
        RpcxSetLastError(error);
    return error == ERROR_SUCCESS;
}
