/* SPDX-License-Identifier: MIT */
/*
 * What breaks a process pool for good: with CF_WORKER_BREAK any death of a
 * worker; always that no worker can be forked.
 */
#define _GNU_SOURCE
#include "tests/processes/breaking.h"

#include <errno.h>
#include <stdlib.h>

#include "process_pool/bury.h"
#include "tests/support/fork_faults.h"

enum { PATIENCE_NS = 50000000 };

/* Takes a gate: arrives, waits, and dies. */
static int
task_hold_and_abort(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    gate_pass((gate *)arg);
    abort();
}

static cf_executor *
pool_that_breaks(int workers)
{
    cf_process_pool_options opts = options_for(workers);
    opts.on_worker_death = CF_WORKER_BREAK;
    return pool_of(&opts);
}

/* CPython: test_process_pool.test_killed_child, and
 * test_broken_process_pool_traceback (3.15): one error for each */
CF_TEST(with_break_a_death_fails_everything_with_errors_of_its_own)
{
    enum { PENDING = 20, N = PENDING + 2 };
    cf_executor *ex = pool_that_breaks(2);
    gate *g = gate_new();
    gate *deadly = gate_new();
    cf_future *fs[N];
    occupy(ex, g, 1, &fs[0]);
    fs[1] = must_submit(ex, task_hold_and_abort, deadly, 0);
    gate_await(deadly, 1);
    for (int i = 2; i < N; i++)
        fs[i] = must_submit(ex, task_nothing, NULL, 0);
    cf_future *canceled = must_submit(ex, task_nothing, NULL, 0);
    cr_assert(cf_future_cancel(canceled));
    gate_open(deadly);
    const cf_error *errors[N];
    for (int i = 0; i < N; i++) {
        errors[i] = expect_broken(fs[i]);
        cr_assert(errors[i]->signal == SIGABRT, "%d", errors[i]->signal);
        cr_assert(errors[i]->pid == errors[0]->pid && errors[0]->pid > 0);
        for (int k = 0; k < i; k++)
            cr_assert(errors[k] != errors[i]);
    }
    assert_err(cf_future_result(canceled, 0, NULL), CF_ECANCELED);
    await_broken(ex);
    end_broken(ex);
    unref_all(fs, N);
    cf_future_unref(canceled);
}

CF_TEST(with_break_the_death_of_an_idle_worker_breaks_too)
{
    cf_executor *ex = pool_that_breaks(2);
    cf_future *f = must_submit(ex, task_pid, NULL, 0);
    cr_assert(kill(int_result(f), SIGKILL) == 0);
    await_broken(ex);
    end_broken(ex);
    cf_future_unref(f);
}

CF_TEST(with_break_a_killed_task_that_was_too_slow_breaks_too)
{
    cf_executor *ex = pool_that_breaks(1);
    gate *g = gate_new();
    cf_task task = CF_TASK_INIT;
    task.fn = task_hold;
    task.arg = g;
    task.timeout_ns = CF_MS(20);
    cf_future *f = NULL;
    assert_ok(cf_submit_task(ex, &task, &f));
    cf_future *behind = must_submit(ex, task_nothing, NULL, 0);
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EDEADLINE);
    expect_broken(behind);
    await_broken(ex);
    end_broken(ex);
    cf_future_unref(f);
    cf_future_unref(behind);
}

/* --- no workers ---------------------------------------------------------- */

/* CPython: test_process_pool.test_python_finalization_error */
CF_TEST(without_fork_there_is_no_pool)
{
    int fds = process_fds();
    cf_executor *ex = NULL;
    for (int after = 0; after < 2; after++) {
        fork_faults_begin(after, EAGAIN);
        errno = 0;
        cf_process_pool_options opts = options_for(1);
        cf_err err = cf_process_pool_create(&opts, &ex);
        fork_faults_end();
        cr_assert(err == CF_ESYS, "%d: %s", after, cf_err_name(err));
        cr_assert(errno == EAGAIN, "errno %d", errno);
        cr_assert_null(ex);
    }
    cr_assert(process_fds() == fds);
    ex = pool_for(1);
    expect_works(ex);
    cf_executor_destroy(ex);
}

