/* SPDX-License-Identifier: MIT */
/*
 * An initializer that dies or ends its thread breaks the process pool for good.
 */
#define _GNU_SOURCE
#include "tests/processes/breaking.h"

#include <stdlib.h>

/* Takes a gate at which all but the first arrive and wait, and die. */
typedef struct deadly_init {
    atomic_int calls;
    int lives; /* so many go well */
    gate *deadly;
    int exit_status; /* -1: by SIGABRT */
} deadly_init;

static int
begin_deadly(cf_call *call, void *init_data, void **worker_data)
{
    deadly_init *d = init_data;
    (void)call;
    (void)worker_data;
    if (atomic_fetch_add(&d->calls, 1) < d->lives)
        return 0;
    gate_pass(d->deadly);
    if (d->exit_status < 0)
        abort();
    exit(d->exit_status);
}

static deadly_init *
deadly_init_new(int lives, int exit_status)
{
    deadly_init *d = shared_new(sizeof *d);
    d->lives = lives;
    d->deadly = gate_new();
    d->exit_status = exit_status;
    return d;
}

static cf_executor *
pool_with(deadly_init *d, int workers, size_t max_tasks)
{
    cf_process_pool_options opts = options_for(workers);
    opts.initializer = begin_deadly;
    opts.init_data = d;
    opts.max_tasks_per_worker = max_tasks;
    return pool_of(&opts);
}

static void
expect_broken_by_initializer(int exit_status)
{
    enum { N = 20 };
    deadly_init *d = deadly_init_new(0, exit_status);
    cf_executor *ex = pool_with(d, 1, 0);
    cf_future *fs[N];
    for (int i = 0; i < N; i++)
        fs[i] = must_submit(ex, task_nothing, NULL, 0);
    gate_open(d->deadly);
    for (int i = 0; i < N; i++)
        cr_assert(expect_broken(fs[i])->signal ==
                  (exit_status < 0 ? SIGABRT : 0));
    await_broken(ex);
    cr_assert(d->calls == 1, "%d calls", d->calls);
    end_broken(ex);
    unref_all(fs, N);
}

CF_TEST(an_abort_in_the_initializer_breaks_the_pool)
{
    expect_broken_by_initializer(-1);
}

CF_TEST(an_exit_in_the_initializer_breaks_the_pool)
{
    expect_broken_by_initializer(5);
    expect_broken_by_initializer(113);
    expect_broken_by_initializer(114);
}

CF_TEST(an_exit_with_success_in_the_initializer_breaks_the_pool_too)
{
    expect_broken_by_initializer(0);
}

static int
begin_and_end_thread(cf_call *call, void *init_data, void **worker_data)
{
    (void)call;
    (void)worker_data;
    atomic_fetch_add((atomic_int *)init_data, 1);
    pthread_exit(NULL);
}

CF_TEST(an_initializer_that_ends_its_thread_breaks_the_pool)
{
    cf_process_pool_options opts = options_for(1);
    atomic_int *calls = counter_new();
    opts.initializer = begin_and_end_thread;
    opts.init_data = calls;
    cf_executor *ex = pool_of(&opts);
    cf_future *f = must_submit(ex, task_nothing, NULL, 0);
    expect_broken(f);
    await_broken(ex);
    cr_assert(*calls == 1, "%d", *calls);
    cf_future_unref(f);
    end_broken(ex);
}

CF_TEST(tasks_that_run_when_another_initializer_dies_finish)
{
    deadly_init *d = deadly_init_new(1, -1);
    cf_executor *ex = pool_with(d, 2, 0);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    cf_future *behind = must_submit(ex, task_nothing, NULL, 0);
    gate_open(d->deadly);
    expect_broken(behind);
    assert_state(held, CF_RUNNING);
    gate_open(g);
    assert_ok(cf_future_result(held, CF_FOREVER, NULL));
    await_broken(ex);
    end_broken(ex);
    cf_future_unref(held);
    cf_future_unref(behind);
}

/* The one of a worker that takes the place of another. */
static void
expect_broken_by_later_initializer(int exit_status)
{
    enum { N = 20, LIVES = 3, NUMBER = 2 };
    deadly_init *d = deadly_init_new(LIVES, exit_status);
    cf_executor *ex = pool_with(d, 1, NUMBER);
    gate_open(d->deadly);
    cf_future *fs[N];
    int accepted = 0, well = 0;
    while (accepted < N &&
           cf_submit(ex, task_nothing, NULL, 0, &fs[accepted]) == CF_OK)
        accepted++;
    for (int i = 0; i < accepted; i++) {
        cf_err err = cf_future_result(fs[i], CF_FOREVER, NULL);
        assert_err(err, i < LIVES * NUMBER ? CF_OK : CF_EBROKEN);
        well += err == CF_OK;
    }
    cr_assert(well == LIVES * NUMBER, "%d", well);
    await_broken(ex);
    end_broken(ex);
    unref_all(fs, (size_t)accepted);
}

CF_TEST(a_death_in_a_later_initializer_breaks_the_pool)
{
    expect_broken_by_later_initializer(9);
}

/* As if the worker's time had come. */
CF_TEST(a_later_initializer_that_exits_well_is_not_tried_for_ever)
{
    expect_broken_by_later_initializer(0);
}
