/* SPDX-License-Identifier: MIT */
/*
 * Memory that a test shares with its tasks, wherever these run: in threads, or
 * in processes forked at any time after main() began. A process has the other
 * memory of the program only as it was when its executor was created, and no
 * other process sees what it writes there. So tasks and tests tell each other
 * everything through this memory.
 *
 * Nothing is freed: each Criterion test is a process of its own. Nothing here
 * is a lock, since a process may be killed at any instruction.
 */
#ifndef CF_TESTS_SHARED_H
#define CF_TESTS_SHARED_H

#include <stdatomic.h>
#include <stddef.h>

/* Zeroed memory of so many bytes, aligned as malloc's. Aborts if there is no
 * more. May be called in tasks too. */
void *shared_new(size_t size);

/* A counter that begins at 0. */
atomic_int *counter_new(void);

#endif
