/* SPDX-License-Identifier: MIT */
/* Pools that a failing initializer has broken. */
#include "tests/conformance/lives.h"

#include <pthread.h>
#include <string.h>

static void
expect_broken(cf_future *f)
{
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EBROKEN);
    assert_state(f, CF_FINISHED);
    const cf_error *error = cf_future_error(f);
    cr_assert_not_null(error);
    cr_assert(error->kind == CF_EBROKEN && error->code == 31);
    cr_assert_str_eq(error->message, "life 0 is not wanted");
    cr_assert(strstr(error->file, "lives.h") && error->line > 0);
}

/* CPython: test_init.FailingInitializerMixin.test_initializer */
CF_TEST(a_failing_initializer_breaks_pending_and_later_tasks)
{
    lives *l = lives_failing(0, 0);
    cf_executor *ex = living_pool(l, 1);
    atomic_int *frees = counter_new();
    atomic_int *calls = counter_new();
    cf_task task = CF_TASK_INIT;
    task.fn = task_count;
    task.arg = frees; /* would count a run as a free */
    task.arg_free = count_free;
    cf_future *fs[20];
    for (int i = 0; i < 20; i++) {
        assert_ok(cf_submit_task(ex, &task, &fs[i]));
        assert_ok(cf_future_on_done(fs[i], count_done, calls));
    }
    assert_ok(cf_submit_task(ex, &task, NULL));
    gate_open(l->entered);
    for (int i = 0; i < 20; i++)
        expect_broken(fs[i]);
    assert_ok(cf_wait(fs, 20, CF_ALL_COMPLETED, CF_FOREVER, NULL));
    assert_err(cf_submit(ex, task_nothing, NULL, 0, NULL), CF_EBROKEN);
    assert_err(cf_submit_many(ex, task_nothing, NULL, 0, 2, NULL), CF_EBROKEN);
    cr_assert(cf_executor_state(ex) == CF_EXECUTOR_BROKEN);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    cr_assert(cf_executor_state(ex) == CF_EXECUTOR_BROKEN);
    assert_err(cf_submit(ex, task_nothing, NULL, 0, NULL), CF_EBROKEN);
    cr_assert(*frees == 21, "%d", *frees);
    cr_assert(*calls == 20);
    unref_all(fs, 20);
    cf_executor_destroy(ex);
    cr_assert(l->ended == 0, "no finalizer without a successful initializer");
}

/* In CPython one cancelled future in the queue stops the clearing of it. */
CF_TEST(a_cancelled_task_does_not_stop_the_others_from_breaking)
{
    lives *l = lives_failing(0, 0);
    cf_executor *ex = living_pool(l, 1);
    cf_future *fs[6];
    for (int i = 0; i < 6; i++)
        fs[i] = must_submit(ex, task_nothing, NULL, 0);
    cr_assert(cf_future_cancel(fs[0]) && cf_future_cancel(fs[3]));
    gate_open(l->entered);
    for (int i = 0; i < 6; i++) {
        if (i == 0 || i == 3)
            assert_state(fs[i], CF_CANCELED);
        else
            expect_broken(fs[i]);
    }
    unref_all(fs, 6);
    cf_executor_destroy(ex);
}

/* While the thread that breaks the pool is in a callback, another worker takes
 * the rest. */
CF_WORKERS_TEST(CF_THREAD_TEST,
                a_worker_that_is_free_when_the_pool_breaks_fails_tasks_too)
{
    lives *l = lives_failing(1, 1);
    gate *g = gate_new(), *in_callback = gate_new();
    cf_executor *ex = test_pool((test_options){.max_workers = 2,
                                               .initializer = begin_life,
                                               .finalizer = end_life,
                                               .init_data = l});
    cf_future *held, *f[2];
    occupy(ex, g, 1, &held);
    for (int i = 0; i < 2; i++)
        f[i] = must_submit(ex, task_nothing, NULL, 0);
    assert_ok(cf_future_on_done(f[0], hold_done, in_callback));
    gate_open(l->entered);
    gate_await(in_callback, 1);
    assert_state(f[1], CF_PENDING);
    gate_open(g);
    assert_err(cf_future_result(f[1], CF_FOREVER, NULL), CF_EBROKEN);
    gate_open(in_callback);
    assert_err(cf_future_result(f[0], CF_FOREVER, NULL), CF_EBROKEN);
    assert_ok(cf_future_result(held, CF_FOREVER, NULL));
    unref_all(f, 2);
    cf_future_unref(held);
    cf_executor_destroy(ex);
}

