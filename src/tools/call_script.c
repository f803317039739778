/* SPDX-License-Identifier: MIT */
/* call_script.c - lines of JSON: {"call": "If.Op", "arguments": {...}, "as": "name"}. */
#include "call_script.h"

#include "penstock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct script {
    const char *path;
    unsigned long line;
    json_t *results; /* of the calls so far, by their names */
};

static int complain(const struct script *script, const char *text, const char *what)
{
    return tool_complain("%s:%lu: %s%s%s%s", script->path, script->line, text, what ? " '" : "",
                         what ? what : "", what ? "'" : "");
}

/* The value at "name.member[2].member" among the results; borrowed.  NULL: there is none. */
static json_t *result_at(const struct script *script, const char *path)
{
    json_t *json = script->results;
    while (json && *path != '\0') {
        char key[256];
        size_t len = strcspn(path, ".[");
        if (*path == '[') {
            char *end;
            size_t index = strtoul(path + 1, &end, 10);
            if (end == path + 1 || *end != ']')
                return NULL;
            json = json_array_get(json, index);
            path = end + 1;
        } else {
            if (len == 0 || len >= sizeof(key))
                return NULL;
            memcpy(key, path, len);
            key[len] = '\0';
            json = json_object_get(json, key);
            path += len;
        }
        if (*path == '.' && path[1] != '\0')
            path++;
    }
    return json;
}

/* `json` with what {"$of": ...} refers to in its place; gives.  NULL: reported.  The depth is
 * that of parsed JSON, which is bounded. */
static json_t *resolve(const struct script *script, json_t *json)
{
    const json_t *of =
        json_is_object(json) && json_object_size(json) == 1 ? json_object_get(json, "$of") : NULL;
    const char *key;
    size_t index;
    json_t *value, *copy;
    if (json_is_string(of)) {
        value = result_at(script, json_string_value(of));
        if (!value)
            complain(script, "no earlier call has a result", json_string_value(of));
        return json_incref(value);
    }
    if (!json_is_object(json) && !json_is_array(json))
        return json_incref(json);
    copy = json_is_object(json) ? json_object() : json_array();
    json_object_foreach(json, key, value)
    {
        json_t *resolved = resolve(script, value);
        if (!resolved || json_object_set_new(copy, key, resolved) != 0)
            goto failed;
    }
    json_array_foreach(json, index, value)
    {
        json_t *resolved = resolve(script, value);
        if (!resolved || json_array_append_new(copy, resolved) != 0)
            goto failed;
    }
    return copy;
failed:
    json_decref(copy);
    return NULL;
}

static int check_line(const struct script *script, json_t *json)
{
    const char *key;
    json_t *value;
    if (!json_is_object(json))
        return complain(script, "expected an object with 'call', 'arguments' and 'as'", NULL);
    json_object_foreach(json, key, value)
    {
        bool known = strcmp(key, "call") == 0 || strcmp(key, "as") == 0
                         ? json_is_string(value)
                         : strcmp(key, "arguments") == 0 && json_is_object(value);
        if (!known)
            return complain(script, "unknown or wrong member", key);
    }
    return json_object_get(json, "call") ? EXIT_OK : complain(script, "no member", "call");
}

static int run_line(struct script *script, json_t *json, call_script_call *call, void *arg)
{
    json_t *given = json_object_get(json, "arguments"), *results = NULL;
    const char *name = json_string_value(json_object_get(json, "as"));
    int status = check_line(script, json);
    if (status != EXIT_OK)
        return status;
    json_t *arguments = given ? resolve(script, given) : json_object();
    if (!arguments)
        return EXIT_WRONG;
    status = call(arg, json_string_value(json_object_get(json, "call")), arguments, &results);
    if (status != EXIT_OK)
        fprintf(stderr, "penstock: %s:%lu: this call\n", script->path, script->line);
    else if (name && json_object_set(script->results, name, results) != 0)
        status = complain(script, "out of memory", NULL);
    json_decref(results);
    json_decref(arguments);
    return status;
}

int call_script(const char *path, call_script_call *call, void *arg)
{
    struct script script = {.path = path, .results = json_object()};
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    int status = EXIT_OK;
    if (!file)
        status = tool_complain("%s: %s", path, strerror(errno));
    while (status == EXIT_OK && (len = getline(&line, &room, file)) > 0) {
        json_error_t error;
        script.line++;
        if (line[strspn(line, " \t\r\n")] == '\0')
            continue;
        json_t *json =
            json_loadb(line, (size_t)len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
        status = json ? run_line(&script, json, call, arg) : EXIT_WRONG;
        if (!json)
            tool_complain("%s:%lu:%d: %s", path, script.line, error.column, error.text);
        json_decref(json);
    }
    if (file && status == EXIT_OK && ferror(file))
        status = tool_complain("%s: %s", path, strerror(errno));
    if (file && file != stdin)
        fclose(file);
    free(line);
    json_decref(script.results);
    return status;
}
