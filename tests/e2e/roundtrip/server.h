/* SPDX-License-Identifier: MIT */
/* server.h - what the managers share. */
#ifndef ROUNDTRIP_SERVER_H
#define ROUNDTRIP_SERVER_H

#include "rpc.h"
#include "rpcndr.h"

#include "samples.h"
#include "wrong.h"

/* A manager that received something else than was sent raises. */
#define VERIFY(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            RpcRaiseException(WRONG(SERVER_FILE, __LINE__));                                       \
    } while (0)

#endif
