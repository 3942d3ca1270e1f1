/* SPDX-License-Identifier: MIT */
/*
 * Jobs that another worker of the thread pool runs. A worker that has no task
 * takes a job that it is shown, so the spawner can wait until that has
 * happened.
 */
#include "tests/conformance/conformance.h"

#include <sched.h>
#include <signal.h>

/* A job on another worker, and what came of it. */
struct away {
    gate *g;        /* passed by the job */
    cf_future *own; /* of the spawner's task */
    cf_executor *ex;
    atomic_int found; /* a cf_err, or a worker */
    int joined, spawner;
    cf_job_fn *fn;
};

static struct away *
away_new(cf_executor *ex, cf_job_fn *fn)
{
    struct away *away = shared_new(sizeof *away);
    away->g = gate_new();
    away->ex = ex;
    away->fn = fn;
    return away;
}

/* The job begins before the join: it is another worker's. */
static int
task_has_job_away(cf_call *call, const void *arg, size_t arg_size)
{
    struct away *away = *(struct away *const *)arg;
    cf_job job;
    (void)arg_size;
    cf_spawn(call, &job, away->fn, away);
    away->spawner = cf_call_worker(call);
    gate_await(away->g, 1);
    away->joined = cf_join(call, &job);
    return away->joined;
}

static cf_future *
submit_away(struct away *away)
{
    return must_submit(away->ex, task_has_job_away, &away, sizeof away);
}

static int
job_passes(cf_call *call, void *arg)
{
    struct away *away = arg;
    gate_pass(away->g);
    atomic_store(&away->found, cf_call_worker(call));
    return cf_fail(call, 9, "away");
}

CF_TEST(a_job_on_another_worker_fails_as_in_its_join)
{
    cf_executor *ex = test_executor(2);
    struct away *away = away_new(ex, job_passes);
    cf_future *f = submit_away(away);
    gate_await(away->g, 1);
    gate_open(away->g);
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ETASK);
    cr_assert(away->joined == 9 && cf_future_error(f)->code == 9);
    cr_assert_str_eq(cf_future_message(f), "away");
    cr_assert(atomic_load(&away->found) != away->spawner);
    cr_assert(cf_future_error(f)->worker == atomic_load(&away->found));
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

static int
job_sleeps(cf_call *call, void *arg)
{
    struct away *away = arg;
    gate_arrive(away->g);
    cf_err err = cf_sleep(call, CF_FOREVER);
    if (err == CF_EINTERRUPTED)
        err = cf_future_wait(away->own, CF_FOREVER);
    return (int)err + 100 * cf_call_canceled(call);
}

CF_TEST(an_interrupt_of_the_task_ends_waits_of_its_job_on_another_worker)
{
    cf_executor *ex = test_executor(2);
    for (int round = 0; round < 50; round++) {
        struct away *away = away_new(ex, job_sleeps);
        away->own = promise();
        cf_future *f = submit_away(away);
        gate_await(away->g, 1);
        cr_assert(cf_future_interrupt(f));
        assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ECANCELED);
        cr_assert(away->joined == 100 + CF_EINTERRUPTED);
        cf_future_unref(f);
        cf_future_unref(away->own);
    }
    cf_executor_destroy(ex);
}

static int
job_waits_for_its_task(cf_call *call, void *arg)
{
    struct away *away = arg;
    (void)call;
    gate_pass(away->g);
    return (int)cf_future_wait(away->own, CF_FOREVER);
}

CF_TEST(a_job_that_waits_for_its_own_task_is_refused)
{
    cf_executor *ex = test_executor(2);
    for (int round = 0; round < 50; round++) {
        struct away *away = away_new(ex, job_waits_for_its_task);
        cf_future *f = away->own = submit_away(away);
        gate_open(away->g);
        assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ETASK);
        cr_assert(away->joined == CF_EDEADLK);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

static int
job_ends_its_thread(cf_call *call, void *arg)
{
    struct away *away = arg;
    (void)cf_fail(call, 1, "no");
    gate_arrive(away->g);
    pthread_exit(NULL);
}

CF_TEST(a_job_that_ends_the_thread_of_another_worker_fails)
{
    cf_executor *ex = test_executor(2);
    for (int round = 0; round < 10; round++) {
        struct away *away = away_new(ex, job_ends_its_thread);
        cf_future *f = submit_away(away);
        assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EWORKERDIED);
        cr_assert(away->joined == CF_EWORKERDIED);
        cf_future_unref(f);
    }
    cf_stats stats;
    assert_ok(cf_executor_stats(ex, &stats));
    cr_assert(stats.done == 10 && stats.failed == 10 && stats.running == 0);
    cf_executor_destroy(ex);
}

