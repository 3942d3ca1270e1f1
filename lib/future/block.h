/* SPDX-License-Identifier: MIT */
/*
 * Memory for futures: blocks of one size, recycled.
 *
 * Allocating in one thread and freeing in another is what malloc is slowest
 * at, and exactly what futures do. So each thread has a cache of free blocks,
 * and caches exchange whole batches through a depot under a mutex: one lock per
 * batch. Blocks are cut from large chunks, a few at a time, so that a small
 * program touches little memory (block_memory.h).
 *
 * After a burst, pages that have only free blocks are given back to the system:
 * when a pool is destroyed, or has been idle for a while. That looks at each
 * free block, so it is done when 16 MiB are free, and leaves 8 MiB for the next
 * burst; again when so much more is free that it is worth another look.
 *
 * A batch is what lies in one piece when many threads submit and free: the
 * processor fetches ahead only within it. So it is large.
 */
#ifndef CF_LIB_FUTURE_BLOCK_H
#define CF_LIB_FUTURE_BLOCK_H

#include "lib/base/thread.h"
#include "lib/future/future.h"

enum {
    CF__BLOCK_BATCH = 256, /* free blocks, exchanged at once */
    CF__BLOCK_CUT = 64     /* a batch of new ones */
};

/* Fills this thread's empty cache and takes a block; NULL: no memory. */
cf_future *cf__block_refill(void);

/* The cache is at its limit: makes it a batch, and moves the former batch to
 * the depot. */
void cf__block_flush(void);

/* Gives memory back, if there is enough that is free. No lock may be held. */
void cf__block_trim(void);

/* It would: a hint. */
bool cf__block_may_trim(void);

/* The worker is about to sleep: it will be unparked when it is to trim, if the
 * program has many futures and no other worker is. false: it will not. */
bool cf__block_keep(struct cf__worker *worker);
void cf__block_stop_keeping(const struct cf__worker *worker);

static inline cf_future *
cf__block_alloc(void)
{
    cf_future *f = cf__thread.free_blocks;
    if (__builtin_expect(!f, 0))
        return cf__block_refill();
    cf__thread.free_blocks = cf_load_relaxed(&f->next); /* the thread's */
    cf__thread.free_count--;
    return f;
}

static inline void
cf__block_free(cf_future *f)
{
    cf_store_relaxed(&f->next, cf__thread.free_blocks); /* the thread's */
    cf__thread.free_blocks = f;
    if (__builtin_expect(++cf__thread.free_count >= cf__thread.free_limit, 0))
        cf__block_flush();
}

#endif
