/* SPDX-License-Identifier: MIT */
/* convert_routines.c - what both programs supply for convert.idl.  A value a routine reads
 * into is all zero, or has what the application had there, which the routine frees. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc.h"
#include "rpcndr.h"

#include "convert_values.h"

static void *allocate(size_t size)
{
    void *memory = midl_user_allocate(size);
    if (!memory)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    return memory;
}

/* The routines that give a value give nothing without memory. */
static void *wire_memory(int64_t number, size_t size)
{
    if (number == RAISE_SENDING)
        RpcRaiseException(RAISED_SENDING);
    return number == SEND_NOTHING ? NULL : midl_user_allocate(size);
}

static void receive(int64_t number)
{
    if (number == RAISE_RECEIVING)
        RpcRaiseException(RAISED_RECEIVING);
}

/* ---- transmit_as --------------------------------------------------------------------------- */

void __RPC_USER RT_BOX_to_xmit(RT_BOX *box, int32_t **wire)
{
    *wire = wire_memory(get_Box(box), sizeof(**wire));
    if (*wire)
        **wire = get_Box(box);
}

void __RPC_USER RT_BOX_from_xmit(int32_t *wire, RT_BOX *box)
{
    receive(*wire);
    clear_Box(box);
    *box = make_Box(*wire);
}

void __RPC_USER RT_BOX_free_xmit(int32_t *wire)
{
    midl_user_free(wire);
}

void __RPC_USER RT_BOX_free_inst(RT_BOX *box)
{
    clear_Box(box);
}

void __RPC_USER RT_CHAIN_to_xmit(RT_CHAIN *chain, RT_CHAIN_WIRE **wire)
{
    int32_t n = 0;
    for (const RT_LINK *link = *chain; link; link = link->next)
        n++;
    *wire = wire_memory(get_Chain(chain), sizeof(**wire) + (size_t)n * sizeof(int32_t));
    if (!*wire)
        return;
    (*wire)->n = n;
    n = 0;
    for (const RT_LINK *link = *chain; link; link = link->next)
        (*wire)->v[n++] = link->value;
}

void __RPC_USER RT_CHAIN_from_xmit(RT_CHAIN_WIRE *wire, RT_CHAIN *chain)
{
    if (wire->n > 0)
        receive(wire->v[0]);
    clear_Chain(chain);
    for (int32_t i = wire->n; i-- > 0;) {
        RT_LINK *link = midl_user_allocate(sizeof(*link));
        if (!link) {
            clear_Chain(chain);
            RpcRaiseException(RPC_S_OUT_OF_MEMORY);
        }
        *link = (RT_LINK){.value = wire->v[i], .next = *chain};
        *chain = link;
    }
}

void __RPC_USER RT_CHAIN_free_xmit(RT_CHAIN_WIRE *wire)
{
    midl_user_free(wire);
}

void __RPC_USER RT_CHAIN_free_inst(RT_CHAIN *chain)
{
    clear_Chain(chain);
}

void __RPC_USER RT_DIGITS_to_xmit(RT_DIGITS *digits, int32_t **wire)
{
    *wire = midl_user_allocate(sizeof(**wire));
    if (*wire)
        **wire = (*digits)[0] * 1000 + (*digits)[1];
}

void __RPC_USER RT_DIGITS_from_xmit(int32_t *wire, RT_DIGITS *digits)
{
    (*digits)[0] = (int16_t)(*wire / 1000);
    (*digits)[1] = (int16_t)(*wire % 1000);
}

void __RPC_USER RT_DIGITS_free_xmit(int32_t *wire)
{
    midl_user_free(wire);
}

void __RPC_USER RT_DIGITS_free_inst(RT_DIGITS *digits)
{
    (void)digits;
}

/* ---- represent_as -------------------------------------------------------------------------- */

