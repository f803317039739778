/* SPDX-License-Identifier: MIT */
/* directory.c - calls of drsuapi, netdfs, epm and witness. */
#include <string.h>

#include "published.h"

/* ---- drsuapi ------------------------------------------------------------------------------ */

static void crack_names(void)
{
    WCHAR one[] = u"DOM\\ann", two[] = u"", three[] = u"bob@dom.example", *names[] = {one, two, three};
    DRS_MSG_CRACKREQ in = {.V1 = {.CodePage = 0x4e4,
                                  .LocaleId = 0x409,
                                  .formatOffered = 2,
                                  .formatDesired = 1,
                                  .cNames = COUNT_OF(names),
                                  .rpNames = names}};
    DRS_MSG_CRACKREPLY out;
    uint32_t version;
    c_IDL_DRSCrackNames(published_handle, 1, &in, &version, &out);
}

uint32_t s_IDL_DRSCrackNames(DRS_HANDLE hDrs, DWORD dwInVersion, DRS_MSG_CRACKREQ *pmsgIn,
                             DWORD *pdwOutVersion, DRS_MSG_CRACKREPLY *pmsgOut)
{
    (void)hDrs, (void)dwInVersion, (void)pmsgIn;
    DS_NAME_RESULTW *result = published_new(sizeof(*result));
    result->cItems = 2;
    result->rItems = published_new(2 * sizeof(*result->rItems));
    result->rItems[0].pDomain = published_text(u"dom.example");
    result->rItems[0].pName = published_text(u"CN=Ann,DC=dom");
    result->rItems[1].status = 2;
    *pdwOutVersion = 1;
    pmsgOut->V1.pResult = result;
    return 0;
}

/* ---- netdfs ------------------------------------------------------------------------------- */

static void dfs_enum(void)
{
    WCHAR path[] = u"\\\\dom\\dfs";
    DFS_INFO_3_CONTAINER none = {.EntriesRead = 0};
    DFS_INFO_ENUM_STRUCT info = {.Level = 3, .DfsInfoContainer = {.DfsInfo3Container = &none}};
    uint32_t resume = 0;
    c_NetrDfsEnumEx(NULL, path, 3, 0xffffffff, &info, &resume);
}

static DFS_STORAGE_INFO storage(uint32_t state, const WCHAR *server, const WCHAR *share)
{
    return (DFS_STORAGE_INFO){state, published_text(server), published_text(share)};
}

DWORD s_NetrDfsEnumEx(handle_t h, WCHAR *DfsEntryPath, DWORD Level, DWORD PrefMaxLen,
                      DFS_INFO_ENUM_STRUCT *DfsEnum, DWORD *ResumeHandle)
{
    (void)h, (void)DfsEntryPath, (void)Level, (void)PrefMaxLen;
    DFS_INFO_3_CONTAINER *found = DfsEnum->DfsInfoContainer.DfsInfo3Container;
    DFS_INFO_3 *links = published_new(2 * sizeof(*links));
    links[0] = (DFS_INFO_3){.EntryPath = published_text(u"\\dom\\dfs"),
                            .State = 1,
                            .NumberOfStorages = 2,
                            .Storage = published_new(2 * sizeof(DFS_STORAGE_INFO))};
    links[0].Storage[0] = storage(2, u"a", u"dfs");
    links[0].Storage[1] = storage(4, u"server", u"dfs");
    links[1] = (DFS_INFO_3){.EntryPath = published_text(u"\\dom\\dfs\\x"),
                            .Comment = published_text(u"a comment"),
                            .State = 1,
                            .NumberOfStorages = 1,
                            .Storage = published_new(sizeof(DFS_STORAGE_INFO))};
    links[1].Storage[0] = storage(2, u"b", u"x");
    *found = (DFS_INFO_3_CONTAINER){2, links};
    *ResumeHandle = 2;
    return 0;
}

/* ---- epm ---------------------------------------------------------------------------------- */

static const unsigned char tower_octets[] = {
    5, 0,                                                           /* floors */
    19, 0, 13, 4, 3, 2, 1, 6, 5, 8, 7, 9, 10, 11, 12, 13, 14, 15, 16, 1, 0, 2, 0, 0, 0,
    19, 0, 13, 4, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 8, 0, 0x2b, 0x10, 0x48,
    0x60, 2, 0, 2, 0, 0, 0,
    1, 0, 11, 2, 0, 0, 0,
    1, 0, 7, 2, 0, 0, 135,
    1, 0, 9, 4, 0, 192, 0, 2, 1,
};

static twr_t *new_tower(void)
{
    twr_t *tower = published_new(sizeof(*tower) + sizeof(tower_octets));
    tower->tower_length = sizeof(tower_octets);
    memcpy(tower->tower_octet_string, tower_octets, sizeof(tower_octets));
    return tower;
}

static void map(void)
{
    UUID nil = {0};
    ept_lookup_handle_t entry = NULL;
    twr_p_t towers[4] = {NULL};
    uint32_t count;
    error_status_t status;
    c_ept_map(NULL, &nil, new_tower(), &entry, COUNT_OF(towers), &count, towers, &status);
}

void s_ept_map(handle_t h, UUID *obj, twr_p_t map_tower, ept_lookup_handle_t *entry_handle,
               uint32_t max_towers, uint32_t *num_towers, twr_p_t *ITowers, error_status_t *status)
{
    (void)h, (void)obj, (void)map_tower, (void)max_towers;
    *entry_handle = published_handle;
    ITowers[0] = new_tower();
    ITowers[1] = new_tower();
    *num_towers = 2;
    *status = 0;
}

/* ---- witness ------------------------------------------------------------------------------ */

static void get_interface_list(void)
{
    WITNESS_INTERFACE_LIST *list;
    c_WitnessrGetInterfaceList(NULL, &list);
}

DWORD s_WitnessrGetInterfaceList(handle_t h, WITNESS_INTERFACE_LIST **InterfaceList)
{
    static const WITNESS_INTERFACE_INFO node = {.InterfaceGroupName = u"NODE-1",
                                                .Version = 0x10001,
                                                .State = 1,
                                                .IPV4 = 0x010200c0,
                                                .IPV6 = {0x0120, 0xb80d, 0, 0, 0, 0, 0, 0x0100},
                                                .Flags = 5};
    (void)h; /* the addresses are octets in the order of the network */
    WITNESS_INTERFACE_LIST *list = published_new(sizeof(*list));
    list->NumberOfInterfaces = 2;
    list->InterfaceInfo = published_new(2 * sizeof(node));
    list->InterfaceInfo[0] = list->InterfaceInfo[1] = node;
    list->InterfaceInfo[1].State = 0xff;
    *InterfaceList = list;
    return 0;
}

const struct published_call directory_calls[] = {
    {"IDL_DRSCrackNames", crack_names},
    {"NetrDfsEnumEx", dfs_enum},
    {"ept_map", map},
    {"WitnessrGetInterfaceList", get_interface_list},
    {NULL, NULL},
};
