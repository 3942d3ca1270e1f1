/* SPDX-License-Identifier: MIT */
/*
 * Submits, from outside of tasks and from inside, and statistics. pool->lock
 * guards the opening of the queue.
 */
#include "thread_pool/pool.h"

#include "lib/base/cpu_time.h"
#include "thread_pool/watch.h"

/* Opens the queue, and starts a worker if none is serving. If all threads are
 * on their way out after the idle time-out, no worker can be started; then the
 * first thread that leaves finds the task and starts another in its place. So a
 * submit waits for no finalizer. README.md, "Threads that end". */
static cf_err
open_queue(struct cf__threads *pool, bool *started)
{
    pthread_mutex_lock(&pool->lock);
    cf_err err = cf_load_relaxed(&pool->refuse);
    *started =
        !err && pool->serving == 0 && pool->alive < pool->base.max_workers;
    if (*started)
        err = cf__threads_start(pool);
    if (!err)
        cf__queue_open(&pool->queue);
    pthread_mutex_unlock(&pool->lock);
    return err;
}

/* The queue was closed: opens it and pushes, or returns why not. Not inline,
 * because it is rare. */
__attribute__((noinline)) static cf_err
submit_to_closed(struct cf__threads *pool, cf_future *oldest, size_t count)
{
    bool started;
    cf_err err;
    do {
        err = open_queue(pool, &started);
        if (err)
            return err;
        err = cf__queue_push(&pool->queue, oldest, count);
    } while (err == CF_ESHUTDOWN);
    if (err)
        return err;
    struct cf__activity activity = cf__threads_activity_after_push(pool);
    /* If a worker was started for one task: it, or one that was started since,
     * is in its initializer and searches after that. No second one is
     * needed. */
    bool comes = started && count == 1 && cf__activity_away(activity) > 0 &&
                 cf__activity_sleeping(activity) == 0;
    if (!comes && cf__activity_wake_is_due(activity))
        cf__threads_wake_one(pool);
    return CF_OK;
}

/* To the queue: tasks from outside, and all tasks with a priority. */
static cf_err
submit_outside(struct cf__threads *pool, cf_future *oldest, size_t count)
{
    cf_err err = cf__queue_push(&pool->queue, oldest, count);
    if (__builtin_expect(err == CF_ESHUTDOWN, 0))
        return submit_to_closed(pool, oldest, count);
    if (__builtin_expect(err, 0))
        return err;
    struct cf__activity activity = cf__threads_activity_after_push(pool);
    if (__builtin_expect(cf__activity_wake_is_due(activity), 0))
        cf__threads_wake_one(pool);
    return CF_OK;
}

/* To the worker's own deque, from a task of this pool. Not inlined: so a submit
 * from outside has no registers to save for it. */
__attribute__((noinline)) static cf_err
submit_inside(struct cf__threads *pool,
              struct cf__threads_worker *w,
              cf_future *oldest,
              cf_future *newest,
              size_t count)
{
    cf_err refuse = cf_load_relaxed(&pool->refuse); /* no order is promised */
    if (__builtin_expect(refuse != CF_OK, 0))
        return refuse;
    /* pairs with cf__threads_missed_work_anywhere: README.md, "Orderings" */
    if (__builtin_expect(!cf_load_seq_cst(&pool->nested), 0))
        cf_store_seq_cst(&pool->nested, true);
    uint32_t place = cf__queue_pushed(&pool->queue);
    if (__builtin_expect(count == 1, 1)) {
        if (!cf__deque_push(&w->deque, newest, place))
            return CF_ENOMEM;
    } else {
        if (!cf__deque_reserve(&w->deque, count))
            return CF_ENOMEM;
        for (cf_future *f = oldest, *next; f; f = next) {
            /* A thief may take f at once: next is read first. */
            next = f == newest ? NULL : cf_load_relaxed(&f->next);
            (void)cf__deque_push(&w->deque, f, place);
        }
    }
    cf_store_relaxed(&w->pushed, cf_load_relaxed(&w->pushed) + count);
    cf__threads_tell_of_entries(pool, w);
    return CF_OK;
}

cf_err
cf__threads_submit(cf_executor *ex,
                   cf_future *oldest,
                   cf_future *newest,
                   size_t count)
{
    struct cf__threads *pool = cf__threads_of(ex);
    if (cf__is_own_worker(ex)) {
        struct cf__threads_worker *w = cf__threads_worker_of(cf__thread.worker);
        /* A worker that does not serve any more is in its finalizer. If it
         * pushed to the queue, it would wait for its own end before the queue
         * can be opened. So tasks with a priority go to its deque, too. */
        if (cf__priority(oldest) == 0 || !w->serving)
            return submit_inside(pool, w, oldest, newest, count);
    }
    return submit_outside(pool, oldest, count);
}

void
cf__threads_stats(cf_executor *ex, cf_stats *out)
{
    struct cf__threads *pool = cf__threads_of(ex);
    uint64_t started = 0;
    /* No difference of counters may be negative. So a counter of tasks that
     * have left a stage is read before the counter of those that have entered
     * it. */
    uint64_t canceled = cf_load_acquire(&ex->canceled);
    uint64_t taken_back = cf_load_acquire(&ex->taken_back);
    pthread_mutex_lock(&pool->lock);
    int slots = cf_load_relaxed(&pool->slots); /* changes under the lock */
    for (int i = 0; i < slots; i++) {
        struct cf__threads_worker *w = pool->workers[i];
        uint64_t done = cf_load_acquire(&w->done);
        uint64_t begun = cf_load_acquire(&w->started);
        out->done += done;
        out->failed += cf_load_relaxed(&w->failed);
        started += begun;
        out->cpu_ns += cf__cpu_time(cf_load_relaxed(&w->cpu_clock));
        if (w->alive && begun == done && !cf__jobs_in_one(&w->jobs))
            out->idle++;
    }
    uint64_t submitted = cf__queue_count(&pool->queue);
    for (int i = 0; i < slots; i++)
        submitted += cf_load_relaxed(&pool->workers[i]->pushed);
    out->workers = (uint64_t)pool->alive;
    out->restarts = pool->restarts;
    out->cpu_ns += pool->cpu_ns;
    pthread_mutex_unlock(&pool->lock);
    out->canceled = canceled;
    /* A job counts as started for a moment. */
    out->running = started - out->done;
    uint64_t not_queued = started + canceled + taken_back;
    out->queued = submitted > not_queued ? submitted - not_queued : 0;
}
