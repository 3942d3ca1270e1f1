/* SPDX-License-Identifier: MIT */
/*
 * Memory for futures: blocks of one size, recycled.
 *
 * Allocating in one thread and freeing in another is what malloc is slowest
 * at, and exactly what futures do. So each thread has a cache of free blocks,
 * and caches exchange whole batches through a depot under a mutex: one lock per
 * batch. Blocks are cut from large chunks, a few at a time, so that a small
 * program touches little memory, and never given back to the system while the
 * program runs; they serve the next burst.
 *
 * A batch is what lies in one piece when many threads submit and free: the
 * processor fetches ahead only within it. So it is large.
 */
#ifndef CF_LIB_BLOCK_H
#define CF_LIB_BLOCK_H

#include "lib/future.h"
#include "lib/thread.h"

enum {
    CF__BLOCK_BATCH = 256, /* free blocks, exchanged at once */
    CF__BLOCK_CUT = 64     /* a batch of new ones */
};

/* Fills this thread's empty cache and takes a block; NULL: no memory. */
cf_future *cf__block_refill(void);

/* The cache is at its limit: makes it a batch, and moves the former batch to
 * the depot. */
void cf__block_flush(void);

/* This thread is about to fork: each alloc and free notices a fork, until the
 * cache is opened again. */
void cf__block_close_cache(void);
void cf__block_open_cache(void);

/* In a fork's child: the depot is usable, whatever other threads did to it. */
void cf__block_after_fork(void);

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
