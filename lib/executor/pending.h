/* SPDX-License-Identifier: MIT */
/*
 * A pending task that is not simply run: it is cancelled, refused, found stale
 * in a queue, or unclaimed by a taker that has not started it.
 */
#ifndef CF_LIB_EXECUTOR_PENDING_H
#define CF_LIB_EXECUTOR_PENDING_H

#include "lib/base/export.h"
#include "lib/future/future.h"

/* No taker will run f, and its canceller no longer needs the executor. */
static inline bool
cf__is_stale(const cf_future *f)
{
    uint64_t word = cf_load_acquire(&f->word); /* pairs with its claim */
    return cf__state(word) != CF_PENDING &&
           !(cf__state(word) == CF_CANCELED && word & CF__COMPLETING);
}

/* Undoes the claim of a task that has not been started: it is pending again.
 * false: it is not, because its timeout fails it. */
bool cf__future_unclaim(cf_future *f);

/* For a taker that found f no longer pending: drops the queue's handle. May
 * wait for the end of a cancel. */
CF__EXPORT void cf__future_drop_stale(cf_future *f);

/* For a taker that does not run f: fails it with why, or cancels it if why is
 * NULL, unless it is no longer pending, and drops the queue's handle: also if a
 * callback ends the thread. */
CF__EXPORT void cf__future_turn_away(cf_future *f, const cf_error *why);

/* Fails a task that never ran. false: it is no longer pending. */
bool cf__future_refuse(cf_future *f, const cf_error *error);

/* Cancels as cf_future_cancel() does. true: this call did it. */
bool cf__future_cancel_now(cf_future *f);

/* The same for a task that its executor has refused. Calls no code of the user
 * but what f has. */
bool cf__future_cancel_unqueued(cf_future *f);

#endif
