/* SPDX-License-Identifier: MIT */
/* engine.c - the main thread's loop: entries come in, folders and links are made on the
 * spot, files become transfers as transfers get free.
 *
 * Entries of a listing are checked here before anything is done with them: a name is one
 * component, and the depth leads into a folder that was listed before.  That such a folder
 * is one on disk too, and no link, is seen to by beneath.h each time it is used. */
#include "file.h"
#include "source.h"
#include "status.h"
#include "transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A folder gets its permissions and its time when everything in it is there. */
struct folder_note {
    char *rel;
    file_info info;
};

struct engine {
    struct client *client;
    struct source source;
    bool source_over;
    tree_entry file; /* the entry that waits for a free transfer */
    bool file_waits;

    /* Where the walk is: the path of the entry at hand, and for each folder it is in how
     * long its path is and whether what is in it is to be skipped. */
    char rel[PATH_MAX];
    bool begun;  /* the first entry, and only that, has depth 0 */
    ULONG depth; /* folders the next entry may be in */
    size_t rel_len[FILEREP_DEPTH_MAX + 1];
    bool skipped[FILEREP_DEPTH_MAX + 1];

    struct folder_note *notes;
    size_t note_count, note_capacity;

    struct call measure; /* the total, for the progress bar */
    char measure_path[PATH_MAX];
    bool measuring;
    MIDL_uhyper measured_files, measured_octets;

    unsigned int active; /* transfers in use */
    struct transfer transfers[JOBS_MAX];
};

/* ---- Progress ---- */

static void measure_start(struct engine *engine)
{
    struct client *client = engine->client;
    if (!client->progress.enabled)
        return;
    if (client->putting) {
        uint64_t files, octets;
        if (client->local_root >= 0 &&
            tree_measure(client->local_root, client->local_name, &files, &octets) == 0)
            client->progress.total = octets;
        return;
    }
    volatile RPC_STATUS status = call_init(&engine->measure, client);
    if (!client_remote_path(client, "", engine->measure_path))
        return;
    START_CALL(status, filerep_measure(&engine->measure.async, client->server,
                                       (const byte *)engine->measure_path, &engine->measured_files,
                                       &engine->measured_octets));
    engine->measuring = status == RPC_S_OK;
}

/* Failure to measure is no failure: there is just no bar. */
static void measure_look(struct engine *engine)
{
    if (!engine->measuring || !engine->measure.complete)
        return;
    engine->measuring = false;
    if (call_finish(&engine->measure) == RPC_S_OK)
        engine->client->progress.total = engine->measured_octets;
}

static void measure_stop(struct engine *engine)
{
    if (!engine->measuring)
        return;
    engine->measuring = false;
    (void)RpcAsyncCancelCall(&engine->measure.async, TRUE);
    (void)call_finish(&engine->measure);
}

/* ---- Where the walk is ---- */

