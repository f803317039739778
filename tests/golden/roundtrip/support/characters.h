/* SPDX-License-Identifier: MIT */
/* Routines of [cs_char]: an octet for each character, 1 to 255 in an order of the tag's own, so
 * that a tag that is not the right one shows. */
#include "routines.h"

static byte to_octet(unsigned long tag, uint32_t character)
{
    return character == 0 ? 0 : (byte)((character - 1 + tag % 255) % 255 + 1);
}

static uint32_t to_character(unsigned long tag, byte octet)
{
    return octet == 0 ? 0 : (uint32_t)((octet - 1u + 255 - tag % 255) % 255 + 1);
}

void __RPC_USER UTF32_net_size(RPC_BINDING_HANDLE binding, unsigned long tag, unsigned long size,
                               IDL_CS_CONVERT *type, unsigned long *net_size,
                               error_status_t *status)
{
    (void)binding, (void)tag, (void)status;
    *type = IDL_CS_NEW_BUFFER_CONVERT;
    if (net_size)
        *net_size = size;
}

void __RPC_USER UTF32_local_size(RPC_BINDING_HANDLE binding, unsigned long tag,
                                 unsigned long net_size, IDL_CS_CONVERT *type, unsigned long *size,
                                 error_status_t *status)
{
    (void)binding, (void)tag, (void)status;
    *type = IDL_CS_NEW_BUFFER_CONVERT;
    if (size)
        *size = net_size;
}

void __RPC_USER UTF32_to_netcs(RPC_BINDING_HANDLE binding, unsigned long tag, UTF32 *characters,
                               unsigned long count, byte *octets, unsigned long *octet_count,
                               error_status_t *status)
{
    (void)binding, (void)status;
    for (unsigned long i = 0; i < count; i++)
        octets[i] = to_octet(tag, characters[i]);
    if (octet_count)
        *octet_count = count;
}

void __RPC_USER UTF32_from_netcs(RPC_BINDING_HANDLE binding, unsigned long tag, byte *octets,
                                 unsigned long octet_count, unsigned long size, UTF32 *characters,
                                 unsigned long *count, error_status_t *status)
{
    (void)binding, (void)status, (void)size;
    for (unsigned long i = 0; i < octet_count; i++)
        characters[i] = to_character(tag, octets[i]);
    if (count)
        *count = octet_count;
}
