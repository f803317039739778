/* SPDX-License-Identifier: MIT */
/* client_unions.c - discriminants, arms and what is refused. */
#include "client.h"

#include "samples_unions.h"

static bool union_arms(void)
{
    for (size_t k = 0; k < VALUE_TAGS; k++) {
        uint32_t tag = value_tags[k];
        for (uint32_t seed = 0; seed < 8; seed++) {
            RT_VALUE in, out, both;
            GARBAGE(out);
            value_fill(&in, tag, seed);
            value_fill(&both, tag, seed + 1);
            RtUnion(server, seed, tag, &in, &out, &both);
            CHECK(value_equal(&in, tag, seed));
            CHECK(value_equal(&out, tag, seed + 2));
            value_change(&both, tag);
            CHECK(value_equal(&both, tag, seed + 1));
            value_clear(&in, tag);
            value_clear(&out, tag);
            value_clear(&both, tag);
        }
    }
    return true;
}

static bool union_values(void)
{
    for (size_t k = 0; k < VALUE_TAGS; k++) {
        uint32_t tag = value_tags[k];
        if (tag == 0xffffffff)
            continue; /* 64 bits hold tag + 1, the discriminant does not */
        for (uint32_t seed = 0; seed < 6; seed++) {
            RT_VALUE value, next;
            value_fill(&value, tag, seed);
            value_fill(&next, tag + 1, seed + 1);
            RtUnionValue(server, seed, tag, value, seed % 3 == 0 ? NULL : &next);
            value_clear(&value, tag);
            value_clear(&next, tag + 1);
        }
    }
    return true;
}

/* The discriminant comes with the reply. */
static bool union_chosen(void)
{
    for (size_t k = 0; k < VALUE_TAGS; k++) {
        uint32_t tag = 4711;
        RT_VALUE value;
        GARBAGE(value);
        RtUnionChosen(server, (uint32_t)k, value_tags[k], &tag, &value);
        CHECK_EQUAL(tag, value_tags[k]);
        CHECK(value_equal(&value, tag, (uint32_t)k));
        value_clear(&value, tag);
    }
    return true;
}

/* Values without an arm or out of the arm's range, in the client and in the manager's reply. */
static bool union_refused(void)
{
    RT_STRICT v = {.one = 42};
    int16_t tag = -1;
    RtStrict(server, &tag, &v, -1);
    CHECK(tag == -1 && v.one == ~42);
    static const int16_t bad[] = {0, 1, 4, INT16_MIN, INT16_MAX};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        tag = bad[i];
        CHECK_RAISES(RPC_S_INVALID_TAG, RtStrict(server, &tag, &v, 3));
        tag = -1;
        CHECK_RAISES(RPC_S_INVALID_TAG, RtStrict(server, &tag, &v, bad[i]));
    }
    tag = 2;
    v.digit = 3;
    RtStrict(server, &tag, &v, 2);
    CHECK(tag == 2 && v.digit == 6);
    v.digit = 10;
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtStrict(server, &tag, &v, 2));
    tag = 3;
    RtStrict(server, &tag, &v, 3);
    CHECK_EQUAL(tag, 3);
    return true;
}

static bool union_fields(void)
{
    for (uint32_t seed = 0; seed < 84; seed++) {
        RT_TAGGED in, out;
        GARBAGE(out);
        tagged_fill(&in, seed);
        RtTagged(server, seed, &in, &out);
        CHECK(tagged_equal(&in, seed));
        CHECK(tagged_equal(&out, seed + 1));
        tagged_clear(&in);
        tagged_clear(&out);
    }
    return true;
}

static bool union_elements(void)
{
    static const uint32_t counts[] = {0, 1, 2, 30, 300};
    for (size_t k = 0; k < COUNT_OF(counts); k++) {
        uint32_t n = counts[k];
        RT_TAGGED *in = sample_allocate(n * sizeof(*in)), *out = sample_allocate(n * sizeof(*out));
        memset(out, 0xee, n * sizeof(*out));
        for (uint32_t i = 0; i < n; i++)
            tagged_fill(&in[i], i);
        RtTaggeds(server, n, in, out);
        for (uint32_t i = 0; i < n; i++) {
            CHECK(tagged_equal(&out[n - 1 - i], i + 1));
            tagged_clear(&in[i]);
            tagged_clear(&out[n - 1 - i]);
        }
        midl_user_free(in);
        midl_user_free(out);
    }
    return true;
}

