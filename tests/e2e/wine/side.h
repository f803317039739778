/* SPDX-License-Identifier: MIT */
/* side.h - what differs between the two systems these programs are built for; the rest of
 * their sources is the same. */
#ifndef PENSTOCK_TESTS_E2E_WINE_SIDE_H
#define PENSTOCK_TESTS_E2E_WINE_SIDE_H

#ifdef _WIN32
#include <windows.h>

#include <rpc.h>
#else
#include <penstock/rpc.h>
#include <penstock/windows.h>
#endif

#include "exchange.h"

/* run(arg); the code of the exception that ended it, 0 for none. */
unsigned long raised_by(void (*run)(void *arg), void *arg);

void pause_ms(unsigned ms);

#endif
