/* SPDX-License-Identifier: MIT */
/* services.c - calls of svcctl, ntsvcs, spoolss and wkssvc. */
#include <string.h>

#include "published.h"

/* ---- svcctl ------------------------------------------------------------------------------- */

static void create_service(void)
{
    WCHAR name[] = u"svc", display[] = u"A service", path[] = u"C:\\svc.exe";
    unsigned char dependencies[] = {'R', 0, 'p', 0, 'c', 0, 0, 0, 0, 0}, password[] = {1, 2, 3};
    uint32_t tag = 17;
    SC_RPC_HANDLE handle;
    c_RCreateServiceW(published_handle, name, display, 0xf01ff, 0x10, 2, 1, path, NULL, &tag,
                      dependencies, sizeof(dependencies), NULL, password, sizeof(password),
                      &handle);
}

DWORD s_RCreateServiceW(SC_RPC_HANDLE hSCManager, WCHAR *lpServiceName, WCHAR *lpDisplayName,
                        DWORD dwDesiredAccess, DWORD dwServiceType, DWORD dwStartType,
                        DWORD dwErrorControl, WCHAR *lpBinaryPathName, WCHAR *lpLoadOrderGroup,
                        DWORD *lpdwTagId, BYTE *lpDependencies, DWORD dwDependSize,
                        WCHAR *lpServiceStartName, BYTE *lpPassword, DWORD dwPwSize,
                        SC_RPC_HANDLE *lpServiceHandle)
{
    (void)hSCManager, (void)lpServiceName, (void)lpDisplayName, (void)dwDesiredAccess;
    (void)dwServiceType, (void)dwStartType, (void)dwErrorControl, (void)lpBinaryPathName;
    (void)lpLoadOrderGroup, (void)lpDependencies, (void)dwDependSize, (void)lpServiceStartName;
    (void)lpPassword, (void)dwPwSize;
    *lpdwTagId = 42;
    *lpServiceHandle = published_handle;
    return 0;
}

/* ---- ntsvcs ------------------------------------------------------------------------------- */

static void get_device_property(void)
{
    WCHAR device[] = u"ROOT\\X\\0000";
    unsigned char buffer[10];
    uint32_t type = 1, transfer = sizeof(buffer), length = sizeof(buffer);
    c_PNP_GetDeviceRegProp(NULL, device, 13, &type, buffer, &transfer, &length, 0);
}

DWORD s_PNP_GetDeviceRegProp(handle_t h, WCHAR *pDeviceID, DWORD ulProperty,
                             DWORD *pulRegDataType, BYTE *Buffer, DWORD *pulTransferLen,
                             DWORD *pulLength, DWORD ulFlags)
{
    static const unsigned char value[] = {'a', 0, 'b', 0, 0, 0};
    (void)h, (void)pDeviceID, (void)ulProperty, (void)ulFlags;
    *pulRegDataType = 1;
    memcpy(Buffer, value, sizeof(value));
    *pulTransferLen = *pulLength = sizeof(value);
    return 0;
}

/* ---- spoolss ------------------------------------------------------------------------------ */

static void open_printer(void)
{
    WCHAR printer[] = u"\\\\srv\\p", machine[] = u"\\\\me", user[] = u"ann";
    SPLCLIENT_INFO_1 client = {.dwSize = 28,
                               .pMachineName = machine,
                               .pUserName = user,
                               .dwBuildNum = 7601,
                               .dwMajorVersion = 3,
                               .wProcessorArchitecture = 9};
    DEVMODE_CONTAINER mode = {.cbBuf = 0};
    SPLCLIENT_CONTAINER container = {.Level = 1, .ClientInfo = {.pClientInfo1 = &client}};
    PRINTER_HANDLE handle;
    c_RpcOpenPrinterEx(NULL, printer, &handle, NULL, &mode, 8, &container);
}

DWORD s_RpcOpenPrinterEx(handle_t h, WCHAR *pPrinterName, PRINTER_HANDLE *pHandle,
                         WCHAR *pDatatype, DEVMODE_CONTAINER *pDevModeContainer,
                         DWORD AccessRequired, SPLCLIENT_CONTAINER *pClientInfo)
{
    (void)h, (void)pPrinterName, (void)pDatatype, (void)pDevModeContainer;
    (void)AccessRequired, (void)pClientInfo;
    *pHandle = published_handle;
    return 0;
}

