/* SPDX-License-Identifier: MIT */
/* server.c - serves efs.idl and frstrans.idl on the endpoints named by its arguments
 * (PROTSEQ:ENDPOINT) until its standard input ends.  What is written through one interface
 * can be read through the other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../endpoint.h"
#include "efs.h"
#include "frstrans.h"
#include "store.h"

#define RUNDOWN_PATIENCE_MS 10000

/* Behind a context handle. */
struct opened {
    WCHAR name[NAME_MAX_CHARS + 1];
    struct content *content; /* of a file to read  */
    size_t pos;              /* octets that went with InitializeFileTransferAsync */
};

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}

/* NULL: no such file, or a name too long.  `content` may be NULL: a file to write. */
static struct opened *opened_new(const WCHAR *name, struct content *content)
{
    size_t len = 0;
    while (len <= NAME_MAX_CHARS && name[len])
        len++;
    struct opened *opened = len <= NAME_MAX_CHARS ? calloc(1, sizeof(*opened)) : NULL;
    if (!opened) {
        content_put(content);
        return NULL;
    }
    memcpy(opened->name, name, (len + 1) * sizeof(WCHAR));
    opened->content = content;
    live++;
    return opened;
}

static void opened_free(struct opened *opened)
{
    content_put(opened->content);
    free(opened);
    live--;
}

/* ---- [MS-EFSR] ----------------------------------------------------------------------------- */

#define CREATE_FOR_IMPORT 1 /* Flags: to write, else to read */

int32_t EfsRpcOpenFileRaw(handle_t binding_h, PEXIMPORT_CONTEXT_HANDLE *hContext, WCHAR *FileName,
                          int32_t Flags)
{
    (void)binding_h;
    struct content *content = NULL;
    *hContext = NULL;
    if (!(Flags & CREATE_FOR_IMPORT) && !(content = store_get(FileName)))
        return FILE_NOT_FOUND;
    *hContext = opened_new(FileName, content);
    return *hContext ? 0 : INVALID_PARAMETER;
}

void EfsRpcReadFileRaw(PRPC_ASYNC_STATE async, PEXIMPORT_CONTEXT_HANDLE hContext,
                       ASYNC_EFS_EXIM_PIPE *EfsOutPipe)
{
    struct opened *opened = hContext;
    if (!opened->content) { /* it was opened to be written */
        RpcAsyncAbortCall(async, NOT_SUPPORTED);
        return;
    }
    opened->content->users++;
    send_start(async, EfsOutPipe->push, EfsOutPipe->state, opened->content, 0);
}

void EfsRpcWriteFileRaw(PRPC_ASYNC_STATE async, PEXIMPORT_CONTEXT_HANDLE hContext,
                        ASYNC_EFS_EXIM_PIPE *EfsInPipe)
{
    struct opened *opened = hContext;
    if (opened->content)
        RpcAsyncAbortCall(async, NOT_SUPPORTED);
    else
        receive_start(async, EfsInPipe->pull, EfsInPipe->state, opened->name);
}

void EfsRpcCloseRaw(PEXIMPORT_CONTEXT_HANDLE *hContext)
{
    opened_free(*hContext);
    *hContext = NULL;
}

void __RPC_USER PEXIMPORT_CONTEXT_HANDLE_rundown(PEXIMPORT_CONTEXT_HANDLE handle)
{
    opened_free(handle);
}

/* ---- [MS-FRS2] ----------------------------------------------------------------------------- */

DWORD CheckConnectivity(handle_t h, FRS_REPLICA_SET_ID replicaSetId,
                        FRS_CONNECTION_ID connectionId)
{
    (void)h, (void)replicaSetId, (void)connectionId;
    return 0;
}

/* As large as they come: two levels, every kind of union. */
static FRS_RDC_FILEINFO *file_info(size_t size)
{
    const size_t levels = 3;
    FRS_RDC_FILEINFO *info =
        MIDL_user_allocate(sizeof(*info) + levels * sizeof(info->rdcFilterParameters[0]));
    if (!info)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    memset(info, 0, sizeof(*info) + levels * sizeof(info->rdcFilterParameters[0]));
    info->onDiskFileSize = info->fileSizeEstimate = size;
    info->rdcVersion = info->rdcMinimumCompatibleVersion = CONFIG_RDC_VERSION;
    info->rdcSignatureLevels = levels;
    info->compressionAlgorithm = RDC_UNCOMPRESSED;
    info->rdcFilterParameters[0].rdcChunkerAlgorithm = RDC_FILTERMAX;
    info->rdcFilterParameters[0].u.filterMax.horizonSize = 1024;
    info->rdcFilterParameters[0].u.filterMax.windowSize = 48;
    info->rdcFilterParameters[1].rdcChunkerAlgorithm = RDC_FILTERGENERIC;
    info->rdcFilterParameters[1].u.filterGeneric.chunkerType = 1;
    info->rdcFilterParameters[1].u.filterGeneric.chunkerParameters[63] = 0xfe;
    info->rdcFilterParameters[2].rdcChunkerAlgorithm = RDC_FILTERPOINT;
    info->rdcFilterParameters[2].u.filterPoint.minChunkSize = 0x1234;
    info->rdcFilterParameters[2].u.filterPoint.maxChunkSize = 0x5678;
    return info;
}

