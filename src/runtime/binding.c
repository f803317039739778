/* SPDX-License-Identifier: MIT */
/* binding.c - binding handles and the functions of rpcdce.h on them; see
 * binding.h. */
#include "runtime/binding.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpc.h>

#include "base/status.h"
#include "base/uuid.h"
#include "runtime/call.h"
#include "runtime/conn_pool.h"
#include "runtime/ep.h"
#include "runtime/string_binding.h"

static void binding_destroy(struct counted *object)
{
    struct binding *binding = list_entry(object, struct binding, object);
    if (binding->pool)
        server_pool_close(binding->pool);
    free(binding->address);
    free(binding->endpoint);
    free(binding->options);
    pthread_mutex_destroy(&binding->lock);
    pthread_mutex_destroy(&binding->lane_lock);
    free(binding);
}

struct rpc_call *binding_get_call(RPC_BINDING_HANDLE handle)
{
    RPC_STATUS status;
    struct rpc_call *call = call_from_handle((uint64_t)(uintptr_t)handle, &status);
    if (!call || call->server)
        return call;
    call_put(call);
    return NULL;
}

/* NULL is no client binding. */
RPC_STATUS binding_get_client(RPC_BINDING_HANDLE handle, struct binding **ret_binding)
{
    RPC_STATUS status;
    struct counted *object = handle_get((uint64_t)(uintptr_t)handle, RPC_S_INVALID_BINDING, &status);
    if (object && object->destroy == binding_destroy) {
        *ret_binding = list_entry(object, struct binding, object);
        return RPC_S_OK;
    }
    if (object) /* of another kind */
        counted_put(object);
    struct rpc_call *call = binding_get_call(handle);
    if (!call)
        return RPC_S_INVALID_BINDING;
    call_put(call);
    return RPC_S_WRONG_KIND_OF_BINDING;
}

/* ---- Endpoints ------------------------------------------------------------ */

/* binding->lock held, as for the next two. */
static RPC_STATUS set_endpoint(struct binding *binding, const char *endpoint)
{
    char *copy = strdup(endpoint);
    if (!copy)
        return RPC_S_OUT_OF_MEMORY;
    free(binding->endpoint);
    binding->endpoint = copy;
    return RPC_S_OK;
}

/* What the interface says, [endpoint]; NULL: nothing of this protocol sequence. */
static const char *named_endpoint(const struct binding *binding, const RPC_CLIENT_INTERFACE *spec)
{
    for (unsigned i = 0; spec && i < spec->RpcProtseqEndpointCount; i++) {
        const RPC_PROTSEQ_ENDPOINT *named = &spec->RpcProtseqEndpoint[i];
        const char *endpoint = (const char *)named->Endpoint;
        if (strcmp((const char *)named->RpcProtocolSequence, transport_protseq(binding->kind)) == 0 &&
            endpoint && *endpoint)
            return endpoint;
    }
    return NULL;
}

/* Without asking anybody: a pool that has asked knows it. */
static RPC_STATUS find_endpoint(struct binding *binding, const RPC_CLIENT_INTERFACE *spec)
{
    char known[EP_ENDPOINT_SIZE];
    if (binding->endpoint[0] != '\0')
        return RPC_S_OK;
    if (binding->pool && server_pool_endpoint(binding->pool, known, sizeof(known)))
        return set_endpoint(binding, known);
    const char *named = named_endpoint(binding, spec);
    if (!named)
        return RPC_S_OK;
    RPC_STATUS status = set_endpoint(binding, named);
    if (status == RPC_S_OK && binding->pool)
        server_pool_resolve(binding->pool, named);
    return status;
}

static struct ep_question make_question(const struct binding *binding,
                                        const RPC_CLIENT_INTERFACE *spec)
{
    return (struct ep_question){
        .kind = binding->kind,
        .address = binding->address, /* never changes */
        .com_timeout = binding->com_timeout,
        .interface_id = {spec->InterfaceId.SyntaxGUID, spec->InterfaceId.SyntaxVersion.MajorVersion,
                         spec->InterfaceId.SyntaxVersion.MinorVersion},
        .object = binding->has_object ? binding->object_uuid : (UUID){0}};
}

