/* SPDX-License-Identifier: MIT */
/*
 * The queue of an executor: tasks submitted from outside its workers, started
 * in the order of priority and submission. lib/README.md has the protocol.
 *
 *   submitters --> inbox --(refill)--> backlog --> ready ring --> workers
 *   submitters --> heap (priorities other than 0) ------------->
 *
 * The inbox is a push-only list, newest first: a submit is one
 * compare-and-swap, and taking all of it is one too. Whoever finds the ready
 * ring empty refills it: takes the inbox, turns it round behind the backlog
 * and moves the oldest into the ring, where every worker takes the next task
 * with one compare-and-swap. So tasks start in exactly the order in which
 * they were pushed.
 */
#ifndef CF_LIB_QUEUE_H
#define CF_LIB_QUEUE_H

#include "lib/future.h"

#include <pthread.h>

enum { CF__RING_SIZE = 1024 };

/* An inbox that accepts nothing: the push fails. */
#define CF__CLOSED ((cf_future *)1)

struct cf__prioritized {
    cf_future *f;
    int priority;
    uint64_t order;
};

struct cf__queue {
    /* Atomic. Writers: submitters, the refill lock's holder. */
    _Alignas(CF_CACHE_LINE) _Atomic(cf_future *) inbox;

    /* Atomic. Writers: workers, by compare-and-swap. */
    _Alignas(CF_CACHE_LINE) _Atomic uint64_t ring_top;

    /* Written by the refill lock's holder; bottom and grabbed are read by
     * all. ring_bottom <= grabbed: the difference is the backlog. */
    _Alignas(CF_CACHE_LINE) _Atomic uint64_t ring_bottom;
    _Atomic uint64_t grabbed; /* tasks ever taken from the inbox */
    atomic_uchar refill_lock;
    cf_future *backlog, *backlog_last; /* oldest first */

    /* Guarded by heap_lock, but for heap_top: the priority of the first, or
     * INT64_MIN; atomic, a hint for who does not hold the lock. */
    _Alignas(CF_CACHE_LINE) _Atomic int64_t heap_top;
    pthread_mutex_t heap_lock;
    struct cf__prioritized *heap;
    size_t heap_count, heap_capacity;
    uint64_t heap_pushed; /* ever; gives the order among equals */

    _Atomic(cf_future *) ring[CF__RING_SIZE];
};

/* The inbox begins closed. */
void cf__queue_init(struct cf__queue *q);
void cf__queue_fini(struct cf__queue *q);

/* Pushes a chain, linked from the newest to the oldest. false: the inbox is
 * closed. Ends with a read-modify-write if true. */
bool cf__queue_push(struct cf__queue *q, cf_future *newest, cf_future *oldest);

/* Pushes a task of a priority other than 0. CF_ENOMEM; CF_ESHUTDOWN: closed. */
cf_err cf__queue_push_prioritized(struct cf__queue *q, cf_future *f);

/* Lets pushes through. The caller serialises open and close. */
void cf__queue_open(struct cf__queue *q);

/* Refuses pushes from now on; what is in the queue stays. */
void cf__queue_close(struct cf__queue *q);

/* Closes only if nothing is in the queue. */
bool cf__queue_close_if_empty(struct cf__queue *q);

/* The next task of priority 0; the caller owns the queue's handle. */
cf_future *cf__queue_take(struct cf__queue *q);

/* The next task of the highest priority, if that is above or below 0. */
cf_future *cf__queue_take_prioritized(struct cf__queue *q, bool above);

/* Takes what is in the inbox into account; returns how many tasks of priority
 * 0 were pushed so far: those have the places 0 .. n - 1. */
uint64_t cf__queue_pushed(struct cf__queue *q);

/* How many tasks were ever pushed, of any priority. */
uint64_t cf__queue_count(struct cf__queue *q);

static inline bool
cf__queue_inbox_empty(struct cf__queue *q)
{
    /* pairs with grab_locked: if it is empty because somebody refills, the
     * refill lock is seen taken */
    return (uintptr_t)cf_load_acquire(&q->inbox) <= (uintptr_t)CF__CLOSED;
}

/* There may be something to take, now or when a refill under way is over.
 * After a fence, for who is about to sleep. */
static inline bool
cf__queue_has_work(struct cf__queue *q)
{
    return !cf__queue_inbox_empty(q) ||
           cf_load_acquire(&q->refill_lock) || /* pairs with unlock_refill */
           cf_load_relaxed(&q->ring_top) < cf_load_relaxed(&q->grabbed) ||
           cf_load_relaxed(&q->heap_top) != INT64_MIN;
}

/* In a fork's child: empty, closed, with locks that nobody holds. */
void cf__queue_after_fork(struct cf__queue *q);

#endif
