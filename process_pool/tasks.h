/* SPDX-License-Identifier: MIT */
/*
 * Under the pool's lock, all of it. Which task is next, and how a task that was
 * handed to a worker comes back.
 */
#ifndef CF_PROCESS_POOL_TASKS_H
#define CF_PROCESS_POOL_TASKS_H

#include "process_pool/pool.h"

/* A task waits to be handed out. */
static inline bool
cf__processes_has_work(struct cf__processes *pool)
{
    return pool->returned.count || cf__queue_has_work(&pool->queue);
}

/* Takes the next task to start; the caller owns the queue's handle of it. NULL:
 * none. sequence: 0 if the task has never been handed out. */
cf_future *cf__processes_next(struct cf__processes *pool, uint64_t *sequence);

/* Takes the task at a position back, if its worker has not started it: it is
 * pending again, before all others of its priority. */
bool cf__processes_take_back(struct cf__processes *pool,
                             struct cf__process_lane *lane,
                             uint64_t position);

/* Takes back up to count tasks that the lane's worker has not started. */
void cf__processes_take_back_many(struct cf__processes *pool,
                                  struct cf__process_lane *lane,
                                  size_t count);

/* Takes every task that is queued, or is in a lane and not started: linked by
 * next. The caller owns the queue's handles of them. */
cf_future *cf__processes_take_all(struct cf__processes *pool);

/* Some lane has a task. A position whose task was taken back does not count,
 * although its worker has still to come to it. */
bool cf__processes_has_tasks_out(const struct cf__processes *pool);

#endif
