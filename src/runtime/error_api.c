/* SPDX-License-Identifier: MIT */
/* error_api.c - the documented functions on extended error information
 * (penstock/rpceeinfo.h).  A handle's Head counts the first record of the chain as it was,
 * its CurrentPos is the next one to tell. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <penstock/rpc.h>

#include "runtime/error_info.h"

#define SIGNATURE 0x45456e75u /* while it enumerates */

/* The longest string or piece of data: its count, with the NUL, is a short. */
#define UNITS_MAX ((size_t)INT16_MAX - 1)

static bool is_open(const RPC_ERROR_ENUM_HANDLE *handle)
{
    return handle && handle->Signature == SIGNATURE && handle->Head;
}

/* Takes the reference. */
static void open_handle(RPC_ERROR_ENUM_HANDLE *handle, struct error_record *head)
{
    handle->Signature = SIGNATURE;
    handle->Head = handle->CurrentPos = head;
}

RPC_STATUS RpcErrorStartEnumeration(RPC_ERROR_ENUM_HANDLE *EnumHandle)
{
    if (!EnumHandle)
        return RPC_S_INVALID_ARG;
    if (!error_thread())
        return RPC_S_ENTRY_NOT_FOUND;
    open_handle(EnumHandle, error_get(error_thread()));
    return RPC_S_OK;
}

RPC_STATUS RpcErrorEndEnumeration(RPC_ERROR_ENUM_HANDLE *EnumHandle)
{
    if (!is_open(EnumHandle))
        return RPC_S_INVALID_ARG;
    error_put(EnumHandle->Head);
    *EnumHandle = (RPC_ERROR_ENUM_HANDLE){0};
    return RPC_S_OK;
}

RPC_STATUS RpcErrorResetEnumeration(RPC_ERROR_ENUM_HANDLE *EnumHandle)
{
    if (!is_open(EnumHandle))
        return RPC_S_INVALID_ARG;
    EnumHandle->CurrentPos = EnumHandle->Head;
    return RPC_S_OK;
}

RPC_STATUS RpcErrorGetNumberOfRecords(RPC_ERROR_ENUM_HANDLE *EnumHandle, int *Records)
{
    if (!is_open(EnumHandle) || !Records)
        return RPC_S_INVALID_ARG;
    *Records = (int)((struct error_record *)EnumHandle->Head)->count;
    return RPC_S_OK;
}

/* ---- One record ---------------------------------------------------------------------- */

/* The program's copy, or ours; NULL: no memory. */
static void *give(const void *units, size_t size, bool copy)
{
    void *given = (void *)(uintptr_t)units;
    if (copy && (given = malloc(size)))
        memcpy(given, units, size);
    return given;
}

static bool give_param(const struct eerr_param *param, bool copy, RPC_EE_INFO_PARAM *out)
{
    out->ParameterType = (ExtendedErrorParamTypes)param->type;
    switch (param->type) {
    case EERR_ANSI:
        out->u.AnsiString = give(param->text.units, param->text.count + 1u, copy);
        return out->u.AnsiString;
    case EERR_UNICODE:
        out->u.UnicodeString = give(param->text.units, 2 * (param->text.count + 1u), copy);
        return out->u.UnicodeString;
    case EERR_BINARY:
        out->u.BVal.Size = (short)param->text.count;
        out->u.BVal.Buffer = give(param->text.units, param->text.count + 1u, copy);
        return out->u.BVal.Buffer;
    case EERR_LONG:
        out->u.LVal = (LONG)param->number;
        return true;
    case EERR_SHORT:
        out->u.SVal = (short)param->number;
        return true;
    case EERR_POINTER:
        out->u.PVal = (ULONGLONG)param->number;
        return true;
    case EERR_NONE:
        return true;
    }
    return true;
}

static void take_back(RPC_EXTENDED_ERROR_INFO *out, unsigned param_count)
{
    free(out->ComputerName);
    for (unsigned i = 0; i < param_count; i++)
        if (out->Parameters[i].ParameterType == eeptAnsiString ||
            out->Parameters[i].ParameterType == eeptUnicodeString)
            free(out->Parameters[i].u.AnsiString);
        else if (out->Parameters[i].ParameterType == eeptBinary)
            free(out->Parameters[i].u.BVal.Buffer);
}

