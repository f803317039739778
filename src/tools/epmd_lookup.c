/* SPDX-License-Identifier: MIT */
/* epmd_lookup.c - epmapper: ept_map and ept_lookup for everybody, ept_insert and ept_delete for
 * processes of this computer.  A search that is not through is a context handle. */
#include "epmd.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* A search that goes on. */
struct cursor {
    struct epm_query query;
};

static atomic_uint cursors;

static void cursor_free(struct cursor *cursor)
{
    if (!cursor)
        return;
    atomic_fetch_sub(&cursors, 1);
    free(cursor);
}

void __RPC_USER ept_lookup_handle_t_rundown(ept_lookup_handle_t handle)
{
    cursor_free(handle);
}

/* What the client goes on with; NULL, too, when there are too many: it has what it has. */
static struct cursor *cursor_new(const struct epm_query *query)
{
    struct cursor *cursor = NULL;
    if (atomic_fetch_add(&cursors, 1) < LIMIT_EPM_SEARCHES)
        cursor = malloc(sizeof(*cursor));
    if (!cursor) {
        atomic_fetch_sub(&cursors, 1);
        return NULL;
    }
    cursor->query = *query;
    cursor->query.tower.endpoint = cursor->query.tower.host = ""; /* of the request */
    return cursor;
}

/* The client's next handle, after a search that moved `query`. */
static void go_on(ept_lookup_handle_t *entry_handle, const struct epm_query *query, bool more)
{
    struct cursor *cursor = *entry_handle;
    if (more && cursor) {
        cursor->query = *query;
    } else if (more) {
        *entry_handle = cursor_new(query);
    } else {
        cursor_free(cursor);
        *entry_handle = NULL;
    }
}

/* ---- What is found ------------------------------------------------------------------------ */

/* Where the answer goes. */
struct answer {
    ept_entry_t *entries; /* ept_lookup */
    twr_p_t *towers;      /* ept_map    */
    uint32_t count;
    uint8_t address[4]; /* at which the client has reached us; 0: not by IPv4 */
};

static struct answer answer_to(handle_t h, ept_entry_t *entries, twr_p_t *towers)
{
    struct answer answer = {.entries = entries, .towers = towers};
    uint8_t address[16];
    RPC_CALL_LOCAL_ADDRESS_V1 own = {
        .Version = 1, .Buffer = address, .BufferSize = sizeof(address)};
    RPC_CALL_ATTRIBUTES_V2_A call = {.Version = 2,
                                     .Flags = RPC_QUERY_CALL_LOCAL_ADDRESS,
                                     .CallLocalAddress = &own};
    if (RpcServerInqCallAttributesA(h, &call) == RPC_S_OK && own.AddressFormat == rlafIPv4)
        memcpy(answer.address, address, sizeof(answer.address));
    return answer;
}

static twr_t *copy_tower(const struct answer *answer, const struct epm_entry *entry)
{
    twr_t *tower = MIDL_user_allocate(offsetof(twr_t, tower_octet_string) + entry->tower_len);
    if (!tower)
        return NULL;
    tower->tower_length = (uint32_t)entry->tower_len;
    memcpy(tower->tower_octet_string, entry->tower, entry->tower_len);
    const size_t at = tower_address_offset(tower->tower_octet_string, entry->tower_len);
    if (at > 0)
        memcpy(tower->tower_octet_string + at, answer->address, sizeof(answer->address));
    return tower;
}

static bool take(void *arg, const struct epm_entry *entry)
{
    struct answer *answer = arg;
    twr_t *tower = copy_tower(answer, entry);
    if (!tower)
        return false;
    if (answer->towers) {
        answer->towers[answer->count++] = tower;
        return true;
    }
    ept_entry_t *to = &answer->entries[answer->count++];
    to->object = entry->object;
    to->tower = tower;
    memset(to->annotation, 0, sizeof(to->annotation));
    strcpy((char *)to->annotation, entry->annotation);
    return true;
}

/* One step of a search for `max`.  The last entries come with success and a nil handle: impacket,
 * which was written for Windows, takes any other status for a failure.  (Samba's mapper says
 * NOT_REGISTERED with them, and smbtorture's Lookup_simple wants that.) */
static uint32_t search(struct epm_query *query, uint32_t max, struct answer *answer,
                       ept_lookup_handle_t *entry_handle)
{
    bool more;
    epm_search(epmd_map, query, max, take, answer, &more);
    if (more && answer->count == 0 && max > 0)
        return EPM_NO_MEMORY; /* the handle stays as it was */
    go_on(entry_handle, query, more);
    return answer->count == 0 && !more ? EPM_NOT_REGISTERED : EPM_OK;
}

/* ---- ept_lookup --------------------------------------------------------------------------- */

