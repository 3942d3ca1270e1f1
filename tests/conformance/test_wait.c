/* SPDX-License-Identifier: MIT */
/*
 * cf_wait(): any, the first failed, or all of some futures. Futures completed
 * by hand make the order certain; a few tests use tasks.
 */
#define _GNU_SOURCE
#include "tests/conformance/conformance.h"

#include <unistd.h>

/* What a helper thread does to a future once another thread waits for it. */
enum action { SUCCEED, FAIL, CANCEL };

typedef struct helper {
    pthread_t thread;
    pid_t waiter; /* acts once this thread sleeps */
    cf_future *f;
    enum action action;
} helper;

static void *
helper_main(void *arg)
{
    helper *h = arg;
    await_asleep(h->waiter);
    cf_error error = CF_ERROR_INIT;
    if (h->action == SUCCEED)
        (void)cf_future_set_result(h->f, NULL, 0);
    else if (h->action == FAIL)
        (void)cf_future_set_error(h->f, &error);
    else
        (void)cf_future_cancel(h->f);
    return NULL;
}

/* Completes f from another thread while the caller sleeps in a wait. */
static void
helper_start(helper *h, cf_future *f, enum action action)
{
    *h = (helper){.waiter = gettid(), .f = f, .action = action};
    cr_assert(pthread_create(&h->thread, NULL, helper_main, h) == 0);
}

/* CPython: test_wait.test_20369 */
CF_TEST(the_same_future_twice_counts_once)
{
    cf_future *f = promise_in(CF_FINISHED, false);
    cf_future *fs[] = {f, f};
    size_t done = 99;
    assert_ok(cf_wait(fs, 2, CF_ALL_COMPLETED, CF_FOREVER, &done));
    cr_assert(done == 1, "%zu", done);
    cf_future_unref(f);
    f = promise();
    fs[0] = fs[1] = f;
    assert_err(cf_wait(fs, 2, CF_ALL_COMPLETED, 0, &done), CF_ETIMEDOUT);
    cr_assert(done == 0);
    helper h;
    helper_start(&h, f, SUCCEED);
    assert_ok(cf_wait(fs, 2, CF_ALL_COMPLETED, CF_FOREVER, &done));
    cr_assert(done == 1);
    pthread_join(h.thread, NULL);
    cf_future_unref(f);
}

/* CPython: test_wait.test_first_completed, which expects the cancelled future
 * to be undone until a worker has seen it; here cancelled is done */
CF_TEST(first_completed_returns_at_once_for_a_cancelled_future)
{
    cf_future *fs[] = {promise(), promise_in(CF_CANCELED, false)};
    size_t done = 0;
    assert_ok(cf_wait(fs, 2, CF_FIRST_COMPLETED, CF_FOREVER, &done));
    cr_assert(done == 1);
    unref_all(fs, 2);
}

/* CPython: test_wait.test_first_completed */
CF_TEST(first_completed_wakes_on_any_completion)
{
    static const enum action actions[] = {SUCCEED, FAIL, CANCEL};
    for (int i = 0; i < 3; i++) {
        cf_future *fs[] = {promise(), promise(), promise()};
        size_t done = 0;
        helper h;
        helper_start(&h, fs[1], actions[i]);
        assert_ok(cf_wait(fs, 3, CF_FIRST_COMPLETED, CF_FOREVER, &done));
        cr_assert(done == 1);
        cr_assert(cf_future_done(fs[1]));
        pthread_join(h.thread, NULL);
        unref_all(fs, 3);
    }
}

/* CPython: test_wait.test_first_completed_some_already_completed */
CF_TEST(first_completed_counts_all_that_were_done_before)
{
    cf_future *fs[] = {promise_in(CF_FINISHED, false),
                       promise_in(CF_FINISHED, true),
                       promise_in(CF_CANCELED, false),
                       promise(),
                       promise_in(CF_RUNNING, false)};
    size_t done = 0;
    assert_ok(cf_wait(fs, 5, CF_FIRST_COMPLETED, CF_FOREVER, &done));
    cr_assert(done == 3, "%zu", done);
    unref_all(fs, 5);
}

