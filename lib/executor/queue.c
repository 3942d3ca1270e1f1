/* SPDX-License-Identifier: MIT */
/*
 * The queue of an executor: see queue.h and README.md. The holder of
 * refill_lock is the inbox's taker.
 */
#include "lib/executor/queue.h"

#include "lib/base/assert.h"
#include "lib/future/life.h"

#include <stdlib.h>

/* Tasks moved at once: other workers wait meanwhile. */
enum { REFILL_MAX = 128 };

void
cf__queue_init(struct cf__queue *q)
{
    memset(q, 0, sizeof *q);
    cf__inbox_init(&q->inbox);
    cf_store_relaxed(&q->heap_top, INT64_MIN); /* no other thread knows q yet */
    pthread_mutex_init(&q->heap_lock, NULL);
}

void
cf__queue_fini(struct cf__queue *q)
{
    pthread_mutex_destroy(&q->heap_lock);
    cf__task_heap_fini(&q->heap);
    cf__inbox_fini(&q->inbox);
}

/* A gap comes next in the inbox, and the ring is empty: both ends of the ring
 * move on. The swap of a taker that has read the former top fails. */
static void
pass_gap_locked(struct cf__queue *q, uint64_t first)
{
    uint64_t gap = cf__inbox_skip(&q->inbox);
    q->gaps -= gap;
    /* pair with take. ring_top first: else a taker could take a place of the
     * gap. */
    cf_store_release(&q->ring_top, first + gap);
    cf_store_release(&q->ring_bottom, first + gap);
}

/* Moves the oldest tasks of the inbox to the ring, as many as fit. true: the
 * inbox had tasks or gaps, so the caller looks again. */
static bool
fill_ring_locked(struct cf__queue *q)
{
    uint64_t first = cf_load_relaxed(&q->ring_bottom); /* the holder's own */
    uint64_t end = cf_load_acquire(&q->inbox.pushed);  /* pairs with push */
    /* pairs with take: the slots before it have been read */
    uint64_t room = cf_load_acquire(&q->ring_top) + CF__RING_SIZE - first;
    if (room > REFILL_MAX)
        room = REFILL_MAX;
    if (end - first > room)
        end = first + room;
    uint64_t filled =
        cf__inbox_take(&q->inbox, first, end, q->ring, CF__RING_SIZE);
    if (__builtin_expect(filled == first, 0)) {
        if (end != first && cf_load_acquire(&q->ring_top) == first)
            pass_gap_locked(q, first);
        return end != first;
    }
    /* pairs with take: publishes the slots */
    cf_store_release(&q->ring_bottom, filled);
    return true;
}

/* false: there is nothing to refill with, or another thread is refilling. It is
 * called seldom, and noinline keeps its registers from being saved at each
 * take. */
__attribute__((noinline)) static bool
refill(struct cf__queue *q)
{
    /* Hints: a thread that gets the lock looks again. */
    if (cf_load_relaxed(&q->inbox.pushed) == cf_load_relaxed(&q->ring_bottom) ||
        !cf__lock_try(&q->refill_lock))
        return false;
    bool moved = fill_ring_locked(q);
    cf__unlock(&q->refill_lock);
    return moved;
}

cf_future *
cf__queue_take(struct cf__queue *q)
{
    for (;;) {
        cf_future *f = cf__queue_take_at_once(q);
        if (f)
            return f;
        /* hints: another taker was faster; the ring has more */
        if (cf_load_relaxed(&q->ring_top) < cf_load_relaxed(&q->ring_bottom))
            continue;
        if (!refill(q))
            return NULL;
    }
}

size_t
cf__queue_take_run(struct cf__queue *q, cf_future **run, size_t most)
{
    /* pairs with the other takers' swap */
    uint64_t top = cf_load_acquire(&q->ring_top);
    for (;;) {
        /* pairs with fill_ring_locked: the slots before it are written */
        uint64_t bottom = cf_load_acquire(&q->ring_bottom);
        if (top >= bottom) {
            if (!refill(q))
                return 0;
            top = cf_load_acquire(&q->ring_top); /* as above */
            continue;
        }
        size_t count = bottom - top < most ? (size_t)(bottom - top) : most;
        /* The slots may be overwritten once top has moved on, as in take. */
        for (size_t i = 0; i < count; i++)
            run[i] = cf_load_relaxed(&q->ring[(top + i) % CF__RING_SIZE]);
        /* pairs with fill_ring_locked: the slots have been read */
        if (cf_cas_acq_rel(&q->ring_top, &top, top + count)) {
            for (size_t i = 0; i < count; i++)
                cf__prefetch_to_write(run[i]);
            return count;
        }
    }
}

