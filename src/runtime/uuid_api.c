/* SPDX-License-Identifier: MIT */
/* uuid_api.c - the documented Uuid... functions over base/uuid.h; UuidCreateSequential is in
 * uuid_time.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <penstock/rpc.h>

#include "base/uuid.h"

static const UUID nil_uuid;

/* The documented functions read a NULL pointer as the nil UUID. */
static const UUID *or_nil(const UUID *uuid)
{
    return uuid ? uuid : &nil_uuid;
}

static void set_ok(RPC_STATUS *status)
{
    if (status)
        *status = RPC_S_OK;
}

RPC_STATUS UuidCreate(UUID *Uuid)
{
    if (!Uuid)
        return RPC_S_INVALID_ARG;
    UUID uuid;
    ssize_t n;
    do
        n = getrandom(&uuid, sizeof(uuid), 0);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof(uuid)) /* up to 256 octets come whole or not at all */
        return RPC_S_UUID_NO_ADDRESS;
    uuid.Data3 = (uint16_t)((uuid.Data3 & 0x0fff) | 0x4000);  /* version 4 */
    uuid.Data4[0] = (uint8_t)((uuid.Data4[0] & 0x3f) | 0x80); /* RFC 4122 variant */
    *Uuid = uuid;
    return RPC_S_OK;
}

RPC_STATUS UuidCreateNil(UUID *NilUuid)
{
    if (!NilUuid)
        return RPC_S_INVALID_ARG;
    *NilUuid = nil_uuid;
    return RPC_S_OK;
}

RPC_STATUS UuidToStringA(const UUID *Uuid, RPC_CSTR *StringUuid)
{
    if (!StringUuid)
        return RPC_S_INVALID_ARG;
    char *text = malloc(UUID_TEXT_LEN + 1);
    if (!text)
        return RPC_S_OUT_OF_MEMORY;
    uuid_format(or_nil(Uuid), text);
    *StringUuid = (RPC_CSTR)text;
    return RPC_S_OK;
}

RPC_STATUS UuidFromStringA(RPC_CSTR StringUuid, UUID *Uuid)
{
    if (!Uuid)
        return RPC_S_INVALID_ARG;
    if (!StringUuid)
        return UuidCreateNil(Uuid);
    const char *text = (const char *)StringUuid;
    return uuid_parse(text, strlen(text), Uuid) ? RPC_S_OK : RPC_S_INVALID_STRING_UUID;
}

signed int UuidCompare(UUID *Uuid1, UUID *Uuid2, RPC_STATUS *Status)
{
    set_ok(Status);
    return uuid_compare(or_nil(Uuid1), or_nil(Uuid2));
}

int UuidEqual(UUID *Uuid1, UUID *Uuid2, RPC_STATUS *Status)
{
    set_ok(Status);
    return uuid_equal(or_nil(Uuid1), or_nil(Uuid2));
}

int UuidIsNil(UUID *Uuid, RPC_STATUS *Status)
{
    set_ok(Status);
    return uuid_is_nil(or_nil(Uuid));
}

unsigned short UuidHash(UUID *Uuid, RPC_STATUS *Status)
{
    set_ok(Status);
    /* FNV-1a over the octets, folded to 16 bits.  Equal UUIDs have equal hashes;
     * nothing else is promised, the value may differ from Windows. */
    const unsigned char *octets = (const unsigned char *)or_nil(Uuid);
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < sizeof(UUID); i++)
        hash = (hash ^ octets[i]) * 16777619u;
    return (unsigned short)(hash >> 16 ^ hash);
}
