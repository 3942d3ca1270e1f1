/* SPDX-License-Identifier: MIT */
/*
 * The executor's common part and the operations that a backend provides.
 *
 * A backend's struct begins with cf_executor; its constructor fills in the
 * operations and ends with cf__executor_init(). Everything that is not its own
 * (arguments, handles, cancelling, waiting, callbacks, the queue's bound,
 * maps) is done by lib/, once for all.
 */
#ifndef CF_LIB_EXECUTOR_EXECUTOR_H
#define CF_LIB_EXECUTOR_EXECUTOR_H

#include <cfutures/executor.h>

#include "lib/base/clock.h"
#include "lib/base/forked.h"
#include "lib/base/origin.h"
#include "lib/base/worker.h"
#include "lib/executor/bound.h"
#include "lib/executor/timers.h"
#include "lib/future/future.h"

/* Deadlines are absolute (lib/base/clock.h). No operation is called with a lock of
 * lib/ held, but after_fork. */
struct cf__executor_ops {
    const char *name; /* what cf_executor_name() returns */

    /*
     * Queues a chain of count tasks, linked from the oldest to the newest, all
     * or none; only a chain of one may have attributes. On CF_OK the backend
     * owns one handle of each. Called by any thread; does not wait for a
     * worker (the bound has already made room).
     */
    cf_err (*submit)(cf_executor *ex,
                     cf_future *oldest,
                     cf_future *newest,
                     size_t count);

    /*
     * Called in a task of this executor that waits for f: runs f here if it is
     * pending. true: it ran, and is done. NULL: tasks are never run so.
     */
    bool (*run_pending)(struct cf__worker *self, cf_future *f);

    /* Called likewise while f runs elsewhere: runs one task that descends from
     * f; false: there is none. */
    bool (*help)(struct cf__worker *self, cf_future *f);

    /* From now on self->parker is notified when help() may succeed; unwatch
     * ends it. May be called again without unwatch. */
    void (*watch)(struct cf__worker *self, cf_future *f);
    void (*unwatch)(struct cf__worker *self);

    /*
     * Called now and then by who cancels tasks, with how many were cancelled
     * ever: what is in the queue and will never run leaves it. A taker may wait
     * for the end of this cancel: it takes no lock that one holds then. NULL:
     * nothing is queued for long.
     */
    void (*tidy)(cf_executor *ex, uint64_t canceled);

    /* The worker that runs f, a task of this executor that is running; for the
     * wait graph, which holds its lock meanwhile. It, or what it returns, may
     * be NULL: then waits for that worker's tasks are never refused. */
    struct cf__worker *(*worker_of)(const cf_future *f);

    /* As the public functions; arguments are checked. shutdown returns
     * CF_ETIMEDOUT or CF_OK and is idempotent. terminate cancels, stops what
     * it can, and does not wait for threads. shutdown, terminate and destroy
     * are NULL together if it is not the caller's to end. */
    cf_err (*wait_idle)(cf_executor *ex, int64_t deadline_ns);
    cf_err (*shutdown)(cf_executor *ex, unsigned flags, int64_t deadline_ns);
    cf_err (*terminate)(cf_executor *ex, int signo);
    void (*stats)(cf_executor *ex, cf_stats *out);

    /* Asserts that the executor's structures are whole, with its own locks.
     * See cf__executor_check(). NULL: there is nothing to look at. */
    void (*check)(cf_executor *ex);

    /* No thread of it can go on before the calling worker does, and there are
     * some. NULL: that cannot be. */
    bool (*is_stalled)(cf_executor *ex);

    /* The calling thread is in a task, if that is not a worker of it. NULL: no
     * such thing. */
    bool (*runs_here)(cf_executor *ex);

    /* After a shutdown that has ended: frees everything, the executor too, by
     * cf__executor_fini(). May be called by a worker of its own. */
    void (*destroy)(cf_executor *ex);

    /* In the child of a fork, which has one thread: forgets the parent's
     * workers and queued tasks, makes locks anew, and refuses from now on with
     * CF_EFORKED. Async-signal-safe. */
    void (*after_fork)(cf_executor *ex);

    /* NULL: tasks run in this process. */
    const struct cf__remote_ops *remote;

    /* NULL: plain memory. */
    void *(*shared_alloc)(cf_executor *ex, size_t size);
    void (*shared_free)(cf_executor *ex, void *p);
    /* All of [p, p + size) is memory of shared_alloc(). NULL: tasks reach all
     * of the program's memory. */
    bool (*is_shared)(cf_executor *ex, const void *p, size_t size);
};

struct cf_executor {
    /* Set once, by the constructor. */
    const struct cf__executor_ops *ops;
    int max_workers;
    uint64_t future_bits; /* of the words of its futures: CF__REMOTE or 0 */

    struct cf__bound *bound;   /* NULL: the queue has no bound. Set once */
    struct cf__timers *timers; /* deadlines of running tasks */
    struct cf__origin origin;  /* what its threads are like. Set once */

    atomic_bool terminated; /* running tasks shall stop: a hint */
    uint16_t generation;    /* of the process that made it. Set when entered */

    /* Tasks that never ran; those that left the queue to run elsewhere (modulo
     * 2^64: less those that left it without having been there; caller_run.c). */
    _Atomic uint64_t canceled, taken_back;

    /* Guarded by the registry's lock. */
    _Atomic(cf_executor *) registry_next; /* atomic for who forks */
    cf_executor *registry_prev;
    bool drained_at_exit, given_up_at_exit;
    int kept;        /* by a drain: it must not go */
    bool destroying; /* cf_executor_destroy() has begun */
};

/*
 * Makes the common part. capacity 0: unbounded. CF_ENOMEM: nothing is left to
 * undo. Without it being known to the process's hooks (registry.h), in two
 * steps, for who needs them apart: prepare, then cf__registry_add().
 */
cf_err cf__executor_prepare(cf_executor *ex,
                            const struct cf__executor_ops *ops,
                            int max_workers,
                            size_t capacity,
                            cf_queue_policy policy);
void cf__executor_unprepare(cf_executor *ex);

/* Both steps. */
cf_err cf__executor_init(cf_executor *ex,
                         const struct cf__executor_ops *ops,
                         int max_workers,
                         size_t capacity,
                         cf_queue_policy policy);

/* Undoes cf__executor_init(). */
void cf__executor_fini(cf_executor *ex);

/* Bookkeeping for f, which will not run. queued: it still counts as such for
 * the bound. Returns how many there were ever. */
uint64_t cf__executor_never_ran(cf_executor *ex, cf_future *f, bool queued);

/* ex belongs to a process that forked this one. */
static inline bool
cf__executor_forked(const cf_executor *ex)
{
    return ex->generation != cf__generation_now();
}

/* A task that fails has been told to stop: that counts as cancelled. f, or ex,
 * may be NULL. */
static inline bool
cf__was_stopped(const cf_executor *ex, const cf_future *f)
{
    return (f && cf_load_relaxed(&f->word) & CF__INTERRUPT) ||
           (ex && cf_load_relaxed(&ex->terminated)); /* hints, both */
}

/* Takes a pending task for running on a worker. */
static inline bool
cf__future_claim(cf_future *f, int worker)
{
    if (!cf__future_claim_word(f, worker))
        return false;
    if (f->executor->bound)
        cf__bound_release(f->executor->bound, 1);
    return true;
}

#endif
