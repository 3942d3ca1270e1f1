/* SPDX-License-Identifier: MIT */
/*
 * Waiting for n tasks on a pool that has no wait of its own: the cheapest
 * thing a user would write, a count and a semaphore. C and C++.
 */
#ifndef BENCH_COMMON_LATCH_H
#define BENCH_COMMON_LATCH_H

#include "common/bench.h"

#include <errno.h>
#include <semaphore.h>

typedef struct latch {
    size_t left; /* atomic */
    sem_t done;
} latch;

static inline void
latch_init(latch *l)
{
    if (sem_init(&l->done, 0, 0) != 0)
        bench_die("sem_init failed");
}

/* Before the first of count tasks can run. */
static inline void
latch_set(latch *l, size_t count)
{
    __atomic_store_n(&l->left, count, __ATOMIC_RELAXED);
}

/* The last hit wakes the waiter; everything before any hit is visible then. */
static inline void
latch_hit(latch *l)
{
    if (__atomic_sub_fetch(&l->left, 1, __ATOMIC_ACQ_REL) == 0)
        sem_post(&l->done);
}

static inline void
latch_wait(latch *l)
{
    while (sem_wait(&l->done) != 0) {
        if (errno != EINTR)
            bench_die("sem_wait failed");
    }
}

static inline void
latch_fini(latch *l)
{
    sem_destroy(&l->done);
}

#endif
