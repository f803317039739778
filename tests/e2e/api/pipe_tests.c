/* SPDX-License-Identifier: MIT */
#include "harness.h"
const struct test pipe_tests[] = {{NULL, NULL}};
