/* SPDX-License-Identifier: MIT */
/* trees.h - complete binary trees in one piece of memory, for regions.idl. */
#ifndef ROUNDTRIP_TREES_H
#define ROUNDTRIP_TREES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regions.h"

#define TREE_NAME_LEN 3 /* characters, with the terminator */
/* Octets one node takes at most, its name aligned. */
#define TREE_NODE_ROOM (sizeof(RT_TWIG) + 8)

static inline size_t tree_nodes(int depth)
{
    return ((size_t)1 << depth) - 1;
}

struct tree_maker {
    RT_TWIG *nodes; /* where the next one goes */
    WCHAR (*names)[TREE_NAME_LEN];
    unsigned made;
};

static inline RT_TWIG *tree_make_node(struct tree_maker *maker, int depth)
{
    RT_TWIG *node = maker->nodes++;
    WCHAR *name = *maker->names++;
    name[0] = (WCHAR)(u'A' + depth);
    name[1] = (WCHAR)(0x400 + maker->made++);
    name[2] = 0;
    *node = (RT_TWIG){.depth = (int16_t)depth, .name = name};
    if (depth > 1) {
        node->left = tree_make_node(maker, depth - 1);
        node->right = tree_make_node(maker, depth - 1);
    }
    return node;
}

/* In `memory`, which has room for tree_nodes(depth) times TREE_NODE_ROOM. */
static inline RT_TWIG *tree_make(void *memory, int depth)
{
    struct tree_maker maker = {.nodes = memory};
    maker.names = (WCHAR(*)[TREE_NAME_LEN])(void *)(maker.nodes + tree_nodes(depth));
    return tree_make_node(&maker, depth);
}

static inline bool tree_is_node(const RT_TWIG *node, int depth, unsigned *made)
{
    if (!node || !node->name || node->depth != depth || node->name[0] != (WCHAR)(u'A' + depth) ||
        node->name[1] != (WCHAR)(0x400 + (*made)++) || node->name[2] != 0)
        return false;
    if (depth == 1)
        return !node->left && !node->right;
    return tree_is_node(node->left, depth - 1, made) && tree_is_node(node->right, depth - 1, made);
}

/* Is it what tree_make() makes? */
static inline bool tree_is(const RT_TWIG *tree, int depth)
{
    unsigned made = 0;
    return tree_is_node(tree, depth, &made);
}

static inline bool tree_within(const RT_TWIG *node, const char *start, const char *end)
{
    const char *at = (const char *)node, *name = (const char *)node->name;
    return at >= start && at + sizeof(*node) <= end && name >= start &&
           name + TREE_NAME_LEN * sizeof(WCHAR) <= end &&
           (!node->left || tree_within(node->left, start, end)) &&
           (!node->right || tree_within(node->right, start, end));
}

/* Is all of it behind its root, and no further than it has to be? */
static inline bool tree_is_whole(const RT_TWIG *tree, int depth)
{
    const char *start = (const char *)tree;
    return tree_within(tree, start, start + tree_nodes(depth) * TREE_NODE_ROOM);
}

#endif
