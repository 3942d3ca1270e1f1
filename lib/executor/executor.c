/* SPDX-License-Identifier: MIT */
/*
 * The executor's common part: how it is made, and what it has. How it is waited
 * for and ended is in manage.c; submits are in submit.c.
 */
#include "lib/executor/executor.h"

#include "lib/base/size.h"
#include "lib/executor/check.h"
#include "lib/executor/observed_ops.h"
#include "lib/executor/registry.h"
#include "lib/executor/remote.h"
#include "lib/future/failure.h"
#include "lib/future/life.h"

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
    const char *name = cf__name(f);
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
    error.name = name;
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
    ex->ops = cf__observed_ops(ops);
    ex->max_workers = max_workers;
    ex->caller_joins = false;
    ex->future_bits = ops->remote ? CF__REMOTE : 0;
    ex->bound = capacity ? cf__bound_new(capacity, policy) : NULL;
    cf__origin_note(&ex->origin);
    ex->timers = cf__timers_new(ex, expired);
    ex->deferrals = (struct cf__deferrals){.closed = false};
    cf__list_init(&ex->deferrals.list);
    ex->drained_at_exit = ex->given_up_at_exit = false;
    ex->kept = 0;
    ex->destroying = false;
    /* No other thread knows ex yet. */
    cf_store_relaxed(&ex->terminated, false);
    cf_store_relaxed(&ex->runs_no_more, false);
    cf_store_relaxed(&ex->refuses_batches, false);
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
    if (f->owned & CF__JOB) /* its join runs it */
        return 1;
    uint64_t before = cf_fetch_add_relaxed(&ex->canceled, 1); /* a counter */
    if (queued && ex->bound)
        cf__bound_release(ex->bound, 1);
    if (f->attributes && f->attributes->timeout_ns)
        cf__timers_stop(ex->timers, f);
    return before + 1;
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

bool
cf_executor_shares_memory(const cf_executor *ex)
{
    return ex && !ex->ops->remote;
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
