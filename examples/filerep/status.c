/* SPDX-License-Identifier: MIT */
/* status.c - one table, read in both directions. */
#include "status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct row {
    ULONG status;
    int error;
    const char *words; /* NULL: what strerror says of `error` here */
} rows[] = {
    {FILEREP_NOT_FOUND, ENOENT, NULL},
    {FILEREP_ACCESS, EACCES, NULL},
    {FILEREP_NOT_PERMITTED, EPERM, NULL},
    {FILEREP_EXISTS, EEXIST, NULL},
    {FILEREP_NOT_FOLDER, ENOTDIR, NULL},
    {FILEREP_IS_FOLDER, EISDIR, NULL},
    {FILEREP_NOT_EMPTY, ENOTEMPTY, NULL},
    {FILEREP_NO_SPACE, ENOSPC, NULL},
    {FILEREP_QUOTA, EDQUOT, NULL},
    {FILEREP_TOO_LARGE, EFBIG, NULL},
    {FILEREP_NAME_TOO_LONG, ENAMETOOLONG, NULL},
    {FILEREP_LINK_IN_PATH, ELOOP, "A symbolic link is in the way"},
    {FILEREP_READ_ONLY, EROFS, "The server is read-only"},
    {FILEREP_IO, EIO, NULL},
    {FILEREP_NO_MEMORY, ENOMEM, NULL},
    {FILEREP_NO_DESCRIPTORS, EMFILE, NULL},
    {FILEREP_NO_DESCRIPTORS, ENFILE, NULL},
    {FILEREP_BAD_PATH, EINVAL, "Not an acceptable path"},
    {FILEREP_OUTSIDE, EXDEV, "The path leads out of the folder"},
    {FILEREP_BUSY, ETXTBSY, NULL},
    {FILEREP_BUSY, EBUSY, NULL},
    {FILEREP_NOT_REGULAR, ERROR_NOT_REGULAR, "Not a regular file"},
    {FILEREP_BAD_DIGEST, ERROR_BAD_DIGEST, "SHA-256 mismatch: the data were damaged on the way"},
    {FILEREP_TOO_DEEP, ERROR_TOO_DEEP, "Too many levels of folders"},
    {FILEREP_STOPPING, ERROR_STOPPING, "The server is shutting down"},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

ULONG status_of(int error)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].error == error)
            return rows[i].status;
    }
    return FILEREP_OTHER;
}

ULONG status_fault(int error)
{
    return FILEREP_FAULT + status_of(error);
}

int status_is_ours(RPC_STATUS status)
{
    return ((ULONG)status & 0xFFFFFF00u) == FILEREP_FAULT;
}

const char *status_words(ULONG status)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].status == status)
            return rows[i].words ? rows[i].words : strerror(rows[i].error);
    }
    return "The server failed for a reason it has no word for";
}

const char *error_words(int error)
{
    /* A local read-only file system is not the server's fault: strerror for all errno. */
    return error > 0 ? strerror(error) : status_words(status_of(error));
}

void status_describe(RPC_STATUS status, char *buf, size_t buf_len)
{
    if (status_is_ours(status)) {
        snprintf(buf, buf_len, "%s", status_words((ULONG)status - FILEREP_FAULT));
        return;
    }
    unsigned char text[DCE_C_ERROR_STRING_LEN];
    if (DceErrorInqTextA(status, text) != RPC_S_OK)
        snprintf((char *)text, sizeof(text), "RPC status 0x%08X", (unsigned int)status);
    snprintf(buf, buf_len, "%s", (const char *)text);
}
