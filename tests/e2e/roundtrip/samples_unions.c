/* SPDX-License-Identifier: MIT */
/* samples_unions.c - see samples_unions.h. */
#include "samples_unions.h"

#include <string.h>

#include "values.h"

const uint32_t value_tags[VALUE_TAGS] = {0, 1, 2, 3,  4,          5,          6,
                                         7, 8, 9, 10, 0x80000000, 0xfffffffe, 0xffffffff};

static const RT_SHADE shades[] = {RT_DARK, RT_LIGHT, RT_NO_SHADE};
static const RT_SIGN signs[] = {RT_MINUS_ONE, RT_ZERO, RT_MUCH};

/* Every fourth pointer is NULL. */
static bool is_null(uint32_t seed)
{
    return seed % 4 == 3;
}

void value_fill(RT_VALUE *value, uint32_t tag, uint32_t seed)
{
    memset(value, 0, sizeof(*value));
    switch (tag) {
    case 1:
        value->number = VALUE(long_values, seed);
        break;
    case 2:
    case 3:
        value->point = sample_Flat(seed);
        break;
    case 4:
        if (is_null(seed))
            break;
        value->pointer = sample_allocate(sizeof(*value->pointer));
        *value->pointer = sample_Flat(seed);
        break;
    case 5:
        if (!is_null(seed))
            value->text = sample_wide(seed);
        break;
    case 6:
        for (uint32_t i = 0; i < 3; i++)
            value->three[i] = VALUE(long_values, seed + i);
        break;
    case 7:
    case 0xffffffff:
        break;
    case 8:
        value->shade = VALUE(shades, seed);
        break;
    case 9:
        value->sign = VALUE(signs, seed);
        break;
    default:
        value->other = VALUE(hyper_values, seed);
    }
}

bool value_equal(const RT_VALUE *value, uint32_t tag, uint32_t seed)
{
    switch (tag) {
    case 1:
        return value->number == VALUE(long_values, seed);
    case 2:
    case 3:
        return equal_Flat(&value->point, seed);
    case 4:
        if (is_null(seed) || !value->pointer)
            return is_null(seed) && !value->pointer;
        return equal_Flat(value->pointer, seed);
    case 5: {
        if (is_null(seed) || !value->text)
            return is_null(seed) && !value->text;
        WCHAR *text = sample_wide(seed);
        bool same = wide_equal(text, value->text);
        midl_user_free(text);
        return same;
    }
    case 6:
        for (uint32_t i = 0; i < 3; i++)
            if (value->three[i] != VALUE(long_values, seed + i))
                return false;
        return true;
    case 7:
    case 0xffffffff:
        return true;
    case 8:
        return value->shade == VALUE(shades, seed);
    case 9:
        return value->sign == VALUE(signs, seed);
    default:
        return value->other == VALUE(hyper_values, seed);
    }
}

static void point_change(SHARED_POINT *point)
{
    *point = (SHARED_POINT){.x = ~point->y, .y = ~point->x};
}

void value_change(RT_VALUE *value, uint32_t tag)
{
    switch (tag) {
    case 1:
        value->number = ~value->number;
        break;
    case 2:
    case 3:
        point_change(&value->point);
        break;
    case 4:
        if (value->pointer)
            point_change(value->pointer);
        break;
    case 5:
        for (size_t i = 0, n = value->text ? wide_len(value->text) : 0; i < n / 2; i++) {
            WCHAR letter = value->text[i];
            value->text[i] = value->text[n - 1 - i];
            value->text[n - 1 - i] = letter;
        }
        break;
    case 6:
        for (uint32_t i = 0; i < 3; i++)
            value->three[i] = ~value->three[i];
        break;
    case 7:
    case 0xffffffff:
        break;
    case 8:
        value->shade = (RT_SHADE)(value->shade ^ 0x1000);
        break;
    case 9:
        value->sign = (RT_SIGN)~value->sign;
        break;
    default:
        value->other = ~value->other;
    }
}

void value_clear(RT_VALUE *value, uint32_t tag)
{
    if (tag == 4)
        midl_user_free(value->pointer);
    else if (tag == 5)
        midl_user_free(value->text);
}

void tagged_fill(RT_TAGGED *tagged, uint32_t seed)
{
    memset(tagged, 0, sizeof(*tagged));
    tagged->tag = value_tags[seed % VALUE_TAGS];
    value_fill(&tagged->value, tagged->tag, seed);
    tagged->shade = VALUE(shades, seed);
    if (tagged->shade == RT_DARK)
        tagged->shaded.dark = octet(seed);
    else if (tagged->shade == RT_LIGHT)
        tagged->shaded.light = VALUE(hyper_values, seed);
    tagged->sign = VALUE(signs, seed / 2);
    if (!is_null(seed)) {
        tagged->behind = sample_allocate(sizeof(*tagged->behind));
        if (tagged->sign == RT_MINUS_ONE) {
            tagged->behind->minus = seed + 0.5;
        } else if (!is_null(seed + 1)) {
            tagged->behind->other = sample_allocate(sizeof(int16_t));
            *tagged->behind->other = VALUE(short_values, seed);
        }
    }
    tagged->letter = octet(seed + 1);
    tagged->small_tag = (int16_t)(0x40 + seed);
    if ((tagged->small_tag & 3) == 1) {
        tagged->first = VALUE(long_values, seed);
    } else if ((tagged->small_tag & 3) == 2) {
        tagged->low = octet(seed);
        tagged->high = VALUE(hyper_values, seed + 1);
    }
    tagged->before = octet(seed + 2);
    tagged->after = VALUE(long_values, seed + 3);
}

