/* SPDX-License-Identifier: MIT */
/* client.h - what the parts of the client share.
 *
 * One thread, the main one, starts and ends every call; a few others, who wait at a
 * completion port, move the octets in between and tell the main thread when a file is
 * through.  The main thread has a port of its own for that, and for its own small calls. */
#ifndef FILEREP_CLIENT_H
#define FILEREP_CLIENT_H

#include "filerep.h"
#include "progress.h"
#include "work.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define JOBS_DEFAULT 4
#define JOBS_MAX     64

struct client {
    const char *verb; /* "get" or "put", for messages */
    bool putting;
    const char *remote; /* the path on the server, as given */
    const char *local;  /* the path here, as given */
    unsigned int jobs;  /* files at once */
    bool verbose;
    RPC_BINDING_HANDLE server;

    /* The local end: path `local_name` beneath `local_root` is `local`.  For a tree that is
     * "." in the folder itself. */
    int local_root; /* -1: not opened yet */
    char local_name[NAME_MAX + 1];

    HANDLE transfer_port; /* where the transfers notify; threads wait at it */
    HANDLE main_port;     /* the main thread's */
    int interrupt_fd;     /* eventfd: a signal came */
    bool lost;            /* the server is, or is as good as: start nothing more */
    unsigned int failures;
    uint64_t files, links, folders;
    struct progress progress;
};

/* Did the user ask us to stop?  Set by a signal handler. */
bool client_interrupted(void);

/* Is there no point in starting anything more? */
bool client_stopping(const struct client *client);

/* Sleeps until something happened, and does what the packets of the main port are for;
 * also keeps the progress bar moving. */
void client_wait(struct client *client);

/* Messages on standard error, counted as failures.  `rel` is the path below `local` and
 * `remote`, "" for these themselves.  A fault of the runtime itself makes client->lost. */
void client_complain_here(struct client *client, const char *rel, int error);
void client_complain_there(struct client *client, const char *rel, RPC_STATUS status);
/* A message that is no failure. */
void client_warn(struct client *client, const char *rel, const char *words);

/* The path of `rel` on the server, or beneath local_root.  False: too long. */
bool client_remote_path(const struct client *client, const char *rel, char ret_path[PATH_MAX]);
const char *client_local_path(const struct client *client, const char *rel);

/* Calls a stub.  What goes wrong before the call is accepted it raises as an exception;
 * then the call does not exist: no notification will come and nothing is to be completed.
 * `status` is a volatile RPC_STATUS, RPC_S_OK before. */
#define START_CALL(status, stub)                                                                   \
    RpcTryExcept                                                                                   \
    {                                                                                              \
        stub;                                                                                      \
    }                                                                                              \
    RpcExcept(1)                                                                                   \
    {                                                                                              \
        (status) = (RPC_STATUS)RpcExceptionCode();                                                 \
    }                                                                                              \
    RpcEndExcept

/* ---- place.c: where `local` is ---- */

/* All return 0 or an errno value. */
int place_open_source(struct client *client); /* put: the file or folder that is there */
int place_open_folder(struct client *client); /* get: a folder, made if need be */
int place_open_parent(struct client *client); /* get: a file or link */

/* ---- calls.c: the operations without pipes ---- */

/* A call that is waited for in the main thread, or looked at now and then. */
struct call {
    struct work work;
    RPC_ASYNC_STATE async;
    struct client *client;
    bool complete; /* RpcCallComplete came; the main thread writes and reads it */
};

RPC_STATUS call_init(struct call *call, struct client *client);
/* Waits (an interrupt cancels the call) and collects the reply. */
RPC_STATUS call_finish(struct call *call);

RPC_STATUS call_make_folder(struct client *client, const char *path);
RPC_STATUS call_set_info(struct client *client, const char *path, const file_info *info);
RPC_STATUS call_make_link(struct client *client, const char *path, const char *target,
                          const file_info *info);
RPC_STATUS call_read_link(struct client *client, const char *path, unsigned char *target);

/* ---- engine.c ---- */

/* Does the whole job; what went wrong is in the client's counters. */
void engine_run(struct client *client);

#endif
