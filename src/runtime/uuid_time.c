/* SPDX-License-Identifier: MIT */
/* uuid_time.c - UuidCreateSequential: UUIDs of time and place (RFC 4122 4.2, version 1).
 *
 *   60 bits of time, 100 ns since 1582-10-15 | 14 bits, random | 48 bits: address of a network
 *
 * The time never stands still or goes back within a process; the 14 random bits, drawn once,
 * keep processes of one machine apart, and a process from itself before the clock was set
 * back. */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <penstock/rpc.h>

/* 100 ns from 1582-10-15, when the calendar was changed, to 1970-01-01. */
#define GREGORIAN_TO_UNIX UINT64_C(0x01B21DD213814000)

#define NODE_LEN 6

static struct {
    pthread_mutex_t lock;
    bool set_up;
    bool local;             /* the node is a random number       */
    uint8_t node[NODE_LEN]; /* address of a network interface    */
    uint8_t clock_seq[2];
    uint64_t last;          /* time of the last UUID             */
} maker = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The address of the first interface that has one from its maker, else any. */
static bool find_node(uint8_t node[NODE_LEN])
{
    static const uint8_t none[NODE_LEN];
    struct ifaddrs *all;
    bool found = false, universal = false;
    if (getifaddrs(&all) != 0)
        return false;
    for (const struct ifaddrs *each = all; each && !universal; each = each->ifa_next) {
        if (!each->ifa_addr || each->ifa_addr->sa_family != AF_PACKET ||
            each->ifa_flags & IFF_LOOPBACK)
            continue;
        struct sockaddr_ll address;
        memcpy(&address, each->ifa_addr, sizeof(address));
        if (address.sll_halen != NODE_LEN || memcmp(address.sll_addr, none, NODE_LEN) == 0)
            continue;
        universal = !(address.sll_addr[0] & 2); /* IEEE 802: locally administered */
        if (!found || universal)
            memcpy(node, address.sll_addr, NODE_LEN);
        found = true;
    }
    freeifaddrs(all);
    return found;
}

/* Lock held. */
static bool set_up(void)
{
    uint8_t octets[NODE_LEN + 2];
    ssize_t n;
    do
        n = getrandom(octets, sizeof(octets), 0);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof(octets))
        return false;
    memcpy(maker.clock_seq, octets + NODE_LEN, 2);
    maker.local = !find_node(maker.node);
    if (maker.local) {
        memcpy(maker.node, octets, NODE_LEN);
        maker.node[0] |= 1; /* multicast: no interface has it (RFC 4122 4.5) */
    }
    maker.set_up = true;
    return true;
}

RPC_STATUS UuidCreateSequential(UUID *Uuid)
{
    if (!Uuid)
        return RPC_S_INVALID_ARG;
    pthread_mutex_lock(&maker.lock);
    if (!maker.set_up && !set_up()) {
        pthread_mutex_unlock(&maker.lock);
        return RPC_S_UUID_NO_ADDRESS;
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t time =
        GREGORIAN_TO_UNIX + (uint64_t)now.tv_sec * 10000000 + (uint64_t)now.tv_nsec / 100;
    if (time <= maker.last)
        time = maker.last + 1;
    maker.last = time;
    *Uuid = (UUID){.Data1 = (uint32_t)time,
                   .Data2 = (uint16_t)(time >> 32),
                   .Data3 = (uint16_t)((time >> 48 & 0x0fff) | 0x1000), /* version 1 */
                   .Data4 = {(uint8_t)((maker.clock_seq[0] & 0x3f) | 0x80), maker.clock_seq[1]}};
    memcpy(Uuid->Data4 + 2, maker.node, NODE_LEN);
    bool local = maker.local;
    pthread_mutex_unlock(&maker.lock);
    return local ? RPC_S_UUID_LOCAL_ONLY : RPC_S_OK;
}