static bool behind_equal(const RT_TAGGED *tagged, uint32_t seed)
{
    if (is_null(seed) || !tagged->behind)
        return is_null(seed) && !tagged->behind;
    if (tagged->sign == RT_MINUS_ONE)
        return tagged->behind->minus == seed + 0.5;
    const int16_t *other = tagged->behind->other;
    if (is_null(seed + 1) || !other)
        return is_null(seed + 1) && !other;
    return *other == VALUE(short_values, seed);
}

bool tagged_equal(const RT_TAGGED *tagged, uint32_t seed)
{
    if (tagged->tag != value_tags[seed % VALUE_TAGS] || tagged->shade != VALUE(shades, seed) ||
        tagged->sign != VALUE(signs, seed / 2) || tagged->letter != octet(seed + 1) ||
        tagged->small_tag != (int16_t)(0x40 + seed) || tagged->before != octet(seed + 2) ||
        tagged->after != VALUE(long_values, seed + 3))
        return false;
    if (!value_equal(&tagged->value, tagged->tag, seed) || !behind_equal(tagged, seed))
        return false;
    if (tagged->shade == RT_DARK && tagged->shaded.dark != octet(seed))
        return false;
    if (tagged->shade == RT_LIGHT && tagged->shaded.light != VALUE(hyper_values, seed))
        return false;
    if ((tagged->small_tag & 3) == 1)
        return tagged->first == VALUE(long_values, seed);
    if ((tagged->small_tag & 3) == 2)
        return tagged->low == octet(seed) && tagged->high == VALUE(hyper_values, seed + 1);
    return true;
}

void tagged_clear(RT_TAGGED *tagged)
{
    value_clear(&tagged->value, tagged->tag);
    if (tagged->behind && tagged->sign != RT_MINUS_ONE)
        midl_user_free(tagged->behind->other);
    midl_user_free(tagged->behind);
}

void shape_fill(RT_SHAPE *shape, uint32_t seed)
{
    memset(shape, 0, sizeof(*shape));
    switch (seed % 4) {
    case 0:
        shape->kind = RT_DARK;
        shape->shape.radius = (float)seed + 0.25f;
        break;
    case 1:
        shape->kind = RT_LIGHT;
        shape->shape.box.width = octet(seed);
        shape->shape.box.height = VALUE(long_values, seed);
        break;
    case 2:
        shape->kind = RT_NO_SHADE;
        break;
    default:
        shape->kind = (RT_SHADE)77;
        if (seed % 8 == 3)
            shape->shape.name = sample_string(seed);
    }
}

bool shape_equal(const RT_SHAPE *shape, uint32_t seed)
{
    switch (seed % 4) {
    case 0:
        return shape->kind == RT_DARK && shape->shape.radius == (float)seed + 0.25f;
    case 1:
        return shape->kind == RT_LIGHT && shape->shape.box.width == octet(seed) &&
               shape->shape.box.height == VALUE(long_values, seed);
    case 2:
        return shape->kind == RT_NO_SHADE;
    default:
        break;
    }
    if (shape->kind != (RT_SHADE)77)
        return false;
    if (seed % 8 != 3 || !shape->shape.name)
        return seed % 8 != 3 && !shape->shape.name;
    unsigned char *name = sample_string(seed);
    bool same = strcmp((char *)name, (char *)shape->shape.name) == 0;
    midl_user_free(name);
    return same;
}

void shape_clear(RT_SHAPE *shape)
{
    if (shape->kind == (RT_SHADE)77)
        midl_user_free(shape->shape.name);
}

RT_TOWER *tower_new(uint32_t length, uint32_t seed)
{
    RT_TOWER *tower = sample_allocate(TOWER_SIZE(length));
    tower->length = length;
    for (uint32_t i = 0; i < length; i++)
        tower->octets[i] = octet(seed + i);
    return tower;
}

bool tower_equal(const RT_TOWER *tower, uint32_t length, uint32_t seed)
{
    if (!tower || tower->length != length)
        return false;
    for (uint32_t i = 0; i < length; i++)
        if (tower->octets[i] != octet(seed + i))
            return false;
    return true;
}

void tower_invert(RT_TOWER *tower)
{
    for (uint32_t i = 0; i < tower->length; i++)
        tower->octets[i] = (byte)~tower->octets[i];
}
