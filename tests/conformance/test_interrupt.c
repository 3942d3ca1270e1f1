/* SPDX-License-Identifier: MIT */
/*
 * A task that is told to stop: its waits end with CF_EINTERRUPTED, and those
 * that need not sleep succeed. The tasks wait for promises of the program.
 */
#include "tests/conformance/conformance.h"

#include <time.h>

/* What a task does while it waits, and what came of it. */
struct waiting {
    gate *g; /* arrived at just before it waits */
    cf_future *f;
    cf_future *satisfied; /* done from the start; or NULL */
    cf_err first, second, with_result;
    size_t done;
};

static struct waiting *
waiting_new(cf_future *f)
{
    struct waiting *w = shared_new(sizeof *w);
    w->g = gate_new();
    w->f = f;
    w->satisfied = promise_in(CF_FINISHED, false);
    w->first = w->second = w->with_result = CF_ESYS;
    return w;
}

static int
task_wait(cf_call *call, const void *arg, size_t arg_size)
{
    struct waiting *w = *(struct waiting *const *)arg;
    (void)call;
    (void)arg_size;
    gate_arrive(w->g);
    w->first = cf_future_wait(w->f, CF_FOREVER);
    w->second = cf_future_wait(w->f, CF_FOREVER);
    w->with_result = cf_future_result(w->satisfied, CF_FOREVER, NULL);
    return 0;
}

static int
task_wait_for_some(cf_call *call, const void *arg, size_t arg_size)
{
    struct waiting *w = *(struct waiting *const *)arg;
    cf_future *both[] = {w->satisfied, w->f};
    (void)call;
    (void)arg_size;
    gate_arrive(w->g);
    w->first = cf_wait(both, 2, CF_ALL_COMPLETED, CF_FOREVER, &w->done);
    w->second = cf_wait(&w->f, 1, CF_FIRST_COMPLETED, CF_FOREVER, NULL);
    w->with_result = cf_wait(both, 2, CF_FIRST_COMPLETED, CF_FOREVER, NULL);
    return 0;
}

static int
task_iterate(cf_call *call, const void *arg, size_t arg_size)
{
    struct waiting *w = *(struct waiting *const *)arg;
    cf_future *both[] = {w->f, w->satisfied};
    cf_as_completed *it = NULL;
    cf_future *out = NULL;
    (void)arg_size;
    if (cf_as_completed_create(both, 2, &it))
        return cf_fail(call, 1, "no iterator");
    w->with_result = cf_as_completed_next(it, CF_FOREVER, &out);
    gate_arrive(w->g);
    w->first = cf_as_completed_next(it, CF_FOREVER, &out);
    w->second = cf_as_completed_next(it, CF_FOREVER, &out);
    cf_as_completed_destroy(it);
    return 0;
}

