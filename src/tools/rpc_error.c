/* SPDX-License-Identifier: MIT */
/* rpc_error.c - prints what servers and the runtime say beside a status ([MS-EERR]). */
#include "rpc_error.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include <penstock/rpc.h>
#include <penstock/rpceeinfo.h>

#include "base/status.h"
#include "base/utf16.h"

static const char *component(ULONG number)
{
    static const char *const names[] = {NULL,   "application", "runtime", "security provider",
                                        "NPFS", "redirector",  "NMP",     "I/O",
                                        "socket", "authorization", "LPC", "COM", "FRS"};
    if (number == RPCX_EEINFO_GC_PENSTOCK)
        return "penstock";
    const char *name = number < sizeof(names) / sizeof(names[0]) ? names[number] : NULL;
    return name ? name : "unknown component";
}

/* What a peer says goes to a terminal. */
static void print_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++)
        fputc(iscntrl((unsigned char)*text) ? '?' : *text, out);
    fputc('"', out);
}

static void print_wide(FILE *out, const WCHAR *text)
{
    char buf[512];
    size_t len = 0;
    while (text[len] != 0)
        len++;
    ssize_t needed = utf16_to_utf8(text, len, buf, sizeof(buf) - 1, UTF_REPLACE);
    size_t used = (size_t)needed < sizeof(buf) - 1 ? (size_t)needed : 0;
    buf[used] = '\0';
    if (used == (size_t)needed)
        print_text(out, buf);
    else
        fputs("\"...\"", out);
}

static void print_parameter(FILE *out, const RPC_EE_INFO_PARAM *param)
{
    fputc(' ', out);
    switch (param->ParameterType) {
    case eeptAnsiString:
        print_text(out, param->u.AnsiString ? param->u.AnsiString : "");
        break;
    case eeptUnicodeString:
        if (param->u.UnicodeString)
            print_wide(out, param->u.UnicodeString);
        break;
    case eeptLongVal:
        fprintf(out, "%" PRId32, (int32_t)param->u.LVal);
        break;
    case eeptShortVal:
        fprintf(out, "%d", param->u.SVal);
        break;
    case eeptPointerVal:
        fprintf(out, "0x%" PRIx64, (uint64_t)param->u.PVal);
        break;
    case eeptBinary:
        fprintf(out, "(%d octets)", param->u.BVal.Size);
        break;
    case eeptNone:
        fputs("(too large)", out);
        break;
    }
}

static void print_record(FILE *out, const RPC_EXTENDED_ERROR_INFO *record)
{
    RPC_STATUS status = (RPC_STATUS)record->Status;
    const char *name = status_name(status);
    fprintf(out, "  %s", component(record->GeneratingComponent));
    if (record->ComputerName) {
        fputs(" on ", out);
        print_wide(out, record->ComputerName);
    }
    fprintf(out, ", process %" PRIu32 ", place %u: %s (%" PRIu32 ")", record->ProcessID,
            record->DetectionLocation, name ? name : "status", record->Status);
    for (int i = 0; i < record->NumberOfParameters; i++)
        print_parameter(out, &record->Parameters[i]);
    fputc('\n', out);
}

void rpc_error_print_records(FILE *out)
{
    RPC_ERROR_ENUM_HANDLE handle;
    if (RpcErrorStartEnumeration(&handle) != RPC_S_OK)
        return;
    for (;;) {
        RPC_EXTENDED_ERROR_INFO record = {.Version = RPC_EEINFO_VERSION,
                                          .NumberOfParameters = MaxNumberOfEEInfoParams};
        if (RpcErrorGetNextRecord(&handle, FALSE, &record) != RPC_S_OK)
            break;
        print_record(out, &record);
    }
    RpcErrorEndEnumeration(&handle);
}
