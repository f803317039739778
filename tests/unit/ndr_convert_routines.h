/* SPDX-License-Identifier: MIT */
/* ndr_convert_routines.h - what a program has to supply for b_transmit_as, b_represent_as and
 * b_user_marshal (tests/golden), made to fail: memory is ndr_heap.h's, and every routine but
 * those that free may be told to raise. */
#ifndef PENSTOCK_TESTS_NDR_CONVERT_ROUTINES_H
#define PENSTOCK_TESTS_NDR_CONVERT_ROUTINES_H

#include <setjmp.h>

#include "ndr/ndr.h"
#include "ndr_heap.h"

#include "b_represent_as.h"
#include "b_transmit_as.h"
#include "b_user_marshal.h"

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return heap_allocate(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    heap_free(object);
}

/* The client stubs' own functions are not under test. */
void convert_client_call(const RPC_CLIENT_INTERFACE *interface, unsigned opnum, void *frame);
void convert_client_call(const RPC_CLIENT_INTERFACE *interface, unsigned opnum, void *frame)
{
    (void)interface;
    (void)opnum;
    (void)frame;
    abort();
}

/* ---- Routines that raise -------------------------------------------------------------------- */

#define RAISED 4711

static jmp_buf *catcher;
static long calls, raise_at = -1; /* routines called; the call that raises */
static unsigned filled;           /* values received */

static RPC_STATUS run(void (*fn)(void *arg), void *arg, bool *ret_raised)
{
    jmp_buf here, *outer = catcher;
    catcher = &here;
    *ret_raised = true;
    if (setjmp(here) == 0) {
        fn(arg);
        *ret_raised = false;
    }
    catcher = outer;
    return *ret_raised ? RAISED : RPC_S_OK;
}

static const struct ndr_memory memory = {
    .allocate = heap_allocate, .free = heap_free, .reallocate = heap_reallocate, .run = run};

static void raise(void)
{
    longjmp(*catcher, 1);
}

/* Every routine but those that free begins with this. */
static void called(void)
{
    if (calls++ == raise_at)
        raise();
}

static void *allocated(size_t size)
{
    void *object = heap_allocate(size);
    if (!object)
        raise();
    return object;
}

/* ---- Routines --------------------------------------------------------------------------------- */

void __RPC_USER MOMENT_to_xmit(MOMENT *moment, DATE_WIRE **wire)
{
    called();
    *wire = heap_allocate(sizeof(**wire));
    if (*wire)
        **wire = (DATE_WIRE){.day = (int32_t)(*moment % 100),
                             .month = (int32_t)(*moment / 100 % 100),
                             .year = (int32_t)(*moment / 10000)};
}

void __RPC_USER MOMENT_from_xmit(DATE_WIRE *wire, MOMENT *moment)
{
    called();
    filled++;
    *moment = ((MOMENT)wire->year * 100 + wire->month) * 100 + wire->day;
}

void __RPC_USER MOMENT_free_xmit(DATE_WIRE *wire)
{
    heap_free(wire);
}

void __RPC_USER MOMENT_free_inst(MOMENT *moment)
{
    (void)moment;
}

void __RPC_USER LIST_to_xmit(LIST *list, LIST_WIRE **wire)
{
    int32_t n = 0;
    called();
    for (const NODE *node = *list; node; node = node->next)
        n++;
    *wire = heap_allocate(sizeof(**wire) + (size_t)n * sizeof(int32_t));
    if (!*wire)
        return;
    (*wire)->n = 0;
    for (const NODE *node = *list; node; node = node->next)
        (*wire)->values[(*wire)->n++] = node->value;
}

void __RPC_USER LIST_free_inst(LIST *list)
{
    while (*list) {
        NODE *node = *list;
        *list = node->next;
        heap_free(node);
    }
}

void __RPC_USER LIST_from_xmit(LIST_WIRE *wire, LIST *list)
{
    called();
    LIST_free_inst(list);
    for (int32_t i = wire->n; i-- > 0;) {
        NODE *node = heap_allocate(sizeof(*node));
        if (!node) {
            LIST_free_inst(list);
            raise();
        }
        *node = (NODE){.value = wire->values[i], .next = *list};
        *list = node;
    }
    filled++;
}

void __RPC_USER LIST_free_xmit(LIST_WIRE *wire)
{
    heap_free(wire);
}

void __RPC_USER LETTERS_to_xmit(LETTERS *letters, small **wire)
{
    (void)letters;
    *wire = NULL;
}

void __RPC_USER LETTERS_from_xmit(small *wire, LETTERS *letters)
{
    (*letters)[0] = (unsigned char)*wire;
}

void __RPC_USER LETTERS_free_xmit(small *wire)
{
    heap_free(wire);
}

void __RPC_USER LETTERS_free_inst(LETTERS *letters)
{
    (void)letters;
}

void __RPC_USER POINT_from_local(LOCAL_POINT *local, POINT **wire)
{
    called();
    *wire = heap_allocate(sizeof(**wire));
    if (*wire)
        **wire = (POINT){.x = (int32_t)local->x, .y = (int32_t)local->y};
}

void __RPC_USER POINT_to_local(POINT *wire, LOCAL_POINT *local)
{
    called();
    filled++;
    *local = (LOCAL_POINT){.x = wire->x, .y = wire->y};
}

void __RPC_USER POINT_free_inst(POINT *wire)
{
    heap_free(wire);
}

void __RPC_USER POINT_free_local(LOCAL_POINT *local)
{
    (void)local;
}

