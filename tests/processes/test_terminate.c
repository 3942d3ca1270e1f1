/* SPDX-License-Identifier: MIT */
/*
 * cf_executor_terminate(): afterwards no worker is there, whatever it did.
 */
#define _GNU_SOURCE
#include "tests/processes/processes.h"

#include <stdlib.h>

enum { WORKERS = 2 };

/* Takes a gate at which it arrives; never ends. */
static int
task_endless(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    gate_arrive((gate *)arg);
    while (pause() != 0)
        continue;
    return 0;
}

static int
task_stubborn(cf_call *call, const void *arg, size_t arg_size)
{
    (void)signal(SIGTERM, SIG_IGN);
    return task_endless(call, arg, arg_size);
}

static void
stop_workers(void)
{
    for (int i = 0; i < WORKERS; i++) {
        char name[24];
        pid_t pid;
        snprintf(name, sizeof name, "%s_%d", own_prefix(), i);
        cr_assert(process_find(name, &pid, 1) == 1);
        cr_assert(kill(pid, SIGSTOP) == 0);
        while (process_state(pid) != 'T')
            sched_yield();
    }
}

/* None of this test's processes but the zygote, which forks no more. */
static void
expect_no_workers(cf_executor *ex)
{
    cr_assert(stats_of(ex).workers == 0);
    cr_assert(process_find(own_prefix(), NULL, 0) <= 1);
}

/* All workers do fn, or are stopped in it, and more is queued; then signo. */
static void
expect_terminated(cf_task_fn *fn, bool stop, int signo, int64_t grace_ns)
{
    cf_process_pool_options opts = options_for(WORKERS);
    opts.kill_grace_ns = grace_ns;
    cf_executor *ex = pool_of(&opts);
    gate *g = gate_new();
    cf_future *running[WORKERS];
    cf_future *pending[20];
    for (int i = 0; i < WORKERS; i++)
        running[i] = must_submit(ex, fn, g, 0);
    gate_await(g, WORKERS);
    submit_squares(ex, pending, 20);
    if (stop)
        stop_workers();
    assert_ok(cf_executor_terminate(ex, signo));
    expect_no_workers(ex);
    for (int i = 0; i < 20; i++)
        assert_state(pending[i], CF_CANCELED);
    for (int i = 0; i < WORKERS; i++) {
        assert_err(cf_future_result(running[i], CF_FOREVER, NULL),
                   CF_ECANCELED);
        const cf_error *error = cf_future_error(running[i]);
        cr_assert(error->pid > 0 && !process_lives(error->pid));
        cr_assert(error->signal == (grace_ns ? SIGKILL : signo),
                  "signal %d",
                  error->signal);
    }
    assert_err(cf_submit(ex, task_nothing, NULL, 0, NULL), CF_ESHUTDOWN);
    assert_ok(cf_executor_terminate(ex, signo)); /* again: nothing to do */
    unref_all(running, WORKERS);
    unref_all(pending, 20);
    cf_executor_destroy(ex);
    process_await_found(own_prefix(), 0);
}

/* CPython: test_process_pool.test_terminate_workers,
 * test_force_shutdown_workers, test_shutdown.test_processes_terminate */
CF_TEST(terminate_with_sigterm_ends_every_worker)
{
    expect_terminated(task_endless, false, SIGTERM, 0);
}

/* CPython: test_process_pool.test_kill_workers,
 * test_force_shutdown_workers_stops_pool */
CF_TEST(terminate_with_sigkill_ends_every_worker)
{
    expect_terminated(task_endless, false, SIGKILL, 0);
}

CF_TEST(terminate_with_another_signal_ends_every_worker)
{
    expect_terminated(task_endless, false, SIGUSR1, 0);
}

CF_TEST(terminate_kills_workers_that_ignore_its_signal_after_the_grace)
{
    expect_terminated(task_stubborn, false, SIGTERM, CF_MS(30));
}

CF_TEST(terminate_kills_stopped_workers_after_the_grace)
{
    expect_terminated(task_endless, true, SIGTERM, CF_MS(30));
}

/* CPython: test_process_pool.test_force_shutdown_workers_not_started_yet */
CF_TEST(terminate_before_any_worker_started_is_a_shutdown)
{
    cf_executor *ex = pool_for(WORKERS);
    assert_ok(cf_executor_terminate(ex, SIGTERM));
    expect_no_workers(ex);
    assert_err(cf_submit(ex, task_nothing, NULL, 0, NULL), CF_ESHUTDOWN);
    cf_executor_destroy(ex);
}

