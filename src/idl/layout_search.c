/* SPDX-License-Identifier: MIT */
/* layout_search.c - what is somewhere in the data of an operation, behind whatever pointers. */
#include "idl/layout.h"

struct search {
    struct node **waiting; /* room for every node there is */
    unsigned count;
    unsigned round;
};

static void visit(struct search *search, struct node *node)
{
    if (!node || node->visited == search->round)
        return;
    node->visited = search->round;
    search->waiting[search->count++] = node;
}

static void visit_inner(struct search *search, const struct node *node)
{
    visit(search, node->element);
    for (unsigned i = 0; node->aggregate && i < node->aggregate->field_count; i++)
        visit(search, node->fields[i].node);
    for (unsigned i = 0; node->arms && i < node->arms->label_count; i++)
        visit(search, node->arms->labels[i].node);
    if (node->arms && node->arms->otherwise)
        visit(search, node->arms->otherwise->node);
}

static void begin(struct search *search, struct idl_compiler *c)
{
    search->round = ++c->search_round;
    search->count = 0;
    search->waiting = arena_alloc(&c->arena, (c->node_count + 1) * sizeof(struct node *));
}

static bool finds(struct search *search, bool (*is_it)(const struct node *node))
{
    while (search->count > 0) {
        const struct node *node = search->waiting[--search->count];
        if (is_it(node))
            return true;
        visit_inner(search, node);
    }
    return false;
}

struct node **layout_reachable(struct idl_compiler *c, struct node *node, unsigned *ret_count)
{
    struct search search;
    begin(&search, c);
    visit(&search, node);
    for (unsigned i = 0; i < search.count; i++)
        visit_inner(&search, search.waiting[i]);
    *ret_count = search.count;
    return search.waiting;
}

static bool is_context(const struct node *node)
{
    return node->context != NULL;
}

static bool is_converted(const struct node *node)
{
    return node->conversion != NULL;
}

static bool is_characters(const struct node *node)
{
    return node->characters != NULL;
}

static bool proc_has(struct idl_compiler *c, const struct proc *proc,
                     bool (*is_it)(const struct node *node))
{
    struct search search;
    begin(&search, c);
    for (const struct var *param = proc->params; param; param = param->next)
        visit(&search, param->node);
    if (proc->result_var)
        visit(&search, proc->result_var->node);
    return finds(&search, is_it);
}

bool layout_has_contexts(struct idl_compiler *c, const struct proc *proc)
{
    return proc_has(c, proc, is_context);
}

bool layout_proc_converts(struct idl_compiler *c, const struct proc *proc)
{
    return proc_has(c, proc, is_converted);
}

static bool holds(struct idl_compiler *c, struct node *node,
                  bool (*is_it)(const struct node *node))
{
    struct search search;
    begin(&search, c);
    visit(&search, node);
    return finds(&search, is_it);
}

bool layout_holds_context(struct idl_compiler *c, struct node *node)
{
    return holds(c, node, is_context);
}

bool layout_holds_characters(struct idl_compiler *c, struct node *node)
{
    return c->has_characters && holds(c, node, is_characters);
}
