/* SPDX-License-Identifier: MIT */
/* Who is told of a worker's pushes besides sleepers: see watch.c. */
#ifndef CF_THREAD_POOL_WATCH_H
#define CF_THREAD_POOL_WATCH_H

#include "thread_pool/idle.h"

/* The operations. */
void cf__threads_watch(struct cf__worker *self, cf_future *f);
void cf__threads_unwatch(struct cf__worker *self);

/* The worker that runs f, if that is another one of this pool. */
static inline struct cf__threads_worker *
cf__threads_runner_of(struct cf__worker *self, uint64_t word)
{
    int index = cf__runner(word);
    if (cf__state(word) != CF_RUNNING || index < 0 || index == self->index)
        return NULL;
    return cf__threads_of(self->executor)->workers[index];
}

/* The worker has pushed a task, and somebody watches it. */
void cf__threads_notify_watchers(struct cf__threads *pool,
                                 struct cf__threads_worker *w);

/* Entries of the calling worker's deque have come into reach: sleepers and
 * watchers may have seen none. */
static inline void
cf__threads_tell_of_entries(struct cf__threads *pool,
                            struct cf__threads_worker *w)
{
    cf__threads_wake_after_store(pool); /* a light fence before it all */
    if (__builtin_expect(cf_load_relaxed(&w->watchers) > 0, 0))
        cf__threads_notify_watchers(pool, w);
}

#endif
