/* SPDX-License-Identifier: MIT */
/*
 * Jobs of a worker that waits: before it sleeps, or runs something else, the
 * other workers can take them. The first job of each task here is one that
 * other workers are shown, and the second one is not, as they are all busy. And
 * what becomes of jobs when the pool breaks.
 */
#include "tests/conformance/lives.h"

#include <sched.h>

enum { WORKERS = 3 };

/* The task is on one worker; two are held. */
struct family {
    cf_executor *ex;
    gate *held[2];
    cf_future *holders[2];
    gate *begun;   /* the first job has begun */
    gate *younger; /* the second job has run, on another worker */
};

static struct family *
family_new(void)
{
    struct family *family = shared_new(sizeof *family);
    family->ex = test_executor(WORKERS);
    family->begun = gate_new();
    family->younger = gate_new();
    for (int i = 0; i < 2; i++) {
        family->held[i] = gate_new();
        occupy(family->ex, family->held[i], 1, &family->holders[i]);
    }
    return family;
}

/* Runs the task, which opens the gates. */
static void
run_in_family(struct family *family, cf_task_fn *fn)
{
    cf_future *f = must_submit(family->ex, fn, family, 0);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    unref_all(family->holders, 2);
    cf_executor_destroy(family->ex);
}

static int
job_awaits_younger(cf_call *call, void *arg)
{
    struct family *family = arg;
    (void)call;
    gate_arrive(family->begun);
    gate_await(family->younger, 1);
    return 0;
}

static int
job_is_younger(cf_call *call, void *arg)
{
    struct family *family = arg;
    (void)call;
    gate_arrive(family->younger);
    return 0;
}

static void
spawn_two(cf_call *call, cf_job *jobs, cf_job_fn *first, struct family *family)
{
    cf_spawn(call, &jobs[0], first, family);
    cf_spawn(call, &jobs[1], job_is_younger, family);
}

static int
join_two(cf_call *call, cf_job *jobs)
{
    int rc = cf_join(call, &jobs[1]);
    return rc ? rc : cf_join(call, &jobs[0]);
}

/* --- a join --------------------------------------------------------------- */

static int
task_joins(cf_call *call, const void *arg, size_t arg_size)
{
    struct family *family = (struct family *)(uintptr_t)arg;
    cf_job jobs[2];
    (void)arg_size;
    spawn_two(call, jobs, job_awaits_younger, family);
    gate_open(family->held[0]);
    gate_await(family->begun, 1);
    gate_open(family->held[1]);
    int rc = cf_join(call, &jobs[0]);
    return rc ? rc : cf_join(call, &jobs[1]);
}

CF_TEST(a_worker_that_joins_leaves_its_other_jobs_to_others)
{
    for (int round = 0; round < 10; round++)
        run_in_family(family_new(), task_joins);
}

/* --- a wait for a task on another worker ---------------------------------- */

static int
task_awaits_younger(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    return job_awaits_younger(call, (void *)(uintptr_t)arg);
}

static int
job_nothing(cf_call *call, void *arg)
{
    (void)call, (void)arg;
    return 0;
}

/* One worker is in what the task waits for. The other one runs the first job,
 * and then finds the second one. */
static int
task_waits(cf_call *call, const void *arg, size_t arg_size)
{
    struct family *family = (struct family *)(uintptr_t)arg;
    cf_job jobs[2];
    cf_future *f;
    (void)arg_size;
    cf_err err = cf_submit(family->ex, task_awaits_younger, family, 0, &f);
    if (err)
        return (int)err;
    gate_open(family->held[0]);
    gate_await(family->begun, 1);
    spawn_two(call, jobs, job_nothing, family);
    gate_open(family->held[1]);
    err = cf_future_result(f, CF_FOREVER, NULL);
    cf_future_unref(f);
    return err ? (int)err : join_two(call, jobs);
}

CF_TEST(a_worker_that_waits_leaves_its_jobs_to_others)
{
    for (int round = 0; round < 10; round++)
        run_in_family(family_new(), task_waits);
}

/* --- a wait for a task that runs on top ----------------------------------- */

static int
task_on_top(cf_call *call, const void *arg, size_t arg_size)
{
    struct family *family = (struct family *)(uintptr_t)arg;
    (void)call, (void)arg_size;
    gate_open(family->held[0]);
    gate_await(family->younger, 1);
    gate_open(family->held[1]);
    return 0;
}

static int
task_below(cf_call *call, const void *arg, size_t arg_size)
{
    struct family *family = (struct family *)(uintptr_t)arg;
    cf_job jobs[2];
    cf_future *f;
    (void)arg_size;
    spawn_two(call, jobs, job_nothing, family);
    cf_err err = cf_submit(family->ex, task_on_top, family, 0, &f);
    if (err)
        return (int)err;
    err = cf_future_result(f, CF_FOREVER, NULL);
    cf_future_unref(f);
    return err ? (int)err : join_two(call, jobs);
}

CF_TEST(a_worker_that_runs_what_it_awaits_leaves_its_jobs_to_others)
{
    for (int round = 0; round < 10; round++)
        run_in_family(family_new(), task_below);
}

/* --- a pool that breaks --------------------------------------------------- */

struct breaking {
    lives *lives;
    atomic_int *count;
};

static int
job_counts(cf_call *call, void *arg)
{
    (void)call;
    atomic_fetch_add((atomic_int *)arg, 1);
    return 0;
}

/* Shows jobs, for which a second thread is started. It breaks the pool, and
 * takes all entries out of the deque: the last one is `last`. */
static int
task_breaks(cf_call *call, const void *arg, size_t arg_size)
{
    struct breaking breaking;
    cf_job jobs[4];
    cf_future *last;
    memcpy(&breaking, arg, arg_size);
    for (int i = 0; i < 4; i++)
        cf_spawn(call, &jobs[i], job_counts, breaking.count);
    gate_await(breaking.lives->entered, 1);
    cf_err err =
        cf_submit(cf_call_executor(call), task_nothing, NULL, 0, &last);
    gate_open(breaking.lives->entered);
    while (!err && !cf_future_done(last))
        sched_yield();
    for (int i = 3; i >= 0; i--)
        if (cf_join(call, &jobs[i]))
            return 1;
    if (!err && cf_future_result(last, 0, NULL) != CF_EBROKEN)
        return 2;
    cf_future_unref(last);
    return (int)err;
}

CF_TEST(jobs_of_a_pool_that_breaks_run)
{
    for (int round = 0; round < 10; round++) {
        struct breaking breaking = {lives_failing(1, 1), counter_new()};
        cf_executor *ex = living_pool(breaking.lives, 2);
        cf_future *f = must_submit(ex, task_breaks, &breaking, sizeof breaking);
        assert_ok(cf_future_result(f, CF_FOREVER, NULL));
        cr_assert(atomic_load(breaking.count) == 4);
        cf_future_unref(f);
        cf_executor_destroy(ex);
    }
}
