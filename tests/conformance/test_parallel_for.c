/* SPDX-License-Identifier: MIT */
/*
 * cf_parallel_for(): every iteration exactly once, and what a failure stops.
 */
#define _GNU_SOURCE /* gettid() */
#include "tests/conformance/conformance.h"

#include <stdint.h>
#include <unistd.h>

enum { N = 50000 };

/* What the bodies of a loop write to. */
typedef struct loop {
    atomic_uchar *visits; /* N of them */
    atomic_size_t largest;
    atomic_int calls;
    size_t begin; /* of the loop: visits[0] */
    size_t fail_at;
} loop;

static int
visit(cf_call *call, size_t begin, size_t end, void *data)
{
    loop *l = data;
    atomic_fetch_add(&l->calls, 1);
    if (begin >= end)
        return cf_fail(call, 1, "an empty range");
    size_t size = end - begin;
    size_t largest = atomic_load(&l->largest);
    while (size > largest &&
           !atomic_compare_exchange_weak(&l->largest, &largest, size))
        continue;
    for (size_t i = begin; i < end; i++) {
        if (i == l->fail_at)
            return cf_fail(call, 7, "iteration %zu", i);
        atomic_fetch_add(&l->visits[i - l->begin], 1);
    }
    return 0;
}

static loop *
loop_over(size_t begin)
{
    loop *l = shared_new(sizeof *l);
    l->begin = begin;
    l->fail_at = SIZE_MAX;
    l->visits = shared_new(N * sizeof *l->visits);
    return l;
}

static void
expect_each_once(loop *l, size_t count)
{
    for (size_t i = 0; i < N; i++)
        cr_assert(l->visits[i] == (i < count), "%zu: %d", i, l->visits[i]);
}

CF_TEST(every_iteration_runs_exactly_once)
{
    static const size_t grains[] = {0, 1, 13, 1000, N, SIZE_MAX};
    static const size_t counts[] = {1, 2, 3, 100, 1023, N};
    for (int workers = 1; workers <= 3; workers++) {
        cf_executor *ex = test_executor(workers);
        for (int g = 0; g < 6; g++) {
            for (int c = 0; c < 6; c++) {
                loop *l = loop_over(0);
                assert_ok(cf_parallel_for(
                    ex, 0, counts[c], grains[g], visit, l, NULL));
                cr_assert(grains[g] == 0 || l->largest <= grains[g]);
                expect_each_once(l, counts[c]);
            }
        }
        cf_executor_destroy(ex);
    }
}

CF_TEST(a_loop_may_begin_and_end_anywhere)
{
    cf_executor *ex = test_executor(2);
    static const size_t begins[] = {5, 1000000, SIZE_MAX - N};
    for (int i = 0; i < 3; i++) {
        for (size_t grain = 0; grain < 3; grain++) {
            loop *l = loop_over(begins[i]);
            assert_ok(cf_parallel_for(
                ex, begins[i], begins[i] + 5000, grain, visit, l, NULL));
            expect_each_once(l, 5000);
        }
    }
    loop *l = loop_over(SIZE_MAX - N);
    assert_ok(
        cf_parallel_for(ex, SIZE_MAX - N, SIZE_MAX, SIZE_MAX, visit, l, NULL));
    expect_each_once(l, N);
    cf_executor_destroy(ex);
}

CF_TEST(an_empty_loop_does_nothing)
{
    cf_executor *ex = test_executor(1);
    loop *l = loop_over(0);
    cf_future *failed = (cf_future *)l;
    assert_ok(cf_parallel_for(ex, 7, 7, 0, visit, l, &failed));
    cr_assert_null(failed);
    assert_ok(cf_parallel_for(ex, 7, 3, 1, visit, l, NULL));
    cr_assert(l->calls == 0);
    cf_executor_destroy(ex);
}

