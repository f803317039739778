/* SPDX-License-Identifier: MIT */
/* penstock.h - what the commands of `penstock` share. */
#ifndef PENSTOCK_TOOLS_PENSTOCK_H
#define PENSTOCK_TOOLS_PENSTOCK_H

#include <stdbool.h>

#include <penstock/rpc.h>

/* Exit statuses, the same for all commands. */
enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,     /* no server, a fault, a reply that makes no sense       */
    EXIT_WRONG = 2,      /* the command line, an IDL file, JSON, or a local file  */
    EXIT_CANCELLED = 130 /* by SIGINT or SIGTERM, as shells expect                */
};

/* Runs one command; argv[0] is its name. */
int command_call(int argc, char **argv);
int command_ping(int argc, char **argv);
int command_ls(int argc, char **argv);
int command_ifs(int argc, char **argv);
int command_stats(int argc, char **argv);

/* "penstock: text" on stderr.  Returns EXIT_WRONG. */
int tool_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "penstock: WHAT: sentence (RPC_S_NAME, number)", and the extended error records of this
 * thread, if any.  Returns EXIT_FAILED. */
int tool_failed(const char *what, RPC_STATUS status);
/* getopt has met something it does not know, and said so. */
int tool_usage(const char *command);

/* A binding handle of a string binding, with the transfer syntax that --syntax names (NULL:
 * all).  EXIT_OK, or reported. */
int tool_bind(const char *string_binding, const char *syntax, RPC_BINDING_HANDLE *ret_binding);
/* A number of seconds, with a fraction; false: it is none, reported. */
bool tool_seconds(const char *text, const char *option, double *ret_seconds);

#endif
