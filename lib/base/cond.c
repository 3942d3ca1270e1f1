/* SPDX-License-Identifier: MIT */
/* Condition variables on the monotonic clock: see cond.h. */
#include "lib/base/cond.h"

#include "lib/base/cancel.h"
#include "lib/base/clock.h"

#include <errno.h>

void
cf__cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

static bool
wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ns)
{
    if (deadline_ns == CF__NEVER)
        return pthread_cond_wait(cond, lock) == 0;
    struct timespec at = cf__timespec(deadline_ns);
    return pthread_cond_timedwait(cond, lock, &at) != ETIMEDOUT;
}

bool
cf__cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ns)
{
    if (deadline_ns == 0)
        return false;
    int former = cf__cancel_disable();
    bool in_time = wait(cond, lock, deadline_ns);
    cf__cancel_restore(former);
    return in_time;
}

bool
cf__cond_wait_or_end(pthread_cond_t *cond,
                     pthread_mutex_t *lock,
                     int64_t deadline_ns,
                     void (*undo)(void *data),
                     void *data)
{
    bool in_time;
    if (deadline_ns == 0)
        return false;
    pthread_cleanup_push(undo, data);
    in_time = wait(cond, lock, deadline_ns);
    pthread_cleanup_pop(0);
    return in_time;
}