CF_TEST(the_first_failure_is_returned_with_its_future)
{
    cf_executor *ex = test_executor(2);
    static const size_t grains[] = {0, 1, 100};
    for (int g = 0; g < 3; g++) {
        loop *l = loop_over(0);
        l->fail_at = 1234;
        cf_future *failed = NULL;
        assert_err(cf_parallel_for(ex, 0, N, grains[g], visit, l, &failed),
                   CF_ETASK);
        cr_assert_not_null(failed);
        const cf_error *error = cf_future_error(failed);
        cr_assert(error != NULL && error->code == 7);
        cr_assert_str_eq(error->message, "iteration 1234");
        assert_err(cf_future_result(failed, 0, NULL), CF_ETASK);
        cf_future_unref(failed);
        for (size_t i = 0; i < N; i++)
            cr_assert(l->visits[i] <= 1);
    }
    cf_executor_destroy(ex);
}

/* Iteration 0 records a failure and thinks better of it; 1 fails without. */
static int
record_then_fail(cf_call *call, size_t begin, size_t end, void *data)
{
    (void)end;
    (void)data;
    if (begin == 0)
        (void)cf_fail(call, 5, "thought better of it");
    return begin == 1 ? 7 : 0;
}

CF_TEST(a_failure_has_no_record_of_the_iterations_before)
{
    cf_executor *ex = test_executor(1);
    cf_future *failed = NULL;
    assert_err(cf_parallel_for(ex, 0, 64, 1, record_then_fail, NULL, &failed),
               CF_ETASK);
    const cf_error *error = cf_future_error(failed);
    cr_assert(error != NULL && error->code == 7, "code %d", error->code);
    cf_future_unref(failed);
    cf_executor_destroy(ex);
}

CF_TEST(no_range_is_begun_after_a_failure)
{
    cf_executor *ex = test_executor(1);
    loop *l = loop_over(0);
    l->fail_at = 0;
    assert_err(cf_parallel_for(ex, 0, N, 1, visit, l, NULL), CF_ETASK);
    cr_assert(l->calls == 1, "%d calls", l->calls);
    cf_executor_destroy(ex);
}

CF_TEST(without_a_failure_there_is_no_failed_future)
{
    cf_executor *ex = test_executor(2);
    loop *l = loop_over(0);
    cf_future *failed = (cf_future *)l;
    assert_ok(cf_parallel_for(ex, 0, N, 0, visit, l, &failed));
    cr_assert_null(failed);
    expect_each_once(l, N);
    cf_executor_destroy(ex);
}

/* Waits, once for all, until both workers are inside. */
static int
meet(cf_call *call, size_t begin, size_t end, void *data)
{
    (void)call;
    (void)begin;
    (void)end;
    gate *g = data;
    gate_arrive(g);
    gate_await(g, 2);
    return 0;
}

CF_CONCURRENT_TEST(ranges_run_in_parallel)
{
    cf_executor *ex = test_executor(2);
    gate *g = gate_new();
    assert_ok(cf_parallel_for(ex, 0, 2, 1, meet, g, NULL));
    cr_assert(gate_arrived(g) == 2);
    cf_executor_destroy(ex);
}

static int
add_worker(cf_call *call, size_t begin, size_t end, void *data)
{
    /* One worker runs one range at a time: no lock. */
    size_t *sums = data;
    int worker = cf_call_worker(call);
    if (worker < 0 || worker >= 2 || cf_call_executor(call) == NULL)
        return cf_fail(call, 1, "worker %d", worker);
    for (size_t i = begin; i < end; i++)
        sums[worker * 64] += i;
    return 0;
}

CF_TEST(data_by_worker_needs_no_lock)
{
    cf_executor *ex = test_executor(2);
    for (int round = 0; round < 20; round++) {
        size_t *sums = shared_new(128 * sizeof *sums);
        assert_ok(cf_parallel_for(ex, 0, N, 0, add_worker, sums, NULL));
        cr_assert(sums[0] + sums[64] == (size_t)N * (N - 1) / 2);
    }
    cf_executor_destroy(ex);
}

