/* SPDX-License-Identifier: MIT */
/*
 * Under the pool's lock, all of it. Which task is next: from the queue, or from
 * the tasks that have been in a lane already (returned, in pool.h), which go
 * first.
 */
#include "process_pool/tasks.h"

#include "lib/executor/pending.h"
#include "process_pool/lock.h"

cf_future *
cf__processes_next(struct cf__processes *pool, uint64_t *sequence)
{
    cf__assert(cf__processes_is_locked(pool));
    int64_t returned = cf__task_heap_top(&pool->returned);
    int64_t heap = cf_load_relaxed(&pool->queue.heap_top); /* a hint */
    cf_future *f = NULL;
    *sequence = 0;
    if (returned < 0 || returned < heap) {
        f = cf__queue_take_prioritized(&pool->queue, true);
        if (!f && returned < 0)
            f = cf__queue_take(&pool->queue);
        if (!f && returned < heap)
            f = cf__queue_take_prioritized(&pool->queue, false);
        pool->taken += f != NULL;
        if (f || returned == INT64_MIN)
            return f;
    }
    pool->taken++;
    struct cf__heap_task task = cf__task_heap_take(&pool->returned);
    *sequence = task.order;
    return task.f;
}

bool
cf__processes_take_back(struct cf__processes *pool,
                        struct cf__process_lane *lane,
                        uint64_t position)
{
    cf__assert(cf__processes_is_locked(pool));
    cf_future *f = cf__lane_revoke(lane, position);
    if (!f)
        return false;
    uint64_t sequence = lane->sequences[position % CF__LANE];
    if (cf__future_unclaim(f))
        cf__task_heap_add(&pool->returned, f, sequence);
    else
        cf__future_drop_stale(f); /* its timeout has ended it */
    return true;
}

void
cf__processes_take_back_many(struct cf__processes *pool,
                             struct cf__process_lane *lane,
                             size_t count)
{
    cf__assert(cf__processes_is_locked(pool));
    for (uint64_t p = lane->oldest; p < lane->next && count > 0; p++)
        count -= cf__processes_take_back(pool, lane, p);
}

cf_future *
cf__processes_take_all(struct cf__processes *pool)
{
    cf__assert(cf__processes_is_locked(pool));
    uint64_t sequence;
    cf_future *first = NULL, *last = NULL, *f;
    for (int i = 0; i < pool->base.max_workers; i++)
        cf__processes_take_back_many(pool, &pool->lanes[i], CF__LANE);
    while ((f = cf__processes_next(pool, &sequence)) != NULL) {
        cf_store_relaxed(&f->next, NULL); /* out of the queue, and ours */
        if (last)
            cf_store_relaxed(&last->next, f);
        else
            first = f;
        last = f;
    }
    return first;
}

bool
cf__processes_has_tasks_out(const struct cf__processes *pool)
{
    if (pool->in_hand == 0)
        return false;
    for (int i = 0; i < pool->base.max_workers; i++)
        if (cf__lane_tasks(&pool->lanes[i]) > 0)
            return true;
    return false;
}
