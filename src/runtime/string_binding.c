/* SPDX-License-Identifier: MIT */
/* string_binding.c - parses and formats string bindings; the documented functions
 * RpcStringBindingCompose, RpcStringBindingParse and RpcStringFree. */
#include "runtime/string_binding.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <penstock/rpc.h>

#include "base/uuid.h"

static const char endpoint_name[] = "endpoint";

/* ---- Pieces of text ------------------------------------------------------ */

/* Characters at `text` before `end` that are not one of `stops`, escaped ones not
 * counting as stops.  The caller made sure that no text ends in a lone backslash. */
static size_t span(const char *text, const char *end, const char *stops)
{
    const char *p = text;
    while (p < end && !strchr(stops, *p))
        p += *p == '\\' && p + 1 < end ? 2 : 1;
    return (size_t)(p - text);
}

/* Does `text` end in a backslash that escapes nothing? */
static bool has_lone_backslash(const char *text, const char *end)
{
    size_t run = 0;
    while (end > text && end[-1] == '\\') {
        run++;
        end--;
    }
    return run % 2 == 1;
}

/* A copy of `len` characters with the escapes resolved; NULL without memory. */
static char *unescape(const char *text, size_t len)
{
    char *copy = malloc(len + 1);
    if (!copy)
        return NULL;
    char *out = copy;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\\' && i + 1 < len)
            i++;
        *out++ = text[i];
    }
    *out = '\0';
    return copy;
}

/* Replaces the part *part, which it frees. */
static RPC_STATUS set_part(char **part, const char *text, size_t len)
{
    char *copy = unescape(text, len);
    if (!copy)
        return RPC_S_OUT_OF_MEMORY;
    free(*part);
    *part = copy;
    return RPC_S_OK;
}

/* Is the item of the brackets `endpoint=...`?  *ret_name_len includes the sign. */
static bool is_endpoint_item(const char *item, size_t len, size_t *ret_name_len)
{
    size_t name_len = sizeof(endpoint_name) - 1;
    *ret_name_len = name_len + 1;
    return len > name_len && item[name_len] == '=' &&
           strncasecmp(item, endpoint_name, name_len) == 0;
}

/* ---- Parsing ------------------------------------------------------------- */

/* What the items of the brackets have yielded so far. */
struct brackets {
    struct string_binding *binding;
    size_t options_len; /* of binding->options, which has room for the whole text */
    bool has_endpoint;
};

static void add_option(struct brackets *in, const char *item, size_t len)
{
    char *options = in->binding->options;
    if (in->options_len > 0)
        options[in->options_len++] = ',';
    memcpy(options + in->options_len, item, len);
    in->options_len += len;
    options[in->options_len] = '\0';
}

static RPC_STATUS parse_item(struct brackets *in, const char *item, size_t len, bool first)
{
    size_t name_len = 0;
    bool named = is_endpoint_item(item, len, &name_len);
    bool plain = first && span(item, item + len, "=") == len;
    if (!named && !plain) {
        if (len > 0)
            add_option(in, item, len);
        return RPC_S_OK;
    }
    if (in->has_endpoint)
        return RPC_S_INVALID_STRING_BINDING;
    in->has_endpoint = len > 0;
    size_t skip = named ? name_len : 0;
    return set_part(&in->binding->endpoint, item + skip, len - skip);
}

/* The text between the brackets. */
static RPC_STATUS parse_brackets(const char *text, const char *end, struct string_binding *binding)
{
    free(binding->options);
    binding->options = calloc(1, (size_t)(end - text) + 1);
    if (!binding->options)
        return RPC_S_OUT_OF_MEMORY;
    struct brackets in = {.binding = binding};
    for (bool first = true;; first = false) {
        size_t len = span(text, end, ",");
        RPC_STATUS status = parse_item(&in, text, len, first);
        if (status != RPC_S_OK)
            return status;
        text += len;
        if (text == end)
            return RPC_S_OK;
        text++; /* the comma */
    }
}

static RPC_STATUS parse_object(const char *text, size_t len, struct string_binding *binding)
{
    UUID unused;
    if (!uuid_parse(text, len, &unused))
        return RPC_S_INVALID_STRING_UUID;
    return set_part(&binding->object, text, len);
}

/* Everything after the object.  `end` is the end of the string. */
static RPC_STATUS parse_rest(const char *text, const char *end, struct string_binding *binding)
{
    size_t len = span(text, end, ":@[]");
    if (text + len == end || text[len] != ':')
        return RPC_S_INVALID_STRING_BINDING;
    RPC_STATUS status = set_part(&binding->protseq, text, len);
    if (status != RPC_S_OK)
        return status;
    text += len + 1;

    len = span(text, end, "[]");
    status = set_part(&binding->address, text, len);
    text += len;
    if (status != RPC_S_OK || text == end)
        return status;
    if (*text != '[')
        return RPC_S_INVALID_STRING_BINDING;
    text++;

    len = span(text, end, "]");
    if (text + len + 1 != end) /* no bracket, or something behind it */
        return RPC_S_INVALID_STRING_BINDING;
    return parse_brackets(text, text + len, binding);
}

