/* SPDX-License-Identifier: MIT */
/*
 * Workers that are killed at every moment of their loop, again and again: the
 * task that was being run fails, once; all others are run, once.
 */
#define _GNU_SOURCE
#include "tests/processes/processes.h"

#include "process_pool/lock.h"
#include "process_pool/worker/worker.h"

enum { TASKS = 300, DEATHS_MAX = 12 };

/* What the workers do, in shared memory. */
static struct plan {
    int moment;
    int every; /* pass of it, a worker dies, */
    int most;  /* until so many have */
    atomic_int passes;
    atomic_int deaths;
} * plan;

static void
die_as_planned(enum cf__moment moment, int lane)
{
    (void)lane;
    if ((int)moment != plan->moment ||
        (atomic_fetch_add(&plan->passes, 1) + 1) % plan->every != 0)
        return;
    if (atomic_fetch_add(&plan->deaths, 1) < plan->most)
        (void)kill(getpid(), SIGKILL);
    atomic_fetch_sub(&plan->deaths, 1);
}

static const size_t sizes[] = {0, 1, 32, 33, 3000, 200000};

/* A result of one of the sizes. */
static int
task_count_and_return(cf_call *call, const void *arg, size_t arg_size)
{
    journal_entry e;
    (void)arg_size;
    memcpy(&e, arg, sizeof e);
    atomic_fetch_add((atomic_int *)(void *)&e.journal->entries[e.entry], 1);
    size_t size = sizes[e.entry % 6];
    unsigned char *p = cf_return_buffer(call, size);
    if (p == NULL)
        return cf_fail(call, 1, "no memory");
    memset(p, e.entry % 251, size);
    return 0;
}

static void
expect_result(cf_future *f, int i)
{
    cf_bytes bytes = {NULL, 0};
    assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
    cr_assert(bytes.size == sizes[i % 6]);
    const unsigned char *p = bytes.data;
    for (size_t k = 0; k < bytes.size; k++)
        cr_assert(p[k] == i % 251, "task %d, byte %zu", i, k);
}

/* How many tasks have failed; each was run runs times. */
static int
check(cf_future **fs, const journal *j, int runs)
{
    int failed = 0;
    for (int i = 0; i < TASKS; i++) {
        if (cf_future_result(fs[i], CF_FOREVER, NULL) == CF_OK) {
            cr_assert(j->entries[i] == 1, "task %d: %d", i, j->entries[i]);
            expect_result(fs[i], i);
            continue;
        }
        const cf_error *error = cf_future_error(fs[i]);
        cr_assert(error->kind == CF_EWORKERDIED, "%s", error->message);
        cr_assert(error->signal == SIGKILL && error->pid > 0);
        cr_assert(j->entries[i] == runs, "task %d: %d", i, j->entries[i]);
        failed++;
    }
    return failed;
}

/* Some lane is still in its first lap. */
static bool
any_in_first_lap(cf_executor *ex)
{
    struct cf__processes *pool = cf__processes_of(ex);
    bool any = false;
    cf__processes_lock(pool);
    for (int i = 0; i < ex->max_workers; i++)
        any = any || pool->lanes[i].next <= pool->lanes[i].first_lap_end;
    cf__processes_unlock_alone(pool);
    return any;
}

/* Runs empty tasks until all lanes are in later laps. A lane whose worker dies
 * begins at a first lap. */
static void
pass_first_laps(cf_executor *ex)
{
    plan->moment = -1;
    do {
        assert_ok(
            cf_submit_many(ex, task_nothing, NULL, 0, CF__LANE / 2, NULL));
        assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    } while (any_in_first_lap(ex));
}

/* Tasks in one go (window: TASKS) or with a wait every so often. */
static void
run_plan(enum cf__moment moment, int every, int window, int runs)
{
    cf_executor *ex = pool_for(2);
    journal *j = journal_new();
    static cf_future *fs[TASKS];
    pass_first_laps(ex);
    atomic_store(&plan->passes, 0);
    atomic_store(&plan->deaths, 0);
    plan->every = every;
    plan->moment = (int)moment;
    for (int i = 0; i < TASKS; i++) {
        journal_entry e = {j, i};
        fs[i] = must_submit(ex, task_count_and_return, &e, sizeof e);
        if ((i + 1) % window == 0)
            assert_ok(cf_future_wait(fs[i], CF_FOREVER));
    }
    int failed = check(fs, j, runs);
    plan->moment = -1; /* enough */
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    unref_all(fs, TASKS);
    expect_works(ex);
    cf_executor_destroy(ex);
    int deaths = atomic_load(&plan->deaths);
    cr_assert(failed == (runs < 0 ? 0 : deaths),
              "%d failed by %d deaths",
              failed,
              deaths);
    cr_assert(every > 1 || deaths > 0, "no worker died");
}

/* runs: how often a task has run whose worker has died; -1: none has. */
static void
die_at(enum cf__moment moment, int runs)
{
    static const int everies[] = {1, 7, 40};
    plan = shared_new(sizeof *plan);
    plan->most = DEATHS_MAX;
    cf__worker_probe = die_as_planned;
    for (int i = 0; i < 3; i++) {
        run_plan(moment, everies[i], 1, runs);
        run_plan(moment, everies[i], 10, runs);
        run_plan(moment, everies[i], TASKS, runs);
    }
}

CF_TEST(dying_before_taking_a_task_costs_nothing)
{
    die_at(CF__BEFORE_TAKING, -1);
}

CF_TEST(dying_after_taking_a_task_costs_it_before_it_has_run)
{
    die_at(CF__AFTER_TAKING, 0);
}

CF_TEST(dying_before_a_result_is_published_costs_the_task_that_has_run)
{
    die_at(CF__BEFORE_DONE, 1);
}

CF_TEST(dying_after_a_result_is_published_costs_nothing)
{
    die_at(CF__AFTER_DONE, -1);
}

CF_TEST(dying_before_going_to_sleep_costs_nothing)
{
    die_at(CF__BEFORE_SLEEP, -1);
}
