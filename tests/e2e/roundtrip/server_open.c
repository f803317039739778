/* SPDX-License-Identifier: MIT */
/* server_open.c - managers of rt_open. */
#include "server.h"

#include <string.h>

#include "samples_unions.h"

#define SERVER_FILE WRONG_OPEN

void RtVaryFixed(handle_t h, int32_t first, int32_t last, int32_t *v)
{
    (void)h;
    for (int32_t i = 0; i < RT_CAPACITY; i++) {
        VERIFY(i >= first && i <= last ? v[i] == 100 + i : v[i] == 0);
        v[i] = ~v[i];
    }
}

void RtVaryOpen(handle_t h, int32_t size, int32_t first, int32_t *length, int32_t *v)
{
    (void)h;
    for (int32_t i = 0; i < size; i++) {
        VERIFY(i >= first && i < first + *length ? v[i] == 100 + i : v[i] == 0);
        v[i] = ~v[i];
    }
    *length = (*length + 1) / 2;
}

void RtVaryTails(handle_t h, uint32_t size, uint32_t length, RT_PAIR *in, RT_PAIR *out)
{
    (void)h;
    for (uint32_t i = 0; i < size; i++)
        VERIFY(in[i].a == (i < length ? (int32_t)i : 0) && in[i].b == (i < length ? octet(i) : 0));
    for (uint32_t i = 0; i < length; i++)
        out[i] = (RT_PAIR){.a = ~in[i].a, .b = (byte)~in[i].b};
}

void RtVaryRead(handle_t h, uint32_t want, uint32_t size, uint32_t *read, byte *buffer)
{
    (void)h;
    *read = want < size ? want : size;
    for (uint32_t i = 0; i < *read; i++)
        buffer[i] = octet(i);
}

void RtVaryStruct(handle_t h, RT_VBLOB *in, RT_VBLOB *out, RT_VNAME *name)
{
    (void)h;
    *out = (RT_VBLOB){.size = in->size, .first = in->first, .length = in->length, .last = in->last};
    VERIFY((in->data != NULL) == (in->size > 0));
    if (in->data)
        out->data = sample_allocate(in->size * sizeof(*out->data));
    for (uint32_t i = 0; i < in->size; i++) {
        bool sent = i >= in->first && i < in->first + in->length;
        VERIFY(in->data[i] == (sent ? (int32_t)(100 + i) : 0));
        out->data[i] = ~in->data[i];
    }
    VERIFY(in->texts && !in->texts[in->last]); /* the last never travels */
    out->texts = sample_allocate((in->last + 1) * sizeof(*out->texts));
    for (int32_t i = 0; i < in->last; i++)
        out->texts[i] = reversed(in->texts[i]);
    for (uint16_t i = 0; i < RT_CAPACITY; i++)
        VERIFY(i < name->used || name->name[i] == 0);
    for (uint16_t i = 0; i < name->used; i++)
        name->name[i] = (WCHAR)~name->name[i];
    name->used = (uint16_t)(RT_CAPACITY - name->used);
}

void RtVaryGift(handle_t h, int32_t want, int32_t *n, int64_t **v)
{
    (void)h;
    *n = want;
    if (want < 0) {
        *n = 0;
        return;
    }
    *v = sample_allocate(want * sizeof(**v));
    for (int32_t i = 0; i < want; i++)
        (*v)[i] = ~(int64_t)i;
}

#define COUNTED_SIZE(max) (sizeof(RT_COUNTED) + (max) * sizeof(int64_t))

void RtCounted(handle_t h, RT_COUNTED *both, RT_COUNTED *in, RT_COUNTED **out)
{
    (void)h;
    VERIFY(both->odd == 0x5a && in->odd == 0xa5);
    for (uint16_t i = 0; i < both->max; i++) {
        VERIFY(both->numbers[i] == (i < both->used ? 1000 + i : 0));
        both->numbers[i] = ~both->numbers[i];
    }
    both->odd = 0xa5;
    both->used = (uint16_t)((both->used + 1) / 2);
    *out = sample_allocate(COUNTED_SIZE(in->max + 1));
    **out = (RT_COUNTED){.max = (uint16_t)(in->max + 1), .used = in->used, .odd = 0x77};
    for (uint16_t i = 0; i < in->used; i++)
        (*out)->numbers[i] = ~in->numbers[i];
}

void RtTower(handle_t h, RT_TOWER *in, PRT_TOWER *out, RT_TOWER *both, RT_OUTER *outer)
{
    (void)h;
    VERIFY(tower_equal(in, in->length, 1));
    VERIFY(tower_equal(both, both->length, 2));
    VERIFY(outer->flags == 0x1234 && tower_equal(&outer->tower, outer->tower.length, 3));
    *out = tower_new(in->length * 2, 4);
    tower_invert(both);
    outer->flags = 0x4321;
    tower_invert(&outer->tower);
}

PRT_TOWER RtTowerResult(handle_t h, int32_t length)
{
    (void)h;
    return length < 0 ? NULL : tower_new((uint32_t)length, 5);
}

void RtTowers(handle_t h, RT_TOWERS *in, RT_TOWERS **out)
{
    (void)h;
    if (!in)
        return;
    *out = sample_allocate(sizeof(**out) + in->count * sizeof(PRT_TOWER));
    (*out)->when = ~in->when;
    (*out)->count = in->count;
    for (uint32_t i = 0; i < in->count; i++) {
        const RT_TOWER *tower = in->towers[in->count - 1 - i];
        if (!tower)
            continue;
        (*out)->towers[i] = tower_new(tower->length, 0);
        memcpy((*out)->towers[i]->octets, tower->octets, tower->length);
        tower_invert((*out)->towers[i]);
    }
}

void RtLevels(handle_t h, uint32_t rows, uint32_t columns, int32_t **in, int32_t **out)
{
    (void)h;
    for (uint32_t i = 0; i < rows; i++) {
        int32_t *row = in[rows - 1 - i];
        if (!row)
            continue;
        out[i] = sample_allocate(columns * sizeof(**out));
        for (uint32_t k = 0; k < columns; k++)
            out[i][k] = ~row[k];
    }
}

int32_t RtSecond(handle_t h, uint32_t columns, int32_t **v)
{
    (void)h;
    int32_t sum = *v ? 0 : -1;
    for (uint32_t i = 0; *v && i < columns; i++)
        sum += (*v)[i];
    return sum;
}

int32_t RtMaybeNull(handle_t h, uint32_t n, int32_t *v)
{
    return RtSecond(h, n, &v);
}

uint32_t RtLimited(handle_t h, uint32_t n, RT_LIMITED *limited, RT_LIMITED *back)
{
    (void)h;
    uint32_t letters = 0;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; limited[i].names && k < limited[i].count; k++)
            if (limited[i].names[k])
                letters += (uint32_t)wide_len(limited[i].names[k]);
    const RT_LIMITED *first = &limited[0];
    back->count = first->count;
    if (!first->names)
        return letters;
    back->names = sample_allocate(first->count * sizeof(WCHAR *));
    for (uint32_t k = 0; k < first->count; k++)
        back->names[first->count - 1 - k] = wide_reversed(first->names[k]);
    return letters;
}
