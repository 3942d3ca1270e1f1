/* SPDX-License-Identifier: MIT */
/*
 * A record, on the stack of a thread or a task, by which another thread wakes
 * it: for waits that are not for a future. README.md, "Sleepers", has the
 * protocol.
 */
#ifndef CF_LIB_EXECUTOR_SLEEPER_H
#define CF_LIB_EXECUTOR_SLEEPER_H

#include <cfutures/error.h>

#include "lib/base/atomic.h"
#include "lib/base/clock.h"

struct cf__worker;

struct cf__sleeper {
    struct cf__worker *worker; /* parks; NULL: the thread sleeps on woken */
    uint16_t generation;       /* of the process in which the wait began */
    /* Atomic. 1: it has been woken. Any thread sets it, once. The sleeper looks
     * at it, and a plain thread sleeps on it. */
    _Atomic uint32_t woken;
};

/* The calling thread or task is going to wait. */
void cf__sleeper_init(struct cf__sleeper *self);

/*
 * Sleeps until it is woken: CF_OK; or until the deadline (CF_ETIMEDOUT); unless
 * firmly, until the task is told to stop or a scope strikes (CF_EINTERRUPTED);
 * or until a callback that ran meanwhile has forked, and this is the child
 * (CF_EFORKED). If it returns an error, it may be woken all the same, until the
 * caller has taken the record back under the lock of those that wake it.
 */
cf_err
cf__sleeper_wait(struct cf__sleeper *self, int64_t deadline_ns, bool firmly);

/* Ends the wait. The caller holds a lock that the sleeper takes before it lets
 * go of the record: so the sleeper's worker is there. Takes no lock. */
void cf__sleeper_wake(struct cf__sleeper *sleeper);

#endif
