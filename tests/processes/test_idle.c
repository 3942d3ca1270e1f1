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
