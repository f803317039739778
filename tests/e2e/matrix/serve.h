/* SPDX-License-Identifier: MIT */
/* serve.h - the main program of both servers of the matrix. */
#ifndef MATRIX_SERVE_H
#define MATRIX_SERVE_H

#include "rpc.h"

/* Serves `interface` on the endpoints of the command line until standard input ends.
 * Returns the exit status. */
int serve(RPC_IF_HANDLE interface, int argc, char **argv);

#endif