static bool name_is_sound(const tree_entry *entry)
{
    const char *name = (const char *)entry->name;
    size_t len = strnlen(name, sizeof(entry->name));
    if (entry->depth == 0)
        return len == 0;
    return len > 0 && len < sizeof(entry->name) && !memchr(name, '/', len) &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* Moves to `entry`: its path becomes engine->rel.  False: it is in a folder that is skipped,
 * or its path is too long; nothing is to be done with it. */
static bool walk_to(struct engine *engine, const tree_entry *entry)
{
    ULONG depth = entry->depth;
    size_t len = depth > 0 ? engine->rel_len[depth - 1] : 0;
    size_t name_len = strlen((const char *)entry->name);
    bool skip = depth > 0 && engine->skipped[depth - 1];
    if (!skip && len + 1 + name_len >= sizeof(engine->rel)) {
        engine->rel[len] = '\0';
        client_complain_here(engine->client, engine->rel, ENAMETOOLONG);
        skip = true;
    }
    if (!skip) {
        if (len > 0)
            engine->rel[len++] = '/';
        memcpy(engine->rel + len, entry->name, name_len + 1);
        len += name_len;
    }
    engine->depth = depth;
    if (S_ISDIR(entry->info.mode) && depth < FILEREP_DEPTH_MAX) {
        engine->depth = depth + 1;
        engine->rel_len[depth] = len;
        engine->skipped[depth] = skip;
    }
    return !skip;
}

/* ---- Folders and links ---- */

static int note_folder(struct engine *engine, const file_info *info)
{
    if (engine->note_count == engine->note_capacity) {
        size_t capacity = engine->note_capacity ? engine->note_capacity * 2 : 64;
        struct folder_note *notes = realloc(engine->notes, capacity * sizeof(*notes));
        if (!notes)
            return ENOMEM;
        engine->notes = notes;
        engine->note_capacity = capacity;
    }
    char *rel = strdup(engine->rel);
    if (!rel)
        return ENOMEM;
    engine->notes[engine->note_count++] = (struct folder_note){.rel = rel, .info = *info};
    return 0;
}

static RPC_STATUS folder_there(struct engine *engine)
{
    char path[PATH_MAX];
    if (!client_remote_path(engine->client, engine->rel, path))
        return (RPC_STATUS)status_fault(ENAMETOOLONG);
    return call_make_folder(engine->client, path);
}

static int folder_here(struct engine *engine, const tree_entry *entry)
{
    struct client *client = engine->client;
    if (entry->depth == 0)
        return place_open_folder(client);
    return make_folder(client->local_root, client_local_path(client, engine->rel));
}

static void do_folder(struct engine *engine, const tree_entry *entry)
{
    struct client *client = engine->client;
    int error = 0;
    RPC_STATUS status = RPC_S_OK;
    if (client->putting)
        status = folder_there(engine);
    else
        error = folder_here(engine, entry);
    if (status == RPC_S_OK && !error)
        error = note_folder(engine, &entry->info);
    if (status == RPC_S_OK && !error) {
        client->folders++;
        return;
    }
    engine->skipped[entry->depth] = true;
    if (error)
        client_complain_here(client, engine->rel, error);
    else
        client_complain_there(client, engine->rel, status);
}

static void do_link(struct engine *engine, const tree_entry *entry)
{
    struct client *client = engine->client;
    unsigned char target[4096];
    char path[PATH_MAX];
    int error = client_remote_path(client, engine->rel, path) ? 0 : ENAMETOOLONG;
    RPC_STATUS status = RPC_S_OK;
    const char *here = client_local_path(client, engine->rel);
    if (client->putting) {
        if (!error)
            error = read_link(client->local_root, here, (char *)target, sizeof(target));
        if (!error)
            status = call_make_link(client, path, (char *)target, &entry->info);
    } else {
        if (!error)
            status = call_read_link(client, path, target);
        if (!error && status == RPC_S_OK)
            error = make_link(client->local_root, here, (char *)target, &entry->info);
    }
    if (error)
        client_complain_here(client, engine->rel, error);
    else if (status != RPC_S_OK)
        client_complain_there(client, engine->rel, status);
    else
        client->links++;
}

/* From the deepest up: to write to a folder changes its time. */
static void finish_folders(struct engine *engine)
{
    struct client *client = engine->client;
    char path[PATH_MAX];
    while (engine->note_count > 0 && !client_stopping(client)) {
        struct folder_note *note = &engine->notes[--engine->note_count];
        if (client->putting) {
            RPC_STATUS status = (RPC_STATUS)status_fault(ENAMETOOLONG);
            if (client_remote_path(client, note->rel, path))
                status = call_set_info(client, path, &note->info);
            if (status != RPC_S_OK)
                client_complain_there(client, note->rel, status);
        } else {
            int error = set_folder_info(client->local_root, client_local_path(client, note->rel),
                                        &note->info);
            if (error)
                client_complain_here(client, note->rel, error);
        }
        free(note->rel);
    }
}

/* ---- Entries ---- */

static void do_entry(struct engine *engine, const tree_entry *entry)
{
    struct client *client = engine->client;
    bool first = !engine->begun;
    engine->begun = true;
    if (first != (entry->depth == 0) || entry->depth > engine->depth || !name_is_sound(entry)) {
        client_complain_there(client, "", RPC_X_BAD_STUB_DATA); /* lost: nothing to rely on */
        return;
    }
    if (!walk_to(engine, entry))
        return;
    if (entry->status != FILEREP_OK) {
        client_complain_there(client, engine->rel, (RPC_STATUS)(FILEREP_FAULT + entry->status));
        engine->skipped[entry->depth < FILEREP_DEPTH_MAX ? entry->depth : FILEREP_DEPTH_MAX] = true;
        return;
    }
    if (first && !client->putting && !S_ISDIR(entry->info.mode)) {
        int error = place_open_parent(client);
        if (error) {
            client_complain_here(client, "", error);
            return;
        }
    }
    if (S_ISDIR(entry->info.mode)) {
        do_folder(engine, entry);
    } else if (S_ISLNK(entry->info.mode)) {
        do_link(engine, entry);
    } else if (S_ISREG(entry->info.mode)) {
        engine->file = *entry;
        engine->file_waits = true;
    } else {
        client_warn(client, engine->rel, "special file skipped");
    }
}

static struct transfer *free_transfer(struct engine *engine)
{
    for (unsigned int i = 0; i < engine->client->jobs; i++) {
        if (!engine->transfers[i].in_use)
            return &engine->transfers[i];
    }
    return NULL;
}

/* Starts the file at hand or takes the next entry.  Was there anything to do? */
static bool advance(struct engine *engine)
{
    if (engine->file_waits) {
        struct transfer *transfer = free_transfer(engine);
        if (!transfer)
            return false;
        engine->file_waits = false;
        if (transfer_start(transfer, engine->rel))
            engine->active++;
        return true;
    }
    if (engine->source_over)
        return false;
    tree_entry entry;
    switch (source_next(&engine->source, &entry)) {
    case SOURCE_ENTRY:
        do_entry(engine, &entry);
        return true;
    case SOURCE_LATER:
        return false;
    case SOURCE_END:
        engine->source_over = true;
        return true;
    }
    return false;
}

/* ---- Transfers ---- */

static bool look_after_transfers(struct engine *engine)
{
    bool busy = false;
    for (unsigned int i = 0; i < engine->client->jobs; i++) {
        struct transfer *transfer = &engine->transfers[i];
        if (transfer->main_steps) {
            /* One step at a time, so that one file cannot keep the others waiting. */
            transfer->main_steps = transfer_step(transfer) == STEP_AGAIN;
            busy = true;
        }
        if (transfer_is_over(transfer)) {
            transfer_end(transfer);
            engine->active--;
            busy = true;
        }
    }
    return busy;
}

static void cancel_transfers(struct engine *engine)
{
    for (unsigned int i = 0; i < engine->client->jobs; i++)
        transfer_cancel(&engine->transfers[i]);
}

static void loop(struct engine *engine)
{
    struct client *client = engine->client;
    bool cancelled = false;
    for (;;) {
        bool busy = look_after_transfers(engine);
        if (!client_stopping(client)) {
            busy |= advance(engine);
            if (!busy && engine->active == 0 && engine->source_over)
                return;
        } else {
            if (!cancelled)
                cancel_transfers(engine);
            cancelled = true;
            if (engine->active == 0)
                return;
        }
        measure_look(engine);
        if (busy)
            progress_tick(&client->progress);
        else
            client_wait(client);
    }
}

void engine_run(struct client *client)
{
    /* Never freed: the process is about to end, and a thread may still be on its way out of
     * the last packet. */
    static struct engine *engine;
    int error = 0;
    engine = calloc(1, sizeof(*engine));
    if (!engine) {
        client_complain_here(client, "", ENOMEM);
        return;
    }
    engine->client = client;
    for (unsigned int i = 0; i < client->jobs && !error; i++)
        error = transfer_init(&engine->transfers[i], client);
    if (error) {
        client_complain_here(client, "", error);
        return;
    }
    source_open(&engine->source, client);
    measure_start(engine);
    loop(engine);
    source_close(&engine->source);
    measure_stop(engine);
    finish_folders(engine);
    progress_clear(&client->progress);
}
