/* SPDX-License-Identifier: MIT */
#include "characters.h"
