/* SPDX-License-Identifier: MIT */
/*
 * The descriptors that a forked process does not keep, and those it does; and
 * which are still the library's: the program may have closed one, and have a
 * file of its own with the same number.
 */
#ifndef CF_PROCESS_POOL_DESCRIPTORS_H
#define CF_PROCESS_POOL_DESCRIPTORS_H

#include <stddef.h>
#include <sys/types.h>

/* A descriptor, and what it is one of. */
struct cf__owned_fd {
    int fd; /* -1: none */
    dev_t device;
    ino_t inode;
};

/* Closes everything above 2 but some. Entries below 0 do not count; at most
 * 8. Async-signal-safe. */
void cf__close_all_but(const int *kept, size_t count);

/* The same file with a number above 2, where the program or a task may expect
 * its standard files; fd is closed. -1 with errno: there is no such, or fd is
 * -1. */
int cf__above_standard(int fd);

/* Remembers what fd is: a file, pipe or socket that nothing else has the inode
 * of. */
struct cf__owned_fd cf__own(int fd);

/* Closes it, unless that number is something else's by now, or nothing's. What
 * another thread does between the look and the close is not seen. */
void cf__owned_close(struct cf__owned_fd *owned);

#endif
