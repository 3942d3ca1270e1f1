/* SPDX-License-Identifier: MIT */
/*
 * The event loop's options and constructors, and the table of its operations.
 */
#include "event_loop/ctrl_c.h"
#include "event_loop/embed.h"
#include "event_loop/loop.h"

#include "lib/base/cond.h"
#include "lib/base/einval.h"
#include "lib/base/options.h"
#include "lib/base/size.h"
#include "lib/executor/backend.h"
#include "lib/future/life.h"

#include <cfutures/wait.h>

#include <limits.h>
#include <stdlib.h>

enum { STACK_SIZE = 256 * 1024, STACKS_KEPT = 64 };

static struct cf__worker *
worker_of(const cf_future *f)
{
    struct cf__coroutine *runner = cf__coroutine_of_task(f);
    return runner ? &runner->base : NULL;
}

static cf_future *
running(struct cf__worker *self)
{
    return cf_load_relaxed(&cf__coroutine_of(self)->f); /* self's thread */
}

/* May wake a coroutine that has another task by now: it looks why it woke. */
static void
interrupt(cf_executor *ex, cf_future *f)
{
    struct cf__evloop *loop = cf__evloop_of(ex);
    struct cf__worker *runner = f ? worker_of(f) : NULL;
    if (runner)
        cf__worker_unpark(runner);
    /* pairs with cf__stacks_count_in: the coroutines are whole */
    uint32_t count = f ? 0 : cf_load_acquire(&loop->stacks.count);
    for (uint32_t i = 0; i < count; i++) {
        struct cf__coroutine *self = cf__stacks_at(&loop->stacks, i);
        cf__worker_unpark(&self->base);
    }
}

static const struct cf__executor_ops ops = {
    .name = "event_loop",
    .tasks_suspend = true,
    .queues = true,
    .submit = cf__evloop_submit,
    .tidy = cf__evloop_tidy,
    .worker_of = worker_of,
    .running = running,
    .interrupt = interrupt,
    .wait_idle = cf__evloop_wait_idle,
    .shutdown = cf__evloop_shutdown,
    .terminate = cf__evloop_terminate,
    .stats = cf__evloop_stats,
    .phase = cf__evloop_phase,
    .destroy = cf__evloop_destroy,
    .after_fork = cf__evloop_after_fork,
};

static cf_err
check_options(const cf_event_loop_options *options, bool in_caller)
{
    const char *why = NULL;
    if (options->queue_policy > CF_QUEUE_CALLER_RUNS)
        why = "queue_policy has no such value";
    else if (!cf__timeout_valid(options->stall_ns))
        why = "stall_ns is below -1, which is CF_FOREVER";
    else if (options->stack_size &&
             options->stack_size < CF_EVENT_LOOP_STACK_MIN)
        why = "stack_size is below CF_EVENT_LOOP_STACK_MIN";
    else if (in_caller && options->uv_loop)
        why = "cf_event_loop_run() has a loop of its own: uv_loop is set";
    if (why)
        return cf__einval("cf_event_loop_options", why);
    return options->stack_size > CF__SIZE_MAX ? CF_ETOOBIG : CF_OK;
}

static cf_err
create(const cf_event_loop_options *opts, bool in_caller, cf_executor **out)
{
    static _Atomic unsigned loops;
    cf_event_loop_options options;
    cf_err err = cf__options_import(&options, sizeof options, opts);
    if (!err)
        err = check_options(&options, in_caller);
    if (err)
        return err;
    struct cf__evloop *loop = aligned_alloc(CF_CACHE_LINE, sizeof *loop);
    if (!loop)
        return CF_ENOMEM;
    memset(loop, 0, sizeof *loop);
    loop->options = options;
    loop->suspend = &cf__coroutine_ops;
    loop->trim_at = CF__NEVER;
    loop->in_caller = in_caller;
    if (!options.stack_size)
        loop->options.stack_size = STACK_SIZE;
    if (!options.max_stacks_kept)
        loop->options.max_stacks_kept = STACKS_KEPT;
    cf__options_prefix(
        loop->name, sizeof loop->name, options.name, "cfloop_", &loops);
    loop->options.name = NULL; /* the caller's memory */
    loop->options.stall_ns = cf__watchdog_stall_ns(options.stall_ns);
    err = cf__stacks_init(&loop->stacks,
                          loop->options.stack_size,
                          sizeof(struct cf__coroutine),
                          sizeof(struct cf__links))
              ? CF_OK
              : CF_ETOOBIG;
    cf__queue_init(&loop->queue);
    pthread_mutex_init(&loop->lock, NULL); /* cannot fail on Linux */
    cf__cond_init(&loop->changed);
    if (!err)
        err = cf__executor_init(
            &loop->base, &ops, 1, options.queue_capacity, options.queue_policy);
    if (err) {
        cf__queue_fini(&loop->queue);
        free(loop);
        return err;
    }
    *out = &loop->base;
    return CF_OK;
}

