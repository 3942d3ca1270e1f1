/* SPDX-License-Identifier: MIT */
/*
 * The end of an executor: draining, cancelling, not waiting, time-outs, and
 * the places it may be ended from. What happens when main returns is shown by
 * the programs in programs/.
 */
#include "tests/conformance/conformance.h"

#include <sched.h>
#include <signal.h>
#include <stdint.h>

/* CPython: test_shutdown.test_run_after_shutdown */
CF_TEST(a_submit_after_shutdown_is_refused)
{
    cf_executor *ex = test_executor(1);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    cf_future *f = NULL;
    assert_err(cf_submit(ex, task_nothing, NULL, 0, &f), CF_ESHUTDOWN);
    cr_assert_null(f);
    cf_task task = CF_TASK_INIT;
    task.fn = task_nothing;
    assert_err(cf_submit_task(ex, &task, &f), CF_ESHUTDOWN);
    cf_executor_destroy(ex);
}

/* CPython: test_shutdown.test_hang_issue12364 */
CF_TEST(all_results_are_there_after_shutdown)
{
    cf_executor *ex = test_executor(2);
    cf_future *fs[50];
    for (int i = 0; i < 50; i++)
        fs[i] = must_submit(ex, task_square, &i, sizeof i);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    for (int i = 0; i < 50; i++) {
        cr_assert(cf_future_done(fs[i]));
        cr_assert(int_result(fs[i]) == i * i);
    }
    unref_all(fs, 50);
    cf_executor_destroy(ex);
}

/* CPython: executor.test_shutdown_race_issue12456 */
CF_TEST(shutdown_right_after_more_tasks_than_workers_does_not_hang)
{
    for (int round = 0; round < 100; round++) {
        cf_executor *ex = test_executor(3);
        atomic_int *ran = counter_new();
        for (int i = 0; i < 5; i++)
            assert_ok(cf_submit(ex, task_count, ran, 0, NULL));
        assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
        cr_assert(*ran == 5);
        cf_executor_destroy(ex);
    }
}

CF_TEST(an_executor_that_never_worked_shuts_down)
{
    cf_executor *ex = test_executor(2);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    cf_executor_destroy(ex);
    cf_executor_destroy(test_executor(2));
    cf_executor_destroy(NULL);
}

CF_TEST(shutdown_may_be_called_again_with_other_flags)
{
    cf_executor *ex = test_executor(1);
    assert_ok(cf_submit(ex, task_nothing, NULL, 0, NULL));
    assert_ok(cf_executor_shutdown(ex, CF_SHUTDOWN_NOWAIT, 0));
    assert_ok(cf_executor_shutdown(ex, CF_SHUTDOWN_CANCEL, CF_FOREVER));
    assert_ok(cf_executor_shutdown(ex, 0, 0));
    cf_executor_destroy(ex);
}

CF_TEST(bad_shutdowns_are_einval_and_end_nothing)
{
    cf_executor *ex = test_executor(1);
    assert_err(cf_executor_shutdown(NULL, 0, 0), CF_EINVAL);
    assert_err(cf_executor_shutdown(ex, 1u << 7, CF_FOREVER), CF_EINVAL);
    assert_err(cf_executor_shutdown(ex, 0, -2), CF_EINVAL);
    assert_err(cf_executor_terminate(NULL, SIGTERM), CF_EINVAL);
    assert_err(cf_executor_terminate(ex, -5), CF_EINVAL);
    assert_err(cf_executor_terminate(ex, 100000), CF_EINVAL);
    cf_future *f = must_submit(ex, task_square, &(int){2}, sizeof(int));
    cr_assert(int_result(f) == 4);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* CPython: test_shutdown.test_cancel_futures */
CF_CONCURRENT_TEST(shutdown_with_cancel_runs_what_started_and_cancels_the_rest)
{
    enum { WORKERS = 5, N = 50 };
    cf_executor *ex = test_executor(WORKERS);
    gate *g = gate_new();
    cf_future *fs[N];
    occupy(ex, g, WORKERS, fs);
    for (int i = WORKERS; i < N; i++)
        fs[i] = must_submit(ex, task_nothing, NULL, 0);
    assert_err(cf_executor_shutdown(ex, CF_SHUTDOWN_CANCEL, CF_MS(10)),
               CF_ETIMEDOUT);
    gate_open(g);
    assert_ok(cf_executor_shutdown(ex, CF_SHUTDOWN_CANCEL, CF_FOREVER));
    for (int i = 0; i < N; i++)
        assert_state(fs[i], i < WORKERS ? CF_FINISHED : CF_CANCELED);
    unref_all(fs, N);
    cf_executor_destroy(ex);
}

/* CPython: test_shutdown.test_shutdown_no_wait, test_hang_gh83386 */
CF_CONCURRENT_TEST(shutdown_without_waiting_lets_queued_tasks_run)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    cf_future *f = must_submit(ex, task_square, &(int){7}, sizeof(int));
    assert_ok(cf_executor_shutdown(ex, CF_SHUTDOWN_NOWAIT, CF_FOREVER));
    assert_err(cf_submit(ex, task_nothing, NULL, 0, NULL), CF_ESHUTDOWN);
    assert_state(held, CF_RUNNING);
    assert_state(f, CF_PENDING);
    gate_open(g);
    cr_assert(int_result(f) == 49);
    cf_executor_destroy(ex);
    cf_future_unref(f);
    cf_future_unref(held);
}