/* Lock held, and dropped meanwhile. */
static RPC_STATUS ask_endpoint(struct binding *binding, const RPC_CLIENT_INTERFACE *spec)
{
    char endpoint[EP_ENDPOINT_SIZE];
    const struct ep_question question = make_question(binding, spec);
    pthread_mutex_unlock(&binding->lock);
    RPC_STATUS status = ep_ask(&question, endpoint);
    pthread_mutex_lock(&binding->lock);
    if (status != RPC_S_OK)
        return status;
    status = find_endpoint(binding, spec); /* somebody else may have been faster */
    if (status == RPC_S_OK && binding->endpoint[0] == '\0') {
        status = set_endpoint(binding, endpoint);
        if (status == RPC_S_OK && binding->pool)
            server_pool_resolve(binding->pool, endpoint);
    }
    return status;
}

RPC_STATUS binding_resolve(struct binding *binding, const RPC_CLIENT_INTERFACE *spec,
                           bool may_wait)
{
    pthread_mutex_lock(&binding->lock);
    RPC_STATUS status = find_endpoint(binding, spec);
    if (status == RPC_S_OK && binding->endpoint[0] == '\0' && may_wait)
        status = ask_endpoint(binding, spec);
    const bool partial = binding->endpoint[0] == '\0'; /* its pool is nobody else's */
    if (status == RPC_S_OK && !binding->pool) {
        binding->pool = server_pool_open(binding->kind, binding->address, binding->endpoint,
                                         binding->unique || partial);
        status = binding->pool ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
    }
    pthread_mutex_unlock(&binding->lock);
    return status;
}

bool binding_is_partial(struct binding *binding)
{
    pthread_mutex_lock(&binding->lock);
    find_endpoint(binding, NULL);
    const bool partial = binding->endpoint[0] == '\0';
    pthread_mutex_unlock(&binding->lock);
    return partial;
}

RPC_STATUS binding_for_call(RPC_BINDING_HANDLE handle, const RPC_CLIENT_INTERFACE *spec,
                            bool may_wait, struct binding **ret_binding)
{
    RPC_STATUS status = binding_get_client(handle, ret_binding);
    if (status != RPC_S_OK)
        return status;
    status = binding_resolve(*ret_binding, spec, may_wait);
    if (status != RPC_S_OK) {
        binding_put(*ret_binding);
        *ret_binding = NULL;
    }
    return status;
}

/* A binding that owns copies of the parts; one reference. */
static struct binding *binding_new(enum transport_kind kind, const char *address,
                                   const char *endpoint, const char *options)
{
    struct binding *binding = calloc(1, sizeof(*binding));
    if (!binding)
        return NULL;
    counted_init(&binding->object, binding_destroy);
    pthread_mutex_init(&binding->lock, NULL);
    pthread_mutex_init(&binding->lane_lock, NULL);
    binding->kind = kind;
    binding->com_timeout = RPC_C_BINDING_DEFAULT_TIMEOUT;
    binding->syntaxes = ndr_client_syntaxes();
    binding->address = strdup(address);
    binding->endpoint = strdup(endpoint);
    binding->options = strdup(options);
    if (!binding->address || !binding->endpoint || !binding->options) {
        binding_put(binding);
        return NULL;
    }
    return binding;
}

/* Makes the handle the application's; the reference goes with it either way. */
static RPC_STATUS publish(struct binding *binding, RPC_BINDING_HANDLE *ret_handle)
{
    uint64_t handle = handle_open(&binding->object);
    binding_put(binding);
    if (handle == 0)
        return RPC_S_OUT_OF_MEMORY;
    *ret_handle = (RPC_BINDING_HANDLE)(uintptr_t)handle;
    return RPC_S_OK;
}

/* ---- From and to strings -------------------------------------------------- */

static RPC_STATUS binding_from_parts(const struct string_binding *parts,
                                     struct binding **ret_binding)
{
    enum transport_kind kind;
    UUID object = {0};
    RPC_STATUS status = transport_from_protseq(parts->protseq, &kind);
    if (status == RPC_S_OK && parts->endpoint[0])
        status = transport_check_endpoint(kind, parts->endpoint);
    if (status == RPC_S_OK && strlen(parts->address) >= NI_MAXHOST)
        status = RPC_S_INVALID_NET_ADDR;
    if (status == RPC_S_OK && parts->object[0])
        status = UuidFromStringA((RPC_CSTR)parts->object, &object);
    if (status != RPC_S_OK)
        return status;
    struct binding *binding =
        binding_new(kind, parts->address, parts->endpoint, parts->options);
    if (!binding)
        return RPC_S_OUT_OF_MEMORY;
    binding->has_object = !UuidIsNil(&object, &status);
    binding->object_uuid = object;
    *ret_binding = binding;
    return RPC_S_OK;
}

