/* SPDX-License-Identifier: MIT */
/* server_unions.c - managers of rt_union. */
#include "server.h"

#include <string.h>

#include "samples_unions.h"

#define SERVER_FILE WRONG_UNIONS

void RtUnion(handle_t h, uint32_t seed, uint32_t tag, RT_VALUE *in, RT_VALUE *out, RT_VALUE *both)
{
    (void)h;
    VERIFY(value_equal(in, tag, seed));
    VERIFY(value_equal(both, tag, seed + 1));
    value_fill(out, tag, seed + 2);
    value_change(both, tag);
}

void RtUnionValue(handle_t h, uint32_t seed, uint32_t tag, RT_VALUE value, RT_VALUE *next)
{
    (void)h;
    VERIFY(value_equal(&value, tag, seed));
    VERIFY(seed % 3 == 0 ? !next : next && value_equal(next, tag + 1, seed + 1));
}

void RtUnionChosen(handle_t h, uint32_t seed, uint32_t want, uint32_t *tag, RT_VALUE *value)
{
    (void)h;
    *tag = want;
    value_fill(value, want, seed);
}

void RtStrict(handle_t h, int16_t *tag, RT_STRICT *v, int16_t next)
{
    (void)h;
    if (*tag == -1)
        v->one = ~v->one;
    else if (*tag == 2)
        v->digit = 9 - v->digit;
    *tag = next;
}

void RtTagged(handle_t h, uint32_t seed, RT_TAGGED *in, RT_TAGGED *out)
{
    (void)h;
    VERIFY(tagged_equal(in, seed));
    tagged_fill(out, seed + 1);
}

void RtTaggeds(handle_t h, uint32_t n, RT_TAGGED *in, RT_TAGGED *out)
{
    for (uint32_t i = 0; i < n; i++)
        RtTagged(h, i, &in[i], &out[n - 1 - i]);
}

static RT_TREE *mirror(const RT_TREE *tree, int64_t *sum)
{
    if (!tree)
        return NULL;
    RT_TREE *copy = sample_allocate(sizeof(*copy));
    copy->kind = tree->kind;
    switch (tree->kind) {
    case 0:
        copy->u.leaf = ~tree->u.leaf;
        *sum += tree->u.leaf;
        break;
    case 1:
        copy->u.one = mirror(tree->u.one, sum);
        break;
    default:
        copy->u.two[0] = mirror(tree->u.two[1], sum);
        copy->u.two[1] = mirror(tree->u.two[0], sum);
    }
    return copy;
}

int64_t RtTree(handle_t h, RT_TREE *tree, RT_TREE **mirrored)
{
    (void)h;
    int64_t sum = 0;
    *mirrored = mirror(tree, &sum);
    return sum;
}

void RtShapes(handle_t h, uint32_t n, RT_SHAPE one, RT_SHAPE *in, RT_SHAPE *out)
{
    (void)h;
    VERIFY(shape_equal(&one, n));
    for (uint32_t i = 0; i < n; i++) {
        VERIFY(shape_equal(&in[i], i));
        shape_fill(&out[i], i + 1);
    }
}

RT_SHAPE RtShapeResult(handle_t h, uint32_t seed)
{
    (void)h;
    RT_SHAPE shape;
    shape_fill(&shape, seed);
    return shape;
}

void RtVersioned(handle_t h, uint32_t seed, RT_VERSIONED *in, RT_VERSIONED *out)
{
    (void)h;
    if (in->version != 3) {
        out->version = 3;
        VERIFY(in->tagged_union.number == ~(int64_t)seed);
        out->tagged_union.shape = NULL;
        if (in->version == 2)
            return;
        out->tagged_union.shape = sample_allocate(sizeof(RT_SHAPE));
        shape_fill(out->tagged_union.shape, seed + 1);
        return;
    }
    VERIFY(in->tagged_union.shape && shape_equal(in->tagged_union.shape, seed));
    out->version = 1;
    out->tagged_union.number = seed;
}
