/* SPDX-License-Identifier: MIT */
/*
 * An executor is asked, waited for, shut down, terminated and destroyed. A
 * coroutine that waits so for another executor goes on in aside.c: its thread
 * has others to run.
 */
#include "lib/base/cancel.h"
#include "lib/base/einval.h"
#include "lib/base/observer.h"
#include "lib/base/thread.h"
#include "lib/executor/aside.h"
#include "lib/executor/batch.h"
#include "lib/executor/deferred.h"
#include "lib/executor/executor.h"
#include "lib/executor/registry.h"
#include "lib/executor/server.h"
#include "lib/future/callback.h"

#include <signal.h>
#include <string.h>

/* Comes first in a call that cannot be made after destroy, nor in a fork's
 * child. destroyed: the sentence that says so. */
static cf_err
check_mine(cf_executor *ex, const char *destroyed)
{
    cf__registry_expect(ex, false, destroyed);
    return cf__executor_forked(ex) ? CF_EFORKED : CF_OK;
}

/* The calling thread is in a task or a callback of ex. It does not wait for a
 * callback of the timers, which may wait for this thread. */
static bool
is_inside(cf_executor *ex)
{
    return cf__belongs_to(ex) || (ex->ops->runs_here && ex->ops->runs_here(ex));
}

/* --- calls that block ----------------------------------------------------- */

/* A call that waits for ex until the deadline, and what it returns. */
struct waiting {
    cf_executor *ex;
    unsigned flags;
    int64_t deadline_ns;
    cf_err err;
};

/*
 * Runs a step that blocks. The callbacks that are due come first, because the
 * wait may be for what they do. In a coroutine of another executor the step
 * runs in a thread of its own; it is as if that thread had made the call.
 * Returns waiting->err. CF_EFORKED: a callback has forked, and has returned in
 * the child.
 */
static cf_err
block(void (*step)(void *waiting), struct waiting *waiting)
{
    struct cf__due *due = cf__callbacks_pause();
    if (due && cf__executor_forked(waiting->ex))
        waiting->err = CF_EFORKED;
    else if (is_inside(waiting->ex) || waiting->deadline_ns == 0 ||
             !cf__run_aside(step, waiting))
        step(waiting);
    cf__callbacks_resume(due);
    return waiting->err;
}

static void
await_idle(void *data)
{
    struct waiting *waiting = data;
    cf_executor *ex = waiting->ex;
    cf_err err = cf__batches_await(ex, waiting->deadline_ns)
                     ? ex->ops->wait_idle(ex, waiting->deadline_ns)
                     : CF_ETIMEDOUT;
    /* A callback of the timers is work, too, and it may submit. */
    while (!err && !is_inside(ex) && cf__timers_in_callback(ex->timers)) {
        err = cf__timers_await_callback(ex->timers, waiting->deadline_ns);
        if (!err)
            err = ex->ops->wait_idle(ex, waiting->deadline_ns);
    }
    if (!err)
        cf__observer_acquire(ex);
    waiting->err = err;
}

cf_err
cf_executor_wait_idle(cf_executor *ex, int64_t timeout_ns)
{
    if (!ex || !cf__timeout_valid(timeout_ns))
        return cf__einval(__func__, !ex ? "ex is NULL" : CF__BAD_TIMEOUT);
    cf_err err = check_mine(
        ex, "cf_executor_wait_idle(): the executor has been destroyed");
    if (err)
        return err;
    if (cf__is_own_worker(ex) || cf__holds_up(ex))
        return CF_EDEADLK;
    struct waiting waiting = {ex, 0, cf__deadline(timeout_ns), CF_OK};
    return block(await_idle, &waiting);
}

static void
await_shutdown(void *data)
{
    struct waiting *waiting = data;
    cf_executor *ex = waiting->ex;
    waiting->err = ex->ops->shutdown(ex, waiting->flags, waiting->deadline_ns);
    if (!waiting->err && !is_inside(ex))
        waiting->err =
            cf__timers_await_callback(ex->timers, waiting->deadline_ns);
    if (!waiting->err)
        cf__observer_acquire(ex);
}

/* The tasks of a batch that is under way run, as it began before. Those that
 * are to be cancelled are cancelled by its submitter, which is refused. */