void __RPC_USER RT_SPOT_from_local(LOCAL_SPOT *spot, RT_SPOT **wire)
{
    int32_t number = get_Spot(spot);
    *wire = wire_memory(number, sizeof(**wire));
    if (*wire)
        **wire = (RT_SPOT){.x = number, .y = ~number};
}

void __RPC_USER RT_SPOT_to_local(RT_SPOT *wire, LOCAL_SPOT *spot)
{
    receive(wire->x);
    clear_Spot(spot);
    *spot = make_Spot(wire->y == ~wire->x ? wire->x : INT32_MIN);
}

void __RPC_USER RT_SPOT_free_inst(RT_SPOT *wire)
{
    midl_user_free(wire);
}

void __RPC_USER RT_SPOT_free_local(LOCAL_SPOT *spot)
{
    clear_Spot(spot);
}

/* double -> RT_ANGLE -> hyper */
void __RPC_USER RT_ANGLE_from_local(LOCAL_ANGLE *angle, RT_ANGLE **named)
{
    int32_t number = get_Angle(angle);
    *named = wire_memory(number, sizeof(**named));
    if (*named)
        **named = (RT_ANGLE){.low = (int16_t)number, .high = (int16_t)(number >> 16)};
}

void __RPC_USER RT_ANGLE_to_local(RT_ANGLE *named, LOCAL_ANGLE *angle)
{
    int32_t number = (int32_t)((uint32_t)(uint16_t)named->high << 16 | (uint16_t)named->low);
    receive(number);
    *angle = number;
}

void __RPC_USER RT_ANGLE_to_xmit(RT_ANGLE *named, int64_t **wire)
{
    *wire = midl_user_allocate(sizeof(**wire));
    if (*wire)
        **wire = (int64_t)named->high * 0x100000000 + (uint16_t)named->low;
}

void __RPC_USER RT_ANGLE_from_xmit(int64_t *wire, RT_ANGLE *named)
{
    named->high = (int16_t)(*wire >> 32);
    named->low = (int16_t)*wire;
}

void __RPC_USER RT_ANGLE_free_xmit(int64_t *wire)
{
    midl_user_free(wire);
}

void __RPC_USER RT_ANGLE_free_inst(RT_ANGLE *named)
{
    midl_user_free(named);
}

void __RPC_USER RT_ANGLE_free_local(LOCAL_ANGLE *angle)
{
    (void)angle;
}

/* ---- What has limits --------------------------------------------------------------------------- */

void __RPC_USER RT_DIGIT_from_local(LOCAL_DIGIT *digit, RT_DIGIT **wire)
{
    *wire = allocate(sizeof(**wire));
    **wire = *digit;
}

void __RPC_USER RT_DIGIT_to_local(RT_DIGIT *wire, LOCAL_DIGIT *digit)
{
    *digit = (LOCAL_DIGIT)*wire;
}

void __RPC_USER RT_DIGIT_free_inst(RT_DIGIT *wire)
{
    midl_user_free(wire);
}

void __RPC_USER RT_DIGIT_free_local(LOCAL_DIGIT *digit)
{
    (void)digit;
}

void __RPC_USER RT_PART_to_xmit(RT_PART *part, RT_PERCENT **wire)
{
    *wire = allocate(sizeof(**wire));
    **wire = (RT_PERCENT)(*part * 100 + 0.5);
}

void __RPC_USER RT_PART_from_xmit(RT_PERCENT *wire, RT_PART *part)
{
    *part = *wire / 100.0;
}

void __RPC_USER RT_PART_free_inst(RT_PART *part)
{
    (void)part;
}

void __RPC_USER RT_PART_free_xmit(RT_PERCENT *wire)
{
    midl_user_free(wire);
}

unsigned long __RPC_USER RT_SHARE_UserSize(unsigned long *flags, unsigned long start,
                                           RT_SHARE *share)
{
    (void)flags, (void)share;
    return start; /* nobody asks */
}

