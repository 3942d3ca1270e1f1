/* SPDX-License-Identifier: MIT */
/*
 * The thread pool's options, its constructor, and the table of its operations.
 * No locks: no other thread knows the pool yet.
 */
#include "thread_pool/pool.h"

#include "lib/base/cond.h"
#include "lib/base/einval.h"
#include "lib/base/options.h"
#include "lib/base/pages.h"
#include "lib/base/size.h"
#include "lib/base/thread.h"
#include "lib/executor/backend.h"
#include "thread_pool/activity.h"
#include "thread_pool/end.h"
#include "thread_pool/jobs.h"
#include "thread_pool/watch.h"

#include <limits.h>
#include <stdlib.h>

static struct cf__worker *
worker_of(const cf_future *f)
{
    int runner = cf__runner(cf_load_acquire(&f->word)); /* pairs with claim */
    return runner >= 0 ? &cf__threads_of(f->executor)->workers[runner]->base
                       : NULL;
}

/* A job is told to stop with the task that it is a part of. */
static cf_future *
running(struct cf__worker *self)
{
    cf_future *f = cf__threads_worker_of(self)->frame->f; /* bottom: none */
    return f && f->owned & CF__JOB ? cf__job_part_of(f) : f;
}

static void
interrupt(cf_executor *ex, cf_future *f)
{
    const struct cf__threads *pool = cf__threads_of(ex);
    struct cf__worker *runner = f ? worker_of(f) : NULL;
    if (runner)
        cf__worker_unpark(runner);
    /* Jobs of f may run on other workers. pairs with run_shared: it sees that
     * f is told to stop, or this thread sees that the worker is in a job. */
    cf__fence_full();
    int slots = cf_load_acquire(&pool->slots); /* pairs with start */
    for (int i = 0; i < slots; i++)
        if (!f || cf__jobs_in_one(&pool->workers[i]->jobs))
            cf__worker_unpark(&pool->workers[i]->base);
}

static int
searching(cf_executor *ex)
{
    return cf__activity_searching(
        cf__threads_activity_relaxed(cf__threads_of(ex)));
}

static const struct cf__executor_ops ops = {
    .name = "thread_pool",
    .queues = true,
    .submit = cf__threads_submit,
    .run_pending = cf__threads_run_pending,
    .help = cf__threads_help,
    .watch = cf__threads_watch,
    .unwatch = cf__threads_unwatch,
    .tidy = cf__threads_tidy,
    .worker_of = worker_of,
    .running = running,
    .interrupt = interrupt,
    .wait_idle = cf__threads_wait_idle,
    .shutdown = cf__threads_shutdown,
    .terminate = cf__threads_terminate,
    .stats = cf__threads_stats,
    .phase = cf__threads_phase,
    .check = cf__threads_check,
    .searching = searching,
    .is_stalled = cf__threads_is_stalled,
    .destroy = cf__threads_destroy,
    .after_fork = cf__threads_after_fork,
};

/* NULL: nothing is. */
static const char *
wrong_in(const cf_thread_pool_options *options)
{
    if (options->max_workers < 0)
        return "max_workers is negative";
    if (options->max_workers > CF__WORKERS_MAX)
        return "max_workers is too large";
    if (options->queue_policy > CF_QUEUE_CALLER_RUNS)
        return "queue_policy has no such value";
    if (!cf__timeout_valid(options->idle_timeout_ns))
        return "idle_timeout_ns is below -1";
    return options->stack_size &&
                   options->stack_size < (size_t)PTHREAD_STACK_MIN
               ? "stack_size is below PTHREAD_STACK_MIN"
               : NULL;
}

static cf_err
check_options(const cf_thread_pool_options *options)
{
    const char *why = wrong_in(options);
    if (why)
        return cf__einval("cf_thread_pool_options", why);
    return options->stack_size > CF__SIZE_MAX ? CF_ETOOBIG : CF_OK;
}

cf_err
cf_thread_pool_create(const cf_thread_pool_options *opts, cf_executor **out)
{
    static _Atomic unsigned pools;
    cf_thread_pool_options options;
    if (!out)
        return cf__einval(__func__, "out is NULL");
    cf_err err = cf__options_import(&options, sizeof options, opts);
    if (!err)
        err = check_options(&options);
    if (err)
        return err;
    unsigned cpus = cf_cpu_count();
    int workers = options.max_workers      ? options.max_workers
                  : cpus < CF__WORKERS_MAX ? (int)cpus
                                           : CF__WORKERS_MAX;
    struct cf__threads *pool = aligned_alloc(CF_CACHE_LINE, sizeof *pool);
    if (!pool)
        return CF_ENOMEM;
    memset(pool, 0, sizeof *pool);
    pool->options = options;
    /* The system would round the size down. */
    pool->options.stack_size = cf__whole_pages(options.stack_size);
    cf__options_prefix(
        pool->name_prefix, CF__NAME_SIZE, options.name_prefix, "cf", &pools);
    pool->options.name_prefix = NULL; /* the caller's memory */
    pool->searchers_max = workers > 3 ? workers / 2 : 1;
    pool->workers = calloc((size_t)workers, sizeof *pool->workers);
    /* No other thread knows the pool yet. */
    cf_store_relaxed(&pool->activity, (uint64_t)workers * CF__ONE_STARTABLE);
    cf__queue_init(&pool->queue);
    pthread_mutex_init(&pool->lock, NULL); /* cannot fail on Linux */
    cf__cond_init(&pool->changed);
    err = pool->workers ? cf__executor_init(&pool->base,
                                            &ops,
                                            workers,
                                            options.queue_capacity,
                                            options.queue_policy)
                        : CF_ENOMEM;
    if (err) {
        cf__queue_fini(&pool->queue);
        free(pool->workers);
        free(pool);
        return err;
    }
    pool->base.caller_joins = !options.initializer && !options.finalizer &&
                              !options.stack_size && !options.pin_workers;
    *out = &pool->base;
    return CF_OK;
}

static cf_err
open_threads(int max_workers, cf_executor **out)
{
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    options.max_workers = max_workers;
    return cf_thread_pool_create(&options, out);
}

const struct cf__backend cf__backend_thread_pool = {"threads", open_threads};
