/* SPDX-License-Identifier: MIT */
/*
 * The depot of free blocks: see depot.h. depot.lock guards everything in depot.
 * No two threads use a block's next or base at once here: all accesses are
 * relaxed.
 */
#include "lib/future/depot.h"

#include "lib/base/assert.h"
#include "lib/base/worker.h"

#include <pthread.h>

enum { KEEP = 65536 }; /* the reserve: free blocks that stay; 8 MiB */

static struct {
    pthread_mutex_t lock;
    cf_future *batches; /* first blocks, linked by next_batch */
    /* Atomic, for threads that ask without the lock. */
    _Atomic size_t count; /* how many blocks these batches have */
    _Atomic size_t limit; /* with more, it pays to give some back */
    atomic_bool large;    /* the program has more blocks than the least limit */
    /* Sleeps; the thread that puts the depot over limit wakes it. Or NULL. */
    struct cf__worker *keeper;
} depot = {.lock = PTHREAD_MUTEX_INITIALIZER, .limit = (size_t)2 * KEEP};

static void
put_locked(cf_future *first)
{
    first->next_batch = depot.batches;
    depot.batches = first;
    size_t count =
        cf_load_relaxed(&depot.count) + cf_load_relaxed(&first->base);
    cf_store_relaxed(&depot.count, count);
}

void
cf__depot_put(cf_future *first)
{
    pthread_mutex_lock(&depot.lock);
    put_locked(first);
    if (__builtin_expect(depot.keeper && cf__block_may_trim(), 0)) {
        cf__worker_unpark(depot.keeper);
        depot.keeper = NULL;
    }
    pthread_mutex_unlock(&depot.lock);
}

/* --- batches for caches -------------------------------------------------- */

static void
note_size_locked(void)
{
    bool large = cf__block_count_locked() > 2 * (size_t)KEEP;
    cf_store_relaxed(&depot.large, large); /* a hint */
}

static cf_future *
cut_batch_locked(void)
{
    cf_future *blocks;
    unsigned count = cf__block_cut_locked(CF__BLOCK_CUT, &blocks);
    note_size_locked();
    if (count == 0)
        return NULL;
    for (unsigned i = 0; i + 1 < count; i++)
        cf_store_relaxed(&blocks[i].next, &blocks[i + 1]);
    cf_store_relaxed(&blocks[count - 1].next, NULL);
    cf__batch_set_size(blocks, count);
    return blocks;
}

static cf_future *
take_batch_locked(void)
{
    cf_future *first = depot.batches;
    depot.batches = first->next_batch;
    size_t count =
        cf_load_relaxed(&depot.count) - cf_load_relaxed(&first->base);
    cf_store_relaxed(&depot.count, count);
    /* They will be in use again, so more may come free. */
    if (count + (size_t)2 * KEEP < cf_load_relaxed(&depot.limit))
        cf_store_relaxed(&depot.limit, count + (size_t)2 * KEEP);
    return first;
}

cf_future *
cf__depot_get(void)
{
    pthread_mutex_lock(&depot.lock);
    cf_future *first = depot.batches ? take_batch_locked() : cut_batch_locked();
    pthread_mutex_unlock(&depot.lock);
    return first;
}

/* --- giving back ---------------------------------------------------------- */

bool
cf__block_may_trim(void)
{
    /* hints */
    return cf_load_relaxed(&depot.count) > cf_load_relaxed(&depot.limit);
}

/* Takes out the surplus. The reserve is the first batches: those that were put
 * back last. */
static cf_future *
take_surplus_locked(void)
{
    cf_future **at = &depot.batches;
    size_t kept = 0;
    for (; *at && kept < KEEP; at = &(*at)->next_batch)
        kept += cf_load_relaxed(&(*at)->base);
    cf_future *surplus = *at;
    *at = NULL;
    cf_store_relaxed(&depot.count, kept);
    return surplus;
}

struct cf__block_sort *
cf__depot_take_surplus(cf_future **surplus)
{
    struct cf__block_sort *sort = NULL;
    pthread_mutex_lock(&depot.lock);
    if (cf__block_may_trim()) /* no other thread has done it meanwhile */
        sort = cf__block_sort_begin_locked();
    *surplus = sort ? take_surplus_locked() : NULL;
    pthread_mutex_unlock(&depot.lock);
    return sort;
}

void
cf__depot_return_surplus(struct cf__block_sort *sort, cf_future *batches)
{
    pthread_mutex_lock(&depot.lock);
    cf__block_sort_end_locked(sort);
    note_size_locked();
    while (batches) {
        cf_future *batch = batches;
        batches = batch->next_batch;
        put_locked(batch);
    }
    /* The next trim comes when so many more are free that they pay for it. */
    size_t count = cf_load_relaxed(&depot.count);
    cf_store_relaxed(&depot.limit, count + count / 16 + KEEP);
    pthread_mutex_unlock(&depot.lock);
}

bool
cf__block_keep(struct cf__worker *worker)
{
    bool keeps = false;
    if (!cf_load_relaxed(&depot.large)) /* a hint */
        return false;
    pthread_mutex_lock(&depot.lock);
    if (!depot.keeper) {
        depot.keeper = worker;
        keeps = true;
    }
    pthread_mutex_unlock(&depot.lock);
    return keeps;
}

void
cf__block_stop_keeping(const struct cf__worker *worker)
{
    pthread_mutex_lock(&depot.lock);
    if (depot.keeper == worker)
        depot.keeper = NULL;
    pthread_mutex_unlock(&depot.lock);
}

void
cf__depot_after_fork(void)
{
    depot.keeper = NULL; /* its thread is not here */
    if (pthread_mutex_trylock(&depot.lock) == 0) {
        pthread_mutex_unlock(&depot.lock);
        return;
    }
    /* A thread that is not here holds the lock. What it guards may be half
     * changed: the child begins with nothing. */
    pthread_mutex_init(&depot.lock, NULL);
    depot.batches = NULL;
    cf_store_relaxed(&depot.count, 0);
    cf__block_memory_forget();
}

/* --- is it whole? --------------------------------------------------------- */

void
cf__batch_check(const cf_future *first)
{
    cf__assert(cf_load_relaxed(&first->base) >= 1);
    cf__assert(cf_load_relaxed(&first->base) <= CF__BLOCK_BATCH);
}

void
cf__depot_check(void)
{
    size_t count = 0;
    pthread_mutex_lock(&depot.lock);
    for (const cf_future *at = depot.batches; at; at = at->next_batch) {
        cf__batch_check(at);
        count += cf_load_relaxed(&at->base);
    }
    cf__assert(count == cf_load_relaxed(&depot.count));
    pthread_mutex_unlock(&depot.lock);
}
