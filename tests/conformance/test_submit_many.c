/* SPDX-License-Identifier: MIT */
/* cf_submit_many(): many tasks, all or none, in their order. */
#include "tests/conformance/conformance.h"

CF_TEST(submit_many_keeps_the_order_of_the_arguments)
{
    enum { N = 1000 };
    cf_executor *ex = test_executor(2);
    int args[N];
    cf_future *futures[N];
    for (int i = 0; i < N; i++)
        args[i] = i;
    assert_ok(
        cf_submit_many(ex, task_square, args, sizeof args[0], N, futures));
    memset(args, 0xff, sizeof args);
    for (int i = 0; i < N; i++)
        cr_assert(int_result(futures[i]) == i * i);
    unref_all(futures, N);
    cf_executor_destroy(ex);
}

/* Tasks that have to run in the order of their arguments. */
typedef struct in_order {
    atomic_int next, wrong;
} in_order;

typedef struct place {
    in_order *order;
    int place;
} place;

static int
task_in_order(cf_call *call, const void *arg, size_t arg_size)
{
    place p;
    (void)call;
    (void)arg_size;
    memcpy(&p, arg, sizeof p);
    if (atomic_fetch_add(&p.order->next, 1) != p.place)
        atomic_fetch_add(&p.order->wrong, 1);
    return 0;
}

enum { MANY = 5000 };

/* Submits MANY tasks, and waits for them. */
static cf_err
run_many_in_order(cf_executor *ex, in_order *order)
{
    static _Thread_local place places[MANY];
    static _Thread_local cf_future *futures[MANY];
    for (int i = 0; i < MANY; i++)
        places[i] = (place){order, i};
    cf_err err = cf_submit_many(
        ex, task_in_order, places, sizeof *places, MANY, futures);
    if (err)
        return err;
    for (int i = 0; i < MANY; i++) {
        err = cf_future_result(futures[i], CF_FOREVER, NULL);
        cf_future_unref(futures[i]);
        if (err)
            return err;
    }
    return CF_OK;
}

static int
task_runs_many(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    cf_err err = run_many_in_order(cf_call_executor(call), (in_order *)arg);
    return err ? cf_fail(call, 1, "%s", cf_err_name(err)) : 0;
}

CF_TEST(many_tasks_start_in_the_order_of_their_arguments)
{
    cf_executor *ex = test_executor(1);
    for (int i = 0; i < 5; i++) {
        in_order *order = shared_new(sizeof *order);
        assert_ok(run_many_in_order(ex, order));
        cr_assert(order->next == MANY && order->wrong == 0,
                  "%d of %d",
                  order->wrong,
                  order->next);
    }
    /* In a task the awaited one may run first: only the number counts. */
    in_order *inside = shared_new(sizeof *inside);
    cf_future *f = must_submit(ex, task_runs_many, inside, 0);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cr_assert(inside->next == MANY, "%d", inside->next);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(submit_many_without_a_size_gives_every_task_the_pointer)
{
    cf_executor *ex = test_executor(2);
    atomic_int *ran = counter_new();
    cf_future *futures[50];
    assert_ok(cf_submit_many(ex, task_count, ran, 0, 50, futures));
    for (int i = 0; i < 50; i++)
        assert_ok(cf_future_result(futures[i], CF_FOREVER, NULL));
    unref_all(futures, 50);
    assert_ok(cf_submit_many(ex, task_count, ran, 0, 50, NULL));
    cf_executor_destroy(ex);
    cr_assert(*ran == 100, "%d ran", *ran);
}

CF_TEST(submit_many_is_all_or_nothing)
{
    cf_executor *ex = test_executor(1);
    cf_future *const untouched = (cf_future *)&ex;
    cf_future *fs[9];
    for (int i = 0; i < 9; i++)
        fs[i] = untouched;
    cf_task_fn *fn = task_count;
    atomic_int *ran = counter_new();
    assert_ok(cf_submit_many(ex, fn, ran, 0, 0, fs));
    assert_err(cf_submit_many(NULL, fn, ran, 0, 9, fs), CF_EINVAL);
    assert_err(cf_submit_many(ex, NULL, ran, 0, 9, fs), CF_EINVAL);
    assert_err(cf_submit_many(ex, fn, NULL, 4, 9, fs), CF_EINVAL);
    for (int i = 0; i < 9; i++)
        cr_assert(fs[i] == untouched);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    assert_err(cf_submit_many(ex, fn, ran, 0, 9, fs), CF_ESHUTDOWN);
    for (int i = 0; i < 9; i++)
        cr_assert_null(fs[i]);
    cf_executor_destroy(ex);
    cr_assert(*ran == 0);
}
