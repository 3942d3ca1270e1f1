/* SPDX-License-Identifier: MIT */
/*
 * Executors whose tasks run in another process. What a worker there does, a
 * future's word here does not tell by itself: somebody has to look, and the
 * executor's operations below are how lib/ asks for it.
 *
 *   PENDING   in the executor's queue, as anywhere
 *   RUNNING   handed to a worker, which may have started it or not; nobody
 *             but the executor knows (started, recall)
 *
 * Such futures have CF__REMOTE in their word. Their users may ask for an
 * executor that ends at the same moment, so its memory stays readable, and its
 * lock usable, for the life of the process.
 */
#ifndef CF_LIB_EXECUTOR_REMOTE_H
#define CF_LIB_EXECUTOR_REMOTE_H

#include "lib/executor/executor.h"
#include "lib/future/waiter.h"

#include <stdlib.h>
#include <sys/types.h>

struct cf__remote_ops {
    /* Looks for results and hands out tasks, if nobody else is at it. Never
     * blocks, runs no user code. */
    void (*attend)(cf_executor *ex);

    /* f, which was RUNNING, has been started by its worker, or is done. */
    bool (*started)(const cf_future *f);

    /* Takes f, which was RUNNING, out of its worker's hands if that has not
     * started it: it never will, and the caller has the queue's handle. */
    bool (*recall)(cf_future *f);

    /* After a recall: the caller needs the executor no longer. */
    void (*let_go)(cf_executor *ex);

    /* f, which has CF__INTERRUPT, may have been started. */
    void (*interrupt)(cf_future *f);

    /* Somebody sleeps on f, or is to be called back: it is handed to a worker
     * soon, and its end noticed, without anybody asking. */
    void (*expect)(cf_future *f);

    /* In the timers' thread, when the timer of f is due: f has run for longer
     * than its timeout. false: its timer has been set anew, or it is done. */
    bool (*outran)(cf_future *f);

    /* f is about to fail that way: stops its worker, and returns its process
     * id; 0: it does not run there. */
    pid_t (*stop)(cf_future *f);

    /* Memory for arguments that do not fit into a future. NULL: none. */
    void *(*arg_alloc)(cf_executor *ex, size_t size);
    void (*arg_free)(cf_executor *ex, void *arg);
};

static inline const struct cf__remote_ops *
cf__remote_of(const cf_future *f)
{
    return f->executor->ops->remote;
}

/* The word says RUNNING, which is not the whole truth. */
static inline bool
cf__maybe_not_started(uint64_t word)
{
    return (word & CF__REMOTE) && cf__state(word) == CF_RUNNING;
}

/* After CF__SLEEPER or CF__WAITERS was set: f may wait for more to be
 * handed out together, or have been handed out by who has not seen that. */
static inline void
cf__remote_expect(cf_future *f)
{
    uint64_t word = cf_load_relaxed(&f->word); /* a hint, if it is done */
    if (word & CF__REMOTE && !cf__is_done(word))
        cf__remote_of(f)->expect(f);
}

/* Adds a waiter, who will hear of f's end without asking; false: f is done
 * already, and the waiter not in the list. */
static inline bool
cf__remote_listen(cf_future *f, struct cf__waiter *waiter)
{
    if (!cf__waiter_add(f, waiter))
        return false;
    cf__remote_expect(f);
    return true;
}

#endif
