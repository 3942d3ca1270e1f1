/* SPDX-License-Identifier: MIT */
/* The library's own threads that are no workers: timers, a pool's manager,
 * calls that a coroutine does not wait in. Their names, for people who look at
 * a program with ps or gdb, begin with "cf_". */
#ifndef CF_LIB_BASE_HELPER_THREAD_H
#define CF_LIB_BASE_HELPER_THREAD_H

#include <cfutures/error.h>

#include "lib/base/export.h"

#include <pthread.h>

struct cf__origin;

/*
 * Starts a thread with all signals blocked: the program's signals are for the
 * program's threads. CF_ESYS (errno).
 *
 * The thread is like origin. fn begins with cf__helper_thread_enter(). If out
 * is NULL, the thread is detached.
 */
CF__EXPORT cf_err cf__helper_thread_start(const struct cf__origin *origin,
                                          pthread_t *out,
                                          void *(*fn)(void *arg),
                                          void *arg);

/* Comes first in the new thread: disables cancellation, so that code of the
 * user that runs in the thread cannot cancel it. The thread becomes like
 * origin, and has that name, of at most 15 bytes. */
CF__EXPORT void cf__helper_thread_enter(const struct cf__origin *origin,
                                        const char *name);

#endif
