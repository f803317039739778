/* SPDX-License-Identifier: MIT */
#include "harness.h"
const struct test failure_tests[] = {{NULL, NULL}};
