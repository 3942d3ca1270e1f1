/* SPDX-License-Identifier: MIT */
/*
 * The executor's common part: how it is made, asked, waited for, shut down and
 * destroyed. Submits are in lib/executor/submit.c.
 */
#include "lib/executor/executor.h"

#include "lib/base/cancel.h"
#include "lib/base/size.h"
#include "lib/base/thread.h"
#include "lib/executor/check.h"
#include "lib/executor/registry.h"
#include "lib/executor/remote.h"
#include "lib/executor/server.h"
#include "lib/future/callback.h"
#include "lib/future/failure.h"
#include "lib/future/life.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the timers' thread: the running task f has outrun its timeout. */
static void
expired(cf_future *f)
{
    const struct cf__remote_ops *remote = f->executor->ops->remote;
    if (remote && !remote->outran(f))
        return;
    if (!cf__future_begin_completing(f, false))
        return;
    if (f->executor->ops->interrupt) /* before callbacks */
        f->executor->ops->interrupt(f->executor, f);
    char message[160];
    const char *name = f->attributes->name;
    snprintf(message,
             sizeof message,
             "%s%.80s%sran longer than its timeout of %.9g s",
             name ? "task '" : "the task ",
             name ? name : "",
             name ? "' " : "",
             (double)f->attributes->timeout_ns / 1e9);
    cf_error error = CF_ERROR_INIT;
    error.kind = CF_EDEADLINE;
    error.message = message;
    error.worker = cf__runner(cf_load_relaxed(&f->word)); /* set at claim */
    if (remote) /* before the callbacks, which may take long */
        error.pid = remote->stop(f);
    f->attributes->late_error = cf__failure_new(&error);
    (void)cf__future_finish(f, CF__FAILED, CF__COMPLETING, false);
}

cf_err
cf__executor_prepare(cf_executor *ex,
                     const struct cf__executor_ops *ops,
                     int max_workers,
                     size_t capacity,
                     cf_queue_policy policy)
{
    ex->ops = ops;
    ex->max_workers = max_workers;
    ex->future_bits = ops->remote ? CF__REMOTE : 0;
    ex->bound = capacity ? cf__bound_new(capacity, policy) : NULL;
    cf__origin_note(&ex->origin);
    ex->timers = cf__timers_new(ex, expired);
    ex->drained_at_exit = ex->given_up_at_exit = false;
    ex->kept = 0;
    ex->destroying = false;
    /* No other thread knows ex yet. */
    cf_store_relaxed(&ex->terminated, false);
    cf_store_relaxed(&ex->runs_no_more, false);
    cf_store_relaxed(&ex->canceled, 0);
    cf_store_relaxed(&ex->taken_back, 0);
    if (ex->timers && (ex->bound || !capacity))
        return CF_OK;
    cf__executor_unprepare(ex);
    return CF_ENOMEM;
}

void
cf__executor_unprepare(cf_executor *ex)
{
    cf__timers_free(ex->timers);
    cf__origin_fini(&ex->origin);
    cf__bound_free(ex->bound);
}

cf_err
cf__executor_init(cf_executor *ex,
                  const struct cf__executor_ops *ops,
                  int max_workers,
                  size_t capacity,
                  cf_queue_policy policy)
{
    cf_err err = cf__executor_prepare(ex, ops, max_workers, capacity, policy);
    if (err)
        return err;
    err = cf__registry_add(ex);
    if (err)
        cf__executor_unprepare(ex);
    return err;
}

void
cf__executor_fini(cf_executor *ex)
{
    cf__registry_remove(ex);
    cf__executor_unprepare(ex);
    cf__block_trim();
}

uint64_t
cf__executor_never_ran(cf_executor *ex, cf_future *f, bool queued)
{
    uint64_t before = cf_fetch_add_relaxed(&ex->canceled, 1); /* a counter */
    if (queued && ex->bound)
        cf__bound_release(ex->bound, 1);
    if (f->attributes && f->attributes->timeout_ns)
        cf__timers_stop(ex->timers, f);
    return before + 1;
}

/* Comes first in a call that cannot be made after destroy, nor in a fork's
 * child. destroyed: the sentence that says so. */
static cf_err
check_mine(cf_executor *ex, const char *destroyed)
{
    cf__registry_expect(ex, false, destroyed);
    return cf__executor_forked(ex) ? CF_EFORKED : CF_OK;
}

/*
 * Comes before a wait: runs the callbacks that are due, because the wait may be
 * for what they do. When the wait is over, also on error, the caller gives *due
 * to cf__callbacks_resume(). CF_EFORKED: a callback has forked, and has
 * returned in the child.
 */
static cf_err
begin_wait(cf_executor *ex, struct cf__due **due)
{
    *due = cf__callbacks_pause();
    return *due && cf__executor_forked(ex) ? CF_EFORKED : CF_OK;
}

/* The calling thread is in a task or a callback of ex. It does not wait for a
 * callback of the timers, which may wait for this thread. */
static bool
is_inside(cf_executor *ex)
{
    return cf__belongs_to(ex) || (ex->ops->runs_here && ex->ops->runs_here(ex));
}

