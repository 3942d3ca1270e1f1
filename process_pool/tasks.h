/* SPDX-License-Identifier: MIT */
/*
 * Under the pool's lock, all of it. Which task is next, and how a task that was
 * handed to a worker comes back.
 */
#ifndef CF_PROCESS_POOL_TASKS_H
#define CF_PROCESS_POOL_TASKS_H

#include "process_pool/pool.h"

/* Something waits to be handed out. */
static inline bool
cf__processes_has_work(struct cf__processes *pool)
{
    return pool->returned.count || cf__queue_has_work(&pool->queue);
}

/* The next task to start, which the caller owns the queue's handle of. NULL:
 * none. sequence: 0 if it has not been handed out before. */
cf_future *cf__processes_next(struct cf__processes *pool, uint64_t *sequence);

/* Takes the task at a position back, if its worker has not started it: it is
 * pending again, before all others. */
bool cf__processes_take_back(struct cf__processes *pool,
                             struct cf__process_lane *lane,
                             uint64_t position);

/* Takes back up to count tasks that a lane's worker has not started. */
void cf__processes_take_back_many(struct cf__processes *pool,
                                  struct cf__process_lane *lane,
                                  size_t count);

/* Everything that is queued, or handed out and not started: linked by next, the
 * caller's with the queue's handles. */
cf_future *cf__processes_take_all(struct cf__processes *pool);

/* Some lane has a task: not only positions that were taken back, to which its
 * worker has still to come. */
bool cf__processes_has_tasks_out(const struct cf__processes *pool);

#endif
