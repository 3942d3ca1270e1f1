/* SPDX-License-Identifier: MIT */
/*
 * A broken protocol is a bug in the program and ends it at the place of the
 * bug: each of these tests must die by SIGABRT.
 */
#include "tests/conformance/conformance.h"

#include <signal.h>

CF_TEST(a_handle_too_many_on_a_promise_aborts, .signal = SIGABRT)
{
    cf_future *f = promise();
    cf_future_unref(f);
    cf_future_unref(f);
}

CF_TEST(a_handle_too_many_on_a_finished_task_aborts, .signal = SIGABRT)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_nothing, NULL, 0);
    assert_ok(cf_future_wait(f, CF_FOREVER));
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cf_future_unref(f);
    cf_future_unref(f);
}

CF_TEST(destroying_an_executor_twice_aborts, .signal = SIGABRT)
{
    cf_executor *ex = test_executor(1);
    cf_executor_destroy(ex);
    cf_executor_destroy(ex);
}

CF_TEST(destroying_a_used_executor_twice_aborts, .signal = SIGABRT)
{
    cf_executor *other = test_executor(1), *ex = test_executor(1);
    cf_future_unref(must_submit(ex, task_nothing, NULL, 0));
    cf_executor_destroy(ex);
    cf_executor_destroy(other);
    cf_executor_destroy(ex);
}

CF_TEST(shutting_a_destroyed_executor_down_aborts, .signal = SIGABRT)
{
    cf_executor *ex = test_executor(1);
    cf_executor_destroy(ex);
    (void)cf_executor_shutdown(ex, 0, CF_FOREVER);
}

CF_TEST(releasing_a_destroyed_executor_aborts, .signal = SIGABRT)
{
    cf_executor *ex = test_executor(1);
    cf_executor_destroy(ex);
    (void)cf_executor_release(ex);
}

CF_TEST(asking_for_the_state_of_a_destroyed_executor_aborts, .signal = SIGABRT)
{
    cf_executor *ex = test_executor(1);
    cf_executor_destroy(ex);
    (void)cf_executor_state(ex);
}

CF_TEST(terminating_a_destroyed_executor_aborts, .signal = SIGABRT)
{
    cf_executor *ex = test_executor(1);
    cf_executor_destroy(ex);
    (void)cf_executor_terminate(ex, SIGTERM);
}

CF_TEST(waiting_for_a_destroyed_executor_aborts, .signal = SIGABRT)
{
    cf_executor *ex = test_executor(1);
    cf_executor_destroy(ex);
    (void)cf_executor_wait_idle(ex, 0);
}

CF_TEST(counting_in_a_destroyed_executor_aborts, .signal = SIGABRT)
{
    cf_executor *ex = test_executor(1);
    cf_stats stats;
    cf_executor_destroy(ex);
    (void)cf_executor_stats(ex, &stats);
}

static int
task_destroys(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    cf_executor_destroy(cf_call_executor(call));
    cf_executor_destroy(cf_call_executor(call));
    return 0;
}

/* The pool's memory is there until the task's worker has ended. */
CF_THREAD_TEST(a_task_that_destroys_its_pool_twice_aborts, .signal = SIGABRT)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_destroys, NULL, 0);
    (void)cf_future_wait(f, CF_FOREVER);
}

CF_TEST(starting_a_running_future_aborts, .signal = SIGABRT)
{
    cf_future *f = promise();
    cr_assert(cf_future_start(f));
    (void)cf_future_start(f);
}

CF_TEST(starting_a_finished_future_aborts, .signal = SIGABRT)
{
    cf_future *f = promise_in(CF_FINISHED, false);
    (void)cf_future_start(f);
}

CF_TEST(starting_a_failed_future_aborts, .signal = SIGABRT)
{
    cf_future *f = promise_in(CF_FINISHED, true);
    (void)cf_future_start(f);
}

CF_TEST(starting_an_executor_s_future_aborts, .signal = SIGABRT)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_nothing, NULL, 0);
    (void)cf_future_start(f);
}

CF_CONCURRENT_TEST(starting_a_task_that_waits_in_the_queue_aborts,
                   .signal = SIGABRT)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    cf_future *f = must_submit(ex, task_nothing, NULL, 0);
    (void)cf_future_start(f);
}