unsigned char *__RPC_USER RT_SHARE_UserMarshal(unsigned long *flags, unsigned char *buffer,
                                               RT_SHARE *share)
{
    RT_PERCENT percent = (RT_PERCENT)(share->part * 100 + 0.5);
    (void)flags;
    memcpy(buffer, &percent, sizeof(percent));
    return buffer + sizeof(percent);
}

unsigned char *__RPC_USER RT_SHARE_UserUnmarshal(unsigned long *flags, unsigned char *buffer,
                                                 RT_SHARE *share)
{
    RT_PERCENT percent;
    (void)flags;
    memcpy(&percent, buffer, sizeof(percent));
    share->part = percent / 100.0;
    return buffer + sizeof(percent);
}

void __RPC_USER RT_SHARE_UserFree(unsigned long *flags, RT_SHARE *share)
{
    (void)flags, (void)share;
}

/* ---- wire_marshal, user_marshal --------------------------------------------------------------- */

static unsigned char *align(unsigned char *at, unsigned to)
{
    return at + (-(uintptr_t)at & (to - 1));
}

static unsigned char *put(unsigned char *at, unsigned size, const void *value)
{
    at = align(at, size);
    memcpy(at, value, size);
    return at + size;
}

static unsigned char *get(unsigned char *at, unsigned size, void *value)
{
    at = align(at, size);
    memcpy(value, at, size);
    return at + size;
}

static bool must_fail(int64_t number)
{
    if (number == RAISE_SENDING)
        RpcRaiseException(RAISED_SENDING);
    return number == SEND_NOTHING;
}

/* The buffer is what NdrGetUserMarshalInfo says it is. */
static unsigned char *end_of(unsigned long *flags, const unsigned char *buffer)
{
    NDR_USER_MARSHAL_INFO info;
    if (NdrGetUserMarshalInfo(flags, 1, &info) != RPC_S_OK ||
        USER_CALL_CTXT_MASK(*flags) != 2 || info.Level1.Buffer != buffer)
        RpcRaiseException(RPC_X_INVALID_BUFFER);
    return (unsigned char *)info.Level1.Buffer +
           info.Level1.BufferSize;
}

/* The size is constant: nobody asks. */
unsigned long __RPC_USER RT_THING_UserSize(unsigned long *flags, unsigned long start,
                                           RT_THING *thing)
{
    (void)flags;
    (void)start;
    (void)thing;
    abort();
}

unsigned char *__RPC_USER RT_THING_UserMarshal(unsigned long *flags, unsigned char *buffer,
                                               RT_THING *thing)
{
    int64_t wide = get_Thing(thing);
    if (end_of(flags, buffer) != buffer + sizeof(wide) || must_fail(wide))
        return NULL;
    wide |= wide << 32;
    return put(buffer, sizeof(wide), &wide);
}

unsigned char *__RPC_USER RT_THING_UserUnmarshal(unsigned long *flags, unsigned char *buffer,
                                                 RT_THING *thing)
{
    int64_t wide;
    unsigned char *end = end_of(flags, buffer);
    if (get(buffer, sizeof(wide), &wide) != end)
        return NULL;
    receive((int32_t)wide);
    clear_Thing(thing);
    *thing = make_Thing((int32_t)wide);
    return (int32_t)wide == READ_TOO_FAR ? end + 1 : end;
}

void __RPC_USER RT_THING_UserFree(unsigned long *flags, RT_THING *thing)
{
    (void)flags;
    clear_Thing(thing);
}

unsigned long __RPC_USER RT_BLOB_UserSize(unsigned long *flags, unsigned long start, RT_BLOB *blob)
{
    (void)flags;
    start = ((start + 3) & ~3ul) + 4;          /* the count of the array */
    start = ((start + 7) & ~7ul) + 1 + 7 + 8 + 4;
    return start + 2 * blob->size;
}

