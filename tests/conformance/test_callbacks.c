/* SPDX-License-Identifier: MIT */
/*
 * Functions that a future calls when it is done: when, where, in which order,
 * and what they may do.
 */
#define _GNU_SOURCE
#include "tests/conformance/conformance.h"
#include "tests/conformance/seen.h"

/* CPython: test_future.test_done_callback_with_result */
CF_TEST(a_callback_sees_the_result)
{
    cf_future *f = promise();
    seen s = {0};
    assert_ok(cf_future_on_done(f, look, &s));
    cr_assert(s.calls == 0);
    assert_ok(cf_future_set_result(f, "r", 1));
    expect_seen(&s, f, CF_OK, CF_FINISHED);
    cr_assert(s.thread == gettid(), "in the completing thread");
    cf_future_unref(f);
}

/* CPython: test_future.test_done_callback_with_exception */
CF_TEST(a_callback_sees_the_error)
{
    cf_future *f = promise();
    seen s = {0};
    assert_ok(cf_future_on_done(f, look, &s));
    cf_error error = CF_ERROR_INIT;
    assert_ok(cf_future_set_error(f, &error));
    expect_seen(&s, f, CF_ETASK, CF_FINISHED);
    cf_future_unref(f);
}

/* CPython: test_future.test_done_callback_with_cancel */
CF_TEST(a_callback_sees_the_cancellation_once)
{
    cf_future *f = promise();
    seen s = {0};
    assert_ok(cf_future_on_done(f, look, &s));
    cr_assert(cf_future_cancel(f));
    expect_seen(&s, f, CF_ECANCELED, CF_CANCELED);
    cr_assert(s.thread == gettid(), "in the cancelling thread");
    cr_assert(cf_future_cancel(f));
    cr_assert(s.calls == 1);
    cf_future_unref(f);
}

/* CPython: test_future.test_done_callback_already_successful, _already_failed,
 * _already_cancelled */
CF_TEST(a_callback_on_a_done_future_is_called_at_once)
{
    static const struct {
        cf_state state;
        bool failed;
        cf_err result;
    } cases[] = {{CF_FINISHED, false, CF_OK},
                 {CF_FINISHED, true, CF_ETASK},
                 {CF_CANCELED, false, CF_ECANCELED}};
    for (int i = 0; i < 3; i++) {
        cf_future *f = promise_in(cases[i].state, cases[i].failed);
        seen s = {0};
        assert_ok(cf_future_on_done(f, look, &s));
        expect_seen(&s, f, cases[i].result, cases[i].state);
        cr_assert(s.thread == gettid());
        cf_future_unref(f);
    }
}

static void
note_entry(cf_future *f, void *data)
{
    (void)f;
    const journal_entry *e = data;
    journal_add(e->journal, e->entry);
}

/* CPython: test_future.test_done_callback_raises (a C callback cannot raise:
 * what is left of it is that all are called, in order) */
CF_TEST(callbacks_run_in_the_order_they_were_added)
{
    enum { N = 100 };
    cf_future *f = promise();
    journal *j = journal_new();
    journal_entry entries[N];
    for (int i = 0; i < N; i++) {
        entries[i] = (journal_entry){j, i};
        assert_ok(cf_future_on_done(f, note_entry, &entries[i]));
    }
    assert_ok(cf_future_set_result(f, NULL, 0));
    cr_assert(j->length == N);
    for (int i = 0; i < N; i++)
        cr_assert(j->entries[i] == i);
    cf_future_unref(f);
}

CF_TEST(the_same_callback_added_twice_is_called_twice)
{
    cf_future *f = promise();
    atomic_int *calls = counter_new();
    assert_ok(cf_future_on_done(f, count_done, calls));
    assert_ok(cf_future_on_done(f, count_done, calls));
    assert_ok(cf_future_set_result(f, NULL, 0));
    cr_assert(*calls == 2);
    cf_future_unref(f);
}

CF_TEST(bad_callbacks_are_einval)
{
    cf_future *f = promise();
    assert_err(cf_future_on_done(NULL, look, NULL), CF_EINVAL);
    assert_err(cf_future_on_done(f, NULL, NULL), CF_EINVAL);
    assert_ok(cf_future_set_result(f, NULL, 0));
    cf_future_unref(f);
}

/* The callback holds the worker until a waiter has seen the result: that ends
 * only if waiters learn of it first. */
