/* SPDX-License-Identifier: MIT */
/*
 * Cancelling tasks that have not started, and interrupting tasks that run. Here
 * tasks wait behind a busy worker; test_future.c shows the states themselves.
 */
#define _GNU_SOURCE
#include "tests/conformance/conformance.h"

#include <unistd.h>

/* An executor of one worker that holds at a gate. */
typedef struct busy {
    cf_executor *ex;
    gate *g;
    cf_future *held;
} busy;

static void
busy_begin(busy *b)
{
    *b = (busy){.ex = test_executor(1), .g = gate_new()};
    occupy(b->ex, b->g, 1, &b->held);
}

static void
busy_end(busy *b)
{
    gate_open(b->g);
    cf_executor_destroy(b->ex);
    assert_ok(cf_future_result(b->held, 0, NULL));
    cf_future_unref(b->held);
}

/* CPython: test_future.test_cancel */
CF_CONCURRENT_TEST(a_pending_task_is_cancelled_and_never_runs)
{
    busy b;
    busy_begin(&b);
    atomic_int *ran = counter_new();
    cf_future *f = must_submit(b.ex, task_count, ran, 0);
    assert_state(f, CF_PENDING);
    cr_assert(cf_future_cancel(f));
    assert_state(f, CF_CANCELED);
    cr_assert(cf_future_cancel(f), "again");
    assert_ok(cf_future_wait(f, CF_FOREVER));
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ECANCELED);
    cr_assert_null(cf_future_error(f));
    busy_end(&b);
    cr_assert(*ran == 0);
    cf_future_unref(f);
}

CF_CONCURRENT_TEST(a_running_task_cannot_be_cancelled)
{
    busy b;
    busy_begin(&b);
    assert_state(b.held, CF_RUNNING);
    cr_assert_not(cf_future_cancel(b.held));
    assert_state(b.held, CF_RUNNING);
    busy_end(&b);
}

CF_TEST(a_finished_task_cannot_be_cancelled)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_square, &(int){3}, sizeof(int));
    assert_ok(cf_future_wait(f, CF_FOREVER));
    cr_assert_not(cf_future_cancel(f));
    cr_assert_not(cf_future_interrupt(f));
    cr_assert(int_result(f) == 9);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* In CPython the tasks handed to workers ahead are RUNNING and cannot be. */
CF_CONCURRENT_TEST(everything_behind_a_busy_worker_can_be_cancelled)
{
    enum { N = 500 };
    busy b;
    busy_begin(&b);
    atomic_int *ran = counter_new();
    static cf_future *fs[N];
    for (int i = 0; i < N; i++)
        fs[i] = must_submit(b.ex, task_count, ran, 0);
    for (int i = 0; i < N; i++)
        cr_assert(cf_future_cancel(fs[i]), "task %d", i);
    busy_end(&b);
    cr_assert(*ran == 0);
    unref_all(fs, N);
}

CF_CONCURRENT_TEST(a_cancelled_task_between_others_is_skipped)
{
    busy b;
    busy_begin(&b);
    journal *j = journal_new();
    cf_future *fs[5];
    for (int i = 0; i < 5; i++) {
        journal_entry e = {j, i};
        fs[i] = must_submit(b.ex, task_journal, &e, sizeof e);
    }
    cr_assert(cf_future_cancel(fs[2]));
    busy_end(&b);
    cr_assert(j->length == 4);
    static const int expected[] = {0, 1, 3, 4};
    cr_assert(memcmp(j->entries, expected, sizeof expected) == 0);
    unref_all(fs, 5);
}

typedef struct sleeper {
    gate *started;
    cf_future *f;
    pid_t tid;
    cf_err err;
} sleeper;

static void *
sleeper_main(void *arg)
{
    sleeper *s = arg;
    s->tid = gettid();
    gate_arrive(s->started);
    s->err = cf_wait(&s->f, 1, CF_ALL_COMPLETED, CF_FOREVER, NULL);
    return NULL;
}

