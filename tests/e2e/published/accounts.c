/* SPDX-License-Identifier: MIT */
/* accounts.c - calls of samr and logon. */
#include <string.h>

#include "published.h"

/* ---- samr --------------------------------------------------------------------------------- */

static void connect5(void)
{
    WCHAR server[] = u"\\\\srv";
    SAMPR_REVISION_INFO in = {.V1 = {.Revision = 3, .SupportedFeatures = 8}}, out;
    uint32_t version;
    SAMPR_HANDLE handle;
    c_SamrConnect5(NULL, server, 0x02000000, 1, &in, &version, &out, &handle);
}

int32_t s_SamrConnect5(handle_t h, WCHAR *ServerName, uint32_t DesiredAccess, uint32_t InVersion,
                       SAMPR_REVISION_INFO *InRevisionInfo, uint32_t *OutVersion,
                       SAMPR_REVISION_INFO *OutRevisionInfo, SAMPR_HANDLE *ServerHandle)
{
    (void)h, (void)ServerName, (void)DesiredAccess, (void)InVersion, (void)InRevisionInfo;
    *OutVersion = 1;
    OutRevisionInfo->V1 = (SAMPR_REVISION_INFO_V1){.Revision = 3, .SupportedFeatures = 0x10};
    *ServerHandle = published_handle;
    return 0;
}

static RPC_SID *new_sid(uint8_t count, const uint32_t *sub)
{
    RPC_SID *sid = published_new(sizeof(*sid) + count * sizeof(*sub));
    sid->Revision = 1;
    sid->SubAuthorityCount = count;
    sid->IdentifierAuthority.Value[5] = 5;
    memcpy(sid->SubAuthority, sub, count * sizeof(*sub));
    return sid;
}

static void get_alias_membership(void)
{
    SAMPR_SID_INFORMATION sids[] = {{new_sid(5, (uint32_t[]){21, 1, 2, 3, 500})},
                                    {new_sid(1, (uint32_t[]){11})},
                                    {new_sid(2, (uint32_t[]){32, 0xffffffff})}};
    SAMPR_PSID_ARRAY array = {.Count = COUNT_OF(sids), .Sids = sids};
    SAMPR_ULONG_ARRAY membership;
    c_SamrGetAliasMembership(published_handle, &array, &membership);
}

int32_t s_SamrGetAliasMembership(SAMPR_HANDLE DomainHandle, SAMPR_PSID_ARRAY *SidArray,
                                 SAMPR_ULONG_ARRAY *Membership)
{
    static const uint32_t rids[] = {544, 0x80000001, 7};
    (void)DomainHandle, (void)SidArray;
    Membership->Count = COUNT_OF(rids);
    Membership->Element = memcpy(published_new(sizeof(rids)), rids, sizeof(rids));
    return 0;
}

static void query_display_information(void)
{
    uint32_t available, returned;
    SAMPR_DISPLAY_INFO_BUFFER buffer;
    c_SamrQueryDisplayInformation(published_handle, DomainDisplayUser, 2, 100, 0xffff, &available,
                                  &returned, &buffer);
}

int32_t s_SamrQueryDisplayInformation(SAMPR_HANDLE DomainHandle,
                                      DOMAIN_DISPLAY_INFORMATION DisplayInformationClass,
                                      uint32_t Index, uint32_t EntryCount,
                                      uint32_t PreferredMaximumLength, uint32_t *TotalAvailable,
                                      uint32_t *TotalReturned, SAMPR_DISPLAY_INFO_BUFFER *Buffer)
{
    (void)DomainHandle, (void)DisplayInformationClass, (void)Index;
    (void)EntryCount, (void)PreferredMaximumLength;
    SAMPR_DOMAIN_DISPLAY_USER *users = published_new(2 * sizeof(*users));
    users[0] = (SAMPR_DOMAIN_DISPLAY_USER){.Index = 3,
                                           .Rid = 500,
                                           .AccountControl = 0x10,
                                           .AccountName = published_string(u"Ann"),
                                           .AdminComment = published_string(u"one"),
                                           .FullName = published_string(u"Ann Other")};
    users[1] = (SAMPR_DOMAIN_DISPLAY_USER){.Index = 4,
                                           .Rid = 0x80000000,
                                           .AccountName = published_string(u"B"),
                                           .FullName = published_string(u"\u20ac")};
    *TotalAvailable = 2000;
    *TotalReturned = 200;
    Buffer->UserInformation = (SAMPR_DOMAIN_DISPLAY_USER_BUFFER){2, users};
    return 0x105;
}

