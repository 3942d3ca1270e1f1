/* SPDX-License-Identifier: MIT */
/* Condition variables on which threads wait until a deadline (clock.h). */
#ifndef CF_LIB_BASE_COND_H
#define CF_LIB_BASE_COND_H

#include "lib/base/export.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* The condition uses the monotonic clock. Cannot fail on Linux. */
CF__EXPORT void cf__cond_init(pthread_cond_t *cond);

/* Waits until cond is signalled, or for no reason; false: the deadline has
 * passed. With CF__NEVER, cond may use any clock. No cancellation point. */
CF__EXPORT bool
cf__cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ns);

/*
 * The same, but a cancellation point. If the thread is cancelled, it gets the
 * lock again, calls undo(data), which unlocks, and ends.
 */
CF__EXPORT bool cf__cond_wait_or_end(pthread_cond_t *cond,
                                     pthread_mutex_t *lock,
                                     int64_t deadline_ns,
                                     void (*undo)(void *data),
                                     void *data);

#endif
