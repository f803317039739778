/* SPDX-License-Identifier: MIT */
/* layout_mark.c - which descriptors each interface needs, and which of them have to be
 * declared before they are defined. */
#include "idl/layout.h"

struct worklist {
    struct node **nodes;
    unsigned count;
};

static void reach(struct worklist *list, struct node *node, unsigned section)
{
    if (!node || node->section)
        return;
    node->section = section;
    list->nodes[list->count++] = node;
}

/* Structures that contain each other through pointers are complete in some order, and one may
 * hold the other by value. */
static void mark_late(const struct node *node, struct node *inner)
{
    if (inner && inner->section == node->section && inner->order >= node->order)
        inner->forward = true;
}

/* Arms are emitted with the first node that has them, which may stand inside them. */
static void mark_late_arms(const struct node *owner)
{
    const struct node_arms *arms = owner->arms;
    for (unsigned i = 0; i <= arms->label_count; i++) {
        struct node_arm *arm = i < arms->label_count ? &arms->labels[i] : arms->otherwise;
        if (arm)
            mark_late(owner, arm->node);
    }
}

static void reach_procs(struct worklist *list, const struct proc *proc, unsigned section)
{
    for (; proc; proc = proc->next) {
        for (const struct var *param = proc->params; param; param = param->next)
            reach(list, param->node, section);
        if (proc->hidden)
            reach(list, proc->hidden->node, section);
        if (proc->result_var)
            reach(list, proc->result_var->node, section);
    }
}

static struct worklist new_worklist(struct idl_compiler *c)
{
    return (struct worklist){
        .nodes = arena_alloc(&c->arena, (c->node_count + 1) * sizeof(struct node *))};
}

static void mark_all(struct idl_compiler *c, struct worklist list, unsigned section);

void layout_mark(struct idl_compiler *c, struct interface *interface, unsigned section)
{
    struct worklist list = new_worklist(c);
    reach_procs(&list, interface->procs, section);
    reach_procs(&list, interface->callbacks, section);
    mark_all(c, list, section);
}

void layout_mark_pickled(struct idl_compiler *c, unsigned section)
{
    struct worklist list = new_worklist(c);
    for (const struct interface *i = c->unit->interfaces; i; i = i->next) {
        for (const struct pickled *pickled = i->pickled; pickled; pickled = pickled->next)
            reach(&list, pickled->object->node, section);
    }
    mark_all(c, list, section);
}

/* What the nodes of the list lead to, who emits the arms of unions, and what has to be
 * declared before it is defined. */
static void mark_all(struct idl_compiler *c, struct worklist list, unsigned section)
{
    while (list.count > 0) {
        struct node *node = list.nodes[--list.count];
        reach(&list, node->element, section);
        for (unsigned i = 0; node->aggregate && i < node->aggregate->field_count; i++)
            reach(&list, node->fields[i].node, section);
        for (unsigned i = 0; node->arms && i < node->arms->label_count; i++)
            reach(&list, node->arms->labels[i].node, section);
        if (node->arms && node->arms->otherwise)
            reach(&list, node->arms->otherwise->node, section);
    }
    for (struct node *node = c->node_list; node; node = node->next) {
        if (node->section != section)
            continue;
        if (node->arms && !node->arms->owner) {
            node->arms->owner = node;
            mark_late_arms(node);
        }
        mark_late(node, node->element);
        for (unsigned i = 0; node->aggregate && i < node->aggregate->field_count; i++)
            mark_late(node, node->fields[i].node);
    }
}