/* CPython: test_shutdown.test_cancel_futures_wait_false */
CF_CONCURRENT_TEST(shutdown_can_cancel_without_waiting)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    cf_future *f = must_submit(ex, task_nothing, NULL, 0);
    assert_ok(
        cf_executor_shutdown(ex, CF_SHUTDOWN_CANCEL | CF_SHUTDOWN_NOWAIT, 0));
    assert_state(f, CF_CANCELED);
    assert_state(held, CF_RUNNING);
    gate_open(g);
    cf_executor_destroy(ex);
    assert_ok(cf_future_result(held, 0, NULL));
    cf_future_unref(f);
    cf_future_unref(held);
}

CF_CONCURRENT_TEST(shutdown_gives_up_waiting_after_its_timeout)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    assert_err(cf_executor_shutdown(ex, 0, 0), CF_ETIMEDOUT);
    assert_err(cf_executor_shutdown(ex, 0, CF_MS(10)), CF_ETIMEDOUT);
    assert_state(held, CF_RUNNING);
    gate_open(g);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    assert_state(held, CF_FINISHED);
    cf_future_unref(held);
    cf_executor_destroy(ex);
}

/* CPython: test_shutdown.test_context_manager_shutdown, test_del_shutdown */
CF_TEST(destroy_without_shutdown_completes_the_work)
{
    cf_executor *ex = test_executor(2);
    atomic_int *ran = counter_new();
    for (int i = 0; i < 1000; i++)
        assert_ok(cf_submit(ex, task_count, ran, 0, NULL));
    cf_executor_destroy(ex);
    cr_assert(*ran == 1000, "%d ran", *ran);
}

static void *
shutdown_main(void *arg)
{
    return (void *)(intptr_t)cf_executor_shutdown(arg, 0, CF_FOREVER);
}

CF_CONCURRENT_TEST(several_threads_may_shut_down_at_once)
{
    cf_executor *ex = test_executor(2);
    gate *g = gate_new();
    cf_future *held[2];
    occupy(ex, g, 2, held);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        cr_assert(pthread_create(&threads[i], NULL, shutdown_main, ex) == 0);
    gate_open(g);
    for (int i = 0; i < 4; i++) {
        void *err = NULL;
        pthread_join(threads[i], &err);
        cr_assert((intptr_t)err == CF_OK);
    }
    unref_all(held, 2);
    cf_executor_destroy(ex);
}

/* A shutdown or destroy from inside, and what it said. */
typedef struct inside {
    cf_executor *ex;
    cf_err err;
    cf_err submit;
    gate *finished;
} inside;

static void
shut_down_inside(inside *in)
{
    in->err = cf_executor_shutdown(in->ex, 0, CF_FOREVER);
    in->submit = cf_submit(in->ex, task_nothing, NULL, 0, NULL);
    gate_arrive(in->finished);
}

static void
callback_shuts_down(cf_future *f, void *data)
{
    (void)f;
    shut_down_inside(data);
}

static int
task_shuts_down(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    shut_down_inside((inside *)arg);
    return 0;
}

/* In CPython "cannot join current thread": gh-131598. */
CF_CONCURRENT_TEST(a_callback_in_a_worker_may_shut_down)
{
    inside in = {.ex = test_executor(1), .finished = gate_new()};
    gate *g = gate_new();
    cf_future *f;
    occupy(in.ex, g, 1, &f);
    assert_ok(cf_future_on_done(f, callback_shuts_down, &in));
    gate_open(g);
    gate_await(in.finished, 1);
    assert_ok(in.err);
    assert_err(in.submit, CF_ESHUTDOWN);
    cf_future_unref(f);
    cf_executor_destroy(in.ex);
}

CF_SHARED_MEMORY_TEST(a_task_may_shut_its_executor_down)
{
    inside in = {.ex = test_executor(2), .finished = gate_new()};
    cf_future *f = must_submit(in.ex, task_shuts_down, &in, 0);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    assert_ok(in.err);
    assert_err(in.submit, CF_ESHUTDOWN);
    cf_future_unref(f);
    cf_executor_destroy(in.ex);
}