RPC_STATUS RpcBindingFromStringBindingA(RPC_CSTR StringBinding, RPC_BINDING_HANDLE *Binding)
{
    if (!Binding)
        return RPC_S_INVALID_ARG;
    *Binding = NULL;
    if (!StringBinding)
        return RPC_S_INVALID_ARG;
    struct string_binding parts;
    struct binding *binding;
    RPC_STATUS status = string_binding_parse((const char *)StringBinding, &parts);
    if (status != RPC_S_OK)
        return status;
    status = binding_from_parts(&parts, &binding);
    string_binding_fini(&parts);
    return status == RPC_S_OK ? publish(binding, Binding) : status;
}

static void client_name(struct rpc_call *call, char host[NI_MAXHOST], char *port, size_t port_size)
{
    conn_lock(call->conn);
    transport_name(call->conn->watch.fd, true, host, NI_MAXHOST, port, port_size);
    conn_unlock(call->conn);
}

/* A server binding: where the client is. */
static RPC_STATUS call_to_string(struct rpc_call *call, char **ret_text)
{
    char host[NI_MAXHOST] = "", port[NI_MAXSERV + 108] = "", object[37] = "", none[] = "";
    client_name(call, host, port, sizeof(port));
    if (call_object(&call->wire))
        uuid_format(call_object(&call->wire), object);
    const struct string_binding parts = {.object = object,
                                         .protseq = (char *)(uintptr_t)transport_protseq(call->conn->kind),
                                         .address = host,
                                         .endpoint = port,
                                         .options = none};
    return string_binding_format(&parts, ret_text);
}

static RPC_STATUS binding_to_string(struct binding *binding, char **ret_text)
{
    char object[37] = "";
    pthread_mutex_lock(&binding->lock);
    find_endpoint(binding, NULL);
    if (binding->has_object)
        uuid_format(&binding->object_uuid, object);
    const struct string_binding parts = {.object = object,
                                         .protseq = (char *)(uintptr_t)transport_protseq(binding->kind),
                                         .address = binding->address,
                                         .endpoint = binding->endpoint,
                                         .options = binding->options};
    RPC_STATUS status = string_binding_format(&parts, ret_text);
    pthread_mutex_unlock(&binding->lock);
    return status;
}

RPC_STATUS RpcBindingToStringBindingA(RPC_BINDING_HANDLE Binding, RPC_CSTR *StringBinding)
{
    if (!StringBinding)
        return RPC_S_INVALID_ARG;
    *StringBinding = NULL;
    char *text = NULL;
    struct binding *binding;
    RPC_STATUS status = binding_get_client(Binding, &binding);
    if (status == RPC_S_OK) {
        status = binding_to_string(binding, &text);
        binding_put(binding);
    } else {
        struct rpc_call *call = binding_get_call(Binding);
        if (!call)
            return RPC_S_INVALID_BINDING;
        status = call_to_string(call, &text);
        call_put(call);
    }
    if (status == RPC_S_OK)
        *StringBinding = (RPC_CSTR)text;
    return status;
}

/* ---- Copies and parts ----------------------------------------------------- */

RPC_STATUS RpcBindingFree(RPC_BINDING_HANDLE *Binding)
{
    if (!Binding)
        return RPC_S_INVALID_ARG;
    struct binding *binding;
    RPC_STATUS status = binding_get_client(*Binding, &binding);
    if (status != RPC_S_OK)
        return status;
    handle_close((uint64_t)(uintptr_t)*Binding, RPC_S_INVALID_BINDING);
    binding_put(binding);
    *Binding = NULL;
    return RPC_S_OK;
}

struct binding *binding_copy(struct binding *source)
{
    pthread_mutex_lock(&source->lock);
    find_endpoint(source, NULL);
    struct binding *copy =
        binding_new(source->kind, source->address, source->endpoint, source->options);
    if (copy) {
        copy->has_object = source->has_object;
        copy->object_uuid = source->object_uuid;
        copy->com_timeout = source->com_timeout;
        copy->call_timeout_ms = source->call_timeout_ms;
        copy->noncausal = source->noncausal;
        copy->dont_linger = source->dont_linger;
        copy->unique = source->unique;
        copy->syntaxes = source->syntaxes;
        copy->limits = source->limits;
        copy->pool = source->pool;
        if (copy->pool)
            server_pool_use(copy->pool);
    }
    pthread_mutex_unlock(&source->lock);
    return copy;
}

