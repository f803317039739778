/* SPDX-License-Identifier: MIT */
/* error_info.c - records, and the chain each thread has; see error_info.h. */
#include "runtime/error_info.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <penstock/rpcnterr.h>

#include "base/utf16.h"

/* Seconds from 1601 to 1970. */
#define EPOCH_1601 11644473600ll

/* ---- Records --------------------------------------------------------------------- */

struct error_record *error_get(struct error_record *head)
{
    if (head)
        atomic_fetch_add_explicit(&head->refs, 1, memory_order_relaxed);
    return head;
}

void error_put(struct error_record *head)
{
    while (head && atomic_fetch_sub_explicit(&head->refs, 1, memory_order_acq_rel) == 1) {
        struct error_record *next = head->next;
        free(head);
        head = next;
    }
}

static size_t units_size(enum eerr_type type, const struct eerr_text *text)
{
    size_t unit = type == EERR_UNICODE ? sizeof(char16_t) : 1;
    /* And a NUL, at a multiple of what a unit needs. */
    return (text->count * unit + 2 * sizeof(char16_t)) & ~(sizeof(char16_t) - 1);
}

static size_t strings_size(const struct eerr_record *info)
{
    size_t size = info->has_name ? units_size(EERR_UNICODE, &info->name) : 0;
    for (unsigned i = 0; i < info->param_count; i++)
        size += units_size(info->params[i].type, &info->params[i].text);
    return size;
}

static void copy_text(char **at, enum eerr_type type, struct eerr_text *text, bool swapped)
{
    size_t size = units_size(type, text);
    size_t len = text->count * (type == EERR_UNICODE ? sizeof(char16_t) : 1);
    if (len > 0)
        memcpy(*at, text->units, len);
    memset(*at + len, 0, size - len);
    for (size_t i = 0; swapped && type == EERR_UNICODE && i < len; i += 2) {
        char low = (*at)[i];
        (*at)[i] = (*at)[i + 1];
        (*at)[i + 1] = low;
    }
    text->units = *at;
    *at += size;
}

struct error_record *error_push(struct error_record *next, const struct eerr_record *info,
                                bool swapped)
{
    struct error_record *record = malloc(sizeof(*record) + strings_size(info));
    if (!record)
        return next;
    atomic_init(&record->refs, 1);
    record->next = next;
    record->count = next ? next->count + 1 : 1;
    record->info = *info;
    char *at = (char *)record->storage;
    if (info->has_name)
        copy_text(&at, EERR_UNICODE, &record->info.name, swapped);
    for (unsigned i = 0; i < info->param_count; i++) {
        struct eerr_param *param = &record->info.params[i];
        if (param->type == EERR_ANSI || param->type == EERR_UNICODE || param->type == EERR_BINARY)
            copy_text(&at, param->type, &param->text, swapped);
    }
    return record;
}

static int64_t now_1601(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (now.tv_sec + EPOCH_1601) * 10000000 + now.tv_nsec / 100;
}

struct error_record *error_push_now(struct error_record *next, struct eerr_record *info)
{
    info->pid = (uint32_t)getpid();
    info->time = now_1601();
    return error_push(next, info, false);
}

/* As much of a text as fits, and its NUL. */
#define TEXT_MAX 256u

static struct eerr_text text_of(const char *utf8, char16_t units[TEXT_MAX])
{
    ssize_t count =
        utf16_from_utf8(utf8, strlen(utf8), units, TEXT_MAX - 1, UTF_REPLACE);
    if (count > (ssize_t)TEXT_MAX - 1) {
        /* Whole characters were written; how many units that were is not told. */
        count = (ssize_t)TEXT_MAX - 2;
    }
    units[count] = 0;
    return (struct eerr_text){.units = units, .count = (uint16_t)(count + 1)};
}