/* ---- logon -------------------------------------------------------------------------------- */

static void get_dc_name(void)
{
    GUID guid = {0x01020304, 0x0506, 0x0708, {9, 10, 11, 12, 13, 14, 15, 16}};
    WCHAR account[] = u"ann", domain[] = u"dom.example";
    DOMAIN_CONTROLLER_INFOW *info;
    c_DsrGetDcNameEx2(NULL, NULL, account, 0x2ff, domain, &guid, NULL, 0x40000000, &info);
}

uint32_t s_DsrGetDcNameEx2(handle_t h, WCHAR *ComputerName, WCHAR *AccountName,
                           uint32_t AllowableAccountControlBits, WCHAR *DomainName,
                           GUID *DomainGuid, WCHAR *SiteName, uint32_t Flags,
                           DOMAIN_CONTROLLER_INFOW **DomainControllerInfo)
{
    (void)h, (void)ComputerName, (void)AccountName, (void)AllowableAccountControlBits;
    (void)DomainName, (void)SiteName, (void)Flags;
    DOMAIN_CONTROLLER_INFOW *info = published_new(sizeof(*info));
    info->DomainControllerName = published_text(u"\\\\dc");
    info->DomainControllerAddress = published_text(u"\\\\192.0.2.1");
    info->DomainControllerAddressType = 1;
    info->DomainGuid = *DomainGuid;
    info->DomainName = published_text(u"dom.example");
    info->Flags = 0xe00031fd;
    info->DcSiteName = published_text(u"Site");
    *DomainControllerInfo = info;
    return 0;
}

static void address_to_site_names(void)
{
    unsigned char v4[16] = {2, 0, 0, 0, 192, 0, 2, 1}, v6[28] = {23, 0, 0, 0, 0, 0, 0, 0, 0x20, 1};
    NL_SOCKET_ADDRESS addresses[] = {{v4, sizeof(v4)}, {v6, sizeof(v6)}};
    WCHAR server[] = u"\\\\dc";
    NL_SITE_NAME_ARRAY *names;
    c_DsrAddressToSiteNamesW(NULL, server, COUNT_OF(addresses), addresses, &names);
}

uint32_t s_DsrAddressToSiteNamesW(handle_t h, WCHAR *ComputerName, uint32_t EntryCount,
                                  NL_SOCKET_ADDRESS *SocketAddresses,
                                  NL_SITE_NAME_ARRAY **SiteNames)
{
    (void)h, (void)ComputerName, (void)SocketAddresses;
    NL_SITE_NAME_ARRAY *names = published_new(sizeof(*names));
    names->EntryCount = EntryCount;
    names->SiteNames = published_new(EntryCount * sizeof(*names->SiteNames));
    names->SiteNames[0] = published_string(u"Default-First-Site-Name");
    *SiteNames = names;
    return 0;
}

const struct published_call account_calls[] = {
    {"SamrConnect5", connect5},
    {"SamrGetAliasMembership", get_alias_membership},
    {"SamrQueryDisplayInformation", query_display_information},
    {"DsrGetDcNameEx2", get_dc_name},
    {"DsrAddressToSiteNamesW", address_to_site_names},
    {NULL, NULL},
};