static void
pause_ms(long ms)
{
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* The task is interrupted in its wait, and ends. */
static struct waiting *
interrupt_in(cf_task_fn *fn, long ms)
{
    cf_executor *ex = test_executor(2);
    struct waiting *w = waiting_new(promise());
    cf_future *f = must_submit(ex, fn, &w, sizeof w);
    gate_await(w->g, 1);
    if (ms)
        pause_ms(ms);
    cr_assert(cf_future_interrupt(f));
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    cf_future_unref(w->f);
    cf_future_unref(w->satisfied);
    cf_executor_destroy(ex);
    return w;
}

CF_THREAD_TEST(a_wait_ends_when_its_task_is_interrupted)
{
    struct waiting *w = interrupt_in(task_wait, 20);
    cr_expect(w->first == CF_EINTERRUPTED, "%s", cf_err_name(w->first));
    cr_expect(w->second == CF_EINTERRUPTED, "%s", cf_err_name(w->second));
    cr_expect(w->with_result == CF_OK, "%s", cf_err_name(w->with_result));
}

CF_THREAD_TEST(a_wait_that_is_about_to_begin_ends, .timeout = 60)
{
    for (int i = 0; i < 200; i++) {
        struct waiting *w = interrupt_in(task_wait, 0);
        cr_assert(w->first == CF_EINTERRUPTED, "%s", cf_err_name(w->first));
    }
}

CF_THREAD_TEST(a_wait_for_some_ends)
{
    struct waiting *w = interrupt_in(task_wait_for_some, 20);
    cr_expect(w->first == CF_EINTERRUPTED, "%s", cf_err_name(w->first));
    cr_expect(w->done == 1, "%zu", w->done);
    cr_expect(w->second == CF_EINTERRUPTED, "%s", cf_err_name(w->second));
    cr_expect(w->with_result == CF_OK, "%s", cf_err_name(w->with_result));
}

CF_THREAD_TEST(an_iteration_ends)
{
    struct waiting *w = interrupt_in(task_iterate, 20);
    cr_expect(w->first == CF_EINTERRUPTED, "%s", cf_err_name(w->first));
    cr_expect(w->second == CF_EINTERRUPTED, "%s", cf_err_name(w->second));
    cr_expect(w->with_result == CF_OK, "%s", cf_err_name(w->with_result));
}

CF_THREAD_TEST(a_wait_ends_when_its_task_outruns_its_timeout)
{
    cf_executor *ex = test_executor(2);
    struct waiting *w = waiting_new(promise());
    cf_task task = CF_TASK_INIT;
    task.fn = task_wait;
    task.arg = &w;
    task.arg_size = sizeof w;
    task.timeout_ns = 20000000;
    cf_future *f = NULL;
    assert_ok(cf_submit_task(ex, &task, &f));
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EDEADLINE);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cr_expect(w->first == CF_EINTERRUPTED, "%s", cf_err_name(w->first));
    cf_future_unref(f);
    cf_executor_destroy(ex);
    cf_future_unref(w->f);
    cf_future_unref(w->satisfied);
}

CF_THREAD_TEST(waits_end_when_the_executor_is_terminated)
{
    cf_executor *ex = test_executor(2);
    struct waiting *w = waiting_new(promise());
    cf_future *f = must_submit(ex, task_wait, &w, sizeof w);
    gate_await(w->g, 1);
    assert_ok(cf_executor_terminate(ex, 15));
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cr_expect(w->first == CF_EINTERRUPTED, "%s", cf_err_name(w->first));
    cf_future_unref(f);
    cf_executor_destroy(ex);
    cf_future_unref(w->f);
    cf_future_unref(w->satisfied);
}

/* A loop's data is the caller's: also an interrupted loop waits for its
 * ranges. */
struct loop {
    gate *begun;
    cf_future *f;
    atomic_int inside;
    cf_err err;
    int left_inside;
};

static int
wait_in_range(cf_call *call, size_t begin, size_t end, void *data)
{
    struct loop *loop = *(struct loop **)data;
    (void)begin;
    (void)end;
    atomic_fetch_add(&loop->inside, 1);
    gate_arrive(loop->begun);
    while (!cf_call_canceled(call))
        (void)cf_future_wait(loop->f, 1000000);
    atomic_fetch_sub(&loop->inside, 1);
    return 0;
}

static int
task_loop(cf_call *call, const void *arg, size_t arg_size)
{
    struct loop *loop = *(struct loop *const *)arg;
    (void)arg_size;
    loop->err = cf_parallel_for(
        cf_call_executor(call), 0, 4, 1, wait_in_range, &loop, NULL);
    loop->left_inside = atomic_load(&loop->inside);
    return 0;
}

CF_THREAD_TEST(an_interrupted_loop_waits_for_its_ranges)
{
    cf_executor *ex = test_executor(3);
    struct loop *loop = shared_new(sizeof *loop);
    loop->begun = gate_new();
    loop->f = promise();
    cf_future *f = must_submit(ex, task_loop, &loop, sizeof loop);
    gate_await(loop->begun, 2);
    cr_assert(cf_future_interrupt(f));
    /* On threads the task itself runs a range, which is not told. */
    assert_ok(cf_future_set_result(loop->f, NULL, 0));
    (void)cf_executor_terminate(ex, 15);
    assert_ok(cf_future_wait(f, CF_FOREVER));
    cr_expect(loop->left_inside == 0, "%d are inside", loop->left_inside);
    cf_future_unref(f);
    cf_executor_destroy(ex);
    cf_future_unref(loop->f);
}