void
cf__executor_check(cf_executor *ex)
{
#ifdef CF_ASSERTIONS
    cf__block_check();
    if (cf__executor_forked(ex))
        return;
    if (ex->bound)
        cf__bound_check(ex->bound);
    cf__timers_check(ex->timers);
    if (ex->ops->check)
        ex->ops->check(ex);
#else
    (void)ex;
#endif
}

cf_err
cf_executor_wait_idle(cf_executor *ex, int64_t timeout_ns)
{
    if (!ex || !cf__timeout_valid(timeout_ns))
        return CF_EINVAL;
    cf_err err = check_mine(
        ex, "cf_executor_wait_idle(): the executor has been destroyed");
    if (err)
        return err;
    if (cf__is_own_worker(ex))
        return CF_EDEADLK;
    int64_t deadline_ns = cf__deadline(timeout_ns);
    struct cf__due *due;
    err = begin_wait(ex, &due);
    if (!err)
        err = ex->ops->wait_idle(ex, deadline_ns);
    /* A callback of the timers is work, too, and it may submit. */
    while (!err && !is_inside(ex) && cf__timers_in_callback(ex->timers)) {
        err = cf__timers_await_callback(ex->timers, deadline_ns);
        if (!err)
            err = ex->ops->wait_idle(ex, deadline_ns);
    }
    cf__callbacks_resume(due);
    return err;
}

cf_err
cf_executor_shutdown(cf_executor *ex, unsigned flags, int64_t timeout_ns)
{
    const unsigned known = CF_SHUTDOWN_CANCEL | CF_SHUTDOWN_NOWAIT;
    if (!ex || flags & ~known || !cf__timeout_valid(timeout_ns))
        return CF_EINVAL;
    cf_err err = check_mine(
        ex, "cf_executor_shutdown(): the executor has been destroyed");
    if (err)
        return err;
    if (!ex->ops->shutdown)
        return CF_ENOTSUP;
    int64_t deadline_ns = cf__deadline(timeout_ns);
    if (flags & CF_SHUTDOWN_NOWAIT)
        return ex->ops->shutdown(ex, flags, deadline_ns);
    if (cf__thread.due) /* then callbacks of cancelled tasks are due, too */
        (void)ex->ops->shutdown(ex, flags | CF_SHUTDOWN_NOWAIT, 0);
    struct cf__due *due;
    err = begin_wait(ex, &due);
    if (!err)
        err = ex->ops->shutdown(ex, flags, deadline_ns);
    if (!err && !is_inside(ex))
        err = cf__timers_await_callback(ex->timers, deadline_ns);
    cf__callbacks_resume(due);
    return err;
}

cf_err
cf_executor_terminate(cf_executor *ex, int signo)
{
    if (!ex || signo < 1 || signo > SIGRTMAX)
        return CF_EINVAL;
    cf_err err = check_mine(
        ex, "cf_executor_terminate(): the executor has been destroyed");
    if (err)
        return err;
    if (!ex->ops->terminate)
        return CF_ENOTSUP;
    cf_store_relaxed(&ex->runs_no_more, true); /* published below */
    /* A hint to running tasks. pairs with cf__told_to_stop: a wait for
     * what was done before succeeds; and with cf__executor_runs_no_more */
    cf_store_release(&ex->terminated, true);
    int former = cf__cancel_disable();
    err = ex->ops->terminate(ex, signo);
    cf__cancel_restore(former);
    return err;
}

void
cf_executor_destroy(cf_executor *ex)
{
    if (!ex)
        return;
    cf__registry_expect(
        ex, true, "cf_executor_destroy(): the executor has been destroyed");
    /* In a fork's child the memory stays: it is a copy of the parent's, and the
     * child may still ask futures of ex. */
    if (cf__executor_forked(ex) || !ex->ops->destroy)
        return;
    int former = cf__cancel_disable();
    struct cf__due *due;
    if (begin_wait(ex, &due) == CF_OK &&
        ex->ops->shutdown(ex, 0, CF__NEVER) != CF_EFORKED) {
        /* ops.destroy joins the timers' thread. If this thread is a server, it
         * serves until that thread is in no callback. */
        if (!is_inside(ex))
            (void)cf__timers_await_callback(ex->timers, CF__NEVER);
        if (!cf__executor_forked(ex))
            ex->ops->destroy(ex);
    }
    cf__callbacks_resume(due);
    cf__cancel_restore(former);
}

cf_err
cf_executor_stats(cf_executor *ex, cf_stats *out)
{
    if (!ex || !out)
        return CF_EINVAL;
    cf_err err =
        check_mine(ex, "cf_executor_stats(): the executor has been destroyed");
    if (err)
        return err;
    memset(out, 0, sizeof *out);
    ex->ops->stats(ex, out);
    return CF_OK;
}

const char *
cf_executor_name(const cf_executor *ex)
{
    return ex ? ex->ops->name : "";
}

int
cf_executor_max_workers(const cf_executor *ex)
{
    return ex ? ex->max_workers : 0;
}

void *
cf_shared_alloc(cf_executor *ex, size_t size)
{
    if (!ex || size > CF__SIZE_MAX)
        return NULL;
    if (ex->ops->shared_alloc)
        return ex->ops->shared_alloc(ex, size);
    return calloc(1, size ? size : 1);
}

void
cf_shared_free(cf_executor *ex, void *p)
{
    if (ex && ex->ops->shared_free)
        ex->ops->shared_free(ex, p);
    else if (ex)
        free(p);
}
