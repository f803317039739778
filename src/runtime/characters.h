/* SPDX-License-Identifier: MIT */
/* characters.h - calls with [cs_char] arrays, which the program converts to and from the code
 * set of the network (docs/design/conversions.md).
 *
 *     client   frame of the program -> frame with octets -> engine
 *     server   engine -> frame with octets, for the manager with its characters
 *
 * The engine sees arrays of octets only, so both transfer syntaxes and all its checks are
 * the same as for any array. */
#ifndef RUNTIME_CHARACTERS_H
#define RUNTIME_CHARACTERS_H

#include <stdbool.h>

#include <penstock/rpcndr.h>

#include "ndr/ndr.h"

/* The conversions of one call; NULL-safe to end. */
struct characters;

/* Makes a frame with octets of the program's `frame`, which it borrows until the end.  Calls
 * routines of the program: no lock.  memory: what stubs of the interface give the program.
 * RPC_S_OK, or what a routine said or raised; RPC_S_INVALID_BOUND: counts that do not fit;
 * RPC_S_INVALID_TAG: a union without the arm; RPC_S_OUT_OF_MEMORY; RPC_S_OUT_OF_RESOURCES: too
 * many pointers behind each other. */
RPC_STATUS characters_new(const NDR_OPERATION *op, void *frame, RPC_BINDING_HANDLE binding,
                          const struct ndr_memory *memory, struct characters **ret_characters);
/* The same when nothing is sent: what the program has tells how much there is room for. */
RPC_STATUS characters_expect(const NDR_OPERATION *op, void *frame, RPC_BINDING_HANDLE binding,
                             const struct ndr_memory *memory, struct characters **ret_characters);
/* The frame for the engine. */
void *characters_frame(struct characters *characters);
/* The reply is in the frame for the engine: converts what came, into the program's.  A failure
 * leaves the program's memory alone, but for what the engine has written there. */
RPC_STATUS characters_take_reply(struct characters *characters);
void characters_free(struct characters *characters);

/* The program's frame will be gone before the reply is there: keeps what it has.
 * RPC_S_OUT_OF_MEMORY. */
RPC_STATUS characters_keep(struct characters *characters);
/* The program's frame, or what was kept of it. */
void *characters_program_frame(struct characters *characters);

/* Server: converts the decoded `frame` in place, runs the manager with run(arg), converts what
 * goes back, in place again.  memory: what the frame's objects are made with.  octets_max bounds
 * the characters.  What went wrong is returned; *ret_raised: the manager raised it. */
RPC_STATUS characters_manage(const NDR_OPERATION *op, void *frame, RPC_BINDING_HANDLE binding,
                             const struct ndr_memory *memory, size_t octets_max,
                             void (*run)(void *arg), void *arg, bool *ret_raised);

/* The same in steps, for a manager that answers later.  begin: `frame`, which is borrowed until
 * the end, has characters afterwards; a failure leaves nothing to end.  answer: once, when the
 * manager is done; octets again.  end: calls no routine; NULL-safe.  The frame can be freed
 * whenever it is, with characters or octets. */
struct managed_characters;
RPC_STATUS characters_begin(const NDR_OPERATION *op, void *frame, RPC_BINDING_HANDLE binding,
                            const struct ndr_memory *memory, size_t octets_max,
                            struct managed_characters **ret_managed);
RPC_STATUS characters_answer(struct managed_characters *managed);
void characters_end(struct managed_characters *managed);

#endif
