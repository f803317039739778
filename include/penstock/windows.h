/* SPDX-License-Identifier: MIT */
/* windows.h - for programs written from Microsoft's documentation: what they expect to
 * find here, as far as remote procedure calls need it. */
#ifndef PENSTOCK_WINDOWS_H
#define PENSTOCK_WINDOWS_H

#include "rpc.h"
#include "rpceeinfo.h"
#include "win32.h"
#include "win32crt.h"
#include "win32text.h"
#include "win32time.h"

#endif
