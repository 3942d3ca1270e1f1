/* SPDX-License-Identifier: MIT */
/*
 * Threads on their way out, after the idle time-out or because a task ended
 * them, and tasks that come just then.
 */
#include "tests/conformance/conformance.h"
#include "tests/support/thread_faults.h"

#include <errno.h>

static void
finalize_slowly(void *init_data, void *worker_data)
{
    (void)worker_data;
    gate_pass(init_data);
}

/* All threads are in finalizers: the task runs when one of them is gone. */
static void
check_submit_while_all_leave(int workers, bool many)
{
    gate *g = gate_new(), *held = gate_new();
    cf_thread_pool_options opts = CF_THREAD_POOL_OPTIONS_INIT;
    opts.max_workers = workers;
    opts.idle_timeout_ns = 1;
    opts.finalizer = finalize_slowly;
    opts.init_data = g;
    cf_executor *ex = NULL;
    assert_ok(cf_thread_pool_create(&opts, &ex));
    cf_future *fs[2], *f = NULL;
    occupy(ex, held, workers, fs);
    gate_open(held);
    gate_await(g, workers);
    atomic_int *ran = counter_new();
    if (many)
        assert_ok(cf_submit_many(ex, task_count, ran, 0, 3, NULL));
    assert_ok(cf_submit(ex, task_count, ran, 0, &f)); /* does not block */
    assert_state(f, CF_PENDING);
    gate_open(g);
    assert_ok(cf_future_wait(f, CF_FOREVER));
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cr_assert(*ran == (many ? 4 : 1), "%d", *ran);
    unref_all(fs, (size_t)workers);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(a_submit_does_not_wait_for_a_finalizer)
{
    check_submit_while_all_leave(1, false);
    check_submit_while_all_leave(2, true);
}

CF_TEST(submits_while_all_threads_leave_are_run)
{
    cf_thread_pool_options opts = CF_THREAD_POOL_OPTIONS_INIT;
    opts.max_workers = 2;
    opts.idle_timeout_ns = 1;
    opts.finalizer = finalize_slowly;
    gate *g = gate_new();
    gate_open(g);
    opts.init_data = g;
    cf_executor *ex = NULL;
    assert_ok(cf_thread_pool_create(&opts, &ex));
    atomic_int *ran = counter_new();
    for (int i = 0; i < 500; i++) {
        int arrived = gate_arrived(g);
        cf_future *f = must_submit(ex, task_count, ran, 0);
        assert_ok(cf_future_wait(f, CF_FOREVER));
        cf_future_unref(f);
        if (i % 8 == 0) /* the next one comes when one leaves */
            gate_await(g, arrived + 1);
    }
    cr_assert(*ran == 500);
    cf_executor_destroy(ex);
}

static pthread_key_t held_key;
static atomic_int let_go;

static void
hold_exit(void *g)
{
    gate_pass(g);
    let_go++;
}

static int
task_holds_exit(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    return pthread_setspecific(held_key, *(gate *const *)arg);
}

/* A thread that has left is still in a destructor of its data when its worker
 * gets another one, and the next: each of them is joined. */
CF_TEST(the_end_waits_for_threads_that_had_left_before)
{
    enum { ROUNDS = 3 };
    cf_thread_pool_options opts = CF_THREAD_POOL_OPTIONS_INIT;
    opts.max_workers = 1;
    opts.idle_timeout_ns = 1;
    gate *g = gate_new();
    cf_executor *ex = NULL;
    assert_ok(cf_thread_pool_create(&opts, &ex));
    cr_assert(pthread_key_create(&held_key, hold_exit) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        cf_future *f = must_submit(ex, task_holds_exit, &g, sizeof g);
        assert_ok(cf_future_result(f, CF_FOREVER, NULL));
        cf_future_unref(f);
        gate_await(g, i + 1);
    }
    cr_assert(let_go == 0);
    gate_open(g);
    cf_executor_destroy(ex);
    cr_assert(let_go == ROUNDS, "%d", let_go);
    pthread_key_delete(held_key);
}

static int
task_ends_its_thread(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    gate_pass((gate *)arg);
    pthread_exit(NULL);
}

CF_TEST(without_a_thread_for_a_dead_worker_what_it_leaves_fails)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *last = must_submit(ex, task_ends_its_thread, g, 0);
    gate_await(g, 1);
    cf_future *left = must_submit(ex, task_nothing, NULL, 0);
    thread_faults_begin(0, EAGAIN);
    gate_open(g);
    assert_err(cf_future_result(last, CF_FOREVER, NULL), CF_EWORKERDIED);
    assert_err(cf_future_result(left, CF_FOREVER, NULL), CF_EBROKEN);
    assert_err(cf_submit(ex, task_nothing, NULL, 0, NULL), CF_EBROKEN);
    thread_faults_end();
    cf_future_unref(last);
    cf_future_unref(left);
    cf_executor_destroy(ex);
}

CF_TEST(without_a_thread_after_a_finalizer_what_came_meanwhile_fails)
{
    gate *g = gate_new(), *held = gate_new();
    cf_thread_pool_options opts = CF_THREAD_POOL_OPTIONS_INIT;
    opts.max_workers = 1;
    opts.idle_timeout_ns = 1;
    opts.finalizer = finalize_slowly;
    opts.init_data = g;
    cf_executor *ex = NULL;
    assert_ok(cf_thread_pool_create(&opts, &ex));
    cf_future *first;
    occupy(ex, held, 1, &first);
    gate_open(held);
    gate_await(g, 1);
    cf_future *f = must_submit(ex, task_nothing, NULL, 0);
    thread_faults_begin(0, EAGAIN);
    gate_open(g);
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EBROKEN);
    thread_faults_end();
    cf_future_unref(first);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}
