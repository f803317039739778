/* SPDX-License-Identifier: MIT */
/* characters_graph.h - where in the parameters of a call [cs_char] is: every array, the objects
 * and structures they are in, and the counts that go with them, listed before anything is
 * changed.
 *
 *     GRAPH_COPY      client, request: what leads to characters is copied, the copy will have the
 *                     octets; the program's own stays as it is
 *     GRAPH_ANSWER    client, reply: what the engine made of that copy
 *     GRAPH_IN_PLACE  server: the objects of the call, before and after the manager
 *
 * Pointers are not followed recursively: a peer decides how long a list is. */
#ifndef RUNTIME_CHARACTERS_GRAPH_H
#define RUNTIME_CHARACTERS_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include <penstock/rpcndr.h>

#include "ndr/alias.h"
#include "ndr/list.h"
#include "ndr/ndr.h"

#define GRAPH_NONE UINT32_MAX

enum graph_mode { GRAPH_COPY, GRAPH_ANSWER, GRAPH_IN_PLACE };

/* Objects may move; so an address is told like this. */
struct graph_place {
    uint32_t object; /* 0: the frame */
    size_t offset;
};

/* The frame, or what a pointer leads to, unless that is a character or an array of them. */
struct graph_object {
    const NDR_TYPE *type; /* NULL: the frame */
    uint8_t *memory;      /* where the engine has, or had, octets                           */
    uint8_t *program;     /* the program's object that it is a copy of; NULL: it is no copy */
    uint8_t *successor;   /* it moves there with `head` octets, because characters end it and have
                           * another size now; NULL: it stays                              */
    size_t head;
    uint32_t scope;       /* of what size_is of it names */
    uint32_t direction;   /* NDR_PARAM_IN, NDR_PARAM_OUT: where the parameter travels */
};

/* A pointer to an object. */
struct graph_slot {
    struct graph_place place;
    uint32_t object;
};

/* What size_is and length_is refer to: a structure, or the frame. */
struct graph_scope {
    struct graph_place place;
    uint32_t first_count; /* GRAPH_NONE: no count of characters is in it */
    uint32_t direction;
};

/* A size or length of characters.  It may be that of several arrays. */
struct graph_count {
    const NDR_EXPR *expr; /* NDR_EXPR_LOAD or NDR_EXPR_DEREF */
    uint32_t scope, next; /* in that scope, or GRAPH_NONE */
    uint32_t direction;   /* where the variable itself travels */
    uint32_t before, after;
    bool is_known; /* `before` is: it has a value that makes sense */
    bool is_set;   /* `after` is: the variable gets that value */
};

/* Characters, or one. */
struct graph_array {
    const NDR_TYPE *type; /* ARRAY, or the octet itself */
    const NDR_CS_TYPE *how;
    struct graph_place place; /* of the elements; behind a pointer: of the pointer */
    bool is_inside;           /* it is in the object itself */
    bool is_tail;             /* and ends it: conformant */
    uint32_t direction;
    uint32_t fixed;        /* elements; 0: conformant */
    uint32_t size, length; /* of the graph's counts, or GRAPH_NONE */
    uint8_t *memory;       /* what is to be converted; NULL: the pointer is */
    /* For who converts it: */
    uint8_t *program;  /* ANSWER: the program's own array, where it belongs; NULL: a new one */
    uint8_t *result;   /* what became of it: to_size elements of it count */
    uint8_t *object;   /* behind a pointer: where that is to lead */
    uint32_t from_size, to_size, to_len;
    uint32_t room;     /* what the size routine said */
    IDL_CS_CONVERT conversion;
};

struct characters_graph {
    const NDR_OPERATION *op;
    enum graph_mode mode;
    bool is_request; /* graph_gather(): before the manager, on either side */
    const struct characters_graph *request; /* ANSWER: the copy's */
    const struct ndr_memory *memory;
    struct graph_object frame;
    struct ndr_list objects, slots, scopes, counts, arrays, waiting;
    struct ndr_list owned;     /* COPY: memory of ours */
    struct ndr_aliases known;  /* objects by their address, COPY: by the program's, too */
};

/* An empty graph over `frame`; COPY: of the copy, which stands for `program`. */
void graph_init(struct characters_graph *graph, const NDR_OPERATION *op, enum graph_mode mode,
                void *frame, void *program, const struct ndr_memory *memory);
/* Frees what is ours: results, copies, and objects and successors not in place. */
void graph_fini(struct characters_graph *graph);

/* Lists what parameters lead to that travel in `direction`, or in either if both are given.
 * RPC_S_OUT_OF_MEMORY; RPC_S_INVALID_BOUND: counts make no sense; RPC_S_INVALID_TAG: no union
 * has that arm; RPC_S_OUT_OF_RESOURCES: too many pointers behind each other;
 * RPC_S_CANNOT_SUPPORT: [out] memory without a size. */
RPC_STATUS graph_gather(struct characters_graph *graph, uint32_t direction);

static inline uint32_t graph_array_count(const struct characters_graph *graph)
{
    return (uint32_t)graph->arrays.count;
}
struct graph_array *graph_array_at(const struct characters_graph *graph, uint32_t index);
struct graph_object *graph_object_at(const struct characters_graph *graph, uint32_t index);
struct graph_scope *graph_scope_at(const struct characters_graph *graph, uint32_t index);
struct graph_count *graph_count_at(const struct characters_graph *graph, uint32_t index);

/* The address now; in the program's memory, NULL: there is none. */
uint8_t *graph_at(const struct characters_graph *graph, struct graph_place place);
uint8_t *graph_program_at(const struct characters_graph *graph, struct graph_place place);
/* The object at that address; NULL: none. */
const struct graph_object *graph_find(const struct characters_graph *graph, const void *memory);

/* Memory of ours, zeroed, that goes with the graph; NULL: out of memory. */
void *graph_own(struct characters_graph *graph, size_t size);

/* ---- characters_commit.c ---------------------------------------------------------------- */

/* Elements of the array before it is converted, in *ret_size, and how many of them count. False:
 * its counts make no sense. */
bool graph_sizes(const struct characters_graph *graph, const struct graph_array *array,
                 uint32_t *ret_size, uint32_t *ret_len);
/* The variable of the size gets the largest value that any array needs ... */
void graph_raise_size(const struct characters_graph *graph, const struct graph_array *array,
                      uint32_t size);
/* ... which is this; or the constant size. */
uint32_t graph_new_size(const struct characters_graph *graph, const struct graph_array *array);
/* That of the length gets this value; false: another array has given it another one. */
bool graph_set_length(const struct characters_graph *graph, const struct graph_array *array,
                      uint32_t length);

/* Memory for what is converted to lead to: an array behind a pointer gets an `object` for
 * to_size elements, an object that ends in one a successor.  RPC_S_OUT_OF_MEMORY. */
RPC_STATUS graph_make_room(struct characters_graph *graph, bool to_net);
/* graph_find() knows the successors, too.  RPC_S_OUT_OF_MEMORY. */
RPC_STATUS graph_note_successors(struct characters_graph *graph);
/* Puts counts, results and objects in place; what was there before is freed.  Arrays that are
 * the program's stay as they are.  False: a count does not fit its variable, nothing was done. */
bool graph_commit(struct characters_graph *graph, bool to_net);

#endif
