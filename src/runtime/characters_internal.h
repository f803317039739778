/* SPDX-License-Identifier: MIT */
/* characters_internal.h - between characters.c, characters_client.c and characters_server.c. */
#ifndef RUNTIME_CHARACTERS_INTERNAL_H
#define RUNTIME_CHARACTERS_INTERNAL_H

#include "runtime/characters.h"

/* One [cs_char] array in a call.  Sizes and lengths are elements; a network element is one
 * octet.  What is not behind a pointer of its own (characters_is_inside) has octets and
 * characters at the same place, one after the other. */
struct characters_array {
    const NDR_CS_ARRAY *how;
    void *copy;          /* ours, of the structure around it (NULL: another array has it); at a
                          * server, of octets that are in the frame itself */
    uint8_t *came;       /* server: the structure that `copy` stands for, or NULL */
    void *local;         /* the characters; NULL: no array in this call */
    byte *net;           /* the octets */
    uint32_t local_size; /* room at `local` */
    uint32_t net_size;   /* room at `net`, as it travels */
    uint32_t local_len, net_len;
    bool has_length;     /* they are known */
};

/* What a size routine said. */
struct characters_size {
    uint32_t size;
    IDL_CS_CONVERT conversion;
};

/* The parameter at that place of the frame; NULL: none. */
const NDR_PARAM *characters_param(const NDR_OPERATION *op, uint32_t offset);
/* Does it travel in that direction? */
bool characters_is(const NDR_OPERATION *op, uint32_t offset, uint32_t direction);
/* Does it stand in a structure, or in the frame itself? */
bool characters_is_inside(const NDR_CS_ARRAY *how);
/* The structure it is a field of, or the frame; NULL: the program passed none. */
uint8_t *characters_base(const NDR_CS_ARRAY *how, void *frame);
/* The array in that frame; NULL: there is none. */
void *characters_place(const NDR_CS_ARRAY *how, void *frame);
/* Does the array travel in that direction?  Does its count, `offset` of size or length? */
bool characters_travels(const NDR_OPERATION *op, const NDR_CS_ARRAY *how, uint32_t direction);
bool characters_count_travels(const NDR_OPERATION *op, const NDR_CS_ARRAY *how, uint32_t offset,
                              uint32_t direction);
/* A size or length beside the array in that frame; false: as below. */
bool characters_load_count(const NDR_OPERATION *op, const NDR_CS_ARRAY *how, void *frame,
                           uint32_t offset, uint32_t *ret_value);
bool characters_store_count(const NDR_OPERATION *op, const NDR_CS_ARRAY *how, void *frame,
                            uint32_t offset, uint32_t value);
/* Octets of the structure that come before its conformant characters. */
size_t characters_head(const struct characters_array *arrays, uint32_t count,
                       const NDR_CS_ARRAY *how);
/* Copies what is no character from one structure to the other. */
void characters_copy_rest(const struct characters_array *arrays, uint32_t count,
                          const NDR_CS_ARRAY *how, uint8_t *to, const uint8_t *from);

/* A count or tag, passed by value or behind a pointer; false: there is none, or it does not
 * fit. */
bool characters_load(const NDR_OPERATION *op, void *frame, uint32_t offset, uint32_t *ret_value);
bool characters_store(const NDR_OPERATION *op, void *frame, uint32_t offset, uint32_t value);

/* Has the program's routine set the tags, if there is one: at a client all of them, at a server
 * what it answers with. */
RPC_STATUS characters_set_tags(const NDR_OPERATION *op, void *frame, RPC_BINDING_HANDLE binding,
                               bool server_side);
/* The code set of what goes in that direction; without [cs_rtag]: of the request. */
uint32_t characters_tag(const NDR_OPERATION *op, void *frame, uint32_t direction);
/* The one the client would like to get. */
uint32_t characters_wanted_tag(const NDR_OPERATION *op, void *frame);

/* How many elements `size` of the one kind take of the other.  RPC_S_INVALID_ARG: no conversion
 * is said to be needed between elements of different sizes. */
RPC_STATUS characters_size(const struct characters_array *array, RPC_BINDING_HANDLE binding,
                           uint32_t tag, bool to_net, uint32_t size,
                           struct characters_size *ret_size);
/* Octets to be at `net` for characters_to_net(). */
size_t characters_room(const struct characters_array *array, const struct characters_size *size,
                       uint32_t count);
/* Converts `count` characters to `net`.  RPC_S_INVALID_BOUND: it became more than said. */
RPC_STATUS characters_to_net(const struct characters_array *array, RPC_BINDING_HANDLE binding,
                             uint32_t tag, const struct characters_size *size, uint32_t count,
                             uint8_t *net, uint32_t *ret_len);
/* Converts `net_len` octets to no more than `capacity` characters. */
RPC_STATUS characters_to_local(const struct characters_array *array, RPC_BINDING_HANDLE binding,
                               uint32_t tag, IDL_CS_CONVERT conversion, uint32_t net_len,
                               uint32_t capacity, uint32_t *ret_count);

/* The largest size of all arrays that share the size variable of number `index`. */
uint32_t characters_largest(const struct characters_array *arrays, uint32_t count, uint32_t index,
                            bool of_net);
/* Is the length of number `index` that of the earlier ones it shares the variable with? */
bool characters_agree(const struct characters_array *arrays, uint32_t index, bool of_net);

#endif
