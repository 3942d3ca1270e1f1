/* SPDX-License-Identifier: MIT */
/* How the library forks, and knows that it does. */
#ifndef CF_PROCESS_POOL_OWN_FORK_H
#define CF_PROCESS_POOL_OWN_FORK_H

#include <stdbool.h>
#include <sys/types.h>

/* fork(), which calls the program's fork handlers. */
pid_t cf__own_fork(void);

/* The calling thread is in a fork handler that cf__own_fork() called. */
bool cf__in_own_fork(void);

#endif
