/* SPDX-License-Identifier: MIT */
/* registry.c - interfaces a server offers, each with one or more managers.
 *
 *   interface (UUID, version)
 *     +-- manager (type UUID, EPV)      the nil type serves objects without a type
 *
 * Interfaces are never freed: presentation contexts point to them.  There are as
 * many as the program has ifspecs. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/list.h"
#include "base/uuid.h"
#include "runtime/context.h"
#include "runtime/mgmt.h"
#include "runtime/ndr_options.h"
#include "runtime/server.h"
#include "runtime/stats.h"

struct manager {
    struct list node;
    UUID type;
    const RPC_MGR_EPV *epv;
};

struct interface {
    struct list node;
    const RPC_SERVER_INTERFACE *spec;
    struct list managers; /* empty: not registered */
    unsigned flags;       /* RPC_IF_*                          */
    unsigned rpc_size_max;/* octets of a request without its pipes   */
    unsigned calls_max;   /* with AUTOLISTEN; 0: no limit      */
    unsigned calls;       /* running                           */
    RPC_IF_CALLBACK_FN *callback; /* its access check, or NULL */
};

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t call_ended = PTHREAD_COND_INITIALIZER;
static struct list interfaces = {&interfaces, &interfaces};

/* The one that every server has and no list shows: it is found by who asks for it.  Its only
 * manager serves all objects. */
static struct interface management;
static struct manager management_manager = {
    .node = {&management.managers, &management.managers}};
static struct interface management = {
    .managers = {&management_manager.node, &management_manager.node},
    .flags = RPC_IF_AUTOLISTEN,
    .rpc_size_max = LIMIT_STUB_LEN};

/* ---- Calls ---------------------------------------------------------------- */

static bool serves(const RPC_SERVER_INTERFACE *spec, const struct pdu_syntax *id)
{
    const RPC_VERSION *version = &spec->InterfaceId.SyntaxVersion;
    return uuid_equal(&spec->InterfaceId.SyntaxGUID, &id->uuid) &&
           version->MajorVersion == id->major && version->MinorVersion >= id->minor;
}

struct interface *registry_find(const struct pdu_syntax *id)
{
    struct interface *found = NULL;
    pthread_mutex_lock(&registry_lock);
    for (struct list *node = interfaces.next; node != &interfaces && !found; node = node->next) {
        struct interface *interface = list_entry(node, struct interface, node);
        if (!list_empty(&interface->managers) && serves(interface->spec, id))
            found = interface;
    }
    if (!found && serves(mgmt_interface(), id))
        found = &management;
    if (found == &management && !management.spec) { /* once: others read it without the lock */
        management.spec = mgmt_interface();
        management_manager.epv = management.spec->DefaultManagerEpv;
    }
    pthread_mutex_unlock(&registry_lock);
    return found;
}

RPC_STATUS registry_if_ids(RPC_IF_ID_VECTOR **ret_vector)
{
    size_t count = 0;
    pthread_mutex_lock(&registry_lock);
    for (struct list *node = interfaces.next; node != &interfaces; node = node->next)
        count += !list_empty(&list_entry(node, struct interface, node)->managers);
    RPC_IF_ID_VECTOR *vector = count > 0 ? mgmt_if_ids_new(count) : NULL;
    for (struct list *node = interfaces.next; vector && node != &interfaces; node = node->next) {
        const struct interface *interface = list_entry(node, struct interface, node);
        if (!list_empty(&interface->managers))
            RpcIfInqId((RPC_IF_HANDLE)(uintptr_t)interface->spec, vector->IfId[vector->Count++]);
    }
    pthread_mutex_unlock(&registry_lock);
    if (!vector)
        return count > 0 ? RPC_S_OUT_OF_MEMORY : RPC_S_NO_INTERFACES;
    *ret_vector = vector;
    return RPC_S_OK;
}

unsigned registry_syntaxes(const struct interface *interface)
{
    return ndr_interface_syntaxes(interface->spec) & ndr_server_syntaxes();
}

static struct manager *find_manager(const struct interface *interface, const UUID *type)
{
    for (struct list *node = interface->managers.next; node != &interface->managers;
         node = node->next) {
        struct manager *manager = list_entry(node, struct manager, node);
        if (uuid_equal(&manager->type, type))
            return manager;
    }
    return NULL;
}

