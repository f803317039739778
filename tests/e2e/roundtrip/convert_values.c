/* SPDX-License-Identifier: MIT */
/* convert_values.c - see convert_values.h. */
#include "convert_values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "samples.h"

RT_BOX make_Box(int32_t number)
{
    RT_BOX box = sample_allocate(sizeof(*box));
    *box = number;
    return box;
}

int32_t get_Box(const RT_BOX *box)
{
    return *box ? **box : INT32_MIN;
}

void clear_Box(RT_BOX *box)
{
    midl_user_free(*box);
    *box = NULL;
}

/* One to four links that count on. */
RT_CHAIN make_Chain(int32_t number)
{
    RT_CHAIN chain = NULL;
    for (int32_t i = number & 3; i >= 0; i--) {
        RT_LINK *link = midl_user_allocate(sizeof(*link));
        if (!link) {
            clear_Chain(&chain);
            RpcRaiseException(RPC_S_OUT_OF_MEMORY);
        }
        *link = (RT_LINK){.value = number + i, .next = chain};
        chain = link;
    }
    return chain;
}

int32_t get_Chain(const RT_CHAIN *chain)
{
    if (!*chain)
        return INT32_MIN;
    int32_t number = (*chain)->value, next = number;
    for (const RT_LINK *link = *chain; link; link = link->next)
        if (link->value != next++)
            return INT32_MIN;
    return next == number + (number & 3) + 1 ? number : INT32_MIN;
}

void clear_Chain(RT_CHAIN *chain)
{
    while (*chain) {
        RT_LINK *link = *chain;
        *chain = link->next;
        midl_user_free(link);
    }
}

static char *text_of(int32_t number)
{
    char *text = sample_allocate(12);
    snprintf(text, 12, "%d", (int)number);
    return text;
}

static int32_t number_of(const char *text)
{
    return text ? atoi(text) : INT32_MIN;
}

LOCAL_SPOT make_Spot(int32_t number)
{
    return (LOCAL_SPOT){text_of(number)};
}

int32_t get_Spot(const LOCAL_SPOT *spot)
{
    return number_of(spot->text);
}

void clear_Spot(LOCAL_SPOT *spot)
{
    midl_user_free(spot->text);
    spot->text = NULL;
}

LOCAL_ANGLE make_Angle(int32_t number)
{
    return number;
}

int32_t get_Angle(const LOCAL_ANGLE *angle)
{
    return (int32_t)*angle;
}

void clear_Angle(LOCAL_ANGLE *angle)
{
    *angle = 0;
}

RT_THING make_Thing(int32_t number)
{
    return make_Box(number);
}

int32_t get_Thing(const RT_THING *thing)
{
    return *thing ? *(const int32_t *)*thing : INT32_MIN;
}

void clear_Thing(RT_THING *thing)
{
    midl_user_free(*thing);
    *thing = NULL;
}

/* The digits of the number, the sign last. */
RT_BLOB make_Blob(int32_t number)
{
    RT_BLOB blob = {.data = sample_allocate(12 * sizeof(*blob.data))};
    int64_t rest = number < 0 ? -(int64_t)number : number;
    for (; rest > 0; rest /= 10)
        blob.data[blob.size++] = (int16_t)(rest % 10);
    if (number < 0)
        blob.data[blob.size++] = -1;
    return blob;
}

int32_t get_Blob(const RT_BLOB *blob)
{
    uint64_t number = 0; /* of damaged ones: anything */
    if (!blob->data)
        return INT32_MIN;
    for (uint32_t i = blob->size; i-- > 0;)
        if (blob->data[i] >= 0)
            number = number * 10 + (uint64_t)blob->data[i];
    bool negative = blob->size > 0 && blob->data[blob->size - 1] < 0;
    return (int32_t)(negative ? -number : number);
}

void clear_Blob(RT_BLOB *blob)
{
    midl_user_free(blob->data);
    *blob = (RT_BLOB){0};
}

