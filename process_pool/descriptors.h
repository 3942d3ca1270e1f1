/* SPDX-License-Identifier: MIT */
/* The descriptors that a forked process does not keep, and those it does. */
#ifndef CF_PROCESS_POOL_DESCRIPTORS_H
#define CF_PROCESS_POOL_DESCRIPTORS_H

#include <stddef.h>

/* Closes everything above 2 but some. Entries below 0 do not count; at most
 * 8. Async-signal-safe. */
void cf__close_all_but(const int *kept, size_t count);

/* The same file with a number above 2, where the program or a task may expect
 * its standard files; fd is closed. -1 with errno: there is no such, or fd is
 * -1. */
int cf__above_standard(int fd);

#endif
