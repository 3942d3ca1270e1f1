/* SPDX-License-Identifier: MIT */
/*
 * Submits, from the loop's own tasks and from outside, and statistics.
 * loop->lock guards the start of the thread and the opening of the queue.
 */
#include "event_loop/loop.h"

#include "lib/base/cpu_time.h"

#include <errno.h>

/* So few that it does not matter if all of them are cancelled and stay until
 * they would start: the queue sweeps those out, own does not. */
enum { OWN_MAX = 1024 };

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

/* A task submits to its own loop: no other thread has to see that. Only while
 * nothing is in the queue: so what is in own is older than all that is there.
 * false: it has to go to the queue. */
static inline bool
push_own(struct cf__evloop *loop,
         cf_future *oldest,
         cf_future *newest,
         size_t count)
{
    if (cf__executor_forked(&loop->base) || /* by a handler of the fork */
        cf_load_acquire(&loop->refuse) != CF_OK || /* pairs with refuse */
        cf__priority(oldest) != 0 || cf__queue_has_work(&loop->queue) ||
        count > OWN_MAX - loop->own_count)
        return false;
    cf_store_relaxed(&newest->next, NULL); /* the loop's thread's */
    if (loop->own)
        cf_store_relaxed(&loop->last_own->next, oldest);
    else
        loop->own = oldest;
    loop->last_own = newest;
    loop->own_count += count;
    cf_store_relaxed(&loop->own_submitted,
                     cf_load_relaxed(&loop->own_submitted) + count);
    return true;
}

/* From another thread, or to the queue, or in the loop's thread outside of
 * tasks. Not inlined: so the common way has no registers to save. */
__attribute__((noinline)) static cf_err
submit_rarely(struct cf__evloop *loop,
              cf_future *oldest,
              cf_future *newest,
              size_t count)
{
    const bool own = cf__is_own_worker(&loop->base) || cf__evloop_is_here(loop);
    cf_err err;
    if (own && push_own(loop, oldest, newest, count)) {
        if (__builtin_expect(loop->inside != NULL, 0))
            cf__evloop_wake(loop); /* perhaps no turn would come */
        return CF_OK;
    }
    while ((err = cf__queue_push(&loop->queue, oldest, count)) ==
           CF_ESHUTDOWN) {
        err = open_queue(loop);
        if (err)
            return err;
    }
    if (!err && (!own || loop->inside))
        cf__evloop_wake(loop);
    return err;
}

cf_err
cf__evloop_submit(cf_executor *ex,
                  cf_future *oldest,
                  cf_future *newest,
                  size_t count)
{
    struct cf__evloop *loop = cf__evloop_of(ex);
    if (__builtin_expect(!loop->inside, 1) && cf__is_own_worker(ex) &&
        push_own(loop, oldest, newest, count))
        return CF_OK;
    return submit_rarely(loop, oldest, newest, count);
}

cf_future *
cf__evloop_tidy(cf_executor *ex, uint64_t canceled)
{
    return cf__queue_tidy(&cf__evloop_of(ex)->queue, canceled);
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
    uint64_t submitted =
        cf__queue_count(&loop->queue) + cf_load_relaxed(&loop->own_submitted);
    out->running = started - out->done;
    uint64_t left = started + out->canceled + taken_back;
    out->queued = submitted > left ? submitted - left : 0;
    pthread_mutex_lock(&loop->lock);
    out->workers = loop->begun && !loop->ended;
    out->cpu_ns = loop->cpu_clock == CF__NO_CPU_CLOCK
                      ? loop->cpu_ns
                      : cf__cpu_time(loop->cpu_clock) - loop->cpu_begun;
    pthread_mutex_unlock(&loop->lock);
    out->longest_run_ns = (uint64_t)cf_load_relaxed(&loop->watchdog.longest_ns);
    out->idle = out->workers && out->running == 0;
}
