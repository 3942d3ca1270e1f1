/* SPDX-License-Identifier: MIT */
/* A loop that its caller and tasks run together: see joint_loop.h. No locks. */
#include "lib/many/joint_loop.h"

#include "lib/base/cancel.h"
#include "lib/base/clock.h"
#include "lib/base/thread.h"
#include "lib/base/wake_cost.h"
#include "lib/executor/caller_run.h"
#include "lib/executor/submit.h"
#include "lib/executor/wait_one.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    /* With fewer units for each worker, one unit may be a large part of what a
     * worker has to do: then the caller does not try it alone. */
    TRIED_UNITS = 16,
    TRIAL_NS = CF__US(2), /* the caller runs so long before it judges */
    ALONE_PART = 16,      /* it takes at most this part at once when alone */
    LEAST_NS = CF__US(1)  /* what a runner takes lasts so long at least, or is
                             such a part of the loop */
};

bool
cf__joint_loop_suits(cf_executor *ex)
{
    const struct cf__thread *t = &cf__thread;
    return ex->caller_joins && !ex->bound && !t->worker && !t->due &&
           !t->caller_run && !t->inline_frames && !t->server && !t->root_of &&
           !t->forking && !cf__in_scopes() && !cf__executor_forked(ex) &&
           ex->ops->phase(ex) == CF_EXECUTOR_OPEN;
}

/* A runner fails, but for a reason that others have told it. */
static void
fail(struct cf__joint_loop *loop, const cf_future *runner, cf_err why)
{
    int none = CF_OK;
    if (cf_cas_acq_rel(&loop->failed, &none, (int)why) && runner != loop->own)
        (void)cf_future_interrupt(loop->own);
}

static int
run_stretch(cf_call *call,
            struct cf__joint_loop *loop,
            size_t first,
            size_t end)
{
    int rc = loop->run(call, loop, first, end);
    if (rc) {
        bool stopped = cf__was_stopped(call->executor, call->future);
        fail(loop, call->future, stopped ? CF_ECANCELED : CF_ETASK);
    }
    return rc;
}

/* Takes the next stretch: by factoring, as loop.c deals ranges. false: none is
 * left. */
static bool
take(struct cf__joint_loop *loop, size_t *first, size_t *end)
{
    size_t next = cf_load_relaxed(&loop->next); /* the swap checks it */
    do {
        size_t left = loop->units - next;
        if (left == 0 || cf_load_relaxed(&loop->failed)) /* a hint */
            return false;
        size_t share = left / (2 * loop->runners);
        if (share < loop->least)
            share = loop->least;
        *first = next;
        *end = next + (share < left ? share : left);
    } while (!cf_cas_weak_acq_rel(&loop->next, &next, *end));
    return true;
}

static int
take_part(cf_call *call, struct cf__joint_loop *loop)
{
    size_t first, end;
    int rc = 0;
    while (!rc && take(loop, &first, &end))
        rc = run_stretch(call, loop, first, end);
    return rc;
}

/* A runner on its thread's stack, for when that thread ends. */
struct runner {
    struct cf__joint_loop *loop;
    const cf_future *f;
};

static void
runner_died(void *of_thread)
{
    const struct runner *runner = of_thread;
    fail(runner->loop, runner->f, CF_EWORKERDIED);
}

/* The task of a helper. */
static int
help(cf_call *call, const void *arg, size_t arg_size)
{
    struct runner runner = {(struct cf__joint_loop *)arg, call->future};
    int rc;
    (void)arg_size;
    pthread_cleanup_push(runner_died, &runner);
    rc = take_part(call, runner.loop);
    pthread_cleanup_pop(0);
    return rc;
}

/* If one cannot be called, fewer run the loop. */
static void
call_helpers(struct cf__joint_loop *loop, size_t count)
{
    loop->helpers = malloc(count * sizeof *loop->helpers);
    if (!loop->helpers)
        return;
    loop->runners = 1 + count;
    while (loop->called < count &&
           !cf_submit(loop->ex, help, loop, 0, &loop->helpers[loop->called]))
        loop->called++;
}

