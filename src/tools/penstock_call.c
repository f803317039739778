/* SPDX-License-Identifier: MIT */
/* penstock_call.c - `penstock call`: compiles an IDL file in memory, calls an operation with
 * arguments in JSON and prints the results as JSON. */
#include "penstock.h"

#include "call_idl.h"
#include "call_memory.h"
#include "call_run.h"
#include "call_script.h"
#include "call_value.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char call_help[] =
    "usage: penstock call [OPTIONS] BINDING FILE.idl INTERFACE.OPERATION [JSON]\n"
    "       penstock call [OPTIONS] --script=FILE BINDING FILE.idl\n"
    "\n"
    "Compiles FILE.idl, calls the operation at BINDING with the arguments of the JSON object\n"
    "and prints the [out] parameters, and the result as \"return\", as one JSON object.\n"
    "JSON may also be @FILE, or - for standard input; without it there are no arguments.\n"
    "\n"
    "  -c, --compact           print the results on one line\n"
    "  -t, --timeout=S         give the call up after S seconds\n"
    "  -I, --include=DIR       search imported and included files there, too\n"
    "  -D, --define=NAME[=V]   define a macro for the IDL file\n"
    "      --in-pipe=NAME=FILE   send FILE (-: standard input) through the [in] pipe NAME\n"
    "      --out-pipe=NAME=FILE  write the [out] pipe NAME to FILE (-: standard output, the\n"
    "                          results go to standard error then)\n"
    "      --pipe-json         elements of pipes are lines of JSON, not raw octets\n"
    "      --no-progress       no progress on the terminal\n"
    "      --script=FILE       several calls, a line of JSON each: {\"call\": \"INTERFACE.OPERATION\",\n"
    "                          \"arguments\": {...}, \"as\": \"NAME\"}; {\"$of\": \"NAME.PATH\"} among the\n"
    "                          arguments is a result of an earlier one\n"
    "      --syntax=ndr|ndr64  offer this transfer syntax alone\n"
    "  -h, --help              print this\n"
    "\n"
    "What the JSON of each type is: man penstock\n";

struct pipe_option {
    const char *name; /* up to name_len */
    size_t name_len;
    const char *file;
    bool is_out, used;
};

#define PIPE_OPTIONS_MAX 32

struct options {
    bool compact, pipe_json, no_progress;
    double timeout_s; /* 0: none */
    const char *syntax;
    const char *script; /* NULL: one call */
    struct pipe_option pipes[PIPE_OPTIONS_MAX];
    unsigned pipe_count;
    const char **macros, **dirs; /* of the preprocessor; our directories */
    size_t macro_count, dir_count;
    char **owned; /* strings made here */
};

/* ---- Options ------------------------------------------------------------------------------------ */

enum { OPT_IN_PIPE = 256, OPT_OUT_PIPE, OPT_PIPE_JSON, OPT_NO_PROGRESS, OPT_SYNTAX, OPT_SCRIPT };

static bool add_pipe(struct options *options, const char *text, bool is_out)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || equals[1] == '\0') {
        tool_complain("--%s-pipe takes NAME=FILE, not '%s'", is_out ? "out" : "in", text);
        return false;
    }
    if (options->pipe_count == PIPE_OPTIONS_MAX) {
        tool_complain("more than %d pipes", PIPE_OPTIONS_MAX);
        return false;
    }
    options->pipes[options->pipe_count++] =
        (struct pipe_option){text, (size_t)(equals - text), equals + 1, is_out, false};
    return true;
}

/* -I and -D as the preprocessor wants them: one argument each. */
static void add_macro(struct options *options, const char *letter, const char *text)
{
    char *joined = idl_join(letter, text, "");
    options->owned[options->macro_count] = joined;
    options->macros[options->macro_count++] = joined;
    if (letter[1] == 'I')
        options->dirs[options->dir_count++] = text;
}

