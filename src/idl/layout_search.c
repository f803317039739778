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

bool layout_has_contexts(struct idl_compiler *c, const struct proc *proc)
{
    struct search search = {.round = ++c->search_round};
    search.waiting = arena_alloc(&c->arena, (c->node_count + 1) * sizeof(struct node *));
    for (const struct var *param = proc->params; param; param = param->next)
        visit(&search, param->node);
    if (proc->result_var)
        visit(&search, proc->result_var->node);
    while (search.count > 0) {
        const struct node *node = search.waiting[--search.count];
        if (node->context)
            return true;
        visit_inner(&search, node);
    }
    return false;
}