CF_WORKERS_TEST(CF_TEST, tasks_that_run_when_the_pool_breaks_finish)
{
    lives *l = lives_failing(1, 1);
    cf_executor *ex = living_pool(l, 2);
    gate *g = gate_new();
    cf_future *held = must_submit(ex, task_checks_worker, g, 0);
    gate_await(g, 1);
    /* For this one there is only the second worker, which fails. */
    cf_future *broken = must_submit(ex, task_nothing, NULL, 0);
    gate_open(l->entered);
    assert_err(cf_future_result(broken, CF_FOREVER, NULL), CF_EBROKEN);
    assert_state(held, CF_RUNNING);
    assert_err(cf_submit(ex, task_nothing, NULL, 0, NULL), CF_EBROKEN);
    gate_open(g);
    assert_ok(cf_future_result(held, CF_FOREVER, NULL));
    cf_executor_destroy(ex);
    cr_assert(l->ended == 1, "%d", l->ended);
    cf_future_unref(held);
    cf_future_unref(broken);
}

/* Lets the callbacks be added before it fails. */
static int
initialize_in_vain(cf_call *call, void *init_data, void **worker_data)
{
    (void)worker_data;
    gate_pass(init_data);
    return cf_fail(call, 1, "in vain");
}

static void
hold_in_callback(cf_future *f, void *data)
{
    (void)f;
    gate_pass(data);
}

CF_THREAD_TEST(a_pool_that_breaks_is_not_idle_while_it_calls_back)
{
    gate *begin = gate_new(), *called = gate_new();
    cf_executor *ex =
        test_pool((test_options){.max_workers = 1,
                                 .initializer = initialize_in_vain,
                                 .init_data = begin});
    cf_future *f = must_submit(ex, task_nothing, NULL, 0);
    assert_ok(cf_future_on_done(f, hold_in_callback, called));
    gate_open(begin);
    gate_await(called, 1);
    assert_err(cf_executor_wait_idle(ex, 0), CF_ETIMEDOUT);
    gate_open(called);
    assert_ok(cf_executor_wait_idle(ex, CF_SECONDS(5)));
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

static void
end_thread_in_callback(cf_future *f, void *data)
{
    (void)f;
    count_done(f, data);
    pthread_exit(NULL);
}

CF_THREAD_TEST(a_callback_that_ends_the_breaking_thread_stops_no_other)
{
    gate *begin = gate_new();
    atomic_int *calls = counter_new();
    cf_executor *ex =
        test_pool((test_options){.max_workers = 1,
                                 .initializer = initialize_in_vain,
                                 .init_data = begin});
    cf_future *fs[3];
    for (int i = 0; i < 3; i++) {
        fs[i] = must_submit(ex, task_nothing, NULL, 0);
        assert_ok(cf_future_on_done(
            fs[i], i == 0 ? end_thread_in_callback : count_done, calls));
    }
    gate_open(begin);
    for (int i = 0; i < 3; i++)
        assert_err(cf_future_result(fs[i], CF_FOREVER, NULL), CF_EBROKEN);
    assert_ok(cf_executor_shutdown(ex, 0, CF_SECONDS(5)));
    cr_assert(*calls == 3, "%d", *calls);
    unref_all(fs, 3);
    cf_executor_destroy(ex);
}

static int
begin_without_record(cf_call *call, void *init_data, void **worker_data)
{
    (void)call;
    (void)init_data;
    (void)worker_data;
    return -4;
}

CF_TEST(an_initializer_may_fail_with_a_bare_code)
{
    cf_executor *ex = test_pool(
        (test_options){.max_workers = 1, .initializer = begin_without_record});
    cf_future *f = NULL;
    cf_err err = cf_submit(ex, task_nothing, NULL, 0, &f);
    assert_ok(err);
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EBROKEN);
    cr_assert(cf_future_error(f)->code == -4);
    cr_assert_str_eq(cf_future_error(f)->message, "");
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(the_last_future_can_be_read_after_a_broken_pool_is_gone)
{
    lives *l = lives_failing(0, 0);
    cf_executor *ex = living_pool(l, 1);
    cf_future *f = must_submit(ex, task_nothing, NULL, 0);
    gate_open(l->entered);
    cf_executor_destroy(ex);
    expect_broken(f);
    cf_future_unref(f);
}

#if CF_SHARES_MEMORY
static int
fail_and_exit(cf_call *call, void *init_data, void **worker_data)
{
    (void)init_data, (void)worker_data;
    (void)cf_fail(call, 1, "a record of a failure, on the heap");
    pthread_exit(NULL);
}

CF_TEST(an_initializer_that_ends_its_thread_breaks_the_pool)
{
    cf_executor *ex = test_pool(
        (test_options){.max_workers = 1, .initializer = fail_and_exit});
    cf_future *f = must_submit(ex, task_nothing, NULL, 0);
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EBROKEN);
    cr_assert_str_eq(cf_future_error(f)->message,
                     "the initializer ended its thread");
    cf_future_unref(f);
    assert_err(cf_submit(ex, task_nothing, NULL, 0, NULL), CF_EBROKEN);
    cf_executor_destroy(ex);
}
#endif
