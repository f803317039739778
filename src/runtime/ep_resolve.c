/* SPDX-License-Identifier: MIT */
/* ep_resolve.c - which endpoint a server listens at, as the endpoint mapper of its host says;
 * see ep.h. */
#include "runtime/ep.h"

#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/trace.h"
#include "runtime/binding.h"
#include "runtime/stub_memory.h"
#include "wire/tower.h"

static bool usable(const twr_t *answer, enum transport_kind kind, char endpoint[EP_ENDPOINT_SIZE])
{
    struct tower tower;
    char text[TOWER_LEN_MAX];
    if (!answer || !tower_decode(answer->tower_octet_string, answer->tower_length, &tower) ||
        tower.kind != (kind == TRANSPORT_TCP ? TOWER_TCP : TOWER_LOCAL))
        return false;
    tower_endpoint(&tower, text, sizeof(text));
    if (transport_check_endpoint(kind, text) != RPC_S_OK || strlen(text) >= EP_ENDPOINT_SIZE)
        return false;
    strcpy(endpoint, text);
    return true;
}

/* Servers of the same interface share the work. */
static uint32_t any_of(uint32_t count)
{
    uint32_t random;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
        random = (uint32_t)clock_us();
    return random % count;
}

static RPC_STATUS choose(uint32_t count, twr_p_t towers[], enum transport_kind kind,
                         char endpoint[EP_ENDPOINT_SIZE])
{
    const uint32_t first = count > 0 ? any_of(count) : 0;
    for (uint32_t i = 0; i < count; i++)
        if (usable(towers[(first + i) % count], kind, endpoint))
            return RPC_S_OK;
    return EPT_S_NOT_REGISTERED;
}

/* The same tower may be there twice: full pointers. */
static void free_towers(uint32_t count, twr_p_t towers[])
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < i && towers[i]; k++)
            if (towers[k] == towers[i])
                towers[i] = NULL;
    }
    for (uint32_t i = 0; i < count; i++)
        stub_memory_free(towers[i]);
}

static RPC_STATUS ask(RPC_BINDING_HANDLE mapper, const struct ep_question *question, twr_t *tower,
                      char endpoint[EP_ENDPOINT_SIZE])
{
    UUID object = question->object;
    twr_p_t towers[LIMIT_EP_TOWERS] = {NULL};
    ept_lookup_handle_t more = NULL;
    uint32_t count = 0;
    error_status_t told = RPC_S_OK;
    client_ept_map(mapper, &object, tower, &more, LIMIT_EP_TOWERS, &count, towers, &told);
    RPC_STATUS status = ep_status(told);
    if (count > LIMIT_EP_TOWERS) /* of an answer that was refused for it */
        count = LIMIT_EP_TOWERS;
    if (status == RPC_S_OK)
        status = choose(count, towers, question->kind, endpoint);
    free_towers(count, towers);
    if (more) { /* there are so many that we have enough of them */
        client_ept_lookup_handle_free(mapper, &more, &told);
        RpcSmDestroyClientContext(&more);
    }
    return status;
}

RPC_STATUS ep_ask(const struct ep_question *question, char endpoint[EP_ENDPOINT_SIZE])
{
    RPC_BINDING_HANDLE mapper;
    struct stub_memory outer;
    RPC_STATUS status =
        ep_mapper_binding(question->kind, question->address, question->com_timeout, &mapper);
    if (status != RPC_S_OK)
        return status;
    twr_t *tower = ep_tower_new(&question->interface_id, question->kind, "");
    stub_memory_enter(&outer);
    status = tower ? ask(mapper, question, tower, endpoint) : RPC_S_OUT_OF_MEMORY;
    stub_memory_leave(&outer);
    stub_memory_free(tower);
    RpcBindingFree(&mapper);
    if (status == RPC_S_CALL_CANCELLED) /* silent for too long; a call that was cancelled says so */
        status = RPC_S_SERVER_UNAVAILABLE;
    TRACE(TRACE_ASSOC, "endpoint mapper of %s: %s", question->address,
          status == RPC_S_OK ? endpoint : "nothing");
    return status;
}

RPC_STATUS RpcEpResolveBinding(RPC_BINDING_HANDLE Binding, RPC_IF_HANDLE IfSpec)
{
    struct binding *binding;
    if (!IfSpec)
        return RPC_S_INVALID_ARG;
    RPC_STATUS status = binding_get_client(Binding, &binding);
    if (status != RPC_S_OK)
        return status;
    status = binding_resolve(binding, IfSpec, true);
    binding_put(binding);
    return status;
}
