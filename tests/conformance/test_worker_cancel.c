/* SPDX-License-Identifier: MIT */
/* Workers of a thread pool whose thread is cancelled: in a task, between tasks,
 * in their sleep. */
#include "tests/conformance/conformance.h"

static int
task_cancels_itself(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call, (void)arg, (void)arg_size;
    pthread_cancel(pthread_self());
    pthread_testcancel();
    return 0;
}

CF_THREAD_TEST(a_task_whose_worker_is_cancelled_fails_alone)
{
    cf_executor *ex = test_executor(1);
    for (int i = 0; i < 5; i++) {
        cf_future *f = must_submit(ex, task_cancels_itself, NULL, 0);
        cf_future *next = must_submit(ex, task_square, &(int){3}, sizeof(int));
        assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EWORKERDIED);
        cr_assert(int_result(next) == 9);
        cf_future_unref(f);
        cf_future_unref(next);
    }
    cf_executor_destroy(ex);
}

static int
task_self(cf_call *call, const void *arg, size_t arg_size)
{
    pthread_t self = pthread_self();
    (void)arg, (void)arg_size;
    return (int)cf_return(call, &self, sizeof self);
}

/* Cancels the thread of the worker that runs a task now, when it is idle. */
static void
cancel_idle_worker(cf_executor *ex)
{
    cf_bytes bytes;
    pthread_t thread;
    cf_future *f = must_submit(ex, task_self, NULL, 0);
    assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
    memcpy(&thread, bytes.data, sizeof thread);
    cf_future_unref(f);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    pthread_cancel(thread);
}

static int
task_testcancel(cf_call *call, const void *arg, size_t arg_size)
{
    pthread_testcancel();
    return (int)cf_return(call, arg, arg_size);
}

CF_THREAD_TEST(a_worker_cancelled_between_tasks_costs_no_task)
{
    cf_executor *ex = test_executor(1);
    for (int i = 0; i < 20; i++) {
        cancel_idle_worker(ex);
        cf_future *f = must_submit(ex, task_testcancel, &i, sizeof i);
        cr_assert(int_result(f) == i);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

/* true: the worker that was cancelled in its sleep was woken for a task, which
 * the other one then did. */
static bool
sleeper_takes_over(void)
{
    cf_executor *ex = test_executor(2);
    gate *g = gate_new();
    cf_future *held[2];
    occupy(ex, g, 2, held);
    gate_open(g);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cancel_idle_worker(ex);
    cf_future *f = must_submit(ex, task_square, &(int){3}, sizeof(int));
    cr_assert(int_result(f) == 9);
    cf_stats stats;
    assert_ok(cf_executor_stats(ex, &stats));
    bool other_was_woken = stats.workers == 2 && stats.restarts == 0;
    if (!other_was_woken)
        cr_assert(stats.workers == 1 && stats.restarts == 1,
                  "none was started");
    cf_future_unref(f);
    unref_all(held, 2);
    cf_executor_destroy(ex);
    return !other_was_woken;
}

/* The worker that ran last usually falls asleep last, and is then the one to be
 * woken. It ends before it looks for the task, so it must wake the other one.
 * If the other one was awake for longer, it takes the task by itself: that
 * shows nothing, and is done again. */
CF_THREAD_TEST(a_sleeper_takes_the_task_of_a_worker_cancelled_in_its_sleep)
{
    int tries = 1;
    while (!sleeper_takes_over())
        cr_assert(tries++ < 100);
}