/* EXIT_OK, -1: help was printed, or reported. */
static int parse_options(struct options *options, int argc, char **argv)
{
    static const struct option longs[] = {{"compact", no_argument, NULL, 'c'},
                                          {"timeout", required_argument, NULL, 't'},
                                          {"include", required_argument, NULL, 'I'},
                                          {"define", required_argument, NULL, 'D'},
                                          {"in-pipe", required_argument, NULL, OPT_IN_PIPE},
                                          {"out-pipe", required_argument, NULL, OPT_OUT_PIPE},
                                          {"pipe-json", no_argument, NULL, OPT_PIPE_JSON},
                                          {"no-progress", no_argument, NULL, OPT_NO_PROGRESS},
                                          {"syntax", required_argument, NULL, OPT_SYNTAX},
                                          {"script", required_argument, NULL, OPT_SCRIPT},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    size_t room = (size_t)argc + 1;
    options->macros = idl_files_keep(calloc(room, sizeof(*options->macros)));
    options->dirs = idl_files_keep(calloc(room, sizeof(*options->dirs)));
    options->owned = idl_files_keep(calloc(room, sizeof(*options->owned)));
    int option;
    while ((option = getopt_long(argc, argv, "ct:I:D:h", longs, NULL)) != -1) {
        switch (option) {
        case 'c':
            options->compact = true;
            break;
        case 't':
            if (!tool_seconds(optarg, "--timeout", &options->timeout_s))
                return EXIT_WRONG;
            break;
        case 'I':
            add_macro(options, "-I", optarg);
            break;
        case 'D':
            add_macro(options, "-D", optarg);
            break;
        case OPT_IN_PIPE:
        case OPT_OUT_PIPE:
            if (!add_pipe(options, optarg, option == OPT_OUT_PIPE))
                return EXIT_WRONG;
            break;
        case OPT_PIPE_JSON:
            options->pipe_json = true;
            break;
        case OPT_NO_PROGRESS:
            options->no_progress = true;
            break;
        case OPT_SYNTAX:
            options->syntax = optarg;
            break;
        case OPT_SCRIPT:
            options->script = optarg;
            break;
        case 'h':
            fputs(call_help, stdout);
            return -1;
        default:
            return tool_usage("call");
        }
    }
    int count = argc - optind;
    if (options->script ? count != 2 : count != 3 && count != 4) {
        fputs(call_help, stderr);
        return EXIT_WRONG;
    }
    unsigned readers = count == 4 && strcmp(argv[optind + 3], "-") == 0;
    for (unsigned i = 0; i < options->pipe_count; i++)
        readers += !options->pipes[i].is_out && strcmp(options->pipes[i].file, "-") == 0;
    if (readers > 1)
        return tool_complain("standard input can be read once only");
    return EXIT_OK;
}

static void options_fini(struct options *options)
{
    for (size_t i = 0; i < options->macro_count; i++)
        free(options->owned[i]);
    free(options->owned);
    free(options->macros);
    free(options->dirs);
}

/* ---- Arguments ---------------------------------------------------------------------------------- */

/* NULL: reported. */
static json_t *load_arguments(const char *text)
{
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY;
    const char *name = "arguments";
    json_error_t error;
    json_t *json;
    if (!text)
        return json_object();
    if (strcmp(text, "-") == 0) {
        json = json_loadf(stdin, flags, &error);
    } else if (*text == '@') {
        name = text + 1;
        json = json_load_file(name, flags, &error);
    } else {
        json = json_loads(text, flags, &error);
    }
    if (!json && error.line > 0)
        tool_complain("%s:%d:%d: %s", name, error.line, error.column, error.text);
    else if (!json)
        tool_complain("%s", error.text);
    return json;
}

/* ---- Pipes --------------------------------------------------------------------------------------- */

static struct pipe_option *pipe_option(struct options *options, const char *name, bool is_out)
{
    for (unsigned i = 0; i < options->pipe_count; i++) {
        struct pipe_option *option = &options->pipes[i];
        if (option->is_out == is_out && strlen(name) == option->name_len &&
            strncmp(option->name, name, option->name_len) == 0 && !option->used)
            return option;
    }
    return NULL;
}

/* The descriptor of one direction, -1: reported. */
static int open_pipe(struct options *options, const NDR_PARAM *param, bool is_out,
                     const char **ret_file)
{
    struct pipe_option *option = pipe_option(options, param->name, is_out);
    if (!option) {
        tool_complain("'%s' is a pipe: where %s it? (--%s-pipe %s=FILE)", param->name,
                      is_out ? "to with" : "from", is_out ? "out" : "in", param->name);
        return -1;
    }
    option->used = true;
    *ret_file = option->file;
    if (strcmp(option->file, "-") == 0)
        return is_out ? STDOUT_FILENO : STDIN_FILENO;
    int fd = is_out ? open(option->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)
                    : open(option->file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        tool_complain("%s: %s", option->file, strerror(errno));
    return fd;
}

/* False: reported. */
static bool open_pipes(struct options *options, struct call_run *run,
                       const NDR_OPERATION *operation, uint8_t *frame)
{
    run->pipes = idl_files_keep(calloc(operation->param_count + 1, sizeof(*run->pipes)));
    for (uint32_t i = 0; i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        if (!(param->flags & NDR_PARAM_PIPE))
            continue;
        struct call_pipe *pipe = &run->pipes[run->pipe_count++];
        NDR_ASYNC_PIPE *place = &pipe->pipe;
        *pipe = (struct call_pipe){.param = param, .in_fd = -1, .out_fd = -1};
        memcpy(frame + param->offset, &place, sizeof(place));
    }
    for (unsigned i = 0; i < run->pipe_count; i++) {
        struct call_pipe *pipe = &run->pipes[i];
        struct stat info;
        if (pipe->param->flags & NDR_PARAM_IN) {
            pipe->in_fd = open_pipe(options, pipe->param, false, &pipe->in_name);
            if (pipe->in_fd < 0)
                return false;
            if (fstat(pipe->in_fd, &info) == 0 && S_ISREG(info.st_mode))
                run->progress.total += (uint64_t)info.st_size;
        }
        if (pipe->param->flags & NDR_PARAM_OUT) {
            pipe->out_fd = open_pipe(options, pipe->param, true, &pipe->out_name);
            run->progress.total = 0; /* nobody knows how much comes back */
            if (pipe->out_fd < 0)
                return false;
        }
    }
    for (unsigned i = 0; i < options->pipe_count; i++) {
        const struct pipe_option *option = &options->pipes[i];
        if (option->used)
            continue;
        tool_complain("'%s' has no [%s] pipe '%.*s'", operation->name,
                      option->is_out ? "out" : "in", (int)option->name_len, option->name);
        return false;
    }
    return true;
}

/* Of what was written, an error may come as late as now.  False: reported. */
static bool close_pipes(struct call_run *run)
{
    bool ok = true;
    for (unsigned i = 0; i < run->pipe_count; i++) {
        struct call_pipe *pipe = &run->pipes[i];
        if (pipe->in_fd > STDERR_FILENO)
            close(pipe->in_fd);
        if (pipe->out_fd > STDERR_FILENO && close(pipe->out_fd) != 0) {
            tool_complain("%s: %s", pipe->out_name, strerror(errno));
            ok = false;
        }
    }
    free(run->pipes);
    return ok;
}

static bool to_stdout(const struct call_run *run)
{
    for (unsigned i = 0; i < run->pipe_count; i++) {
        if (run->pipes[i].out_fd == STDOUT_FILENO)
            return true;
    }
    return false;
}

/* ---- The call -------------------------------------------------------------------------------------- */

static int print_results(const struct options *options, const json_t *results, FILE *out)
{
    if (json_dumpf(results, out, options->compact ? JSON_COMPACT : JSON_INDENT(2)) != 0 ||
        fputc('\n', out) == EOF || fflush(out) != 0)
        return tool_complain("the results: %s", strerror(errno ? errno : ENOMEM));
    return EXIT_OK;
}

static int show_results(const NDR_OPERATION *operation, const uint8_t *frame, json_t **ret_results)
{
    struct value_walk walk;
    value_walk_init(&walk, "results");
    *ret_results = value_show_frame(&walk, operation, frame);
    if (!*ret_results)
        fprintf(stderr, "penstock: %s\n", walk.error);
    value_walk_fini(&walk);
    return *ret_results ? EXIT_OK : EXIT_FAILED;
}

static void set_bindings(const NDR_OPERATION *operation, uint8_t *frame, RPC_BINDING_HANDLE binding)
{
    for (uint32_t i = 0; i < operation->param_count; i++) {
        if (operation->params[i].flags & NDR_PARAM_BINDING)
            memcpy(frame + operation->params[i].offset, &binding, sizeof(binding));
    }
}

static int run_call(struct options *options, struct call_run *run,
                    const struct idl_description *interface, const NDR_OPERATION *operation,
                    uint8_t *frame, json_t **ret_results)
{
    bool cancelled;
    RpcAsyncInitializeHandle(&run->async, sizeof(run->async));
    if (options->timeout_s > 0)
        RpcxAsyncSetDeadline(&run->async, (DWORD)(options->timeout_s * 1e3 + 0.5));
    run->pipe_json = options->pipe_json;
    run->progress.enabled = run->pipe_count > 0 && !options->no_progress;
    RPC_STATUS status = call_run(run, &interface->spec, operation, frame, &cancelled);
    if (run->local_error != EXIT_OK)
        return run->local_error;
    if (status == RPC_S_OK)
        return show_results(operation, frame, ret_results);
    tool_failed(operation->name, status);
    return cancelled ? EXIT_CANCELLED : EXIT_FAILED;
}

/* What a call needs that is not its operation and its arguments. */
struct place {
    struct options *options;
    const struct call_idl *idl;
    const char *string_binding;
    RPC_BINDING_HANDLE binding; /* NULL: not made yet */
    FILE *out;                  /* for the results */
};

/* Arguments are looked at before anything is opened or sent. */
static int call(struct place *place, const struct idl_description *interface,
                const NDR_OPERATION *operation, const json_t *arguments, json_t **ret_results)
{
    struct call_run run = {0};
    struct value_walk walk;
    uint8_t *frame = call_allocate(operation->frame_size);
    int status = EXIT_WRONG;
    value_walk_init(&walk, "arguments");
    if (!frame)
        value_out_of_memory(&walk);
    if (!frame || !value_fill_frame(&walk, operation, frame, arguments)) {
        fprintf(stderr, "penstock: %s\n", walk.error);
        goto out;
    }
    if (!open_pipes(place->options, &run, operation, frame))
        goto out;
    status = place->binding ? EXIT_OK
                            : tool_bind(place->string_binding, place->options->syntax,
                                        &place->binding);
    if (status != EXIT_OK)
        goto out;
    place->out = to_stdout(&run) ? stderr : stdout;
    set_bindings(operation, frame, place->binding);
    status = run_call(place->options, &run, interface, operation, frame, ret_results);
out:
    if (!close_pipes(&run) && status == EXIT_OK)
        status = EXIT_WRONG;
    value_walk_fini(&walk);
    call_free_all();
    return status;
}

static int call_once(struct place *place, const char *name, const char *text)
{
    const struct idl_description *interface;
    const NDR_OPERATION *operation;
    if (!call_idl_find(place->idl, name, &interface, &operation))
        return EXIT_WRONG;
    json_t *arguments = load_arguments(text), *results = NULL;
    int status = arguments ? call(place, interface, operation, arguments, &results) : EXIT_WRONG;
    if (results && status == EXIT_OK)
        status = print_results(place->options, results, place->out);
    json_decref(results);
    json_decref(arguments);
    return status;
}

/* One line of a script. */
static int call_of_script(void *arg, const char *name, const json_t *arguments,
                          json_t **ret_results)
{
    struct place *place = arg;
    const struct idl_description *interface;
    const NDR_OPERATION *operation;
    if (!call_idl_find(place->idl, name, &interface, &operation))
        return EXIT_WRONG;
    if (operation->flags & NDR_OP_HAS_PIPES)
        return tool_complain("'%s' has pipes, which no script can give", name);
    int status = call(place, interface, operation, arguments, ret_results);
    if (status == EXIT_OK)
        status = print_results(place->options, *ret_results, stdout);
    return status;
}

int command_call(int argc, char **argv)
{
    struct options options = {0};
    /* Connections that outlive the call refer to its interface. */
    static struct call_idl idl;
    struct place place = {.options = &options, .idl = &idl};
    int status = parse_options(&options, argc, argv);
    if (status == EXIT_OK) {
        char **rest = argv + optind;
        idl.files.dirs = options.dirs;
        idl.files.dir_count = options.dir_count;
        idl.files.cpp.macros = options.macros;
        idl.files.cpp.macro_count = options.macro_count;
        place.string_binding = rest[0];
        if (!call_idl_compile(&idl, rest[1]))
            status = EXIT_WRONG;
        else if (options.script)
            status = call_script(options.script, call_of_script, &place);
        else
            status = call_once(&place, rest[2], argc - optind > 3 ? rest[3] : NULL);
    }
    if (place.binding)
        RpcBindingFree(&place.binding);
    options_fini(&options);
    return status < 0 ? EXIT_OK : status;
}
