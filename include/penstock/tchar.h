/* SPDX-License-Identifier: MIT */
/* tchar.h - the names for strings that are narrow or wide by a switch, for narrow ones: this
 * system's C library has no functions for UTF-16.  A program built with UNICODE has the
 * functions of the API and TEXT(), and its own for the rest.
 * Source: Windows documentation, "Generic-text mappings". */
#ifndef PENSTOCK_TCHAR_H
#define PENSTOCK_TCHAR_H

#include "windows.h"

#define _T(quoted)    TEXT(quoted)
#define _TEXT(quoted) TEXT(quoted)

#if !defined(UNICODE) && !defined(_UNICODE)
#define _tmain       main
#define _tprintf     printf
#define _tprintf_s   printf
#define _ftprintf    fprintf
#define _ftprintf_s  fprintf
#define _stprintf    sprintf
#define _stprintf_s  sprintf_s
#define _sntprintf   snprintf
#define _tcslen      strlen
#define _tcscmp      strcmp
#define _tcsncmp     strncmp
#define _tcsicmp     strcasecmp
#define _tcsnicmp    strncasecmp
#define _tcschr      strchr
#define _tcsrchr     strrchr
#define _tcsstr      strstr
#define _tcscpy      strcpy
#define _tcscpy_s    strcpy_s
#define _tcscat_s    strcat_s
#define _tcsdup      strdup
#define _tcstol      strtol
#define _tcstoul     strtoul
#define _ttoi        atoi
#define _totlower    tolower
#define _totupper    toupper
#define _fgetts      fgets
#define _fputts      fputs
#define _tfopen      fopen
#define _tfopen_s    fopen_s
#define _tgetenv     getenv
#include <ctype.h>
#endif

#endif
