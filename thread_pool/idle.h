/* SPDX-License-Identifier: MIT */
/* Searching, sleeping and waking; what a pusher does about it, inline:
 * idle.c. */
#ifndef CF_THREAD_POOL_IDLE_H
#define CF_THREAD_POOL_IDLE_H

#include "thread_pool/activity.h"

/* Wakes or starts a worker, if none is searching. */
void cf__threads_wake_one(struct cf__threads *pool);

/* Wakes all sleepers; each looks around. The caller holds the lock. */
void cf__threads_wake_all_locked(struct cf__threads *pool);

/* The worker has found no task: searches, and sleeps, until there may be one.
 * false: the worker serves no more, and its thread ends. */
bool cf__threads_wait_for_work(struct cf__threads *pool,
                               struct cf__threads_worker *w);

/* S1 to S3 of README.md: the worker has found a task, or something else keeps
 * it from looking for one. */
void cf__threads_stop_searching(struct cf__threads *pool,
                                struct cf__threads_worker *w);

/* A new worker is away while it runs its initializer: submits meanwhile start
 * others. Tasks that were submitted before wait for this worker: pausing wakes
 * no other, and after resuming it finds them, or hands on. */
void cf__threads_pause_search(struct cf__threads *pool,
                              struct cf__threads_worker *w);
void cf__threads_resume_search(struct cf__threads *pool,
                               struct cf__threads_worker *w);

/* The worker is not away any more, and does not search: it is going to run a
 * task on top of its initializer, and pauses again afterwards; or the
 * initializer has failed, and it breaks the pool, which runs callbacks. */
void cf__threads_abandon_search(struct cf__threads *pool,
                                struct cf__threads_worker *w);

/* Part of cf__threads_search_early(). */
void cf__threads_search_early_if_idle(struct cf__threads *pool,
                                      struct cf__threads_worker *w);

/* Counts the worker as searching before its task is published as finished, if
 * there is no work. So a thread that sees the result and submits finds a worker
 * that is free. Only a pool that has threads to start asks for it. */
static inline void
cf__threads_search_early(struct cf__threads *pool, struct cf__threads_worker *w)
{
    /* a hint */
    if (cf__activity_startable(cf__threads_activity_relaxed(pool)) > 0)
        cf__threads_search_early_if_idle(pool, w);
}

/* The worker's thread leaves the pool. died: a task has ended it. true: the
 * caller is to start another thread in its place. The caller holds the lock. */
bool cf__threads_leave_locked(struct cf__threads *pool,
                              struct cf__threads_worker *w,
                              bool died);

/* Callbacks may take long. So if the worker is searching, it stops, and another
 * one looks for the tasks that relied on its search. */
void cf__threads_callbacks_begin(struct cf__worker *worker);

/* P2 and P3 of README.md after a push to the queue. */
static inline struct cf__activity
cf__threads_activity_after_push(struct cf__threads *pool)
{
    cf__queue_fence_after_push(); /* pairs with cf__threads_missed_work */
    return cf__threads_activity_relaxed(pool);
}

/* P2 and P3 of README.md after a push that was a plain store. Sleepers pay for
 * the fence; this thread pays for one only where a searcher may be about to
 * stop. */
static inline void
cf__threads_wake_after_store(struct cf__threads *pool)
{
    cf__fence_light(); /* pairs with cf__threads_missed_work_anywhere */
    /* pairs with cf__threads_missed_work_anywhere, where nested is unset */
    struct cf__activity activity = cf__threads_activity_seq_cst(pool);
    if (__builtin_expect(!cf__activity_can_grow(activity), 1))
        return;
    cf__fence_full();
    if (cf__activity_wake_is_due(cf__threads_activity_relaxed(pool)))
        cf__threads_wake_one(pool);
}

#endif
