/* SPDX-License-Identifier: MIT */
/*
 * Waiting until an iterator has a future to hand out. A task first runs those
 * that are pending: README.md, "The wait in a task".
 */
#include "lib/base/spin.h"
#include "lib/executor/caller_run.h"
#include "lib/executor/deferred.h"
#include "lib/executor/executor.h"
#include "lib/executor/scope.h"
#include "lib/executor/stop.h"
#include "lib/executor/wait_graph.h"
#include "lib/executor/wait_in_task.h"
#include "lib/many/as_completed_iterator.h"
#include "lib/many/as_completed_ring.h"

/* Spins, then sleeps, until a node is ready. worker: in a task, the one that
 * sleeps; else NULL. */
static cf_err
sleep_until_ready(struct cf__worker *worker,
                  cf_as_completed *it,
                  int64_t deadline_ns)
{
    /* A coroutine lets other coroutines run instead. */
    const bool may_spin = !worker || !worker->suspend;
    struct cf__worker *sleeper = worker ? worker : cf__scope_sleeper();
    struct cf__spin spin = cf__spin_begin();
    bool ready = false, late = false, in_time = true, interrupted = false;
    while (!ready && may_spin && cf__spin_on(&spin, deadline_ns))
        ready = cf__as_completed_take_ready(it);
    while (!ready && in_time && !interrupted && cf__as_completed_is_ours(it)) {
        int64_t until = cf__stop_at(deadline_ns);
        interrupted = cf__told_to_stop(worker, NULL, late);
        if (!interrupted)
            late = !cf__as_completed_sleep(it, sleeper, until);
        in_time = !late || until != deadline_ns;
        ready = cf__as_completed_take_ready(it);
    }
    cf__spin_learn(&spin);
    if (ready || cf__as_completed_take_ready(it))
        return CF_OK;
    if (interrupted)
        return CF_EINTERRUPTED;
    return cf__as_completed_is_ours(it) ? CF_ETIMEDOUT
                                        : CF_EFORKED; /* a callback forked */
}

/* Says whose tasks this thread can run now. While one of them exists, no other
 * one has the same number. */
static uintptr_t
trier(const struct cf__worker *worker)
{
    if (cf__thread.caller_run)
        return cf__thread.caller_run->id;
    return worker ? (uintptr_t)worker->executor : 0;
}

/* Runs one pending future here, or one that a deferred future waits for; false:
 * there is none. If untried is left then, there was no memory to run it. worker
 * may be NULL. */
static bool
run_one(struct cf__worker *worker, cf_as_completed *it)
{
    if (it->tried_by != trier(worker))
        it->untried = it->first;
    it->tried_by = trier(worker);
    while (it->untried) {
        cf_future *f = it->untried->f;
        bool ran =
            cf__caller_run_pending(f) || (worker && cf__in_task_run(worker, f));
        if (!ran && worker && cf__in_task_run_input(worker, f))
            return true;
        if (!ran && worker && cf__in_task_must_retry(worker, f))
            return false;
        it->deferred |= !ran && worker && !worker->suspend && cf__is_waiting(f);
        cf__as_completed_pass_untried(it);
        if (ran)
            return true;
    }
    return false;
}

/* Sleeps in a task. CF_EDEADLK: the sleep could never end. */
static cf_err
sleep_in_task(struct cf__worker *worker,
              cf_as_completed *it,
              int64_t deadline_ns,
              bool forever)
{
    if (!worker)
        return sleep_until_ready(NULL, it, deadline_ns);
    forever = forever && cf__stop_at(CF__NEVER) == CF__NEVER;
    worker->firm = false;
    if (cf__wait_graph_enter(worker, it->first_look, forever))
        return CF_EDEADLK;
    cf_err err = sleep_until_ready(worker, it, deadline_ns);
    bool hopeless = cf__wait_graph_leave(worker);
    it->first_look = worker->awaited;
    return err && hopeless ? CF_EDEADLK : err;
}

/* Waits in a task, which a worker runs, or a submit to a full queue. Runs
 * pending futures here before it sleeps. worker: NULL if this thread has
 * none. */
static cf_err
wait_in_task(struct cf__worker *worker,
             cf_as_completed *it,
             int64_t deadline_ns)
{
    for (;;) {
        bool ready = cf__as_completed_take_ready(it);
        while (!ready && run_one(worker, it))
            ready = cf__as_completed_take_ready(it);
        if (ready)
            return CF_OK;
        if (!cf__as_completed_is_ours(it))
            return CF_EFORKED; /* a task that ran here forked */
        int64_t until = deadline_ns;
        if (it->deferred && !it->untried) /* all of them, in a moment */
            it->untried = it->first;
        it->deferred = false;
        if (it->untried)
            until = cf__in_task_retry_at(deadline_ns);
        cf_err err = sleep_in_task(worker, it, until, deadline_ns == CF__NEVER);
        if (err != CF_ETIMEDOUT || until == deadline_ns)
            return err;
    }
}

/* The calling thread runs the tasks of all that it waits for, and is in none of
 * them. */
static bool
holds_all_up(const cf_as_completed *it)
{
    const struct cf__awaited *at = it->first_look;
    do {
        if (!cf__holds_up(at->f->executor))
            return false;
        at = at->next;
    } while (at != it->first_look);
    return true;
}

cf_err
cf__as_completed_wait(cf_as_completed *it, int64_t deadline_ns)
{
    struct cf__worker *worker = cf__thread.worker;
    if (__builtin_expect(cf__thread.root_of != NULL, 0) && deadline_ns &&
        holds_all_up(it))
        return cf__as_completed_take_ready(it) ? CF_OK : CF_EDEADLK;
    return worker || cf__thread.caller_run
               ? wait_in_task(worker, it, deadline_ns)
               : sleep_until_ready(NULL, it, deadline_ns);
}
