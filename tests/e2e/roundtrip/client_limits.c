/* SPDX-License-Identifier: MIT */
/* client_limits.c - what one call may take on receipt: memory and nesting, on the server and
 * on the client, at the limit and one beyond, and the defaults. */
#include "client.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_DEFAULT     16384u
#define ALLOCATED_DEFAULT (256u << 20)

/* `length` nodes go and come back, reversed: so many minus one pointers are behind each
 * other in the request. */
static RPC_STATUS send_list(uint32_t length)
{
    NODE *nodes = calloc(length, sizeof(*nodes)), *back = NULL, *none = NULL;
    RPC_STATUS status;
    for (uint32_t i = 0; i < length; i++)
        nodes[i] = (NODE){.next = i + 1 < length ? &nodes[i + 1] : NULL, .value = (int32_t)i};
    RAISED(status, RtList(server, nodes, &back, &none));
    uint32_t returned = 0;
    while (back) {
        NODE *next = back->next;
        returned++;
        midl_user_free(back);
        back = next;
    }
    free(nodes);
    return status == RPC_S_OK && returned != length ? RPC_S_INTERNAL_ERROR : status;
}

static bool depth_of(uint32_t of_server, uint32_t of_client, uint32_t most)
{
    RtLimits(server, 0, of_server);
    CHECK_EQUAL(RpcxBindingSetLimits(server, 0, of_client), RPC_S_OK);
    CHECK_EQUAL(send_list(most), RPC_S_OK);
    CHECK_EQUAL(send_list(most + 1), RPC_S_OUT_OF_RESOURCES);
    CHECK_EQUAL(send_list(2 * most), RPC_S_OUT_OF_RESOURCES);
    CHECK_EQUAL(send_list(most), RPC_S_OK);
    return true;
}

static bool depth_limit(void)
{
    const uint32_t most = DEPTH_DEFAULT + 1, more = 4 * DEPTH_DEFAULT;
    bool ok = depth_of(0, 0, most) && depth_of(0, more, most) && depth_of(more, 0, most) &&
              depth_of(100, 0, 101) && depth_of(0, 100, 101) && depth_of(1, 0, 2) &&
              depth_of(more, more, more + 1);
    RtLimits(server, 0, 0);
    RpcxBindingSetLimits(server, 0, 0);
    return ok;
}

/* Memory of [in], of [out], and of both together. */
static bool allocated_of_server(uint32_t most)
{
    byte *v = malloc(most + 2), *w = malloc(most + 2);
    for (uint32_t i = 0; i < most + 2; i++)
        v[i] = octet(i);
    RtLimits(server, most, 0);
    CHECK_EQUAL(RtBig(server, most, v), most);
    CHECK_RAISES(RPC_S_OUT_OF_RESOURCES, RtBig(server, most + 1, v));
    RtBigOut(server, most, w);
    CHECK(memcmp(v, w, most) == 0);
    CHECK_RAISES(RPC_S_OUT_OF_RESOURCES, RtBigOut(server, most + 1, w));
    RtHalf(server, most, v, w); /* half of it each way */
    CHECK_EQUAL(w[most / 2 - 1], (byte)~v[most / 2 - 1]);
    CHECK_RAISES(RPC_S_OUT_OF_RESOURCES, RtHalf(server, most + 1, v, w));
    CHECK_EQUAL(RtBig(server, most, v), most);
    free(v);
    free(w);
    return true;
}

static bool allocated_limit_of_server(void)
{
    bool ok = allocated_of_server(1000) && allocated_of_server(2) && allocated_of_server(1 << 20);
    RtLimits(server, 0, 0);
    return ok;
}

/* A few octets claim more than the default. */
static bool allocated_default(void)
{
    byte v;
    CHECK_RAISES(RPC_S_OUT_OF_RESOURCES, RtBigOut(server, ALLOCATED_DEFAULT + 1, &v));
    return true;
}

/* The reply of a string: its octets and the terminator. */
static bool allocated_limit_of_client(void)
{
    static const byte text[] = "a text of some length";
    byte *back = NULL;
    CHECK_EQUAL(RpcxBindingSetLimits(server, sizeof(text), 0), RPC_S_OK);
    RtBytes(server, text, &back);
    CHECK_EQUAL(back[0], 'h');
    midl_user_free(back);
    back = NULL;
    CHECK_EQUAL(RpcxBindingSetLimits(server, sizeof(text) - 1, 0), RPC_S_OK);
    CHECK_RAISES(RPC_S_OUT_OF_RESOURCES, RtBytes(server, text, &back));
    CHECK(!back);
    RPC_BINDING_HANDLE copy;
    CHECK_EQUAL(RpcBindingCopy(server, &copy), RPC_S_OK);
    CHECK_RAISES(RPC_S_OUT_OF_RESOURCES, RtBytes(copy, text, &back));
    CHECK_EQUAL(RpcxBindingSetLimits(copy, 0, 0), RPC_S_OK);
    RtBytes(copy, text, &back);
    midl_user_free(back);
    RpcBindingFree(&copy);
    CHECK_EQUAL(RpcxBindingSetLimits(server, 0, 0), RPC_S_OK);
    RtBytes(server, text, &back);
    midl_user_free(back);
    CHECK_EQUAL(RpcxBindingSetLimits(NULL, 0, 0), RPC_S_INVALID_BINDING);
    return true;
}

const struct test_case limit_cases[] = {
    {"depth_limit", depth_limit},
    {"allocated_limit_of_server", allocated_limit_of_server},
    {"allocated_limit_of_client", allocated_limit_of_client},
    {"allocated_default", allocated_default},
    {NULL, NULL},
};
