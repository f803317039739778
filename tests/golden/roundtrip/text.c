/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void text_add(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        die("text_add: %s", format);
    if (text->len + (size_t)len + 1 > text->capacity) {
        text->capacity = 2 * (text->len + (size_t)len + 1);
        text->chars = realloc(text->chars, text->capacity);
        if (!text->chars)
            die("no memory");
    }
    va_start(args, format);
    vsnprintf(text->chars + text->len, text->capacity - text->len, format, args);
    va_end(args);
    text->len += (size_t)len;
}

void text_fini(struct text *text)
{
    free(text->chars);
    *text = (struct text){0};
}

void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    fflush(NULL);
    _exit(1); /* threads of the runtime may go on */
}
