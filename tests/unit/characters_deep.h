/* SPDX-License-Identifier: MIT */
/* characters_deep.h - arguments and managers of tests/golden/b_cs_deep.idl, for one file of a
 * program.  Damaged requests reach the managers, too, so they look at nothing that is not there. */
#ifndef PENSTOCK_TESTS_CHARACTERS_DEEP_H
#define PENSTOCK_TESTS_CHARACTERS_DEEP_H

#include <stddef.h>
#include <stdbool.h>
#include <string.h>

#include "b_cs_deep.h"

static void *deep_new(size_t size)
{
    void *made = MIDL_user_allocate(size);
    if (!made)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    return memset(made, 0, size);
}

static NODE *new_node(UTF32 name, NODE *next)
{
    NODE *node = deep_new(sizeof(*node));
    node->name[0] = name;
    node->number = 1;
    node->next = next;
    return node;
}

static void free_list(NODE *list)
{
    while (list) {
        NODE *next = list->next;
        MIDL_user_free(list);
        list = next;
    }
}

static TAIL *new_tail(int32_t size, UTF32 first)
{
    TAIL *open = deep_new(offsetof(TAIL, text) + (size_t)size * sizeof(UTF32));
    open->size = size;
    open->text[0] = first;
    return open;
}

/* ---- Managers -------------------------------------------------------------------------------- */

static void manage_deep(OUTER *outer, const OUTER *by_value, int32_t n, INNER *items)
{
    outer->first.name[0] = 'D';
    outer->first.before++;
    outer->between = 99;
    outer->pair[1].mark = by_value->pair[0].mark;
    for (int32_t i = 0; i < n; i++) {
        items[i].name[1] = items[i].mark;
        items[i].before++;
    }
}

/* What is there goes, what is not comes. */
static void manage_points(POINTS *points)
{
    if (points->text && points->size > 0)
        points->text[0] = 'T';
    if (points->part && points->length < points->size)
        points->part[points->length++] = 0xe9;
    if (points->letter) {
        MIDL_user_free(points->letter);
        points->letter = NULL;
    } else {
        points->letter = deep_new(sizeof(*points->letter));
        *points->letter = 'n';
    }
    if (points->inner) {
        MIDL_user_free(points->inner);
        points->inner = NULL;
    } else {
        points->inner = deep_new(sizeof(*points->inner));
        points->inner->mark = 'm';
    }
    if (!points->note) {
        points->note = deep_new(5);
        strcpy((char *)points->note, "note");
    }
}

static void manage_list(NODE *list, NODE **other, NODE **fresh)
{
    NODE **end = &list;
    for (; *end; end = &(*end)->next) {
        (*end)->number++;
        (*end)->name[1] = (*end)->name[0];
    }
    *end = new_node(0xe9, NULL);
    free_list(*other);
    *other = NULL;
    *other = new_node('o', NULL);
    *fresh = new_node('f', NULL);
    (*fresh)->next = new_node(0xe4, NULL);
}

static void manage_ends(BESIDE *beside, ENDS *ends, HOLDS_TAIL *holds)
{
    beside->name[1] = 0xe4;
    for (int32_t i = 0; i < beside->n; i++)
        beside->values[i]++;
    ends->name[0] = 'E';
    for (int32_t i = 0; i < ends->n; i++)
        ends->items[i].mark = (UTF32)('0' + i % 10);
    holds->before.mark = 'b';
    if (holds->open.size > 0)
        holds->open.text[0] = 0xe8;
}

static void manage_meet(MEET *meet)
{
    if (meet->one)
        meet->one->name[1] = 0xe4;
    if (meet->two)
        meet->two->number++;
    switch (meet->choice.kind) {
    case 1:
        meet->choice.arm.letter = 0xfc;
        break;
    case 2:
        meet->choice.arm.inner.name[0] = 0xfc;
        break;
    case 3: /* becomes another arm */
        MIDL_user_free(meet->choice.arm.open);
        memset(&meet->choice, 0, sizeof(meet->choice));
        meet->choice.kind = 2;
        meet->choice.arm.inner.mark = 'x';
        break;
    case 4:
        memset(&meet->choice, 0, sizeof(meet->choice));
        meet->choice.arm.open = new_tail(2, 0xe4);
        meet->choice.kind = 3;
        break;
    }
}

static void manage_texts(int32_t n, int32_t size, UTF32 **texts, int32_t *got, UTF32 **text)
{
    for (int32_t i = 0; i < n; i++)
        if (texts[i] && size > 0)
            texts[i][0] = (UTF32)('a' + i % 26);
    UTF32 *made = deep_new(3 * sizeof(*made));
    made[0] = 0x3b1;
    made[2] = 'z';
    *got = 3;
    *text = made;
}

