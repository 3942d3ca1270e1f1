/* SPDX-License-Identifier: MIT */
/* Threads of the library that are no workers: timers, a pool's manager. */
#ifndef CF_LIB_BASE_HELPER_THREAD_H
#define CF_LIB_BASE_HELPER_THREAD_H

#include <cfutures/error.h>

#include <pthread.h>

struct cf__origin;

/* Starts one with all signals blocked: the program's signals are for the
 * program's threads. It is like origin, which fn enters (cf__origin_enter())
 * after it has begun with cf__cancel_disable(): user code that runs in such a
 * thread cannot cancel it. CF_ESYS (errno). */
cf_err cf__helper_thread_start(const struct cf__origin *origin,
                               pthread_t *out,
                               void *(*fn)(void *arg),
                               void *arg);

#endif
