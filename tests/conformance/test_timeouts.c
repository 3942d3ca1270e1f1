/* SPDX-License-Identifier: MIT */
/*
 * Tasks with a timeout of their own. Python has none: its timeouts only end
 * the wait.
 */
#include "tests/conformance/conformance.h"

#include <sched.h>

static cf_future *
submit_timed(cf_executor *ex, cf_task_fn *fn, void *arg, int64_t timeout_ns)
{
    cf_task task = CF_TASK_INIT;
    task.fn = fn;
    task.arg = arg;
    task.timeout_ns = timeout_ns;
    cf_future *f = NULL;
    assert_ok(cf_submit_task(ex, &task, &f));
    return f;
}

static int
task_hold_and_return(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    gate_pass((gate *)arg);
    return cf_return(call, "late", 4) != CF_OK;
}

CF_CONCURRENT_TEST(a_task_that_runs_too_long_fails_while_it_runs)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *f = submit_timed(ex, task_hold_and_return, g, CF_MS(10));
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EDEADLINE);
    assert_state(f, CF_FINISHED);
    const cf_error *error = cf_future_error(f);
    cr_assert_not_null(error);
    cr_assert(error->kind == CF_EDEADLINE && error->code == 0);
    cr_assert_not_null(error->message);
    cr_assert_not(cf_future_cancel(f));
    cr_assert_not(cf_future_interrupt(f));
    gate_open(g); /* only now does the task end; its result is dropped */
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    assert_err(cf_future_result(f, 0, NULL), CF_EDEADLINE);
    cr_assert(cf_future_error(f) == error);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(a_task_sees_that_its_time_is_over)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *f = submit_timed(ex, task_until_canceled, g, CF_MS(10));
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EDEADLINE);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cr_assert(cf_future_error(f)->kind == CF_EDEADLINE, "not its own failure");
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

static int
task_clean_flag(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    return cf_call_canceled(call) ? cf_fail(call, 1, "canceled") : 0;
}

CF_CONCURRENT_TEST(the_worker_goes_on_with_other_tasks_afterwards)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *f = submit_timed(ex, task_until_canceled, g, CF_MS(5));
    cf_future *next = submit_timed(ex, task_clean_flag, NULL, CF_SECONDS(50));
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EDEADLINE);
    assert_ok(cf_future_result(next, CF_FOREVER, NULL));
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cf_stats s;
    assert_ok(cf_executor_stats(ex, &s));
    cr_assert(s.done == 2 && s.failed == 1 && s.running == 0);
    cf_future_unref(f);
    cf_future_unref(next);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(time_in_the_queue_does_not_count)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    atomic_int *ran = counter_new();
    cf_future *f = submit_timed(ex, task_count, ran, CF_MS(200));
    assert_err(cf_future_wait(f, CF_MS(300)), CF_ETIMEDOUT);
    gate_open(g);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cr_assert(*ran == 1);
    cf_future_unref(f);
    cf_future_unref(held);
    cf_executor_destroy(ex);
}

CF_TEST(a_task_that_is_in_time_is_not_touched)
{
    static const int64_t timeouts[] = {
        0, CF_FOREVER, CF_SECONDS(50), INT64_MAX, INT64_MAX - 1};
    cf_executor *ex = test_executor(2);
    for (int i = 0; i < 5; i++) {
        atomic_int *ran = counter_new();
        cf_future *f = submit_timed(ex, task_count, ran, timeouts[i]);
        assert_ok(cf_future_result(f, CF_FOREVER, NULL));
        cr_assert(*ran == 1);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(every_kind_of_waiter_learns_of_the_timeout)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *f = submit_timed(ex, task_hold, g, CF_MS(20));
    atomic_int *calls = counter_new();
    assert_ok(cf_future_on_done(f, count_done, calls));
    cf_as_completed *it = NULL;
    assert_ok(cf_as_completed_create(&f, 1, &it));
    cf_future *both[] = {f, promise()};
    size_t done = 0;
    assert_ok(cf_wait(both, 2, CF_FIRST_ERROR, CF_FOREVER, &done));
    cr_assert(done == 1);
    cf_future *out = NULL;
    assert_ok(cf_as_completed_next(it, CF_FOREVER, &out));
    cr_assert(out == f);
    gate_open(g);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    cr_assert(*calls == 1, "%d", *calls);
    cf_as_completed_destroy(it);
    cf_executor_destroy(ex);
    unref_all(both, 2);
}

/* It runs in the timer's thread, which is neither worker nor waiter. */
CF_CONCURRENT_TEST(idle_and_shutdown_wait_for_a_callback_after_a_timeout)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new(), *callback = gate_new();
    cf_future *f = submit_timed(ex, task_hold, g, CF_MS(5));
    assert_ok(cf_future_on_done(f, hold_done, callback));
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EDEADLINE);
    gate_open(g);
    assert_err(cf_executor_wait_idle(ex, CF_MS(50)), CF_ETIMEDOUT);
    assert_err(cf_executor_shutdown(ex, 0, CF_MS(50)), CF_ETIMEDOUT);
    gate_open(callback);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    cr_assert(gate_arrived(callback) == 1);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

