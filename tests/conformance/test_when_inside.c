/* SPDX-License-Identifier: MIT */
/*
 * Tasks that wait, inside, for a task that waits for others: it must not hold
 * up the one worker that there is, and circles are found.
 */
#include "tests/conformance/require.h"
#include "tests/conformance/when.h"

#include <sched.h>

static int
complete(cf_call *call, const void *arg, size_t arg_size)
{
    cf_future *const *p = arg;
    (void)arg_size;
    REQUIRE(cf_future_set_result(*p, NULL, 0) == CF_OK);
    return 0;
}

/* What its own executor's tasks see. */
static int
wait_for_a_graph(cf_call *call, const void *arg, size_t arg_size)
{
    cf_executor *ex = cf_call_executor(call);
    cf_future *p, *f[4];
    cf_task nothing = CF_TASK(.fn = task_nothing);
    cf_task task = CF_TASK(.fn = complete, .arg = &p, .arg_size = sizeof p);
    (void)arg;
    (void)arg_size;
    /* f[0] waits for a promise that f[1], also an input, completes; f[3] waits
     * for f[0]. */
    REQUIRE(cf_future_create(&p) == CF_OK);
    REQUIRE(cf_submit_task(ex, &task, &f[1]) == CF_OK);
    REQUIRE(cf_submit_when(ex, &nothing, (cf_future *[]){p, f[1]}, 2, &f[0]) ==
            CF_OK);
    REQUIRE(cf_submit_when(ex, &nothing, &f[0], 1, &f[2]) == CF_OK);
    REQUIRE(cf_submit_when(ex, &nothing, f, 3, &f[3]) == CF_OK);
    REQUIRE(cf_future_result(f[3], CF_FOREVER, NULL) == CF_OK);
    for (int i = 0; i < 4; i++) {
        REQUIRE(cf_future_done(f[i]));
        cf_future_unref(f[i]);
    }
    cf_future_unref(p);
    return 0;
}

CF_TEST(a_task_may_wait_for_a_graph)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, wait_for_a_graph, NULL, 0);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* The same with an iterator, in which what waits comes first. */
static int
iterate_over_a_graph(cf_call *call, const void *arg, size_t arg_size)
{
    enum { N = 20 };
    cf_executor *ex = cf_call_executor(call);
    cf_future *p, *futures[N], *done;
    cf_as_completed *it;
    cf_task task = CF_TASK(.fn = complete, .arg = &p, .arg_size = sizeof p);
    cf_task nothing = CF_TASK(.fn = task_nothing);
    (void)arg;
    (void)arg_size;
    REQUIRE(cf_future_create(&p) == CF_OK);
    for (int i = 0; i < N - 1; i++)
        REQUIRE(cf_submit_when(
                    ex, &nothing, i ? &futures[i - 1] : &p, 1, &futures[i]) ==
                CF_OK);
    REQUIRE(cf_submit_task(ex, &task, &futures[N - 1]) == CF_OK);
    REQUIRE(cf_as_completed_create(futures, N, &it) == CF_OK);
    for (int i = 0; i < N; i++)
        REQUIRE(cf_as_completed_next(it, CF_FOREVER, &done) == CF_OK);
    REQUIRE(cf_as_completed_next(it, CF_FOREVER, &done) == CF_EDONE);
    cf_as_completed_destroy(it);
    unref_all(futures, N);
    cf_future_unref(p);
    return 0;
}

CF_SHARED_MEMORY_TEST(a_task_may_iterate_over_a_graph)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, iterate_over_a_graph, NULL, 0);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

static int
wait_for_delayed(cf_call *call, const void *arg, size_t arg_size)
{
    cf_executor *ex = cf_call_executor(call);
    cf_future *f, *g;
    cf_task task = CF_TASK(.fn = task_nothing, .delay_ns = CF_MS(5));
    (void)arg;
    (void)arg_size;
    REQUIRE(cf_submit_task(ex, &task, &f) == CF_OK);
    REQUIRE(cf_submit_when(ex, &task, &f, 1, &g) == CF_OK);
    REQUIRE(cf_future_wait(g, 0) == CF_ETIMEDOUT);
    REQUIRE(cf_future_result(g, CF_FOREVER, NULL) == CF_OK);
    REQUIRE(cf_future_done(f));
    cf_future_unref(f);
    cf_future_unref(g);
    return 0;
}

