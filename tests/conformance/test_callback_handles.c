/* SPDX-License-Identifier: MIT */
/*
 * Callbacks, and functions that free an argument, may drop the last handle of
 * the future: it stays until all of them have run.
 */
#define _GNU_SOURCE
#include "tests/conformance/conformance.h"
#include "tests/conformance/seen.h"

/* A pool whose worker holds at the gate, and a task of it. */
typedef struct leftover {
    cf_executor *ex;
    cf_future *other;
    gate *g;
    atomic_int calls;
    cf_err err;
} leftover;

static void
drop_handle(cf_future *f, void *data)
{
    atomic_fetch_add((atomic_int *)data, 1);
    cf_future_unref(f);
}

CF_CONCURRENT_TEST(a_callback_may_drop_the_last_handle)
{
    cf_executor *ex = test_executor(1);
    atomic_int *calls = counter_new();
    for (int i = 0; i < 100; i++) {
        gate *g = gate_new();
        cf_future *f;
        occupy(ex, g, 1, &f);
        assert_ok(cf_future_on_done(f, drop_handle, calls));
        gate_open(g);
        assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    }
    cf_executor_destroy(ex);
    cr_assert(*calls == 100);
}

/* Drops the handle, and looks at what it was given all the same. */
static void
drop_and_look(cf_future *f, void *data)
{
    cf_future_unref(f);
    look(f, data);
}

/* The handle is all that is left: the worker has met the task's entry. */
static void
free_last_handle(void *arg)
{
    leftover *l = arg;
    gate_open(l->g);
    l->err = cf_executor_wait_idle(l->ex, CF_FOREVER);
    cf_future_unref(l->other);
}

/* Adds the two callbacks: the first one drops the handle. */
static void
drop_in_the_first_of_two(cf_future *f, seen seen_by[2])
{
    memset(seen_by, 0, 2 * sizeof *seen_by);
    assert_ok(cf_future_on_done(f, drop_and_look, &seen_by[0]));
    assert_ok(cf_future_on_done(f, look, &seen_by[1]));
}

CF_TEST(a_callback_may_drop_the_last_handle_before_others_look)
{
    seen s[2];
    cf_error error = CF_ERROR_INIT;
    cf_future *f = promise();
    drop_in_the_first_of_two(f, s);
    assert_ok(cf_future_set_result(f, "r", 1));
    expect_seen(&s[0], f, CF_OK, CF_FINISHED);
    expect_seen(&s[1], f, CF_OK, CF_FINISHED);
    f = promise();
    drop_in_the_first_of_two(f, s);
    assert_ok(cf_future_set_error(f, &error));
    expect_seen(&s[0], f, CF_ETASK, CF_FINISHED);
    expect_seen(&s[1], f, CF_ETASK, CF_FINISHED);
    f = promise();
    drop_in_the_first_of_two(f, s);
    cr_assert(cf_future_cancel(f));
    expect_seen(&s[0], f, CF_ECANCELED, CF_CANCELED);
    expect_seen(&s[1], f, CF_ECANCELED, CF_CANCELED);
    f = promise_in(CF_FINISHED, false);
    s[0].calls = 0;
    assert_ok(cf_future_on_done(f, drop_and_look, &s[0]));
    expect_seen(&s[0], f, CF_OK, CF_FINISHED);
}

/* The entry of the second task is in the queue until the worker meets it, which
 * holds a handle too: here it does in the midst of the callbacks. */
static void
drop_and_let_the_worker_go_on(cf_future *f, void *data)
{
    leftover *l = data;
    cf_future_unref(f);
    atomic_fetch_add(&l->calls, 1);
    gate_open(l->g);
    l->err = cf_executor_wait_idle(l->ex, CF_FOREVER);
}

CF_CONCURRENT_TEST(a_callback_may_drop_a_cancelled_task_that_left_the_queue)
{
    leftover l = {.ex = test_executor(1), .g = gate_new()};
    cf_future *held;
    occupy(l.ex, l.g, 1, &held);
    cf_future *f = must_submit(l.ex, task_nothing, NULL, 0);
    seen s = {0};
    assert_ok(cf_future_on_done(f, drop_and_let_the_worker_go_on, &l));
    assert_ok(cf_future_on_done(f, look, &s));
    cr_assert(cf_future_cancel(f));
    assert_ok(l.err);
    expect_seen(&s, f, CF_ECANCELED, CF_CANCELED);
    cf_future_unref(held);
    cf_executor_destroy(l.ex);
}

CF_CONCURRENT_TEST(freeing_the_argument_may_drop_the_last_handle)
{
    leftover l = {.ex = test_executor(1), .g = gate_new()};
    cf_future *held;
    occupy(l.ex, l.g, 1, &held);
    cf_task task = CF_TASK_INIT;
    task.fn = task_nothing;
    task.arg = &l;
    task.arg_free = free_last_handle;
    assert_ok(cf_submit_task(l.ex, &task, &l.other));
    seen s = {0};
    assert_ok(cf_future_on_done(l.other, look, &s));
    cr_assert(cf_future_cancel(l.other));
    assert_ok(l.err);
    expect_seen(&s, l.other, CF_ECANCELED, CF_CANCELED);
    cf_future_unref(held);
    cf_executor_destroy(l.ex);
}

CF_TEST(callbacks_of_a_future_without_handles_still_run)
{
    cf_executor *ex = test_executor(2);
    atomic_int *calls = counter_new();
    for (int i = 0; i < 500; i++) {
        cf_future *f = must_submit(ex, task_nothing, NULL, 0);
        assert_ok(cf_future_on_done(f, count_done, calls));
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
    cr_assert(*calls == 500);
}
