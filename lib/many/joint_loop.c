/* SPDX-License-Identifier: MIT */
/* A loop that its caller and tasks run together: see joint_loop.h. No locks. */
#include "lib/many/joint_loop.h"

#include "lib/base/assert.h"
#include "lib/base/cancel.h"
#include "lib/base/clock.h"
#include "lib/base/spin.h"
#include "lib/base/thread.h"
#include "lib/base/wake_cost.h"
#include "lib/executor/caller_run.h"
#include "lib/executor/submit.h"
#include "lib/executor/wait_one.h"
#include "lib/many/loop.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* With fewer units for each worker, one unit may be a large part of what a
     * worker has to do: then the caller does not try it alone. */
    TRIED_UNITS = 16,
    TRIAL_NS = CF__US(2), /* the caller runs so long before it judges whether
                             what is left pays for a wake-up */
    GLANCE_NS = 500,      /* and so long before it calls one that is awake */
    CALL_NS = CF__US(2),  /* what that costs: some lines go to and fro */
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
run_units(cf_call *call,
          struct cf__joint_loop *loop,
          size_t begun,
          struct cf__units u)
{
    int rc = loop->run(call, loop, begun, u);
    if (rc) {
        bool stopped = cf__was_stopped(call->executor, call->future);
        fail(loop, call->future, stopped ? CF_ECANCELED : CF_ETASK);
    }
    return rc;
}

/* Of so many units, each half is worth a runner's while. */
static uint32_t
least_to_halve(const struct cf__joint_loop *loop)
{
    return 2 * loop->least - 1;
}

/* The runner that has most units left. NULL: none has enough. */
static struct cf__joint_runner *
richest(struct cf__joint_loop *loop)
{
    struct cf__joint_runner *found = NULL;
    uint32_t most = least_to_halve(loop) - 1;
    for (size_t i = 0; i <= loop->count; i++) {
        struct cf__joint_runner *r = i ? &loop->helpers[i - 1] : &loop->caller;
        uint32_t left = cf__units_count(cf__share_look(&r->share));
        if (left > most) {
            most = left;
            found = r;
        }
    }
    return found;
}

/* A runner whose share is empty gets half of the largest one. ran: it has run
 * none of these yet. */
static bool
get_half(struct cf__joint_loop *loop,
         struct cf__joint_runner *self,
         struct cf__units *ran)
{
    struct cf__joint_runner *other;
    struct cf__units u;
    do {
        other = richest(loop);
        if (!other)
            return false;
    } while (!cf__share_halve(&other->share, least_to_halve(loop), &u));
    cf__share_fill(&self->share, u);
    *ran = (struct cf__units){u.first, u.first};
    return true;
}

static bool
has_failed(const struct cf__joint_loop *loop)
{
    return cf_load_relaxed(&loop->failed) != CF_OK; /* a hint */
}

/* Runs what is in the share, and then halves of others, as long as it gets any.
 * ran: what this thread has run already, right before its share. */
static int
take_part(cf_call *call,
          struct cf__joint_loop *loop,
          struct cf__joint_runner *self,
          struct cf__units ran)
{
    do {
        struct cf__units u;
        while (!has_failed(loop) &&
               cf__share_take(&self->share, loop->least, &u)) {
            int rc = run_units(call, loop, ran.first, u);
            if (rc)
                return rc;
            ran.end = u.end;
        }
        if (has_failed(loop))
            return 0;
        if (ran.first != ran.end)
            loop->ran(loop, ran);
    } while (get_half(loop, self, &ran));
    return 0;
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
    static const struct cf__units none;
    struct cf__joint_runner *self = (struct cf__joint_runner *)arg;
    struct runner runner = {self->loop, call->future};
    int rc;
    (void)arg_size;
    pthread_cleanup_push(runner_died, &runner);
    rc = take_part(call, self->loop, self, none);
    pthread_cleanup_pop(0);
    return rc;
}

/* The caller's share is what is left from first on. If a helper cannot be
 * called, fewer run the loop. */
static void
call_helpers(struct cf__joint_loop *loop, uint32_t first, size_t count)
{
    struct cf__units left = {first, (uint32_t)loop->units};
    cf__share_fill(&loop->caller.share, left);
    if (count == 0)
        return;
    loop->helpers = aligned_alloc(CF_CACHE_LINE, count * sizeof *loop->helpers);
    loop->futures = malloc(count * sizeof *loop->futures);
    if (!loop->helpers || !loop->futures)
        return;
    memset(loop->helpers, 0, count * sizeof *loop->helpers);
    loop->count = count;
    for (size_t i = 0; i < count; i++) {
        struct cf__joint_runner *r = &loop->helpers[i];
        r->loop = loop;
        if (cf_submit(loop->ex, help, r, 0, &loop->futures[i]))
            return;
        loop->called++;
    }
}

