/* SPDX-License-Identifier: MIT */
/*
 * Waiting inside tasks for tasks of the same executor: what deadlocks a Python
 * pool (gh-141617) works here, and a wait that could never end says so.
 */
#include "tests/conformance/conformance.h"

#include <sched.h>

static int
task_fib(cf_call *call, const void *arg, size_t arg_size)
{
    int n;
    memcpy(&n, arg, sizeof n);
    if (n >= 2) {
        int parts[2] = {n - 1, n - 2};
        cf_future *fs[2];
        if (cf_submit_many(
                cf_call_executor(call), task_fib, parts, arg_size, 2, fs) !=
            CF_OK)
            return 1;
        n = 0;
        for (int i = 0; i < 2; i++) {
            cf_bytes bytes;
            cf_err err = cf_future_result(fs[i], CF_FOREVER, &bytes);
            if (err != CF_OK)
                return cf_fail(call, 2, "%s", cf_err_name(err));
            int part;
            memcpy(&part, bytes.data, sizeof part);
            n += part;
            cf_future_unref(fs[i]);
        }
    }
    return cf_return(call, &n, sizeof n) != CF_OK;
}

CF_TEST(recursive_tasks_finish_on_any_number_of_workers)
{
    for (int workers = 1; workers <= 4; workers++) {
        cf_executor *ex = test_executor(workers);
        cf_future *f = must_submit(ex, task_fib, &(int){17}, sizeof(int));
        cr_assert(int_result(f) == 1597);
        cf_future_unref(f);
        cf_executor_destroy(ex);
    }
}

static int
task_depth(cf_call *call, const void *arg, size_t arg_size)
{
    int depth;
    memcpy(&depth, arg, sizeof depth);
    if (depth > 0) {
        int below = depth - 1;
        cf_future *f = NULL;
        if (cf_submit(
                cf_call_executor(call), task_depth, &below, arg_size, &f) !=
            CF_OK)
            return 1;
        cf_err err = cf_future_result(f, CF_FOREVER, NULL);
        cf_future_unref(f);
        if (err != CF_OK)
            return cf_fail(call, depth, "%s", cf_err_name(err));
    }
    return cf_return(call, &depth, sizeof depth) != CF_OK;
}

CF_TEST(a_chain_of_waits_may_be_a_thousand_deep_on_one_worker)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_depth, &(int){1000}, sizeof(int));
    cr_assert(int_result(f) == 1000);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* All workers get here before any of them submits and waits. */
static int
task_waits_for_child(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    gate_pass((gate *)arg);
    cf_future *f = NULL;
    if (cf_submit(
            cf_call_executor(call), task_square, &(int){9}, sizeof(int), &f) !=
        CF_OK)
        return 1;
    cf_bytes bytes;
    cf_err err = cf_future_result(f, CF_FOREVER, &bytes);
    int ok = err == CF_OK && *(const int *)bytes.data == 81;
    cf_future_unref(f);
    return ok ? 0 : cf_fail(call, 1, "%s", cf_err_name(err));
}

/* Python's documentation: "wait_on_future" with every worker waiting */
CF_CONCURRENT_TEST(every_worker_may_wait_for_a_task_that_has_not_started)
{
    for (int workers = 1; workers <= 4; workers++) {
        cf_executor *ex = test_executor(workers);
        gate *g = gate_new();
        cf_future *fs[4];
        for (int i = 0; i < workers; i++)
            fs[i] = must_submit(ex, task_waits_for_child, g, 0);
        gate_await(g, workers);
        gate_open(g);
        for (int i = 0; i < workers; i++)
            assert_ok(cf_future_result(fs[i], CF_FOREVER, NULL));
        unref_all(fs, (size_t)workers);
        cf_executor_destroy(ex);
    }
}

/* Tasks that wait for each other: task i waits for future next of i. */
enum { RING_MAX = 3 };
typedef struct ring {
    gate *start; /* opens when all futures are known */
    cf_future *fs[RING_MAX];
    int size;
} ring;

