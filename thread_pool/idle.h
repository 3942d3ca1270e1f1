/* SPDX-License-Identifier: MIT */
/* Searching, sleeping and waking, with a pusher's looks inline: see idle.c. */
#ifndef CF_THREAD_POOL_IDLE_H
#define CF_THREAD_POOL_IDLE_H

#include "thread_pool/activity.h"

/* Wakes or starts a worker if none is searching. */
void cf__threads_wake_one(struct cf__threads *pool);

/* Lets all sleepers look around. The caller holds the lock. */
void cf__threads_wake_all_locked(struct cf__threads *pool);

/* The worker has found nothing: waits for work. false: it serves no more, and
 * its thread shall end. */
bool cf__threads_wait_for_work(struct cf__threads *pool,
                               struct cf__threads_worker *w);

/* The worker has found a task, or is kept from looking for one. */
void cf__threads_stop_searching(struct cf__threads *pool,
                                struct cf__threads_worker *w);

/* A new worker runs its initializer: submits meanwhile start others. What was
 * submitted before waits for it: pausing wakes nobody, and after resuming it
 * finds that or hands on. */
void cf__threads_pause_search(struct cf__threads *pool,
                              struct cf__threads_worker *w);
void cf__threads_resume_search(struct cf__threads *pool,
                               struct cf__threads_worker *w);

/* Instead of resuming: the initializer has failed, and the pool is broken. */
void cf__threads_abandon_search(struct cf__threads *pool);

/* Counts the worker as searching before its task is published as finished, so
 * that whoever sees the result and submits finds it free. */
void cf__threads_search_early(struct cf__threads *pool,
                              struct cf__threads_worker *w);

/* The worker's thread ends: by itself, or because a task ended it (died). true:
 * another is to be started in its place. The caller holds the lock. */
bool cf__threads_leave_locked(struct cf__threads *pool,
                              struct cf__threads_worker *w,
                              bool died);

/* The operation. Callbacks may take long: whoever relied on this worker's
 * search gets another. */
void cf__threads_callbacks_begin(struct cf__worker *worker);

/* After a push to the queue. README.md, "Sleeping and waking". */
static inline struct cf__activity
cf__threads_activity_after_push(struct cf__threads *pool)
{
    cf__fence_after_rmw(); /* that of the inbox's lock */
    cf__fence_light();     /* who finds it locked pays for this one */
    return cf__threads_activity_relaxed(pool);
}

/* After a push that was a store: sleepers pay for the fence, and we only where
 * a searcher may be leaving. */
static inline void
cf__threads_wake_after_store(struct cf__threads *pool)
{
    cf__fence_light();
    /* pairs with missed_work_anywhere, where it skips the heavy fence */
    struct cf__activity activity = cf__threads_activity_seq_cst(pool);
    if (__builtin_expect(!cf__activity_can_grow(activity), 1))
        return;
    cf__fence_full();
    if (cf__activity_wake_is_due(cf__threads_activity_relaxed(pool)))
        cf__threads_wake_one(pool);
}

#endif