static int
job_ends_thread(cf_call *call, void *arg)
{
    (void)arg;
    (void)cf_fail(call, 1, "no");
    pthread_exit(NULL);
}

static int
task_with_ending_job(cf_call *call, const void *arg, size_t arg_size)
{
    cf_job job;
    (void)arg, (void)arg_size;
    cf_spawn(call, &job, job_ends_thread, NULL);
    return cf_join(call, &job);
}

CF_TEST(a_job_that_ends_the_thread_in_its_join_fails_its_task)
{
    cf_executor *ex = test_executor(1);
    for (int round = 0; round < 10; round++) {
        cf_future *f = must_submit(ex, task_with_ending_job, NULL, 0);
        assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EWORKERDIED);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

static int
task_forgets(cf_call *call, const void *arg, size_t arg_size)
{
    static cf_job job;
    (void)arg, (void)arg_size;
    cf_spawn(call, &job, job_ends_thread, NULL);
    return 0;
}

static int
task_forgets_and_ends(cf_call *call, const void *arg, size_t arg_size)
{
    (void)task_forgets(call, arg, arg_size);
    pthread_exit(NULL);
}

/* One worker, which notices it at the latest when it has no task. */
CF_TEST(a_job_that_is_not_joined_aborts, .signal = SIGABRT)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_forgets, NULL, 0);
    (void)cf_future_wait(f, CF_FOREVER);
    (void)cf_executor_shutdown(ex, 0, CF_FOREVER);
}

CF_TEST(a_thread_that_ends_with_a_job_not_joined_aborts, .signal = SIGABRT)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_forgets_and_ends, NULL, 0);
    (void)cf_future_wait(f, CF_FOREVER);
    (void)cf_executor_shutdown(ex, 0, CF_FOREVER);
}

/* --- jobs that are shared, and not begun ---------------------------------- */

static int
job_counts(cf_call *call, void *arg)
{
    (void)call;
    atomic_fetch_add((atomic_int *)arg, 1);
    return 0;
}

struct shown {
    gate *g;
    atomic_int *count;
};

/* The other workers are busy: they have not begun the jobs. */
static int
task_shows_jobs(cf_call *call, const void *arg, size_t arg_size)
{
    struct shown shown;
    cf_job jobs[8];
    memcpy(&shown, arg, arg_size);
    for (int i = 0; i < 8; i++)
        cf_spawn(call, &jobs[i], job_counts, shown.count);
    gate_pass(shown.g);
    for (int i = 7; i >= 0; i--)
        if (cf_join(call, &jobs[i]))
            return 1;
    return 0;
}

CF_TEST(a_shutdown_that_cancels_does_not_cancel_jobs)
{
    for (int round = 0; round < 20; round++) {
        cf_executor *ex = test_executor(3);
        struct shown shown = {gate_new(), counter_new()};
        gate *g = gate_new();
        cf_future *held[2];
        occupy(ex, g, 2, held);
        cf_future *f = must_submit(ex, task_shows_jobs, &shown, sizeof shown);
        gate_await(shown.g, 1);
        assert_ok(cf_executor_shutdown(
            ex, CF_SHUTDOWN_CANCEL | CF_SHUTDOWN_NOWAIT, CF_FOREVER));
        gate_open(shown.g);
        gate_open(g);
        assert_ok(cf_future_result(f, CF_FOREVER, NULL));
        cr_assert(atomic_load(shown.count) == 8);
        cf_future_unref(f);
        unref_all(held, 2);
        cf_stats stats;
        assert_ok(cf_executor_stats(ex, &stats));
        cr_assert(stats.canceled == 0, "%d", (int)stats.canceled);
        cf_executor_destroy(ex);
    }
}

/* --- a task on top of a task that has jobs -------------------------------- */