static void set_job_property(void)
{
    WCHAR name[] = u"Size";
    RPC_PrintNamedProperty property = {
        .propertyName = name,
        .propertyValue = {.ePropertyType = kPropertyTypeInt64,
                          .value = {.propertyInt64 = 0x0123456789abcdef}}};
    c_RpcSetJobNamedProperty(published_handle, 7, &property);
}

DWORD s_RpcSetJobNamedProperty(PRINTER_HANDLE hPrinter, DWORD JobId,
                               RPC_PrintNamedProperty *pProperty)
{
    (void)hPrinter, (void)JobId, (void)pProperty;
    return 0;
}

static void enum_job_properties(void)
{
    RPC_PrintNamedProperty *properties = NULL;
    DWORD count = 0;
    c_RpcEnumJobNamedProperties(published_handle, 7, &count, &properties);
}

DWORD s_RpcEnumJobNamedProperties(PRINTER_HANDLE hPrinter, DWORD JobId, DWORD *pcProperties,
                                  RPC_PrintNamedProperty **ppProperties)
{
    (void)hPrinter, (void)JobId;
    RPC_PrintNamedProperty *p = published_new(4 * sizeof(*p));
    p[0].propertyName = published_text(u"Kind");
    p[0].propertyValue.ePropertyType = kPropertyTypeString;
    p[0].propertyValue.value.propertyString = published_text(u"XPS");
    p[1].propertyName = published_text(u"Level");
    p[1].propertyValue.ePropertyType = kPropertyTypeByte;
    p[1].propertyValue.value.propertyByte = 5;
    p[2].propertyName = published_text(u"Size");
    p[2].propertyValue.ePropertyType = kPropertyTypeInt64;
    p[2].propertyValue.value.propertyInt64 = -2;
    p[3].propertyName = published_text(u"Count");
    p[3].propertyValue.ePropertyType = kPropertyTypeInt32;
    p[3].propertyValue.value.propertyInt32 = -3;
    *pcProperties = 4;
    *ppProperties = p;
    return 0;
}

/* ---- wkssvc ------------------------------------------------------------------------------- */

static void user_enum(void)
{
    WCHAR server[] = u"srv";
    WKSTA_USER_INFO_1_CONTAINER none = {.EntriesRead = 0};
    WKSTA_USER_ENUM_STRUCT info = {.Level = 1, .WkstaUserInfo = {.Level1 = &none}};
    uint32_t total, resume = 9;
    c_NetrWkstaUserEnum(NULL, server, &info, 0x10000, &total, &resume);
}

uint32_t s_NetrWkstaUserEnum(handle_t h, WCHAR *ServerName, WKSTA_USER_ENUM_STRUCT *UserInfo,
                             uint32_t PreferredMaximumLength, uint32_t *TotalEntries,
                             uint32_t *ResumeHandle)
{
    (void)h, (void)ServerName, (void)PreferredMaximumLength;
    WKSTA_USER_INFO_1 *users = published_new(2 * sizeof(*users));
    users[0].wkui1_username = published_text(u"ann");
    users[0].wkui1_logon_domain = published_text(u"DOM");
    users[0].wkui1_logon_server = published_text(u"DC");
    users[1].wkui1_username = published_text(u"bob");
    users[1].wkui1_oth_domains = published_text(u"");
    *UserInfo->WkstaUserInfo.Level1 = (WKSTA_USER_INFO_1_CONTAINER){2, users};
    *TotalEntries = 2;
    *ResumeHandle = 0;
    return 0;
}

const struct published_call service_calls[] = {
    {"RCreateServiceW", create_service},
    {"PNP_GetDeviceRegProp", get_device_property},
    {"RpcOpenPrinterEx", open_printer},
    {"RpcSetJobNamedProperty", set_job_property},
    {"RpcEnumJobNamedProperties", enum_job_properties},
    {"NetrWkstaUserEnum", user_enum},
    {NULL, NULL},
};
