/* SPDX-License-Identifier: MIT */
/* pickles.h - types and operations with [encode] and [decode]: one program writes a file of
 * octets, another, perhaps on a machine of the other byte order, reads it. */
#ifndef PENSTOCK_TESTS_GOLDEN_PICKLES_H
#define PENSTOCK_TESTS_GOLDEN_PICKLES_H

#include "calls.h"

/* Encodes everything of every golden `times` times. */
void pickles_write(FILE *file, int times);
/* Decodes what is there. */
void pickles_read(FILE *file);

#endif
