/* SPDX-License-Identifier: MIT */
/*
 * The steps of a future's life that every task takes, inline: it is made,
 * finished and let go of. The rare steps are in finish.c, and in
 * lib/executor/pending.c.
 */
#ifndef CF_LIB_FUTURE_LIFE_H
#define CF_LIB_FUTURE_LIFE_H

#include "lib/base/assert.h"
#include "lib/base/export.h"
#include "lib/base/generation.h"
#include "lib/future/block.h"
#include "lib/future/future.h"

/* Looks whether f is whole (lib/base/assert.h). Called by any thread that has a
 * handle of f. */
void cf__future_check(const cf_future *f);

/* The same for an f that is about to be freed. */
CF__EXPORT void cf__future_check_unused(const cf_future *f);

/* The rare branch of cf__future_free(): f owns more than its block. */
CF__EXPORT void cf__future_free_whole(cf_future *f);

/*
 * Finishes f; cf__future_finish() below is the fast way. flags: 0 or
 * CF__FAILED. mine: CF__COMPLETING if the caller has set that bit, else 0.
 * drop: gives up one handle in the same step; after the call f may be gone.
 *
 * false: another completer was faster, and the outcome is dropped. That can
 * only be if mine is 0.
 */
CF__EXPORT bool
cf__future_finish_slow(cf_future *f, uint64_t flags, uint64_t mine, bool drop);

/* The same where no callback may run; it drops a handle. false: f has waiters
 * that must be told, and nothing has changed. */
bool cf__future_finish_unwatched(cf_future *f, uint64_t flags);

/* Gets the right to finish f from outside its run: sets CF__COMPLETING on a
 * running future, and with from_pending on a pending one too. */
bool cf__future_begin_completing(cf_future *f, bool from_pending);

/* The runner leaves the outcome here, before it finishes f. The outcome is a
 * result that is already inside (heap NULL) or on the heap, a record of an
 * error, or a result that another owner lends. From then on f owns it. */
void cf__future_store_result(cf_future *f, void *heap, size_t size);
void cf__future_store_error(cf_future *f, const cf_error *error);
void cf__future_store_lent(cf_future *f, const struct cf__lent *lent);

/* After cf__future_store_result(): the result is an object, with this
 * destructor. users: that frees the memory, too. */
void cf__future_store_destructor(cf_future *f,
                                 void (*destroy)(void *result),
                                 bool users);

/* What cf_future_result() returns for a future that is done. word: its word. */
cf_err cf__future_outcome(const cf_future *f, uint64_t word, cf_bytes *out);

/*
 * After f became done: wakes sleepers, tells waiters, runs callbacks. old: the
 * word before. If it has CF__WAITERS, the call takes over one handle.
 */
void cf__future_announce(cf_future *f, uint64_t old);

/* Makes a block of cf__block_alloc() a pending future. A task has one handle
 * for its queue and, unless it is detached, one for the caller. bits: what the
 * executor adds to the word. The caller sets the argument. */
static inline void
cf__future_init(cf_future *f,
                cf_executor *ex,
                cf_task_fn *fn,
                uint64_t bits,
                unsigned handles)
{
    cf__assert(cf_load_relaxed(&f->word) == 0); /* the block is free */
    f->executor = ex;
    f->fn = fn;
    cf_store_relaxed(&f->waiters, 0); /* see below */
    f->attributes = NULL;
    f->arg_size = 0;
    f->result_size = 0;
    f->generation = cf__generation;
    f->owned = 0;
    f->list_generation = 0;
    f->lock = CF__LOCK_FREE; /* with those before it: one store */
    /* No other thread knows f yet: its publication orders these stores. */
    cf_store_relaxed(&f->base, 0);
    cf_store_relaxed(&f->word, handles * CF__HANDLE | bits | CF_PENDING);
}

/* The last handle is gone. */
static inline void
cf__future_free(cf_future *f)
{
    /* Without a handle: until the block is reused, a further unref ends the
     * program. */
    cf__check(cf__future_check_unused(f));
    cf_store_relaxed(&f->word, 0);
    const unsigned outside = CF__RESULT_HEAP | CF__RESULT_ERROR |
                             CF__RESULT_LENT | CF__RESULT_OBJECT | CF__OBSERVED;
    if (__builtin_expect(f->owned & outside || f->attributes ||
                             cf_load_relaxed(&f->waiters),
                         0))
        cf__future_free_whole(f);
    else
        cf__block_free(f);
}

static inline void
cf__future_unref(cf_future *f)
{
    /* pairs with the release of other handles: their use of f is over */
    uint64_t word = cf_load_acquire(&f->word);
    if (word >> 32 != 1) {
        cf__contract(word >> 32 != 0, "cf_future_unref(): no handle is left");
        cf__check(cf__future_check(f));
        if (cf_fetch_sub_acq_rel(&f->word, CF__HANDLE) >> 32 != 1)
            return;
    }
    cf__future_free(f);
}

/* Puts one list, of futures linked by next, before another one. Either may be
 * NULL. No other thread has them. */
cf_future *cf__future_link_lists(cf_future *first, cf_future *rest);

/* Drops a handle of each of these, which are linked by next: no other thread
 * has the list. It may call destructors. */
void cf__future_unref_list(cf_future *f);

/* See cf__future_finish_slow(). The common case: no thread waits. */
static inline bool
cf__future_finish(cf_future *f, uint64_t flags, uint64_t mine, bool drop)
{
    uint64_t word = cf_load_relaxed(&f->word); /* the swap checks it */
    cf__assert(cf__state(word) == CF_RUNNING || word & CF__COMPLETING);
    uint64_t next = word + (CF_FINISHED - CF_RUNNING) + flags;
    if (drop)
        next -= CF__HANDLE;
    /* pairs with every look at the state: publishes the outcome. After it,
     * without a handle, f must not be touched. */
    if (__builtin_expect(
            (word & (CF__SLEEPER | CF__WAITERS | CF__SOLE | CF__COMPLETING)) ||
                !cf_cas_acq_rel(&f->word, &word, next),
            0))
        return cf__future_finish_slow(f, flags, mine, drop);
    if (next >> 32 == 0)
        cf__future_free(f);
    return true;
}

#endif
