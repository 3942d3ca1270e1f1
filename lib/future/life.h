/* SPDX-License-Identifier: MIT */
/*
 * The steps of a future's life that every task takes, inline: made, finished,
 * let go of. The rare turns are in finish.c and pending.c.
 */
#ifndef CF_LIB_FUTURE_LIFE_H
#define CF_LIB_FUTURE_LIFE_H

#include "lib/base/generation.h"
#include "lib/future/block.h"
#include "lib/future/future.h"

/* The last handle is gone, and f owns more than its block, or may. */
void cf__future_free_owned(cf_future *f);

/*
 * Finishes f; cf__future_finish() below is the fast way in. mine is CF__COMPLETING for who set that bit, else 0: then false
 * means that another completer was faster, and the outcome is dropped. flags:
 * 0 or CF__FAILED. drop: gives up one handle, in the same step; after the call
 * f may be gone.
 */
bool
cf__future_finish_slow(cf_future *f, uint64_t flags, uint64_t mine, bool drop);

/* The same for f with a handle to drop, where no callback may run: false, and
 * nothing is changed, if somebody must be told. */
bool cf__future_finish_unwatched(cf_future *f, uint64_t flags);

/* The right to finish f from outside its run: sets CF__COMPLETING on a
 * running future, and with from_pending on a pending one too. */
bool cf__future_begin_completing(cf_future *f, bool from_pending);

/* Where the runner leaves the outcome, before it finishes f: a result already
 * inside (heap NULL) or on the heap, or a record that f then owns. */
void cf__future_store_result(cf_future *f, void *heap, size_t size);
void cf__future_store_error(cf_future *f, const cf_error *error);
void cf__future_store_lent(cf_future *f, const struct cf__lent *lent);

/* What cf_future_result() says of a future whose word is word, and done. */
cf_err cf__future_outcome(const cf_future *f, uint64_t word, cf_bytes *out);

/*
 * After f became done with old as the former word: wakes sleepers, tells
 * waiters, runs callbacks. If CF__WAITERS is set in old, one handle goes here.
 */
void cf__future_announce(cf_future *f, uint64_t old);

/* Makes a block of cf__block_alloc() a pending future. A task has one handle
 * for its queue and, unless detached, one for the caller; its argument is the
 * caller's to set. bits: of its word, the executor's. */
static inline void
cf__future_init(cf_future *f,
                cf_executor *ex,
                cf_task_fn *fn,
                uint64_t bits,
                unsigned handles)
{
    f->executor = ex;
    f->fn = fn;
    cf_store_relaxed(&f->waiters, 0); /* as the word, below */
    f->attributes = NULL;
    f->arg_size = 0;
    f->result_size = 0;
    f->owned = 0;
    f->generation = cf__generation;
    /* Nobody else knows f yet: publishing it orders these. */
    cf_store_relaxed(&f->base, 0);
    cf__lock_init(&f->lock);
    cf_store_relaxed(&f->word, handles * CF__HANDLE | bits | CF_PENDING);
}

/* The last handle is gone. */
static inline void
cf__future_free(cf_future *f)
{
    /* No handles: a further unref is found out until the block is reused. */
    cf_store_relaxed(&f->word, 0);
    const unsigned outside =
        CF__RESULT_HEAP | CF__RESULT_ERROR | CF__RESULT_LENT;
    if (__builtin_expect(f->owned & outside || f->attributes ||
                             cf_load_relaxed(&f->waiters),
                         0))
        cf__future_free_owned(f);
    cf__block_free(f);
}

static inline void
cf__future_unref(cf_future *f)
{
    /* pairs with the other handles' release: their use of f is over */
    uint64_t word = cf_load_acquire(&f->word);
    if (word >> 32 != 1) {
        cf__contract(word >> 32 != 0, "cf_future_unref(): no handle is left");
        if (cf_fetch_sub_acq_rel(&f->word, CF__HANDLE) >> 32 != 1)
            return;
    }
    cf__future_free(f);
}

/* See cf__future_finish_slow(): the common case, nobody waits. */
static inline bool
cf__future_finish(cf_future *f, uint64_t flags, uint64_t mine, bool drop)
{
    uint64_t word = cf_load_relaxed(&f->word); /* the swap checks it */
    uint64_t next = word + (CF_FINISHED - CF_RUNNING) + flags;
    if (drop)
        next -= CF__HANDLE;
    /* pairs with every look at the state: publishes the outcome. After it,
     * without a handle, f must not be touched. */
    if (__builtin_expect(
            (word & (CF__SLEEPER | CF__WAITERS | CF__COMPLETING)) ||
                !cf_cas_acq_rel(&f->word, &word, next),
            0))
        return cf__future_finish_slow(f, flags, mine, drop);
    if (next >> 32 == 0)
        cf__future_free(f);
    return true;
}

#endif
