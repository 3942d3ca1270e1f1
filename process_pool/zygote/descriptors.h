/* SPDX-License-Identifier: MIT */
/*
 * Which descriptors a forked process keeps. Also, whether a number is still the
 * library's: the program may have closed the descriptor, and have a file of its
 * own with the same number.
 */
#ifndef CF_PROCESS_POOL_DESCRIPTORS_H
#define CF_PROCESS_POOL_DESCRIPTORS_H

#include <stddef.h>
#include <sys/types.h>

/* A descriptor, and what file it is of. */
struct cf__owned_fd {
    int fd; /* -1: none */
    dev_t device;
    ino_t inode;
};

/* Closes all descriptors above 2 but those in kept, at most 8. Entries below 0
 * do not count. Async-signal-safe. */
void cf__close_all_but(const int *kept, size_t count);

/* Gives the file a number above 2, as the program or a task may expect its
 * standard files at 0 to 2; closes fd if that is another number. -1 with errno:
 * there is none, or fd is -1. */
int cf__above_standard(int fd);

/* Notes what file fd is of: one whose inode nothing else has. */
struct cf__owned_fd cf__own(int fd);

/* Closes it, unless the number is another file's by now, or no file's. It does
 * not see what another thread does between the look and the close. */
void cf__owned_close(struct cf__owned_fd *owned);

#endif
