/* SPDX-License-Identifier: MIT */
/*
 * The life of a future: made, claimed, finished or cancelled, freed. No locks:
 * every decision is one compare-and-swap on its word (future.h).
 */
#include "lib/future/future.h"

#include "lib/base/cancel.h"
#include "lib/base/clock.h"
#include "lib/base/futex.h"
#include "lib/base/options.h"
#include "lib/base/size.h"
#include "lib/executor/executor.h"
#include "lib/executor/registry.h"
#include "lib/executor/remote.h"
#include "lib/future/block.h"
#include "lib/future/callback.h"
#include "lib/future/failure.h"
#include "lib/future/life.h"
#include "lib/future/waiter.h"

#include <limits.h>
#include <stdlib.h>

enum { TIDY_EVERY = 256 }; /* cancelled tasks */

static inline void
store_heap(unsigned char *area, void *data, size_t size)
{
    struct cf__heap heap = {data, size};
    memcpy(area, &heap, sizeof heap);
}

static inline struct cf__heap
load_heap(const unsigned char *area)
{
    struct cf__heap heap;
    memcpy(&heap, area, sizeof heap);
    return heap;
}

void
cf__future_adopt_arg(cf_future *f, void *block, size_t size)
{
    store_heap(f->arg, block, size);
    f->owned |= CF__ARG_HEAP;
}

cf_err
cf__future_set_arg(cf_future *f, const void *arg, size_t size)
{
    if (size == 0) {
        memcpy(f->arg, &arg, sizeof arg);
        f->owned |= CF__ARG_POINTER;
    } else if (size <= CF__INLINE_SIZE) {
        memcpy(f->arg, arg, size);
        f->arg_size = (uint8_t)size;
    } else if (size > CF__SIZE_MAX) {
        return CF_ETOOBIG;
    } else {
        void *copy = cf__arg_alloc(f->executor, size);
        if (!copy)
            return CF_ENOMEM;
        memcpy(copy, arg, size);
        cf__future_adopt_arg(f, copy, size);
    }
    return CF_OK;
}

void
cf__future_release_arg(cf_future *f)
{
    if (f->owned & CF__ARG_HEAP) {
        cf__arg_free(f->executor, load_heap(f->arg).data);
    } else if (f->attributes && f->attributes->arg_free) {
        void *arg;
        memcpy(&arg, f->arg, sizeof arg);
        int former = cf__cancel_disable(); /* the user's code, in a call */
        f->attributes->arg_free(arg);
        cf__cancel_restore(former);
    }
}

static const cf_error *
stored_error(const cf_future *f)
{
    if (f->attributes && f->attributes->late_error)
        return f->attributes->late_error;
    const cf_error *error;
    memcpy(&error, f->result, sizeof error);
    return error;
}

void
cf__future_free_owned(cf_future *f)
{
    if (f->owned & CF__RESULT_HEAP)
        free(load_heap(f->result).data);
    if (f->owned & CF__RESULT_LENT) {
        struct cf__lent lent;
        memcpy(&lent, f->result, sizeof lent);
        lent.give_back(lent.owner, lent.data);
    }
    if (f->owned & CF__RESULT_ERROR) {
        const cf_error *error;
        memcpy(&error, f->result, sizeof error);
        cf__failure_free(error);
    }
    cf__waiters_forget(f);
    if (f->attributes) {
        cf__failure_free(f->attributes->late_error);
        free(f->attributes);
    }
}

void
cf__future_discard(cf_future *f)
{
    if (f->owned & CF__ARG_HEAP)
        cf__arg_free(f->executor, load_heap(f->arg).data);
    cf__future_free(f);
}

/*
 * After f became done with old as the former word: wakes sleepers, tells
 * waiters, runs callbacks. Whoever made it done left one handle more if
 * CF__WAITERS is set in old, which goes here: callbacks may drop all others.
 * Else f may be gone already. In the child of a task that forks and returns
 * there, waiters and callbacks are the parent's.
 */
