/* SPDX-License-Identifier: MIT */
/*
 * The steps of a future's life that every task takes, inline: made, finished,
 * let go of. The rare turns are in future.c.
 */
#ifndef CF_LIB_LIFE_H
#define CF_LIB_LIFE_H

#include "lib/executor/executor.h"
#include "lib/executor/registry.h"
#include "lib/future/block.h"
#include "lib/future/future.h"

/* Makes a pending future. A task has one handle for its queue and, unless
 * detached, one for the caller; its argument is the caller's to set. NULL: no
 * memory. */
static inline cf_future *
cf__future_new(cf_executor *ex, cf_task_fn *fn, unsigned handles)
{
    cf_future *f = cf__block_alloc();
    if (__builtin_expect(!f, 0))
        return NULL;
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
    uint64_t bits = ex ? ex->future_bits : 0;
    cf_store_relaxed(&f->word, handles * CF__HANDLE | bits | CF_PENDING);
    return f;
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
