/* SPDX-License-Identifier: MIT */
/* server_memory.c - managers of rt_regions. */
#include "server.h"

#include <string.h>

#include "trees.h"

#define SERVER_FILE WRONG_MEMORY

#define DEPTH_MAX 6

static void plant(int depth, size_t bytes, RT_TWIG *root)
{
    /* What the buffer has no room for may be anywhere the stub need not free. */
    static _Thread_local uint64_t elsewhere[((1 << DEPTH_MAX) - 1) * TREE_NODE_ROOM / 8];
    static const RT_TWIG blank;
    VERIFY(depth >= 1 && depth <= DEPTH_MAX && bytes >= sizeof(*root));
    VERIFY(memcmp(root, &blank, sizeof(blank)) == 0);
    if (bytes >= tree_nodes(depth) * TREE_NODE_ROOM)
        VERIFY(tree_make(root, depth) == root);
    else
        *root = *tree_make(elsewhere, depth);
}

int32_t RtPlant(handle_t h, int16_t depth, int32_t bytes, RT_TWIG *root)
{
    (void)h;
    plant(depth, (size_t)bytes, root);
    return bytes;
}

void RtPlantLater(PRPC_ASYNC_STATE RtPlantLater_AsyncHandle, handle_t h, int16_t depth,
                  uint16_t bytes, RT_TWIG *root)
{
    (void)h;
    plant(depth, bytes, root);
    RpcAsyncCompleteCall(RtPlantLater_AsyncHandle, NULL);
}

static RT_WHOLE_TREE whole(int depth)
{
    return tree_make(sample_allocate(tree_nodes(depth) * TREE_NODE_ROOM), depth);
}

RT_WHOLE_TREE RtGrow(handle_t h, RT_WHOLE_TREE tree, RT_WHOLE_TREE *changed)
{
    int depth = tree ? tree->depth : 0, old = *changed ? (*changed)->depth : 0;
    (void)h;
    VERIFY(depth >= 0 && depth < DEPTH_MAX && old >= 0 && old < DEPTH_MAX);
    VERIFY(!tree || (tree_is(tree, depth) && tree_is_whole(tree, depth)));
    VERIFY(!*changed || (tree_is(*changed, old) && tree_is_whole(*changed, old)));
    RT_WHOLE_TREE result = tree ? whole(depth) : NULL;
    midl_user_free(*changed); /* all of it */
    *changed = NULL;
    *changed = whole(old + 1);
    return result;
}

void RtGrove(handle_t h, RT_GROVE *grove)
{
    int32_t n = grove->n;
    (void)h;
    VERIFY(n >= 0 && n < DEPTH_MAX);
    for (int32_t i = 0; i < n; i++)
        VERIFY(tree_is(grove->trees[i], i + 1) && tree_is_whole(grove->trees[i], i + 1));
    RT_WHOLE_TREE *trees = sample_allocate((size_t)(n + 1) * sizeof(*trees));
    if (n > 0)
        memcpy(trees, grove->trees, (size_t)n * sizeof(*trees));
    midl_user_free(grove->trees);
    grove->trees = trees;
    grove->n = n + 1;
    trees[n] = whole(n + 1);
}

RT_WHOLE_RING RtTurnLoop(handle_t h, RT_WHOLE_RING ring)
{
    int32_t count = 0;
    (void)h;
    const RT_LOOP *at = ring;
    do {
        VERIFY(at && at->value == count && at == ring + count); /* one behind the other */
        at = at->next;
        count++;
    } while (at != ring && count < 1000);
    RT_WHOLE_RING turned = sample_allocate((size_t)count * sizeof(*turned));
    for (int32_t i = 0; i < count; i++)
        turned[i] = (RT_LOOP){.value = i, .next = &turned[(i + count - 1) % count]};
    return turned;
}
