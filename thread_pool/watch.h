/* SPDX-License-Identifier: MIT */
/* Telling sleepers and watchers of a worker's pushes: watch.c. */
#ifndef CF_THREAD_POOL_WATCH_H
#define CF_THREAD_POOL_WATCH_H

#include "thread_pool/idle.h"

/* Two operations. */
void cf__threads_watch(struct cf__worker *self, cf_future *f);
void cf__threads_unwatch(struct cf__worker *self);

/* The runner of the future whose word this is, if it is another worker of this
 * pool; else NULL. */
static inline struct cf__threads_worker *
cf__threads_runner_of(struct cf__worker *self, uint64_t word)
{
    int index = cf__runner(word);
    if (cf__state(word) != CF_RUNNING || index < 0 || index == self->index)
        return NULL;
    return cf__threads_of(self->executor)->workers[index];
}

/* Wakes the workers that watch w, which has pushed. */
void cf__threads_notify_watchers(struct cf__threads *pool,
                                 struct cf__threads_worker *w);

/* P2 and P3 of README.md, and the same for watchers. Called by a worker after
 * entries of its deque have come into reach: sleepers and watchers may have
 * seen none. */
static inline void
cf__threads_tell_of_entries(struct cf__threads *pool,
                            struct cf__threads_worker *w)
{
    cf__threads_wake_after_store(pool); /* begins with a light fence */
    if (__builtin_expect(cf_load_relaxed(&w->watchers) > 0, 0))
        cf__threads_notify_watchers(pool, w);
}

#endif
