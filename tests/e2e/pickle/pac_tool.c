/* SPDX-License-Identifier: MIT */
/* pac_tool.c - reads a serialised PKERB_VALIDATION_INFO from its standard input and writes it
 * again to its standard output.
 *
 *     pac_tool ndr|ndr64 PIECE       PIECE: octets given to the run time at a time
 *     pac_tool show PIECE            what was read, as text
 *     pac_tool make ndr|ndr64        reads nothing, writes a PS4U_DELEGATION_INFO
 *
 * Exit status 1: the status of the failure is on standard error. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pac.h"

struct input {
    char *octets;
    size_t len, pos;
    unsigned int piece;
};

static void __RPC_USER read_piece(void *state, char **buffer, unsigned int *size)
{
    struct input *input = state;
    if (*size > input->piece)
        *size = input->piece;
    if (*size > input->len - input->pos)
        *size = (unsigned int)(input->len - input->pos);
    *buffer = input->octets + input->pos;
    input->pos += *size;
}

static void check(RPC_STATUS status)
{
    if (status == RPC_S_OK)
        return;
    fprintf(stderr, "%d\n", (int)status);
    exit(1);
}

static void show_name(const char *label, const RPC_UNICODE_STRING *name)
{
    printf("%s=", label);
    for (unsigned i = 0; i < name->Length / 2u; i++)
        putchar(name->Buffer[i] < 127 ? (char)name->Buffer[i] : '?');
    putchar('\n');
}

static void show_sid(const char *label, PSID sid)
{
    printf("%s=S-%u-%u", label, sid->Revision, sid->IdentifierAuthority.Value[5]);
    for (unsigned i = 0; i < sid->SubAuthorityCount; i++)
        printf("-%u", sid->SubAuthority[i]);
    putchar('\n');
}

static void show(const KERB_VALIDATION_INFO *info)
{
    show_name("user", &info->EffectiveName);
    show_name("full", &info->FullName);
    show_name("domain", &info->LogonDomainName);
    show_sid("sid", info->LogonDomainId);
    printf("rid=%u\nlogons=%u\n", info->UserId, info->LogonCount);
    for (unsigned i = 0; i < info->GroupCount; i++)
        printf("group=%u\n", info->GroupIds[i].RelativeId);
    for (unsigned i = 0; i < info->SidCount; i++)
        show_sid("extra", info->ExtraSids[i].Sid);
}

static void write_out(PKERB_VALIDATION_INFO *info, PS4U_DELEGATION_INFO *delegation, bool ndr64)
{
    handle_t out;
    char *buffer;
    unsigned long size;
    check(MesEncodeDynBufferHandleCreate(&buffer, &size, &out));
    if (ndr64)
        check(MesBufferHandleReset(out, MES_DYNAMIC_BUFFER_HANDLE, MES_ENCODE_NDR64, &buffer, 0,
                                   &size));
    RpcTryExcept
    {
        if (info)
            PKERB_VALIDATION_INFO_Encode(out, info);
        else
            PS4U_DELEGATION_INFO_Encode(out, delegation);
    }
    RpcExcept(1)
    {
        check((RPC_STATUS)RpcExceptionCode());
    }
    RpcEndExcept
    fwrite(buffer, 1, size, stdout);
    MIDL_user_free(buffer);
    check(MesHandleFree(out));
}

static int make(bool ndr64)
{
    RPC_UNICODE_STRING services[] = {{2, 2, (WCHAR *)u"a"}, {0, 0, NULL}, {6, 8, (WCHAR *)u"bcd"}};
    S4U_DELEGATION_INFO value = {.S4U2proxyTarget = {12, 12, (WCHAR *)u"host/x"},
                                 .TransitedListSize = 3,
                                 .S4UTransitedServices = services};
    PS4U_DELEGATION_INFO delegation = &value;
    write_out(NULL, &delegation, ndr64);
    return 0;
}

int main(int argc, char **argv)
{
    static char octets[1 << 20];
    struct input input = {.octets = octets};
    PKERB_VALIDATION_INFO info = NULL;
    handle_t in;
    if (argc != 3)
        return 2;
    if (strcmp(argv[1], "make") == 0)
        return make(strcmp(argv[2], "ndr64") == 0);
    input.piece = (unsigned)atoi(argv[2]);
    input.len = fread(octets, 1, sizeof(octets), stdin);
    check(MesDecodeIncrementalHandleCreate(&input, read_piece, &in));
    RpcTryExcept
    {
        PKERB_VALIDATION_INFO_Decode(in, &info);
    }
    RpcExcept(1)
    {
        check((RPC_STATUS)RpcExceptionCode());
    }
    RpcEndExcept
    if (strcmp(argv[1], "show") == 0)
        show(info);
    else
        write_out(&info, NULL, strcmp(argv[1], "ndr64") == 0);
    PKERB_VALIDATION_INFO_Free(in, &info);
    check(MesHandleFree(in));
    return 0;
}

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    free(object);
}
