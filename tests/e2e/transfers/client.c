/* SPDX-License-Identifier: MIT */
/* client.c - transfers files, one command after the other.
 *
 *     transfers_client BINDING COMMAND NAME FILE [COMMAND NAME FILE ...]
 *
 *     put    writes FILE under NAME             (EfsRpcWriteFileRaw, an [in] pipe)
 *     get    reads NAME into FILE               (EfsRpcReadFileRaw, an [out] pipe)
 *     fetch  the same                           (RawGetFileDataAsync, an [out] pipe)
 *     leave  reads a part and dies with the rest under way; FILE: "get" or "put"
 *     cancel reads a part, then cancels
 *
 * Prints a line per command: "COMMAND NAME result OCTETS".  A failure of RPC is "status N"
 * instead. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "win32.h"

#include "efs.h"
#include "frstrans.h"
#include "store.h"

#define PATIENCE_MS 60000u
#define BUF_LEN    50000u
#define PART_LEN   100000u /* of what is left half-way */

static handle_t binding;
static HANDLE event;

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}

static _Noreturn void die(const char *what, long number)
{
    fprintf(stderr, "transfers_client: %s: %ld\n", what, number);
    exit(1);
}

static void text_of(const char *name, WCHAR *ret_text)
{
    size_t i = 0;
    for (; name[i] && i < NAME_MAX_CHARS; i++)
        ret_text[i] = (WCHAR)name[i];
    ret_text[i] = 0;
}

/* ---- Calls --------------------------------------------------------------------------------- */

static void prepare(PRPC_ASYNC_STATE call)
{
    RPC_STATUS status = RpcAsyncInitializeHandle(call, sizeof(*call));
    if (status != RPC_S_OK)
        die("RpcAsyncInitializeHandle", status);
    ResetEvent(event);
    call->NotificationType = RpcNotificationTypeEvent;
    call->u.hEvent = event;
}

static void wait_event(void)
{
    if (WaitForSingleObject(event, PATIENCE_MS) != WAIT_OBJECT_0)
        die("the call does not end", 0);
}

static RPC_STATUS finish(PRPC_ASYNC_STATE call, void *result)
{
    RPC_STATUS status;
    while ((status = RpcAsyncCompleteCall(call, result)) == RPC_S_ASYNC_CALL_PENDING)
        wait_event();
    return status;
}

/* Pulls until the pipe ends, or `limit` octets came. */
static RPC_STATUS pull_all(pull_fn pull, char *state, FILE *file, uint64_t limit,
                           uint64_t *ret_total)
{
    static byte buf[BUF_LEN];
    while (*ret_total < limit) {
        unsigned long count = 0;
        RPC_STATUS status = pull(state, buf, sizeof(buf), &count);
        if (status == RPC_S_ASYNC_CALL_PENDING) {
            wait_event();
            continue;
        }
        if (status != RPC_S_OK || count == 0)
            return status;
        if (file && fwrite(buf, 1, count, file) != count)
            die("write", (long)count);
        *ret_total += count;
    }
    return RPC_S_OK;
}

static int32_t open_raw(const char *name, int32_t flags, PEXIMPORT_CONTEXT_HANDLE *ret_handle)
{
    WCHAR text[NAME_MAX_CHARS + 1];
    text_of(name, text);
    return EfsRpcOpenFileRaw(binding, ret_handle, text, flags);
}

/* ---- Commands: the result of the call, in *ret_total how many octets ------------------------ */

static int32_t put(const char *name, FILE *file, uint64_t *ret_total)
{
    static byte buf[BUF_LEN];
    PEXIMPORT_CONTEXT_HANDLE handle;
    ASYNC_EFS_EXIM_PIPE pipe;
    RPC_ASYNC_STATE call;
    int32_t result = open_raw(name, 1, &handle);
    if (result != 0)
        return result;
    prepare(&call);
    EfsRpcWriteFileRaw(&call, handle, &pipe);
    RPC_STATUS status = RPC_S_OK;
    size_t size = 1; /* a piece of every size */
    for (size_t n; status == RPC_S_OK && (n = fread(buf, 1, size, file)) > 0;) {
        status = pipe.push(pipe.state, buf, n);
        *ret_total += n;
        size = size * 3 % BUF_LEN + 1;
    }
    if (status == RPC_S_OK)
        status = pipe.push(pipe.state, NULL, 0);
    if (status == RPC_S_OK)
        status = finish(&call, &result);
    if (status != RPC_S_OK)
        RpcRaiseException(status);
    EfsRpcCloseRaw(&handle);
    return result;
}

static int32_t get(const char *name, FILE *file, uint64_t *ret_total)
{
    PEXIMPORT_CONTEXT_HANDLE handle;
    ASYNC_EFS_EXIM_PIPE pipe;
    RPC_ASYNC_STATE call;
    int32_t result = open_raw(name, 0, &handle);
    if (result != 0)
        return result;
    prepare(&call);
    EfsRpcReadFileRaw(&call, handle, &pipe);
    RPC_STATUS status = pull_all(pipe.pull, pipe.state, file, UINT64_MAX, ret_total);
    if (status == RPC_S_OK)
        status = finish(&call, &result);
    if (status != RPC_S_OK)
        RpcRaiseException(status);
    EfsRpcCloseRaw(&handle);
    return result;
}

