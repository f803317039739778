/* SPDX-License-Identifier: MIT */
/* samples_unions.h - unions and what holds them, made from a seed (samples.h). */
#ifndef ROUNDTRIP_SAMPLES_UNIONS_H
#define ROUNDTRIP_SAMPLES_UNIONS_H

#include "constructs.h"
#include "samples.h"

/* Each has an arm of RT_VALUE of its own, or none. */
extern const uint32_t value_tags[];
enum { VALUE_TAGS = 14 };

/* The arm of `tag`, filled; *value needs no contents.  Pointers are NULL for some seeds. */
void value_fill(RT_VALUE *value, uint32_t tag, uint32_t seed);
bool value_equal(const RT_VALUE *value, uint32_t tag, uint32_t seed);
/* Changes every number in place; twice, and nothing has changed. */
void value_change(RT_VALUE *value, uint32_t tag);
void value_clear(RT_VALUE *value, uint32_t tag);

void tagged_fill(RT_TAGGED *tagged, uint32_t seed);
bool tagged_equal(const RT_TAGGED *tagged, uint32_t seed);
void tagged_clear(RT_TAGGED *tagged);

void shape_fill(RT_SHAPE *shape, uint32_t seed);
bool shape_equal(const RT_SHAPE *shape, uint32_t seed);
void shape_clear(RT_SHAPE *shape);

#define TOWER_SIZE(length) (sizeof(RT_TOWER) + (length))
/* Octets from `seed` on. */
RT_TOWER *tower_new(uint32_t length, uint32_t seed);
bool tower_equal(const RT_TOWER *tower, uint32_t length, uint32_t seed);
void tower_invert(RT_TOWER *tower);

#endif
