/* SPDX-License-Identifier: MIT */
/*
 * Whether a pool is whole: lib/base/assert.h. What its workers can write is
 * left out: that is never believed, and so never asserted.
 */
#include "process_pool/service.h"

#include "process_pool/tasks.h"

#ifdef CF_ASSERTIONS

/* What is counted twice, in the pool and in its lanes. */
static void
check_lanes_locked(const struct cf__processes *pool)
{
    size_t in_hand = 0, tasks = 0;
    for (int i = 0; i < pool->base.max_workers; i++) {
        const struct cf__process_lane *lane = &pool->lanes[i];
        cf__lane_check(lane);
        cf__assert(lane->published == lane->next); /* but for a dispatch */
        in_hand += cf__lane_in_hand(lane);
        tasks += cf__lane_tasks(lane);
        for (uint64_t p = lane->oldest; p < lane->next; p++)
            cf__assert(lane->sequences[p % CF__LANE] <= pool->sequence);
    }
    cf__assert(pool->in_hand == in_hand);
    /* Each task in a lane can come back: a service allocates nothing for it. */
    cf__assert(pool->returned.count + tasks <= pool->returned.capacity);
}

static void
check_deferred_locked(const struct cf__processes *pool)
{
    const cf_future *last = NULL;
    for (const cf_future *f = pool->deferred; f; f = cf_load_relaxed(&f->next))
        last = f;
    cf__assert(!last || last == pool->deferred_last);
}

static void
check_counts_locked(const struct cf__processes *pool)
{
    cf__assert(pool->finishing >= 0 && pool->recalling >= 0);
    cf__assert(pool->waiting >= 0 && pool->nested_callbacks >= 0);
    cf__assert(cf_load_relaxed(&pool->wanting) <
               CF__AWAKE + (uint32_t)pool->base.max_workers);
}

/* How far the pool has come to its end. */
static void
check_phase_locked(const struct cf__processes *pool)
{
    int refuse = cf_load_relaxed(&pool->refuse);
    cf__assert(!pool->broken || refuse == CF_EBROKEN);
    cf__assert(!pool->ending || refuse);
    cf__assert(!pool->ended || pool->zygote_gone);
    cf__assert(!pool->ending || !cf__processes_has_tasks_out(pool));
}

#endif

void
cf__processes_check_locked(struct cf__processes *pool)
{
#ifdef CF_ASSERTIONS
    if (pool->open) {
        check_lanes_locked(pool);
        check_deferred_locked(pool);
        check_counts_locked(pool);
        check_phase_locked(pool);
        cf__task_heap_check(&pool->returned);
        for (size_t i = 0; i < pool->returned.count; i++)
            cf__assert(pool->returned.tasks[i].order != 0);
    }
    cf__queue_check(&pool->queue);
    cf__arena_check(&pool->shared->parcels);
    cf__arena_check(&pool->shared->commons);
    cf__arena_check(&pool->shared->vault);
#else
    (void)pool;
#endif
}

void
cf__processes_check(cf_executor *ex)
{
#ifdef CF_ASSERTIONS
    struct cf__processes *pool = cf__processes_of(ex);
    cf__processes_lock(pool);
    cf__processes_check_locked(pool);
    /* Meanwhile it held the queue's locks: a dispatch has found no task. */
    cf__processes_unlock_serving(pool);
#else
    (void)ex;
#endif
}