typedef struct ring_place {
    ring *ring;
    int place;
} ring_place;

static int
task_ring(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    ring_place at;
    memcpy(&at, arg, sizeof at);
    gate_pass(at.ring->start);
    int next = (at.place + 1) % at.ring->size;
    int err = (int)cf_future_wait(at.ring->fs[next], CF_FOREVER);
    return cf_return(call, &err, sizeof err) != CF_OK;
}

/* Runs a ring of tasks and returns how many of them got CF_EDEADLK; every
 * other one must have got CF_OK. */
static int
run_ring(int size, int workers)
{
    cf_executor *ex = test_executor(workers);
    ring r = {.start = gate_new(), .size = size};
    for (int i = 0; i < size; i++) {
        ring_place at = {&r, i};
        r.fs[i] = must_submit(ex, task_ring, &at, sizeof at);
    }
    gate_await(r.start, workers < size ? workers : size);
    gate_open(r.start);
    int deadlocks = 0;
    for (int i = 0; i < size; i++) {
        int err = int_result(r.fs[i]);
        deadlocks += err == CF_EDEADLK;
        cr_assert(err == CF_EDEADLK || err == CF_OK);
    }
    unref_all(r.fs, (size_t)size);
    cf_executor_destroy(ex);
    return deadlocks;
}

CF_THREAD_TEST(a_task_cannot_wait_for_itself)
{
    cr_assert(run_ring(1, 1) == 1);
    cr_assert(run_ring(1, 3) == 1);
}

/* Python's documentation: "wait_on_a", "wait_on_b" */
CF_THREAD_TEST(two_tasks_cannot_wait_for_each_other)
{
    for (int i = 0; i < 200; i++) {
        int deadlocks = run_ring(2, 2);
        cr_assert(deadlocks >= 1);
    }
    cr_assert(run_ring(2, 1) >= 1, "nor on one worker");
}

CF_THREAD_TEST(three_tasks_cannot_wait_in_a_ring)
{
    for (int workers = 1; workers <= 3; workers++) {
        for (int i = 0; i < 50; i++) {
            int deadlocks = run_ring(3, workers);
            cr_assert(deadlocks >= 1);
        }
    }
}

static int
task_waits_for_many(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    ring_place at;
    memcpy(&at, arg, sizeof at);
    gate_pass(at.ring->start);
    size_t done = 0;
    int err = (int)cf_wait(at.ring->fs,
                           (size_t)at.ring->size,
                           CF_ALL_COMPLETED,
                           CF_FOREVER,
                           &done);
    return cf_return(call, &err, sizeof err) != CF_OK;
}

CF_THREAD_TEST(a_wait_for_many_that_include_the_task_itself_is_a_deadlock)
{
    cf_executor *ex = test_executor(1);
    ring r = {.start = gate_new(), .size = 2};
    ring_place at = {&r, 0};
    r.fs[1] = must_submit(ex, task_waits_for_many, &at, sizeof at);
    r.fs[0] = must_submit(ex, task_nothing, NULL, 0);
    gate_await(r.start, 1);
    gate_open(r.start);
    cr_assert(int_result(r.fs[1]) == CF_EDEADLK);
    assert_ok(cf_future_result(r.fs[0], CF_FOREVER, NULL));
    unref_all(r.fs, 2);
    cf_executor_destroy(ex);
}

