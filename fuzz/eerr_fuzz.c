/* SPDX-License-Identifier: MIT */
/* eerr_fuzz.c - arbitrary octets as extended error information of a peer: what is accepted
 * is the same after being encoded and read again, strings lie where the octets are, and the
 * documented functions take it as it is. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpc.h>
#include <penstock/rpceeinfo.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void enumerate(RPC_ERROR_ENUM_HANDLE *handle, int count)
{
    for (int copy = 0; copy < 2; copy++) {
        for (int i = 0;; i++) {
            RPC_EXTENDED_ERROR_INFO info = {.Version = RPC_EEINFO_VERSION,
                                            .NumberOfParameters = MaxNumberOfEEInfoParams};
            RPC_STATUS status = RpcErrorGetNextRecord(handle, copy, &info);
            if (status == RPC_S_ENTRY_NOT_FOUND) {
                assert(i == count);
                break;
            }
            assert(status == RPC_S_OK);
            for (int p = 0; p < info.NumberOfParameters; p++) {
                RPC_EE_INFO_PARAM *param = &info.Parameters[p];
                volatile size_t len = 0; /* strings end */
                if (param->ParameterType == eeptAnsiString)
                    len = strlen(param->u.AnsiString);
                if (param->ParameterType == eeptUnicodeString)
                    while (param->u.UnicodeString[len])
                        len++;
                if (copy && (param->ParameterType == eeptAnsiString ||
                             param->ParameterType == eeptUnicodeString))
                    free(param->u.AnsiString);
                if (copy && param->ParameterType == eeptBinary)
                    free(param->u.BVal.Buffer);
            }
            if (copy)
                free(info.ComputerName);
        }
        RpcErrorResetEnumeration(handle);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    RPC_ERROR_ENUM_HANDLE handle, again;
    void *blob, *blob_again;
    size_t len, len_again;
    int count, count_again;
    uint8_t *exact = malloc(size ? size : 1);
    memcpy(exact, data, size);
    RPC_STATUS status = RpcErrorLoadErrorInfo(exact, size, &handle);
    free(exact);
    if (status != RPC_S_OK) {
        assert(status == RPC_S_INVALID_ARG);
        return 0;
    }
    assert(RpcErrorGetNumberOfRecords(&handle, &count) == RPC_S_OK && count > 0);
    enumerate(&handle, count);
    assert(RpcErrorSaveErrorInfo(&handle, &blob, &len) == RPC_S_OK);
    assert(RpcErrorLoadErrorInfo(blob, len, &again) == RPC_S_OK);
    assert(RpcErrorGetNumberOfRecords(&again, &count_again) == RPC_S_OK && count_again == count);
    assert(RpcErrorSaveErrorInfo(&again, &blob_again, &len_again) == RPC_S_OK);
    assert(len_again == len && memcmp(blob, blob_again, len) == 0);
    free(blob);
    free(blob_again);
    assert(RpcErrorEndEnumeration(&again) == RPC_S_OK);
    assert(RpcErrorEndEnumeration(&handle) == RPC_S_OK);
    return 0;
}
