/* SPDX-License-Identifier: MIT */
/* characters_routines.h - the routines of the local types of tests/golden/b_cs_char.idl, which
 * refuse when told to.  For one file of a program. */
#ifndef PENSTOCK_TESTS_CHARACTERS_ROUTINES_H
#define PENSTOCK_TESTS_CHARACTERS_ROUTINES_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "b_cs_char.h"

/* Code sets: UTF-8; one octet for each character; the same with bit 5 flipped, in place; no
 * conversion. */
enum { UTF8 = 106, LATIN = 4, FLIPPED = 77, SAME = 3 };

#define REFUSED 1234

/* Client and server of one process may convert at once. */
static atomic_int routine_calls, routine_refuses = -1; /* the n-th from now; < 0: none */
static _Atomic error_status_t refusal;

static bool refuses(error_status_t *status)
{
    routine_calls++;
    if (routine_refuses < 0 || routine_refuses-- > 0)
        return false;
    if (refusal == 0)
        RpcRaiseException(REFUSED);
    *status = refusal;
    return true;
}

void UTF32_net_size(RPC_BINDING_HANDLE h, unsigned long tag, unsigned long size,
                    IDL_CS_CONVERT *conversion, unsigned long *net, error_status_t *status)
{
    (void)h;
    *conversion = IDL_CS_NEW_BUFFER_CONVERT;
    if (!refuses(status) && net)
        *net = tag == UTF8 ? 4 * size : size;
}

void UTF32_local_size(RPC_BINDING_HANDLE h, unsigned long tag, unsigned long size,
                      IDL_CS_CONVERT *conversion, unsigned long *local, error_status_t *status)
{
    (void)h, (void)tag;
    *conversion = IDL_CS_NEW_BUFFER_CONVERT;
    if (!refuses(status) && local)
        *local = size;
}

void UTF32_to_netcs(RPC_BINDING_HANDLE h, unsigned long tag, UTF32 *local, unsigned long count,
                    byte *net, unsigned long *net_count, error_status_t *status)
{
    (void)h;
    byte *at = net;
    if (refuses(status))
        return;
    for (unsigned long i = 0; i < count; i++) {
        if (local[i] < 0x80 || (tag == LATIN && local[i] < 0x100)) {
            *at++ = (byte)local[i];
        } else if (tag == UTF8 && local[i] < 0x800) {
            *at++ = (byte)(0xc0 | local[i] >> 6);
            *at++ = (byte)(0x80 | (local[i] & 0x3f));
        } else {
            *status = REFUSED;
            return;
        }
    }
    if (net_count)
        *net_count = (unsigned long)(at - net);
}

void UTF32_from_netcs(RPC_BINDING_HANDLE h, unsigned long tag, byte *net, unsigned long net_count,
                      unsigned long size, UTF32 *local, unsigned long *count,
                      error_status_t *status)
{
    (void)h;
    unsigned long n = 0;
    if (refuses(status))
        return;
    for (unsigned long i = 0; i < net_count && n < size; i++) {
        bool two = tag == UTF8 && net[i] >= 0xc0 && i + 1 < net_count;
        local[n++] = two ? (UTF32)(net[i] & 0x1f) << 6 | (net[i + 1] & 0x3f) : net[i];
        i += two;
    }
    if (count)
        *count = n;
}

static void byte_size(unsigned long tag, IDL_CS_CONVERT *conversion, error_status_t *status)
{
    *conversion = tag == SAME ? IDL_CS_NO_CONVERT : IDL_CS_IN_PLACE_CONVERT;
    refuses(status);
}

void cs_byte_net_size(RPC_BINDING_HANDLE h, unsigned long tag, unsigned long size,
                      IDL_CS_CONVERT *conversion, unsigned long *net, error_status_t *status)
{
    (void)h, (void)size, (void)net;
    byte_size(tag, conversion, status);
}

void cs_byte_local_size(RPC_BINDING_HANDLE h, unsigned long tag, unsigned long size,
                        IDL_CS_CONVERT *conversion, unsigned long *local, error_status_t *status)
{
    (void)h, (void)size, (void)local;
    byte_size(tag, conversion, status);
}

/* In place: the result is where the characters are. */
void cs_byte_to_netcs(RPC_BINDING_HANDLE h, unsigned long tag, cs_byte *local, unsigned long count,
                      byte *net, unsigned long *net_count, error_status_t *status)
{
    (void)h, (void)tag;
    assert((void *)local == (void *)net);
    for (unsigned long i = 0; i < count; i++)
        local[i] ^= 0x20;
    *net_count = count;
    refuses(status);
}

void cs_byte_from_netcs(RPC_BINDING_HANDLE h, unsigned long tag, byte *net, unsigned long net_count,
                        unsigned long size, cs_byte *local, unsigned long *count,
                        error_status_t *status)
{
    (void)h, (void)tag, (void)size;
    assert((void *)local == (void *)net);
    for (unsigned long i = 0; i < net_count; i++)
        net[i] ^= 0x20;
    *count = net_count;
    refuses(status);
}

static unsigned long chosen = UTF8; /* by set_tags */

void set_tags(RPC_BINDING_HANDLE h, int server_side, unsigned long *stag, unsigned long *drtag,
              unsigned long *rtag, error_status_t *status)
{
    (void)h;
    if (refuses(status))
        return;
    assert(stag && drtag && rtag);
    if (server_side)
        *rtag = *drtag;
    else
        *stag = *drtag = chosen;
}

#endif
