/* SPDX-License-Identifier: MIT */
/*
 * Waiting inside a task: see wait_in_task.h, and README.md for the argument why
 * it cannot deadlock. No locks.
 *
 * A worker that sleeps is unparked by f's completion (it has left a waiter on
 * f), or by the backend when it may have a task that descends from f (watch).
 */
#include "lib/executor/wait_in_task.h"

#include "lib/base/clock.h"
#include "lib/base/wake_cost.h"
#include "lib/executor/ask.h"
#include "lib/executor/deferred_watch.h"
#include "lib/executor/executor.h"
#include "lib/executor/remote.h"
#include "lib/executor/stop.h"
#include "lib/executor/wait_graph.h"
#include "lib/future/waiter.h"

#include <pthread.h>
#include <sched.h>

#define RETRY_NS CF__MS(10)
enum { SPINS_PER_LOOK = 16 };

struct wake_up {
    struct cf__waiter waiter;
    struct cf__worker *worker;
};

static struct cf__callback *
wake_up(struct cf__waiter *waiter, cf_future *f)
{
    (void)f;
    cf__worker_unpark(((struct wake_up *)waiter)->worker);
    return NULL;
}

static bool
help(struct cf__worker *self, cf_future *f)
{
    const struct cf__executor_ops *ops = self->executor->ops;
    return f->executor == self->executor && ops->help && ops->help(self, f);
}

/* Helps until f is done (true), or until there was nothing to do for as long as
 * a wake-up takes. */
static bool
help_for_a_while(struct cf__worker *self, cf_future *f, int64_t deadline_ns)
{
    int64_t until = 0;
    if (self->suspend) /* a coroutine: its thread may have others to run */
        return self->suspend->look_on(self, f);
    for (unsigned spins = 0; !cf_future_done(f); spins++) {
        if (help(self, f)) {
            until = 0;
            spins = 0;
            continue;
        }
        cf_relax();
        if (spins % SPINS_PER_LOOK == SPINS_PER_LOOK - 1) {
            int64_t now = cf__now_ns();
            if (until == 0)
                until = now + cf__wake_cost();
            if (now >= until || now >= deadline_ns)
                return false;
            sched_yield();
        }
    }
    return true;
}

bool
cf__park_on(struct cf__worker *self, cf_future *f, int64_t deadline_ns)
{
    const cf_executor *ex = self->executor;
    struct wake_up sleeper = {{.notify = wake_up}, self};
    bool watch = ex && f->executor == ex && ex->ops->watch;
    bool in_time = true;
    if (self->suspend && self->suspend->park_on(self, f, deadline_ns, &in_time))
        return in_time;
    if (!cf__remote_listen(f, &sleeper.waiter))
        return true;
    if (watch)
        ex->ops->watch(self, f);
    in_time = cf__worker_park(self, deadline_ns);
    if (watch)
        ex->ops->unwatch(self);
    cf__waiter_remove(f, &sleeper.waiter);
    return in_time;
}

/* f is not another process's. It could be if a task that ran in this wait has
 * forked, and this is the child; or if a fork handler waits. */
static inline bool
may_run(const struct cf__worker *self, const cf_future *f)
{
    return (cf__thread.worker == self && !cf__thread.forking) || !cf__forked(f);
}

bool
cf__in_task_run_pending(struct cf__worker *self, cf_future *f)
{
    return may_run(self, f) && self->executor->ops->run_pending(self, f);
}

bool
cf__in_task_run_input(struct cf__worker *self, cf_future *f)
{
    if (!cf__is_waiting(f))
        return false;
    struct cf__watch watch = {.worker = self};
    cf_future *input = cf__deferred_input(f, &watch);
    bool ran = cf__in_task_run(self, input);
    cf_future_unref(input);
    return ran;
}

bool
cf__in_task_must_retry(struct cf__worker *self, cf_future *f)
{
    const struct cf__executor_ops *ops = self->executor->ops;
    return f->executor == self->executor && ops->run_pending &&
           !cf__is_waiting(f) &&
           cf__state(cf_load_relaxed(&f->word)) == CF_PENDING; /* a hint */
}

int64_t
cf__in_task_retry_at(int64_t deadline_ns)
{
    return cf__sooner(deadline_ns, cf__now_ns() + RETRY_NS);
}

/* What a wait returns that something else ends. A satisfied one succeeds. */
static cf_err
done_or(cf_future *f, cf_err reason)
{
    return cf_future_done(f) ? CF_OK : reason;
}

/* A deferred task that a wait is for. */
struct deferred {
    cf_future *f;
    struct cf__watch watch;
};

/* Parks until f is done, or for no reason; with deferred, whose input f is,
 * also until there may be another input to wait for. false: the deadline has
 * passed. */
static bool
park(struct cf__worker *self,
     cf_future *f,
     struct deferred *deferred,
     int64_t deadline_ns)
{
    if (!deferred)
        return cf__park_on(self, f, deadline_ns);
    if (!cf__deferred_watch(deferred->f, &deferred->watch))
        return true;
    bool in_time = cf__park_on(self, f, deadline_ns);
    cf__deferred_unwatch(&deferred->watch);
    return in_time;
}

/* Waits for f; with deferred, whose input f is, until f is done, or for no
 * reason. */
static cf_err
wait_for(struct cf__worker *self,
         cf_future *f,
         struct deferred *deferred,
         int64_t deadline_ns,
         bool firmly)
{
    struct cf__awaited awaited = {&awaited, &awaited, f};
    const int64_t end_ns = firmly ? deadline_ns : cf__stop_at(deadline_ns);
    bool late = false;
    while (!cf__in_task_run(self, f) && !help_for_a_while(self, f, end_ns)) {
        int64_t until = end_ns;
        if (cf__forked(f))
            return CF_EFORKED;
        if (!firmly && cf__told_to_stop(self, NULL, late)) /* f may be older */
            return done_or(f, CF_EINTERRUPTED);
        if (cf__in_task_must_retry(self, f))
            until = cf__in_task_retry_at(end_ns);
        self->firm = firmly;
        if (cf__wait_graph_enter(self, &awaited, end_ns == CF__NEVER))
            return CF_EDEADLK;
        bool in_time = park(self, f, deferred, until);
        if (cf__wait_graph_leave(self) && !cf_future_done(f))
            return CF_EDEADLK;
        if (!in_time && until == deadline_ns)
            return done_or(f, CF_ETIMEDOUT);
        late = !in_time;
        if (deferred && in_time)
            break;
    }
    return CF_OK;
}

static void
drop(void *f)
{
    cf_future_unref(f);
}

cf_err
cf__in_task_wait(struct cf__worker *self,
                 cf_future *f,
                 int64_t deadline_ns,
                 bool firmly)
{
    cf_err err = CF_OK;
    if (deadline_ns == 0)
        return done_or(f, CF_ETIMEDOUT);
    while (!err && __builtin_expect(cf__is_waiting(f), 0)) {
        struct deferred deferred = {f, {.worker = self}};
        cf_future *input = cf__deferred_input(f, &deferred.watch);
        pthread_cleanup_push(drop, input); /* a task may end the thread */
        err = wait_for(self, input, &deferred, deadline_ns, firmly);
        pthread_cleanup_pop(1);
    }
    return err ? done_or(f, err) : wait_for(self, f, NULL, deadline_ns, firmly);
}
