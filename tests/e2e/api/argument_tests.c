/* SPDX-License-Identifier: MIT */
#include "harness.h"
const struct test argument_tests[] = {{NULL, NULL}};