CF_CONCURRENT_TEST(waiters_learn_of_a_completion_before_callbacks_run)
{
    cf_executor *ex = test_executor(1);
    gate *start = gate_new();
    gate *seen_result = gate_new();
    cf_future *f;
    occupy(ex, start, 1, &f);
    assert_ok(cf_future_on_done(f, hold_done, seen_result));
    gate_open(start);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_as_completed *it = NULL;
    assert_ok(cf_as_completed_create(&f, 1, &it));
    cf_future *next = NULL;
    assert_ok(cf_as_completed_next(it, CF_FOREVER, &next));
    gate_open(seen_result);
    cf_as_completed_destroy(it);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

static int
task_tid(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    gate_pass((gate *)arg);
    int tid = gettid();
    return cf_return(call, &tid, sizeof tid) != CF_OK;
}

/* The workers of a process pool are not in the program, where callbacks run. */
CF_THREAD_TEST(the_callback_of_a_task_runs_in_its_worker)
{
    cf_executor *ex = test_executor(2);
    gate *g = gate_new();
    cf_future *f = must_submit(ex, task_tid, g, 0);
    seen s = {0};
    assert_ok(cf_future_on_done(f, look, &s));
    gate_open(g);
    int tid = int_result(f);
    cf_executor_destroy(ex);
    expect_seen(&s, f, CF_OK, CF_FINISHED);
    cr_assert(s.thread == tid);
    cf_future_unref(f);
}

/* What a callback that does everything needs. */
typedef struct toolbox {
    cf_executor *ex;
    cf_future *other;
    gate *g;
    atomic_int calls;
    cf_err err;
} toolbox;

static void
use_everything(cf_future *f, void *data)
{
    toolbox *box = data;
    cf_future *g = NULL;
    box->err = cf_submit(box->ex, task_square, &(int){6}, sizeof(int), &g);
    if (box->err == CF_OK)
        box->err = cf_future_wait(g, CF_FOREVER);
    cf_future_unref(g);
    if (!cf_future_cancel(box->other))
        box->err = CF_ESTATE;
    /* f is done: this one is called before on_done returns. */
    if (cf_future_on_done(f, count_done, &box->calls) != CF_OK)
        box->err = CF_ENOMEM;
    atomic_fetch_add(&box->calls, 1);
}

CF_TEST(a_callback_may_submit_wait_cancel_and_add_callbacks)
{
    toolbox box = {.ex = test_executor(1), .other = promise()};
    cf_future *f = promise();
    assert_ok(cf_future_on_done(f, use_everything, &box));
    assert_ok(cf_future_set_result(f, NULL, 0));
    assert_ok(box.err);
    cr_assert(box.calls == 2);
    assert_state(box.other, CF_CANCELED);
    cf_future_unref(f);
    cf_future_unref(box.other);
    cf_executor_destroy(box.ex);
}

CF_CONCURRENT_TEST(a_callback_in_the_only_worker_may_submit_and_wait)
{
    toolbox box = {.ex = test_executor(1), .other = promise()};
    gate *g = gate_new();
    cf_future *f;
    occupy(box.ex, g, 1, &f);
    assert_ok(cf_future_on_done(f, use_everything, &box));
    gate_open(g);
    cf_executor *ex = box.ex;
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cf_executor_destroy(ex);
    assert_ok(box.err);
    cr_assert(box.calls == 2);
    cf_future_unref(f);
    cf_future_unref(box.other);
}

/* While one worker calls back, another one takes the next task. */
CF_WORKERS_TEST(CF_CONCURRENT_TEST,
                callbacks_added_while_it_completes_are_called_once)
{
    cf_executor *ex = test_executor(2);
    atomic_int *calls = counter_new();
    int added = 0;
    for (int i = 0; i < 500; i++) {
        cf_future *f = must_submit(ex, task_nothing, NULL, 0);
        do {
            assert_ok(cf_future_on_done(f, count_done, calls));
            added++;
        } while (!cf_future_done(f));
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
    cr_assert(*calls == added, "%d of %d", *calls, added);
}

static void
end_thread(cf_future *f, void *data)
{
    (void)f;
    (void)data;
    pthread_exit(NULL);
}

static void *
complete_and_end(void *data)
{
    (void)cf_future_set_result(data, NULL, 0);
    return NULL;
}

/* It must not; but the others do not pay for it. */
CF_TEST(a_callback_that_ends_its_thread_takes_no_other_along)
{
    cf_future *f = promise();
    atomic_int *calls = counter_new();
    pthread_t thread;
    assert_ok(cf_future_on_done(f, count_done, calls));
    assert_ok(cf_future_on_done(f, end_thread, NULL));
    assert_ok(cf_future_on_done(f, count_done, calls));
    assert_ok(cf_future_on_done(f, end_thread, NULL));
    assert_ok(cf_future_on_done(f, count_done, calls));
    cr_assert(pthread_create(&thread, NULL, complete_and_end, f) == 0);
    pthread_join(thread, NULL);
    cr_assert(*calls == 3, "%d", *calls);
    cf_future_unref(f);
}
