/* SPDX-License-Identifier: MIT */
/*
 * Destructors of results, where the library drops the last handle: on a worker
 * that others count on, and in the middle of a wait. They may wait.
 */
#include "tests/conformance/conformance.h"

/* --- on a worker that has nothing else to do ------------------------------ */

struct rest {
    gate *destroyed; /* the destructor has begun, */
    gate *other;     /* and waits for another task */
};

static void
destroy_after_other(void *data)
{
    const struct rest *rest = data;
    gate_arrive(rest->destroyed);
    gate_await(rest->other, 1);
}

static int
task_leaves_rest(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    return (int)cf_return_owned(
        call, (void *)(uintptr_t)arg, sizeof(struct rest), destroy_after_other);
}

static int
task_arrives(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call, (void)arg_size;
    gate_arrive((gate *)(uintptr_t)arg);
    return 0;
}

CF_TEST(a_destructor_on_a_worker_may_wait_for_another_task)
{
    for (int round = 0; round < 10; round++) {
        cf_executor *ex = test_executor(2);
        struct rest *rest = shared_new(sizeof *rest);
        rest->destroyed = gate_new();
        rest->other = gate_new();
        assert_ok(cf_submit(ex, task_leaves_rest, rest, 0, NULL));
        gate_await(rest->destroyed, 1);
        cf_future *f = must_submit(ex, task_arrives, rest->other, 0);
        assert_ok(cf_future_result(f, CF_FOREVER, NULL));
        cf_future_unref(f);
        cf_executor_destroy(ex);
    }
}

/* --- in a cancel ---------------------------------------------------------- */

enum { AWAITED = 10, CANCELED = 256 }; /* so many cancels sweep the queue */

/* The only worker is in a task that has awaited tasks of the queue, so that the
 * queue has the last handles. */
struct swept {
    cf_executor *ex;
    gate *begun; /* fs may be submitted, and has been */
    gate *held;
    cf_future *fs[AWAITED];
    atomic_bool waits; /* the next destructor does */
    cf_err err;
};

/* The worker comes to the task that is being cancelled, and then to this
 * one's. */
static void
destroy_after_next(void *data)
{
    struct swept *swept = data;
    cf_future *f = NULL;
    if (!atomic_exchange(&swept->waits, false))
        return;
    swept->err = cf_submit(swept->ex, task_nothing, NULL, 0, &f);
    gate_open(swept->held);
    if (!swept->err)
        swept->err = cf_future_wait(f, CF_FOREVER);
    cf_future_unref(f);
}

static int
task_leaves_swept(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    return (int)cf_return_owned(
        call, (void *)(uintptr_t)arg, sizeof(struct swept), destroy_after_next);
}

static int
task_awaits_all(cf_call *call, const void *arg, size_t arg_size)
{
    const struct swept *swept = arg;
    (void)call, (void)arg_size;
    gate_pass(swept->begun);
    for (int i = 0; i < AWAITED; i++)
        if (cf_future_wait(swept->fs[i], CF_FOREVER))
            return 1;
    gate_pass(swept->held);
    return 0;
}

CF_TEST(a_destructor_in_a_cancel_may_wait_for_a_task)
{
    struct swept *swept = shared_new(sizeof *swept);
    cf_future *fs[CANCELED];
    swept->begun = gate_new();
    swept->held = gate_new();
    swept->ex = test_executor(1);
    cf_future *f = must_submit(swept->ex, task_awaits_all, swept, 0);
    gate_await(swept->begun, 1);
    for (int i = 0; i < AWAITED; i++)
        swept->fs[i] = must_submit(swept->ex, task_leaves_swept, swept, 0);
    gate_open(swept->begun);
    gate_await(swept->held, 1);
    unref_all(swept->fs, AWAITED);
    atomic_store(&swept->waits, true);
    for (int i = 0; i < CANCELED; i++)
        fs[i] = must_submit(swept->ex, task_nothing, NULL, 0);
    for (int i = 0; i < CANCELED; i++)
        cr_assert(cf_future_cancel(fs[i]));
    unref_all(fs, CANCELED);
    cr_assert_not(atomic_load(&swept->waits), "no sweep has come");
    assert_ok(swept->err);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    cf_executor_destroy(swept->ex);
}

