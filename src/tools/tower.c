/* SPDX-License-Identifier: MIT */
/* tower.c - u16 floors, each { u16 len; protocol ...; u16 len; address }, little-endian but for
 * ports and addresses. */
#include "tower.h"

#include <stdio.h>
#include <string.h>

#include "base/uuid.h"

#define FLOORS_MAX 6u

struct floor {
    const uint8_t *left, *right;
    size_t left_len, right_len;
};

static bool take(const uint8_t **at, const uint8_t *end, const uint8_t **ret, size_t *ret_len)
{
    if (end - *at < 2)
        return false;
    size_t len = (*at)[0] | (size_t)(*at)[1] << 8;
    *at += 2;
    if ((size_t)(end - *at) < len)
        return false;
    *ret = *at;
    *ret_len = len;
    *at += len;
    return true;
}

static unsigned u16(const uint8_t *at)
{
    return at[0] | (unsigned)at[1] << 8;
}

static bool interface_of(const struct floor *floor, struct tower_text *ret)
{
    UUID uuid;
    if (floor->left_len != 19 || floor->left[0] != 0x0d || floor->right_len != 2)
        return false;
    const uint8_t *u = floor->left + 1;
    uuid.Data1 = u16(u) | (uint32_t)u16(u + 2) << 16;
    uuid.Data2 = (uint16_t)u16(u + 4);
    uuid.Data3 = (uint16_t)u16(u + 6);
    memcpy(uuid.Data4, u + 8, sizeof(uuid.Data4));
    char text[UUID_TEXT_LEN + 1];
    uuid_format(&uuid, text);
    snprintf(ret->uuid, sizeof(ret->uuid), "%s", text);
    ret->major = u16(floor->left + 17);
    ret->minor = u16(floor->right);
    return true;
}

/* A name with its NUL, as far as it is there. */
static void name_of(const struct floor *floor, char *buf, size_t size)
{
    size_t len = 0;
    while (floor && len < floor->right_len && len + 1 < size && floor->right[len] != 0) {
        buf[len] = (char)floor->right[len];
        if (floor->right[len] < 0x20 || floor->right[len] > 0x7e)
            buf[len] = '?';
        len++;
    }
    buf[len] = '\0';
}

static const struct floor *find(const struct floor *floors, unsigned count, uint8_t protocol)
{
    for (unsigned i = 2; i < count; i++) {
        if (floors[i].left_len >= 1 && floors[i].left[0] == protocol)
            return &floors[i];
    }
    return NULL;
}

static bool with_port(const struct floor *floors, unsigned count, struct tower_text *ret)
{
    static const struct {
        uint8_t protocol;
        const char *protseq;
    } ports[] = {{0x07, "ncacn_ip_tcp"}, {0x1f, "ncacn_http"}, {0x08, "ncadg_ip_udp"}};
    const struct floor *ip = find(floors, count, 0x09);
    char address[16] = "";
    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        const struct floor *floor = find(floors, count, ports[i].protocol);
        if (!floor || floor->right_len != 2)
            continue;
        if (ip && ip->right_len == 4 && memcmp(ip->right, "\0\0\0\0", 4) != 0)
            snprintf(address, sizeof(address), "%u.%u.%u.%u", ip->right[0], ip->right[1],
                     ip->right[2], ip->right[3]);
        snprintf(ret->binding, sizeof(ret->binding), "%s:%s[%u]", ports[i].protseq, address,
                 (unsigned)floor->right[0] << 8 | floor->right[1]);
        return true;
    }
    return false;
}

static bool with_name(const struct floor *floors, unsigned count, struct tower_text *ret)
{
    char name[128], host[64];
    const struct floor *local = find(floors, count, 0x10), *pipe = find(floors, count, 0x0f);
    if (!local && !pipe)
        return false;
    name_of(local ? local : pipe, name, sizeof(name));
    name_of(local ? NULL : find(floors, count, 0x11), host, sizeof(host));
    snprintf(ret->binding, sizeof(ret->binding), "%s:%s[%s]", local ? "ncalrpc" : "ncacn_np", host,
             name);
    return true;
}

static void unknown(const struct floor *floors, unsigned count, struct tower_text *ret)
{
    int len = snprintf(ret->binding, sizeof(ret->binding), "protocols");
    for (unsigned i = 2; i < count; i++)
        len += snprintf(ret->binding + len, sizeof(ret->binding) - (size_t)len, "%s%02x",
                        i == 2 ? " " : ",", floors[i].left_len > 0 ? floors[i].left[0] : 0);
}

bool tower_text(const uint8_t *octets, size_t len, struct tower_text *ret)
{
    struct floor floors[FLOORS_MAX];
    const uint8_t *at = octets + 2, *end = octets + len;
    if (len < 2)
        return false;
    unsigned count = u16(octets);
    if (count < 3 || count > FLOORS_MAX)
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (!take(&at, end, &floors[i].left, &floors[i].left_len) ||
            !take(&at, end, &floors[i].right, &floors[i].right_len))
            return false;
    }
    if (!interface_of(&floors[0], ret))
        return false;
    if (!with_port(floors, count, ret) && !with_name(floors, count, ret))
        unknown(floors, count, ret);
    return true;
}
