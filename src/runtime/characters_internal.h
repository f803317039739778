/* SPDX-License-Identifier: MIT */
/* characters_internal.h - between characters.c, characters_client.c and characters_server.c.
 * Sizes and lengths are elements; a network element is one octet. */
#ifndef RUNTIME_CHARACTERS_INTERNAL_H
#define RUNTIME_CHARACTERS_INTERNAL_H

#include "runtime/characters.h"
#include "runtime/characters_graph.h"

/* The parameter at that place of the frame; NULL: none. */
const NDR_PARAM *characters_param(const NDR_OPERATION *op, uint32_t offset);
/* A tag, passed by value or behind a pointer; false: there is none. */
bool characters_load(const NDR_OPERATION *op, void *frame, uint32_t offset, uint32_t *ret_value);
bool characters_store(const NDR_OPERATION *op, void *frame, uint32_t offset, uint32_t value);

/* Has the program's routine set the tags, if there is one: at a client all of them, at a server
 * what it answers with. */
RPC_STATUS characters_set_tags(const NDR_OPERATION *op, void *frame, RPC_BINDING_HANDLE binding,
                               bool server_side);
/* The code set of what goes in that direction; without [cs_rtag]: of the request. */
uint32_t characters_tag(const NDR_OPERATION *op, void *frame, uint32_t direction);
/* Of what is not there yet: the one the client would like to get. */
uint32_t characters_request_tag(const NDR_OPERATION *op, void *frame,
                                const struct graph_array *array);

/* How many elements `size` of the one kind take of the other, in array->room.
 * RPC_S_INVALID_ARG: no conversion is said to be needed between elements of different sizes. */
RPC_STATUS characters_size(struct graph_array *array, RPC_BINDING_HANDLE binding, uint32_t tag,
                           bool to_net, uint32_t size);
/* Converts `count` characters to no more than `size` octets in array->result.
 * RPC_S_INVALID_BOUND: it became more; RPC_S_OUT_OF_MEMORY. */
RPC_STATUS characters_to_net(struct graph_array *array, RPC_BINDING_HANDLE binding, uint32_t tag,
                             const void *from, uint32_t count, uint32_t size);
/* Converts `net_len` octets to no more than `capacity` characters there. */
RPC_STATUS characters_to_local(struct graph_array *array, RPC_BINDING_HANDLE binding, uint32_t tag,
                               const void *from, uint32_t net_len, uint32_t capacity);

#endif
