/* SPDX-License-Identifier: MIT */
/* Looking for tasks in all of a pool, and taking them: tasks.c. */
#ifndef CF_THREAD_POOL_TASKS_H
#define CF_THREAD_POOL_TASKS_H

#include "thread_pool/pool.h"

/* Takes the worker's next task, pending or not; the entry's handle is the
 * caller's. NULL: none was found. */
cf_future *cf__threads_pick(struct cf__threads *pool,
                            struct cf__threads_worker *w);

/* A worker that finds tasks in the queue every time still looks into the other
 * deques so often, so that no worker's own tasks wait for ever. */
enum { CF__STEAL_FIRST_EVERY = 64 };

/* The same in one attempt, for the common case: there are tasks in the queue,
 * none with a priority, and none in w's deque. NULL: cf__threads_pick() looks
 * everywhere. */
static inline cf_future *
cf__threads_pick_at_once(struct cf__threads *pool, struct cf__threads_worker *w)
{
    unsigned picks = w->picks + 1;
    if (cf__queue_has_prioritized(&pool->queue, true) ||
        picks % CF__STEAL_FIRST_EVERY == 0 || !cf__deque_empty(&w->deque))
        return NULL;
    cf_future *f = cf__queue_take_at_once(&pool->queue);
    if (f)
        w->picks = picks;
    return f;
}

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