/* CPython: test_process_pool.test_force_shutdown_workers_dead_workers */
CF_TEST(terminate_does_not_mind_dead_workers)
{
    cf_executor *ex = pool_for(WORKERS);
    cf_future *f = must_submit(ex, task_pid, NULL, 0);
    pid_t pid = int_result(f);
    cf_future_unref(f);
    cr_assert(kill(pid, SIGKILL) == 0);
    assert_ok(cf_executor_terminate(ex, SIGTERM));
    expect_no_workers(ex);
    cf_executor_destroy(ex);
}

/* CPython: test_process_pool.test_force_shutdown_workers_invalid_op */
CF_TEST(terminate_needs_a_signal)
{
    cf_executor *ex = pool_for(1);
    assert_err(cf_executor_terminate(ex, 0), CF_EINVAL);
    assert_err(cf_executor_terminate(ex, -1), CF_EINVAL);
    assert_err(cf_executor_terminate(ex, 1000), CF_EINVAL);
    assert_err(cf_executor_terminate(NULL, SIGTERM), CF_EINVAL);
    expect_works(ex);
    cf_executor_destroy(ex);
}

CF_TEST(terminate_of_idle_workers_ends_them)
{
    cf_executor *ex = pool_for(WORKERS);
    expect_workers(ex, WORKERS);
    assert_ok(cf_executor_terminate(ex, SIGTERM));
    expect_no_workers(ex);
    cf_executor_destroy(ex);
}

static int
begin_never(cf_call *call, void *init_data, void **worker_data)
{
    (void)call;
    (void)worker_data;
    gate_pass(init_data);
    return 0;
}

CF_TEST(terminate_ends_a_worker_in_its_initializer)
{
    cf_process_pool_options opts = options_for(1);
    gate *g = gate_new();
    opts.initializer = begin_never;
    opts.init_data = g;
    cf_executor *ex = pool_of(&opts);
    cf_future *f = must_submit(ex, task_nothing, NULL, 0);
    gate_await(g, 1);
    assert_ok(cf_executor_terminate(ex, SIGTERM));
    expect_no_workers(ex);
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ECANCELED);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* --- from elsewhere ------------------------------------------------------ */

static void *
terminate_main(void *ex)
{
    return cf_executor_terminate(ex, SIGTERM) == CF_OK ? NULL : ex;
}

CF_TEST(several_threads_may_terminate_at_once)
{
    for (int round = 0; round < 10; round++) {
        cf_executor *ex = pool_for(WORKERS);
        gate *g = gate_new();
        for (int i = 0; i < WORKERS; i++)
            assert_ok(cf_submit(ex, task_endless, g, 0, NULL));
        gate_await(g, WORKERS);
        pthread_t threads[4];
        for (int i = 0; i < 4; i++)
            pthread_create(&threads[i], NULL, terminate_main, ex);
        for (int i = 0; i < 4; i++) {
            void *failed = NULL;
            pthread_join(threads[i], &failed);
            cr_assert_null(failed);
        }
        cf_executor_destroy(ex);
    }
}

static void
terminate_in_callback(cf_future *f, void *ex)
{
    (void)f;
    if (cf_executor_terminate(ex, SIGKILL) != CF_OK)
        abort();
}

CF_TEST(a_callback_may_terminate)
{
    cf_executor *ex = pool_for(WORKERS);
    gate *g = gate_new();
    gate *endless = gate_new();
    cf_future *running = must_submit(ex, task_endless, endless, 0);
    gate_await(endless, 1);
    cf_future *f;
    occupy(ex, g, 1, &f);
    assert_ok(cf_future_on_done(f, terminate_in_callback, ex));
    gate_open(g);
    assert_err(cf_future_result(running, CF_FOREVER, NULL), CF_ECANCELED);
    cf_executor_destroy(ex);
    cf_future_unref(f);
    cf_future_unref(running);
    process_await_found(own_prefix(), 0);
}

/* A shutdown that waits for an endless task is ended by a terminate. */
static void *
shutdown_main(void *ex)
{
    return cf_executor_shutdown(ex, 0, CF_FOREVER) == CF_OK ? NULL : ex;
}

CF_TEST(a_terminate_ends_a_shutdown_that_waits)
{
    cf_executor *ex = pool_for(WORKERS);
    gate *g = gate_new();
    assert_ok(cf_submit(ex, task_endless, g, 0, NULL));
    gate_await(g, 1);
    pthread_t thread;
    pthread_create(&thread, NULL, shutdown_main, ex);
    while (cf_submit(ex, task_nothing, NULL, 0, NULL) == CF_OK)
        sched_yield();
    assert_ok(cf_executor_terminate(ex, SIGTERM));
    void *failed = NULL;
    pthread_join(thread, &failed);
    cr_assert_null(failed);
    cf_executor_destroy(ex);
}