static void
announce(cf_future *f, uint64_t old)
{
    if (old & CF__SLEEPER) /* an address, not an access: f may be gone */
        cf__futex_wake(cf__futex_word(f), INT_MAX);
    if (!(old & CF__WAITERS))
        return;
    if (__builtin_expect(f->generation != cf__generation, 0) && f->executor)
        cf__future_unref(f);
    else
        cf__callbacks_run(f, cf__waiters_tell(f));
}

bool
cf__future_finish_slow(cf_future *f, uint64_t flags, uint64_t mine, bool drop)
{
    uint64_t word = cf_load_relaxed(&f->word); /* the swap checks it */
    uint64_t next;
    do {
        if ((word & CF__COMPLETING) != mine) {
            if (drop)
                cf__future_unref(f);
            return false;
        }
        next = (word & ~(CF__PHASE | CF__SLEEPER)) | CF_FINISHED | flags;
        /* With waiters one handle more is left: it is the announcement's. */
        if (drop)
            next -= CF__HANDLE;
        if (word & CF__WAITERS)
            next += CF__HANDLE;
        /* pairs with every look at the state: publishes the outcome. After
         * it, without a handle, f must not be touched. */
    } while (!cf_cas_weak_acq_rel(&f->word, &word, next));
    if (__builtin_expect(next >> 32 == 0, 0))
        cf__future_free(f);
    else
        announce(f, word);
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
        next = ((word & ~(CF__PHASE | CF__SLEEPER)) | CF_FINISHED | flags) -
               CF__HANDLE;
        /* pairs with every look at the state: publishes the outcome */
    } while (!cf_cas_weak_acq_rel(&f->word, &word, next));
    if (next >> 32 == 0)
        cf__future_free(f);
    else if (word & CF__SLEEPER) /* an address: f may be gone */
        cf__futex_wake(cf__futex_word(f), INT_MAX);
    return true;
}

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

void
cf__future_store_error(cf_future *f, const cf_error *error)
{
    memcpy(f->result, &error, sizeof error);
    f->owned |= CF__RESULT_ERROR;
}

void
cf__future_store_lent(cf_future *f, const struct cf__lent *lent)
{
    memcpy(f->result, lent, sizeof *lent);
    f->owned |= CF__RESULT_LENT;
}

bool
cf__future_refuse(cf_future *f, const cf_error *error)
{
    if (!cf__future_claim_word(f, -1))
        return false;
    (void)cf__executor_never_ran(f->executor, f, true);
    cf__future_release_arg(f);
    cf__future_store_error(f, cf__failure_new(error));
    return cf__future_finish(f, CF__FAILED, 0, false);
}

/* What is left to do for a task that has just been cancelled. */
static void
give_up_task(cf_future *f, bool recalled)
{
    const bool on_heap = f->owned & CF__ARG_HEAP;
    cf_executor *ex = f->executor;
    uint64_t canceled = cf__executor_never_ran(ex, f, !recalled);
    if (canceled % TIDY_EVERY == 0 && ex->ops->tidy)
        ex->ops->tidy(ex, canceled);
    if (on_heap) /* the executor's; else the user's code is called */
        cf__future_release_arg(f);
    /* pairs with drop_stale: the executor is no longer needed */
    const uint64_t hold = CF__COMPLETING | CF__SLEEPER;
    if (cf_fetch_and_acq_rel(&f->word, ~hold) & CF__SLEEPER)
        cf__futex_wake(cf__futex_word(f), INT_MAX);
    if (recalled)
        cf__remote_of(f)->let_go(f->executor);
    if (!on_heap)
        cf__future_release_arg(f);
}