struct error_record *error_note(struct error_record *next, uint32_t component, unsigned location,
                                RPC_STATUS status, unsigned arg_count,
                                const struct error_arg *args)
{
    char16_t units[EERR_PARAMS_MAX][TEXT_MAX] = {{0}};
    struct eerr_record info = {.component = component,
                               .status = (uint32_t)status,
                               .location = (uint16_t)location,
                               .param_count = (uint16_t)arg_count};
    for (unsigned i = 0; i < arg_count; i++) {
        info.params[i] = (struct eerr_param){.type = args[i].type, .number = args[i].number};
        if (args[i].type == EERR_UNICODE)
            info.params[i].text = text_of(args[i].text, units[i]);
    }
    return error_push_now(next, &info);
}

/* ---- The thread's chain ------------------------------------------------------------ */

static _Thread_local struct error_record *chain;

/* Threads that end with a chain. */
static pthread_key_t thread_end;
static pthread_once_t thread_end_once = PTHREAD_ONCE_INIT;

static void at_thread_end(void *ignored)
{
    (void)ignored;
    error_thread_clear();
}

static void make_key(void)
{
    pthread_key_create(&thread_end, at_thread_end);
}

void error_thread_set(struct error_record *head)
{
    struct error_record *old = chain;
    if (head && !old) {
        pthread_once(&thread_end_once, make_key);
        pthread_setspecific(thread_end, head); /* only that it is not NULL matters */
    }
    chain = head;
    error_put(old);
}

void error_thread_clear(void)
{
    if (chain)
        error_thread_set(NULL);
}

struct error_record *error_thread(void)
{
    return chain;
}

void error_thread_note(uint32_t component, unsigned location, RPC_STATUS status,
                       unsigned arg_count, const struct error_arg *args)
{
    error_thread_set(
        error_note(error_get(chain), component, location, status, arg_count, args));
}

/* ---- Octets ------------------------------------------------------------------------ */

/* A chain that is too long for the PDU loses records from the last but one on backwards,
 * then strings (learn.microsoft.com, "Reliability of Extended Error Information"). */
size_t error_encode(const struct error_record *head, uint8_t *buf, size_t cap)
{
    const struct eerr_record *records[LIMIT_ERROR_RECORDS];
    const struct error_record *last = head;
    size_t count = 0;
    unsigned without = 0;
    for (const struct error_record *at = head; at; at = at->next) {
        if (count < LIMIT_ERROR_RECORDS)
            records[count++] = &at->info;
        else
            without = EERR_GAP;
        last = at;
    }
    if (count == 0)
        return 0;
    records[count - 1] = &last->info;
    size_t len = eerr_encode(buf, cap, records, count, without);
    while (len == 0 && count > 2) {
        count--;
        records[count - 1] = &last->info;
        without = EERR_GAP;
        len = eerr_encode(buf, cap, records, count, without);
    }
    return len > 0 ? len : eerr_encode(buf, cap, records, count, without | EERR_WITHOUT_STRINGS);
}

RPC_STATUS error_load(const uint8_t *octets, size_t len, struct error_record **ret_head)
{
    size_t count;
    bool swapped;
    struct error_record *head = NULL;
    RPC_STATUS status = RPC_S_OUT_OF_MEMORY;
    struct eerr_record *records = malloc(LIMIT_ERROR_RECORDS * sizeof(*records));
    if (!records)
        return status;
    if (!eerr_decode(octets, len, records, LIMIT_ERROR_RECORDS, &count, &swapped)) {
        status = RPC_S_INVALID_ARG;
        goto out;
    }
    for (size_t i = count; i > 0; i--)
        head = error_push(head, &records[i - 1], swapped);
    if (head && head->count == count) {
        *ret_head = head;
        head = NULL;
        status = RPC_S_OK;
    }
out:
    error_put(head);
    free(records);
    return status;
}

struct error_record *error_decode(const uint8_t *octets, size_t len)
{
    struct error_record *head;
    return error_load(octets, len, &head) == RPC_S_OK ? head : NULL;
}
