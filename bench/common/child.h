/* SPDX-License-Identifier: MIT */
/*
 * Child processes of the bare subjects: what a process costs without any
 * library around it.
 */
#ifndef BENCH_COMMON_CHILD_H
#define BENCH_COMMON_CHILD_H

#include <stddef.h>
#include <sys/types.h>

/* Forks. Returns 0 in the child, which dies with its parent, however that
 * ends, and leaves by _exit(). */
pid_t child_fork(void);

/* Waits for the child; dies unless it ended with status 0. */
void child_wait(pid_t pid);

/* Waits for the child, and gives its exit status; dies if it has none. */
int child_status(pid_t pid);

/* Zeroed memory, shared with children forked from now on. */
void *child_share(size_t size);
void child_unshare(void *p, size_t size);

#endif
