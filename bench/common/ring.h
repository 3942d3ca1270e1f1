/* SPDX-License-Identifier: MIT */
/*
 * A queue of 8-byte messages from one process (or thread) to one other, in
 * memory that they share, zeroed at the start. Each side remembers how far the
 * other was when it last looked, so that a cache line changes hands once for
 * many messages.
 */
#ifndef BENCH_COMMON_RING_H
#define BENCH_COMMON_RING_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_SLOTS 4096

typedef struct ring {
    _Alignas(64) atomic_size_t put;   /* messages so far; writer: the sender */
    size_t taken_seen;                /* the sender's own */
    _Alignas(64) atomic_size_t taken; /* writer: the receiver */
    size_t put_seen;                  /* the receiver's own */
    _Alignas(64) uint64_t slots[RING_SLOTS];
} ring;

/* false: it is full. */
static inline bool
ring_put(ring *r, uint64_t message)
{
    size_t put = atomic_load_explicit(&r->put, memory_order_relaxed);

    if (put - r->taken_seen == RING_SLOTS) {
        /* pairs with ring_take: the slot has been read */
        r->taken_seen = atomic_load_explicit(&r->taken, memory_order_acquire);
        if (put - r->taken_seen == RING_SLOTS)
            return false;
    }
    r->slots[put % RING_SLOTS] = message;
    /* pairs with ring_take: the message, and what it refers to */
    atomic_store_explicit(&r->put, put + 1, memory_order_release);
    return true;
}

/* false: it is empty. */
static inline bool
ring_take(ring *r, uint64_t *message)
{
    size_t taken = atomic_load_explicit(&r->taken, memory_order_relaxed);

    if (taken == r->put_seen) {
        /* pairs with ring_put */
        r->put_seen = atomic_load_explicit(&r->put, memory_order_acquire);
        if (taken == r->put_seen)
            return false;
    }
    *message = r->slots[taken % RING_SLOTS];
    /* pairs with ring_put */
    atomic_store_explicit(&r->taken, taken + 1, memory_order_release);
    return true;
}

/* How the bare subjects wait: they look again, and after some misses let
 * others run, because there may be more processes than CPUs. */
static inline void
ring_miss(unsigned *misses)
{
    enum { MISSES_BEFORE_YIELD = 200 };

    if (++*misses > MISSES_BEFORE_YIELD)
        sched_yield();
}

#endif
