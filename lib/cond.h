/* SPDX-License-Identifier: MIT */
/* Condition variables that wait until a deadline of lib/clock.h. */
#ifndef CF_LIB_COND_H
#define CF_LIB_COND_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* On the monotonic clock. Cannot fail on Linux. */
void cf__cond_init(pthread_cond_t *cond);

/* Waits for a change, or for no reason; false: the deadline has passed. */
bool
cf__cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ns);

#endif