void
cf__queue_await_refill(struct cf__queue *q)
{
    if (!cf__lock_is_held(&q->refill_lock))
        return;
    cf__lock(&q->refill_lock);
    cf__unlock(&q->refill_lock);
}

/* At least half as many entries as there are may have to go. calls can be less
 * than swept_at: a caller can be late, when the last sweep knew more calls. */
static bool
is_due(uint64_t calls, uint64_t swept_at, uint64_t entries)
{
    return entries > 0 && (int64_t)(calls - swept_at) * 2 >= (int64_t)entries;
}

static size_t
sweep_inbox_locked(struct cf__queue *q, uint64_t calls, cf_future **swept)
{
    /* the holder's own; and a hint */
    uint64_t places =
        cf_load_relaxed(&q->inbox.pushed) - cf_load_relaxed(&q->ring_bottom);
    bool due = is_due(calls, q->inbox_swept_at, places - q->gaps);
    *swept = NULL;
    if (!cf__inbox_sweeps(&q->inbox)) {
        if (!due)
            return 0;
        q->inbox_swept_at = calls;
    }
    size_t count = cf__inbox_sweep(&q->inbox, due, swept);
    q->gaps += count;
    return count;
}

cf_future *
cf__queue_tidy(struct cf__queue *q, uint64_t calls)
{
    cf_future *swept, *from_heap = NULL;
    if (!cf__lock_try(&q->refill_lock))
        return NULL; /* a later call does it */
    (void)sweep_inbox_locked(q, calls, &swept);
    pthread_mutex_lock(&q->heap_lock);
    bool due = is_due(calls, q->heap_swept_at, q->heap.count);
    pthread_mutex_unlock(&q->heap_lock);
    if (due) {
        q->heap_swept_at = calls;
        from_heap = cf__queue_sweep_heap(q);
    }
    cf__unlock(&q->refill_lock);
    return cf__future_link_lists(swept, from_heap);
}

uint64_t
cf__queue_count(struct cf__queue *q)
{
    pthread_mutex_lock(&q->heap_lock);
    uint64_t count = q->heap_pushed;
    pthread_mutex_unlock(&q->heap_lock);
    return count + cf_load_relaxed(&q->inbox.pushed); /* a counter */
}

void
cf__queue_open(struct cf__queue *q)
{
    cf__inbox_set_closed(&q->inbox, false);
}

void
cf__queue_close(struct cf__queue *q)
{
    pthread_mutex_lock(&q->heap_lock); /* for pushes to the heap */
    cf__inbox_set_closed(&q->inbox, true);
    pthread_mutex_unlock(&q->heap_lock);
}

bool
cf__queue_close_if_empty(struct cf__queue *q)
{
    pthread_mutex_lock(&q->heap_lock);
    /* ring_top never runs ahead of pushed: if they are equal under the inbox's
     * lock, the inbox is empty and stays so. */
    uint64_t taken = cf_load_relaxed(&q->ring_top);
    bool closed = q->heap.count == 0 && cf__inbox_close_after(&q->inbox, taken);
    pthread_mutex_unlock(&q->heap_lock);
    return closed;
}

#ifdef CF_ASSERTIONS
static void
check_ring_locked(struct cf__queue *q)
{
    uint64_t bottom = cf_load_relaxed(&q->ring_bottom); /* the holder's own */
    uint64_t top = cf_load_acquire(&q->ring_top);       /* pairs with take */
    cf__assert(top <= bottom && bottom - top <= CF__RING_SIZE);
    cf__assert(bottom <= cf_load_acquire(&q->inbox.pushed)); /* as a refill */
    for (; top < bottom; top++) /* only the holder writes slots */
        cf__assert(cf_load_relaxed(&q->ring[top % CF__RING_SIZE]) != NULL);
    cf__inbox_check(&q->inbox, bottom, q->gaps);
}
#endif

void
cf__queue_check(struct cf__queue *q)
{
#ifdef CF_ASSERTIONS
    cf__lock(&q->refill_lock);
    check_ring_locked(q);
    cf__unlock(&q->refill_lock);
    cf__queue_check_heap(q);
#else
    (void)q;
#endif
}

void
cf__queue_after_fork(struct cf__queue *q)
{
    /* There is one thread: no order is needed. The tasks are the parent's. */
    cf__inbox_after_fork(&q->inbox);
    uint64_t pushed = cf_load_relaxed(&q->inbox.pushed);
    cf_store_relaxed(&q->ring_top, pushed);
    cf_store_relaxed(&q->ring_bottom, pushed);
    cf__lock_init(&q->refill_lock);
    cf_store_relaxed(&q->heap_top, INT64_MIN);
    q->heap.count = 0;
    pthread_mutex_init(&q->heap_lock, NULL);
}
