/* SPDX-License-Identifier: MIT */
/*
 * Where in the program this library was called, for CF_DEBUG. It is found on
 * the stack, and so no public call has to note it: the first return address
 * that is not in this library. If the library is a part of the program itself,
 * or of another library, its own functions cannot be told from others, and no
 * place is found.
 */
#ifndef CF_LIB_BASE_PLACE_H
#define CF_LIB_BASE_PLACE_H

#include <stddef.h>

/* Before the others, in one thread. Without it no place is found. */
void cf__place_begin(void);

/* The instruction that called this library, in the calling thread. NULL: not
 * found. Takes some microseconds. */
const void *cf__place_of_call(void);

/* Writes "main+0x51 (prog)" to `to` (size bytes), or "prog+0x1251" if the
 * function's name is not known: addr2line -e prog 0x1251 says the line. */
void cf__place_text(const void *place, char *to, size_t size);

#endif