/* CPython: test_wait.test_first_exception */
CF_TEST(first_error_waits_past_successes_for_a_failure)
{
    cf_future *fs[] = {promise(), promise(), promise()};
    assert_ok(cf_future_set_result(fs[0], NULL, 0));
    size_t done = 0;
    assert_err(cf_wait(fs, 3, CF_FIRST_ERROR, 0, &done), CF_ETIMEDOUT);
    cr_assert(done == 1);
    helper h;
    helper_start(&h, fs[2], FAIL);
    assert_ok(cf_wait(fs, 3, CF_FIRST_ERROR, CF_FOREVER, &done));
    cr_assert(done == 2, "%zu", done);
    assert_state(fs[1], CF_PENDING);
    pthread_join(h.thread, NULL);
    unref_all(fs, 3);
}

/* CPython: test_wait.test_first_exception_some_already_complete */
CF_TEST(a_cancelled_future_is_done_but_no_error)
{
    cf_future *fs[] = {promise_in(CF_FINISHED, false),
                       promise_in(CF_CANCELED, false),
                       promise()};
    size_t done = 0;
    assert_err(cf_wait(fs, 3, CF_FIRST_ERROR, 0, &done), CF_ETIMEDOUT);
    cr_assert(done == 2);
    helper h;
    helper_start(&h, fs[2], CANCEL);
    assert_ok(cf_wait(fs, 3, CF_FIRST_ERROR, CF_FOREVER, &done));
    cr_assert(done == 3, "without a failure it waits for all");
    pthread_join(h.thread, NULL);
    unref_all(fs, 3);
}

/* CPython: test_wait.test_first_exception_one_already_failed */
CF_TEST(first_error_returns_at_once_if_one_has_failed)
{
    cf_future *fs[] = {promise_in(CF_FINISHED, true), promise()};
    size_t done = 0;
    assert_ok(cf_wait(fs, 2, CF_FIRST_ERROR, CF_FOREVER, &done));
    cr_assert(done == 1);
    unref_all(fs, 2);
}

/* CPython: test_wait.test_all_completed */
CF_TEST(all_completed_counts_failed_and_cancelled_ones)
{
    cf_future *fs[] = {promise_in(CF_FINISHED, false),
                       promise_in(CF_CANCELED, false),
                       promise_in(CF_FINISHED, true),
                       promise()};
    size_t done = 0;
    helper h;
    helper_start(&h, fs[3], SUCCEED);
    assert_ok(cf_wait(fs, 4, CF_ALL_COMPLETED, CF_FOREVER, &done));
    cr_assert(done == 4);
    pthread_join(h.thread, NULL);
    unref_all(fs, 4);
}

/* CPython: test_wait.test_timeout */
CF_TEST(a_wait_that_runs_out_says_how_many_were_done)
{
    cf_future *fs[] = {promise_in(CF_CANCELED, false),
                       promise_in(CF_FINISHED, true),
                       promise_in(CF_FINISHED, false),
                       promise()};
    size_t done = 0;
    assert_err(cf_wait(fs, 4, CF_ALL_COMPLETED, CF_MS(20), &done),
               CF_ETIMEDOUT);
    cr_assert(done == 3);
    assert_state(fs[3], CF_PENDING);
    assert_ok(cf_future_set_result(fs[3], NULL, 0));
    assert_ok(cf_wait(fs, 4, CF_ALL_COMPLETED, 0, &done));
    cr_assert(done == 4);
    unref_all(fs, 4);
}

CF_TEST(waiting_for_nothing_returns_at_once)
{
    size_t done = 99;
    assert_ok(cf_wait(NULL, 0, CF_ALL_COMPLETED, CF_FOREVER, &done));
    cr_assert(done == 0);
    assert_ok(cf_wait(NULL, 0, CF_FIRST_COMPLETED, CF_FOREVER, NULL));
    assert_ok(cf_wait(NULL, 0, CF_FIRST_ERROR, CF_FOREVER, NULL));
}

CF_TEST(bad_waits_are_einval_even_if_nothing_had_to_be_waited_for)
{
    cf_future *fs[] = {promise_in(CF_FINISHED, false), NULL};
    assert_err(cf_wait(fs, 2, CF_ALL_COMPLETED, 0, NULL), CF_EINVAL);
    assert_err(cf_wait(NULL, 1, CF_ALL_COMPLETED, 0, NULL), CF_EINVAL);
    assert_err(cf_wait(fs, 1, (cf_return_when)3, 0, NULL), CF_EINVAL);
    assert_err(cf_wait(fs, 1, CF_ALL_COMPLETED, -2, NULL), CF_EINVAL);
    assert_ok(cf_wait(fs, 1, CF_ALL_COMPLETED, CF_FOREVER, NULL));
    cf_future_unref(fs[0]);
}

