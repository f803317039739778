/* SPDX-License-Identifier: MIT */
/* server_characters.c - managers of [cs_char] arrays, for requests that are damaged. */
#include "rpc.h"

#define ARGUMENTS_ARE(operation, right) ((void)sizeof(right)) /* may be anything */
#include "../characters/managers.h"
