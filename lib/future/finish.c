/* SPDX-License-Identifier: MIT */
/*
 * How a future becomes done if there are other completers, sleepers or waiters:
 * cf__future_finish() in life.h leaves these cases to this file. No locks:
 * every decision is one compare-and-swap on the future's word (future.h).
 */
#include "lib/base/futex.h"
#include "lib/future/callback.h"
#include "lib/future/life.h"
#include "lib/future/sole.h"

#include <limits.h>

/*
 * If old has CF__WAITERS, the completer has left one handle more. It goes here,
 * since callbacks may drop all others. If old does not have it, f may be gone
 * already. A task may fork and return in the child: there, its waiters and
 * callbacks are the parent's, and are not told. A sole waiter holds f until it
 * has been told, so for that no handle is left.
 */
void
cf__future_announce(cf_future *f, uint64_t old)
{
    if (old & CF__SLEEPER) /* uses the address only: f may be gone */
        cf__futex_wake(cf__futex_word(f), INT_MAX);
    if (!(old & (CF__WAITERS | CF__SOLE)))
        return;
    cf__check(cf__future_check(f));
    const bool foreign = f->generation != cf__generation && f->executor;
    if (old & CF__WAITERS) {
        if (__builtin_expect(foreign, 0))
            cf__future_unref(f);
        else
            cf__callbacks_run(f, cf__waiters_tell(f));
    } else if (__builtin_expect(!foreign, 1)) {
        cf__sole_deliver(f);
    }
}

bool
cf__future_finish_slow(cf_future *f, uint64_t flags, uint64_t mine, bool drop)
{
    uint64_t word = cf_load_relaxed(&f->word); /* the swap checks it */
    uint64_t next;
    cf__check(cf__future_check(f));
    do {
        if ((word & CF__COMPLETING) != mine) {
            if (drop)
                cf__future_unref(f);
            return false;
        }
        cf__assert(cf__state(word) == CF_RUNNING);
        next = (word & ~(CF__PHASE | CF__SLEEPER)) | CF_FINISHED | flags;
        /* If there are waiters, one handle more is left: the announcement's. */
        if (drop)
            next -= CF__HANDLE;
        if (word & CF__WAITERS)
            next += CF__HANDLE;
        /* Pairs with every look at the state: publishes the outcome. After it,
         * f must not be touched without a handle. */
    } while (!cf_cas_weak_acq_rel(&f->word, &word, next));
    if (__builtin_expect(next >> 32 == 0, 0))
        cf__future_free(f);
    else
        cf__future_announce(f, word);
    return true;
}

bool
cf__future_finish_unwatched(cf_future *f, uint64_t flags)
{
    uint64_t word = cf_load_acquire(&f->word); /* the swap checks it */
    uint64_t next;
    do {
        if (word & CF__WAITERS)
            return false;
        if (word & CF__COMPLETING) { /* another completer was faster */
            cf__future_unref(f);
            return true;
        }
        cf__assert(cf__state(word) == CF_RUNNING);
        next = ((word & ~(CF__PHASE | CF__SLEEPER)) | CF_FINISHED | flags) -
               CF__HANDLE;
        /* pairs with every look at the state: publishes the outcome */
    } while (!cf_cas_weak_acq_rel(&f->word, &word, next));
    if (next >> 32 == 0)
        cf__future_free(f);
    else if (word & CF__SLEEPER) /* uses the address only: f may be gone */
        cf__futex_wake(cf__futex_word(f), INT_MAX);
    return true;
}

bool
cf__future_begin_completing(cf_future *f, bool from_pending)
{
    uint64_t word = cf_load_acquire(&f->word); /* pairs with its start */
    do {
        if (cf__is_done(word) || word & CF__COMPLETING)
            return false;
        if (!from_pending && cf__state(word) == CF_PENDING)
            return false;
    } while (!cf_cas_weak_acq_rel(
        &f->word, &word, word | CF_RUNNING | CF__COMPLETING));
    return true;
}