/* registry_lock held. */
static RPC_STATUS admit(const struct interface *interface, enum transport_kind kind,
                        const UUID *type, struct dispatch *ret_dispatch)
{
    if (list_empty(&interface->managers))
        return RPC_S_UNKNOWN_IF;
    if (!(interface->flags & RPC_IF_AUTOLISTEN) && !server_is_listening())
        return RPC_S_SERVER_TOO_BUSY;
    if (interface->flags & RPC_IF_AUTOLISTEN && interface->calls_max > 0 &&
        interface->calls >= interface->calls_max)
        return RPC_S_SERVER_TOO_BUSY;
    if (interface->flags & RPC_IF_ALLOW_LOCAL_ONLY && kind != TRANSPORT_UNIX)
        return RPC_S_ACCESS_DENIED;
    /* No client is authenticated yet. */
    if (interface->flags & RPC_IF_ALLOW_SECURE_ONLY)
        return RPC_S_ACCESS_DENIED;
    if (interface->callback && !(interface->flags & RPC_IF_ALLOW_CALLBACKS_WITH_NO_AUTH))
        return RPC_S_ACCESS_DENIED;
    const struct manager *manager = find_manager(interface, type);
    if (!manager)
        return RPC_S_UNSUPPORTED_TYPE;
    size_t stub_max = interface->rpc_size_max;
    if (stub_max > LIMIT_STUB_LEN_MAX)
        stub_max = LIMIT_STUB_LEN_MAX;
    if (kind == TRANSPORT_UNIX && stub_max < LIMIT_STUB_LEN)
        stub_max = LIMIT_STUB_LEN; /* on ncalrpc MaxRpcSize takes nothing away */
    *ret_dispatch = (struct dispatch){.spec = interface->spec,
                                      .epv = manager->epv,
                                      .stub_max = stub_max,
                                      .guarded = interface->callback != NULL};
    return RPC_S_OK;
}

RPC_STATUS registry_begin_call(struct interface *interface, enum transport_kind kind,
                               const UUID *object, struct dispatch *ret_dispatch)
{
    /* An object without a type, like a call without an object, is the nil type's. */
    UUID type = {0};
    if (object && interface != &management && !uuid_is_nil(object) &&
        object_type_of(object, &type) != RPC_S_OK)
        type = (UUID){0};
    pthread_mutex_lock(&registry_lock);
    RPC_STATUS status = admit(interface, kind, &type, ret_dispatch);
    if (status == RPC_S_OK)
        interface->calls++;
    pthread_mutex_unlock(&registry_lock);
    if (status == RPC_S_OK) {
        server_count_call(1);
        stats_count(RPC_C_STATS_CALLS_IN, 1);
    }
    return status;
}

RPC_IF_CALLBACK_FN *registry_callback(const struct interface *interface)
{
    pthread_mutex_lock(&registry_lock);
    RPC_IF_CALLBACK_FN *callback = interface->callback;
    pthread_mutex_unlock(&registry_lock);
    return callback;
}

void registry_join_call(struct interface *interface)
{
    pthread_mutex_lock(&registry_lock);
    interface->calls++;
    pthread_mutex_unlock(&registry_lock);
    server_count_call(1);
    stats_count(RPC_C_STATS_CALLS_IN, 1);
}

void registry_end_call(struct interface *interface)
{
    pthread_mutex_lock(&registry_lock);
    if (--interface->calls == 0)
        pthread_cond_broadcast(&call_ended);
    pthread_mutex_unlock(&registry_lock);
    server_count_call(-1);
}

/* ---- Registering ---------------------------------------------------------- */

/* Those whose meaning is kept; the others would let in whom they are meant to keep out. */
#define FLAGS_KNOWN                                                                                \
    (RPC_IF_AUTOLISTEN | RPC_IF_OLE | RPC_IF_ALLOW_UNKNOWN_AUTHORITY | RPC_IF_ALLOW_SECURE_ONLY |  \
     RPC_IF_ALLOW_CALLBACKS_WITH_NO_AUTH | RPC_IF_ALLOW_LOCAL_ONLY | RPC_IF_SEC_NO_CACHE |         \
     RPC_IF_SEC_CACHE_PER_PROC)

static struct interface *find_spec(const RPC_SERVER_INTERFACE *spec)
{
    for (struct list *node = interfaces.next; node != &interfaces; node = node->next) {
        struct interface *interface = list_entry(node, struct interface, node);
        if (interface->spec == spec)
            return interface;
    }
    return NULL;
}