CF_TEST(a_pool_that_cannot_start_its_first_worker_is_broken)
{
    cf__spawn_patience_ns = PATIENCE_NS;
    cf_executor *ex = pool_for(1);
    fork_faults_begin(0, EAGAIN);
    cf_future *fs[5] = {NULL, NULL, NULL, NULL, NULL};
    for (int i = 0; i < 5; i++)
        if (cf_submit(ex, task_nothing, NULL, 0, &fs[i]) == CF_OK)
            expect_broken(fs[i]);
    await_broken(ex);
    cr_assert(fs[0] != NULL && fork_faults_count() > 0);
    end_broken(ex);
    for (int i = 0; i < 5; i++)
        if (fs[i] != NULL)
            cf_future_unref(fs[i]);
}

CF_TEST(a_pool_that_cannot_start_all_workers_goes_on_with_fewer)
{
    cf_executor *ex = pool_for(4);
    fork_faults_begin(1, EAGAIN);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    cf_future *fs[50];
    submit_squares(ex, fs, 50);
    gate_open(g);
    expect_squares(fs, 50);
    cr_assert(stats_of(ex).workers == 1);
    fork_faults_end();
    expect_workers(ex, 4); /* as soon as there can be more, there are */
    cf_future_unref(held);
    cf_executor_destroy(ex);
}

static void
expect_forked_later(int error)
{
    enum { REFUSED = 3 };
    cf_executor *ex = pool_for(2);
    fork_faults_begin(0, error);
    cf_future *f = must_submit(ex, task_nothing, NULL, 0);
    while (fork_faults_count() < REFUSED)
        sched_yield();
    assert_state(f, CF_PENDING);
    cr_assert(fork_faults_count() < 10 * REFUSED); /* not as fast as it can */
    fork_faults_end();
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    expect_workers(ex, 2);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(a_worker_that_cannot_be_forked_now_is_forked_later)
{
    expect_forked_later(EAGAIN);
    expect_forked_later(ENOMEM);
}

CF_TEST(a_fork_that_can_never_work_is_not_tried_again)
{
    cf_executor *ex = pool_for(1);
    fork_faults_begin(0, ENOSYS);
    cf_future *f = must_submit(ex, task_nothing, NULL, 0);
    expect_broken(f);
    cr_assert(fork_faults_count() == 1);
    cf_future_unref(f);
    end_broken(ex);
}

/* CPython: test_process_pool.test_failed_worker_replacement_breaks_pool
 * (3.15) */
CF_TEST(a_worker_that_cannot_be_replaced_breaks_the_pool)
{
    cf__spawn_patience_ns = PATIENCE_NS;
    cf_process_pool_options opts = options_for(1);
    opts.max_tasks_per_worker = 1;
    cf_executor *ex = pool_of(&opts);
    fork_faults_begin(1, ENOMEM);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    cf_future *behind = must_submit(ex, task_nothing, NULL, 0);
    gate_open(g);
    expect_broken(behind);
    assert_ok(cf_future_result(held, CF_FOREVER, NULL)); /* it had ended */
    await_broken(ex);
    end_broken(ex);
    cf_future_unref(held);
    cf_future_unref(behind);
}

/* The process that forks workers: without it there are none. */
CF_TEST(the_death_of_the_zygote_breaks_the_pool)
{
    cf_executor *ex = pool_for(2);
    gate *g = gate_new();
    cf_future *fs[10];
    occupy(ex, g, 2, fs);
    for (int i = 2; i < 10; i++)
        fs[i] = must_submit(ex, task_nothing, NULL, 0);
    char name[24];
    pid_t zygote;
    snprintf(name, sizeof name, "%s_z", own_prefix());
    cr_assert(process_find(name, &zygote, 1) == 1);
    cr_assert(kill(zygote, SIGKILL) == 0);
    for (int i = 0; i < 2; i++) /* their processes die with it */
        assert_err(cf_future_result(fs[i], CF_FOREVER, NULL), CF_EWORKERDIED);
    for (int i = 2; i < 10; i++)
        expect_broken(fs[i]);
    await_broken(ex);
    end_broken(ex);
    unref_all(fs, 10);
}
