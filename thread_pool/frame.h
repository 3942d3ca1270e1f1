/* SPDX-License-Identifier: MIT */
/* Running a task on a worker's stack: see frame.c. */
#ifndef CF_THREAD_POOL_FRAME_H
#define CF_THREAD_POOL_FRAME_H

#include "lib/future/life.h"
#include "thread_pool/idle.h"

/* There is a frame for one more task. */
bool cf__threads_can_nest(struct cf__threads_worker *w);

/* The innermost running task and those that wait below it go with the
 * thread. */
void cf__threads_fail_frames(struct cf__threads_worker *w);

void cf__threads_free_frames(struct cf__threads_worker *w);

/* Runs a claimed task on top of what the worker is doing, and drops one handle
 * on it. */
static inline void
cf__threads_run(struct cf__threads_worker *w, cf_future *f, bool outermost)
{
    struct cf__threads *pool = cf__threads_of(w->base.executor);
    /* pairs with help: entries pushed from now on descend from f */
    cf_store_release(&f->base, cf__deque_base(&w->deque));
    cf_bump(&w->started);
    struct cf__frame *frame = w->frame->above;
    frame->f = f;
    frame->call.worker_data = w->base.data;
    w->frame = frame;
    uint64_t flags = cf__call_run_task(&frame->call, f);
    w->frame = frame->below;
    if (__builtin_expect(flags != 0, 0))
        cf_bump(&w->failed);
    cf_bump_release(&w->done); /* pairs with cf__threads_stats: started */
    if (outermost)
        cf__threads_search_early(pool, w);
    /* The timer was faster: the task has failed, whatever it returned. */
    if (!cf__future_finish(f, flags, 0, true) && !flags)
        cf_bump(&w->failed);
}

#endif
