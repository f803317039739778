/* SPDX-License-Identifier: MIT */
#include "harness.h"
const struct test misuse_tests[] = {{NULL, NULL}};