RPC_STATUS RpcBindingCopy(RPC_BINDING_HANDLE SourceBinding, RPC_BINDING_HANDLE *DestinationBinding)
{
    if (!DestinationBinding)
        return RPC_S_INVALID_ARG;
    *DestinationBinding = NULL;
    struct binding *source;
    RPC_STATUS status = binding_get_client(SourceBinding, &source);
    if (status != RPC_S_OK)
        return status;
    struct binding *copy = binding_copy(source);
    binding_put(source);
    /* The copy shall have its own, also while its endpoint is looked for: it may get another
     * object. */
    struct server_pool *pool =
        copy && (copy->unique || copy->endpoint[0] == '\0') ? copy->pool : NULL;
    if (pool) {
        copy->pool = NULL;
        server_pool_close(pool);
    }
    return copy ? publish(copy, DestinationBinding) : RPC_S_OUT_OF_MEMORY;
}

RPC_STATUS RpcBindingReset(RPC_BINDING_HANDLE Binding)
{
    struct binding *binding;
    RPC_STATUS status = binding_get_client(Binding, &binding);
    if (status != RPC_S_OK)
        return status;
    pthread_mutex_lock(&binding->lock);
    struct server_pool *pool = binding->pool;
    binding->pool = NULL;
    binding->endpoint[0] = '\0';
    pthread_mutex_unlock(&binding->lock);
    if (pool)
        server_pool_close(pool);
    binding_put(binding);
    return RPC_S_OK;
}

RPC_STATUS RpcBindingSetObject(RPC_BINDING_HANDLE Binding, UUID *ObjectUuid)
{
    struct binding *binding;
    RPC_STATUS status = binding_get_client(Binding, &binding);
    if (status != RPC_S_OK)
        return status;
    pthread_mutex_lock(&binding->lock);
    RPC_STATUS ignored;
    binding->has_object = ObjectUuid && !UuidIsNil(ObjectUuid, &ignored);
    if (binding->has_object)
        binding->object_uuid = *ObjectUuid;
    pthread_mutex_unlock(&binding->lock);
    binding_put(binding);
    return RPC_S_OK;
}

RPC_STATUS RpcBindingInqObject(RPC_BINDING_HANDLE Binding, UUID *ObjectUuid)
{
    if (!ObjectUuid)
        return RPC_S_INVALID_ARG;
    struct binding *binding;
    if (binding_get_client(Binding, &binding) == RPC_S_OK) {
        pthread_mutex_lock(&binding->lock);
        *ObjectUuid = binding->has_object ? binding->object_uuid : (UUID){0};
        pthread_mutex_unlock(&binding->lock);
        binding_put(binding);
        return RPC_S_OK;
    }
    struct rpc_call *call = binding_get_call(Binding);
    if (!call)
        return RPC_S_INVALID_BINDING;
    const UUID *object = call_object(&call->wire);
    *ObjectUuid = object ? *object : (UUID){0};
    call_put(call);
    return RPC_S_OK;
}

RPC_STATUS RpcBindingServerFromClient(RPC_BINDING_HANDLE ClientBinding,
                                      RPC_BINDING_HANDLE *ServerBinding)
{
    if (!ServerBinding)
        return RPC_S_INVALID_ARG;
    *ServerBinding = NULL;
    struct rpc_call *current = server_current_call();
    if (!ClientBinding && !current)
        return RPC_S_NO_CALL_ACTIVE;
    if (!ClientBinding)
        ClientBinding = (RPC_BINDING_HANDLE)(uintptr_t)current->handle;
    struct binding *binding;
    RPC_STATUS status = binding_get_client(ClientBinding, &binding);
    if (status == RPC_S_OK) {
        binding_put(binding);
        return RPC_S_WRONG_KIND_OF_BINDING;
    }
    struct rpc_call *call = binding_get_call(ClientBinding);
    if (!call)
        return RPC_S_INVALID_BINDING;
    char host[NI_MAXHOST], port[NI_MAXSERV + 108];
    client_name(call, host, port, sizeof(port));
    struct binding *result = binding_new(call->conn->kind, host, "", "");
    if (result && call_object(&call->wire)) {
        result->has_object = true;
        result->object_uuid = *call_object(&call->wire);
    }
    call_put(call);
    return result ? publish(result, ServerBinding) : RPC_S_OUT_OF_MEMORY;
}
