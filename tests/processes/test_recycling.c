/* SPDX-License-Identifier: MIT */
/*
 * max_tasks_per_worker: a worker ends after so many tasks, and another one
 * takes its place, whatever else happens meanwhile.
 */
#define _GNU_SOURCE
#include "tests/processes/processes.h"

#include <stdint.h>
#include <stdlib.h>

static cf_executor *
pool_recycling(int workers, size_t max_tasks)
{
    cf_process_pool_options opts = options_for(workers);
    opts.max_tasks_per_worker = max_tasks;
    return pool_of(&opts);
}

/* CPython: test_process_pool.test_max_tasks_per_child */
CF_TEST(a_worker_runs_so_many_tasks_and_another_one_the_next)
{
    cf_executor *ex = pool_recycling(1, 3);
    int pids[9];
    for (int i = 0; i < 9; i++) {
        cf_future *f = must_submit(ex, task_pid, NULL, 0);
        pids[i] = int_result(f);
        cf_future_unref(f);
    }
    for (int i = 1; i < 9; i++)
        cr_assert((pids[i] == pids[i - 1]) == (i % 3 != 0), "task %d", i);
    await_gone(pids[0]);
    cr_assert(stats_of(ex).restarts == 0, "no worker has died");
    cf_executor_destroy(ex);
}

