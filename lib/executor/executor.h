/* SPDX-License-Identifier: MIT */
/*
 * The executor's common part and the operations that a backend provides.
 *
 * A backend's struct begins with cf_executor. Its constructor fills in the
 * operations and ends with cf__executor_init(). Everything that is the same for
 * all backends (arguments, handles, cancelling, waiting, callbacks, the queue's
 * bound, maps) is in lib/.
 */
#ifndef CF_LIB_EXECUTOR_EXECUTOR_H
#define CF_LIB_EXECUTOR_EXECUTOR_H

#include <cfutures/executor.h>

#include "lib/base/clock.h"
#include "lib/base/export.h"
#include "lib/base/forked.h"
#include "lib/base/list.h"
#include "lib/base/origin.h"
#include "lib/base/worker.h"
#include "lib/executor/bound.h"
#include "lib/executor/timers.h"
#include "lib/future/future.h"

/* Deadlines are absolute (lib/base/clock.h). Only after_fork may be called with
 * a lock of lib/ held. */
struct cf__executor_ops {
    const char *name; /* what cf_executor_name() returns */

    /* A task that waits holds no worker: any number of tasks may run at
     * once. */
    bool tasks_suspend;

    /* A submit from outside the executor's tasks goes to a queue (queue.h), and
     * to nothing else that may need memory: it may come in pieces. */
    bool queues;

    /*
     * Queues a chain of count tasks, linked from the oldest to the newest: all
     * or none. Only the task of a chain of one may have attributes. On CF_OK
     * the backend owns one handle of each task. Any thread calls it. It does
     * not wait for a worker: the bound has already made room.
     */
    cf_err (*submit)(cf_executor *ex,
                     cf_future *oldest,
                     cf_future *newest,
                     size_t count);

    /*
     * Called in a task of this executor that waits for f: runs f here if f is
     * pending. true: f ran, and is done. NULL: the executor never runs a task
     * inside of another one's wait.
     */
    bool (*run_pending)(struct cf__worker *self, cf_future *f);

    /* Called in the same way while f runs elsewhere: runs one task that
     * descends from f. false: there is none. */
    bool (*help)(struct cf__worker *self, cf_future *f);

    /* From now on the backend unparks self when help() may succeed. unwatch
     * ends that. watch may be called again without an unwatch between. */
    void (*watch)(struct cf__worker *self, cf_future *f);
    void (*unwatch)(struct cf__worker *self);

    /*
     * Called now and then by a thread that cancels a task; canceled is how many
     * were ever cancelled. Removes from the queue what will never run. A taker
     * may wait for the end of this cancel: so this takes no lock that a taker
     * holds then, and calls no code of the user. Returns what it has removed,
     * linked by next, for cf__future_unref_list(). NULL: nothing is queued for
     * long.
     */
    cf_future *(*tidy)(cf_executor *ex, uint64_t canceled);

    /* The worker that runs f, a running task of this executor. For the wait
     * graph, which holds its lock meanwhile. The operation or what it returns
     * may be NULL: then a wait for such a task is never refused. */
    struct cf__worker *(*worker_of)(const cf_future *f);

    /* The innermost task that self, the calling worker, runs. NULL: none. If
     * the operation is NULL, waits in the executor's tasks are never
     * interrupted. */
    cf_future *(*running)(struct cf__worker *self);

    /* f, a running task of this executor, has been told to stop; or all running
     * tasks have, if f is NULL. Wakes the workers that wait in these tasks. Any
     * thread calls it, also under f's lock: it takes no lock. It may wake a
     * worker that runs another task by now. NULL: no worker waits in them. */
    void (*interrupt)(cf_executor *ex, cf_future *f);

    /* As the public functions; the arguments have been checked. shutdown
     * returns CF_ETIMEDOUT or CF_OK, and may be called again. terminate
     * refuses submits, wakes what waits in running tasks (interrupt), cancels,
     * stops what it can, and does not wait for threads. If users
     * cannot end the executor, shutdown, terminate and destroy are all NULL. */
    cf_err (*wait_idle)(cf_executor *ex, int64_t deadline_ns);
    cf_err (*shutdown)(cf_executor *ex, unsigned flags, int64_t deadline_ns);
    cf_err (*terminate)(cf_executor *ex, int signo);
    void (*stats)(cf_executor *ex, cf_stats *out);

    /* Of an executor of this process: cf__phase() says which one it is. */
    cf_executor_phase (*phase)(cf_executor *ex);

    /* Asserts that the backend's structures are whole, its queue too. Takes its
     * own locks. See cf__executor_check(). NULL: nothing needs a look. */
    void (*check)(cf_executor *ex);

    /* How many workers are awake without a task, and would take one at once: a
     * hint. NULL: that is not known. */
    int (*searching)(cf_executor *ex);

    /* The executor has threads, and none of them can go on before the calling
     * worker does. NULL: that cannot be. */
    bool (*is_stalled)(cf_executor *ex);

    /* The calling thread is in a task of the executor, though it is no worker
     * of it. NULL: that cannot be. */
    bool (*runs_here)(cf_executor *ex);

    /* After a shutdown that has ended: frees everything, by
     * cf__executor_fini() and then the executor itself. A worker of the
     * executor may call it. */
    void (*destroy)(cf_executor *ex);

