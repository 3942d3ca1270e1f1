/* SPDX-License-Identifier: MIT */
/*
 * The sole waiter of a future: a worker that waits for it before any other
 * waiter or callback has come. It is not in the list of waiters, so neither it
 * nor the completer takes the future's lock. README.md, "The sole waiter", has
 * the protocol.
 */
#ifndef CF_LIB_FUTURE_SOLE_H
#define CF_LIB_FUTURE_SOLE_H

#include "lib/base/worker.h"
#include "lib/future/future.h"

/* Makes worker, a coroutine that is the caller, the sole waiter of f. false: f
 * is done, or it cannot have a sole waiter, or it has or had other waiters.
 * After true, the caller must not let go of f before cf__sole_retract() has
 * returned true, or f has been delivered to worker. */
CF__EXPORT bool cf__sole_publish(cf_future *f, struct cf__worker *worker);

/* The sole waiter leaves. true: f will not be delivered, and no thread uses the
 * worker because of f any more. false: f is done, and will be delivered, or
 * has been. */
CF__EXPORT bool cf__sole_retract(cf_future *f);

/* f is done, and its word had CF__SOLE: delivers it to the sole waiter, which
 * may let go of it then. */
void cf__sole_deliver(cf_future *f);

/* The worker that f has been delivered to. */
static inline struct cf__worker *
cf__sole_take(cf_future *f)
{
    /* Relaxed: the delivery orders it. */
    uintptr_t sole = cf_load_relaxed(&f->waiters);
    cf_store_relaxed(&f->waiters, 0); /* nothing is left there to free */
    return (struct cf__worker *)(sole & ~CF__SOLE_TAG);
}

/* Others want to be in f's list. The sole waiter, if there is one, is unparked,
 * and joins the list, too. Returns f's word. */
uint64_t cf__sole_evict_locked(cf_future *f);

#endif
