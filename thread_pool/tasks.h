/* SPDX-License-Identifier: MIT */
/* Looking for tasks in all of a pool, and taking them: see tasks.c. */
#ifndef CF_THREAD_POOL_TASKS_H
#define CF_THREAD_POOL_TASKS_H

#include "thread_pool/pool.h"

/* Takes the next task, pending or not, with its queue's handle. */
cf_future *cf__threads_pick(struct cf__threads *pool,
                            struct cf__threads_worker *w);

/* Takes any task out of the pool, with its queue's handle, for who empties
 * it. */
cf_future *cf__threads_take_any(struct cf__threads *pool);

/* There may be a task to take somewhere. */
static inline bool
cf__threads_has_work(struct cf__threads *pool)
{
    if (cf__queue_has_work(&pool->queue))
        return true;
    int slots = cf_load_acquire(&pool->slots); /* pairs with new_worker */
    for (int i = 0; i < slots; i++)
        if (!cf__deque_empty(&pool->workers[i]->deque))
            return true;
    return false;
}

/* The same, after a fence, for a worker that has just left some count: true, or
 * a push that is not over yet sees that it has. */
bool cf__threads_missed_work(struct cf__threads *pool);

/* The same before a sleep, or the end: for pushes to deques, too. */
bool cf__threads_missed_work_anywhere(struct cf__threads *pool);

#endif
