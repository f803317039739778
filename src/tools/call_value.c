/* SPDX-License-Identifier: MIT */
/* call_value.c - what both directions share: paths, failures, aliases. */
#include "call_value.h"

#include "idl/describe.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void value_walk_init(struct value_walk *walk, const char *root)
{
    *walk = (struct value_walk){.root = root};
}

void value_walk_fini(struct value_walk *walk)
{
    while (walk->aliases) {
        struct alias *next = walk->aliases->next;
        free(walk->aliases->path);
        free(walk->aliases);
        walk->aliases = next;
    }
    free(walk->buckets);
    free(walk->path);
    walk->buckets = NULL;
    walk->path = NULL;
}

bool value_fail(struct value_walk *walk, const char *format, ...)
{
    if (walk->failed)
        return false;
    walk->failed = true;
    bool has_path = walk->path_len > 0;
    const char *joint = has_path && walk->path[0] != '[' ? "." : "";
    int len = snprintf(walk->error, sizeof(walk->error), "%s%s%.300s: ", walk->root, joint,
                       has_path ? walk->path : "");
    va_list args;
    va_start(args, format);
    vsnprintf(walk->error + len, sizeof(walk->error) - (size_t)len, format, args);
    va_end(args);
    return false;
}

bool value_out_of_memory(struct value_walk *walk)
{
    return value_fail(walk, "out of memory");
}

static size_t append(struct value_walk *walk, const char *text, size_t len)
{
    size_t mark = walk->path_len;
    if (walk->depth >= VALUE_DEPTH_MAX) {
        value_fail(walk, "nested more than %u levels deep", VALUE_DEPTH_MAX);
        return SIZE_MAX;
    }
    if (walk->path_room - walk->path_len < len + 1) {
        size_t room = 2 * (walk->path_len + len + 64);
        char *bigger = realloc(walk->path, room);
        if (!bigger) {
            value_out_of_memory(walk);
            return SIZE_MAX;
        }
        walk->path = bigger;
        walk->path_room = room;
    }
    memcpy(walk->path + walk->path_len, text, len);
    walk->path_len += len;
    walk->path[walk->path_len] = '\0';
    walk->depth++;
    return mark;
}

size_t value_enter(struct value_walk *walk, const char *name)
{
    size_t dot = walk->path_len > 0 && *name != '\0';
    size_t mark = append(walk, ".", dot);
    if (mark == SIZE_MAX)
        return mark;
    walk->depth--; /* one level, in two pieces */
    return append(walk, name, strlen(name)) == SIZE_MAX ? SIZE_MAX : mark;
}

size_t value_enter_index(struct value_walk *walk, size_t index)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "[%zu]", index);
    return append(walk, text, (size_t)len);
}

void value_leave(struct value_walk *walk, size_t mark)
{
    if (mark == SIZE_MAX)
        return;
    walk->depth--;
    walk->path_len = mark;
    if (walk->path)
        walk->path[mark] = '\0';
}

static struct alias **bucket_of(const struct value_walk *walk, const void *object)
{
    uint64_t hash = (uint64_t)(uintptr_t)object * UINT64_C(0x9e3779b97f4a7c15);
    return &walk->buckets[(hash >> 32) & (walk->bucket_count - 1)];
}

/* Twice as many buckets, all aliases put into them anew. */
static bool grow(struct value_walk *walk)
{
    size_t count = walk->bucket_count ? 2 * walk->bucket_count : 64;
    struct alias **buckets = calloc(count, sizeof(struct alias *));
    if (!buckets)
        return value_out_of_memory(walk);
    free(walk->buckets);
    walk->buckets = buckets;
    walk->bucket_count = count;
    for (struct alias *alias = walk->aliases; alias; alias = alias->next) {
        struct alias **bucket = bucket_of(walk, alias->object);
        alias->chain = *bucket;
        *bucket = alias;
    }
    return true;
}

bool value_note_alias(struct value_walk *walk, const void *object, const NDR_TYPE *type)
{
    if (walk->alias_count == walk->bucket_count && !grow(walk))
        return false;
    struct alias *alias = malloc(sizeof(*alias));
    char *path = malloc(walk->path_len + 1);
    if (!alias || !path) {
        free(alias);
        free(path);
        return value_out_of_memory(walk);
    }
    memcpy(path, walk->path_len > 0 ? walk->path : "", walk->path_len + 1);
    struct alias **bucket = bucket_of(walk, object);
    *alias = (struct alias){object, type, path, walk->aliases, *bucket};
    *bucket = walk->aliases = alias;
    walk->alias_count++;
    return true;
}

const struct alias *value_alias_at(const struct value_walk *walk, const void *object,
                                   const NDR_TYPE *type)
{
    const struct alias *alias = walk->bucket_count > 0 ? *bucket_of(walk, object) : NULL;
    while (alias && (alias->object != object || alias->type != type))
        alias = alias->chain;
    return alias;
}

const struct alias *value_alias_named(const struct value_walk *walk, const char *path)
{
    const struct alias *alias = walk->aliases;
    while (alias && strcmp(alias->path, path) != 0)
        alias = alias->next;
    return alias;
}

size_t value_size(const NDR_TYPE *type)
{
    return idl_type_of(type)->memory_size;
}

const NDR_TYPE *value_tail(const NDR_TYPE *type, size_t *ret_offset)
{
    size_t offset = 0;
    while (type->kind == NDR_KIND_STRUCT && type->flags & NDR_TYPE_OPEN) {
        const NDR_FIELD *last = &type->fields[type->count - 1];
        offset += last->offset;
        type = last->type;
    }
    *ret_offset = offset;
    bool is_tail = (type->kind == NDR_KIND_ARRAY || type->kind == NDR_KIND_STRING) &&
                   type->count == 0;
    return is_tail ? type : NULL;
}

bool value_may_be_null(const NDR_TYPE *type)
{
    while (type->kind == NDR_KIND_POINTER && type->flags & NDR_TYPE_REF)
        type = type->element;
    return type->kind == NDR_KIND_POINTER ||
           (type->kind == NDR_KIND_UNION && type->alternatives->switch_is) ||
           idl_type_of(type)->form == IDL_FORM_CONTEXT;
}

const NDR_ARM *value_arm(const NDR_UNION *u, int64_t tag)
{
    for (uint32_t i = 0; i < u->arm_count; i++) {
        uint64_t room = 0;
        int64_t label = u->arms[i].value;
        if (value_store(u->switch_kind, &room, label))
            value_load(u->switch_kind, &room, &label);
        if (label == tag)
            return &u->arms[i];
    }
    return u->otherwise;
}

bool value_is_data(const NDR_PARAM *param)
{
    NDR_KIND kind = param->type->kind;
    return !(param->flags & (NDR_PARAM_PIPE | NDR_PARAM_BINDING | NDR_PARAM_LOCAL)) &&
           kind != NDR_KIND_HANDLE && kind != NDR_KIND_PIPE && kind != NDR_KIND_VOID;
}

NDR_FIELD *value_frame_members(const NDR_OPERATION *operation)
{
    NDR_FIELD *members = calloc(operation->param_count + 1, sizeof(*members));
    for (uint32_t i = 0; members && i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        members[i] = (NDR_FIELD){param->name, param->type, param->offset, param->range};
    }
    return members;
}