static int
task_iterates(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    enum { N = 50 };
    int args[N];
    cf_future *fs[N];
    for (int i = 0; i < N; i++)
        args[i] = i;
    if (cf_submit_many(
            cf_call_executor(call), task_square, args, sizeof(int), N, fs) !=
        CF_OK)
        return 1;
    cf_err err = cf_wait(fs, N / 2, CF_ALL_COMPLETED, CF_FOREVER, NULL);
    if (err != CF_OK)
        return cf_fail(call, 2, "cf_wait: %s", cf_err_name(err));
    cf_as_completed *it = NULL;
    if (cf_as_completed_create(fs, N, &it) != CF_OK)
        return 3;
    for (int i = 0; i < N; i++) {
        cf_future *f = NULL;
        err = cf_as_completed_next(it, CF_FOREVER, &f);
        if (err != CF_OK)
            return cf_fail(call, 4, "next: %s", cf_err_name(err));
    }
    cf_as_completed_destroy(it);
    for (int i = 0; i < N; i++)
        cf_future_unref(fs[i]);
    return 0;
}

CF_TEST(wait_and_as_completed_inside_the_only_worker_finish)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_iterates, NULL, 0);
    cf_err err = cf_future_result(f, CF_FOREVER, NULL);
    cr_assert(err == CF_OK, "%s", cf_future_error(f)->message);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* How many waits are under way on this thread's stack. */
static _Thread_local int waits_below;

static int
task_waits_below(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    cf_future *awaited;
    memcpy(&awaited, arg, sizeof awaited);
    waits_below++;
    cf_err err = cf_future_wait(awaited, CF_FOREVER);
    waits_below--;
    return err == CF_OK ? 0 : 1;
}

static int
task_tells_waits_below(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    return cf_return(call, &waits_below, sizeof waits_below) != CF_OK;
}

/* What rayon does (its issue 592): a task that takes a lock the waiter holds
 * would deadlock on the waiter's stack. */
CF_WORKERS_TEST(CF_THREAD_TEST, a_waiter_never_runs_unrelated_tasks)
{
    enum { N = 200 };
    cf_executor *ex = test_executor(3);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    cf_future *waiting[2];
    for (int i = 0; i < 2; i++)
        waiting[i] =
            must_submit(ex, task_waits_below, &held, sizeof(cf_future *));
    for (int i = 0; i < 2; i++)
        while (cf_future_state(waiting[i]) != CF_RUNNING)
            sched_yield();
    cf_future *fs[N];
    for (int i = 0; i < N; i++)
        fs[i] = must_submit(ex, task_tells_waits_below, NULL, 0);
    /* Both other workers wait for the held task: no worker may run these. */
    assert_err(cf_wait(fs, N, CF_FIRST_COMPLETED, CF_MS(20), NULL),
               CF_ETIMEDOUT);
    gate_open(g);
    for (int i = 0; i < N; i++)
        cr_assert(int_result(fs[i]) == 0);
    for (int i = 0; i < 2; i++)
        assert_ok(cf_future_result(waiting[i], CF_FOREVER, NULL));
    unref_all(fs, N);
    unref_all(waiting, 2);
    cf_future_unref(held);
    cf_executor_destroy(ex);
}

CF_THREAD_TEST(a_task_may_wait_for_a_task_of_another_pool)
{
    cf_executor *a = test_executor(1);
    cf_executor *b = test_executor(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(b, g, 1, &held);
    cf_future *pending = must_submit(b, task_nothing, NULL, 0);
    cf_future *f =
        must_submit(a, task_waits_below, &pending, sizeof(cf_future *));
    while (cf_future_state(f) != CF_RUNNING)
        sched_yield();
    gate_open(g);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_executor_destroy(a);
    cf_executor_destroy(b);
    cf_future_unref(f);
    cf_future_unref(pending);
    cf_future_unref(held);
}

CF_THREAD_TEST(a_task_may_wait_for_a_promise)
{
    cf_executor *ex = test_executor(1);
    cf_future *p = promise();
    cf_future *f = must_submit(ex, task_waits_below, &p, sizeof(cf_future *));
    while (cf_future_state(f) != CF_RUNNING)
        sched_yield();
    assert_ok(cf_future_set_result(p, NULL, 0));
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    cf_future_unref(p);
    cf_executor_destroy(ex);
}
