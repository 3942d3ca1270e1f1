/* SPDX-License-Identifier: MIT */
/*
 * Threads that cannot be started, tasks that end their thread, and what very
 * many pools leave behind. Thread pool only.
 */
#define _GNU_SOURCE
#include "tests/conformance/conformance.h"

#include <errno.h>

#include "tests/support/process.h"
#include "tests/support/thread_faults.h"

/* CPython: test_process_pool.test_python_finalization_error, and PR 17615: the
 * task stayed queued although the submit had failed */
CF_TEST(if_the_first_worker_cannot_start_the_submit_fails_and_queues_nothing)
{
    cf_executor *ex = test_executor(2);
    atomic_int *ran = counter_new();
    thread_faults_begin(0, EAGAIN);
    cf_future *f = NULL;
    errno = 0;
    assert_err(cf_submit(ex, task_count, ran, 0, &f), CF_ESYS);
    cr_assert(errno == EAGAIN, "errno %d", errno);
    cr_assert_null(f);
    assert_err(cf_submit_many(ex, task_count, ran, 0, 9, NULL), CF_ESYS);
    cr_assert(thread_faults_count() >= 2);
    cf_stats s;
    assert_ok(cf_executor_stats(ex, &s));
    cr_assert(s.queued == 0 && s.workers == 0);
    assert_ok(cf_executor_wait_idle(ex, 0));
    thread_faults_end();

    cf_future *later = must_submit(ex, task_square, &(int){4}, sizeof(int));
    cr_assert(int_result(later) == 16);
    cf_future_unref(later);
    cf_executor_destroy(ex);
    cr_assert(*ran == 0, "nothing of the refused submits ran");
}

CF_TEST(the_argument_of_a_submit_without_worker_stays_the_caller_s)
{
    cf_executor *ex = test_executor(1);
    atomic_int *frees = counter_new();
    cf_task task = CF_TASK_INIT;
    task.fn = task_nothing;
    task.arg = frees;
    task.arg_free = count_free;
    thread_faults_begin(0, EAGAIN);
    assert_err(cf_submit_task(ex, &task, NULL), CF_ESYS);
    thread_faults_end();
    cf_executor_destroy(ex);
    cr_assert(*frees == 0);
}

CF_TEST(if_later_workers_cannot_start_the_pool_goes_on_with_fewer)
{
    cf_executor *ex = test_executor(4);
    atomic_int *ran = counter_new();
    thread_faults_begin(1, EAGAIN);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    for (int i = 0; i < 50; i++)
        assert_ok(cf_submit(ex, task_count, ran, 0, NULL));
    assert_ok(cf_submit_many(ex, task_count, ran, 0, 50, NULL));
    gate_open(g);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cr_assert(*ran == 100 && thread_faults_count() > 0);
    cf_stats s;
    assert_ok(cf_executor_stats(ex, &s));
    cr_assert(s.workers == 1);
    thread_faults_end();
    cf_executor_destroy(ex);
    cf_future_unref(held);
}

static void
end_at_gate(void *init_data, void *worker_data)
{
    (void)worker_data;
    gate_pass((gate *)init_data);
}

/* One is in its finalizer, and one could not be started: that makes one. */
CF_TEST(a_thread_that_could_not_start_does_not_let_the_pool_grow)
{
    gate *leaving = gate_new(), *first = gate_new(), *second = gate_new();
    cf_thread_pool_options opts = CF_THREAD_POOL_OPTIONS_INIT;
    opts.max_workers = 2;
    opts.idle_timeout_ns = 1;
    opts.finalizer = end_at_gate;
    opts.init_data = leaving;
    cf_executor *ex = NULL;
    assert_ok(cf_thread_pool_create(&opts, &ex));
    cf_future *fs[4];
    occupy(ex, first, 1, fs);
    thread_faults_begin(0, EAGAIN);
    fs[1] = must_submit(ex, task_square, &(int){7}, sizeof(int));
    cr_assert(thread_faults_count() == 1);
    thread_faults_end();
    gate_open(first);
    cr_assert(int_result(fs[1]) == 49);
    gate_await(leaving, 1);
    occupy(ex, second, 1, &fs[2]);
    fs[3] = must_submit(ex, task_hold, second, 0);
    cf_stats s;
    assert_ok(cf_executor_stats(ex, &s));
    cr_assert(s.workers <= 2, "%d workers", (int)s.workers);
    gate_open(leaving);
    gate_open(second);
    assert_ok(cf_wait(fs, 4, CF_ALL_COMPLETED, CF_FOREVER, NULL));
    unref_all(fs, 4);
    cf_executor_destroy(ex);
}

static int
begin_at_gate(cf_call *call, void *init_data, void **worker_data)
{
    (void)call;
    (void)worker_data;
    gate_pass((gate *)init_data);
    return 0;
}

/* The push comes when the worker that it started no longer counts as one that
 * looks for tasks. */
CF_TEST(one_task_starts_one_worker_however_late_it_is_pushed)
{
    gate *g = gate_new();
    cf_executor *ex = test_pool((test_options){
        .max_workers = 4, .initializer = begin_at_gate, .init_data = g});
    thread_faults_return_after(g);
    cf_future *f = must_submit(ex, task_square, &(int){6}, sizeof(int));
    thread_faults_return_after(NULL);
    cf_stats s;
    assert_ok(cf_executor_stats(ex, &s));
    cr_assert(s.workers == 1, "%d workers", (int)s.workers);
    gate_open(g);
    cr_assert(int_result(f) == 36);
    cf_future_unref(f);
    cf_executor_destroy(ex);
    cr_assert(gate_arrived(g) == 1);
}