void InitializeFileTransferAsync(PRPC_ASYNC_STATE async, handle_t h,
                                 FRS_CONNECTION_ID connectionId, FRS_UPDATE *frsUpdate,
                                 int32_t rdcDesired, FRS_REQUESTED_STAGING_POLICY *stagingPolicy,
                                 PFRS_SERVER_CONTEXT *serverContext,
                                 FRS_RDC_FILEINFO **rdcFileInfo, byte *dataBuffer,
                                 DWORD bufferSize, DWORD *sizeRead, int32_t *isEndOfFile)
{
    (void)h, (void)connectionId, (void)rdcDesired;
    uint32_t result = 0;
    struct content *content = store_get(frsUpdate->name);
    struct opened *opened = content ? opened_new(frsUpdate->name, content) : NULL;
    if (opened) {
        opened->pos = content->len < bufferSize ? content->len : bufferSize;
        memcpy(dataBuffer, content->octets, opened->pos);
        *sizeRead = (DWORD)opened->pos;
        *isEndOfFile = opened->pos == content->len;
        *rdcFileInfo = file_info(content->len);
        *stagingPolicy = STAGING_REQUIRED;
        frsUpdate->gvsnVersion += 1;
    } else {
        result = FILE_NOT_FOUND;
        *rdcFileInfo = NULL;
        *sizeRead = 0;
        *isEndOfFile = 1;
    }
    *serverContext = opened;
    RpcAsyncCompleteCall(async, &result);
}

void RawGetFileDataAsync(PRPC_ASYNC_STATE async, PFRS_SERVER_CONTEXT serverContext,
                         ASYNC_BYTE_PIPE *bytePipe)
{
    struct opened *opened = serverContext;
    opened->content->users++;
    send_start(async, bytePipe->push, bytePipe->state, opened->content, opened->pos);
}

DWORD RdcClose(PFRS_SERVER_CONTEXT *serverContext)
{
    opened_free(*serverContext);
    *serverContext = NULL;
    return 0;
}

void __RPC_USER PFRS_SERVER_CONTEXT_rundown(PFRS_SERVER_CONTEXT handle)
{
    opened_free(handle);
}

#define UNUSED(n)                                                                                  \
    void Opnum##n(handle_t h)                                                                      \
    {                                                                                              \
        (void)h;                                                                                   \
        RpcRaiseException(RPC_S_CANNOT_SUPPORT);                                                   \
    }
UNUSED(1)
UNUSED(2)
UNUSED(3)
UNUSED(4)
UNUSED(5)
UNUSED(6)
UNUSED(7)
UNUSED(8)
UNUSED(9)
UNUSED(10)
UNUSED(11)
UNUSED(14)

/* ---- main ---------------------------------------------------------------------------------- */

static int complain(const char *what, int number)
{
    fprintf(stderr, "%s: %d\n", what, number);
    return 1;
}

int main(int argc, char **argv)
{
    const RPC_IF_HANDLE interfaces[] = {efsrpc_v1_0_s_ifspec, FrsTransport_v1_0_s_ifspec};
    RPC_STATUS status = RPC_S_OK;
    for (int i = 1; i < argc && status == RPC_S_OK; i++)
        status = use_endpoint(argv[i]);
    for (int i = 0; i < 2 && status == RPC_S_OK; i++)
        status = RpcServerRegisterIf(interfaces[i], NULL, NULL);
    if (status == RPC_S_OK)
        status = RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE);
    if (status != RPC_S_OK)
        return complain("starting", status);
    puts("ready");
    fflush(stdout);
    char octet;
    while (read(STDIN_FILENO, &octet, 1) > 0)
        ;
    /* Clients that died left handles; all of them are run down. */
    for (int waited = 0; live > 0 && waited < RUNDOWN_PATIENCE_MS; waited += 10)
        usleep(10000);
    if (live != 0)
        return complain("handles and transfers left", live);
    status = RpcMgmtStopServerListening(NULL);
    if (status == RPC_S_OK)
        status = RpcMgmtWaitServerListen();
    for (int i = 0; i < 2 && status == RPC_S_OK; i++)
        status = RpcServerUnregisterIf(interfaces[i], NULL, 1);
    store_fini();
    return status == RPC_S_OK ? 0 : complain("stopping", status);
}
