/* SPDX-License-Identifier: MIT */
/* The queue of an executor: see queue.h and lib/README.md. */
#include "lib/queue.h"

#include <sched.h>
#include <stdlib.h>

void
cf__queue_init(struct cf__queue *q)
{
    memset(q, 0, sizeof *q);
    cf_store_relaxed(&q->inbox, CF__CLOSED); /* nobody knows q yet */
    cf_store_relaxed(&q->heap_top, INT64_MIN);
    pthread_mutex_init(&q->heap_lock, NULL);
}

void
cf__queue_fini(struct cf__queue *q)
{
    pthread_mutex_destroy(&q->heap_lock);
    free(q->heap);
}

bool
cf__queue_push(struct cf__queue *q, cf_future *newest, cf_future *oldest)
{
    cf_future *head = cf_load_relaxed(&q->inbox); /* the swap checks it */
    do {
        if (head == CF__CLOSED)
            return false;
        oldest->next = head;
        /* pairs with grab_locked: publishes the tasks */
    } while (!cf_cas_weak_acq_rel(&q->inbox, &head, newest));
    return true;
}

static bool
try_lock_refill(struct cf__queue *q)
{
    /* pairs with unlock_refill; looks first, so as not to take the line from
     * the holder */
    return !cf_load_relaxed(&q->refill_lock) &&
           !cf_exchange_acquire(&q->refill_lock, 1);
}

static void
lock_refill(struct cf__queue *q)
{
    while (!try_lock_refill(q))
        sched_yield();
}

static void
unlock_refill(struct cf__queue *q)
{
    cf_store_release(&q->refill_lock, 0); /* pairs with try_lock_refill */
}

/* Puts a list, newest first, behind the backlog. */
static void
append_locked(struct cf__queue *q, cf_future *newest)
{
    cf_future *oldest = NULL;
    uint64_t count = 0;
    for (cf_future *f = newest, *older; f; f = older) {
        older = f->next;
        f->next = oldest;
        oldest = f;
        count++;
    }
    if (!count)
        return;
    if (q->backlog)
        q->backlog_last->next = oldest;
    else
        q->backlog = oldest;
    q->backlog_last = newest;
    /* Only the lock's holder writes it; has_work reads it after a fence. */
    cf_store_relaxed(&q->grabbed, cf_load_relaxed(&q->grabbed) + count);
}

static void
grab_locked(struct cf__queue *q)
{
    cf_future *list = cf_load_relaxed(&q->inbox); /* the swap checks it */
    do {
        if ((uintptr_t)list <= (uintptr_t)CF__CLOSED)
            return;
        /* pairs with push: the tasks are visible */
    } while (!cf_cas_weak_acq_rel(&q->inbox, &list, NULL));
    append_locked(q, list);
}

/* Moves the oldest of the backlog into the ring, as many as fit. */
static void
fill_ring_locked(struct cf__queue *q)
{
    uint64_t bottom = cf_load_relaxed(&q->ring_bottom); /* the holder's own */
    /* pairs with take: the slots before it have been read */
    uint64_t end = cf_load_acquire(&q->ring_top) + CF__RING_SIZE;
    cf_future *f = q->backlog;
    for (; f && bottom < end; bottom++) {
        cf_store_relaxed(&q->ring[bottom % CF__RING_SIZE], f);
        f = f->next;
    }
    q->backlog = f;
    /* pairs with take: publishes the slots */
    cf_store_release(&q->ring_bottom, bottom);
}

/* false: nothing to refill with, or somebody else is at it. */
static bool
refill(struct cf__queue *q)
{
    if (cf__queue_inbox_empty(q) &&
        cf_load_relaxed(&q->ring_bottom) == cf_load_relaxed(&q->grabbed))
        return false;
    if (!try_lock_refill(q))
        return false;
    grab_locked(q);
    fill_ring_locked(q);
    unlock_refill(q);
    return true;
}

cf_future *
cf__queue_take(struct cf__queue *q)
{
    /* pairs with the other takers' swap */
    uint64_t top = cf_load_acquire(&q->ring_top);
    for (;;) {
        /* pairs with fill_ring_locked: the slots before it are written */
        if (top >= cf_load_acquire(&q->ring_bottom)) {
            if (!refill(q))
                return NULL;
            top = cf_load_acquire(&q->ring_top); /* as above */
            continue;
        }
        /* The slot may be overwritten once top has moved on; then the swap
         * fails, and what was read is dropped. */
        cf_future *f = cf_load_relaxed(&q->ring[top % CF__RING_SIZE]);
        /* pairs with fill_ring_locked: the slot has been read */
        if (cf_cas_acq_rel(&q->ring_top, &top, top + 1))
            return f;
    }
}

uint64_t
cf__queue_pushed(struct cf__queue *q)
{
    if (!cf__queue_inbox_empty(q) && try_lock_refill(q)) {
        grab_locked(q);
        fill_ring_locked(q);
        unlock_refill(q);
    }
    return cf_load_relaxed(&q->grabbed); /* a place, not a publication */
}

uint64_t
cf__queue_count(struct cf__queue *q)
{
    lock_refill(q);
    grab_locked(q);
    fill_ring_locked(q);
    uint64_t count = cf_load_relaxed(&q->grabbed); /* under its lock */
    unlock_refill(q);
    pthread_mutex_lock(&q->heap_lock);
    count += q->heap_pushed;
    pthread_mutex_unlock(&q->heap_lock);
    return count;
}

void
cf__queue_open(struct cf__queue *q)
{
    cf_future *closed = CF__CLOSED;
    (void)cf_cas_acq_rel(&q->inbox, &closed, NULL);
}

void
cf__queue_close(struct cf__queue *q)
{
    lock_refill(q);
    pthread_mutex_lock(&q->heap_lock);
    /* pairs with push: what was accepted is here, nothing comes after it */
    cf_future *list = cf_exchange_acq_rel(&q->inbox, CF__CLOSED);
    pthread_mutex_unlock(&q->heap_lock);
    if (list != CF__CLOSED)
        append_locked(q, list);
    fill_ring_locked(q);
    unlock_refill(q);
}

bool
cf__queue_close_if_empty(struct cf__queue *q)
{
    lock_refill(q);
    pthread_mutex_lock(&q->heap_lock);
    cf_future *empty = NULL;
    bool closed =
        q->heap_count == 0 &&
        cf_load_relaxed(&q->ring_top) == cf_load_relaxed(&q->grabbed) &&
        cf_cas_acq_rel(&q->inbox, &empty, CF__CLOSED);
    pthread_mutex_unlock(&q->heap_lock);
    unlock_refill(q);
    return closed;
}

void
cf__queue_after_fork(struct cf__queue *q)
{
    /* One thread: no order is needed. The tasks are the parent's. */
    cf_store_relaxed(&q->inbox, CF__CLOSED);
    cf_store_relaxed(&q->ring_top, 0);
    cf_store_relaxed(&q->ring_bottom, 0);
    cf_store_relaxed(&q->grabbed, 0);
    cf_store_relaxed(&q->refill_lock, 0);
    cf_store_relaxed(&q->heap_top, INT64_MIN);
    q->backlog = NULL;
    q->heap_count = 0;
    pthread_mutex_init(&q->heap_lock, NULL);
}