/* --- in a wait of a task that has jobs ------------------------------------ */

enum { ENTRIES = 63 }; /* and one more fill a deque, which then sweeps */

/* One worker is in the task. Its deque is full: of entries of tasks that it has
 * awaited, so that they have the last handles, and one that is pending. One
 * worker is in `running`, until the job has run. One is held, and then runs the
 * job. The task waits for `running`: so it shares the job, and sweeps its deque
 * before. */
struct full {
    cf_executor *ex;
    gate *held, *job_ran;
    atomic_int runs; /* of the job */
    cf_future *running;
    bool waits_for_running; /* the first destructor does; else each one waits
                               for a task of its own */
    atomic_int destroyed;
    cf_err err; /* of their waits */
};

static void
destroy_and_wait(void *data)
{
    struct full *full = data;
    cf_future *f = NULL;
    bool first = atomic_fetch_add(&full->destroyed, 1) == 0;
    gate_open(full->held); /* from now on another worker drops entries, too */
    cf_err err = CF_OK;
    if (full->waits_for_running && !first)
        return;
    if (!full->waits_for_running)
        err = cf_submit(full->ex, task_nothing, NULL, 0, &f);
    if (!err)
        err = cf_future_wait(f ? f : full->running, CF_FOREVER);
    full->err = err ? err : full->err;
    cf_future_unref(f);
}

static int
task_leaves_full(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    return (int)cf_return_owned(
        call, (void *)(uintptr_t)arg, sizeof(struct full), destroy_and_wait);
}

static int
task_awaits_job(cf_call *call, const void *arg, size_t arg_size)
{
    const struct full *full = arg;
    (void)call, (void)arg_size;
    gate_pass(full->job_ran);
    return 0;
}

static int
job_runs(cf_call *call, void *arg)
{
    struct full *full = arg;
    (void)call;
    atomic_fetch_add(&full->runs, 1);
    gate_open(full->job_ran);
    return 0;
}

static int
task_fills(cf_call *call, const void *arg, size_t arg_size)
{
    struct full *full = (struct full *)(uintptr_t)arg;
    cf_future *fs[ENTRIES], *last;
    cf_job job;
    (void)arg_size;
    for (int i = 0; i < ENTRIES; i++)
        if (cf_submit(full->ex, task_leaves_full, full, 0, &fs[i]))
            return 1;
    if (cf_submit(full->ex, task_nothing, NULL, 0, &last))
        return 1;
    for (int i = 0; i < ENTRIES; i++) {
        if (cf_future_wait(fs[i], CF_FOREVER))
            return 2;
        cf_future_unref(fs[i]);
    }
    cf_spawn(call, &job, job_runs, full);
    cf_err err = cf_future_wait(full->running, CF_FOREVER);
    int rc = cf_join(call, &job);
    err = err ? err : cf_future_result(last, CF_FOREVER, NULL);
    cf_future_unref(last);
    return err ? 3 : rc;
}

static void
check_full(bool waits_for_running)
{
    for (int round = 0; round < 10; round++) {
        cf_executor *ex = test_executor(3); /* its deques are small yet */
        struct full *full = shared_new(sizeof *full);
        cf_future *held;
        full->ex = ex;
        full->held = gate_new();
        full->job_ran = gate_new();
        full->waits_for_running = waits_for_running;
        occupy(ex, full->held, 1, &held);
        full->running = must_submit(ex, task_awaits_job, full, 0);
        gate_await(full->job_ran, 1);
        cf_future *f = must_submit(ex, task_fills, full, 0);
        assert_ok(cf_future_result(f, CF_FOREVER, NULL));
        assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
        cr_assert(atomic_load(&full->runs) == 1);
        cr_assert(atomic_load(&full->destroyed) == ENTRIES);
        assert_ok(full->err);
        cf_future_unref(f);
        cf_future_unref(held);
        cf_future_unref(full->running);
        cf_executor_destroy(ex);
    }
}

CF_TEST(a_destructor_in_a_wait_may_wait_for_what_it_submits)
{
    check_full(false);
}

CF_TEST(a_destructor_in_a_wait_may_wait_for_what_is_awaited)
{
    check_full(true);
}
