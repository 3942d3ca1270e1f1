/* SPDX-License-Identifier: MIT */
/*
 * The depot of free blocks: see depot.h. depot.lock guards everything in depot.
 * No two threads use a block's next or base at once here: all accesses are
 * relaxed.
 */
#include "lib/future/depot.h"

#include "lib/base/assert.h"
#include "lib/base/forked.h"
#include "lib/base/large.h"
#include "lib/base/worker.h"

#include <pthread.h>

enum {
    KEEP = 65536,    /* the reserve: free blocks that stay; 8 MiB */
    KEEP_SPANS = 256 /* the reserve of spans; 1 MiB */
};

/* A free one. */
struct span {
    struct span *next;
};

static struct {
    pthread_mutex_t lock;
    cf_future *batches; /* first blocks, linked by next_batch */
    struct span *spans; /* linked by next */
    /* Atomic, for threads that ask without the lock. */
    _Atomic size_t count; /* how many blocks these batches and spans have */
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

static void
wake_keeper_locked(void)
{
    if (__builtin_expect(depot.keeper && cf__block_may_trim(), 0)) {
        cf__worker_unpark(depot.keeper);
        depot.keeper = NULL;
    }
}

void
cf__depot_put(cf_future *first)
{
    pthread_mutex_lock(&depot.lock);
    put_locked(first);
    wake_keeper_locked();
    pthread_mutex_unlock(&depot.lock);
}

void
cf__span_free(void *memory)
{
    struct span *span = memory;
    cf__notice_fork();
    pthread_mutex_lock(&depot.lock);
    span->next = depot.spans;
    depot.spans = span;
    size_t count = cf_load_relaxed(&depot.count) + CF__SPAN_BLOCKS;
    cf_store_relaxed(&depot.count, count);
    wake_keeper_locked();
    pthread_mutex_unlock(&depot.lock);
}

/* --- batches for caches -------------------------------------------------- */

static void
note_size_locked(void)
{
    bool large = cf__block_count_locked() > 2 * (size_t)KEEP;
    cf_store_relaxed(&depot.large, large); /* a hint */
}

/* Makes new blocks that lie in one piece a batch. */
static cf_future *
make_batch(cf_future *blocks, unsigned count)
{
    for (unsigned i = 0; i + 1 < count; i++)
        cf_store_relaxed(&blocks[i].next, &blocks[i + 1]);
    cf_store_relaxed(&blocks[count - 1].next, NULL);
    cf__batch_set_size(blocks, count);
    return blocks;
}

/* New memory for up to count blocks, in one piece; sets count to how many. */
static cf_future *
cut_locked(unsigned *count, struct cf__ahead *ahead)
{
    cf_future *blocks = NULL;
    *count = cf__block_cut_locked(*count, &blocks, ahead);
    note_size_locked();
    return blocks;
}

static void
note_taken_locked(size_t blocks)
{
    size_t count = cf_load_relaxed(&depot.count) - blocks;
    cf_store_relaxed(&depot.count, count);
    /* They will be in use again, so more may come free. */
    if (count + (size_t)2 * KEEP < cf_load_relaxed(&depot.limit))
        cf_store_relaxed(&depot.limit, count + (size_t)2 * KEEP);
}

/* The batch that a free span becomes. A free block has no handle: so its word
 * is zero. */
static cf_future *
batch_of_span(void *span)
{
    memset(span, 0, CF__SPAN_SIZE);
    return make_batch(span, CF__SPAN_BLOCKS);
}

static cf_future *
take_batch_locked(void)
{
    cf_future *first = depot.batches;
    depot.batches = first->next_batch;
    note_taken_locked(cf_load_relaxed(&first->base));
    return first;
}

static void *
take_span_locked(void)
{
    struct span *span = depot.spans;
    depot.spans = span->next;
    note_taken_locked(CF__SPAN_BLOCKS);
    return span;
}

cf_future *
cf__depot_get(void)
{
    cf_future *first = NULL, *new_blocks = NULL;
    void *span = NULL;
    unsigned count = CF__BLOCK_CUT; /* of new blocks */
    struct cf__ahead ahead = {NULL, 0};
    pthread_mutex_lock(&depot.lock);
    if (depot.batches)
        first = take_batch_locked();
    else if (depot.spans)
        span = take_span_locked();
    else
        new_blocks = cut_locked(&count, &ahead);
    pthread_mutex_unlock(&depot.lock);
    if (ahead.size)
        cf__large_populate(ahead.start, ahead.size);
    if (span)
        return batch_of_span(span);
    return new_blocks ? make_batch(new_blocks, count) : first;
}

/* All that is cut is a multiple of a span, so what is left for it is one. */
_Static_assert(CF__BLOCK_CUT % CF__SPAN_BLOCKS == 0 && CF__SPAN_SIZE <= 4096,
               "a page is whole spans, and so is a batch that is cut");

void *
cf__span_alloc(void)
{
    unsigned count = CF__SPAN_BLOCKS;
    struct cf__ahead ahead = {NULL, 0};
    cf__notice_fork();
    pthread_mutex_lock(&depot.lock);
    void *span = depot.spans ? take_span_locked() : cut_locked(&count, &ahead);
    cf__assert(!span || count == CF__SPAN_BLOCKS);
    pthread_mutex_unlock(&depot.lock);
    if (ahead.size)
        cf__large_populate(ahead.start, ahead.size);
    return span;
}

/* --- giving back ---------------------------------------------------------- */

bool
cf__block_may_trim(void)
{
    /* hints */
    return cf_load_relaxed(&depot.count) > cf_load_relaxed(&depot.limit);
}

/* Takes out the spans behind the first KEEP_SPANS, as batches in front of
 * surplus. Adds to *kept the blocks of the others. */
static cf_future *
take_surplus_spans_locked(cf_future *surplus, size_t *kept)
{
    struct span **at = &depot.spans;
    for (int i = 0; *at && i < KEEP_SPANS; i++, at = &(*at)->next)
        *kept += CF__SPAN_BLOCKS;
    struct span *span = *at;
    *at = NULL;
    for (struct span *next; span; span = next) {
        next = span->next;
        cf_future *batch = batch_of_span(span);
        batch->next_batch = surplus;
        surplus = batch;
    }
    return surplus;
}

/* Takes out the surplus. The reserve is the first batches and spans: those that
 * were put back last. */
static cf_future *
take_surplus_locked(void)
{
    cf_future **at = &depot.batches;
    size_t kept = 0;
    for (; *at && kept < KEEP; at = &(*at)->next_batch)
        kept += cf_load_relaxed(&(*at)->base);
    cf_future *surplus = *at;
    *at = NULL;
    surplus = take_surplus_spans_locked(surplus, &kept);
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
    depot.spans = NULL;
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
    for (const struct span *at = depot.spans; at; at = at->next) {
        cf__assert((uintptr_t)at % CF__SPAN_SIZE == 0);
        count += CF__SPAN_BLOCKS;
    }
    cf__assert(count == cf_load_relaxed(&depot.count));
    pthread_mutex_unlock(&depot.lock);
}
