/* SPDX-License-Identifier: MIT */
/*
 * The queue of an executor: see queue.h and lib/README.md. refill_lock guards
 * the inbox's old end; it is held for the length of one refill.
 */
#include "lib/queue.h"

#include <sched.h>
#include <stdlib.h>

enum {
    REFILL_MAX = 128, /* tasks moved at once: other workers wait meanwhile */
    PREFETCH_AHEAD = 4
};

void
cf__queue_init(struct cf__queue *q)
{
    memset(q, 0, sizeof *q);
    cf_store_relaxed(&q->heap_top, INT64_MIN); /* nobody knows q yet */
    pthread_mutex_init(&q->heap_lock, NULL);
}

void
cf__queue_fini(struct cf__queue *q)
{
    pthread_mutex_destroy(&q->heap_lock);
    free(q->heap);
}

bool
cf__queue_push(struct cf__queue *q,
               cf_future *oldest,
               cf_future *newest,
               size_t count)
{
    cf_store_relaxed(&newest->next, NULL);       /* published below */
    cf_future *tail = cf_load_acquire(&q->tail); /* pairs with this swap */
    do {
        if (!tail)
            return false;
        /* pairs with the other pushes, close and has_work */
    } while (!cf_cas_weak_acq_rel(&q->tail, &tail, newest));
    /* The newest stays in the inbox until something is behind it: tail is
     * alive, and its next is ours. */
    /* pairs with pop_locked: the tasks */
    cf_store_release(&tail->next, oldest);
    cf_fetch_add_relaxed(&q->pushed, count); /* a counter */
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

/* Puts the stub behind the last task, so that it can be taken out; false: a
 * push was faster, or the inbox is closed. */
static bool
append_stub_locked(struct cf__queue *q, cf_future *last)
{
    cf_store_relaxed(&q->stub.next, NULL); /* published by the swap */
    cf_future *tail = last;
    if (!cf_cas_acq_rel(&q->tail, &tail, &q->stub)) /* pairs with push */
        return false;
    cf_store_relaxed(&last->next, &q->stub); /* read by this holder only */
    return true;
}

/* The oldest task; NULL: none, or its push is not over. */
static cf_future *
pop_locked(struct cf__queue *q)
{
    if (q->head == &q->stub) {
        cf_future *next = cf_load_acquire(&q->stub.next); /* pairs with push */
        if (!next)
            return NULL;
        q->head = next;
    }
    cf_future *f = q->head;
    if (!f)
        return NULL;
    if (f == q->end) { /* closed: the last */
        q->head = NULL;
        cf_store_release(&q->leftover, false); /* pairs with inbox_empty */
        return f;
    }
    cf_future *next = cf_load_acquire(&f->next); /* pairs with push */
    if (!next && cf_load_relaxed(&q->tail) == f && append_stub_locked(q, f))
        next = &q->stub;
    if (!next)
        return NULL;
    /* Futures that were allocated one after another lie at even distances. */
    uintptr_t ahead = (uintptr_t)next + 6 * ((uintptr_t)next - (uintptr_t)f);
    __builtin_prefetch((const void *)ahead, 1);
    q->head = next;
    return f;
}

/* Moves the oldest of the inbox into the ring, as many as fit. */
static void
fill_ring_locked(struct cf__queue *q)
{
    uint64_t bottom = cf_load_relaxed(&q->ring_bottom); /* the holder's own */
    /* pairs with take: the slots before it have been read */
    uint64_t end = cf_load_acquire(&q->ring_top) + CF__RING_SIZE;
    if (end > bottom + REFILL_MAX)
        end = bottom + REFILL_MAX;
    for (cf_future *f; bottom < end && (f = pop_locked(q)); bottom++)
        cf_store_relaxed(&q->ring[bottom % CF__RING_SIZE], f);
    /* pairs with take: publishes the slots */
    cf_store_release(&q->ring_bottom, bottom);
}

/* false: nothing to refill with, or somebody else is at it. */
static bool
refill(struct cf__queue *q)
{
    if (cf__queue_inbox_empty(q) || !try_lock_refill(q))
        return false;
    uint64_t bottom = cf_load_relaxed(&q->ring_bottom); /* the holder's own */
    fill_ring_locked(q);
    bool moved = cf_load_relaxed(&q->ring_bottom) != bottom;
    unlock_refill(q);
    return moved;
}

/* Tasks soon to be taken begin their way into this processor's cache. */
static inline void
prefetch(struct cf__queue *q, uint64_t place)
{
    /* A hint; NULL or freed, it does no harm. */
    uintptr_t f = (uintptr_t)cf_load_relaxed(&q->ring[place % CF__RING_SIZE]);
    __builtin_prefetch((const void *)f, 1);
    __builtin_prefetch((const void *)(f + CF_CACHE_LINE), 1);
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
        if (cf_cas_acq_rel(&q->ring_top, &top, top + 1)) {
            prefetch(q, top + PREFETCH_AHEAD);
            return f;
        }
    }
}

