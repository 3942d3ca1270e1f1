/* SPDX-License-Identifier: MIT */
/* Running a task on a worker's stack: frame.c. */
#ifndef CF_THREAD_POOL_FRAME_H
#define CF_THREAD_POOL_FRAME_H

#include "lib/future/life.h"
#include "thread_pool/idle.h"

/* Makes sure that there is a frame for one more task. false: no memory. */
bool cf__threads_can_nest(struct cf__threads_worker *w);

/* The worker's thread ends in a task: fails that task, and those that wait
 * below it on the stack. */
void cf__threads_fail_frames(struct cf__threads_worker *w);

void cf__threads_free_frames(struct cf__threads_worker *w);

/* Runs a claimed task on top of what the worker is doing, and drops one handle
 * of it. There is a frame for it. outermost: no other task is on the stack. */
static inline void
cf__threads_run(struct cf__threads_worker *w, cf_future *f, bool outermost)
{
    struct cf__threads *pool = cf__threads_of(w->base.executor);
    /* pairs with cf__threads_help: entries from here on descend from f */
    cf_store_release(&f->base, cf__deque_base(&w->deque));
    cf_bump(&w->started);
    struct cf__frame *frame = w->frame->above;
    cf__assert(frame && frame->below == w->frame);
    frame->f = f;
    frame->call.worker_data = w->base.data;
    w->frame = frame;
    uint64_t flags = cf__call_run_task(&frame->call, f);
    cf__assert(w->frame == frame);
    w->frame = frame->below;
    if (__builtin_expect(flags != 0, 0)) {
        if (flags == CF__RAN_JOB) {
            (void)cf__future_finish(f, 0, 0, true);
            return;
        }
        cf_bump(&w->failed);
    }
    cf_bump_release(&w->done); /* pairs with cf__threads_stats */
    if (outermost)
        cf__threads_search_early(pool, w);
    /* If the timer was faster, the task has failed, whatever it returned. */
    if (!cf__future_finish(f, flags, 0, true) && !flags)
        cf_bump(&w->failed);
}

#endif
