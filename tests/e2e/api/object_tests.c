/* SPDX-License-Identifier: MIT */
/* object_tests.c - objects have types, and types have managers. */
#include "harness.h"

static UUID object_a = {0xa, 0, 0, {1}}, object_b = {0xb, 0, 0, {1}}, object_c = {0xc, 0, 0, {1}};
static UUID type_a = {0xa, 1, 0, {2}}, type_b = {0xb, 1, 0, {2}};
static UUID nil;

static bool is_nil(UUID *uuid)
{
    RPC_STATUS status;
    return UuidIsNil(uuid, &status);
}

static bool same(UUID *a, UUID *b)
{
    RPC_STATUS status;
    return UuidEqual(a, b, &status);
}

/* The table without any call: of one process. */
static void object_types(void)
{
    UUID type = type_b;
    CHECK_EQUAL(RpcObjectSetType(NULL, &type_a), RPC_S_INVALID_OBJECT);
    CHECK_EQUAL(RpcObjectSetType(&nil, &type_a), RPC_S_INVALID_OBJECT);
    CHECK_EQUAL(RpcObjectInqType(NULL, &type), RPC_S_INVALID_OBJECT);
    CHECK_EQUAL(RpcObjectInqType(&nil, &type), RPC_S_INVALID_OBJECT);
    CHECK_EQUAL(RpcObjectInqType(&object_a, &type), RPC_S_OBJECT_NOT_FOUND);
    CHECK(is_nil(&type));

    CHECK_EQUAL(RpcObjectSetType(&object_a, &type_a), RPC_S_OK);
    CHECK_EQUAL(RpcObjectSetType(&object_a, &type_a), RPC_S_OK);
    CHECK_EQUAL(RpcObjectSetType(&object_a, &type_b), RPC_S_ALREADY_REGISTERED);
    CHECK_EQUAL(RpcObjectInqType(&object_a, &type), RPC_S_OK);
    CHECK(same(&type, &type_a));
    CHECK_EQUAL(RpcObjectInqType(&object_a, NULL), RPC_S_OK);
    CHECK_EQUAL(RpcObjectInqType(&object_b, NULL), RPC_S_OBJECT_NOT_FOUND);

    /* Taken away with NULL and with nil; what has none may lose it. */
    CHECK_EQUAL(RpcObjectSetType(&object_a, NULL), RPC_S_OK);
    CHECK_EQUAL(RpcObjectSetType(&object_a, &type_b), RPC_S_OK);
    CHECK_EQUAL(RpcObjectSetType(&object_a, &nil), RPC_S_OK);
    CHECK_EQUAL(RpcObjectSetType(&object_a, NULL), RPC_S_OK);
    CHECK_EQUAL(RpcObjectInqType(&object_a, NULL), RPC_S_OBJECT_NOT_FOUND);

    /* More than the table has buckets. */
    for (uint32_t i = 1; i <= 1000; i++) {
        UUID object = {i, 2, 0, {3}}, wanted = {i, 3, 0, {3}};
        CHECK_EQUAL(RpcObjectSetType(&object, &wanted), RPC_S_OK);
    }
    for (uint32_t i = 1; i <= 1000; i++) {
        UUID object = {i, 2, 0, {3}}, wanted = {i, 3, 0, {3}};
        CHECK_EQUAL(RpcObjectInqType(&object, &type), RPC_S_OK);
        CHECK(same(&type, &wanted));
        CHECK_EQUAL(RpcObjectSetType(&object, NULL), RPC_S_OK);
    }
}

/* ---- The program's own table: no call either ------------------------------------- */

static _Atomic unsigned inquiries;

static void inquire(UUID *object, UUID *type, RPC_STATUS *status)
{
    inquiries++;
    *status = same(object, &object_b) ? RPC_S_OK : RPC_S_OBJECT_NOT_FOUND;
    if (*status == RPC_S_OK)
        *type = type_b;
}

static void object_inquiry(void)
{
    UUID type;
    CHECK_EQUAL(RpcObjectSetInqFn(inquire), RPC_S_OK);
    CHECK_EQUAL(RpcObjectSetType(&object_a, &type_a), RPC_S_OK);
    CHECK_EQUAL(RpcObjectInqType(&object_a, &type), RPC_S_OK);
    CHECK_EQUAL(inquiries, 0); /* what was set comes first */
    CHECK_EQUAL(RpcObjectInqType(&object_b, &type), RPC_S_OK);
    CHECK(same(&type, &type_b));
    CHECK_EQUAL(RpcObjectInqType(&object_c, &type), RPC_S_OBJECT_NOT_FOUND);
    CHECK(is_nil(&type));
    CHECK_EQUAL(inquiries, 2);
    CHECK_EQUAL(RpcObjectSetInqFn(NULL), RPC_S_OK);
    CHECK_EQUAL(RpcObjectInqType(&object_b, &type), RPC_S_OBJECT_NOT_FOUND);
    CHECK_EQUAL(RpcObjectSetType(&object_a, NULL), RPC_S_OK);
}

/* ---- Managers of types --------------------------------------------------------------- */

static int32_t ping_a(handle_t h, int32_t n)
{
    (void)h;
    return n + 1000;
}