void __RPC_USER ANGLE_from_local(float *local, ANGLE **named)
{
    called();
    *named = heap_allocate(sizeof(**named));
    if (*named)
        **named = (ANGLE){.degrees = (int16_t)*local,
                          .minutes = (int16_t)((*local - (float)(int16_t)*local) * 60)};
}

void __RPC_USER ANGLE_to_local(ANGLE *named, float *local)
{
    called();
    filled++;
    *local = (float)named->degrees + (float)named->minutes / 60;
}

void __RPC_USER ANGLE_to_xmit(ANGLE *named, int32_t **wire)
{
    called();
    *wire = heap_allocate(sizeof(**wire));
    if (*wire)
        **wire = named->degrees * 60 + named->minutes;
}

void __RPC_USER ANGLE_from_xmit(int32_t *wire, ANGLE *named)
{
    called();
    *named = (ANGLE){.degrees = (int16_t)(*wire / 60), .minutes = (int16_t)(*wire % 60)};
}

void __RPC_USER ANGLE_free_xmit(int32_t *wire)
{
    heap_free(wire);
}

void __RPC_USER ANGLE_free_inst(ANGLE *named)
{
    heap_free(named);
}

void __RPC_USER ANGLE_free_local(float *local)
{
    (void)local;
}

static unsigned char *move(unsigned char *at, void *value, unsigned size, bool put)
{
    at += -(uintptr_t)at & (size - 1);
    if (put)
        memcpy(at, value, size);
    else
        memcpy(value, at, size);
    return at + size;
}

unsigned long __RPC_USER WINDOW_UserSize(unsigned long *flags, unsigned long start, WINDOW *window)
{
    (void)flags;
    (void)start;
    (void)window;
    fail(); /* the size is constant */
    return 0;
}

unsigned char *__RPC_USER WINDOW_UserMarshal(unsigned long *flags, unsigned char *at,
                                             WINDOW *window)
{
    int32_t number = (int32_t)(intptr_t)*window;
    called();
    assert_int_equal(*flags & 0xffff, 2);
    return move(at, &number, sizeof(number), true);
}

static bool sender_is_little;

unsigned char *__RPC_USER WINDOW_UserUnmarshal(unsigned long *flags, unsigned char *at,
                                               WINDOW *window)
{
    int32_t number;
    called();
    assert_int_equal(GET_USER_DATA_REP(*flags), sender_is_little ? 0x10 : 0);
    filled++;
    at = move(at, &number, sizeof(number), false);
    *window = (void *)(intptr_t)number;
    return at;
}

void __RPC_USER WINDOW_UserFree(unsigned long *flags, WINDOW *window)
{
    (void)flags;
    (void)window;
}

unsigned long __RPC_USER BLOB_UserSize(unsigned long *flags, unsigned long start, BLOB *blob)
{
    (void)flags;
    called();
    return ((start + 3) & ~3ul) + 8 + blob->size;
}

unsigned char *__RPC_USER BLOB_UserMarshal(unsigned long *flags, unsigned char *at, BLOB *blob)
{
    (void)flags;
    called();
    at = move(at, &blob->size, 4, true);
    at = move(at, &blob->size, 4, true);
    if (blob->size > 0)
        memcpy(at, blob->data, blob->size);
    return at + blob->size;
}

void __RPC_USER BLOB_UserFree(unsigned long *flags, BLOB *blob)
{
    (void)flags;
    heap_free(blob->data);
    *blob = (BLOB){0};
}

unsigned char *__RPC_USER BLOB_UserUnmarshal(unsigned long *flags, unsigned char *at, BLOB *blob)
{
    uint32_t max, size;
    called();
    BLOB_UserFree(flags, blob);
    at = move(at, &max, 4, false);
    at = move(at, &size, 4, false);
    assert_int_equal(max, size); /* the engine has seen to it */
    blob->data = allocated(size);
    blob->size = size;
    memcpy(blob->data, at, size);
    filled++;
    return at + size;
}

unsigned long __RPC_USER LOCAL_NAME_UserSize(unsigned long *flags, unsigned long start,
                                             LOCAL_NAME *name)
{
    (void)flags;
    called();
    return start + 3 + 12 + 2 * (strlen(name->text) + 1);
}

unsigned char *__RPC_USER LOCAL_NAME_UserMarshal(unsigned long *flags, unsigned char *at,
                                                 LOCAL_NAME *name)
{
    uint32_t zero = 0, count = (uint32_t)strlen(name->text) + 1;
    (void)flags;
    called();
    at = move(at, &count, 4, true);
    at = move(at, &zero, 4, true);
    at = move(at, &count, 4, true);
    for (uint32_t i = 0; i < count; i++) {
        WCHAR wide = (unsigned char)name->text[i];
        at = move(at, &wide, 2, true);
    }
    return at;
}

void __RPC_USER LOCAL_NAME_UserFree(unsigned long *flags, LOCAL_NAME *name)
{
    (void)flags;
    heap_free(name->text);
    name->text = NULL;
}

unsigned char *__RPC_USER LOCAL_NAME_UserUnmarshal(unsigned long *flags, unsigned char *at,
                                                   LOCAL_NAME *name)
{
    uint32_t max, first, count;
    called();
    LOCAL_NAME_UserFree(flags, name);
    at = move(at, &max, 4, false);
    at = move(at, &first, 4, false);
    at = move(at, &count, 4, false);
    name->text = allocated(count);
    for (uint32_t i = 0; i < count; i++) {
        WCHAR wide;
        at = move(at, &wide, 2, false);
        name->text[i] = (char)wide;
    }
    assert_int_equal(name->text[count - 1], 0);
    filled++;
    return at;
}

#endif
