/* SPDX-License-Identifier: MIT */
/*
 * The queue of an executor: tasks that are submitted from outside its workers,
 * started in the order of priority and submission. README.md, "The queue", has
 * the protocol.
 *
 *   submitters --> inbox --(refill)--> ring --> workers
 *   submitters --> heap (priorities other than 0) -->
 *
 * A submit puts its task into the inbox (inbox.h). A thread that finds the ring
 * empty moves the oldest tasks from the inbox to the ring. From the ring each
 * worker takes the next task by one compare-and-swap. So tasks start in exactly
 * the order in which they were pushed.
 */
#ifndef CF_LIB_EXECUTOR_QUEUE_H
#define CF_LIB_EXECUTOR_QUEUE_H

#include "lib/base/export.h"
#include "lib/base/fence.h"
#include "lib/base/prefetch.h"
#include "lib/executor/inbox.h"
#include "lib/executor/task_heap.h"

#include <pthread.h>

enum {
    CF__RING_SIZE = 512,
    CF__RING_PREFETCH = 4 /* so many places ahead */
};

struct cf__queue {
    struct cf__inbox inbox; /* its taker is the refill lock's holder */

    /* Atomic. Tasks of priority 0 ever taken or swept out. Writers: workers, by
     * compare-and-swap; if the ring is empty, the refill lock's holder. */
    _Alignas(CF_CACHE_LINE) _Atomic uint64_t ring_top;

    /* Atomic. Tasks ever moved to the ring or swept out. Writer: the refill
     * lock's holder. Readers: all. */
    _Alignas(CF_CACHE_LINE) _Atomic uint64_t ring_bottom;
    struct cf__lock refill_lock;

    /* Guarded by heap_lock. heap_top: the priority of the first task, or
     * INT64_MIN; atomic, and without the lock a hint. */
    _Alignas(CF_CACHE_LINE) _Atomic int64_t heap_top;
    pthread_mutex_t heap_lock;
    struct cf__task_heap heap;
    uint64_t heap_pushed; /* ever; gives the order among equals */

    /* Used by the refill lock's holder. gaps: places in the inbox that have
     * been swept out. The others: calls of cf__queue_tidy() when the last
     * sweeps of the inbox and of the heap began. */
    uint64_t gaps, inbox_swept_at, heap_swept_at;

    _Atomic(cf_future *) ring[CF__RING_SIZE];
};

/* Begins closed. */
CF__EXPORT void cf__queue_init(struct cf__queue *q);
CF__EXPORT void cf__queue_fini(struct cf__queue *q);

/* Part of cf__queue_push(): pushes to the heap. */
CF__EXPORT cf_err cf__queue_push_prioritized(struct cf__queue *q, cf_future *f);

/* Pushes a chain of count tasks, linked from the oldest on. A task with a
 * priority is pushed alone. What a push is as a fence, cf__inbox_push()
 * says; with a priority it is a full fence. CF_ESHUTDOWN: the queue is closed;
 * CF_ENOMEM. */
static inline cf_err
cf__queue_push(struct cf__queue *q, cf_future *oldest, size_t count)
{
    return __builtin_expect(cf__priority(oldest) != 0, 0)
               ? cf__queue_push_prioritized(q, oldest)
               : cf__inbox_push(&q->inbox, oldest, count);
}

/* From now on pushes are accepted. The caller serialises open and close. */
CF__EXPORT void cf__queue_open(struct cf__queue *q);

/* Refuses pushes from now on; what is in the queue stays. */
CF__EXPORT void cf__queue_close(struct cf__queue *q);

/* Closes only if nothing is in the queue. */
bool cf__queue_close_if_empty(struct cf__queue *q);

/* Takes the next task of priority 0. The caller has the queue's handle then.
 * NULL: there is none, or another thread is refilling the ring. */
CF__EXPORT cf_future *cf__queue_take(struct cf__queue *q);

/* The same in one attempt. NULL: the ring is empty, or another taker was
 * faster; cf__queue_take() may find one. */
