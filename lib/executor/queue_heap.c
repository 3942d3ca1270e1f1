/* SPDX-License-Identifier: MIT */
/*
 * The queue's tasks with a priority other than 0: a heap under a mutex. The
 * order among equals is that of their submits.
 */
#include "lib/executor/queue.h"

#include "lib/base/assert.h"
#include "lib/base/fence.h"
#include "lib/base/forked.h"

static void
set_top_locked(struct cf__queue *q)
{
    /* a hint: the lock gives the order */
    cf_store_relaxed(&q->heap_top, cf__task_heap_top(&q->heap));
}

cf_err
cf__queue_push_prioritized(struct cf__queue *q, cf_future *f)
{
    cf_err err = CF_OK;
    cf__notice_fork();
    pthread_mutex_lock(&q->heap_lock);
    /* Closing takes heap_lock, too. Opening does not: a push that still sees it
     * closed might as well have come a little earlier. */
    if (cf_load_relaxed(&q->inbox.closed))
        err = CF_ESHUTDOWN;
    else if (!cf__task_heap_reserve(&q->heap, q->heap.count + 1))
        err = CF_ENOMEM;
    if (!err) {
        cf__task_heap_add(&q->heap, f, q->heap_pushed++);
        set_top_locked(q);
    }
    pthread_mutex_unlock(&q->heap_lock);
    cf__fence_full(); /* as cf__queue_push() says */
    return err;
}

cf_future *
cf__queue_take_prioritized(struct cf__queue *q, bool above)
{
    if (!cf__queue_has_prioritized(q, above))
        return NULL;
    cf_future *f = NULL;
    pthread_mutex_lock(&q->heap_lock);
    if (q->heap.count && (q->heap.tasks[0].priority > 0) == above) {
        f = cf__task_heap_take(&q->heap).f;
        set_top_locked(q);
    }
    pthread_mutex_unlock(&q->heap_lock);
    return f;
}

cf_future *
cf__queue_sweep_heap(struct cf__queue *q)
{
    pthread_mutex_lock(&q->heap_lock);
    cf_future *swept = cf__task_heap_sweep(&q->heap);
    set_top_locked(q);
    pthread_mutex_unlock(&q->heap_lock);
    return swept;
}

#ifdef CF_ASSERTIONS
void
cf__queue_check_heap(struct cf__queue *q)
{
    pthread_mutex_lock(&q->heap_lock);
    int64_t top = cf__task_heap_top(&q->heap);
    cf__assert(cf_load_relaxed(&q->heap_top) == top); /* locked */
    cf__assert(q->heap.count <= q->heap_pushed);
    cf__task_heap_check(&q->heap);
    for (size_t i = 0; i < q->heap.count; i++) {
        cf__assert(q->heap.tasks[i].priority != 0);
        cf__assert(q->heap.tasks[i].order < q->heap_pushed);
    }
    pthread_mutex_unlock(&q->heap_lock);
}
#endif
