/* SPDX-License-Identifier: MIT */
#include "harness.h"
const struct test flow_tests[] = {{NULL, NULL}};
