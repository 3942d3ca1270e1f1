/* SPDX-License-Identifier: MIT */
/* cf_sleep() and cf_yield(): in tasks, interrupted or not, and outside. */
#include "tests/conformance/conformance.h"

#include <time.h>

#define MS INT64_C(1000000)

static int64_t
now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int
task_sleep(cf_call *call, const void *arg, size_t arg_size)
{
    int64_t duration_ns, begun = now_ns();
    (void)arg_size;
    memcpy(&duration_ns, arg, sizeof duration_ns);
    cf_err err = cf_sleep(call, duration_ns);
    if (err)
        return cf_fail(call, (int)err, "%s", cf_err_name(err));
    int64_t slept = now_ns() - begun;
    return cf_return(call, &slept, sizeof slept);
}

CF_TEST(a_sleep_is_never_too_short)
{
    cf_executor *ex = test_executor(2);
    int64_t durations[] = {1, 1000, 100000, 3 * MS + 1, 12 * MS};
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        cf_future *f =
            must_submit(ex, task_sleep, &durations[i], sizeof durations[i]);
        cf_bytes bytes;
        int64_t slept;
        assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
        memcpy(&slept, bytes.data, sizeof slept);
        cr_expect(slept >= durations[i], "%lld", (long long)slept);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

CF_TEST(outside_of_tasks)
{
    int64_t begun = now_ns();
    assert_ok(cf_sleep(NULL, 2 * MS));
    cr_expect(now_ns() - begun >= 2 * MS);
    assert_ok(cf_sleep(NULL, 0));
    assert_ok(cf_yield(NULL));
    assert_err(cf_sleep(NULL, -2), CF_EINVAL);
}

static int
task_arrive_and_sleep(cf_call *call, const void *arg, size_t arg_size)
{
    gate *g = (gate *)arg;
    (void)arg_size;
    gate_arrive(g);
    cf_err first = cf_sleep(call, CF_FOREVER);
    cf_err second = cf_yield(call);
    cf_err third = cf_sleep(call, 1);
    bool all = first == CF_EINTERRUPTED && second == first && third == first;
    return cf_return(call, &(int){all}, sizeof(int));
}

CF_CONCURRENT_TEST(an_interrupt_ends_a_sleep)
{
    gate *g = gate_new();
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_arrive_and_sleep, g, 0);
    gate_await(g, 1);
    cr_assert(cf_future_interrupt(f));
    cr_expect(int_result(f) == 1);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(a_timeout_ends_a_sleep)
{
    cf_executor *ex = test_executor(1);
    int64_t forever = CF_FOREVER;
    cf_task task = CF_TASK_INIT;
    task.fn = task_sleep;
    task.arg = &forever;
    task.arg_size = sizeof forever;
    task.timeout_ns = 10 * MS;
    cf_future *f = NULL;
    assert_ok(cf_submit_task(ex, &task, &f));
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EDEADLINE);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

static int
task_yield(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    for (int i = 0; i < 100; i++)
        if (cf_yield(call))
            return cf_fail(call, 1, "round %d", i);
    return 0;
}

CF_TEST(tasks_that_yield_end)
{
    cf_executor *ex = test_executor(2);
    cf_future *futures[10];
    for (int i = 0; i < 10; i++)
        futures[i] = must_submit(ex, task_yield, NULL, 0);
    for (int i = 0; i < 10; i++)
        assert_ok(cf_future_result(futures[i], CF_FOREVER, NULL));
    unref_all(futures, 10);
    cf_executor_destroy(ex);
}
