/* SPDX-License-Identifier: MIT */
/*
 * The inline executor: a task runs in cf_submit(), in the submitting thread.
 * No threads, no queue, so nothing to wait for: every task of it is done when
 * its submitter sees it.
 */
#include "lib/inline.h"

#include "lib/backend.h"
#include "lib/call.h"
#include "lib/executor.h"
#include "lib/life.h"
#include "lib/registry.h"

#include <sched.h>
#include <stdlib.h>

struct inline_executor {
    cf_executor base;
    struct cf_call in; /* worker and worker_data of the tasks' calls */
    atomic_bool closed;
    /* Counters for the statistics. */
    _Atomic uint64_t started, done, failed;
};

/* The submits to inline executors that this thread is in, innermost first. */
struct frame {
    const struct inline_executor *executor;
    uint64_t left; /* tasks that are not done */
    const struct frame *outer;
};

static _Thread_local const struct frame *frames;

static struct inline_executor *
self_of(cf_executor *ex)
{
    return (struct inline_executor *)ex;
}

static void
run(struct inline_executor *self, cf_future *f, struct frame *frame)
{
    struct cf_call call = self->in;
    uint64_t flags = cf__call_run_task(&call, f);
    if (flags)
        cf_fetch_add_relaxed(&self->failed, 1);
    frame->left--;
    cf_fetch_add_seq_cst(&self->done, 1);
    /* The timer was faster: the task has failed, whatever it returned. */
    if (!cf__future_finish(f, flags, 0, true) && !flags)
        cf_fetch_add_relaxed(&self->failed, 1);
    cf__call_returned(&call, 0); /* from callbacks */
}

static cf_err
inline_submit(cf_executor *ex,
              cf_future *oldest,
              cf_future *newest,
              size_t count)
{
    struct inline_executor *self = self_of(ex);
    if (cf__executor_forked(ex))
        return CF_EFORKED;
    /* pairs with shutdown: it sees these tasks begun, or we see it closed */
    cf_fetch_add_seq_cst(&self->started, count);
    if (cf_load_seq_cst(&self->closed)) {
        cf_fetch_sub_acq_rel(&self->started, count);
        return CF_ESHUTDOWN;
    }
    cf__chain_claim(oldest, newest, 0);
    struct frame frame = {self, count, frames};
    frames = &frame;
    for (cf_future *f = oldest, *next; f; f = next) {
        next = f == newest ? NULL : cf_load_relaxed(&f->next); /* ours */
        run(self, f, &frame);
    }
    frames = frame.outer;
    return CF_OK;
}

/* How many tasks of self the calling thread has begun to submit and not yet
 * done. */
static uint64_t
own_tasks(const struct inline_executor *self)
{
    uint64_t count = 0;
    for (const struct frame *frame = frames; frame; frame = frame->outer)
        if (frame->executor == self)
            count += frame->left;
    return count;
}

/* Waits until no other thread is in a task. By looking again and again: this
 * executor is for debugging, and has nobody to wake a sleeper. */
static cf_err
wait_for_others(struct inline_executor *self, int64_t deadline_ns)
{
    uint64_t own = own_tasks(self);
    /* A snapshot, taken again until it is quiet. */
    while (cf_load_seq_cst(&self->done) + own !=
           cf_load_seq_cst(&self->started)) {
        if (cf__now_ns() >= deadline_ns)
            return CF_ETIMEDOUT;
        sched_yield();
    }
    return CF_OK;
}

static cf_err
inline_wait_idle(cf_executor *ex, int64_t deadline_ns)
{
    struct inline_executor *self = self_of(ex);
    if (own_tasks(self)) /* the caller is in a task */
        return CF_EDEADLK;
    return wait_for_others(self, deadline_ns);
}

static cf_err
inline_shutdown(cf_executor *ex, unsigned flags, int64_t deadline_ns)
{
    struct inline_executor *self = self_of(ex);
    cf_store_seq_cst(&self->closed, true); /* pairs with inline_submit */
    return flags & CF_SHUTDOWN_NOWAIT ? CF_OK
                                      : wait_for_others(self, deadline_ns);
}

static cf_err
inline_terminate(cf_executor *ex, int signo)
{
    (void)signo;
    return inline_shutdown(ex, CF_SHUTDOWN_NOWAIT, 0);
}

static bool
inline_runs_here(cf_executor *ex)
{
    return own_tasks(self_of(ex)) > 0;
}

static void
inline_stats(cf_executor *ex, cf_stats *out)
{
    struct inline_executor *self = self_of(ex);
    /* A snapshot: exact when nothing runs. */
    out->done = cf_load_relaxed(&self->done);
    out->running = cf_load_relaxed(&self->started) - out->done;
    out->failed = cf_load_relaxed(&self->failed);
}

static void
inline_destroy(cf_executor *ex)
{
    cf__executor_fini(ex);
    free(ex);
}

static void
inline_after_fork(cf_executor *ex)
{
    cf__timers_after_fork(ex->timers);
}

static const struct cf__executor_ops ops = {
    .name = "inline",
    .submit = inline_submit,
    .wait_idle = inline_wait_idle,
    .shutdown = inline_shutdown,
    .terminate = inline_terminate,
    .stats = inline_stats,
    .runs_here = inline_runs_here,
    .destroy = inline_destroy,
    .after_fork = inline_after_fork,
};

/* Whoever can call it is in a task of that worker. */
static cf_err
worker_wait_idle(cf_executor *ex, int64_t deadline_ns)
{
    (void)ex;
    (void)deadline_ns;
    return CF_EDEADLK;
}

/* A worker's own, for as long as it lives: its tasks cannot end it. */
static const struct cf__executor_ops worker_ops = {
    .name = "inline",
    .submit = inline_submit,
    .wait_idle = worker_wait_idle,
    .stats = inline_stats,
    .runs_here = inline_runs_here,
    .after_fork = inline_after_fork,
};

static cf_err
make(bool in_worker, cf_executor **out)
{
    struct inline_executor *self = calloc(1, sizeof *self);
    if (!self)
        return CF_ENOMEM;
    self->in.executor = &self->base;
    cf_err err =
        in_worker ? cf__executor_prepare(
                        &self->base, &worker_ops, 1, 0, CF_QUEUE_BLOCK)
                  : cf__executor_init(&self->base, &ops, 1, 0, CF_QUEUE_BLOCK);
    if (err) {
        free(self);
        return err;
    }
    *out = &self->base;
    return CF_OK;
}

cf_err
cf_inline_create(cf_executor **out)
{
    return out ? make(false, out) : CF_EINVAL;
}

cf_err
cf__inline_new_in_worker(cf_executor **out)
{
    return make(true, out);
}

void
cf__inline_enter_worker(cf_executor *ex,
                        int worker,
                        void *worker_data,
                        const _Atomic uint32_t *home)
{
    self_of(ex)->in.worker = worker;
    self_of(ex)->in.worker_data = worker_data;
    self_of(ex)->in.home = home;
    /* For a task that forks: its child shall get CF_EFORKED. */
    (void)cf__registry_add(ex);
}

void
cf__inline_free_in_worker(cf_executor *ex)
{
    cf__executor_unprepare(ex);
    free(ex);
}

static cf_err
open_inline(int max_workers, cf_executor **out)
{
    return max_workers > 1 ? CF_EINVAL : cf_inline_create(out);
}

const struct cf__backend cf__backend_inline = {"inline", open_inline};
