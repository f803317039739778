/* SPDX-License-Identifier: MIT */
/* modes_local.h - how the programs see RT_KEPT. */
#ifndef ROUNDTRIP_MODES_LOCAL_H
#define ROUNDTRIP_MODES_LOCAL_H

typedef struct RT_LOCAL {
    double number;
} RT_LOCAL;

#endif