static int32_t ping_b(handle_t h, int32_t n)
{
    (void)h;
    return n + 2000;
}

/* What a call of ping(1) on `object` answers; what it raises as a negative number. */
static int32_t answer_for(RPC_BINDING_HANDLE h, UUID *object)
{
    volatile int32_t answer = 0;
    RPC_STATUS status;
    CHECK_EQUAL(RpcBindingSetObject(h, object), RPC_S_OK);
    RAISED(status, answer = c_ping(h, 1));
    return status == RPC_S_OK ? answer : -status;
}

/* What the server does, one step at a time. */
enum step { TYPE_WITHOUT_MANAGER, MANAGERS, INQUIRY, NO_INQUIRY, NO_MANAGER, NO_TYPE };

static long long take_step_there(struct served *unused, long long step, long long b)
{
    static api_v1_0_epv_t managers_a, managers_b;
    RPC_MGR_EPV *own = NULL, *got = NULL;
    (void)unused, (void)b;
    switch ((enum step)step) {
    case TYPE_WITHOUT_MANAGER:
        CHECK_EQUAL(RpcObjectSetType(&object_a, &type_a), RPC_S_OK);
        CHECK_EQUAL(RpcServerInqIf(s_api_v1_0_s_ifspec, &type_a, &got), RPC_S_UNKNOWN_MGR_TYPE);
        break;
    case MANAGERS:
        CHECK_EQUAL(RpcServerInqIf(s_api_v1_0_s_ifspec, NULL, &own), RPC_S_OK);
        managers_a = managers_b = *(api_v1_0_epv_t *)own;
        managers_a.ping = ping_a;
        managers_b.ping = ping_b;
        CHECK_EQUAL(RpcServerRegisterIf(s_api_v1_0_s_ifspec, &type_a, &managers_a), RPC_S_OK);
        CHECK_EQUAL(RpcServerRegisterIf(s_api_v1_0_s_ifspec, &type_a, &managers_b),
                    RPC_S_TYPE_ALREADY_REGISTERED);
        CHECK_EQUAL(RpcServerRegisterIf(s_api_v1_0_s_ifspec, &type_b, &managers_b), RPC_S_OK);
        CHECK_EQUAL(RpcServerInqIf(s_api_v1_0_s_ifspec, &type_a, &got), RPC_S_OK);
        CHECK(got == &managers_a);
        break;
    case INQUIRY:
        CHECK_EQUAL(RpcObjectSetInqFn(inquire), RPC_S_OK);
        break;
    case NO_INQUIRY:
        CHECK_EQUAL(RpcObjectSetInqFn(NULL), RPC_S_OK);
        CHECK_EQUAL(RpcServerUnregisterIf(s_api_v1_0_s_ifspec, &type_a, TRUE), RPC_S_OK);
        break;
    case NO_MANAGER:
        CHECK_EQUAL(RpcServerUnregisterIf(s_api_v1_0_s_ifspec, &type_b, TRUE), RPC_S_OK);
        break;
    case NO_TYPE:
        CHECK_EQUAL(RpcObjectSetType(&object_a, NULL), RPC_S_OK);
        CHECK_EQUAL(RpcServerInqIf(NULL, NULL, &got), RPC_S_INVALID_ARG);
        CHECK_EQUAL(RpcServerInqIf(s_api_v1_0_s_ifspec, NULL, NULL), RPC_S_INVALID_ARG);
        break;
    }
    return 0;
}

static void object_managers(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    int32_t plain = answer_for(h, NULL);
    CHECK_EQUAL(plain, 2);
    far(take_step_there, NULL, TYPE_WITHOUT_MANAGER, 0);
    CHECK_EQUAL(answer_for(h, &object_a), -RPC_S_UNSUPPORTED_TYPE);
    far(take_step_there, NULL, MANAGERS, 0);
    CHECK_EQUAL(answer_for(h, &object_a), 1001);
    CHECK_EQUAL(answer_for(h, &object_b), plain); /* no type: the nil type's */
    CHECK_EQUAL(answer_for(h, NULL), plain);
    far(take_step_there, NULL, INQUIRY, 0);
    CHECK_EQUAL(answer_for(h, &object_b), 2001);
    CHECK_EQUAL(answer_for(h, &object_c), plain);
    CHECK_EQUAL(answer_for(h, &object_a), 1001);
    far(take_step_there, NULL, NO_INQUIRY, 0);
    CHECK_EQUAL(answer_for(h, &object_a), -RPC_S_UNSUPPORTED_TYPE);
    CHECK_EQUAL(answer_for(h, NULL), plain);
    far(take_step_there, NULL, NO_MANAGER, 0);
    CHECK_EQUAL(answer_for(h, &object_a), -RPC_S_UNSUPPORTED_TYPE);
    far(take_step_there, NULL, NO_TYPE, 0);
    CHECK_EQUAL(answer_for(h, &object_a), plain);
    RpcBindingFree(&h);
}

const struct test object_tests[] = {
    {"object_types", object_types},
    {"object_inquiry", object_inquiry},
    {"object_managers", object_managers},
    {NULL, NULL},
};