static void check_info(const FRS_UPDATE *update, const FRS_RDC_FILEINFO *info,
                       FRS_REQUESTED_STAGING_POLICY policy)
{
    if (update->gvsnVersion != 0x0102030405060709 || update->hash[19] != 19 ||
        update->fence.dwHighDateTime != 0x01020304 || policy != STAGING_REQUIRED)
        die("the update came back otherwise", policy);
    if (info->rdcSignatureLevels != 3 || info->rdcFilterParameters[0].u.filterMax.windowSize != 48 ||
        info->rdcFilterParameters[1].u.filterGeneric.chunkerParameters[63] != 0xfe ||
        info->rdcFilterParameters[2].u.filterPoint.maxChunkSize != 0x5678)
        die("the parameters are wrong", info->rdcSignatureLevels);
}

static int32_t fetch(const char *name, FILE *file, uint64_t *ret_total)
{
    static byte first[4096];
    FRS_UPDATE update = {.present = 1,
                         .fence = {.dwHighDateTime = 0x01020304},
                         .hash = {[19] = 19},
                         .uidVersion = 7,
                         .gvsnVersion = 0x0102030405060708};
    FRS_CONNECTION_ID connection = {0x01020304, 5, 6, {7, 8, 9, 10, 11, 12, 13, 14}};
    FRS_REQUESTED_STAGING_POLICY policy = SERVER_DEFAULT;
    PFRS_SERVER_CONTEXT context = NULL;
    FRS_RDC_FILEINFO *info = NULL;
    DWORD count = 0, result = 0;
    int32_t end = 0;
    ASYNC_BYTE_PIPE pipe;
    RPC_ASYNC_STATE call;

    text_of(name, update.name);
    if (CheckConnectivity(binding, connection, connection) != 0)
        die("CheckConnectivity", 0);
    prepare(&call);
    InitializeFileTransferAsync(&call, binding, connection, &update, 0, &policy, &context, &info,
                                first, sizeof(first), &count, &end);
    RPC_STATUS status = finish(&call, &result);
    if (status != RPC_S_OK)
        RpcRaiseException(status);
    if (result != 0)
        return (int32_t)result;
    check_info(&update, info, policy);
    if (fwrite(first, 1, count, file) != count)
        die("write", (long)count);
    *ret_total = count;

    prepare(&call);
    RawGetFileDataAsync(&call, context, &pipe);
    status = pull_all(pipe.pull, pipe.state, file, UINT64_MAX, ret_total);
    if (status == RPC_S_OK)
        status = finish(&call, &result);
    if (status != RPC_S_OK)
        RpcRaiseException(status);
    if (*ret_total != info->onDiskFileSize || (end != 0) != (count == *ret_total))
        die("another size than announced", (long)*ret_total);
    MIDL_user_free(info);
    if (RdcClose(&context) != 0 || context)
        die("RdcClose", 0);
    return (int32_t)result;
}

/* Dies, or cancels, with a pipe half-way; a connection lost is how the server hears of it. */
static int32_t part(const char *command, const char *name, const char *what, uint64_t *ret_total)
{
    static byte buf[BUF_LEN];
    PEXIMPORT_CONTEXT_HANDLE handle;
    ASYNC_EFS_EXIM_PIPE pipe;
    RPC_ASYNC_STATE call;
    RPC_STATUS status = RPC_S_OK;
    int32_t result = open_raw(name, strcmp(what, "put") == 0, &handle);
    if (result != 0)
        return result;
    prepare(&call);
    if (strcmp(what, "put") == 0) {
        EfsRpcWriteFileRaw(&call, handle, &pipe);
        for (*ret_total = 0; *ret_total < PART_LEN && status == RPC_S_OK; *ret_total += BUF_LEN)
            status = pipe.push(pipe.state, buf, BUF_LEN);
    } else {
        EfsRpcReadFileRaw(&call, handle, &pipe);
        status = pull_all(pipe.pull, pipe.state, NULL, PART_LEN, ret_total);
    }
    if (status != RPC_S_OK)
        die("half a transfer", status);
    if (strcmp(command, "leave") == 0)
        _exit(0);
    status = RpcAsyncCancelCall(&call, TRUE);
    if (status == RPC_S_OK)
        status = finish(&call, &result);
    printf("cancel %s status %d\n", name, (int)status);
    EfsRpcCloseRaw(&handle);
    return 0;
}

static int32_t run(const char *command, const char *name, const char *path, uint64_t *ret_total)
{
    if (strcmp(command, "leave") == 0 || strcmp(command, "cancel") == 0)
        return part(command, name, path, ret_total);
    bool putting = strcmp(command, "put") == 0;
    FILE *file = fopen(path, putting ? "rb" : "wb");
    if (!file)
        die(path, 0);
    int32_t result = putting                           ? put(name, file, ret_total)
                     : strcmp(command, "fetch") == 0 ? fetch(name, file, ret_total)
                                                       : get(name, file, ret_total);
    if (fclose(file) != 0)
        die(path, 1);
    return result;
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc % 3 != 2)
        die("usage: BINDING COMMAND NAME FILE ...", argc);
    RPC_STATUS status = RpcBindingFromStringBinding((RPC_CSTR)argv[1], &binding);
    event = CreateEvent(NULL, FALSE, FALSE, NULL);
    if (status != RPC_S_OK || !event)
        die(argv[1], status);
    for (int i = 2; i < argc; i += 3) {
        uint64_t total = 0;
        RpcTryExcept
        {
            int32_t result = run(argv[i], argv[i + 1], argv[i + 2], &total);
            printf("%s %s result %d octets %" PRIu64 "\n", argv[i], argv[i + 1], (int)result,
                   total);
        }
        RpcExcept(1)
        {
            printf("%s %s status %lu\n", argv[i], argv[i + 1], (unsigned long)RpcExceptionCode());
        }
        RpcEndExcept
    }
    RpcBindingFree(&binding);
    CloseHandle(event);
    return 0;
}
