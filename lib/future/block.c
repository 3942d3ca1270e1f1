/* SPDX-License-Identifier: MIT */
/*
 * The threads' caches of free blocks: see block.h. A thread's cache is its own,
 * so no two threads use a block's next or base at once here: all accesses are
 * relaxed.
 */
#include "lib/future/block.h"

#include "lib/base/assert.h"
#include "lib/base/forked.h"
#include "lib/base/stay_loaded.h"
#include "lib/future/depot.h"

#include <pthread.h>

static pthread_key_t flush_key;
static pthread_once_t flush_once = PTHREAD_ONCE_INIT;
static bool flush_key_made;

#ifdef CF_ASSERTIONS

/* Blocks that are linked from f on. */
static unsigned
length(const cf_future *f)
{
    unsigned count = 0;
    for (; f && count <= CF__BLOCK_BATCH; f = cf_load_relaxed(&f->next))
        count++;
    return count;
}

static void
check_cache(const struct cf__thread *t)
{
    cf__assert(length(t->free_blocks) == t->free_count);
    if (t->free_batch) {
        cf__batch_check(t->free_batch);
        cf__assert(length(t->free_batch) ==
                   cf_load_relaxed(&t->free_batch->base));
    }
}

#endif

void
cf__block_check(void)
{
#ifdef CF_ASSERTIONS
    cf__notice_fork();
    check_cache(&cf__thread);
    cf__depot_check();
#endif
}

/* Makes the cache's blocks its batch. The former batch goes to the depot. */
static void
bundle(struct cf__thread *t)
{
    cf__check(check_cache(t));
    if (t->free_batch)
        cf__depot_put(t->free_batch);
    t->free_batch = t->free_blocks;
    if (t->free_batch)
        cf__batch_set_size(t->free_batch, t->free_count);
    t->free_blocks = NULL;
    t->free_count = 0;
}

/* A thread ends: its cache goes to the depot. */
static void
flush_all(void *thread)
{
    struct cf__thread *t = thread;
    cf__notice_fork();
    bundle(t);
    bundle(t);
    t->free_limit = 0; /* a later destructor may free more */
}

static void
make_key(void)
{
    flush_key_made =
        cf__stay_loaded() && pthread_key_create(&flush_key, flush_all) == 0;
}

/* If there is no key, or no memory for its value, the blocks that are in the
 * cache when the thread ends are lost: at most two batches. */
static void
flush_at_exit(void)
{
    pthread_once(&flush_once, make_key);
    if (flush_key_made)
        (void)pthread_setspecific(flush_key, &cf__thread);
    cf__thread.free_limit = CF__BLOCK_BATCH;
}

/* --- the slow ways -------------------------------------------------------- */

/* Fills an empty cache and takes a block. */
static cf_future *
refill(struct cf__thread *t)
{
    cf_future *first = t->free_batch;
    t->free_batch = NULL;
    if (!first && t->reserved_batches) {
        first = t->reserved_batches;
        t->reserved_batches = first->next_batch;
    }
    if (!first)
        first = cf__depot_get();
    if (!first)
        return NULL;
    if (t->free_limit == 0)
        flush_at_exit();
    t->free_blocks = cf_load_relaxed(&first->next);
    t->free_count = cf_load_relaxed(&first->base) - 1;
    cf__check(check_cache(t));
    return first;
}

/* The cache is at its limit. */
static void
flush(struct cf__thread *t)
{
    if (t->free_limit == 0)
        flush_at_exit(); /* the thread's first */
    else
        bundle(t);
}

/* --- around a fork -------------------------------------------------------- */

static void
close_cache(void)
{
    struct cf__thread *t = &cf__thread;
    t->kept_blocks = t->free_blocks;
    t->kept_count = t->free_count;
    t->kept_limit = t->free_limit;
    t->free_blocks = NULL;
    t->free_count = t->free_limit = 0;
    t->closed = true;
}

static void
open_cache(void)
{
    struct cf__thread *t = &cf__thread;
    t->free_blocks = t->kept_blocks;
    t->free_count = t->kept_count;
    t->free_limit = t->kept_limit;
    t->closed = false;
}

static cf_future *
alloc_closed(struct cf__thread *t)
{
    cf__notice_fork();
    open_cache();
    cf_future *f = t->free_blocks;
    if (f) {
        t->free_blocks = cf_load_relaxed(&f->next); /* the thread's */
        t->free_count--;
    } else {
        f = refill(t);
    }
    close_cache();
    return f;
}

/* The calling thread has just freed a block, the only one of the closed
 * cache. */
static void
free_closed(struct cf__thread *t)
{
    cf_future *f = t->free_blocks;
    cf__notice_fork();
    open_cache();
    cf_store_relaxed(&f->next, t->free_blocks); /* the thread's */
    t->free_blocks = f;
    if (++t->free_count >= t->free_limit)
        flush(t);
    close_cache();
}

CF__FORK_STEPS(CF__FORK_BLOCKS,
               .before = close_cache,
               .after = open_cache,
               .in_child = cf__depot_after_fork);

cf_future *
cf__block_refill(void)
{
    if (cf__thread.closed)
        return alloc_closed(&cf__thread);
    cf__notice_fork();
    return refill(&cf__thread);
}

bool
cf__block_reserve(size_t count)
{
    struct cf__thread *t = &cf__thread;
    cf_future **end = &t->reserved_batches;
    cf__assert(!t->closed && !*end);
    cf__notice_fork();
    size_t has = t->free_count;
    while (has < count) {
        /* The cache's own batch first. It would go to the depot if this thread
         * freed many blocks before it allocates these. A full cache becomes a
         * batch then, which has no fewer blocks than the cache has now. */
        cf_future *batch = t->free_batch ? t->free_batch : cf__depot_get();
        t->free_batch = NULL;
        if (!batch) {
            cf__block_unreserve();
            return false;
        }
        batch->next_batch = NULL;
        *end = batch; /* in the order of their addresses, if they are new */
        end = &batch->next_batch;
        has += cf_load_relaxed(&batch->base);
    }
    return true;
}

void
cf__block_unreserve(void)
{
    struct cf__thread *t = &cf__thread;
    while (t->reserved_batches) {
        cf_future *batch = t->reserved_batches;
        t->reserved_batches = batch->next_batch;
        cf__depot_put(batch);
    }
}

void
cf__block_flush(void)
{
    if (cf__thread.closed) {
        free_closed(&cf__thread);
    } else {
        cf__notice_fork();
        flush(&cf__thread);
    }
}