/* In CPython such a wait hangs: gh-92001, gh-109934. */
CF_CONCURRENT_TEST(a_cancel_wakes_a_wait_while_the_worker_is_busy)
{
    busy b;
    busy_begin(&b);
    cf_future *f = must_submit(b.ex, task_nothing, NULL, 0);
    sleeper s = {.started = gate_new(), .f = f};
    pthread_t thread;
    cr_assert(pthread_create(&thread, NULL, sleeper_main, &s) == 0);
    gate_await(s.started, 1);
    await_asleep(s.tid);
    cr_assert(cf_future_cancel(f));
    pthread_join(thread, NULL); /* the worker still holds */
    assert_ok(s.err);
    busy_end(&b);
    cf_future_unref(f);
}

CF_CONCURRENT_TEST(shutdown_with_cancel_completes_the_waits_for_all)
{
    busy b;
    busy_begin(&b);
    cf_future *fs[50];
    for (int i = 0; i < 50; i++)
        fs[i] = must_submit(b.ex, task_nothing, NULL, 0);
    assert_ok(
        cf_executor_shutdown(b.ex, CF_SHUTDOWN_CANCEL | CF_SHUTDOWN_NOWAIT, 0));
    size_t done = 0;
    assert_ok(cf_wait(fs, 50, CF_ALL_COMPLETED, CF_FOREVER, &done));
    cr_assert(done == 50);
    for (int i = 0; i < 50; i++)
        assert_state(fs[i], CF_CANCELED);
    busy_end(&b);
    unref_all(fs, 50);
}

static void *
cancel_main(void *arg)
{
    cf_future **fs = arg;
    for (int i = 0; i < 1000; i++)
        (void)cf_future_cancel(fs[i]);
    return NULL;
}

CF_CONCURRENT_TEST(every_task_either_runs_or_is_cancelled)
{
    enum { N = 1000 };
    cf_executor *ex = test_executor(2);
    atomic_int *ran = counter_new();
    gate *g = gate_new();
    cf_future *held[2];
    occupy(ex, g, 2, held);
    static cf_future *fs[N];
    for (int i = 0; i < N; i++)
        fs[i] = must_submit(ex, task_count, ran, 0);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        cr_assert(pthread_create(&threads[i], NULL, cancel_main, fs) == 0);
    gate_open(g);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_ok(cf_wait(fs, N, CF_ALL_COMPLETED, CF_FOREVER, NULL));
    int finished = 0;
    for (int i = 0; i < N; i++)
        finished += cf_future_state(fs[i]) == CF_FINISHED;
    cr_assert(finished == *ran, "%d finished, %d ran", finished, *ran);
    unref_all(fs, N);
    unref_all(held, 2);
    cf_executor_destroy(ex);
}

static void *
submit_and_cancel_main(void *arg)
{
    enum { ROUNDS = 150, N = 512 };
    cf_executor *ex = arg;
    for (int round = 0; round < ROUNDS; round++) {
        cf_future *fs[N];
        for (int i = 0; i < N; i++)
            fs[i] = must_submit(ex, task_nothing, NULL, 0);
        for (int i = N - 1; i >= 0; i--)
            (void)cf_future_cancel(fs[i]);
        assert_ok(cf_wait(fs, N, CF_ALL_COMPLETED, CF_FOREVER, NULL));
        unref_all(fs, N);
    }
    return NULL;
}