CF_SHARED_MEMORY_TEST(a_task_may_wait_for_a_delayed_one)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, wait_for_delayed, NULL, 0);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* Waits for *arg, and returns what that returned. */
static int
wait_for_it(cf_call *call, const void *arg, size_t arg_size)
{
    cf_future *const *f = arg;
    (void)arg_size;
    int err = (int)cf_future_wait(*f, CF_FOREVER);
    return cf_return(call, &err, sizeof err);
}

/* The one worker waits for a task whose input another thread completes. */
CF_THREAD_TEST(a_worker_that_waits_runs_what_becomes_ready)
{
    for (int i = 0; i < 50; i++) {
        cf_executor *ex = test_executor(1);
        gate *g = gate_new();
        cf_future *p = promise(), *held, *last;
        cf_task task = CF_TASK(.fn = task_square,
                               .arg = &(int){3},
                               .arg_size = sizeof(int));
        occupy(ex, g, 1, &held);
        last = must_submit_when(ex, &task, &p, 1);
        cf_future *f = must_submit(ex, wait_for_it, &last, sizeof(void *));
        gate_open(g);
        while (i % 2 && cf_future_state(f) == CF_PENDING)
            sched_yield();
        keep(p);
        cr_assert(int_result(f) == CF_OK);
        cr_assert(int_result(last) == 9);
        unref_all((cf_future *[]){p, held, last, f}, 4);
        cf_executor_destroy(ex);
    }
}

CF_THREAD_TEST(a_wait_ends_when_what_it_waits_for_is_canceled)
{
    cf_executor *ex = test_executor(1);
    cf_future *p = promise(), *f, *waiter;
    cf_task task = CF_TASK(.fn = task_nothing);
    f = must_submit_when(ex, &task, &p, 1);
    waiter = must_submit(ex, wait_for_it, &f, sizeof(void *));
    while (cf_future_state(waiter) == CF_PENDING)
        sched_yield();
    cr_assert(cf_future_cancel(f));
    cr_assert(int_result(waiter) == CF_OK);
    unref_all((cf_future *[]){p, f, waiter}, 3);
    cf_executor_destroy(ex);
}

CF_THREAD_TEST(an_interrupt_ends_a_wait_for_a_task_that_waits)
{
    cf_executor *ex = test_executor(1);
    cf_future *p = promise(), *f, *waiter;
    cf_task task = CF_TASK(.fn = task_nothing);
    f = must_submit_when(ex, &task, &p, 1);
    waiter = must_submit(ex, wait_for_it, &f, sizeof(void *));
    while (cf_future_state(waiter) == CF_PENDING)
        sched_yield();
    cr_assert(cf_future_interrupt(waiter));
    cr_assert(int_result(waiter) == CF_EINTERRUPTED);
    cr_assert(cf_future_cancel(f));
    unref_all((cf_future *[]){p, f, waiter}, 3);
    cf_executor_destroy(ex);
}

/* A task that waits for one that waits for it, over others that wait. */
CF_THREAD_TEST(a_circle_over_inputs_is_found)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *held, *first, *chain[10];
    cf_task task = CF_TASK(.fn = task_nothing);
    occupy(ex, g, 1, &held);
    cf_future **argument = cf_shared_alloc(ex, sizeof(void *));
    cr_assert(argument != NULL);
    first = must_submit(ex, wait_for_it, argument, 0);
    for (int i = 0; i < 10; i++)
        chain[i] = must_submit_when(ex, &task, i ? &chain[i - 1] : &first, 1);
    *argument = chain[9]; /* before the gate opens */
    gate_open(g);
    cr_assert(int_result(first) == CF_EDEADLK);
    assert_ok(cf_future_result(chain[9], CF_FOREVER, NULL));
    unref_all(chain, 10);
    cf_future_unref(first);
    cf_future_unref(held);
    cf_shared_free(ex, argument);
    cf_executor_destroy(ex);
}
