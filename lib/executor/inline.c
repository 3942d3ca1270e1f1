/* SPDX-License-Identifier: MIT */
/*
 * The inline executor: a task runs in its submit, in the submitting thread.
 * It has no threads and no queue, so a task is done when its submitter gets it,
 * and no thread waits for one. No locks.
 */
#include "lib/executor/inline.h"

#include "lib/base/einval.h"
#include "lib/base/futex.h"
#include "lib/executor/backend.h"
#include "lib/executor/call.h"
#include "lib/executor/caller_run.h"
#include "lib/executor/executor.h"
#include "lib/executor/registry.h"
#include "lib/executor/server.h"
#include "lib/future/life.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

struct inline_executor {
    cf_executor base;
    struct cf_call in; /* worker and worker_data of the tasks' calls */
    atomic_bool closed;
    atomic_bool ended; /* closed, and no task was left: so it stays */
    /* Atomic. ONE for each task that a thread has submitted and is not through
     * with, callbacks included. AWAITED: a thread may sleep on the low half. */
    _Atomic uint64_t active;
    /* Counters for the statistics. */
    _Atomic uint64_t started, done, failed;
};

#define AWAITED UINT64_C(1)
#define ONE UINT64_C(2)

/* The submits to inline executors that this thread is in, innermost first. */
struct cf__inline_frame {
    struct cf__chain_run run;
    struct inline_executor *executor;
    uint64_t count; /* tasks */
    struct cf__inline_frame *outer;
};

static struct inline_executor *
self_of(cf_executor *ex)
{
    return (struct inline_executor *)ex;
}

/* This thread is through with count tasks. After the call another thread may
 * free self. */
static void
count_out(struct inline_executor *self, uint64_t count)
{
    uint64_t active = cf_load_relaxed(&self->active); /* the swap checks it */
    /* pairs with wait_for_others: it sees what the tasks did. A thread that is
     * woken and has to wait on sets AWAITED again. */
    while (!cf_cas_weak_acq_rel(
        &self->active, &active, (active - count * ONE) & ~AWAITED))
        continue;
    if (active & AWAITED) /* an address: self may be gone */
        cf__futex_wake(cf__low_half(&self->active), INT_MAX);
}

static void
finish(struct cf__chain_run *run, cf_future *f, uint64_t flags)
{
    struct cf__inline_frame *frame = (struct cf__inline_frame *)run;
    struct inline_executor *self = frame->executor;
    if (flags)
        cf_fetch_add_relaxed(&self->failed, 1);
    cf_fetch_add_seq_cst(&self->done, 1);
    /* If the timer was faster, the task has failed, whatever it returned. */
    if (!cf__future_finish(f, flags, 0, true) && !flags)
        cf_fetch_add_relaxed(&self->failed, 1);
}

static void
end_frame(void *inner)
{
    struct cf__inline_frame *frame = inner;
    cf__thread.inline_frames = frame->outer;
    count_out(frame->executor, frame->count);
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
    /* pairs with shutdown: it sees that these tasks have begun, or this thread
     * sees that self is closed */
    cf_fetch_add_seq_cst(&self->active, count * ONE);
    if (cf_load_seq_cst(&self->closed)) {
        count_out(self, count);
        return CF_ESHUTDOWN;
    }
    if (count > 1) {
        cf__chain_claim(oldest, newest, 0);
    } else if (!cf__future_claim_word(oldest, 0)) { /* it was held back */
        cf__drop_put_off(ex, oldest);
        count_out(self, count);
        return CF_OK;
    }
    cf_fetch_add_relaxed(&self->started, count); /* a counter */
    struct cf__inline_frame frame = {.run = {.call = self->in,
                                             .f = oldest,
                                             .newest = newest,
                                             .finish = finish},
                                     .executor = self,
                                     .count = count,
                                     .outer = cf__thread.inline_frames};
    cf__thread.inline_frames = &frame;
    pthread_cleanup_push(end_frame, &frame);
    cf__chain_run(&frame.run);
    pthread_cleanup_pop(1);
    return CF_OK;
}

/* How many tasks of self the calling thread has begun to submit and is not
 * through with. */
static uint64_t
own_tasks(const struct inline_executor *self)
{
    uint64_t count = 0;
    for (const struct cf__inline_frame *frame = cf__thread.inline_frames; frame;
         frame = frame->outer)
        if (frame->executor == self)
            count += frame->count;
    return count;
}

/* Waits until no other thread is in a submit. */
static cf_err
wait_for_others(struct inline_executor *self, int64_t deadline_ns)
{
    const uint64_t own = own_tasks(self);
    uint64_t active = cf_load_seq_cst(&self->active); /* after closed is set */
    while (active / ONE != own) {
        uint64_t awaited = active | AWAITED;
        /* pairs with count_out: it sees AWAITED, or this thread sees what it
         * counted out */
        if (active != awaited &&
            !cf_cas_acq_rel(&self->active, &active, awaited))
            continue;
        bool in_time = cf__sleep(
            cf__low_half(&self->active), (uint32_t)awaited, deadline_ns);
        if (cf__executor_forked(&self->base))
            return CF_EFORKED; /* a callback forked: the others are not here */
        if (!in_time)
            return CF_ETIMEDOUT;
        active = cf_load_acquire(&self->active); /* pairs with count_out */
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
    uint64_t started = cf_load_relaxed(&self->started);
    out->running = started > out->done ? started - out->done : 0;
    out->failed = cf_load_relaxed(&self->failed);
    out->canceled = cf_load_relaxed(&ex->canceled);
}

static cf_executor_phase
inline_phase(cf_executor *ex)
{
    struct inline_executor *self = self_of(ex);
    bool closed = cf_load_seq_cst(&self->closed);
    /* after closed, as in shutdown. A submit that is refused is counted for a
     * moment, too. */
    bool over = cf_load_seq_cst(&self->active) / ONE == 0;
    if (closed && over)
        cf_store_relaxed(&self->ended, true); /* nothing else follows from it */
    return cf__phase(closed ? CF_ESHUTDOWN : CF_OK,
                     over || cf_load_relaxed(&self->ended));
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
    .phase = inline_phase,
    .runs_here = inline_runs_here,
    .destroy = inline_destroy,
    .after_fork = inline_after_fork,
};

/* Only tasks of the worker can call it. */
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
    .phase = inline_phase,
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
    return out ? make(false, out) : cf__einval(__func__, "out is NULL");
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
    /* If a task forks, its child gets CF_EFORKED. */
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
    if (max_workers > 1)
        return cf__einval("cf_executor_open", "inline has one worker");
    return cf_inline_create(out);
}

const struct cf__backend cf__backend_inline = {"inline", open_inline};