uint64_t
cf__queue_count(struct cf__queue *q)
{
    pthread_mutex_lock(&q->heap_lock);
    uint64_t count = q->heap_pushed;
    pthread_mutex_unlock(&q->heap_lock);
    return count + cf_load_relaxed(&q->pushed); /* a counter */
}

void
cf__queue_open(struct cf__queue *q)
{
    lock_refill(q);
    if (!cf_load_relaxed(&q->tail)) { /* closed, and nothing is left */
        cf_store_relaxed(&q->stub.next, NULL);
        q->head = &q->stub;
        q->end = NULL;
        cf_store_release(&q->tail, &q->stub); /* pairs with push */
    }
    unlock_refill(q);
}

static void
close_locked(struct cf__queue *q)
{
    pthread_mutex_lock(&q->heap_lock);
    /* pairs with push: what was accepted is before it, nothing comes after */
    cf_future *newest = cf_exchange_acq_rel(&q->tail, NULL);
    bool empty = newest == &q->stub;
    if (newest) {
        q->end = empty ? NULL : newest;
        q->head = empty ? NULL : q->head;
        cf_store_release(&q->leftover, !empty); /* pairs with inbox_empty */
    }
    pthread_mutex_unlock(&q->heap_lock);
}

void
cf__queue_close(struct cf__queue *q)
{
    lock_refill(q);
    close_locked(q);
    unlock_refill(q);
}

bool
cf__queue_close_if_empty(struct cf__queue *q)
{
    lock_refill(q);
    pthread_mutex_lock(&q->heap_lock);
    cf_future *tail = &q->stub;
    bool closed =
        q->heap_count == 0 && !cf_load_relaxed(&q->leftover) &&
        cf_load_relaxed(&q->ring_top) == cf_load_relaxed(&q->ring_bottom) &&
        (cf_cas_acq_rel(&q->tail, &tail, NULL) || /* pairs with push */
         !tail);                                  /* it is closed already */
    if (closed)
        q->head = q->end = NULL;
    pthread_mutex_unlock(&q->heap_lock);
    unlock_refill(q);
    return closed;
}

void
cf__queue_after_fork(struct cf__queue *q)
{
    /* One thread: no order is needed. The tasks are the parent's. */
    cf_store_relaxed(&q->tail, NULL);
    cf_store_relaxed(&q->leftover, false);
    cf_store_relaxed(&q->ring_top, cf_load_relaxed(&q->ring_bottom));
    cf_store_relaxed(&q->pushed, cf_load_relaxed(&q->ring_bottom));
    cf_store_relaxed(&q->refill_lock, 0);
    cf_store_relaxed(&q->heap_top, INT64_MIN);
    q->head = q->end = NULL;
    q->heap_count = 0;
    pthread_mutex_init(&q->heap_lock, NULL);
}