static RPC_STATUS parse_into(const char *text, struct string_binding *binding)
{
    char **parts[] = {&binding->object, &binding->protseq, &binding->address, &binding->endpoint,
                      &binding->options};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        RPC_STATUS status = set_part(parts[i], "", 0);
        if (status != RPC_S_OK)
            return status;
    }
    const char *end = text + strlen(text);
    if (has_lone_backslash(text, end))
        return RPC_S_INVALID_STRING_BINDING;
    size_t len = span(text, end, "@:[]");
    if (text + len < end && text[len] == '@') {
        RPC_STATUS status = parse_object(text, len, binding);
        if (status != RPC_S_OK)
            return status;
        text += len + 1;
    }
    return parse_rest(text, end, binding);
}

RPC_STATUS string_binding_parse(const char *text, struct string_binding *ret_binding)
{
    struct string_binding binding = {0};
    RPC_STATUS status = parse_into(text, &binding);
    if (status == RPC_S_OK)
        *ret_binding = binding;
    else
        string_binding_fini(&binding);
    return status;
}

void string_binding_fini(struct string_binding *binding)
{
    free(binding->object);
    free(binding->protseq);
    free(binding->address);
    free(binding->endpoint);
    free(binding->options);
    *binding = (struct string_binding){0};
}

/* ---- Formatting ---------------------------------------------------------- */

static const char *or_empty(const char *part)
{
    return part ? part : "";
}

/* Writes `part` with each of `special` escaped; gives the end. */
static char *put_escaped(char *out, const char *part, const char *special)
{
    for (; *part; part++) {
        if (strchr(special, *part))
            *out++ = '\\';
        *out++ = *part;
    }
    return out;
}

/* The options go out as they are, so they must stay inside their place. */
static bool are_options_valid(const char *options)
{
    const char *end = options + strlen(options);
    if (has_lone_backslash(options, end) || options + span(options, end, "]") != end)
        return false;
    for (;;) {
        size_t unused;
        size_t len = span(options, end, ",");
        if (is_endpoint_item(options, len, &unused))
            return false;
        options += len;
        if (options == end)
            return true;
        options++;
    }
}

RPC_STATUS string_binding_format(const struct string_binding *binding, char **ret_text)
{
    const char *object = or_empty(binding->object);
    const char *protseq = or_empty(binding->protseq);
    const char *address = or_empty(binding->address);
    const char *endpoint = or_empty(binding->endpoint);
    const char *options = or_empty(binding->options);
    UUID unused;
    if (*object && !uuid_parse(object, strlen(object), &unused))
        return RPC_S_INVALID_STRING_UUID;
    if (!are_options_valid(options))
        return RPC_S_INVALID_NETWORK_OPTIONS;

    /* Every character escaped, plus @ : [ , ] and the NUL. */
    size_t size = strlen(object) + strlen(options) + 6;
    size += 2 * (strlen(protseq) + strlen(address) + strlen(endpoint));
    char *text = malloc(size);
    if (!text)
        return RPC_S_OUT_OF_MEMORY;
    char *out = text;
    if (*object) {
        out = put_escaped(out, object, "");
        *out++ = '@';
    }
    out = put_escaped(out, protseq, "\\@:[]");
    *out++ = ':';
    out = put_escaped(out, address, "\\[]");
    if (*endpoint || *options) {
        *out++ = '[';
        out = put_escaped(out, endpoint, "\\],=");
        if (*options)
            *out++ = ',';
        out = put_escaped(out, options, "");
        *out++ = ']';
    }
    *out = '\0';
    *ret_text = text;
    return RPC_S_OK;
}

/* ---- The documented functions -------------------------------------------- */

RPC_STATUS RpcStringBindingComposeA(RPC_CSTR ObjUuid, RPC_CSTR ProtSeq, RPC_CSTR NetworkAddr,
                                    RPC_CSTR Endpoint, RPC_CSTR Options, RPC_CSTR *StringBinding)
{
    const struct string_binding binding = {
        .object = (char *)ObjUuid,
        .protseq = (char *)ProtSeq,
        .address = (char *)NetworkAddr,
        .endpoint = (char *)Endpoint,
        .options = (char *)Options,
    };
    char *text;
    RPC_STATUS status = string_binding_format(&binding, &text);
    if (status != RPC_S_OK)
        return status;
    if (StringBinding)
        *StringBinding = (RPC_CSTR)text;
    else
        free(text);
    return RPC_S_OK;
}

/* Moves a part to where the caller wants it, if he does. */
static void give_part(RPC_CSTR *ret_part, char **part)
{
    if (!ret_part)
        return;
    *ret_part = (RPC_CSTR)*part;
    *part = NULL;
}

RPC_STATUS RpcStringBindingParseA(RPC_CSTR StringBinding, RPC_CSTR *ObjUuid, RPC_CSTR *Protseq,
                                  RPC_CSTR *NetworkAddr, RPC_CSTR *Endpoint,
                                  RPC_CSTR *NetworkOptions)
{
    /* All NULL: what the caller is given after a failure. */
    struct string_binding binding = {0};
    RPC_STATUS status = RPC_S_INVALID_ARG;
    if (StringBinding)
        status = string_binding_parse((const char *)StringBinding, &binding);
    give_part(ObjUuid, &binding.object);
    give_part(Protseq, &binding.protseq);
    give_part(NetworkAddr, &binding.address);
    give_part(Endpoint, &binding.endpoint);
    give_part(NetworkOptions, &binding.options);
    string_binding_fini(&binding);
    return status;
}

RPC_STATUS RpcStringFreeA(RPC_CSTR *String)
{
    if (!String)
        return RPC_S_INVALID_ARG;
    free(*String);
    *String = NULL;
    return RPC_S_OK;
}
