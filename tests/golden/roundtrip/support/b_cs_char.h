/* SPDX-License-Identifier: MIT */
#include "characters.h"

void __RPC_USER cs_byte_net_size(RPC_BINDING_HANDLE binding, unsigned long tag, unsigned long size,
                                 IDL_CS_CONVERT *type, unsigned long *net_size,
                                 error_status_t *status)
{
    (void)binding, (void)tag, (void)status;
    *type = IDL_CS_IN_PLACE_CONVERT;
    if (net_size)
        *net_size = size;
}

void __RPC_USER cs_byte_local_size(RPC_BINDING_HANDLE binding, unsigned long tag,
                                   unsigned long net_size, IDL_CS_CONVERT *type,
                                   unsigned long *size, error_status_t *status)
{
    (void)binding, (void)tag, (void)status;
    *type = IDL_CS_IN_PLACE_CONVERT;
    if (size)
        *size = net_size;
}

void __RPC_USER cs_byte_to_netcs(RPC_BINDING_HANDLE binding, unsigned long tag,
                                 cs_byte *characters, unsigned long count, byte *octets,
                                 unsigned long *octet_count, error_status_t *status)
{
    (void)binding, (void)status;
    for (unsigned long i = 0; i < count; i++)
        octets[i] = to_octet(tag, characters[i]);
    if (octet_count)
        *octet_count = count;
}

void __RPC_USER cs_byte_from_netcs(RPC_BINDING_HANDLE binding, unsigned long tag, byte *octets,
                                   unsigned long octet_count, unsigned long size,
                                   cs_byte *characters, unsigned long *count,
                                   error_status_t *status)
{
    (void)binding, (void)status, (void)size;
    for (unsigned long i = 0; i < octet_count; i++)
        characters[i] = (cs_byte)to_character(tag, octets[i]);
    if (count)
        *count = octet_count;
}

/* The tags no caller gives. */
void __RPC_USER set_tags(RPC_BINDING_HANDLE binding, int server, unsigned long *sending,
                         unsigned long *desired, unsigned long *receiving, error_status_t *status)
{
    (void)binding, (void)status;
    if (!server && sending)
        *sending = 7;
    if (!server && desired)
        *desired = 30;
    if (receiving)
        *receiving = server ? 199 : 0;
}