static struct interface *add_interface(const RPC_SERVER_INTERFACE *spec)
{
    struct interface *interface = calloc(1, sizeof(*interface));
    if (!interface)
        return NULL;
    interface->spec = spec;
    list_init(&interface->managers);
    list_append(&interfaces, &interface->node);
    return interface;
}

/* registry_lock held; `as` says what the interface is like from now on. */
static RPC_STATUS add_manager(const RPC_SERVER_INTERFACE *spec, const UUID *type,
                              const RPC_MGR_EPV *epv, const struct interface *as)
{
    struct interface *interface = find_spec(spec);
    if (!interface)
        interface = add_interface(spec);
    if (!interface)
        return RPC_S_OUT_OF_MEMORY;
    if (find_manager(interface, type))
        return RPC_S_TYPE_ALREADY_REGISTERED;
    struct manager *manager = calloc(1, sizeof(*manager));
    if (!manager)
        return RPC_S_OUT_OF_MEMORY;
    manager->type = *type;
    manager->epv = epv;
    list_append(&interface->managers, &manager->node);
    interface->flags = as->flags;
    interface->calls_max = as->calls_max;
    interface->rpc_size_max = as->rpc_size_max;
    interface->callback = as->callback;
    return RPC_S_OK;
}

const RPC_SERVER_INTERFACE *registry_spec(RPC_IF_HANDLE handle)
{
    const RPC_SERVER_INTERFACE *spec = handle;
    return spec && spec->Length == sizeof(*spec) && spec->InterpreterInfo ? spec : NULL;
}

RPC_STATUS RpcServerRegisterIf3(RPC_IF_HANDLE IfSpec, UUID *MgrTypeUuid, RPC_MGR_EPV *MgrEpv,
                                unsigned int Flags, unsigned int MaxCalls,
                                unsigned int MaxRpcSize, RPC_IF_CALLBACK_FN *IfCallback,
                                void *SecurityDescriptor)
{
    static const UUID nil;
    const RPC_SERVER_INTERFACE *spec = registry_spec(IfSpec);
    if (!spec)
        return RPC_S_INVALID_ARG;
    if (Flags & ~(unsigned)FLAGS_KNOWN || SecurityDescriptor)
        return RPC_S_CANNOT_SUPPORT;
    const RPC_MGR_EPV *epv = MgrEpv ? MgrEpv : spec->DefaultManagerEpv;
    if (!epv)
        return RPC_S_INVALID_ARG;
    const struct interface as = {.flags = Flags,
                                 .calls_max = MaxCalls,
                                 .rpc_size_max = MaxRpcSize,
                                 .callback = IfCallback};
    pthread_mutex_lock(&registry_lock);
    RPC_STATUS status = add_manager(spec, MgrTypeUuid ? MgrTypeUuid : &nil, epv, &as);
    pthread_mutex_unlock(&registry_lock);
    return status;
}

RPC_STATUS RpcServerRegisterIf2(RPC_IF_HANDLE IfSpec, UUID *MgrTypeUuid, RPC_MGR_EPV *MgrEpv,
                                unsigned int Flags, unsigned int MaxCalls,
                                unsigned int MaxRpcSize, RPC_IF_CALLBACK_FN *IfCallbackFn)
{
    return RpcServerRegisterIf3(IfSpec, MgrTypeUuid, MgrEpv, Flags, MaxCalls, MaxRpcSize,
                                IfCallbackFn, NULL);
}

RPC_STATUS RpcServerRegisterIfEx(RPC_IF_HANDLE IfSpec, UUID *MgrTypeUuid, RPC_MGR_EPV *MgrEpv,
                                 unsigned int Flags, unsigned int MaxCalls,
                                 RPC_IF_CALLBACK_FN *IfCallback)
{
    return RpcServerRegisterIf3(IfSpec, MgrTypeUuid, MgrEpv, Flags, MaxCalls, LIMIT_STUB_LEN,
                                IfCallback, NULL);
}

RPC_STATUS RpcServerRegisterIf(RPC_IF_HANDLE IfSpec, UUID *MgrTypeUuid, RPC_MGR_EPV *MgrEpv)
{
    return RpcServerRegisterIf3(IfSpec, MgrTypeUuid, MgrEpv, 0, RPC_C_LISTEN_MAX_CALLS_DEFAULT,
                                LIMIT_STUB_LEN, NULL, NULL);
}

