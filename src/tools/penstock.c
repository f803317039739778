/* SPDX-License-Identifier: MIT */
/* penstock.c - the command-line tool: calls any server, without generated code.
 *
 *     penstock COMMAND ...        each command has its own file, penstock_COMMAND.c */
#include "penstock.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpcdce.h>

#include "base/status.h"
#include "rpc_error.h"

static const char general_help[] =
    "usage: penstock COMMAND ...\n"
    "       penstock COMMAND --help\n"
    "       penstock --help | --version\n"
    "\n"
    "Calls servers of DCE/RPC.\n"
    "\n"
    "  call BINDING FILE.idl INTERFACE.OPERATION [JSON]   calls an operation\n"
    "  ping BINDING                                       measures round trips\n"
    "  ls [HOST]                                          lists what an endpoint mapper knows\n"
    "  ifs BINDING                                        lists the interfaces of a server\n"
    "  stats BINDING                                      how much a server has done\n"
    "\n"
    "BINDING is a string binding: ncacn_ip_tcp:HOST[PORT], ncalrpc:[NAME].\n"
    "Exit status: 0 done, 1 the call failed, 2 wrong arguments, 130 interrupted.\n"
    "The manual has all of it: man penstock\n";

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"call", command_call},
    {"ping", command_ping},
    {"ls", command_ls},
    {"ifs", command_ifs},
    {"stats", command_stats},
};

int tool_complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("penstock: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return EXIT_WRONG;
}

int tool_failed(const char *what, RPC_STATUS status)
{
    const char *name = status_name(status), *text = status_text(status);
    uint32_t number = (uint32_t)status;
    fprintf(stderr, "penstock: %s: %s (", what, text ? text : "unknown status");
    if (name)
        fprintf(stderr, "%s, ", name);
    fprintf(stderr, number > INT16_MAX ? "0x%08" PRIx32 ")\n" : "%" PRIu32 ")\n", number);
    if (status == RPC_S_BINDING_INCOMPLETE)
        fputs("  which server of that host? HOST[PORT]; penstock ls HOST lists them\n", stderr);
    rpc_error_print_records(stderr);
    return EXIT_FAILED;
}

int tool_usage(const char *command)
{
    fprintf(stderr, "penstock %s --help says what it understands\n", command);
    return EXIT_WRONG;
}

int tool_bind(const char *string_binding, const char *syntax, RPC_BINDING_HANDLE *ret_binding)
{
    unsigned int syntaxes = 0;
    if (syntax && strcmp(syntax, "ndr") == 0)
        syntaxes = RPCX_SYNTAX_NDR;
    else if (syntax && strcmp(syntax, "ndr64") == 0)
        syntaxes = RPCX_SYNTAX_NDR64;
    else if (syntax)
        return tool_complain("--syntax is 'ndr' or 'ndr64', not '%s'", syntax);
    RPC_STATUS status =
        RpcBindingFromStringBindingA((RPC_CSTR)(uintptr_t)string_binding, ret_binding);
    if (status != RPC_S_OK) {
        tool_failed(string_binding, status);
        return EXIT_WRONG;
    }
    status = syntax ? RpcxBindingSetTransferSyntaxes(*ret_binding, syntaxes) : RPC_S_OK;
    if (status == RPC_S_OK)
        return EXIT_OK;
    RpcBindingFree(ret_binding);
    return tool_failed(string_binding, status);
}

bool tool_seconds(const char *text, const char *option, double *ret_seconds)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (end != text && *end == '\0' && errno == 0 && value >= 0 && value <= 4e6) {
        *ret_seconds = value;
        return true;
    }
    tool_complain("%s takes a number of seconds, not '%s'", option, text);
    return false;
}

/* What was printed is what the caller wanted to know. */
static int flushed(int status)
{
    const char *why = ferror(stdout) ? "cannot be written" : NULL; /* before, and errno is gone */
    if (!why && fflush(stdout) != 0)
        why = strerror(errno);
    return status == EXIT_OK && why ? tool_complain("standard output: %s", why) : status;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--version") == 0) {
        puts("penstock " PENSTOCK_VERSION);
        return flushed(EXIT_OK);
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
        fputs(general_help, stdout);
        return flushed(EXIT_OK);
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return flushed(commands[i].run(argc - 1, argv + 1));
    }
    if (argc > 1)
        tool_complain("there is no command '%s'", name);
    fputs(general_help, stderr);
    return EXIT_WRONG;
}