static NODE *manage_result(const UTF32 *letter)
{
    NODE *first = new_node(letter ? *letter : '?', NULL);
    first->next = MIDL_user_allocate(sizeof(NODE));
    if (!first->next) {
        MIDL_user_free(first);
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    }
    *first->next = (NODE){.name = {'r'}};
    return first;
}

/* ---- Arguments -------------------------------------------------------------------------------- */

enum deep { DEEP, POINTS_OP, LIST, ENDS_OP, MEET_OP, TEXTS, RESULT, DEEP_OPERATIONS };

#define ITEMS 3
#define TEXT_SIZE 4

/* Of a call; its variants differ in what there is.  Every object has just the room that it says. */
struct deep_arguments {
    uint32_t stag, rtag;
    OUTER outer, by_value;
    INNER items[ITEMS];
    POINTS points;
    UTF32 *text, *part; /* those the program has in `points` */
    NODE *list, *other, *fresh, *result;
    BESIDE *beside;
    ENDS *ends;
    HOLDS_TAIL *holds;
    MEET meet;
    UTF32 *texts[ITEMS], *got_text, sent_letter;
    int32_t got;
    void *mine[16]; /* what the program has made; a call may let go of it, and bring others */
    int mine_count;
};

static void *keep(struct deep_arguments *a, void *object)
{
    return a->mine[a->mine_count++] = object;
}

/* Frees what a call has brought. */
static void drop(const struct deep_arguments *a, void *object)
{
    for (int i = 0; i < a->mine_count; i++)
        if (a->mine[i] == object)
            return;
    MIDL_user_free(object);
}

static void drop_list(const struct deep_arguments *a, NODE *list)
{
    while (list) {
        NODE *next = list->next;
        drop(a, list);
        list = next;
    }
}

static void fill_points(struct deep_arguments *a, bool full)
{
    a->points.size = TEXT_SIZE;
    a->text = a->points.text = keep(a, deep_new(TEXT_SIZE * sizeof(UTF32)));
    a->part = a->points.part = keep(a, deep_new(TEXT_SIZE * sizeof(UTF32)));
    a->text[3] = a->stag == 106 ? 0x3b1 : 0xdf;
    a->part[0] = 0xe4;
    a->points.length = 1;
    if (!full)
        return;
    a->points.letter = keep(a, deep_new(sizeof(UTF32)));
    *a->points.letter = 'd';
    a->points.inner = keep(a, deep_new(sizeof(INNER)));
}

static void fill_ends(struct deep_arguments *a)
{
    a->beside = keep(a, deep_new(offsetof(BESIDE, values) + 2 * sizeof(int32_t)));
    a->beside->name[0] = 'b';
    a->beside->n = 2;
    a->beside->values[1] = 4711;
    a->ends = keep(a, deep_new(offsetof(ENDS, items) + 2 * sizeof(INNER)));
    a->ends->n = 2;
    a->ends->items[1].before = 12;
    a->ends->items[1].name[3] = 0xff;
    a->holds = keep(a, deep_new(offsetof(HOLDS_TAIL, open.text) + TEXT_SIZE * sizeof(UTF32)));
    a->holds->open.size = TEXT_SIZE;
    a->holds->open.text[3] = 'h';
}

static void fill_meet(struct deep_arguments *a, int variant)
{
    a->meet.one = keep(a, new_node('m', NULL));
    a->meet.two = variant % 2 ? a->meet.one : NULL;
    a->meet.choice.kind = (int16_t)(1 + variant % 4);
    if (a->meet.choice.kind == 3)
        a->meet.choice.arm.open = keep(a, new_tail(2, 'c'));
    else if (a->meet.choice.kind < 3)
        a->meet.choice.arm.letter = 'c';
}

static void fill_deep(struct deep_arguments *a, enum deep which, int variant)
{
    memset(a, 0, sizeof(*a));
    a->stag = 4; /* one octet for a character */
    switch (which) {
    case DEEP:
        a->outer.first.before = 7;
        a->outer.pair[0].name[3] = 0xe4;
        a->by_value.pair[0].mark = 0xdf;
        for (int i = 0; i < ITEMS; i++)
            a->items[i].mark = (UTF32)(0xe0 + i);
        break;
    case POINTS_OP:
        a->stag = variant % 2 ? 106 : 4; /* or UTF-8 */
        fill_points(a, variant % 4 < 2);
        break;
    case LIST:
        a->list = keep(a, new_node('l', keep(a, new_node('i', NULL))));
        a->other = variant % 2 ? keep(a, new_node('x', keep(a, new_node('y', NULL)))) : NULL;
        break;
    case ENDS_OP:
        fill_ends(a);
        break;
    case MEET_OP:
        fill_meet(a, variant);
        break;
    case TEXTS:
        a->stag = 106;
        for (int i = 0; i < ITEMS; i++)
            a->texts[i] = keep(a, deep_new(TEXT_SIZE * sizeof(UTF32)));
        a->texts[1][3] = 0x3b1;
        break;
    case RESULT:
        a->sent_letter = 0xf6;
        break;
    case DEEP_OPERATIONS:
        break;
    }
}

