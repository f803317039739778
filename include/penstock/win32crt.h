/* SPDX-License-Identifier: MIT */
/* win32crt.h - names of the Windows C library that documented programs are written in, as far
 * as this system's library has the same thing under another name.  Included by windows.h;
 * RPCX_NO_CRT_NAMES before it leaves them out, for programs that bring their own.
 *
 * The functions with `_s` end the program when their arguments are wrong, as the default
 * handler of Windows does: a string that does not fit is never cut.
 * Source: Windows documentation, "C runtime library reference". */
#ifndef PENSTOCK_WIN32CRT_H
#define PENSTOCK_WIN32CRT_H

#ifndef RPCX_NO_CRT_NAMES

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rpctypes.h"

PENSTOCK_BEGIN_DECLS

/* Calling conventions of older samples. */
#ifndef _CRTAPI1
#define _CRTAPI1
#define _CRTAPI2
#endif

/* What differs from the namesake is only what is done about wrong arguments. */
#ifndef printf_s
#define printf_s  printf
#define fprintf_s fprintf
#define vprintf_s vprintf
#endif
#ifndef _stricmp
#define _stricmp  strcasecmp
#define _strnicmp strncasecmp
#define _strdup   strdup
#endif
#ifndef _countof
#define _countof(array) (sizeof(array) / sizeof((array)[0]))
#endif

/* These three are functions in Windows' library, so that they are here; 0 or the length, as
 * there.  They abort() where it would end the program. */
static inline int strcpy_s(char *to, size_t size, const char *from)
{
    if (!to || !from || strlen(from) >= size)
        abort();
    memcpy(to, from, strlen(from) + 1);
    return 0;
}

static inline int strcat_s(char *to, size_t size, const char *from)
{
    const char *end = to ? (const char *)memchr(to, '\0', size) : NULL;
    if (!end)
        abort();
    const size_t len = (size_t)(end - to);
    return strcpy_s(to + len, size - len, from);
}

__attribute__((format(printf, 3, 4))) static inline int sprintf_s(char *to, size_t size,
                                                                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(to, size, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= size)
        abort();
    return len;
}

/* 0 or what errno says; *ret_file is NULL then. */
static inline int fopen_s(FILE **ret_file, const char *name, const char *mode)
{
    *ret_file = fopen(name, mode);
    return *ret_file ? 0 : errno;
}

PENSTOCK_END_DECLS

#endif

#endif