static bool give_strings(const struct eerr_record *info, bool copy, RPC_EXTENDED_ERROR_INFO *out)
{
    out->ComputerName =
        info->has_name ? give(info->name.units, 2 * (info->name.count + 1u), copy) : NULL;
    if (info->has_name && !out->ComputerName)
        return false;
    for (unsigned i = 0; i < info->param_count; i++) {
        if (give_param(&info->params[i], copy, &out->Parameters[i]))
            continue;
        if (copy)
            take_back(out, i);
        return false;
    }
    return true;
}

static void give_time(int64_t time, bool file_time, RPC_EXTENDED_ERROR_INFO *out)
{
    if (file_time) {
        out->u.FileTime = (FILETIME){.dwLowDateTime = (DWORD)time,
                                     .dwHighDateTime = (DWORD)((uint64_t)time >> 32)};
        return;
    }
    /* A peer may send any number; what no calendar has becomes zeros. */
    time_t seconds = (time_t)(time / 10000000 - 11644473600ll);
    struct tm tm;
    out->u.SystemTime = (SYSTEMTIME){0};
    if (time < 0 || !gmtime_r(&seconds, &tm) || tm.tm_year + 1900 > UINT16_MAX)
        return;
    out->u.SystemTime = (SYSTEMTIME){.wYear = (WORD)(tm.tm_year + 1900),
                                     .wMonth = (WORD)(tm.tm_mon + 1),
                                     .wDayOfWeek = (WORD)tm.tm_wday,
                                     .wDay = (WORD)tm.tm_mday,
                                     .wHour = (WORD)tm.tm_hour,
                                     .wMinute = (WORD)tm.tm_min,
                                     .wSecond = (WORD)tm.tm_sec,
                                     .wMilliseconds = (WORD)(time / 10000 % 1000)};
}

RPC_STATUS RpcErrorGetNextRecord(RPC_ERROR_ENUM_HANDLE *EnumHandle, BOOL CopyStrings,
                                 RPC_EXTENDED_ERROR_INFO *ErrorInfo)
{
    if (!is_open(EnumHandle) || !ErrorInfo || ErrorInfo->Version != RPC_EEINFO_VERSION ||
        ErrorInfo->Flags & ~EEInfoUseFileTime || ErrorInfo->NumberOfParameters < 0 ||
        ErrorInfo->NumberOfParameters > MaxNumberOfEEInfoParams)
        return RPC_S_INVALID_ARG;
    const struct error_record *record = EnumHandle->CurrentPos;
    if (!record)
        return RPC_S_ENTRY_NOT_FOUND;
    const struct eerr_record *info = &record->info;
    if (ErrorInfo->NumberOfParameters < info->param_count)
        return RPC_S_BUFFER_TOO_SMALL;
    if (!give_strings(info, CopyStrings != FALSE, ErrorInfo))
        return RPC_S_OUT_OF_MEMORY;
    give_time(info->time, (ErrorInfo->Flags & EEInfoUseFileTime) != 0, ErrorInfo);
    ErrorInfo->ProcessID = info->pid;
    ErrorInfo->GeneratingComponent = info->component;
    ErrorInfo->Status = info->status;
    ErrorInfo->DetectionLocation = info->location;
    ErrorInfo->Flags = info->flags & (EEInfoPreviousRecordsMissing | EEInfoNextRecordsMissing);
    ErrorInfo->NumberOfParameters = info->param_count;
    EnumHandle->CurrentPos = record->next;
    return RPC_S_OK;
}

/* ---- Octets -------------------------------------------------------------------------- */