cf_err
cf_event_loop_create(const cf_event_loop_options *opts, cf_executor **out)
{
    cf_executor *ex;
    if (!out)
        return cf__einval(__func__, "out is NULL");
    cf_err err = create(opts, false, &ex);
    if (err)
        return err;
    struct cf__evloop *loop = cf__evloop_of(ex);
    err = loop->options.uv_loop ? cf__embed(loop) : CF_OK;
    if (err)
        cf__evloop_free(loop);
    else
        *out = ex;
    return err;
}

/* The first task is done: asks the others to end, and takes no new ones. */
static void
first_done(cf_future *f, void *loop)
{
    cf_executor *ex = loop;
    (void)f;
    cf_store_relaxed(&ex->terminated, true); /* a hint to running tasks */
    interrupt(ex, NULL);
    cf__evloop_refuse(cf__evloop_of(ex), CF_ESHUTDOWN);
}

/* What a run has to undo, also if one of its tasks ends the thread. */
struct run {
    cf_executor *ex;
    cf_future *first; /* a handle */
    bool watches;     /* for Ctrl-C */
    bool struck;      /* ... which has come */
    bool forked;      /* this is a fork's child */
};

static void
end_run(void *arg)
{
    struct run *run = arg;
    run->struck = run->watches && cf__ctrl_c_end();
    run->forked = cf__executor_forked(run->ex);
    cf_future_unref(run->first);
    if (run->forked)
        return;
    if (cf__evloop_of(run->ex)->orphan) /* a task has destroyed it */
        cf__evloop_free(cf__evloop_of(run->ex));
    else
        cf_executor_destroy(run->ex);
}

/* The loop has its first task, of which run has a handle. err: what is to be
 * returned if nothing else comes. */
static cf_err
run_to_the_end(struct run *run, cf_err err)
{
    struct cf__evloop *loop = cf__evloop_of(run->ex);
    loop->first = run->first;
    run->watches = cf__ctrl_c_begin(loop, run->first);
    pthread_cleanup_push(end_run, run);
    cf__evloop_run_thread(loop);
    pthread_cleanup_pop(1);
    if (run->forked)
        return CF_EFORKED;
    return run->struck && !err ? CF_EINTERRUPTED : err;
}

cf_err
cf_event_loop_run(const cf_event_loop_options *opts,
                  cf_task_fn *fn,
                  const void *arg,
                  size_t arg_size,
                  cf_future **out)
{
    cf_executor *ex;
    cf_future *f;
    const char *why = !fn                ? "fn is NULL"
                      : !arg && arg_size ? "arg is NULL, but arg_size is not 0"
                                         : NULL;
    if (why)
        return cf__einval(__func__, why);
    cf_err err = create(opts, true, &ex);
    if (err)
        return err;
    err = cf_submit(ex, fn, arg, arg_size, &f);
    if (err) {
        cf_executor_destroy(ex);
        return err;
    }
    (void)cf_future_ref(f); /* this call's */
    if (out)
        *out = f;
    else
        cf_future_unref(f);
    err = cf_future_on_done(f, first_done, ex);
    if (err) { /* no memory: it is as if it had not been submitted */
        (void)cf_future_cancel(f);
        cf__evloop_refuse(cf__evloop_of(ex), CF_ESHUTDOWN);
    }
    struct run run = {.ex = ex, .first = f};
    return run_to_the_end(&run, err);
}

static cf_err
open_loop(int max_workers, cf_executor **out)
{
    if (max_workers > 1)
        return cf__einval("cf_executor_open", "a loop has one worker");
    return cf_event_loop_create(NULL, out);
}

/* It is in this file so that it comes with cf_event_loop_create() out of the
 * archive. */
__attribute__((constructor)) static void
enter(void)
{
    static const struct cf__backend backend = {"loop", open_loop};
    cf__backend_enter(&backend, CF_VERSION_STRING);
}