static int
task_shuts_down_together(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    gate *g = (gate *)arg;
    gate_pass(g);
    cf_err err = cf_executor_shutdown(cf_call_executor(call), 0, CF_FOREVER);
    return err == CF_OK ? 0 : cf_fail(call, 1, "%s", cf_err_name(err));
}

CF_THREAD_TEST(two_tasks_may_shut_their_executor_down_at_once)
{
    cf_executor *ex = test_executor(2);
    gate *g = gate_new();
    cf_future *fs[2];
    for (int i = 0; i < 2; i++)
        fs[i] = must_submit(ex, task_shuts_down_together, g, 0);
    gate_await(g, 2);
    gate_open(g);
    for (int i = 0; i < 2; i++)
        assert_ok(cf_future_result(fs[i], CF_FOREVER, NULL));
    unref_all(fs, 2);
    cf_executor_destroy(ex);
}

static void
callback_destroys(cf_future *f, void *data)
{
    (void)f;
    inside *in = data;
    cf_executor_destroy(in->ex);
    gate_arrive(in->finished);
}

CF_CONCURRENT_TEST(a_callback_in_a_worker_may_destroy_the_executor)
{
    for (int i = 0; i < 50; i++) {
        inside in = {.ex = test_executor(2), .finished = gate_new()};
        gate *g = gate_new();
        cf_future *f;
        occupy(in.ex, g, 1, &f);
        atomic_int *ran = counter_new();
        for (int k = 0; k < 10; k++)
            assert_ok(cf_submit(in.ex, task_count, ran, 0, NULL));
        assert_ok(cf_future_on_done(f, callback_destroys, &in));
        gate_open(g);
        gate_await(in.finished, 1);
        assert_ok(cf_future_result(f, 0, NULL));
        cf_future_unref(f);
        while (atomic_load(ran) < 10) /* this worker's own may come later */
            sched_yield();
    }
}

static int
task_destroys(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    cf_executor_destroy(cf_call_executor(call));
    return cf_return(call, "gone", 4) != CF_OK;
}

CF_THREAD_TEST(a_task_may_destroy_its_executor)
{
    for (int i = 0; i < 50; i++) {
        cf_executor *ex = test_executor(2);
        cf_future *f = must_submit(ex, task_destroys, NULL, 0);
        cf_bytes bytes = {NULL, 0};
        assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
        cr_assert(bytes.size == 4);
        cf_future_unref(f);
    }
}

CF_CONCURRENT_TEST(two_pools_share_nothing)
{
    cf_executor *a = test_executor(1);
    cf_executor *b = test_executor(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(a, g, 1, &held);
    cf_future *behind = must_submit(a, task_nothing, NULL, 0);
    cf_future *f = must_submit(b, task_square, &(int){3}, sizeof(int));
    cr_assert(int_result(f) == 9);
    cf_future_unref(f);
    assert_ok(cf_executor_wait_idle(b, CF_FOREVER));
    assert_ok(cf_executor_shutdown(b, CF_SHUTDOWN_CANCEL, CF_FOREVER));
    cf_executor_destroy(b);
    assert_state(behind, CF_PENDING);
    gate_open(g);
    assert_ok(cf_future_result(behind, CF_FOREVER, NULL));
    f = must_submit(a, task_square, &(int){4}, sizeof(int));
    cr_assert(int_result(f) == 16);
    cf_future_unref(f);
    cf_future_unref(behind);
    cf_future_unref(held);
    cf_executor_destroy(a);
}

/* CPython: test_process_pool.test_terminate_workers (3.14) */
CF_CONCURRENT_TEST(terminate_cancels_what_is_pending_and_stops_what_runs)
{
    cf_executor *ex = test_executor(2);
    gate *g = gate_new();
    cf_future *running[2];
    for (int i = 0; i < 2; i++)
        running[i] = must_submit(ex, task_until_canceled, g, 0);
    gate_await(g, 2);
    cf_future *pending = must_submit(ex, task_nothing, NULL, 0);
    assert_ok(cf_executor_terminate(ex, SIGTERM));
    assert_ok(cf_future_wait(pending, CF_FOREVER)); /* a worker may have it */
    assert_state(pending, CF_CANCELED);
    assert_err(cf_submit(ex, task_nothing, NULL, 0, NULL), CF_ESHUTDOWN);
    for (int i = 0; i < 2; i++) {
        assert_ok(cf_future_wait(running[i], CF_FOREVER));
        cr_assert_not_null(cf_future_error(running[i]));
        cr_assert(cf_future_error(running[i])->kind == CF_ECANCELED);
    }
    assert_ok(cf_executor_terminate(ex, SIGKILL));
    cf_executor_destroy(ex);
    unref_all(running, 2);
    cf_future_unref(pending);
}
