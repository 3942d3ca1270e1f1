/* SPDX-License-Identifier: MIT */
/*
 * A pending task that is not simply run: see pending.h. No locks: every
 * decision is one compare-and-swap on the future's word.
 */
#include "lib/executor/pending.h"

#include "lib/base/clock.h"
#include "lib/base/futex.h"
#include "lib/executor/argument.h"
#include "lib/executor/deferred.h"
#include "lib/executor/executor.h"
#include "lib/executor/remote.h"
#include "lib/future/failure.h"
#include "lib/future/life.h"
#include "lib/future/observed.h"

#include <limits.h>
#include <pthread.h>

enum { TIDY_EVERY = 256 }; /* cancelled tasks, ops.tidy is called once */

/* Where a task was that is cancelled. */
enum place {
    QUEUED,
    DEFERRED,
    RECALLED, /* in the hands of a worker */
    NOWHERE   /* it was refused */
};

bool
cf__future_unclaim(cf_future *f)
{
    const uint64_t worker = CF__WORKER_MASK << CF__WORKER_SHIFT;
    uint64_t word = cf_load_relaxed(&f->word); /* the swap checks it */
    do {
        if (word & CF__COMPLETING)
            return false;
    } while (!cf_cas_weak_acq_rel(
        &f->word, &word, (word & ~(CF__PHASE | worker)) | CF_PENDING));
    if (f->executor->bound)
        cf__bound_take_back(f->executor->bound);
    return true;
}

bool
cf__future_refuse(cf_future *f, const cf_error *error)
{
    if (f->owned & CF__JOB) /* its join runs it */
        return cf__future_cancel_now(f);
    if (!cf__future_claim_word(f, -1))
        return false;
    (void)cf__executor_never_ran(f->executor, f, true);
    cf__future_release_arg(f);
    cf_error mine = *error;
    mine.name = cf__name(f);
    cf__future_store_error(f, cf__failure_new(&mine));
    cf__observer_release(f);
    return cf__future_finish(f, CF__FAILED, 0, false);
}

/* What is left to do for a task that this thread has just cancelled. Until
 * CF__COMPLETING is gone, the queue's handle keeps f. true: one handle more is
 * left, because freeing the argument may have dropped every handle that the
 * user has. *swept: other tasks, that are out of the queue now. */
static bool
give_up_task(cf_future *f, enum place place, cf_future **swept)
{
    const bool recalled = place == RECALLED;
    const bool users = cf__future_arg_is_users(f);
    const bool on_heap = !users && f->owned & CF__ARG_HEAP;
    cf_executor *ex = f->executor;
    if (users)
        cf_fetch_add_relaxed(&f->word, CF__HANDLE);
    uint64_t canceled =
        cf__executor_never_ran(ex, f, place != DEFERRED && place != RECALLED);
    if (canceled % TIDY_EVERY == 0 && ex->ops->tidy && place != NOWHERE)
        *swept = ex->ops->tidy(ex, canceled);
    if (on_heap) /* the executor's memory; else user code is called, below */
        cf__future_release_arg(f);
    /* Until then the executor stays: it has f in a list. */
    if (place == DEFERRED)
        cf__deferred_end(f->attributes->deferred, false);
    /* pairs with drop_stale: this thread no longer needs the executor */
    const uint64_t hold = CF__COMPLETING | CF__SLEEPER;
    if (cf_fetch_and_acq_rel(&f->word, ~hold) & CF__SLEEPER)
        cf__futex_wake(cf__futex_word(f), INT_MAX);
    if (recalled)
        cf__remote_of(f)->let_go(f->executor);
    if (!on_heap)
        cf__future_release_arg(f);
    return users;
}

static bool
cancel(cf_future *f, enum place place)
{
    /* The executor lives until its queue has dropped f, and the thread that
     * drops f waits until this bit is gone. A future that is completed by hand
     * has no executor. */
    const uint64_t hold = f->executor ? CF__COMPLETING : 0;
    cf__observer_release(f);
    uint64_t word = cf_load_acquire(&f->word); /* the swap checks it */
    uint64_t next;
    cf_future *swept = NULL;
    do {
        while (place != RECALLED && cf__maybe_not_started(word)) {
            if (cf__remote_of(f)->recall(f))
                place = RECALLED;
            else if (cf__remote_of(f)->started(f))
                return false;
            /* f may be in the queue again. */
            word = cf_load_acquire(&f->word);
        }
        if (place != RECALLED && cf__state(word) != CF_PENDING)
            return false;
        next = (word & ~(CF__SLEEPER | CF__PHASE | CF__WAITING)) | CF_CANCELED |
               hold;
        if (word & CF__WAITERS)
            next += CF__HANDLE;
    } while (!cf_cas_weak_acq_rel(&f->word, &word, next));
    if (word & CF__WAITING)
        place = DEFERRED;
    /* Before code of the user may hold this thread up: a sole waiter cannot
     * leave meanwhile, whatever its deadline is. */
    cf__future_announce(f, word & CF__SOLE);
    bool own = hold && give_up_task(f, place, &swept);
    cf__future_announce(f, word & ~CF__SOLE);
    if (place == RECALLED)
        cf__future_unref(f); /* the queue's */
    if (own)
        cf__future_unref(f);
    cf__future_unref_list(swept);
    return true;
}

bool
cf__future_cancel_now(cf_future *f)
{
    return cancel(f, QUEUED);
}

bool
cf__future_cancel_unqueued(cf_future *f)
{
    return cancel(f, NOWHERE);
}

void
cf__future_drop_stale(cf_future *f)
{
    /* pairs with give_up_task: the canceller has let go of the executor */
    uint64_t word = cf_load_acquire(&f->word);
    while (cf__state(word) == CF_CANCELED && word & CF__COMPLETING) {
        /* pairs with give_up_task: it sees the sleeper, or the swap fails */
        if (!(word & CF__SLEEPER) &&
            !cf_cas_acq_rel(&f->word, &word, word | CF__SLEEPER))
            continue;
        (void)cf__futex_wait(
            cf__futex_word(f), (uint32_t)(word | CF__SLEEPER), CF__NEVER);
        word = cf_load_acquire(&f->word); /* pairs with give_up_task */
    }
    cf__future_unref(f);
}

static void
drop_stale(void *f)
{
    cf__future_drop_stale(f);
}

void
cf__future_turn_away(cf_future *f, const cf_error *why)
{
    pthread_cleanup_push(drop_stale, f);
    if (why)
        (void)cf__future_refuse(f, why);
    else
        (void)cf__future_cancel_now(f);
    pthread_cleanup_pop(1);
}
