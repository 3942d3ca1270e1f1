/* SPDX-License-Identifier: MIT */
/*
 * The frames of a worker: one for each task on its stack, and one more for the
 * next task. No locks: only the worker's thread uses them, before it the thread
 * that starts it, and after it the one that frees the pool.
 */
#include "thread_pool/frame.h"

#include "lib/future/life.h"

#include <stdlib.h>

bool
cf__threads_can_nest(struct cf__threads_worker *w)
{
    if (w->frame->above)
        return true;
    struct cf__frame *frame = calloc(1, sizeof *frame);
    if (!frame)
        return false;
    frame->call.executor = w->base.executor;
    frame->call.worker = w->base.index;
    frame->call.jobs = &w->jobs;
    frame->below = w->frame;
    w->frame->above = frame;
    return true;
}

void
cf__threads_fail_frames(struct cf__threads_worker *w)
{
    while (w->frame != &w->bottom) {
        struct cf__frame *frame = w->frame;
        cf_future *f = frame->f;
        w->frame = frame->below;
        cf__call_died(&frame->call, f);
        if (f->owned & CF__JOB) {
            cf_bump(&w->jobs.ended);
        } else {
            cf_bump(&w->failed);
            cf_bump_release(&w->done); /* pairs with cf__threads_stats */
        }
        (void)cf__future_finish(f, CF__FAILED, 0, true);
    }
}

void
cf__threads_free_frames(struct cf__threads_worker *w)
{
    for (struct cf__frame *at = w->bottom.above, *next; at; at = next) {
        next = at->above;
        free(at);
    }
}