CF_TEST(without_a_number_a_worker_runs_all_tasks)
{
    cf_executor *ex = pool_for(1);
    cf_future *f = must_submit(ex, task_pid, NULL, 0);
    int pid = int_result(f);
    cf_future_unref(f);
    for (int i = 0; i < 1000; i++) {
        f = must_submit(ex, task_pid, NULL, 0);
        cr_assert(int_result(f) == pid);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

/* CPython: test_process_pool.test_max_tasks_early_shutdown */
CF_TEST(a_shutdown_waits_for_workers_that_are_still_to_come)
{
    for (int workers = 1; workers <= 3; workers++) {
        cf_executor *ex = pool_recycling(workers, 1);
        cf_future *fs[6];
        submit_squares(ex, fs, 6);
        assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
        expect_squares(fs, 6);
        cf_executor_destroy(ex);
    }
}

/* CPython: test_process_pool.test_max_tasks_per_child_pending_tasks_gh115634:
 * more tasks than all first workers will run */
CF_TEST(a_backlog_is_run_to_its_end_gh115634)
{
    enum { N = 60 };
    for (int workers = 1; workers <= 4; workers += 3) {
        for (size_t max = 1; max <= 7; max += 3) {
            cf_executor *ex = pool_recycling(workers, max);
            cf_future *fs[N];
            submit_squares(ex, fs, N);
            expect_squares(fs, N);
            cf_executor_destroy(ex);
        }
    }
}

/* CPython: test_process_pool.test_shutdown_no_wait_max_tasks_gh119592 */
CF_TEST(a_backlog_is_run_after_a_shutdown_that_does_not_wait_gh119592)
{
    cf_executor *ex = pool_recycling(2, 2);
    cf_future *fs[30];
    submit_squares(ex, fs, 30);
    assert_ok(cf_executor_shutdown(ex, CF_SHUTDOWN_NOWAIT, 0));
    expect_squares(fs, 30);
    cf_executor_destroy(ex);
}

/* CPython: test_process_pool.test_gc_during_max_tasks_worker_exit_gh152967 */
CF_TEST(a_pool_may_be_destroyed_while_a_worker_is_replaced_gh152967)
{
    atomic_int *ran = counter_new();
    for (int i = 0; i < 20; i++) {
        cf_executor *ex = pool_recycling(1 + i % 2, 1);
        for (int k = 0; k < i % 5 + 1; k++)
            assert_ok(cf_submit(ex, task_count, ran, 0, NULL));
        cf_executor_destroy(ex);
    }
    cr_assert(*ran == 60, "%d", *ran);
}

/* CPython: test_shutdown.test_shutdown_gh_132969_case_1 and _2 (3.15) */
CF_TEST(a_failing_task_a_recycled_worker_and_a_shutdown_get_along)
{
    for (int i = 0; i < 10; i++) {
        cf_executor *ex = pool_recycling(2, 1);
        cf_future *fs[9];
        for (int k = 0; k < 9; k++)
            fs[k] = must_submit(
                ex, k % 3 == i % 3 ? task_fail : task_square, &k, sizeof k);
        assert_ok(cf_executor_shutdown(
            ex, i % 2 ? CF_SHUTDOWN_NOWAIT : 0, CF_FOREVER));
        for (int k = 0; k < 9; k++)
            assert_err(cf_future_result(fs[k], CF_FOREVER, NULL),
                       k % 3 == i % 3 ? CF_ETASK : CF_OK);
        unref_all(fs, 9);
        cf_executor_destroy(ex);
    }
}

/* CPython: test_force_shutdown_during_max_tasks_worker_exit (3.15) */
CF_TEST(terminating_while_workers_are_replaced_leaves_none)
{
    for (int i = 0; i < 10; i++) {
        cf_executor *ex = pool_recycling(2, 1);
        cf_future *fs[40];
        submit_squares(ex, fs, 40);
        assert_ok(cf_future_wait(fs[i], CF_FOREVER));
        assert_ok(cf_executor_terminate(ex, SIGKILL));
        cr_assert(stats_of(ex).workers == 0);
        for (int k = 0; k < 40; k++)
            cr_assert(cf_future_done(fs[k]));
        unref_all(fs, 40);
        cf_executor_destroy(ex);
        process_await_found(own_prefix(), 0);
    }
}

/* A death counts for itself: the next worker has its whole number. */
static int
task_dies(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    abort();
}

CF_TEST(deaths_and_recycling_do_not_get_in_each_other_s_way)
{
    cf_executor *ex = pool_recycling(2, 3);
    cf_future *fs[60];
    for (int i = 0; i < 60; i++)
        fs[i] =
            must_submit(ex, i % 4 == 3 ? task_dies : task_square, &i, sizeof i);
    for (int i = 0; i < 60; i++)
        assert_err(cf_future_result(fs[i], CF_FOREVER, NULL),
                   i % 4 == 3 ? CF_EWORKERDIED : CF_OK);
    cr_assert(stats_of(ex).restarts == 15);
    unref_all(fs, 60);
    cf_executor_destroy(ex);
}

/* Ends its process as a worker that has run its number of tasks does. */
static int
task_exits_well(cf_call *call, const void *arg, size_t arg_size)
{
    trace *t = (trace *)arg;
    (void)call;
    (void)arg_size;
    trace_start(t);
    _exit(0);
}

CF_TEST(a_task_that_exits_is_not_taken_for_a_worker_s_end)
{
    enum { N = 20 };
    cf_executor *ex = pool_recycling(1, 1);
    trace *traces[N];
    cf_future *fs[N];
    for (int i = 0; i < N; i++) {
        traces[i] = trace_new();
        fs[i] = i % 2 ? must_submit(ex, task_exits_well, traces[i], 0)
                      : must_submit(ex, task_square, &i, sizeof i);
    }
    for (int i = 0; i < N; i++) {
        assert_err(cf_future_result(fs[i], CF_FOREVER, NULL),
                   i % 2 ? CF_EWORKERDIED : CF_OK);
        if (i % 2) {
            const cf_error *error = cf_future_error(fs[i]);
            cr_assert(error->pid == traces[i]->pid && traces[i]->starts == 1);
            cr_assert(error->signal == 0 && error->exit_status == 0);
        }
    }
    cr_assert(stats_of(ex).restarts == N / 2);
    unref_all(fs, N);
    cf_executor_destroy(ex);
}

/* The next worker must not write over results that have not been collected. */
CF_TEST(large_results_outlive_the_workers_that_made_them)
{
    enum { N = 60, WORDS = 5000 };
    cf_executor *ex = pool_recycling(2, 1);
    cf_future *fs[N];
    static uint32_t words[WORDS];
    for (uint32_t i = 0; i < N; i++) {
        for (uint32_t k = 0; k < WORDS; k++)
            words[k] = i * WORDS + k;
        fs[i] = must_submit(ex, task_echo, words, sizeof words);
    }
    for (uint32_t i = 0; i < N; i++) {
        cf_bytes bytes;
        assert_ok(cf_future_result(fs[i], CF_FOREVER, &bytes));
        cr_assert(bytes.size == sizeof words);
        const uint32_t *got = bytes.data;
        for (uint32_t k = 0; k < WORDS; k++)
            cr_assert(got[k] == i * WORDS + k, "word %u of %u", k, i);
    }
    unref_all(fs, N);
    cf_executor_destroy(ex);
}

/* --- initializers and finalizers ----------------------------------------- */

typedef struct lives {
    atomic_int begun;
    atomic_int ended;
} lives;

static int
begin_life(cf_call *call, void *init_data, void **worker_data)
{
    lives *l = init_data;
    int pid = (int)getpid();
    int *data = malloc(sizeof *data);
    if (data == NULL)
        return cf_fail(call, 1, "no memory");
    *data = pid;
    atomic_fetch_add(&l->begun, 1);
    *worker_data = data;
    return 0;
}

static void
end_life(void *init_data, void *worker_data)
{
    lives *l = init_data;
    int *data = worker_data;
    if (*data == (int)getpid())
        atomic_fetch_add(&l->ended, 1);
    free(data);
}

static cf_executor *
living_pool(lives *l, int workers, size_t max_tasks)
{
    cf_process_pool_options opts = options_for(workers);
    opts.initializer = begin_life;
    opts.finalizer = end_life;
    opts.init_data = l;
    opts.max_tasks_per_worker = max_tasks;
    return pool_of(&opts);
}

CF_TEST(every_recycled_worker_has_an_initializer_and_a_finalizer)
{
    lives *l = shared_new(sizeof *l);
    cf_executor *ex = living_pool(l, 1, 2);
    cf_future *fs[10];
    submit_squares(ex, fs, 10);
    expect_squares(fs, 10);
    cf_executor_destroy(ex);
    cr_assert(l->begun == 5, "%d initializers", l->begun);
    cr_assert(l->ended == 5, "%d finalizers", l->ended);
}

CF_TEST(a_worker_that_dies_has_no_finalizer)
{
    lives *l = shared_new(sizeof *l);
    cf_executor *ex = living_pool(l, 1, 0);
    for (int i = 0; i < 3; i++) {
        cf_future *f = must_submit(ex, task_dies, NULL, 0);
        assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EWORKERDIED);
        cf_future_unref(f);
        expect_works(ex);
    }
    cf_executor_destroy(ex);
    cr_assert(l->begun == 4 && l->ended == 1, "%d, %d", l->begun, l->ended);
}

/* Goes well once, then fails. */
static int
begin_well_once(cf_call *call, void *init_data, void **worker_data)
{
    atomic_int *calls = init_data;
    (void)worker_data;
    return atomic_fetch_add(calls, 1) > 0 ? cf_fail(call, 7, "no licence") : 0;
}

/* Also the initializer of a worker that replaces another one. */
CF_TEST(a_later_initializer_that_fails_breaks_the_pool_and_says_why)
{
    enum { N = 5 };
    cf_process_pool_options opts = options_for(1);
    opts.initializer = begin_well_once;
    opts.init_data = counter_new();
    opts.max_tasks_per_worker = 1;
    cf_executor *ex = pool_of(&opts);
    int items[N] = {0, 1, 2, 3, 4};
    cf_future *fs[N];
    assert_ok(cf_submit_many(ex, task_square, items, sizeof items[0], N, fs));
    for (int i = 0; i < N; i++) {
        assert_err(cf_future_result(fs[i], CF_FOREVER, NULL),
                   i > 0 ? CF_EBROKEN : CF_OK);
        if (i > 0) {
            const cf_error *error = cf_future_error(fs[i]);
            cr_assert(error->code == 7, "%d", error->code);
            cr_assert_str_eq(error->message, "no licence");
        }
    }
    unref_all(fs, N);
    cf_executor_destroy(ex);
}

static void
end_at_gate(void *init_data, void *worker_data)
{
    (void)worker_data;
    gate_pass(init_data);
}

CF_TEST(no_task_waits_for_the_finalizer_of_a_worker_that_has_run_its_number)
{
    gate *g = gate_new();
    cf_process_pool_options opts = options_for(2);
    opts.finalizer = end_at_gate;
    opts.init_data = g;
    opts.max_tasks_per_worker = 1;
    cf_executor *ex = pool_of(&opts);
    for (int i = 0; i < 2; i++) {
        cf_future *f = must_submit(ex, task_square, &i, sizeof i);
        assert_ok(cf_future_result(f, CF_FOREVER, NULL));
        gate_await(g, i + 1);
        cf_future_unref(f);
    }
    gate_open(g);
    cf_executor_destroy(ex);
}

/* Fails, and leaves behind where. */
static int
task_fails_here(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    trace_start((trace *)arg);
    return cf_fail(call, 1, NULL);
}

CF_TEST(a_failure_names_its_own_worker_not_the_one_that_followed)
{
    enum { N = 30 };
    cf_executor *ex = pool_recycling(2, 1);
    trace *traces[N];
    cf_future *fs[N];
    for (int i = 0; i < N; i++) {
        traces[i] = trace_new();
        fs[i] = must_submit(ex, task_fails_here, traces[i], 0);
    }
    for (int i = N - 1; i >= 0; i--) { /* most are collected late */
        assert_err(cf_future_result(fs[i], CF_FOREVER, NULL), CF_ETASK);
        cr_assert(cf_future_error(fs[i])->pid == traces[i]->pid);
    }
    unref_all(fs, N);
    cf_executor_destroy(ex);
}