unsigned char *__RPC_USER RT_BLOB_UserMarshal(unsigned long *flags, unsigned char *buffer,
                                              RT_BLOB *blob)
{
    int64_t mark = blob->data ? get_Blob(blob) : 0; /* all zero: empty */
    byte kind = (byte)mark;
    unsigned char *at = buffer;
    if (must_fail(mark))
        return NULL;
    at = put(at, sizeof(blob->size), &blob->size);
    at = put(align(at, 8), sizeof(kind), &kind);
    at = put(at, sizeof(mark), &mark);
    at = put(at, sizeof(blob->size), &blob->size);
    for (uint32_t i = 0; i < blob->size; i++)
        at = put(at, sizeof(blob->data[i]), &blob->data[i]);
    return at <= end_of(flags, buffer) ? at : NULL;
}

unsigned char *__RPC_USER RT_BLOB_UserUnmarshal(unsigned long *flags, unsigned char *buffer,
                                                RT_BLOB *blob)
{
    uint32_t count, size;
    byte kind;
    int64_t mark;
    unsigned char *at = get(buffer, sizeof(count), &count);
    at = get(align(at, 8), sizeof(kind), &kind);
    at = get(at, sizeof(mark), &mark);
    at = get(at, sizeof(size), &size);
    if (count != size || kind != (byte)mark || at + 2 * size != end_of(flags, buffer))
        return NULL;
    receive(mark);
    clear_Blob(blob);
    blob->data = allocate(size * sizeof(*blob->data));
    blob->size = size;
    memcpy(blob->data, at, size * sizeof(*blob->data));
    return mark == READ_TOO_FAR ? at + 2 * size + 1 : at + 2 * size;
}

void __RPC_USER RT_BLOB_UserFree(unsigned long *flags, RT_BLOB *blob)
{
    (void)flags;
    clear_Blob(blob);
}

/* Of an object that is all zero: nothing. */
static const char *text_of(const LOCAL_LABEL *label)
{
    return label->text ? label->text : "";
}

/* More than is needed: that is allowed. */
unsigned long __RPC_USER LOCAL_LABEL_UserSize(unsigned long *flags, unsigned long start,
                                              LOCAL_LABEL *label)
{
    (void)flags;
    return start + 3 + 12 + 2 * (strlen(text_of(label)) + 1) + 100;
}

unsigned char *__RPC_USER LOCAL_LABEL_UserMarshal(unsigned long *flags, unsigned char *buffer,
                                                  LOCAL_LABEL *label)
{
    uint32_t zero = 0, count = (uint32_t)strlen(text_of(label)) + 1;
    (void)flags;
    if (must_fail(get_Label(label)))
        return NULL;
    buffer = put(buffer, sizeof(count), &count);
    buffer = put(buffer, sizeof(zero), &zero);
    buffer = put(buffer, sizeof(count), &count);
    for (uint32_t i = 0; i < count; i++) {
        WCHAR wide = (WCHAR)text_of(label)[i];
        buffer = put(buffer, sizeof(wide), &wide);
    }
    return buffer;
}

unsigned char *__RPC_USER LOCAL_LABEL_UserUnmarshal(unsigned long *flags, unsigned char *buffer,
                                                    LOCAL_LABEL *label)
{
    uint32_t max, first, count;
    unsigned char *at = get(buffer, sizeof(max), &max);
    at = get(at, sizeof(first), &first);
    at = get(at, sizeof(count), &count);
    char text[32] = {0};
    if (at + 2 * count != end_of(flags, buffer) || count > sizeof(text))
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        WCHAR wide;
        at = get(at, sizeof(wide), &wide);
        text[i] = (char)wide;
    }
    receive(atoi(text));
    clear_Label(label);
    label->text = allocate(count);
    memcpy(label->text, text, count);
    return atoi(text) == READ_TOO_FAR ? at + 1 : at;
}

void __RPC_USER LOCAL_LABEL_UserFree(unsigned long *flags, LOCAL_LABEL *label)
{
    (void)flags;
    clear_Label(label);
}