static int
task_ends_its_thread(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    pthread_exit(NULL);
}

CF_TEST(when_a_worker_has_ended_all_that_could_not_start_are_tried_again)
{
    cf_executor *ex = test_executor(4);
    gate *g = gate_new(), *all = gate_new();
    cf_future *fs[2], *held[4];
    occupy(ex, g, 1, fs);
    thread_faults_begin(0, EAGAIN);
    fs[1] = must_submit(ex, task_ends_its_thread, NULL, 0);
    cr_assert(thread_faults_count() == 1);
    thread_faults_end();
    gate_open(g);
    assert_err(cf_future_result(fs[1], CF_FOREVER, NULL), CF_EWORKERDIED);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    occupy(ex, all, 4, held); /* at the same time, or never */
    gate_open(all);
    cf_executor_destroy(ex);
    unref_all(fs, 2);
    unref_all(held, 4);
}

CF_TEST(a_task_that_ends_its_thread_fails_alone)
{
    cf_executor *ex = test_executor(1);
    for (int i = 0; i < 20; i++) {
        cf_future *fs[3];
        fs[0] = must_submit(ex, task_square, &(int){2}, sizeof(int));
        fs[1] = must_submit(ex, task_ends_its_thread, NULL, 0);
        fs[2] = must_submit(ex, task_square, &(int){3}, sizeof(int));
        cr_assert(int_result(fs[0]) == 4);
        assert_err(cf_future_result(fs[1], CF_FOREVER, NULL), CF_EWORKERDIED);
        cr_assert(int_result(fs[2]) == 9);
        const cf_error *error = cf_future_error(fs[1]);
        cr_assert(error->kind == CF_EWORKERDIED && error->worker == 0);
        cr_assert_not_null(error->message);
        unref_all(fs, 3);
    }
    cf_stats s;
    assert_ok(cf_executor_stats(ex, &s));
    cr_assert(s.restarts >= 19, "%d restarts", (int)s.restarts);
    cr_assert(s.failed == 20);
    cf_executor_destroy(ex);
}

static int
task_waits_for_a_death(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    cf_future *f = NULL;
    if (cf_submit(cf_call_executor(call), task_ends_its_thread, NULL, 0, &f) !=
        CF_OK)
        return 1;
    (void)cf_future_wait(f, CF_FOREVER);
    cf_future_unref(f);
    return 0;
}

CF_TEST(the_tasks_below_on_the_stack_of_an_ended_thread_fail_with_it)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_waits_for_a_death, NULL, 0);
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EWORKERDIED);
    cf_future *next = must_submit(ex, task_square, &(int){5}, sizeof(int));
    cr_assert(int_result(next) == 25);
    cf_future_unref(f);
    cf_future_unref(next);
    cf_executor_destroy(ex);
}

CF_TEST(a_thread_ended_by_its_last_task_does_not_hang_the_shutdown)
{
    int before = process_threads();
    for (int i = 0; i < 50; i++) {
        cf_executor *ex = test_executor(2);
        for (int k = 0; k < 4; k++)
            assert_ok(cf_submit(ex, task_ends_its_thread, NULL, 0, NULL));
        cf_executor_destroy(ex);
    }
    process_await_threads(before);
}

CF_TEST(ten_thousand_pools_leave_nothing_behind, .timeout = 120)
{
    enum { POOLS = 10000, WARM = 500 };
    int threads = process_threads();
    int fds = 0;
    size_t resident = 0;
    for (int i = 0; i < POOLS; i++) {
        if (i == WARM) {
            fds = process_fds();
            resident = process_resident();
        }
        cf_executor *ex = test_executor(2);
        cf_future *f = must_submit(ex, task_square, &(int){3}, sizeof(int));
        if (i % 2 == 0)
            cr_assert(int_result(f) == 9);
        cf_future_unref(f);
        cf_executor_destroy(ex);
    }
    process_await_threads(threads);
    cr_assert(process_fds() == fds, "%d fds, %d before", process_fds(), fds);
    size_t now = process_resident();
    cr_assert(now < resident + (4u << 20), "%zu, %zu before", now, resident);
}

static int
task_submits_itself(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    atomic_int *stop = (atomic_int *)arg;
    if (atomic_load(stop))
        return 0;
    return cf_submit(
               cf_call_executor(call), task_submits_itself, stop, 0, NULL) !=
           CF_OK;
}

/* CPython: test_thread_pool.test_hang_global_shutdown_lock */
CF_TEST(pools_come_and_go_while_another_one_is_busy)
{
    cf_executor *busy = test_executor(1);
    atomic_int *stop = counter_new();
    assert_ok(cf_submit(busy, task_submits_itself, stop, 0, NULL));
    for (int i = 0; i < 50; i++) {
        cf_executor *ex = test_executor(2);
        cf_future *f = must_submit(ex, task_square, &i, sizeof i);
        cr_assert(int_result(f) == i * i);
        cf_future_unref(f);
        cf_executor_destroy(ex);
    }
    atomic_store(stop, 1);
    cf_executor_destroy(busy);
}