LOCAL_LABEL make_Label(int32_t number)
{
    return (LOCAL_LABEL){text_of(number)};
}

int32_t get_Label(const LOCAL_LABEL *label)
{
    return number_of(label->text);
}

void clear_Label(LOCAL_LABEL *label)
{
    midl_user_free(label->text);
    label->text = NULL;
}

/* ---- All of them ------------------------------------------------------------------------------ */

#define BAG_COUNT 3

/* Each converted value of a bag, with the number it has for `seed`. */
#define BAG_VALUES(X, bag, seed)                                                                   \
    X(Box, (bag)->box, (seed));                                                                    \
    X(Spot, (bag)->spots[0], (seed) + 1);                                                          \
    X(Spot, (bag)->spots[1], (seed) + 2);                                                          \
    X(Angle, (bag)->angle, (seed) + 3);                                                            \
    X(Thing, (bag)->thing, (seed) + 4);                                                            \
    X(Blob, (bag)->blob, (seed) + 5);                                                              \
    X(Label, (bag)->label, (seed) + 6);                                                            \
    if ((bag)->maybe)                                                                              \
        X(Box, *(bag)->maybe, (seed) + 7);                                                         \
    for (int32_t i_ = 0; i_ < (bag)->n; i_++) {                                                    \
        if ((bag)->labels)                                                                         \
            X(Label, (bag)->labels[i_], (seed) + 8 + i_);                                          \
        if ((bag)->boxes)                                                                          \
            X(Box, (bag)->boxes[i_], (seed) + 18 + i_);                                            \
    }                                                                                              \
    if ((bag)->tag == 1)                                                                           \
        X(Box, (bag)->either.box, (seed) + 30);                                                    \
    if ((bag)->tag == 2)                                                                           \
        X(Blob, (bag)->either.blob, (seed) + 30);                                                  \
    if ((bag)->chain)                                                                              \
        X(Chain, *(bag)->chain, (seed) + 31)

#define BAG_SET(name, value, number)                                                               \
    do {                                                                                           \
        clear_##name(&(value));                                                                    \
        (value) = make_##name(number);                                                             \
    } while (0)

void bag_change(RT_BAG *bag, int32_t seed)
{
    BAG_VALUES(BAG_SET, bag, seed);
    bag->odd = (byte)seed;
    bag->even = (byte)~seed;
    bag->digits[0] = (int16_t)(seed % 1000);
    bag->digits[1] = (int16_t)(seed % 100);
}

void bag_fill(RT_BAG *bag, int32_t seed)
{
    bag->n = BAG_COUNT;
    bag->labels = sample_allocate(BAG_COUNT * sizeof(*bag->labels));
    bag->boxes = sample_allocate(BAG_COUNT * sizeof(*bag->boxes));
    bag->maybe = sample_allocate(sizeof(*bag->maybe));
    bag->chain = sample_allocate(sizeof(*bag->chain));
    bag->tag = 1 + (seed & 1);
    bag_change(bag, seed);
}

#define BAG_CHECK(name, value, number)                                                             \
    do {                                                                                           \
        if (get_##name(&(value)) != (number))                                                      \
            return false;                                                                          \
    } while (0)

bool bag_is(const RT_BAG *bag, int32_t seed)
{
    BAG_VALUES(BAG_CHECK, bag, seed);
    return bag->n == BAG_COUNT && bag->maybe && bag->labels && bag->boxes && bag->chain &&
           bag->odd == (byte)seed && bag->even == (byte)~seed &&
           bag->digits[0] == (int16_t)(seed % 1000) && bag->digits[1] == (int16_t)(seed % 100);
}

#define BAG_CLEAR(name, value, number) clear_##name(&(value))

void bag_clear(RT_BAG *bag)
{
    BAG_VALUES(BAG_CLEAR, bag, 0);
    midl_user_free(bag->labels);
    midl_user_free(bag->boxes);
    midl_user_free(bag->maybe);
    midl_user_free(bag->chain);
    memset(bag, 0, sizeof(*bag));
}