    /* In a fork's child, which has one thread: forgets the parent's workers
     * and queued tasks, initializes the locks again, and refuses with
     * CF_EFORKED from now on. Async-signal-safe. */
    void (*after_fork)(cf_executor *ex);

    /* NULL: tasks run in this process. */
    const struct cf__remote_ops *remote;

    /* NULL: plain memory. */
    void *(*shared_alloc)(cf_executor *ex, size_t size);
    void (*shared_free)(cf_executor *ex, void *p);
    /* All of [p, p + size) is memory of shared_alloc(). NULL: tasks can use
     * all of the program's memory. */
    bool (*is_shared)(cf_executor *ex, const void *p, size_t size);
};

/* Guarded by the lock of deferred_watch.h. Tasks that wait, the oldest
 * first. */
struct cf__deferrals {
    struct cf__link list;
    uint64_t queued; /* how many have been queued */
    bool closed;     /* it takes no more */
};

struct cf_executor {
    /* Set once, by the constructor. */
    const struct cf__executor_ops *ops;
    int max_workers;
    bool caller_joins; /* the caller of a loop may run a part of it: the workers
                          have nothing that other threads do not have */
    uint64_t future_bits; /* in the words of its futures: CF__REMOTE or 0 */

    struct cf__bound *bound;   /* NULL: the queue has no bound. Set once */
    struct cf__timers *timers; /* deadlines of running tasks */
    struct cf__origin origin;  /* its threads are like this. Set once */

    /* Atomic, both: batch.h. Batches under way; those to come are refused. */
    _Atomic uint32_t batches;
    atomic_bool refuses_batches;

    atomic_bool terminated; /* running tasks are told to stop: a hint */
    /* Atomic. Set before terminated: pending tasks are cancelled, not run. */
    atomic_bool runs_no_more;
    uint16_t generation; /* of the process that made it. Set by registry.c */

    /* Counters. canceled: tasks that never ran. taken_back: tasks that left the
     * queue to run elsewhere, less those that are counted as having left it
     * but never were in it (caller_run.c), modulo 2^64. */
    _Atomic uint64_t canceled, taken_back;

    struct cf__deferrals deferrals;

    /* Guarded by the registry's lock. */
    _Atomic(cf_executor *) registry_next; /* atomic for a fork's child */
    cf_executor *registry_prev;
    bool drained_at_exit, given_up_at_exit;
    int kept;        /* by so many drains: it must not be freed */
    bool destroying; /* cf_executor_destroy() has begun */
};

/*
 * Makes the common part. capacity 0: unbounded. CF_ENOMEM: nothing is left to
 * undo. The exit and fork hooks know ex only after cf__registry_add(): two
 * steps, for a caller that needs them apart.
 */
cf_err cf__executor_prepare(cf_executor *ex,
                            const struct cf__executor_ops *ops,
                            int max_workers,
                            size_t capacity,
                            cf_queue_policy policy);
void cf__executor_unprepare(cf_executor *ex);

/* Both steps. */
CF__EXPORT cf_err cf__executor_init(cf_executor *ex,
                                    const struct cf__executor_ops *ops,
                                    int max_workers,
                                    size_t capacity,
                                    cf_queue_policy policy);

/* Undoes cf__executor_init(). */
CF__EXPORT void cf__executor_fini(cf_executor *ex);

/* Bookkeeping for f, which will not run. queued: the bound still counts it as
 * pending. Returns how many such tasks there ever were. */
uint64_t cf__executor_never_ran(cf_executor *ex, cf_future *f, bool queued);

/* ex belongs to the process that forked this one, or to one before that. */
static inline bool
cf__executor_forked(const cf_executor *ex)
{
    return ex->generation != cf__generation_now();
}

/* cf_executor_terminate() has begun: a thread that takes a pending task cancels
 * it. A thread whose task ended because it saw terminated sees this, too. */
static inline bool
cf__executor_runs_no_more(const cf_executor *ex)
{
    /* pairs with cf_executor_terminate */
    return __builtin_expect(cf_load_acquire(&ex->terminated), 0) &&
           cf_load_relaxed(&ex->runs_no_more); /* ordered by that */
}

/* A task that fails had been told to stop: so it counts as cancelled. f or ex
 * may be NULL. */
static inline bool
cf__was_stopped(const cf_executor *ex, const cf_future *f)
{
    return (f && cf_load_relaxed(&f->word) & CF__INTERRUPT) ||
           (ex && cf_load_relaxed(&ex->terminated)); /* hints, both */
}

/* For the operation phase. refuses: CF_OK, or why submits are refused. over: no
 * worker is left. */
static inline cf_executor_phase
cf__phase(int refuses, bool over)
{
    if (refuses == CF_OK)
        return CF_EXECUTOR_OPEN;
    if (refuses == CF_EBROKEN)
        return CF_EXECUTOR_BROKEN;
    return over ? CF_EXECUTOR_ENDED : CF_EXECUTOR_SHUTTING_DOWN;
}

/* Takes a pending task for running on a worker. */
static inline bool
cf__future_claim(cf_future *f, int worker)
{
    if (!cf__future_claim_word(f, worker))
        return false;
    if (f->executor->bound && !(f->owned & CF__JOB))
        cf__bound_release(f->executor->bound, 1);
    return true;
}

#endif
