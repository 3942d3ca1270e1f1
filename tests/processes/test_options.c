/* SPDX-License-Identifier: MIT */
/*
 * What cf_process_pool_create() accepts and refuses, and that its pool is the
 * program's: a task cannot end it.
 */
#include "tests/processes/processes.h"

#include <limits.h>

static void
expect_refused(cf_process_pool_options opts)
{
    cf_executor *ex = NULL;
    assert_err(cf_process_pool_create(&opts, &ex), CF_EINVAL);
    cr_assert_null(ex);
}

/* CPython: executor.test_max_workers_negative (0 is the default here),
 * test_process_pool.test_max_workers_too_large */
CF_TEST(bad_options_are_einval)
{
    expect_refused(options_for(-1));
    expect_refused(options_for(INT_MIN));
    expect_refused(options_for(1025));
    cf_process_pool_options opts = options_for(1);
    opts.queue_policy = (cf_queue_policy)3;
    expect_refused(opts);
    opts = options_for(1);
    opts.on_worker_death = (cf_on_worker_death)2;
    expect_refused(opts);
    opts = options_for(1);
    opts.kill_grace_ns = -1;
    expect_refused(opts);
    assert_err(cf_process_pool_create(NULL, NULL), CF_EINVAL);
    process_await_found(own_prefix(), 0);
}

CF_TEST(options_of_another_version_are_understood)
{
    struct {
        cf_process_pool_options known;
        long news;
    } later = {.known = options_for(2)};
    later.known.size = sizeof later;
    cf_executor *ex = pool_of(&later.known);
    cr_assert(cf_executor_max_workers(ex) == 2);
    cf_executor_destroy(ex);
    later.news = 1;
    ex = NULL;
    assert_err(cf_process_pool_create(&later.known, &ex), CF_ETOOBIG);
    cr_assert_null(ex);

    cf_process_pool_options earlier = options_for(1);
    earlier.size = offsetof(cf_process_pool_options, max_tasks_per_worker);
    earlier.max_tasks_per_worker = 1; /* beyond what it says it has */
    ex = pool_of(&earlier);
    int pids[2];
    for (int i = 0; i < 2; i++) {
        cf_future *f = must_submit(ex, task_pid, NULL, 0);
        pids[i] = int_result(f);
        cf_future_unref(f);
    }
    cr_assert(pids[0] == pids[1]);
    cf_executor_destroy(ex);
}

CF_TEST(options_may_be_as_large_as_their_types_can_be)
{
    cf_process_pool_options opts = options_for(1);
    opts.queue_capacity = SIZE_MAX;
    opts.max_tasks_per_worker = SIZE_MAX;
    opts.kill_grace_ns = INT64_MAX;
    opts.memory_limit = SIZE_MAX;
    opts.shared_memory = SIZE_MAX;
    cf_executor *ex = pool_of(&opts);
    for (int i = 0; i < 10; i++) {
        cf_future *f = must_submit(ex, task_square, &i, sizeof i);
        cr_assert(int_result(f) == i * i);
        cf_future_unref(f);
    }
    cr_assert(stats_of(ex).restarts == 0);
    cf_executor_destroy(ex);
}

/* --- the pool from inside a task ------------------------------------------ */

struct attempts {
    cf_err shutdown, terminate, submit;
    int canceled;
};

static int
task_tries_to_end_the_pool(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    cf_executor *ex = cf_call_executor(call);
    struct attempts tried;
    tried.shutdown = cf_executor_shutdown(ex, 0, CF_FOREVER);
    tried.terminate = cf_executor_terminate(ex, SIGTERM);
    cf_executor_destroy(ex);
    tried.submit = cf_submit(ex, task_nothing, NULL, 0, NULL);
    tried.canceled = cf_call_canceled(call);
    return cf_return(call, &tried, sizeof tried);
}

/* More than once in the same worker: it is none the worse for it. */
CF_TEST(a_task_cannot_end_the_pool_and_does_not_harm_its_worker)
{
    cf_executor *ex = pool_for(1);
    for (int i = 0; i < 3; i++) {
        cf_future *f = must_submit(ex, task_tries_to_end_the_pool, NULL, 0);
        cf_bytes bytes;
        assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
        const struct attempts *tried = bytes.data;
        assert_err(tried->shutdown, CF_ENOTSUP);
        assert_err(tried->terminate, CF_ENOTSUP);
        assert_ok(tried->submit);
        cr_assert(!tried->canceled);
        cf_future_unref(f);
    }
    cr_assert(stats_of(ex).restarts == 0);
    cf_executor_destroy(ex);
}

/* --- ending with deaths under way ---------------------------------------- */

static int
task_abort_if_odd(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    if (*(const int *)arg % 2)
        abort();
    return 0;
}

/* CPython: test_deadlock.test_shutdown_deadlock,
 * test_crash_during_func_exec_on_worker */
CF_TEST(a_shutdown_waits_for_all_tasks_though_some_kill_their_workers)
{
    enum { N = 20 };
    cf_executor *ex = pool_for(2);
    cf_future *fs[N];
    for (int i = 0; i < N; i++)
        fs[i] = must_submit(ex, task_abort_if_odd, &i, sizeof i);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    for (int i = 0; i < N; i++) {
        cr_assert(cf_future_done(fs[i]));
        assert_err(cf_future_result(fs[i], 0, NULL),
                   i % 2 ? CF_EWORKERDIED : CF_OK);
    }
    cf_executor_destroy(ex);
    unref_all(fs, N);
    process_await_found(own_prefix(), 0);
}

/* CPython: test_process_pool.test_saturation,
 * test_idle_process_reuse_multiple */
CF_TEST(more_tasks_than_workers_make_exactly_so_many_processes)
{
    cf_executor *ex = pool_for(3);
    cr_assert(stats_of(ex).workers == 0, "none before the first submit");
    gate *g = gate_new();
    for (int i = 0; i < 40; i++)
        assert_ok(cf_submit(ex, task_hold, g, 0, NULL));
    gate_await(g, 3);
    cr_assert(stats_of(ex).workers == 3);
    cr_assert(gate_arrived(g) == 3);
    gate_open(g);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cr_assert(gate_arrived(g) == 40);
    cr_assert(stats_of(ex).workers == 3 && stats_of(ex).restarts == 0);
    cf_executor_destroy(ex);
}
