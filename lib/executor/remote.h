/* SPDX-License-Identifier: MIT */
/*
 * Executors whose tasks run in other processes. The word of a future here does
 * not change by what a worker there does: a thread of this process has to look.
 * With the operations below, lib/ asks the executor to look.
 *
 *   PENDING   in the executor's queue, as with any executor
 *   RUNNING   handed to a worker. Only the executor knows whether the worker
 *             has started it (started, recall)
 *
 * Such futures have CF__REMOTE in their word. A thread may use them, and so
 * their executor, at the moment when that executor ends: so the memory of such
 * an executor stays readable, and its lock usable, for the life of the process.
 * README.md, "Tasks in other processes", has the protocol.
 */
#ifndef CF_LIB_EXECUTOR_REMOTE_H
#define CF_LIB_EXECUTOR_REMOTE_H

#include "lib/executor/executor.h"
#include "lib/future/waiter.h"

#include <stdlib.h>
#include <sys/types.h>

struct cf__remote_ops {
    /* Looks for results and hands out tasks, unless another thread is doing
     * that. Never blocks, and runs no user code. */
    void (*attend)(cf_executor *ex);

    /* Of f, which was RUNNING: its worker has started it, or it is done. */
    bool (*started)(const cf_future *f);

    /* Takes f, which was RUNNING, back from its worker. true: the worker has
     * not started f and never will, and the caller has the queue's handle. */
    bool (*recall)(cf_future *f);

    /* After a recall: the caller no longer needs the executor. */
    void (*let_go)(cf_executor *ex);

    /* f has CF__INTERRUPT now, and its worker may have started it. */
    void (*interrupt)(cf_future *f);

    /* A thread sleeps on f, or a waiter waits for it. From now on f is handed
     * to a worker soon, and its end is noticed, without a thread that asks. */
    void (*expect)(cf_future *f);

    /* In the timers' thread, when the timer of f is due. true: f has run for
     * longer than its timeout. false: its timer has been set again, or f is
     * done. */
    bool (*outran)(cf_future *f);

    /* f has run for too long and is about to fail: stops its worker and returns
     * the process id of the worker. 0: f does not run there. */
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

/* The word says RUNNING, but it may be that no worker has started the task. */
static inline bool
cf__maybe_not_started(uint64_t word)
{
    return (word & CF__REMOTE) && cf__state(word) == CF_RUNNING;
}

/* Comes after CF__SLEEPER or CF__WAITERS was set. f may be held back, to be
 * handed out together with later tasks; or the thread that handed it out may
 * not have seen that bit. */
static inline void
cf__remote_expect(cf_future *f)
{
    uint64_t word = cf_load_relaxed(&f->word); /* a hint, if it is done */
    if (word & CF__REMOTE && !cf__is_done(word))
        cf__remote_of(f)->expect(f);
}

/* Adds a waiter, which is notified of f's end without a thread that asks.
 * false: f is done already, and the waiter is not in the list. */
static inline bool
cf__remote_listen(cf_future *f, struct cf__waiter *waiter)
{
    if (!cf__waiter_add(f, waiter))
        return false;
    cf__remote_expect(f);
    return true;
}

#endif
