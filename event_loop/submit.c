/* SPDX-License-Identifier: MIT */
/*
 * Submits, from the loop's own tasks and from outside, and statistics.
 * loop->lock guards the start of the thread and the opening of the queue.
 */
#include "event_loop/loop.h"

#include <errno.h>

/* Opens the queue; the first one starts the thread. */
static cf_err
open_queue(struct cf__evloop *loop)
{
    pthread_mutex_lock(&loop->lock);
    cf_err err = cf_load_relaxed(&loop->refuse);
    if (!err && !loop->begun) {
        int error = loop->in_caller ? 0
                                    : cf__origin_start(&loop->base.origin,
                                                       &loop->thread,
                                                       0,
                                                       cf__evloop_main,
                                                       loop);
        loop->begun = error == 0;
        if (error) {
            errno = error;
            err = CF_ESYS;
        }
    }
    if (!err)
        cf__queue_open(&loop->queue);
    pthread_mutex_unlock(&loop->lock);
    return err;
}

cf_err
cf__evloop_submit(cf_executor *ex,
                  cf_future *oldest,
                  cf_future *newest,
                  size_t count)
{
    struct cf__evloop *loop = cf__evloop_of(ex);
    cf_err err;
    while ((err = cf__queue_push(&loop->queue, oldest, newest, count)) ==
           CF_ESHUTDOWN) {
        err = open_queue(loop);
        if (err)
            return err;
    }
    if (!err && !cf__evloop_is_here(loop))
        cf__evloop_wake(loop);
    return err;
}

void
cf__evloop_tidy(cf_executor *ex, uint64_t canceled)
{
    cf__queue_tidy(&cf__evloop_of(ex)->queue, canceled);
}

void
cf__evloop_stats(cf_executor *ex, cf_stats *out)
{
    struct cf__evloop *loop = cf__evloop_of(ex);
    /* Counters are read in an order that makes none of the differences
     * negative: what has left a stage is read before what entered it. */
    out->canceled = cf_load_acquire(&ex->canceled);
    uint64_t taken_back = cf_load_acquire(&ex->taken_back);
    out->done = cf_load_acquire(&loop->done);
    out->failed = cf_load_relaxed(&loop->failed);
    uint64_t started = cf_load_acquire(&loop->started);
    uint64_t submitted = cf__queue_count(&loop->queue);
    out->running = started - out->done;
    uint64_t left = started + out->canceled + taken_back;
    out->queued = submitted > left ? submitted - left : 0;
    pthread_mutex_lock(&loop->lock);
    out->workers = loop->begun && !loop->ended;
    pthread_mutex_unlock(&loop->lock);
    out->longest_run_ns = (uint64_t)cf_load_relaxed(&loop->watchdog.longest_ns);
    out->idle = out->workers && out->running == 0;
}
