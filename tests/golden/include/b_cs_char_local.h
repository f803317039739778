/* SPDX-License-Identifier: MIT */
/* What the program has for a net_byte of b_cs_char.idl. */
#ifndef B_CS_CHAR_LOCAL_H
#define B_CS_CHAR_LOCAL_H

#include <stdint.h>

typedef uint32_t UTF32;

#endif