/* CPython: test_wait.test_pending_calls_race */
CF_CONCURRENT_TEST(a_hundred_futures_released_at_once_are_all_seen)
{
    enum { N = 100, ROUNDS = 20 };
    cf_executor *ex = test_executor(N);
    for (int round = 0; round < ROUNDS; round++) {
        gate *g = gate_new();
        cf_future *fs[N];
        occupy(ex, g, N, fs);
        gate_open(g);
        size_t done = 0;
        assert_ok(cf_wait(fs, N, CF_ALL_COMPLETED, CF_FOREVER, &done));
        cr_assert(done == N);
        unref_all(fs, N);
    }
    cf_executor_destroy(ex);
}

CF_TEST(tasks_of_two_executors_can_be_waited_for_together)
{
    cf_executor *a = test_executor(1);
    cf_executor *b = test_executor(1);
    cf_future *fs[] = {must_submit(a, task_square, &(int){2}, sizeof(int)),
                       must_submit(b, task_square, &(int){3}, sizeof(int)),
                       promise_in(CF_FINISHED, false)};
    size_t done = 0;
    assert_ok(cf_wait(fs, 3, CF_ALL_COMPLETED, CF_FOREVER, &done));
    cr_assert(done == 3);
    cr_assert(int_result(fs[0]) == 4 && int_result(fs[1]) == 9);
    unref_all(fs, 3);
    cf_executor_destroy(a);
    cf_executor_destroy(b);
}

/* Several threads wait for the same futures in different ways. */
typedef struct wait_case {
    pthread_t thread;
    gate *started;
    cf_future **fs;
    cf_return_when when;
    pid_t tid;
    cf_err err;
    size_t done;
} wait_case;

static void *
wait_main(void *arg)
{
    wait_case *w = arg;
    w->tid = gettid();
    gate_arrive(w->started);
    w->err = cf_wait(w->fs, 4, w->when, CF_SECONDS(50), &w->done);
    return NULL;
}

CF_TEST(several_threads_may_wait_for_the_same_futures)
{
    cf_future *fs[] = {promise(), promise(), promise(), promise()};
    wait_case cases[6];
    for (int i = 0; i < 6; i++) {
        cases[i] = (wait_case){
            .started = gate_new(), .fs = fs, .when = (cf_return_when)(i % 3)};
        cr_assert(
            pthread_create(&cases[i].thread, NULL, wait_main, &cases[i]) == 0);
    }
    for (int i = 0; i < 6; i++) {
        gate_await(cases[i].started, 1);
        await_asleep(cases[i].tid);
    }
    cf_error error = CF_ERROR_INIT;
    assert_ok(cf_future_set_result(fs[0], NULL, 0));
    for (int i = CF_FIRST_COMPLETED; i < 6; i += 3)
        pthread_join(cases[i].thread, NULL);
    assert_ok(cf_future_set_error(fs[1], &error));
    for (int i = CF_FIRST_ERROR; i < 6; i += 3)
        pthread_join(cases[i].thread, NULL);
    cr_assert(cf_future_cancel(fs[2]));
    assert_ok(cf_future_set_result(fs[3], NULL, 0));
    for (int i = CF_ALL_COMPLETED; i < 6; i += 3)
        pthread_join(cases[i].thread, NULL);
    static const size_t least[] = {1, 2, 4};
    for (int i = 0; i < 6; i++) {
        assert_ok(cases[i].err);
        cr_assert(cases[i].done >= least[i % 3]);
    }
    unref_all(fs, 4);
}

CF_TEST(a_wait_leaves_nothing_behind_in_the_futures)
{
    cf_future *f = promise();
    for (int i = 0; i < 1000; i++)
        assert_err(cf_wait(&f, 1, CF_ALL_COMPLETED, 0, NULL), CF_ETIMEDOUT);
    assert_err(cf_wait(&f, 1, CF_ALL_COMPLETED, CF_MS(1), NULL), CF_ETIMEDOUT);
    assert_ok(cf_future_set_result(f, NULL, 0));
    assert_ok(cf_wait(&f, 1, CF_ALL_COMPLETED, CF_FOREVER, NULL));
    cf_future_unref(f);
}
