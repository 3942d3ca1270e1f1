/* SPDX-License-Identifier: MIT */
/*
 * pthread_cancel() and user code inside calls of the library: the tasks and
 * callbacks of a cancelled thread run to their end, and a callback cannot
 * cancel a thread of the library.
 */
#define _GNU_SOURCE
#include "tests/conformance/conformance.h"

#include <sched.h>

/* --- user code inside calls ---------------------------------------------- */

static void
testcancel_done(cf_future *f, void *data)
{
    pthread_testcancel();
    count_done(f, data);
}

static void *
complete_cancelled(void *f)
{
    pthread_cancel(pthread_self());
    assert_ok(cf_future_set_result(f, NULL, 0));
    pthread_testcancel();
    return NULL;
}

CF_TEST(the_callbacks_of_a_cancelled_thread_all_run)
{
    pthread_t thread;
    void *end;
    atomic_int *calls = counter_new();
    cf_future *f = promise();
    for (int i = 0; i < 3; i++)
        assert_ok(cf_future_on_done(f, testcancel_done, calls));
    cr_assert(pthread_create(&thread, NULL, complete_cancelled, f) == 0);
    pthread_join(thread, &end);
    cr_assert(end == PTHREAD_CANCELED && *calls == 3, "%d ran", *calls);
    cf_future_unref(f);
}

static int
testcancel(cf_call *call, const void *arg, size_t arg_size)
{
    pthread_testcancel();
    return (int)cf_return(call, arg, arg_size);
}

static void *
submit_cancelled(void *ex)
{
    cf_future *f;
    pthread_cancel(pthread_self());
    assert_ok(cf_submit(ex, testcancel, &(int){7}, sizeof(int), &f));
    cr_assert(int_result(f) == 7);
    cf_future_unref(f);
    pthread_testcancel();
    return NULL;
}

/* In a worker, in the submitter of an inline executor, or of a full queue. */
CF_TEST(a_task_is_not_hit_by_the_cancellation_of_its_submitter)
{
    pthread_t thread;
    void *end;
    cf_executor *ex = test_executor(1);
    cr_assert(pthread_create(&thread, NULL, submit_cancelled, ex) == 0);
    pthread_join(thread, &end);
    cr_assert(end == PTHREAD_CANCELED);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(a_task_run_by_a_cancelled_submitter_ends_well)
{
    pthread_t thread;
    void *end;
    gate *g = gate_new();
    cf_executor *ex =
        test_pool((test_options){.max_workers = 1,
                                 .queue_capacity = 1,
                                 .queue_policy = CF_QUEUE_CALLER_RUNS});
    cf_future *held = must_submit(ex, task_hold, g, 0);
    gate_await(g, 1);
    cf_future *queued = must_submit(ex, task_nothing, NULL, 0);
    cr_assert(pthread_create(&thread, NULL, submit_cancelled, ex) == 0);
    pthread_join(thread, &end);
    cr_assert(end == PTHREAD_CANCELED);
    gate_open(g);
    cf_executor_destroy(ex);
    cf_future_unref(held);
    cf_future_unref(queued);
}

/* --- threads of the library ---------------------------------------------- */

static void
cancel_self_done(cf_future *f, void *data)
{
    pthread_cancel(pthread_self());
    pthread_testcancel();
    count_done(f, data);
}

/* The timer's, or the manager's: it ignores that. */
CF_CONCURRENT_TEST(a_callback_cannot_cancel_a_thread_of_the_library)
{
    cf_executor *ex = test_executor(1);
    atomic_int *calls = counter_new();
    gate *g = gate_new();
    cf_task task = CF_TASK_INIT;
    task.fn = task_until_canceled;
    task.arg = g;
    task.timeout_ns = CF_MS(20);
    for (int i = 0; i < 2; i++) {
        cf_future *f;
        assert_ok(cf_submit_task(ex, &task, &f));
        assert_ok(cf_future_on_done(f, cancel_self_done, calls));
        assert_err(cf_future_wait(f, CF_FOREVER), CF_OK);
        assert_err(cf_future_result(f, 0, NULL), CF_EDEADLINE);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
    cr_assert(*calls == 2, "%d ran", *calls);
}

/* --- workers ------------------------------------------------------------- */

static int
task_shuts_down_cancelled(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg, (void)arg_size;
    pthread_cancel(pthread_self());
    return (int)cf_executor_shutdown(cf_call_executor(call), 0, CF_FOREVER);
}

/* Takes a gate *: passes it, and returns what a shutdown returns at once. */
static int
task_looks_at_shutdown(cf_call *call, const void *arg, size_t arg_size)
{
    gate_pass((gate *)arg);
    (void)arg_size;
    int err = (int)cf_executor_shutdown(cf_call_executor(call), 0, 0);
    return (int)cf_return(call, &err, sizeof err);
}

static uint64_t
count_workers(cf_executor *ex)
{
    cf_stats stats;
    assert_ok(cf_executor_stats(ex, &stats));
    return stats.workers;
}

CF_WORKERS_TEST(CF_THREAD_TEST,
                a_worker_cancelled_in_a_shutdown_is_in_no_shutdown_any_more)
{
    cf_executor *ex = test_executor(3);
    gate *held = gate_new(), *g = gate_new();
    cf_future *holds = must_submit(ex, task_hold, held, 0);
    cf_future *looks = must_submit(ex, task_looks_at_shutdown, g, 0);
    gate_await(held, 1);
    gate_await(g, 1);
    cf_future *f = must_submit(ex, task_shuts_down_cancelled, NULL, 0);
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EWORKERDIED);
    while (count_workers(ex) > 2)
        sched_yield();
    gate_open(g);
    cr_assert(int_result(looks) == CF_ETIMEDOUT, "one task still holds");
    gate_open(held);
    assert_ok(cf_future_wait(holds, CF_FOREVER));
    cf_future_unref(f);
    cf_future_unref(looks);
    cf_future_unref(holds);
    cf_executor_destroy(ex);
}
