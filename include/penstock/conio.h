/* SPDX-License-Identifier: MIT */
/* conio.h - the console, a key at a time, for servers that end when one is pressed.
 * Standard input takes its place; a file or a pipe there is read octet by octet.
 * Source: Windows documentation, "_getch", "_kbhit". */
#ifndef PENSTOCK_CONIO_H
#define PENSTOCK_CONIO_H

#include <poll.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

/* The next key, without echo and without waiting for the end of the line; EOF: there is none. */
static inline int _getch(void)
{
    struct termios before, raw;
    unsigned char key;
    int terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    if (terminal) {
        raw = before;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        raw.c_cc[VMIN] = 1;
        raw.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    fflush(stdout);
    ssize_t n = read(STDIN_FILENO, &key, 1);
    if (terminal)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return n == 1 ? key : EOF;
}

/* Would _getch() return at once?  On a terminal after the end of a line at the latest. */
static inline int _kbhit(void)
{
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    return poll(&input, 1, 0) == 1;
}

#ifndef getch
#define getch _getch
#define kbhit _kbhit
#endif

#endif
