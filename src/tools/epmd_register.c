/* SPDX-License-Identifier: MIT */
/* epmd_register.c - epregister: a registration is an owner of entries in the map, and a context
 * handle, so the runtime's rundown takes it away with the process that has it. */
#include "epmd.h"

#include "epregister.h"
#include "rpcasync.h"

bool epmd_local_user(handle_t h, uint32_t *ret_uid)
{
    unsigned long uid;
    if (RpcxServerInqClientUser(h, &uid, NULL, NULL) != RPC_S_OK)
        return false;
    *ret_uid = (uint32_t)uid;
    return true;
}

struct epm_entry epmd_entry(const ept_entry_t *entry)
{
    return (struct epm_entry){.object = entry->object,
                              .tower = entry->tower ? entry->tower->tower_octet_string : NULL,
                              .tower_len = entry->tower ? entry->tower->tower_length : 0,
                              .annotation = (const char *)entry->annotation};
}

void epr_open(handle_t h, epr_registration *registration, error_status_t *status)
{
    struct epm_owner *owner = NULL;
    uint32_t uid;
    *registration = NULL;
    *status = EPM_CANT_ACCESS;
    if (!epmd_local_user(h, &uid))
        return;
    *status = epm_owner_new(epmd_map, uid, &owner);
    *registration = owner;
}

void epr_insert(epr_registration registration, uint32_t num_ents, ept_entry_t *entries,
                error_status_t *status)
{
    *status = EPM_OK;
    for (uint32_t i = 0; i < num_ents && *status == EPM_OK; i++) {
        const struct epm_entry entry = epmd_entry(&entries[i]);
        *status = epm_insert(epmd_map, registration, 0, &entry, 0);
    }
}

/* What is not there need not be deleted. */
void epr_delete(epr_registration registration, uint32_t num_ents, ept_entry_t *entries,
                error_status_t *status)
{
    *status = EPM_OK;
    for (uint32_t i = 0; i < num_ents; i++) {
        const struct epm_entry entry = epmd_entry(&entries[i]);
        const uint32_t result = epm_delete(epmd_map, registration, 0, &entry);
        if (result != EPM_OK && result != EPM_NOT_REGISTERED)
            *status = result;
    }
}

void epr_close(epr_registration *registration)
{
    epm_owner_free(epmd_map, *registration);
    *registration = NULL;
}

void __RPC_USER epr_registration_rundown(epr_registration registration)
{
    epm_owner_free(epmd_map, registration);
}

/* ---- The call that is never answered ---------------------------------------------------- */

/* Its client is gone, or wants no more. */
static void RPC_ENTRY on_gone(PRPC_ASYNC_STATE call, void *context, RPC_ASYNC_EVENT event)
{
    (void)context, (void)event;
    RpcAsyncAbortCall(call, RPC_S_CALL_CANCELLED);
}

void epr_watch(PRPC_ASYNC_STATE call, handle_t h)
{
    RPC_ASYNC_NOTIFICATION_INFO info = {.NotificationRoutine = on_gone};
    RPC_STATUS status = RpcServerSubscribeForNotification(
        h, RpcNotificationClientDisconnect | RpcNotificationCallCancel,
        RpcNotificationTypeCallback, &info);
    if (status != RPC_S_OK)
        RpcAsyncAbortCall(call, (unsigned long)status);
}