static RT_TREE *tree_new(uint32_t depth)
{
    RT_TREE *tree = sample_allocate(sizeof(*tree));
    tree->kind = depth == 0 ? 0 : depth % 3 == 0 ? 1 : 2;
    if (tree->kind == 0) {
        tree->u.leaf = 5;
    } else if (tree->kind == 1) {
        tree->u.one = tree_new(depth - 1);
    } else {
        tree->u.two[0] = tree_new(depth - 1);
        tree->u.two[1] = depth == 1 ? NULL : tree_new(depth - 2);
    }
    return tree;
}

/* Frees `b` and `a`; are they mirrors of each other? */
static bool mirrored(RT_TREE *a, RT_TREE *b)
{
    if (!a || !b)
        return !a && !b;
    bool same = a->kind == b->kind;
    if (same && a->kind == 0)
        same = a->u.leaf == ~b->u.leaf;
    else if (same && a->kind == 1)
        same = mirrored(a->u.one, b->u.one);
    else if (same)
        same = mirrored(a->u.two[0], b->u.two[1]) & mirrored(a->u.two[1], b->u.two[0]);
    midl_user_free(a);
    midl_user_free(b);
    return same;
}

static bool union_trees(void)
{
    for (uint32_t depth = 0; depth < 8; depth++) {
        RT_TREE *tree = tree_new(depth), *back;
        GARBAGE(back);
        int64_t sum = RtTree(server, tree, &back);
        CHECK(sum > 0 && sum % 5 == 0);
        CHECK(mirrored(tree, back));
    }
    RT_TREE *back, bad = {.kind = 3};
    CHECK_EQUAL(RtTree(server, NULL, &back), 0);
    CHECK(!back);
    CHECK_RAISES(RPC_S_INVALID_TAG, RtTree(server, &bad, &back));
    return true;
}

static bool shapes(void)
{
    for (uint32_t n = 0; n < 20; n++) {
        RT_SHAPE one, in[20], out[20];
        GARBAGE(out);
        shape_fill(&one, n);
        for (uint32_t i = 0; i < n; i++)
            shape_fill(&in[i], i);
        RtShapes(server, n, one, in, out);
        for (uint32_t i = 0; i < n; i++) {
            CHECK(shape_equal(&out[i], i + 1));
            shape_clear(&in[i]);
            shape_clear(&out[i]);
        }
        shape_clear(&one);
        one = RtShapeResult(server, n);
        CHECK(shape_equal(&one, n));
        shape_clear(&one);
    }
    return true;
}

static bool versioned(void)
{
    for (uint32_t seed = 0; seed < 8; seed++) {
        RT_SHAPE shape;
        RT_VERSIONED in = {.version = 3}, out;
        GARBAGE(out);
        shape_fill(&shape, seed);
        in.tagged_union.shape = &shape;
        RtVersioned(server, seed, &in, &out);
        CHECK(out.version == 1 && out.tagged_union.number == seed);
        shape_clear(&shape);
        for (uint16_t version = 1; version < 3; version++) {
            GARBAGE(out);
            in.version = version;
            in.tagged_union.number = ~(int64_t)seed;
            RtVersioned(server, seed, &in, &out);
            CHECK_EQUAL(out.version, 3);
            CHECK((out.tagged_union.shape != NULL) == (version == 1));
            if (version == 2)
                continue;
            CHECK(shape_equal(out.tagged_union.shape, seed + 1));
            shape_clear(out.tagged_union.shape);
            midl_user_free(out.tagged_union.shape);
        }
        in.version = 4;
        CHECK_RAISES(RPC_S_INVALID_TAG, RtVersioned(server, seed, &in, &out));
    }
    return true;
}

const struct test_case union_cases[] = {
    {"union_arms", union_arms},     {"union_values", union_values},
    {"union_chosen", union_chosen}, {"union_refused", union_refused},
    {"union_fields", union_fields}, {"union_elements", union_elements},
    {"union_trees", union_trees},   {"shapes", shapes},
    {"versioned", versioned},       {NULL, NULL},
};
