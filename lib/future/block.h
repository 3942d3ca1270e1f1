/* SPDX-License-Identifier: MIT */
/*
 * Memory for futures: blocks of one size, recycled. README.md, "The memory of
 * futures", has the protocol.
 *
 * A future is often allocated in one thread and freed in another, which is what
 * malloc is slowest at. So each thread has a cache of free blocks, and caches
 * exchange whole batches through a depot under a mutex: one lock for a batch.
 * Blocks are cut from large chunks, a few at a time, so that a small program
 * touches little memory (block_memory.h).
 *
 * After a burst, the pages that have only free blocks are given back to the
 * system: when a pool is destroyed, or has been idle for a while. That looks at
 * each free block. So it waits until many are free, leaves a reserve for the
 * next burst, and comes again when so many more are free that it pays (depot.c
 * has the numbers).
 *
 * When many threads submit and free, only the blocks of one batch lie in one
 * piece, and the processor fetches ahead only within a batch. So a batch is
 * large.
 */
#ifndef CF_LIB_FUTURE_BLOCK_H
#define CF_LIB_FUTURE_BLOCK_H

#include "lib/base/export.h"
#include "lib/base/thread.h"
#include "lib/future/future.h"

enum {
    CF__BLOCK_BATCH = 256, /* the most blocks of a batch */
    CF__BLOCK_CUT = 64,    /* the most blocks of a batch of new ones */
    CF__SPAN_BLOCKS = 32,  /* the blocks of a span */
    CF__SPAN_SIZE = CF__SPAN_BLOCKS * (int)sizeof(cf_future)
};

/* Fills this thread's empty cache and takes a block. NULL: no memory. */
cf_future *cf__block_refill(void);

/* Sees to it that this thread's next count allocations need no memory; those
 * come out of batches that it then has aside. false: no memory. The thread is
 * not about to fork. */
bool cf__block_reserve(size_t count);

/* The reserved blocks that were not allocated go back. */
void cf__block_unreserve(void);

/* The cache is at its limit: makes its blocks a batch, and moves the former
 * batch to the depot. */
CF__EXPORT void cf__block_flush(void);

/* A span: CF__SPAN_SIZE bytes in one piece, at a multiple of that size, cut
 * from the same pages as blocks. For what a program has many of when it has
 * many futures. NULL: no memory. */
void *cf__span_alloc(void);
void cf__span_free(void *memory);

/* Memory that nothing has used for so long goes back: to have it again costs
 * more than to keep it till then. */
#define CF__TRIM_NS CF__MS(200)

/* Gives memory back, if enough blocks are free. The caller holds no lock. */
CF__EXPORT void cf__block_trim(void);

/* true: cf__block_trim() would. A hint. */
CF__EXPORT bool cf__block_may_trim(void);

/* The worker is about to sleep. true: it is the keeper now, and will be
 * unparked when it has to trim. That needs a program with many blocks, and no
 * other keeper. */
CF__EXPORT bool cf__block_keep(struct cf__worker *worker);
/* The worker has woken up. */
CF__EXPORT void cf__block_stop_keeping(const struct cf__worker *worker);

/* Looks whether the calling thread's cache and the depot are whole
 * (lib/base/assert.h). */
void cf__block_check(void);

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
