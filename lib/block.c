/* SPDX-License-Identifier: MIT */
/*
 * The depot of free blocks and the chunks they are cut from: see block.h.
 * depot.lock guards everything in depot; a thread's cache is its own. So the
 * blocks' next and base are never raced for here: relaxed everywhere.
 */
#include "lib/block.h"

#include "lib/forked.h"
#include "lib/stay_loaded.h"

#include <pthread.h>
#include <sys/mman.h>

enum {
    CHUNK_MIN = 64 << 10, /* bytes of the first chunk; each next is twice */
    CHUNK_MAX = 4 << 20   /* ... up to this */
};

_Thread_local struct cf__thread cf__thread;

static struct {
    pthread_mutex_t lock;
    cf_future *batches; /* first blocks, linked by next_batch */
    char *fresh;        /* not cut yet */
    size_t fresh_size;
    size_t chunk_size; /* of the last chunk */
} depot = {.lock = PTHREAD_MUTEX_INITIALIZER, .chunk_size = CHUNK_MIN / 2};

static pthread_key_t flush_key;
static pthread_once_t flush_once = PTHREAD_ONCE_INIT;
static bool flush_key_made;

/* A batch knows its size: in its first block. */
static void
set_size(cf_future *first, unsigned count)
{
    cf_store_relaxed(&first->base, count);
}

static void
put_batch(cf_future *first)
{
    pthread_mutex_lock(&depot.lock);
    first->next_batch = depot.batches;
    depot.batches = first;
    pthread_mutex_unlock(&depot.lock);
}

/* Makes the cache's blocks its batch, and moves the former batch to the depot. */
static void
bundle(struct cf__thread *t)
{
    if (t->free_batch)
        put_batch(t->free_batch);
    t->free_batch = t->free_blocks;
    if (t->free_batch)
        set_size(t->free_batch, t->free_count);
    t->free_blocks = NULL;
    t->free_count = 0;
}

/* A thread ends: what it cached serves the others. */
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

/* Without a key or memory for it the thread's last blocks are lost: at most
 * two batches. */
static void
flush_at_exit(void)
{
    pthread_once(&flush_once, make_key);
    if (flush_key_made)
        (void)pthread_setspecific(flush_key, &cf__thread);
    cf__thread.free_limit = CF__BLOCK_BATCH;
}

static bool
new_chunk_locked(void)
{
    size_t size =
        depot.chunk_size < CHUNK_MAX ? depot.chunk_size * 2 : CHUNK_MAX;
    char *memory = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    depot.fresh = memory;
    depot.fresh_size = size;
    depot.chunk_size = size;
    return true;
}

static cf_future *
cut_batch_locked(void)
{
    if (depot.fresh_size == 0 && !new_chunk_locked())
        return NULL;
    cf_future *blocks = (cf_future *)(void *)depot.fresh;
    unsigned count = CF__BLOCK_CUT;
    for (unsigned i = 0; i + 1 < count; i++)
        cf_store_relaxed(&blocks[i].next, &blocks[i + 1]);
    cf_store_relaxed(&blocks[count - 1].next, NULL);
    set_size(blocks, count);
    depot.fresh += count * sizeof *blocks;
    depot.fresh_size -= count * sizeof *blocks;
    return blocks;
}

static cf_future *
get_batch(void)
{
    pthread_mutex_lock(&depot.lock);
    cf_future *first = depot.batches;
    if (first)
        depot.batches = first->next_batch;
    else
        first = cut_batch_locked();
    pthread_mutex_unlock(&depot.lock);
    return first;
}

/* --- the slow ways --------------------------------------------------------- */

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
    return first;
}

/* The cache is full. */
static void
flush(struct cf__thread *t)
{
    if (t->free_limit == 0)
        flush_at_exit(); /* the thread's first */
    else
        bundle(t);
}

/* --- around a fork --------------------------------------------------------- */

void
cf__block_close_cache(void)
{
    struct cf__thread *t = &cf__thread;
    t->kept_blocks = t->free_blocks;
    t->kept_count = t->free_count;
    t->kept_limit = t->free_limit;
    t->free_blocks = NULL;
    t->free_count = t->free_limit = 0;
    t->closed = true;
}

void
cf__block_open_cache(void)
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
    cf__block_open_cache();
    cf_future *f = t->free_blocks;
    if (f) {
        t->free_blocks = cf_load_relaxed(&f->next); /* the thread's */
        t->free_count--;
    } else {
        f = refill(t);
    }
    cf__block_close_cache();
    return f;
}

/* The cache's only block has just been freed. */
static void
free_closed(struct cf__thread *t)
{
    cf_future *f = t->free_blocks;
    cf__notice_fork();
    cf__block_open_cache();
    cf_store_relaxed(&f->next, t->free_blocks); /* the thread's */
    t->free_blocks = f;
    if (++t->free_count >= t->free_limit)
        flush(t);
    cf__block_close_cache();
}

void
cf__block_after_fork(void)
{
    if (pthread_mutex_trylock(&depot.lock) == 0) {
        pthread_mutex_unlock(&depot.lock);
        return;
    }
    /* Held by a thread that is not here: what it guards may be half changed,
     * and stays with the parent. */
    pthread_mutex_init(&depot.lock, NULL);
    depot.batches = NULL;
    depot.fresh_size = 0;
}

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
