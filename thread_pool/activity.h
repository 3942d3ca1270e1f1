/* SPDX-License-Identifier: MIT */
/*
 * What a pool's workers are doing, in four counts of one atomic word, so that a
 * pusher learns from one load whether a wake-up is due:
 *
 *   searching  awake without a task, looking for one
 *   away       in the initializer, or giving memory back: such a worker has no
 *              task, and looks for one afterwards
 *   sleeping   in pool->sleepers
 *   startable  workers that have no thread
 *
 * A worker that runs a task, or calls its finalizer, is in none of them. The
 * first two counts change without a lock, the last two under pool->lock.
 * README.md, "Sleeping and waking", has the protocol.
 */
#ifndef CF_THREAD_POOL_ACTIVITY_H
#define CF_THREAD_POOL_ACTIVITY_H

#include "lib/base/assert.h"
#include "thread_pool/pool.h"

/* One worker in a count: what cf__threads_change() adds and takes away. */
#define CF__ONE_SEARCHING UINT64_C(1)
#define CF__ONE_AWAY (UINT64_C(1) << 16)
#define CF__ONE_SLEEPING (UINT64_C(1) << 32)
#define CF__ONE_STARTABLE (UINT64_C(1) << 48)

/* The counts at one moment. */
struct cf__activity {
    uint64_t counts;
};

static inline int
cf__activity_searching(struct cf__activity at)
{
    return (int)(at.counts / CF__ONE_SEARCHING & 0xffff);
}

static inline int
cf__activity_away(struct cf__activity at)
{
    return (int)(at.counts / CF__ONE_AWAY & 0xffff);
}

static inline int
cf__activity_sleeping(struct cf__activity at)
{
    return (int)(at.counts / CF__ONE_SLEEPING & 0xffff);
}

static inline int
cf__activity_startable(struct cf__activity at)
{
    return (int)(at.counts / CF__ONE_STARTABLE & 0xffff);
}

/* A sleeper can be woken, or a thread started. */
static inline bool
cf__activity_can_grow(struct cf__activity at)
{
    return cf__activity_sleeping(at) > 0 || cf__activity_startable(at) > 0;
}

/* No worker is searching, but one can be woken or started. */
static inline bool
cf__activity_wake_is_due(struct cf__activity at)
{
    return cf__activity_searching(at) == 0 && cf__activity_can_grow(at);
}

/* Each worker is in one count at most. A count that went below 0 would have
 * borrowed from the next one, and be too large. */
static inline void
cf__activity_check(struct cf__activity at, int max_workers)
{
    cf__assert(cf__activity_searching(at) + cf__activity_away(at) +
                   cf__activity_sleeping(at) + cf__activity_startable(at) <=
               max_workers);
    (void)at, (void)max_workers;
}

static inline struct cf__activity
cf__threads_activity_relaxed(struct cf__threads *pool)
{
    struct cf__activity at = {cf_load_relaxed(&pool->activity)};
    return at;
}

static inline struct cf__activity
cf__threads_activity_seq_cst(struct cf__threads *pool)
{
    struct cf__activity at = {cf_load_seq_cst(&pool->activity)};
    return at;
}

/* Adds to the counts and takes away from them, in one step. Returns what they
 * were. */
static inline struct cf__activity
cf__threads_change(struct cf__threads *pool, uint64_t plus, uint64_t minus)
{
    struct cf__activity before = {
        cf_fetch_add_seq_cst(&pool->activity, plus - minus)};
    struct cf__activity after = {before.counts + plus - minus};
    cf__activity_check(after, pool->base.max_workers);
    return before;
}

/* Makes the count of startable workers this. The caller holds pool->lock, under
 * which alone it changes. */
static inline void
cf__threads_set_startable_locked(struct cf__threads *pool, int count)
{
    int former = cf__activity_startable(cf__threads_activity_relaxed(pool));
    cf__threads_change(pool,
                       (uint64_t)count * CF__ONE_STARTABLE,
                       (uint64_t)former * CF__ONE_STARTABLE);
}

#endif
