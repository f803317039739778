/* SPDX-License-Identifier: MIT */
/* client_memory.c - [byte_count], [allocate(all_nodes)]: what comes is in one piece, and one call
 * frees it; the memory of both programs is counted after each case. */
#include "client.h"

#include <stdlib.h>

#include "trees.h"

/* The root, then of each node its name and the nodes below, each where its alignment allows. */
static size_t buffer_for(int depth)
{
    size_t used = sizeof(RT_TWIG);
    for (size_t i = 0; i < tree_nodes(depth); i++) {
        if (i > 0)
            used = (used + 7) / 8 * 8 + sizeof(RT_TWIG);
        used += TREE_NAME_LEN * sizeof(WCHAR);
    }
    return used;
}

/* A buffer of exactly that size: an octet behind it is the sanitizer's. */
static RT_TWIG *buffer_of(size_t size)
{
    void *buffer = malloc(size > 0 ? size : 1);
    if (buffer)
        memset(buffer, 0xee, size > 0 ? size : 1);
    return buffer;
}

static bool plant_every_size(void)
{
    for (int16_t depth = 1; depth <= 3; depth++) {
        size_t enough = buffer_for(depth), most = tree_nodes(depth) * TREE_NODE_ROOM + 3;
        for (size_t size = 0; size <= most; size++) {
            RT_TWIG *root = buffer_of(size);
            RPC_STATUS status;
            int32_t result = 0;
            CHECK(root != NULL);
            RAISED(status, result = RtPlant(server, depth, (int32_t)size, root));
            CHECK_EQUAL(status, size < enough ? RPC_X_BYTE_COUNT_TOO_SMALL : RPC_S_OK);
            if (status == RPC_S_OK)
                CHECK(result == (int32_t)size && tree_is(root, depth) &&
                      tree_within(root, (char *)root, (char *)root + size));
            free(root);
        }
    }
    return true;
}

/* One buffer for many calls is what the attribute is for. */
static bool plant_again(void)
{
    size_t size = buffer_for(6);
    RT_TWIG *root = buffer_of(size);
    CHECK(root != NULL);
    for (int16_t depth = 1; depth <= 6; depth++) {
        CHECK_EQUAL(RtPlant(server, depth, (int32_t)size, root), size);
        CHECK(tree_is(root, depth));
    }
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtPlant(server, 1, -1, root));
    CHECK_RAISES(RPC_X_NULL_REF_POINTER, RtPlant(server, 1, (int32_t)size, NULL));
    free(root);
    return true;
}

static bool plant_later(void)
{
    size_t enough = buffer_for(3);
    for (size_t size = enough - 40; size <= enough + 8; size++) {
        struct pending pending;
        RT_TWIG *root = buffer_of(size);
        CHECK(root != NULL);
        pending_init(&pending);
        RtPlantLater(&pending.async, server, 3, (uint16_t)size, root);
        CHECK_EQUAL(pending_complete(&pending, NULL),
                    size < enough ? RPC_X_BYTE_COUNT_TOO_SMALL : RPC_S_OK);
        CHECK(size < enough || tree_is(root, 3));
        free(root);
    }
    return true;
}

static RT_WHOLE_TREE whole(int depth)
{
    return tree_make(sample_allocate(tree_nodes(depth) * TREE_NODE_ROOM), depth);
}

static bool whole_trees(void)
{
    for (int depth = 0; depth <= 5; depth++) {
        RT_WHOLE_TREE tree = depth > 0 ? whole(depth) : NULL;
        RT_WHOLE_TREE old = 5 - depth > 0 ? whole(5 - depth) : NULL, changed = old;
        RT_WHOLE_TREE result = RtGrow(server, tree, &changed);
        CHECK(!tree || (result != tree && tree_is(result, depth) && tree_is_whole(result, depth)));
        CHECK(tree || !result);
        CHECK(changed != old && tree_is(changed, 6 - depth) && tree_is_whole(changed, 6 - depth));
        CHECK(!old || tree_is(old, 5 - depth)); /* orphaned, as it was */
        midl_user_free(tree);
        midl_user_free(old);
        midl_user_free(changed);
        midl_user_free(result);
    }
    return true;
}

static bool whole_grove(void)
{
    RT_GROVE grove = {.n = 0};
    RtGrove(server, &grove);
    CHECK_EQUAL(grove.n, 1);
    CHECK(tree_is(grove.trees[0], 1) && tree_is_whole(grove.trees[0], 1));
    /* Now there is an array of the client's own, which has no room for one more. */
    RT_WHOLE_TREE old = grove.trees[0];
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtGrove(server, &grove));
    CHECK(grove.trees[0] == old && tree_is(old, 1));
    midl_user_free(old);
    midl_user_free(grove.trees);

    RT_WHOLE_TREE trees[4];
    for (int i = 0; i < 4; i++)
        trees[i] = whole(i + 1);
    grove = (RT_GROVE){.n = 4, .trees = trees};
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtGrove(server, &grove));
    for (int i = 0; i < 4; i++)
        midl_user_free(trees[i]);
    return true;
}

static bool whole_rings(void)
{
    for (int32_t count = 1; count <= 100; count += 33) {
        RT_LOOP ring[100];
        for (int32_t i = 0; i < count; i++)
            ring[i] = (RT_LOOP){.value = i, .next = &ring[(i + 1) % count]};
        RT_WHOLE_RING turned = RtTurnLoop(server, ring);
        const RT_LOOP *at = turned;
        for (int32_t i = 0; i < count; i++, at = at->next)
            CHECK_EQUAL(at->value, (count - i) % count);
        CHECK(at == turned);
        midl_user_free(turned);
    }
    return true;
}

/* Allocation by allocation of this program: the call fails, and everything is as before. */
static bool whole_without_memory(void)
{
    RPC_STATUS status = RPC_S_OUT_OF_MEMORY;
    RT_WHOLE_TREE tree = whole(3), old = whole(2);
    long nth = 0;
    for (; status != RPC_S_OK; nth++) {
        RT_WHOLE_TREE changed = old, result = NULL;
        memory_fail_at(nth);
        RAISED(status, result = RtGrow(server, tree, &changed));
        bool failed = memory_has_failed();
        memory_fail_at(-1);
        CHECK_EQUAL(status, failed ? RPC_S_OUT_OF_MEMORY : RPC_S_OK);
        if (failed) {
            CHECK(changed == old && !result);
        } else {
            midl_user_free(changed);
            midl_user_free(result);
        }
    }
    CHECK_EQUAL(nth, 3); /* both objects, and none */
    midl_user_free(tree);
    midl_user_free(old);
    return true;
}

const struct test_case memory_cases[] = {
    {"plant_every_size", plant_every_size},
    {"plant_again", plant_again},
    {"plant_later", plant_later},
    {"whole_trees", whole_trees},
    {"whole_grove", whole_grove},
    {"whole_rings", whole_rings},
    {"whole_without_memory", whole_without_memory},
    {NULL, NULL},
};