RPC_STATUS RpcErrorSaveErrorInfo(RPC_ERROR_ENUM_HANDLE *EnumHandle, void **ErrorBlob,
                                 size_t *BlobSize)
{
    if (!is_open(EnumHandle) || !ErrorBlob || !BlobSize)
        return RPC_S_INVALID_ARG;
    /* Tried with more and more room, up to what the longest chain takes. */
    for (size_t cap = 1024; cap <= (size_t)64 << 20; cap *= 4) {
        uint8_t *blob = malloc(cap);
        if (!blob)
            return RPC_S_OUT_OF_MEMORY;
        const struct eerr_record *records[LIMIT_ERROR_RECORDS];
        size_t count = 0;
        const struct error_record *at = EnumHandle->Head;
        for (; at && count < LIMIT_ERROR_RECORDS; at = at->next)
            records[count++] = &at->info;
        size_t len = eerr_encode(blob, cap, records, count, 0);
        if (len > 0) {
            *ErrorBlob = blob;
            *BlobSize = len;
            return RPC_S_OK;
        }
        free(blob);
    }
    return RPC_S_OUT_OF_MEMORY;
}

RPC_STATUS RpcErrorLoadErrorInfo(void *ErrorBlob, size_t BlobSize,
                                 RPC_ERROR_ENUM_HANDLE *EnumHandle)
{
    if (!ErrorBlob || !EnumHandle)
        return RPC_S_INVALID_ARG;
    struct error_record *head;
    RPC_STATUS status = error_load(ErrorBlob, BlobSize, &head);
    if (status == RPC_S_OK)
        open_handle(EnumHandle, head);
    return status;
}

/* ---- Adding -------------------------------------------------------------------------- */

/* Up to and with the NUL. */
static bool take_param(const RPC_EE_INFO_PARAM *in, struct eerr_param *out)
{
    size_t count = 0;
    *out = (struct eerr_param){.type = (enum eerr_type)in->ParameterType};
    switch (in->ParameterType) {
    case eeptAnsiString:
        out->text.units = in->u.AnsiString;
        count = in->u.AnsiString ? strnlen(in->u.AnsiString, UNITS_MAX + 1) + 1 : 0;
        break;
    case eeptUnicodeString:
        out->text.units = in->u.UnicodeString;
        while (in->u.UnicodeString && count <= UNITS_MAX && in->u.UnicodeString[count])
            count++;
        count += in->u.UnicodeString ? 1 : 0;
        break;
    case eeptBinary:
        out->text.units = in->u.BVal.Buffer;
        out->text.count = (uint16_t)in->u.BVal.Size;
        return in->u.BVal.Size >= 0 && (in->u.BVal.Buffer || in->u.BVal.Size == 0);
    case eeptLongVal:
        out->number = in->u.LVal;
        return true;
    case eeptShortVal:
        out->number = in->u.SVal;
        return true;
    case eeptPointerVal:
        out->number = (int64_t)in->u.PVal;
        return true;
    case eeptNone:
        return true;
    default:
        return false;
    }
    out->text.count = (uint16_t)count;
    return count > 0 && count <= UNITS_MAX + 1;
}

RPC_STATUS RpcErrorAddRecord(RPC_EXTENDED_ERROR_INFO *ErrorInfo)
{
    if (!ErrorInfo || ErrorInfo->Version != RPC_EEINFO_VERSION || ErrorInfo->ComputerName ||
        ErrorInfo->ProcessID != 0 || ErrorInfo->GeneratingComponent != 0 ||
        ErrorInfo->DetectionLocation != 0 || ErrorInfo->NumberOfParameters < 0 ||
        ErrorInfo->NumberOfParameters > MaxNumberOfEEInfoParams)
        return RPC_S_INVALID_ARG;
    struct eerr_record info = {.component = EEInfoGCApplication,
                               .status = ErrorInfo->Status,
                               .param_count = (uint16_t)ErrorInfo->NumberOfParameters};
    for (unsigned i = 0; i < info.param_count; i++)
        if (!take_param(&ErrorInfo->Parameters[i], &info.params[i]))
            return RPC_S_INVALID_ARG;
    struct error_record *old = error_thread();
    struct error_record *head = error_push_now(error_get(old), &info);
    if (head == old) {
        error_put(head);
        return RPC_S_OUT_OF_MEMORY;
    }
    error_thread_set(head);
    return RPC_S_OK;
}

void RpcErrorClearInformation(void)
{
    error_thread_clear();
}