bool
cf__future_cancel_now(cf_future *f)
{
    /* The executor lives until its queue has dropped f, and that waits for
     * this bit to go. A future completed by hand has no executor. */
    const uint64_t hold = f->executor ? CF__COMPLETING : 0;
    /* Its arg_free() may drop every handle that the user has. */
    const uint64_t own =
        f->attributes && f->attributes->arg_free ? CF__HANDLE : 0;
    uint64_t word = cf_load_acquire(&f->word); /* the swap checks it */
    uint64_t next;
    bool recalled = false;
    do {
        while (!recalled && cf__maybe_not_started(word)) {
            recalled = cf__remote_of(f)->recall(f);
            if (!recalled && cf__remote_of(f)->started(f))
                return false;
            /* It may be in the queue again. */
            word = cf_load_acquire(&f->word);
        }
        if (!recalled && cf__state(word) != CF_PENDING)
            return false;
        next = (word & ~(CF__SLEEPER | CF__PHASE)) | CF_CANCELED | hold;
        next += own + (word & CF__WAITERS ? CF__HANDLE : 0);
    } while (!cf_cas_weak_acq_rel(&f->word, &word, next));
    if (hold)
        give_up_task(f, recalled);
    announce(f, word);
    if (recalled)
        cf__future_unref(f); /* the queue's */
    if (own)
        cf__future_unref(f);
    return true;
}

void
cf__future_drop_stale(cf_future *f)
{
    /* pairs with cancel_now: it is done with the executor */
    uint64_t word = cf_load_acquire(&f->word);
    while (cf__state(word) == CF_CANCELED && word & CF__COMPLETING) {
        /* pairs with cancel_now: it sees the sleeper, or the swap fails */
        if (!(word & CF__SLEEPER) &&
            !cf_cas_acq_rel(&f->word, &word, word | CF__SLEEPER))
            continue;
        (void)cf__futex_wait(
            cf__futex_word(f), (uint32_t)(word | CF__SLEEPER), CF__NEVER);
        word = cf_load_acquire(&f->word); /* pairs with cancel_now */
    }
    cf__future_unref(f);
}

cf_future *
cf_future_ref(cf_future *f)
{
    /* The caller's own handle keeps f: nothing to order. */
    if (f)
        cf_fetch_add_relaxed(&f->word, CF__HANDLE);
    return f;
}

void
cf_future_unref(cf_future *f)
{
    if (f)
        cf__future_unref(f);
}

bool
cf_future_cancel(cf_future *f)
{
    if (!f || cf__forked(f))
        return false;
    return cf__future_cancel_now(f) || cf_future_state(f) == CF_CANCELED;
}

bool
cf_future_interrupt(cf_future *f)
{
    if (!f || cf__forked(f))
        return false;
    if (cf_future_cancel(f))
        return true;
    /* Not pending any more. On a finished future the bit means nothing. */
    uint64_t word = cf_fetch_or_acq_rel(&f->word, CF__INTERRUPT);
    if (cf__is_done(word))
        return false;
    if (word & CF__REMOTE)
        cf__remote_of(f)->interrupt(f);
    return true;
}

cf_err
cf__future_outcome(const cf_future *f, uint64_t word, cf_bytes *out)
{
    if (cf__state(word) == CF_CANCELED)
        return CF_ECANCELED;
    if (word & CF__FAILED)
        return stored_error(f)->kind;
    if (out) {
        if (f->owned & (CF__RESULT_HEAP | CF__RESULT_LENT)) {
            struct cf__heap heap = load_heap(f->result);
            *out = (cf_bytes){heap.data, heap.size};
        } else {
            *out = (cf_bytes){f->result, f->result_size};
        }
    }
    return CF_OK;
}

const cf_error *
cf_future_error(cf_future *f)
{
    if (!f)
        return NULL;
    uint64_t word = cf_load_acquire(&f->word); /* pairs with finish */
    bool failed = cf__state(word) == CF_FINISHED && word & CF__FAILED;
    return failed ? stored_error(f) : NULL;
}

void
cf__future_store_result(cf_future *f, void *heap, size_t size)
{
    if (heap) {
        store_heap(f->result, heap, size);
        f->owned |= CF__RESULT_HEAP;
    } else {
        f->result_size = (uint8_t)size;
    }
}