/* How many helpers pay, if they are worth the call at all: the caller has run
 * alone for took ns, and would for rest ns more. A wake-up is worth its cost,
 * too, if the loops of a series have missed as much. missed: this one is
 * counted. */
static double
helpers_due(const struct cf__joint_loop *loop,
            double took,
            double rest,
            bool *missed)
{
    struct cf__thread *t = &cf__thread;
    const struct cf__executor_ops *ops = loop->ex->ops;
    const double wake = (double)cf__wake_cost();
    if (took < GLANCE_NS || rest < 2 * CALL_NS)
        return 0;
    double due = rest / wake;
    double awake = ops->searching ? ops->searching(loop->ex) : 0;
    double most = rest / (2 * CALL_NS); /* each call takes its part */
    if (awake > 0)
        return due > awake ? due : awake < most ? awake : most;
    if (took < TRIAL_NS)
        return 0;
    if (!*missed)
        t->alone_missed_ns += (int64_t)(rest / 2) - CALL_NS;
    *missed = true;
    return due < 1 && (double)t->alone_missed_ns >= wake ? 1 : due;
}

/* The caller runs the loop alone until it is clear that what is left pays for
 * helpers, or nothing is left. It looks after each stretch. One that is longer
 * than the ones before is a small part of the loop, or takes about TRIAL_NS.
 * ran: what it has run. */
static int
begin_alone(cf_call *call,
            struct cf__joint_loop *loop,
            size_t helpers,
            struct cf__units *ran)
{
    struct cf__thread *t = &cf__thread;
    const uint32_t units = (uint32_t)loop->units;
    const double part = (double)units / ALONE_PART + 1;
    const int64_t start = cf__now_ns();
    int64_t now = start;
    uint32_t stretch = 1;
    bool missed = false;
    if (start - t->alone_until_ns > cf__search_ns())
        t->alone_missed_ns = 0;
    while (ran->end < units) {
        uint32_t left = units - ran->end;
        struct cf__units u = {ran->end,
                              ran->end + (stretch < left ? stretch : left)};
        int rc = run_units(call, loop, 0, u);
        if (rc)
            return rc;
        ran->end = u.end;
        now = cf__now_ns();
        double took = (double)(now - start);
        double each = (took + 1) / (double)u.end;
        double due =
            helpers_due(loop, took, each * (double)(units - u.end), &missed);
        if (due >= 1) {
            double least = LEAST_NS / each + 1;
            loop->least = (uint32_t)(least < part ? least : part);
            t->alone_missed_ns = 0;
            call_helpers(
                loop, u.end, due < (double)helpers ? (size_t)due : helpers);
            return 0;
        }
        double most = TRIAL_NS / each > part ? TRIAL_NS / each : part;
        stretch = 2 * (double)stretch < most ? 2 * stretch : (uint32_t)most;
    }
    t->alone_until_ns = now;
    return 0;
}

/* The task of the caller. */
static int
run_own(cf_call *call, const void *arg, size_t arg_size)
{
    struct cf__joint_loop *loop = (struct cf__joint_loop *)arg;
    size_t workers = (size_t)loop->ex->max_workers, helpers = workers - 1;
    struct cf__units ran = {0, 0};
    int rc = 0;
    (void)arg_size;
    if (helpers >= loop->units)
        helpers = loop->units - 1;
    if (helpers == 0)
        loop->least = (uint32_t)loop->units;
    if (loop->units / TRIED_UNITS < workers || helpers == 0)
        call_helpers(loop, 0, helpers);
    else
        rc = begin_alone(call, loop, helpers, &ran);
    return rc ? rc : take_part(call, loop, &loop->caller, ran);
}

/* Helpers that have not begun never do. The others end. If one of several fails
 * when the caller is through, it can tell the caller, but not the others: that
 * is up to this wait. */
static cf_err
await_helpers(const struct cf__joint_loop *loop)
{
    bool failed = has_failed(loop);
    cf_err err = CF_OK;
    for (size_t i = 0; i < loop->called; i++)
        (void)(failed ? cf_future_interrupt(loop->futures[i])
                      : cf_future_cancel(loop->futures[i]));
    if (loop->called == 1) /* it has no others to tell */
        err = cf__future_wait_firmly(loop->futures[0]);
    else if (loop->called > 1)
        err = cf__loop_await(loop->futures, loop->called, CF__NEVER);
    for (size_t i = 0; i < loop->called; i++)
        cf_future_unref(loop->futures[i]);
    free(loop->futures);
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
    loop->least = 1;
    cf__assert(loop->units <= CF__SHARE_END_MAX);
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
