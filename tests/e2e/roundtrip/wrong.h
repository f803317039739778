/* SPDX-License-Identifier: MIT */
/* wrong.h - how a manager tells the client that a value was not the one sent: an
 * exception of its own with the place in it. */
#ifndef ROUNDTRIP_WRONG_H
#define ROUNDTRIP_WRONG_H

#define WRONG_MARK          0x20000000
#define WRONG_VALUES        0x10000 /* server_values.c   */
#define WRONG_POINTERS      0x20000 /* server_pointers.c */
#define WRONG_CALLS         0x30000 /* server_calls.c    */
#define WRONG_UNIONS        0x40000 /* server_unions.c   */
#define WRONG_OPEN          0x50000 /* server_open.c     */
#define WRONG_FULL          0x60000 /* server_full.c     */
#define WRONG_CONVERT       0x70000 /* server_convert.c  */
#define WRONG_MODES         0x80000 /* server_modes.c    */
#define WRONG_TYPES         0x90000 /* server_types.c    */
#define WRONG_MEMORY        0xa0000 /* server_memory.c   */
#define WRONG(file, line)   (WRONG_MARK + (file) + (line))
#define IS_WRONG(status)    (((status)&0x7ff00000) == WRONG_MARK)
#define WRONG_FILE(status)  ((status)&0xf0000)
#define WRONG_LINE(status)  ((status)&0xffff)

#endif
