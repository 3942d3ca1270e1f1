/* SPDX-License-Identifier: MIT */
/*
 * The depot of free blocks and the chunks they are cut from: see block.h.
 * depot.lock guards everything in depot; a thread's cache is its own.
 */
#include "lib/block.h"

#include <pthread.h>
#include <sys/mman.h>

enum {
    CHUNK_MIN = 64 << 10, /* bytes of the first chunk; each next is twice */
    CHUNK_MAX = 4 << 20,  /* ... up to this */
    HUGE_PAGE = 2 << 20
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

static void
put_batch(cf_future *first)
{
    pthread_mutex_lock(&depot.lock);
    first->next_batch = depot.batches;
    depot.batches = first;
    pthread_mutex_unlock(&depot.lock);
}

/* A thread ends: what it cached serves the others. */
static void
flush_all(void *thread)
{
    struct cf__thread *t = thread;
    if (t->free_blocks)
        put_batch(t->free_blocks);
    t->free_blocks = NULL;
    t->free_count = 0;
    t->flushed_at_exit = false; /* a later destructor may free more */
}

static void
make_key(void)
{
    flush_key_made = pthread_key_create(&flush_key, flush_all) == 0;
}

/* Without a key or memory for it the thread's last blocks are lost: at most
 * two batches. */
static void
flush_at_exit(void)
{
    pthread_once(&flush_once, make_key);
    if (flush_key_made && pthread_setspecific(flush_key, &cf__thread) == 0)
        cf__thread.flushed_at_exit = true;
}

/* The system gives zeroed pages; large chunks ask for huge ones. */
static bool
new_chunk_locked(void)
{
    size_t size =
        depot.chunk_size < CHUNK_MAX ? depot.chunk_size * 2 : depot.chunk_size;
    size_t slack = size >= HUGE_PAGE ? HUGE_PAGE : 0;
    char *memory = mmap(NULL,
                        size + slack,
                        PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS,
                        -1,
                        0);
    if (memory == MAP_FAILED)
        return false;
    if (slack) {
        size_t skip = (HUGE_PAGE - ((uintptr_t)memory & (HUGE_PAGE - 1))) &
                      (HUGE_PAGE - 1);
        if (skip)
            (void)munmap(memory, skip);
        if (slack - skip)
            (void)munmap(memory + skip + size, slack - skip);
        memory += skip;
        (void)madvise(memory, size, MADV_HUGEPAGE); /* a wish */
    }
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
    size_t count = CF__BLOCK_BATCH;
    for (size_t i = 0; i + 1 < count; i++)
        blocks[i].next = &blocks[i + 1];
    blocks[count - 1].next = NULL;
    depot.fresh += count * sizeof *blocks;
    depot.fresh_size -= count * sizeof *blocks;
    return blocks;
}

cf_future *
cf__block_refill(void)
{
    pthread_mutex_lock(&depot.lock);
    cf_future *first = depot.batches;
    if (first)
        depot.batches = first->next_batch;
    else
        first = cut_batch_locked();
    pthread_mutex_unlock(&depot.lock);
    if (!first)
        return NULL;
    if (!cf__thread.flushed_at_exit)
        flush_at_exit();
    /* Batches of ended threads may be short or long; the count only decides
     * when to flush. */
    cf__thread.free_blocks = first->next;
    cf__thread.free_count = CF__BLOCK_BATCH - 1;
    return first;
}

void
cf__block_flush(void)
{
    if (!cf__thread.flushed_at_exit)
        flush_at_exit();
    cf_future *first = cf__thread.free_blocks;
    cf_future *last = first;
    for (int i = 1; i < CF__BLOCK_BATCH && last->next; i++)
        last = last->next;
    cf__thread.free_blocks = last->next;
    cf__thread.free_count -= CF__BLOCK_BATCH;
    last->next = NULL;
    put_batch(first);
}

void
cf__block_lock(void)
{
    pthread_mutex_lock(&depot.lock);
}

void
cf__block_unlock(void)
{
    pthread_mutex_unlock(&depot.lock);
}
