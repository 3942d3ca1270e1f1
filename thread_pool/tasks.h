/* SPDX-License-Identifier: MIT */
/* Looking for tasks in all of a pool, and taking them: tasks.c. */
#ifndef CF_THREAD_POOL_TASKS_H
#define CF_THREAD_POOL_TASKS_H

#include "thread_pool/pool.h"

/* Takes the worker's next task, pending or not; the entry's handle is the
 * caller's. NULL: none was found. */
cf_future *cf__threads_pick(struct cf__threads *pool,
                            struct cf__threads_worker *w);

/* Takes any task out of the pool, for a thread that empties it; the entry's
 * handle is the caller's. NULL: none was found. */
cf_future *cf__threads_take_any(struct cf__threads *pool);

/* There may be a task to take somewhere. A hint, unless the caller has made a
 * fence: README.md, "Sleeping and waking". */
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

/* W3 or S3 of README.md: looks for work again. The worker has just stopped
 * counting as searching, say, and has made a fence. If false, every push to the
 * queue that is still under way will see the changed count. */
bool cf__threads_missed_work(struct cf__threads *pool);

/* The same for pushes to deques, too. For a worker that is about to sleep or to
 * leave. */
bool cf__threads_missed_work_anywhere(struct cf__threads *pool);

#endif