static int
inner_loop(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    cf_err err = cf_parallel_for(
        cf_call_executor(call), 0, 1000, 10, visit, (void *)arg, NULL);
    return err == CF_OK ? 0 : cf_fail(call, 1, "%s", cf_err_name(err));
}

CF_TEST(a_task_on_the_only_worker_may_loop_in_parallel)
{
    for (int workers = 1; workers <= 2; workers++) {
        cf_executor *ex = test_executor(workers);
        loop *l = loop_over(0);
        cf_future *fs[4];
        for (int i = 0; i < 4; i++)
            fs[i] = must_submit(ex, inner_loop, l, 0);
        for (int i = 0; i < 4; i++)
            assert_ok(cf_future_result(fs[i], CF_FOREVER, NULL));
        for (size_t i = 0; i < 1000; i++)
            cr_assert(l->visits[i] == 4);
        unref_all(fs, 4);
        cf_executor_destroy(ex);
    }
}

/* A loop whose body is a loop. */
static int
outer_body(cf_call *call, size_t begin, size_t end, void *data)
{
    for (size_t i = begin; i < end; i++) {
        cf_err err = cf_parallel_for(cf_call_executor(call),
                                     i * 100,
                                     i * 100 + 100,
                                     7,
                                     visit,
                                     data,
                                     NULL);
        if (err != CF_OK)
            return cf_fail(call, 1, "%s", cf_err_name(err));
    }
    return 0;
}

CF_TEST(loops_may_be_nested)
{
    cf_executor *ex = test_executor(2);
    loop *l = loop_over(0);
    assert_ok(cf_parallel_for(ex, 0, 50, 1, outer_body, l, NULL));
    expect_each_once(l, 5000);
    cf_executor_destroy(ex);
}

/* A range waits for the task that has called the loop. */
struct circle {
    cf_future *own;
    gate *known; /* own is set */
    gate *both;  /* each of two workers is in a range */
    pid_t caller;
    bool caller_sleeps_first;
    cf_err waited;
};

static int
body_waits_for_caller(cf_call *call, size_t begin, size_t end, void *data)
{
    struct circle *circle = data;
    (void)call, (void)begin, (void)end;
    gate_arrive(circle->both);
    gate_await(circle->both, 2);
    if (gettid() == circle->caller)
        return 0;
    if (circle->caller_sleeps_first)
        await_asleep(circle->caller);
    circle->waited = cf_future_wait(circle->own, CF_FOREVER);
    return 0;
}

static int
task_in_circle(cf_call *call, const void *arg, size_t arg_size)
{
    struct circle *circle = (struct circle *)(uintptr_t)arg;
    (void)arg_size;
    circle->caller = gettid();
    gate_await(circle->known, 1);
    return (int)cf_parallel_for(
        cf_call_executor(call), 0, 2, 1, body_waits_for_caller, circle, NULL);
}

CF_WORKERS_TEST(CF_THREAD_TEST, a_range_that_waits_for_the_caller_is_refused)
{
    cf_executor *ex = test_executor(2);
    for (int round = 0; round < 100; round++) {
        struct circle circle = {.known = gate_new(),
                                .both = gate_new(),
                                .caller_sleeps_first = round % 2};
        circle.own = must_submit(ex, task_in_circle, &circle, 0);
        gate_arrive(circle.known);
        assert_ok(cf_future_result(circle.own, CF_FOREVER, NULL));
        assert_err(circle.waited, CF_EDEADLK);
        cf_future_unref(circle.own);
    }
    cf_executor_destroy(ex);
}

CF_TEST(bad_loops_are_refused_and_run_nothing)
{
    cf_executor *ex = test_executor(1);
    loop *l = loop_over(0);
    assert_err(cf_parallel_for(NULL, 0, N, 0, visit, l, NULL), CF_EINVAL);
    assert_err(cf_parallel_for(ex, 0, N, 0, NULL, l, NULL), CF_EINVAL);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    assert_err(cf_parallel_for(ex, 0, N, 0, visit, l, NULL), CF_ESHUTDOWN);
    cr_assert(l->calls == 0);
    cf_executor_destroy(ex);
}
