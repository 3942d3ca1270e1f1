/* SPDX-License-Identifier: MIT */
/*
 * The queue of an executor: tasks submitted from outside its workers, started
 * in the order of priority and submission. README.md has the protocol.
 *
 *   submitters --> inbox --(refill)--> ready ring --> workers
 *   submitters --> heap (priorities other than 0) -->
 *
 * A submit puts its task into the inbox (inbox.h). Whoever finds the ready ring
 * empty moves the oldest tasks from the inbox into it, and from the ring every
 * worker takes the next with one compare-and-swap. So tasks start in exactly
 * the order in which they were pushed.
 */
#ifndef CF_LIB_EXECUTOR_QUEUE_H
#define CF_LIB_EXECUTOR_QUEUE_H

#include "lib/executor/inbox.h"

#include <pthread.h>

enum { CF__RING_SIZE = 512 };

struct cf__prioritized {
    cf_future *f;
    int priority;
    uint64_t order;
};

struct cf__queue {
    struct cf__inbox inbox; /* its taker is the refill lock's holder */

    /* Atomic. Writers: workers, by compare-and-swap; if the ring is empty, the
     * refill lock's holder. Tasks of priority 0 ever taken or swept out. */
    _Alignas(CF_CACHE_LINE) _Atomic uint64_t ring_top;

    /* Writer: the refill lock's holder. Readers of bottom: all. */
    _Alignas(CF_CACHE_LINE) _Atomic uint64_t ring_bottom;
    struct cf__lock refill_lock;

    /* Guarded by heap_lock, but for heap_top: the priority of the first, or
     * INT64_MIN; atomic, a hint for who does not hold the lock. */
    _Alignas(CF_CACHE_LINE) _Atomic int64_t heap_top;
    pthread_mutex_t heap_lock;
    struct cf__prioritized *heap;
    size_t heap_count, heap_capacity;
    uint64_t heap_pushed; /* ever; gives the order among equals */

    /* The refill lock's holder: places in the inbox that have been swept out, and
     * when the sweeps of the inbox and the heap began. */
    uint64_t gaps, inbox_swept_at, heap_swept_at;

    _Atomic(cf_future *) ring[CF__RING_SIZE];
};

/* Begins closed. */
void cf__queue_init(struct cf__queue *q);
void cf__queue_fini(struct cf__queue *q);

/* Part of cf__queue_push(): into the heap. */
cf_err cf__queue_push_prioritized(struct cf__queue *q, cf_future *f);

/* Pushes a chain of count, linked from the oldest to the newest; one with a
 * priority alone. What it is as a fence: see cf__inbox_push(); with a priority, a
 * full one. CF_ESHUTDOWN: the queue is closed; CF_ENOMEM. */
static inline cf_err
cf__queue_push(struct cf__queue *q,
               cf_future *oldest,
               cf_future *newest,
               size_t count)
{
    return __builtin_expect(cf__priority(oldest) != 0, 0)
               ? cf__queue_push_prioritized(q, oldest)
               : cf__inbox_push(&q->inbox, oldest, newest, count);
}

/* Lets pushes through. The caller serialises open and close. */
void cf__queue_open(struct cf__queue *q);

/* Refuses pushes from now on; what is in the queue stays. */
void cf__queue_close(struct cf__queue *q);

/* Closes only if nothing is in the queue. */
bool cf__queue_close_if_empty(struct cf__queue *q);

/* The next task of priority 0; the caller owns the queue's handle. */
cf_future *cf__queue_take(struct cf__queue *q);

/* There may be a task of a priority above, or below, 0. A hint. */
static inline bool
cf__queue_has_prioritized(const struct cf__queue *q, bool above)
{
    int64_t top = cf_load_relaxed(&q->heap_top);
    return above ? top > 0 : top != INT64_MIN;
}

/* The next task of the highest priority, if that is above or below 0. */
cf_future *cf__queue_take_prioritized(struct cf__queue *q, bool above);

/* How many tasks of priority 0 were pushed so far (modulo 2^32): those have the
 * places 0 .. n - 1. */
static inline uint32_t
cf__queue_pushed(struct cf__queue *q)
{
    return (uint32_t)cf_load_relaxed(&q->inbox.pushed); /* a hint */
}

/* The place of the next task of priority 0 to be taken (modulo 2^32). */
static inline uint32_t
cf__queue_next_place(struct cf__queue *q)
{
    return (uint32_t)cf_load_relaxed(&q->ring_top); /* a hint */
}

/* For a thread that sees work and can take none: waits until a refill that is
 * under way is over. */
void cf__queue_await_refill(struct cf__queue *q);

/*
 * Now and then, when tasks that are in the queue have ceased to be pending: drops
 * them, as soon as they are more than half of it. calls: how often it may have
 * happened, ever. Called each 256 times or so. Takes a part of the inbox, some
 * ten microseconds; but the heap as a whole, when that is due. The caller keeps
 * the queue from being freed.
 */
void cf__queue_tidy(struct cf__queue *q, uint64_t calls);

/* Part of it: the heap's. Links what goes. */
size_t cf__queue_sweep_heap(struct cf__queue *q, cf_future **swept);

/* How many tasks were ever pushed, of any priority. */
uint64_t cf__queue_count(struct cf__queue *q);

/* There is something to take, now or when a refill is over. */
static inline bool
cf__queue_has_work(struct cf__queue *q)
{
    return cf_load_relaxed(&q->inbox.pushed) != cf_load_relaxed(&q->ring_top) ||
           cf_load_relaxed(&q->heap_top) != INT64_MIN;
}

/* Asserts that the queue is whole (lib/base/assert.h). Any thread; it waits for
 * the queue's locks. */
void cf__queue_check(struct cf__queue *q);

/* Part of it: the heap's. */
void cf__queue_check_heap(struct cf__queue *q);

/* In a fork's child: empty, closed, with locks that nobody holds. */
void cf__queue_after_fork(struct cf__queue *q);

#endif