static inline cf_future *
cf__queue_take_at_once(struct cf__queue *q)
{
    /* pairs with the other takers' swap */
    uint64_t top = cf_load_acquire(&q->ring_top);
    /* pairs with fill_ring_locked: the slots before it are written */
    if (top >= cf_load_acquire(&q->ring_bottom))
        return NULL;
    /* The slot may be overwritten once top has moved on. Then the swap fails,
     * and what was read is dropped. */
    cf_future *f = cf_load_relaxed(&q->ring[top % CF__RING_SIZE]);
    /* pairs with fill_ring_locked: the slot has been read */
    if (!cf_cas_acq_rel(&q->ring_top, &top, top + 1))
        return NULL;
    /* A task that is taken soon begins its way into this processor's cache. A
     * hint: a task that is NULL or freed does no harm. */
    uintptr_t soon = (uintptr_t)cf_load_relaxed(
        &q->ring[(top + CF__RING_PREFETCH) % CF__RING_SIZE]);
    cf__prefetch_to_write((const void *)soon);
    cf__prefetch_to_write((const void *)(soon + CF_CACHE_LINE));
    return f;
}

/* Takes up to most of the next tasks of priority 0, as cf__queue_take() does.
 * Returns how many; 0: as its NULL. */
size_t cf__queue_take_run(struct cf__queue *q, cf_future **run, size_t most);

/* There may be a task of a priority above, or below, 0. A hint. */
static inline bool
cf__queue_has_prioritized(const struct cf__queue *q, bool above)
{
    int64_t top = cf_load_relaxed(&q->heap_top);
    return above ? top > 0 : top != INT64_MIN;
}

/* The next task of the highest priority, if that is above or below 0. */
CF__EXPORT cf_future *cf__queue_take_prioritized(struct cf__queue *q,
                                                 bool above);

/* How many tasks of priority 0 were ever pushed (modulo 2^32). They have the
 * places 0 .. n - 1. */
static inline uint32_t
cf__queue_pushed(struct cf__queue *q)
{
    return (uint32_t)cf_load_relaxed(&q->inbox.pushed); /* a hint */
}

/* The place of the next task of priority 0 that will be taken (modulo 2^32). */
static inline uint32_t
cf__queue_next_place(struct cf__queue *q)
{
    return (uint32_t)cf_load_relaxed(&q->ring_top); /* a hint */
}

/* For a thread that sees work and can take none: if a refill is under way,
 * waits until it is over. */
CF__EXPORT void cf__queue_await_refill(struct cf__queue *q);

/*
 * Takes out tasks that are in the queue and no longer pending, if they may be
 * at least half as many as there are entries. Returns them, linked by next,
 * with the queue's handles. calls: how many tasks may ever have ceased to be
 * pending. The caller calls it once in some hundreds of these, and keeps the
 * queue from being freed. A call looks at a part of the inbox, for some ten
 * microseconds; but at all of the heap, if that is due.
 */
CF__EXPORT cf_future *cf__queue_tidy(struct cf__queue *q, uint64_t calls);

/* Part of cf__queue_tidy(): sweeps the heap. Returns the tasks that it swept
 * out, linked by next. */
cf_future *cf__queue_sweep_heap(struct cf__queue *q);

/* How many tasks were ever pushed, of any priority. */
CF__EXPORT uint64_t cf__queue_count(struct cf__queue *q);

/* There is a task to take, now or when a refill is over. */
static inline bool
cf__queue_has_work(struct cf__queue *q)
{
    return cf_load_relaxed(&q->inbox.pushed) != cf_load_relaxed(&q->ring_top) ||
           cf_load_relaxed(&q->heap_top) != INT64_MIN;
}

/*
 * A store, a full fence and this look; and a push, cf__queue_fence_after_push()
 * and a load of what was stored: the look finds what was pushed, or the load
 * sees the store. The push begins with an exchange, which is a fence. If the
 * look finds the inbox unlocked, that exchange is past, with the push, or comes
 * after the store. If it finds it locked, the heavy fence parts the two.
 */
static inline bool
cf__queue_missed_work(struct cf__queue *q)
{
    bool busy = cf__inbox_is_busy(&q->inbox); /* before pushed */
    if (busy && !cf__queue_has_work(q))
        cf__fence_heavy(); /* pairs with cf__queue_fence_after_push */
    return cf__queue_has_work(q);
}

/* The other half of cf__queue_missed_work(). */
static inline void
cf__queue_fence_after_push(void)
{
    cf__fence_after_rmw(); /* that of the inbox's lock */
    cf__fence_light();     /* pairs with cf__queue_missed_work */
}

/* Asserts that the queue is whole (lib/base/assert.h). Any thread may call it.
 * It waits for the queue's locks. */
void cf__queue_check(struct cf__queue *q);

/* Part of cf__queue_check(): the heap. */
void cf__queue_check_heap(struct cf__queue *q);

/* In a fork's child: the queue is empty and closed, and its locks are free. */
CF__EXPORT void cf__queue_after_fork(struct cf__queue *q);

#endif
