/* SPDX-License-Identifier: MIT */
/*
 * A task's own pending tasks while its worker sweeps them: others find, and
 * cancel, all that stay.
 */
#include "tests/conformance/conformance.h"

#include <sched.h>

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

/* Its last task can only be run by who waits for it. */
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

CF_THREAD_TEST(a_waiter_finds_what_a_sweep_kept_from_it, .timeout = 8)
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