static void
arrive_when_freed(void *arg)
{
    gate_arrive(arg);
}

/* A worker process is killed instead of being late. */
CF_THREAD_TEST(the_argument_lives_until_the_late_task_returns)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new(); /* arrivals: the task, then its free */
    cf_task task = CF_TASK_INIT;
    task.fn = task_hold;
    task.arg = g;
    task.arg_free = arrive_when_freed;
    task.timeout_ns = CF_MS(5);
    cf_future *f = NULL;
    assert_ok(cf_submit_task(ex, &task, &f));
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EDEADLINE);
    cf_future_unref(f);
    gate_await(g, 1);
    cr_assert(gate_arrived(g) == 1, "not freed under the running task");
    gate_open(g);
    cf_executor_destroy(ex);
    cr_assert(gate_arrived(g) == 2);
}

CF_CONCURRENT_TEST(timeouts_pass_in_their_own_order)
{
    enum { N = 4 };
    cf_executor *ex = test_executor(N);
    gate *g = gate_new();
    cf_future *fs[N];
    static const int ms[N] = {80, 20, 60, 40};
    for (int i = 0; i < N; i++)
        fs[i] = submit_timed(ex, task_hold, g, CF_MS(ms[i]));
    cf_as_completed *it = NULL;
    assert_ok(cf_as_completed_create(fs, N, &it));
    for (int i = 0; i < N; i++) {
        cf_future *f = NULL;
        assert_ok(cf_as_completed_next(it, CF_FOREVER, &f));
        assert_err(cf_future_result(f, 0, NULL), CF_EDEADLINE);
    }
    gate_open(g);
    cf_as_completed_destroy(it);
    unref_all(fs, N);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(a_detached_task_can_time_out_too)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_task task = CF_TASK_INIT;
    task.fn = task_until_canceled;
    task.arg = g;
    task.timeout_ns = CF_MS(100); /* a worker may be killed for it, too */
    assert_ok(cf_submit_task(ex, &task, NULL));
    cf_executor_destroy(ex); /* ends: the task was told to stop */
    cr_assert(gate_arrived(g) == 1);
}

CF_CONCURRENT_TEST(many_short_timeouts_each_fail_or_finish_once)
{
    enum { N = 300 };
    cf_executor *ex = test_executor(2);
    atomic_int *ran = counter_new();
    atomic_int *calls = counter_new();
    static cf_future *fs[N];
    for (int i = 0; i < N; i++) {
        fs[i] = submit_timed(ex, task_count, ran, 1 + i * 50);
        assert_ok(cf_future_on_done(fs[i], count_done, calls));
    }
    int finished = 0;
    for (int i = 0; i < N; i++) {
        cf_err err = cf_future_result(fs[i], CF_FOREVER, NULL);
        cr_assert(err == CF_OK || err == CF_EDEADLINE);
        finished += err == CF_OK;
    }
    unref_all(fs, N);
    cf_executor_destroy(ex);
    /* A late thread runs to its end, a late process may be killed before. */
    int least = CF_SHARES_MEMORY ? N : finished;
    cr_assert(*ran >= least && *ran <= N, "%d ran", *ran);
    cr_assert(*calls == N, "%d calls", *calls);
}

static int
task_waits_in_vain(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    cf_future *never = NULL;
    if (cf_future_create(&never) != CF_OK)
        return 1;
    cf_err err = cf_future_wait(never, CF_MS(5));
    cf_future_unref(never);
    return cf_return(call, &err, sizeof err) != CF_OK;
}

/* CPython: executor.test_map_timeout_from_callable (3.15): a wait that runs
 * out inside a task is not the timeout of the task or of its waiter */
CF_CONCURRENT_TEST(a_wait_that_runs_out_in_a_task_is_not_the_task_s_timeout)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = submit_timed(ex, task_waits_in_vain, NULL, CF_SECONDS(50));
    cr_assert(int_result(f) == CF_ETIMEDOUT);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}