/* A worker's next task may be the one whose cancel is under way, and tidies. */
CF_CONCURRENT_TEST(tasks_are_cancelled_while_others_are_handed_out)
{
    cf_executor *ex = test_executor(2);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        cr_assert(
            pthread_create(&threads[i], NULL, submit_and_cancel_main, ex) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    cf_executor_destroy(ex);
}

static int
task_cancels(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    cf_future *other;
    memcpy(&other, arg, sizeof other);
    return cf_future_cancel(other) ? 0 : 1;
}

CF_THREAD_TEST(a_task_may_cancel_another_one)
{
    busy b;
    busy_begin(&b);
    cf_task first = CF_TASK_INIT;
    cf_future *victim = must_submit(b.ex, task_nothing, NULL, 0);
    first.fn = task_cancels;
    first.arg = &victim;
    first.arg_size = sizeof victim;
    first.priority = 1;
    cf_future *f = NULL;
    assert_ok(cf_submit_task(b.ex, &first, &f));
    gate_open(b.g);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    assert_state(victim, CF_CANCELED);
    busy_end(&b);
    cf_future_unref(f);
    cf_future_unref(victim);
}

CF_CONCURRENT_TEST(interrupting_a_pending_task_cancels_it)
{
    busy b;
    busy_begin(&b);
    cf_future *f = must_submit(b.ex, task_nothing, NULL, 0);
    cr_assert(cf_future_interrupt(f));
    assert_state(f, CF_CANCELED);
    busy_end(&b);
    cf_future_unref(f);
}

CF_CONCURRENT_TEST(a_task_that_fails_after_an_interrupt_was_cancelled)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *f = must_submit(ex, task_until_canceled, g, 0);
    gate_await(g, 1);
    cr_assert(cf_future_interrupt(f));
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ECANCELED);
    assert_state(f, CF_FINISHED);
    cr_assert_not_null(cf_future_error(f));
    cr_assert(cf_future_error(f)->kind == CF_ECANCELED);
    cr_assert_not(cf_future_interrupt(f));
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

static int
task_success_when_canceled(cf_call *call, const void *arg, size_t arg_size)
{
    (void)task_until_canceled(call, arg, arg_size);
    return cf_return(call, "done", 4) != CF_OK;
}

CF_CONCURRENT_TEST(a_success_after_an_interrupt_stands)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *f = must_submit(ex, task_success_when_canceled, g, 0);
    gate_await(g, 1);
    cr_assert(cf_future_interrupt(f));
    cf_bytes bytes = {NULL, 0};
    assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
    cr_assert(bytes.size == 4);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

static int
task_canceled_flag(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    int canceled = cf_call_canceled(call);
    return cf_return(call, &canceled, sizeof canceled) != CF_OK;
}

CF_CONCURRENT_TEST(an_interrupt_touches_no_other_task)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *f = must_submit(ex, task_until_canceled, g, 0);
    cf_future *next = must_submit(ex, task_canceled_flag, NULL, 0);
    gate_await(g, 1);
    cr_assert(cf_future_interrupt(f));
    cr_assert(int_result(next) == 0, "the next task of the same worker");
    cf_future_unref(f);
    cf_future_unref(next);
    cf_executor_destroy(ex);
}

/* CPython: test_shutdown.test_hang_gh94440 */
CF_TEST(shutdown_returns_after_a_submit_that_is_cancelled_at_once)
{
    for (int i = 0; i < 200; i++) {
        cf_executor *ex = test_executor(1);
        cf_future *f = must_submit(ex, task_nothing, NULL, 0);
        (void)cf_future_cancel(f);
        assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
        cr_assert(cf_future_done(f));
        cf_future_unref(f);
        cf_executor_destroy(ex);
    }
}

CF_CONCURRENT_TEST(an_item_that_was_cancelled_has_an_error_that_says_so)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    const int items[2] = {1, 2};
    cf_results *r = NULL;
    assert_ok(cf_map(ex, task_square, items, sizeof items[0], 2, NULL, &r));
    assert_ok(
        cf_executor_shutdown(ex, CF_SHUTDOWN_CANCEL | CF_SHUTDOWN_NOWAIT, 0));
    for (int i = 0; i < 2; i++) {
        assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_ECANCELED);
        const cf_error *error = cf_results_error(r);
        cr_assert(error != NULL && error->kind == CF_ECANCELED);
    }
    assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_EDONE);
    gate_open(g);
    cf_results_destroy(r, false);
    cf_future_unref(held);
    cf_executor_destroy(ex);
}
