/* SPDX-License-Identifier: MIT */
/*
 * Which task a worker takes next, and whether there is one: in the queue, in
 * its own deque, in those of other workers. README.md, "The way of a task". No
 * lock is used here; the queue's heap has its own.
 */
#include "thread_pool/tasks.h"

static cf_future *
steal(struct cf__threads *pool, struct cf__threads_worker *thief)
{
    /* A hint: no deque has ever had an entry. A worker that is about to sleep
     * looks into all deques (cf__threads_has_work()). */
    if (!cf_load_relaxed(&pool->nested))
        return NULL;
    int slots = cf_load_acquire(&pool->slots); /* pairs with new_worker */
    int at = thief->base.index;
    for (int i = 1; i < slots; i++) { /* from its neighbour on */
        at = at + 1 < slots ? at + 1 : 0;
        cf_future *f = cf__deque_steal(&pool->workers[at]->deque, 0, NULL);
        if (f)
            return f;
    }
    return NULL;
}

/* Takes the older one of the queue's next task and the oldest of its own. */
static cf_future *
take_in_order(struct cf__threads *pool, struct cf__threads_worker *w)
{
    uint32_t place;
    if (!cf__deque_oldest_place(&w->deque, &place))
        return cf__queue_take(&pool->queue);
    /* The queue's task goes first if it came to the queue before place. */
    cf_future *f = NULL;
    if ((int32_t)(cf__queue_next_place(&pool->queue) - place) < 0)
        f = cf__queue_take(&pool->queue);
    return f ? f : cf__deque_steal(&w->deque, 0, NULL);
}

cf_future *
cf__threads_pick(struct cf__threads *pool, struct cf__threads_worker *w)
{
    cf_future *f = NULL;
    if (cf__queue_has_prioritized(&pool->queue, true)) /* rare */
        f = cf__queue_take_prioritized(&pool->queue, true);
    if (!f && ++w->picks % CF__STEAL_FIRST_EVERY == 0)
        f = steal(pool, w);
    if (!f)
        f = take_in_order(pool, w);
    if (!f)
        f = steal(pool, w);
    if (!f)
        f = cf__queue_take_prioritized(&pool->queue, false);
    return f;
}

cf_future *
cf__threads_take_any(struct cf__threads *pool)
{
    cf_future *f = cf__queue_take_prioritized(&pool->queue, true);
    if (!f)
        f = cf__queue_take(&pool->queue);
    if (!f)
        f = cf__queue_take_prioritized(&pool->queue, false);
    int slots = cf_load_acquire(&pool->slots); /* pairs with new_worker */
    for (int i = 0; !f && i < slots; i++)
        f = cf__deque_steal(&pool->workers[i]->deque, 0, NULL);
    return f;
}

bool
cf__threads_missed_work(struct cf__threads *pool)
{
    bool busy = cf__inbox_is_busy(&pool->queue.inbox); /* before pushed */
    if (busy && !cf__threads_has_work(pool))
        cf__fence_heavy(); /* pairs with P2: cf__threads_activity_after_push */
    return cf__threads_has_work(pool);
}

bool
cf__threads_missed_work_anywhere(struct cf__threads *pool)
{
    if (cf_load_seq_cst(&pool->nested)) /* pairs with submit_inside */
        cf__fence_heavy(); /* pairs with P2: cf__threads_wake_after_store */
    return cf__threads_missed_work(pool);
}
