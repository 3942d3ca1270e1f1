/* SPDX-License-Identifier: MIT */
/*
 * What an idle pool says of itself: a worker that does not come for what was
 * taken back from it runs nothing, and no call waits for it.
 */
#define _GNU_SOURCE
#include "tests/processes/processes.h"

enum { TASKS = 8 };

/* Nothing is queued or runs, and the pool knows it. */
static void
expect_idle(cf_executor *ex, int workers, int done)
{
    assert_ok(cf_executor_wait_idle(ex, CF_SECONDS(20)));
    cf_stats stats = stats_of(ex);
    cr_assert(stats.running == 0, "%d run", (int)stats.running);
    cr_assert(stats.queued == 0, "%d are queued", (int)stats.queued);
    cr_assert(stats.workers == (uint64_t)workers);
    cr_assert(stats.idle == stats.workers, "%d idle", (int)stats.idle);
    cr_assert(stats.done == (uint64_t)done, "%d done", (int)stats.done);
}

CF_TEST(what_was_taken_back_from_a_stopped_worker_does_not_run)
{
    cf_executor *ex = pool_for(2);
    expect_workers(ex, 2);
    cf_future *f = must_submit(ex, task_pid, NULL, 0);
    pid_t stopped = int_result(f);
    cf_future_unref(f);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cr_assert(kill(stopped, SIGSTOP) == 0);
    while (process_state(stopped) != 'T')
        sched_yield();
    cf_future *fs[TASKS];
    submit_squares(ex, fs, TASKS);
    expect_squares(fs, TASKS);
    expect_idle(ex, 2, 2 + 1 + TASKS);
    cr_assert(kill(stopped, SIGCONT) == 0);
    expect_workers(ex, 2);
    expect_idle(ex, 2, 2 + 1 + TASKS + 2);
    cf_executor_destroy(ex);
}

enum { CAPACITY = 4 };

/* The bound has room for CAPACITY tasks, not for one more. */
static void
expect_room_for_all(cf_executor *ex)
{
    gate *g = gate_new();
    cf_future *held[2], *fs[CAPACITY], *refused;
    occupy(ex, g, 2, held);
    for (int i = 0; i < CAPACITY; i++)
        fs[i] = must_submit(ex, task_nothing, NULL, 0);
    assert_err(cf_submit(ex, task_nothing, NULL, 0, &refused), CF_EAGAIN);
    gate_open(g);
    for (int i = 0; i < CAPACITY; i++) {
        assert_ok(cf_future_result(fs[i], CF_FOREVER, NULL));
        cf_future_unref(fs[i]);
    }
    for (int i = 0; i < 2; i++) {
        assert_ok(cf_future_result(held[i], CF_FOREVER, NULL));
        cf_future_unref(held[i]);
    }
}

/* The timers of some tasks are due while they wait for the stopped worker. */
CF_TEST(a_task_taken_back_from_a_stopped_worker_counts_for_the_bound)
{
    cf_process_pool_options opts = options_for(2);
    opts.queue_capacity = CAPACITY;
    opts.queue_policy = CF_QUEUE_REJECT;
    cf_executor *ex = pool_of(&opts);
    expect_workers(ex, 2);
    cf_future *f = must_submit(ex, task_pid, NULL, 0);
    pid_t stopped = int_result(f);
    cf_future_unref(f);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cr_assert(kill(stopped, SIGSTOP) == 0);
    while (process_state(stopped) != 'T')
        sched_yield();
    cf_task task = CF_TASK_INIT;
    task.fn = task_nothing;
    cf_future *fs[CAPACITY];
    for (int i = 0; i < CAPACITY; i++) {
        task.timeout_ns = i % 2 ? CF_MS(20) : CF_SECONDS(20);
        assert_ok(cf_submit_task(ex, &task, &fs[i]));
    }
    for (int i = 0; i < CAPACITY; i++) {
        assert_ok(cf_future_wait(fs[i], CF_FOREVER)); /* in time or not */
        cf_future_unref(fs[i]);
    }
    assert_ok(cf_executor_wait_idle(ex, CF_SECONDS(20)));
    cr_assert(kill(stopped, SIGCONT) == 0);
    expect_workers(ex, 2);
    expect_room_for_all(ex);
    cf_executor_destroy(ex);
}

/* Takes a gate, at which the first worker is held. */
static int
begin_held(cf_call *call, void *init_data, void **worker_data)
{
    (void)call;
    (void)worker_data;
    gate *g = init_data;
    if (gate_arrived(g) == 0)
        gate_pass(g);
    return 0;
}

static cf_executor *
pool_held_at(gate *g)
{
    cf_process_pool_options opts = options_for(2);
    opts.initializer = begin_held;
    opts.init_data = g;
    return pool_of(&opts);
}

CF_TEST(a_cancelled_task_of_a_worker_in_its_initializer_does_not_run)
{
    gate *g = gate_new();
    cf_executor *ex = pool_held_at(g);
    cf_future *f = must_submit(ex, task_nothing, NULL, 0);
    gate_await(g, 1);
    cr_assert(cf_future_cancel(f));
    expect_idle(ex, 1, 0);
    gate_open(g);
    expect_works(ex);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(tasks_of_a_worker_in_its_initializer_run_elsewhere)
{
    gate *g = gate_new();
    cf_executor *ex = pool_held_at(g);
    cf_future *fs[TASKS];
    submit_squares(ex, fs, 1);
    gate_await(g, 1);
    for (int i = 1; i < TASKS; i++)
        fs[i] = must_submit(ex, task_square, &i, sizeof i);
    expect_squares(fs, TASKS);
    expect_idle(ex, 2, TASKS);
    gate_open(g);
    cf_executor_destroy(ex);
}
