/* SPDX-License-Identifier: MIT */
/*
 * The turns of a pending task besides running: it is cancelled, refused, found
 * stale in a queue, or given back by a taker that has not started it.
 */
#ifndef CF_LIB_EXECUTOR_PENDING_H
#define CF_LIB_EXECUTOR_PENDING_H

#include "lib/future/future.h"

/* Nobody will run f, and its canceller is through with the executor. */
static inline bool
cf__is_stale(const cf_future *f)
{
    uint64_t word = cf_load_acquire(&f->word); /* pairs with who claimed it */
    return cf__state(word) != CF_PENDING &&
           !(cf__state(word) == CF_CANCELED && word & CF__COMPLETING);
}

/* Undoes the claim of a task that has not been started: it is pending again.
 * false: it is done by its timeout. */
bool cf__future_unclaim(cf_future *f);

/* Gives up a queue's handle on a task that it found no longer pending. */
void cf__future_drop_stale(cf_future *f);

/* Fails a task that never ran; false if it is not pending any more. */
bool cf__future_refuse(cf_future *f, const cf_error *error);

/* Cancels as cf_future_cancel() does; true only if this call did it. */
bool cf__future_cancel_now(cf_future *f);

#endif