static void
let_batches_through(cf_executor *ex, unsigned flags)
{
    if (!(flags & CF_SHUTDOWN_CANCEL))
        cf__batches_refuse(ex);
}

/* The calling code is a coroutine, and has callbacks called in its thread. */
static bool
is_coroutine(void)
{
    return cf__thread.worker && cf__thread.worker->suspend;
}

cf_err
cf_executor_shutdown(cf_executor *ex, unsigned flags, int64_t timeout_ns)
{
    const unsigned known = CF_SHUTDOWN_CANCEL | CF_SHUTDOWN_NOWAIT;
    const char *why = !ex              ? "ex is NULL"
                      : flags & ~known ? "flags has an unknown bit"
                      : !cf__timeout_valid(timeout_ns) ? CF__BAD_TIMEOUT
                                                       : NULL;
    if (why)
        return cf__einval(__func__, why);
    cf_err err = check_mine(
        ex, "cf_executor_shutdown(): the executor has been destroyed");
    if (err)
        return err;
    if (!ex->ops->shutdown)
        return CF_ENOTSUP;
    struct waiting waiting = {ex, flags, cf__deadline(timeout_ns), CF_OK};
    let_batches_through(ex, flags);
    cf__deferred_close(ex, flags & CF_SHUTDOWN_CANCEL);
    const bool holds_up = cf__holds_up(ex);
    if (flags & CF_SHUTDOWN_NOWAIT || holds_up) {
        err = ex->ops->shutdown(ex, flags | CF_SHUTDOWN_NOWAIT, 0);
        return err || flags & CF_SHUTDOWN_NOWAIT ? err : CF_EDEADLK;
    }
    /* Callbacks of cancelled tasks are due here, too, or run here. */
    if (cf__thread.due || is_coroutine())
        (void)ex->ops->shutdown(ex, flags | CF_SHUTDOWN_NOWAIT, 0);
    return block(await_shutdown, &waiting);
}

cf_err
cf_executor_terminate(cf_executor *ex, int signo)
{
    if (!ex || signo < 1 || signo > SIGRTMAX)
        return cf__einval(__func__, !ex ? "ex is NULL" : "signo is no signal");
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
    cf__deferred_close(ex, true);
    err = ex->ops->terminate(ex, signo);
    cf__cancel_restore(former);
    return err;
}

static void
await_end_and_free(void *data)
{
    const struct waiting *waiting = data;
    cf_executor *ex = waiting->ex;
    /* If this thread runs all of its tasks, it goes on with them later. */
    unsigned flags = cf__holds_up(ex) ? CF_SHUTDOWN_NOWAIT : 0;
    cf__batches_refuse(ex);
    cf__deferred_close(ex, false);
    if (ex->ops->shutdown(ex, flags, CF__NEVER) == CF_EFORKED)
        return;
    cf__deferred_await(ex);
    /* ops.destroy joins the timers' thread. If this thread is a server, it
     * serves until that thread is in no callback. */
    if (!is_inside(ex))
        (void)cf__timers_await_callback(ex->timers, CF__NEVER);
    cf__observer_acquire(ex);
    if (!cf__executor_forked(ex))
        ex->ops->destroy(ex);
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
    struct waiting waiting = {ex, 0, CF__NEVER, CF_OK};
    (void)block(await_end_and_free, &waiting);
    cf__cancel_restore(former);
}

cf_executor_phase
cf_executor_state(cf_executor *ex)
{
    if (!ex)
        return CF_EXECUTOR_ENDED;
    if (check_mine(ex, "cf_executor_state(): the executor has been destroyed"))
        return CF_EXECUTOR_FORKED;
    return ex->ops->phase(ex);
}

cf_err
cf_executor_stats(cf_executor *ex, cf_stats *out)
{
    if (!ex || !out)
        return cf__einval(__func__, !ex ? "ex is NULL" : "out is NULL");
    cf_err err =
        check_mine(ex, "cf_executor_stats(): the executor has been destroyed");
    if (err)
        return err;
    memset(out, 0, sizeof *out);
    ex->ops->stats(ex, out);
    return CF_OK;
}