/* The caller runs the loop alone until it is clear that what is left pays for
 * wake-ups, or nothing is left. It looks after each stretch. One that is longer
 * than the ones before is a small part of the loop, or takes about TRIAL_NS. */
static int
begin_alone(cf_call *call, struct cf__joint_loop *loop, size_t helpers)
{
    const size_t units = loop->units;
    const double part = (double)units / ALONE_PART + 1;
    const int64_t start = cf__now_ns();
    size_t done = 0, stretch = 1;
    int rc = 0;
    while (!rc && done < units) {
        size_t left = units - done, first = done;
        done += stretch < left ? stretch : left;
        cf_store_relaxed(&loop->next, done); /* there is no other runner yet */
        rc = run_stretch(call, loop, first, done);
        double took = (double)(cf__now_ns() - start);
        double each = (took + 1) / (double)done;
        double wakes = each * (double)(units - done) / (double)cf__wake_cost();
        if (took >= TRIAL_NS && wakes >= 1 && !rc) {
            double least = LEAST_NS / each + 1;
            loop->least = (size_t)(least < part ? least : part);
            call_helpers(loop,
                         wakes < (double)helpers ? (size_t)wakes : helpers);
            return 0;
        }
        double most = TRIAL_NS / each > part ? TRIAL_NS / each : part;
        stretch = 2 * (double)stretch < most ? 2 * stretch : (size_t)most;
    }
    return rc;
}

/* The task of the caller. */
static int
run_own(cf_call *call, const void *arg, size_t arg_size)
{
    struct cf__joint_loop *loop = (struct cf__joint_loop *)arg;
    size_t workers = (size_t)loop->ex->max_workers, helpers = workers - 1;
    int rc = 0;
    (void)arg_size;
    if (helpers >= loop->units)
        helpers = loop->units - 1;
    if (helpers > 0 && loop->units / TRIED_UNITS < workers)
        call_helpers(loop, helpers);
    else if (helpers > 0)
        rc = begin_alone(call, loop, helpers);
    return rc ? rc : take_part(call, loop);
}

/* Helpers that have not begun never do. The others end. */
static cf_err
await_helpers(const struct cf__joint_loop *loop)
{
    bool failed = cf_load_relaxed(&loop->failed) != CF_OK; /* a hint */
    cf_err err = CF_OK;
    for (size_t i = 0; i < loop->called; i++)
        (void)(failed ? cf_future_interrupt(loop->helpers[i])
                      : cf_future_cancel(loop->helpers[i]));
    for (size_t i = 0; i < loop->called; i++) {
        cf_err waited = cf__future_wait_firmly(loop->helpers[i]);
        err = waited ? waited : err;
        cf_future_unref(loop->helpers[i]);
    }
    free(loop->helpers);
    return err;
}

static void
caller_died(void *joint_loop)
{
    struct cf__joint_loop *loop = joint_loop;
    fail(loop, loop->own, CF_EWORKERDIED);
    (void)await_helpers(loop);
    cf_future_unref(loop->own);
    loop->drop(loop);
}

cf_err
cf__joint_loop_run(struct cf__joint_loop *loop)
{
    const cf_task own = {
        .size = sizeof own, .fn = run_own, .arg = loop, .name = NULL};
    loop->runners = 1;
    loop->least = 1;
    cf_err err = cf__submit_prepare(loop->ex, &own, 2, false, NULL, &loop->own);
    if (err)
        return err;
    cf__cleanup_reads(loop);
    pthread_cleanup_push(caller_died, loop);
    (void)cf__caller_run(loop->ex, loop->own, loop->own, 1); /* no bound */
    pthread_cleanup_pop(0);
    err = await_helpers(loop);
    cf_future_unref(loop->own);
    /* all runners have ended */
    return err ? err : (cf_err)cf_load_relaxed(&loop->failed);
}
