/* SPDX-License-Identifier: MIT */
/* harness.h - what joins the stubs of a golden to the programs of the round trip, as
 * stubs.py writes it.  One program has the client stubs of all goldens, the other the server
 * stubs; each golden is one `struct golden` in a table. */
#ifndef PENSTOCK_TESTS_GOLDEN_HARNESS_H
#define PENSTOCK_TESTS_GOLDEN_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc.h"
#include "rpcndr.h"

struct text;   /* text.h   */
struct values; /* values.h */

/* Calls a stub with the members of a frame; a result is stored in it. */
typedef void (*golden_call_fn)(void *frame);

struct golden_interface {
    RPC_IF_HANDLE *spec;           /* NULL: end of the list                                  */
    const golden_call_fn *calls;   /* client: by operation; NULL: no stub was asked for      */
    const golden_call_fn *callbacks; /* server: by [callback]                                */
    const void *epv;               /* server: NULL: the stub's default one                   */
};

/* A type of [wire_marshal] or [user_marshal], which no descriptor describes in memory. */
struct golden_user_type {
    const char *name; /* NDR_TYPE.name; NULL: end of the list */
    void (*generate)(struct values *values, void *value, bool is_new);
    void (*print)(struct text *text, const void *value);
};

/* Client: a type with [encode] or [decode]. */
struct golden_pickle {
    RPC_IF_HANDLE *spec;    /* NULL: end of the list */
    const NDR_PARAM *param; /* describes it          */
    void (*encode)(handle_t handle, void *object); /* the stub's; NULL: it has none */
    void (*decode)(handle_t handle, void *object);
};

struct golden {
    const char *name;
    const struct golden_interface *interfaces;
    handle_t *const *handles; /* client: of [implicit_handle], NULL at the end              */
    void (*set_up)(void);     /* before the first call; NULL: nothing to do                  */
    const struct golden_user_type *user_types;
    const struct golden_pickle *pickles;
};

extern const struct golden *const goldens[]; /* all of the program; NULL at the end */

/* Client: the binding of every call, for routines of generic handles. */
extern handle_t golden_binding;

/* What a manager routine does: notes its arguments, fills the others, notes them.  `frame` is
 * the operation's, with the arguments in it. */
void golden_manage(const struct golden *golden, const NDR_OPERATION *operation, void *frame);

/* What the routines that stubs call by name do, at the server. */
void golden_rundown(void *context);
void golden_notified(void);
void golden_notified_of(boolean called);

#endif