/* One worker is in `first`, a job that waits for `above`. The other one is in
 * the task that has spawned `first` and `later`, and runs `above` on top. */
struct pile {
    gate *held;          /* holds the other worker */
    gate *begun, *known; /* first has begun; it may know above */
    cf_future *above;
    atomic_int waiter;    /* the worker in first, while it waits; else -1 */
    atomic_int misplaced; /* later ran on top of first */
};

static int
job_waits_for_above(cf_call *call, void *arg)
{
    struct pile *pile = arg;
    gate_arrive(pile->begun);
    gate_pass(pile->known);
    atomic_store(&pile->waiter, cf_call_worker(call));
    cf_err err = cf_future_wait(pile->above, CF_FOREVER);
    atomic_store(&pile->waiter, -1);
    return (int)err;
}

static int
job_later(cf_call *call, void *arg)
{
    struct pile *pile = arg;
    if (cf_call_worker(call) == atomic_load(&pile->waiter))
        atomic_store(&pile->misplaced, 1);
    return 0;
}

static int
job_yields(cf_call *call, void *arg)
{
    (void)call, (void)arg;
    sched_yield();
    return 0;
}

/* Spawns for a while, beside a worker that waits for this task. */
static int
task_above(cf_call *call, const void *arg, size_t arg_size)
{
    struct pile *pile = *(struct pile *const *)arg;
    (void)arg_size;
    gate_open(pile->known);
    while (atomic_load(&pile->waiter) < 0)
        sched_yield();
    for (int i = 0; i < 2000; i++) {
        cf_job job;
        cf_spawn(call, &job, job_yields, NULL);
        (void)cf_join(call, &job);
    }
    return 0;
}

static int
task_below(cf_call *call, const void *arg, size_t arg_size)
{
    struct pile *pile = *(struct pile *const *)arg;
    cf_executor *ex = cf_call_executor(call);
    cf_job first, later;
    (void)arg_size;
    /* The other worker is held: it is shown the first job, and no more. */
    cf_spawn(call, &first, job_waits_for_above, pile);
    cf_spawn(call, &later, job_later, pile);
    cf_err err = cf_submit(ex, task_above, &pile, sizeof pile, &pile->above);
    gate_open(pile->held);
    gate_await(pile->begun, 1);
    if (!err)
        err = cf_future_wait(pile->above, CF_FOREVER);
    int rc = cf_join(call, &later);
    rc = rc ? rc : cf_join(call, &first);
    return err ? (int)err : rc;
}

CF_TEST(a_worker_that_waits_takes_no_job_of_a_task_below)
{
    cf_executor *ex = test_executor(2);
    for (int round = 0; round < 10; round++) {
        struct pile *pile = shared_new(sizeof *pile);
        cf_future *held;
        pile->held = gate_new();
        occupy(ex, pile->held, 1, &held);
        pile->begun = gate_new();
        pile->known = gate_new();
        atomic_store(&pile->waiter, -1);
        cf_future *f = must_submit(ex, task_below, &pile, sizeof pile);
        assert_ok(cf_future_result(f, CF_FOREVER, NULL));
        cr_assert(atomic_load(&pile->misplaced) == 0);
        cf_future_unref(f);
        cf_future_unref(pile->above);
        cf_future_unref(held);
    }
    cf_executor_destroy(ex);
}

/* --- the queue ------------------------------------------------------------ */

CF_TEST(jobs_take_no_room_in_a_queue)
{
    cf_executor *ex =
        test_pool((test_options){.max_workers = 3,
                                 .queue_capacity = 1,
                                 .queue_policy = CF_QUEUE_REJECT});
    struct shown shown = {gate_new(), counter_new()};
    for (int round = 0; round < 50; round++) {
        cf_future *f = must_submit(ex, task_shows_jobs, &shown, sizeof shown);
        gate_await(shown.g, round + 1);
        cf_future *next = must_submit(ex, task_nothing, NULL, 0);
        gate_open(shown.g);
        assert_ok(cf_future_result(f, CF_FOREVER, NULL));
        assert_ok(cf_future_result(next, CF_FOREVER, NULL));
        cf_future_unref(f);
        cf_future_unref(next);
    }
    cr_assert(atomic_load(shown.count) == 400);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cf_executor_destroy(ex);
}
