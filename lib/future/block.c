/* SPDX-License-Identifier: MIT */
/*
 * The depot of free blocks: see block.h. depot.lock guards everything in depot,
 * and a thread's cache is its own. So no two threads use a block's next or base
 * at once here: all accesses are relaxed.
 */
#include "lib/future/block.h"

#include "lib/base/assert.h"
#include "lib/base/forked.h"
#include "lib/base/stay_loaded.h"
#include "lib/base/worker.h"
#include "lib/future/block_memory.h"

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

static pthread_key_t flush_key;
static pthread_once_t flush_once = PTHREAD_ONCE_INIT;
static bool flush_key_made;

/* The first block of a batch has the size of the batch. */
static void
set_size(cf_future *first, unsigned count)
{
    cf_store_relaxed(&first->base, count);
}

static void
put_batch_locked(cf_future *first)
{
    first->next_batch = depot.batches;
    depot.batches = first;
    size_t count =
        cf_load_relaxed(&depot.count) + cf_load_relaxed(&first->base);
    cf_store_relaxed(&depot.count, count);
}

static void
put_batch(cf_future *first)
{
    pthread_mutex_lock(&depot.lock);
    put_batch_locked(first);
    if (__builtin_expect(depot.keeper && cf__block_may_trim(), 0)) {
        cf__worker_unpark(depot.keeper);
        depot.keeper = NULL;
    }
    pthread_mutex_unlock(&depot.lock);
}

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
check_batch(const cf_future *first)
{
    uint32_t size = cf_load_relaxed(&first->base);
    cf__assert(size >= 1 && size <= CF__BLOCK_BATCH);
}

static void
check_cache(const struct cf__thread *t)
{
    cf__assert(length(t->free_blocks) == t->free_count);
    if (t->free_batch) {
        check_batch(t->free_batch);
        cf__assert(length(t->free_batch) ==
                   cf_load_relaxed(&t->free_batch->base));
    }
}

static void
check_depot_locked(void)
{
    size_t count = 0;
    for (const cf_future *at = depot.batches; at; at = at->next_batch) {
        check_batch(at);
        count += cf_load_relaxed(&at->base);
    }
    cf__assert(count == cf_load_relaxed(&depot.count));
}

#endif

void
cf__block_check(void)
{
#ifdef CF_ASSERTIONS
    cf__notice_fork();
    check_cache(&cf__thread);
    pthread_mutex_lock(&depot.lock);
    check_depot_locked();
    pthread_mutex_unlock(&depot.lock);
#endif
}

/* Makes the cache's blocks its batch. The former batch goes to the depot. */
static void
bundle(struct cf__thread *t)
{
    cf__check(check_cache(t));
    if (t->free_batch)
        put_batch(t->free_batch);
    t->free_batch = t->free_blocks;
    if (t->free_batch)
        set_size(t->free_batch, t->free_count);
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
    set_size(blocks, count);
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

static cf_future *
get_batch(void)
{
    pthread_mutex_lock(&depot.lock);
    cf_future *first = depot.batches ? take_batch_locked() : cut_batch_locked();
    pthread_mutex_unlock(&depot.lock);
    return first;
}

/* --- the slow ways -------------------------------------------------------- */

/* Fills an empty cache and takes a block. */
static cf_future *
refill(struct cf__thread *t)
{
    cf_future *first = t->free_batch;
    t->free_batch = NULL;
    if (!first)
        first = get_batch();
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

/* Makes new batches of the blocks whose pages are not given back. */
static cf_future *
without_gone(struct cf__block_sort *sort, cf_future *batches)
{
    cf_future *stay = NULL, *blocks = NULL;
    unsigned count = 0;
    for (cf_future *batch = batches, *next_batch; batch; batch = next_batch) {
        next_batch = batch->next_batch;
        for (cf_future *f = batch, *next; f; f = next) {
            next = cf_load_relaxed(&f->next);
            if (sort && cf__block_sort_is_gone(sort, f))
                continue;
            cf_store_relaxed(&f->next, blocks);
            blocks = f;
            if (++count < CF__BLOCK_BATCH && (next || next_batch))
                continue;
            set_size(blocks, count);
            blocks->next_batch = stay;
            stay = blocks;
            blocks = NULL;
            count = 0;
        }
    }
    if (blocks) { /* the list ended with blocks that are gone */
        set_size(blocks, count);
        blocks->next_batch = stay;
        stay = blocks;
    }
    return stay;
}

void
cf__block_trim(void)
{
    if (!cf__block_may_trim())
        return;
    pthread_mutex_lock(&depot.lock);
    struct cf__block_sort *sort = NULL;
    if (cf__block_may_trim()) /* no other thread has done it meanwhile */
        sort = cf__block_sort_begin_locked();
    cf_future *surplus = sort ? take_surplus_locked() : NULL;
    pthread_mutex_unlock(&depot.lock);
    if (!sort)
        return;
    /* No other thread has the surplus, so its blocks stay free meanwhile. */
    for (cf_future *batch = surplus; batch; batch = batch->next_batch)
        for (cf_future *f = batch; f; f = cf_load_relaxed(&f->next))
            cf__block_sort_count(sort, f);
    surplus = without_gone(sort, surplus);
    (void)cf__block_sort_give_back(sort);
    pthread_mutex_lock(&depot.lock);
    cf__block_sort_end_locked(sort);
    note_size_locked();
    while (surplus) {
        cf_future *batch = surplus;
        surplus = batch->next_batch;
        put_batch_locked(batch);
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

static void
make_usable(void)
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

CF__FORK_STEPS(CF__FORK_BLOCKS,
               .before = close_cache,
               .after = open_cache,
               .in_child = make_usable);

cf_future *
cf__block_refill(void)
{
    if (cf__thread.closed)
        return alloc_closed(&cf__thread);
    cf__notice_fork();
    return refill(&cf__thread);
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