RPC_STATUS RpcServerInqIf(RPC_IF_HANDLE IfSpec, UUID *MgrTypeUuid, RPC_MGR_EPV **MgrEpv)
{
    static const UUID nil;
    const RPC_SERVER_INTERFACE *spec = registry_spec(IfSpec);
    if (!spec || !MgrEpv)
        return RPC_S_INVALID_ARG;
    RPC_STATUS status = RPC_S_UNKNOWN_IF;
    pthread_mutex_lock(&registry_lock);
    const struct interface *interface = find_spec(spec);
    if (interface && !list_empty(&interface->managers)) {
        const struct manager *manager = find_manager(interface, MgrTypeUuid ? MgrTypeUuid : &nil);
        status = manager ? RPC_S_OK : RPC_S_UNKNOWN_MGR_TYPE;
        if (manager)
            *MgrEpv = (RPC_MGR_EPV *)manager->epv;
    }
    pthread_mutex_unlock(&registry_lock);
    return status;
}

/* ---- Unregistering -------------------------------------------------------- */

/* Managers of `type` (NULL: all) removed; how many. */
static unsigned remove_managers(struct interface *interface, const UUID *type)
{
    unsigned removed = 0;
    for (struct list *node = interface->managers.next; node != &interface->managers;) {
        struct manager *manager = list_entry(node, struct manager, node);
        node = node->next;
        if (type && !uuid_equal(&manager->type, type))
            continue;
        list_remove(&manager->node);
        free(manager);
        removed++;
    }
    return removed;
}

static bool calls_running(const RPC_SERVER_INTERFACE *spec)
{
    for (struct list *node = interfaces.next; node != &interfaces; node = node->next) {
        const struct interface *interface = list_entry(node, struct interface, node);
        if ((!spec || interface->spec == spec) && list_empty(&interface->managers) &&
            interface->calls > 0)
            return true;
    }
    return false;
}

RPC_STATUS RpcServerUnregisterIf(RPC_IF_HANDLE IfSpec, UUID *MgrTypeUuid,
                                 unsigned int WaitForCallsToComplete)
{
    const RPC_SERVER_INTERFACE *spec = registry_spec(IfSpec);
    if (IfSpec && !spec)
        return RPC_S_UNKNOWN_IF;
    unsigned removed = 0;
    pthread_mutex_lock(&registry_lock);
    for (struct list *node = interfaces.next; node != &interfaces; node = node->next) {
        struct interface *interface = list_entry(node, struct interface, node);
        bool all = !spec && !MgrTypeUuid && interface->flags & RPC_IF_AUTOLISTEN;
        if ((spec && interface->spec != spec) || all)
            continue;
        removed += remove_managers(interface, MgrTypeUuid);
    }
    while (removed > 0 && WaitForCallsToComplete && calls_running(spec))
        pthread_cond_wait(&call_ended, &registry_lock);
    pthread_mutex_unlock(&registry_lock);
    if (removed > 0 || (!spec && !MgrTypeUuid))
        return RPC_S_OK;
    return MgrTypeUuid ? RPC_S_UNKNOWN_MGR_TYPE : RPC_S_UNKNOWN_IF;
}

RPC_STATUS RpcServerUnregisterIfEx(RPC_IF_HANDLE IfSpec, UUID *MgrTypeUuid,
                                   int RundownContextHandles)
{
    RPC_STATUS status = RpcServerUnregisterIf(IfSpec, MgrTypeUuid, 1);
    const RPC_SERVER_INTERFACE *spec = registry_spec(IfSpec);
    if (status != RPC_S_OK || !RundownContextHandles)
        return status;
    pthread_mutex_lock(&registry_lock);
    for (struct list *node = interfaces.next; node != &interfaces; node = node->next) {
        struct interface *interface = list_entry(node, struct interface, node);
        if (!spec || interface->spec == spec)
            contexts_close_interface(interface);
    }
    pthread_mutex_unlock(&registry_lock);
    return status;
}

RPC_STATUS RpcIfInqId(RPC_IF_HANDLE RpcIfHandle, RPC_IF_ID *RpcIfId)
{
    const RPC_SERVER_INTERFACE *spec = registry_spec(RpcIfHandle);
    if (!spec || !RpcIfId)
        return RPC_S_INVALID_ARG;
    *RpcIfId = (RPC_IF_ID){.Uuid = spec->InterfaceId.SyntaxGUID,
                           .VersMajor = spec->InterfaceId.SyntaxVersion.MajorVersion,
                           .VersMinor = spec->InterfaceId.SyntaxVersion.MinorVersion};
    return RPC_S_OK;
}