static void clear_deep(struct deep_arguments *a)
{
    drop(a, a->points.text);
    drop(a, a->points.part);
    drop(a, a->points.letter);
    drop(a, a->points.inner);
    drop(a, a->points.note);
    drop_list(a, a->other);
    drop_list(a, a->list);
    drop_list(a, a->fresh);
    drop_list(a, a->result);
    if (a->meet.two != a->meet.one)
        drop_list(a, a->meet.two);
    drop_list(a, a->meet.one);
    if (a->meet.choice.kind == 3)
        drop(a, a->meet.choice.arm.open);
    for (int i = 0; i < ITEMS; i++)
        drop(a, a->texts[i]);
    drop(a, a->got_text);
    while (a->mine_count > 0)
        MIDL_user_free(a->mine[--a->mine_count]);
}

static bool points_are_right(const struct deep_arguments *a, bool full)
{
    const POINTS *p = &a->points;
    bool right = p->size == TEXT_SIZE && p->text == a->text && p->part == a->part &&
                 p->text[0] == 'T' && p->text[3] == (a->stag == 106 ? 0x3b1u : 0xdfu) &&
                 p->length == 2 && p->part[0] == 0xe4 && p->part[1] == 0xe9 &&
                 p->note && strcmp((const char *)p->note, "note") == 0;
    if (full)
        return right && !p->letter && !p->inner;
    return right && p->letter && *p->letter == 'n' && p->inner && p->inner->mark == 'm';
}

static bool list_is_right(const struct deep_arguments *a)
{
    const NODE *second = a->list->next, *third = second ? second->next : NULL;
    return a->list->number == 2 && a->list->name[1] == 'l' && second && second->number == 2 &&
           second->name[1] == 'i' && third && third->name[0] == 0xe9 && !third->next &&
           a->other && a->other->name[0] == 'o' && !a->other->next && a->fresh &&
           a->fresh->name[0] == 'f' && a->fresh->next && a->fresh->next->name[0] == 0xe4;
}

static bool meet_is_right(const struct deep_arguments *a, int variant)
{
    const MEET *meet = &a->meet;
    const bool meets = variant % 2;
    if (!meet->one || meet->one->name[1] != 0xe4 || meet->two != (meets ? meet->one : NULL) ||
        meet->one->number != (meets ? 2 : 1))
        return false;
    switch (1 + variant % 4) {
    case 1:
        return meet->choice.kind == 1 && meet->choice.arm.letter == 0xfc;
    case 2:
        return meet->choice.kind == 2 && meet->choice.arm.inner.name[0] == 0xfc;
    case 3:
        return meet->choice.kind == 2 && meet->choice.arm.inner.mark == 'x';
    default:
        return meet->choice.kind == 3 && meet->choice.arm.open->size == 2 &&
               meet->choice.arm.open->text[0] == 0xe4;
    }
}

/* Is everything as the manager's answer makes it? */
static bool deep_is_right(const struct deep_arguments *a, enum deep which, int variant)
{
    switch (which) {
    case DEEP:
        return a->outer.first.name[0] == 'D' && a->outer.first.before == 8 &&
               a->outer.between == 99 && a->outer.pair[0].name[3] == 0xe4 &&
               a->outer.pair[1].mark == 0xdf && a->items[0].name[1] == 0xe0 &&
               a->items[2].name[1] == 0xe2 && a->items[2].before == 1;
    case POINTS_OP:
        return points_are_right(a, variant % 4 < 2);
    case LIST:
        return list_is_right(a);
    case ENDS_OP:
        return a->beside->name[0] == 'b' && a->beside->name[1] == 0xe4 && a->beside->n == 2 &&
               a->beside->values[0] == 1 && a->beside->values[1] == 4712 &&
               a->ends->name[0] == 'E' && a->ends->items[1].mark == '1' &&
               a->ends->items[1].before == 12 && a->ends->items[1].name[3] == 0xff &&
               a->holds->before.mark == 'b' && a->holds->open.size == TEXT_SIZE &&
               a->holds->open.text[0] == 0xe8 && a->holds->open.text[3] == 'h';
    case MEET_OP:
        return meet_is_right(a, variant);
    case TEXTS:
        return a->texts[0][0] == 'a' && a->texts[1][0] == 'b' && a->texts[1][3] == 0x3b1 &&
               a->texts[2][0] == 'c' && a->got >= 3 && a->got_text &&
               a->got_text[0] == 0x3b1 && a->got_text[2] == 'z';
    case RESULT:
        return a->result && a->result->name[0] == 0xf6 && a->result->next &&
               a->result->next->name[0] == 'r';
    default:
        return false;
    }
}

#endif
