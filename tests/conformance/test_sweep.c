/* SPDX-License-Identifier: MIT */
/*
 * A worker sweeps the pending tasks of its running task. Meanwhile other
 * workers find, and cancel, the tasks that stay.
 */
#include "tests/conformance/conformance.h"

#include <sched.h>
#include <signal.h>

enum { SWEPT = 262144 }; /* so many that a waiter sleeps before a sweep ends */

struct sweep {
    gate *waiting, *ran;
    atomic_bool now;
    cf_future *sweeper;
};

static int
task_waits_for_sweeper(cf_call *call, const void *arg, size_t arg_size)
{
    struct sweep *s = (void *)(uintptr_t)arg;
    (void)call;
    (void)arg_size;
    gate_arrive(s->waiting);
    while (!s->now)
        sched_yield();
    return cf_future_wait(s->sweeper, CF_FOREVER) != CF_OK;
}

/* Only a task that waits for its last task can run that one. */
static int
task_sweeps(cf_call *call, const void *arg, size_t arg_size)
{
    static cf_future *fs[SWEPT];
    struct sweep *s = (void *)(uintptr_t)arg;
    cf_executor *ex = cf_call_executor(call);
    (void)arg_size;
    gate_await(s->waiting, 1);
    for (int i = 0; i < SWEPT; i++)
        if (cf_submit(ex, task_nothing, NULL, 0, &fs[i]))
            return 1;
    if (cf_submit(ex, task_hold, s->ran, 0, NULL))
        return 1;
    for (int i = 0; i < SWEPT; i++) {
        if (i == SWEPT / 2 - 4) /* then half of all are cancelled */
            s->now = true;
        (void)cf_future_cancel(fs[i]); /* the waiter may have run it */
    }
    gate_await(s->ran, 1);
    unref_all(fs, SWEPT);
    return 0;
}

CF_WORKERS_TEST(CF_THREAD_TEST,
                a_waiter_finds_what_a_sweep_kept_from_it,
                .timeout = 8)
{
    cf_executor *ex = test_executor(2);
    struct sweep s = {.waiting = gate_new(), .ran = gate_new()};
    gate_open(s.ran);
    s.sweeper = must_submit(ex, task_sweeps, &s, 0);
    cf_future *waiter = must_submit(ex, task_waits_for_sweeper, &s, 0);
    assert_ok(cf_future_wait(waiter, CF_FOREVER));
    assert_state(s.sweeper, CF_FINISHED);
    cf_future_unref(waiter);
    cf_future_unref(s.sweeper);
    cf_executor_destroy(ex);
}

struct producer {
    cf_executor *ex;
    gate *g;
    atomic_int *ran;
    atomic_int submitted;
};

/* Submits until it is refused: each full ring is swept before it grows. */
static int
task_submits_until_refused(cf_call *call, const void *arg, size_t arg_size)
{
    struct producer *p = (void *)(uintptr_t)arg;
    (void)call;
    (void)arg_size;
    while (cf_submit(p->ex, task_count, p->ran, 0, NULL) == CF_OK)
        p->submitted++;
    gate_pass(p->g); /* its worker runs none of them meanwhile */
    return 0;
}

static void
check_end_during_a_sweep(bool terminate)
{
    cf_executor *ex = test_executor(2);
    gate *g = gate_new();
    cf_future *held;
    struct producer p = {.ex = ex, .g = g, .ran = counter_new()};
    occupy(ex, g, 1, &held);
    cf_future *f = must_submit(ex, task_submits_until_refused, &p, 0);
    while (p.submitted < SWEPT)
        continue;
    if (terminate)
        assert_ok(cf_executor_terminate(ex, SIGTERM));
    else
        assert_ok(cf_executor_shutdown(
            ex, CF_SHUTDOWN_CANCEL | CF_SHUTDOWN_NOWAIT, 0));
    gate_open(g);
    assert_ok(cf_future_wait(f, CF_FOREVER));
    cf_executor_destroy(ex);
    /* One submit may have been under way. */
    cr_assert(*p.ran <= 1, "%d of %d", *p.ran, p.submitted);
    cf_future_unref(f);
    cf_future_unref(held);
}

CF_THREAD_TEST(the_end_of_a_pool_cancels_what_a_sweep_kept_from_it)
{
    check_end_during_a_sweep(false);
    check_end_during_a_sweep(true);
}
