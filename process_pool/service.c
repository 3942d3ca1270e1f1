/* SPDX-License-Identifier: MIT */
/* The service that the holder of a pool's lock does. */
#include "process_pool/service.h"

#include "lib/base/clock.h"
#include "lib/base/fence.h"
#include "lib/future/life.h"
#include "process_pool/alarm.h"
#include "process_pool/collect.h"
#include "process_pool/lock.h"
#include "process_pool/tasks.h"

enum { ROUNDS_MAX = 8 /* services for other threads, in a row */ };

/* Drops tasks that have been cancelled. Under the lock, so that a dispatch
 * never misses a task that this has out of the queue for a moment. */
static void
tidy_locked(struct cf__processes *pool)
{
    uint64_t canceled = cf_exchange_acq_rel(&pool->tidy, 0);
    cf__future_unref_list(cf__queue_tidy(&pool->queue, canceled));
    cf__future_unref_list(cf__task_heap_sweep(&pool->returned));
}

void
cf__processes_serve_locked(struct cf__processes *pool)
{
    cf__assert(cf__processes_is_locked(pool));
    if (!pool->open)
        return;
    int64_t now = cf__now_ns();
    pool->look_at = CF__NEVER;
    pool->helped = pool->helped || !cf__processes_on_manager(pool);
    for (int i = 0; i < pool->base.max_workers; i++)
        if (pool->lanes[i].state == CF__LANE_STAFFED)
            cf__processes_collect(pool, &pool->lanes[i], now);
    if (__builtin_expect(cf_load_relaxed(&pool->tidy) != 0, 0)) /* a hint */
        tidy_locked(pool);
    if (!pool->broken)
        cf__processes_dispatch(pool, now);
    cf__processes_set_alarm(pool, now);
    bool refuses = cf_load_relaxed(&pool->refuse) && !pool->ending;
    if ((pool->waiting || refuses) && cf__processes_is_idle_locked(pool)) {
        pthread_cond_broadcast(&pool->changed);
        cf__processes_ring(pool); /* it may be the pool's end */
    }
}

void
cf__processes_unlock_serving(struct cf__processes *pool)
{
    for (int rounds = 0;; rounds++) {
        if (cf_load_relaxed(&pool->again)) { /* a hint; see the fence */
            cf_store_relaxed(&pool->again, 0);
            cf__processes_serve_locked(pool);
        }
        if (rounds == ROUNDS_MAX) /* the manager goes on with it */
            cf__processes_ring(pool);
        cf__processes_unlock_alone(pool);
        /* pairs with attend: we see its wish, or it gets the lock */
        cf__fence_full();
        if (!cf_load_relaxed(&pool->again) || rounds == ROUNDS_MAX ||
            !cf__processes_try_lock(pool))
            return;
    }
}

void
cf__processes_attend(struct cf__processes *pool)
{
    cf_store_relaxed(&pool->again, 1);
    cf__fence_full(); /* pairs with unlock_serving's */
    if (cf__processes_try_lock(pool))
        cf__processes_unlock_serving(pool);
}

bool
cf__processes_is_idle_locked(struct cf__processes *pool)
{
    cf__assert(cf__processes_is_locked(pool));
    /* The manager itself may ask, in a callback. */
    bool finishing = pool->finishing > 0 && !cf__processes_on_manager(pool);
    return !cf__processes_has_tasks_out(pool) && !pool->deferred &&
           !finishing && !pool->recalling && !cf__processes_has_work(pool);
}