/* The query of a search that begins. */
static uint32_t read_lookup(uint32_t inquiry_type, const UUID *object, const rpc_if_id_t *id,
                            uint32_t vers_option, struct epm_query *ret_query)
{
    const bool by_interface = inquiry_type == EPM_BY_INTERFACE || inquiry_type == EPM_BY_BOTH;
    if (inquiry_type > EPM_BY_BOTH)
        return EPM_CANT_PERFORM;
    if (by_interface && (!id || vers_option < EPM_VERSION_ALL || vers_option > EPM_VERSION_UPTO))
        return EPM_INVALID_ENTRY;
    *ret_query = (struct epm_query){.match = (enum epm_match)inquiry_type,
                                    .versions = EPM_VERSION_ALL};
    if (object)
        ret_query->object = *object;
    if (by_interface) {
        ret_query->versions = (enum epm_versions)vers_option;
        ret_query->interface_id =
            (struct pdu_syntax){id->uuid, id->vers_major, id->vers_minor};
    }
    return EPM_OK;
}

void ept_lookup(handle_t h, uint32_t inquiry_type, UUID *object, rpc_if_id_t *interface_id,
                uint32_t vers_option, ept_lookup_handle_t *entry_handle, uint32_t max_ents,
                uint32_t *num_ents, ept_entry_t *entries, error_status_t *status)
{
    const struct cursor *cursor = *entry_handle;
    struct epm_query query;
    struct answer answer = answer_to(h, entries, NULL);
    *num_ents = 0;
    *status = EPM_OK;
    if (cursor)
        query = cursor->query;
    else
        *status = read_lookup(inquiry_type, object, interface_id, vers_option, &query);
    if (*status == EPM_OK)
        *status = search(&query, max_ents, &answer, entry_handle);
    *num_ents = answer.count;
}

/* ---- ept_map ------------------------------------------------------------------------------- */

static uint32_t read_map(const UUID *object, const twr_t *tower, struct epm_query *ret_query)
{
    *ret_query = (struct epm_query){.match = EPM_MAP};
    if (!tower || !tower_decode(tower->tower_octet_string, tower->tower_length, &ret_query->tower))
        return EPM_NOT_REGISTERED; /* as Windows says to what it cannot read */
    if (object)
        ret_query->object = *object;
    return EPM_OK;
}

void ept_map(handle_t h, UUID *object, twr_t *map_tower, ept_lookup_handle_t *entry_handle,
             uint32_t max_towers, uint32_t *num_towers, twr_p_t *towers, error_status_t *status)
{
    const struct cursor *cursor = *entry_handle;
    struct epm_query query;
    struct answer answer = answer_to(h, NULL, towers);
    *num_towers = 0;
    *status = EPM_OK;
    if (cursor)
        query = cursor->query;
    else
        *status = read_map(object, map_tower, &query);
    if (*status == EPM_OK)
        *status = search(&query, max_towers, &answer, entry_handle);
    *num_towers = answer.count;
}

void ept_lookup_handle_free(handle_t h, ept_lookup_handle_t *entry_handle, error_status_t *status)
{
    (void)h;
    cursor_free(*entry_handle);
    *entry_handle = NULL;
    *status = EPM_OK;
}

/* ---- Changing the map ------------------------------------------------------------------------ */

/* All or nothing, but for what they replace. */
static uint32_t insert(uint32_t uid, uint32_t count, const ept_entry_t *entries,
                       uint64_t replace_until)
{
    uint32_t status = EPM_OK, done = 0;
    while (done < count && status == EPM_OK) {
        const struct epm_entry entry = epmd_entry(&entries[done]);
        status = epm_insert(epmd_map, NULL, uid, &entry, replace_until);
        if (status == EPM_OK)
            done++;
    }
    for (uint32_t i = 0; i < done && status != EPM_OK; i++) {
        const struct epm_entry entry = epmd_entry(&entries[i]);
        epm_delete(epmd_map, NULL, uid, &entry);
    }
    return status;
}

void ept_insert(handle_t h, uint32_t num_ents, ept_entry_t *entries, uint32_t replace,
                error_status_t *status)
{
    uint32_t uid;
    *status = EPM_CANT_PERFORM; /* MS-RPCE 3.1.1.5.1: not from elsewhere */
    if (epmd_local_user(h, &uid))
        *status = insert(uid, num_ents, entries, replace ? epm_last_number(epmd_map) : 0);
}

void ept_delete(handle_t h, uint32_t num_ents, ept_entry_t *entries, error_status_t *status)
{
    uint32_t uid;
    *status = EPM_CANT_PERFORM;
    if (!epmd_local_user(h, &uid))
        return;
    *status = EPM_OK;
    for (uint32_t i = 0; i < num_ents; i++) {
        const struct epm_entry entry = epmd_entry(&entries[i]);
        const uint32_t result = epm_delete(epmd_map, NULL, uid, &entry);
        if (result != EPM_OK)
            *status = result;
    }
}

void ept_inq_object(handle_t h, UUID *ept_object, error_status_t *status)
{
    (void)h;
    *ept_object = (UUID){0};
    *status = EPM_CANT_PERFORM;
}

void ept_mgmt_delete(handle_t h, uint32_t object_speced, UUID *object, twr_t *tower,
                     error_status_t *status)
{
    (void)h, (void)object_speced, (void)object, (void)tower;
    *status = EPM_CANT_PERFORM;
}
