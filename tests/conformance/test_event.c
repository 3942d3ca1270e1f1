/* SPDX-License-Identifier: MIT */
/* Events: set, cleared, waited for. Python: test_locks.EventTests. */
#define _GNU_SOURCE

#include "tests/conformance/conformance.h"

#include <signal.h>
#include <unistd.h>

enum { MANY = 100 }; /* more than one call wakes at a time */

static cf_event *
event_new(void)
{
    cf_event *event = NULL;
    assert_ok(cf_event_create(&event));
    return event;
}

CF_TEST(an_event_is_set_and_cleared)
{
    cf_event *event = event_new();
    cr_expect(!cf_event_is_set(event));
    assert_err(cf_event_wait(event, 0), CF_ETIMEDOUT);
    assert_err(cf_event_wait(event, CF_MS(2)), CF_ETIMEDOUT);
    assert_ok(cf_event_set(event));
    assert_ok(cf_event_set(event));
    cr_expect(cf_event_is_set(event));
    assert_ok(cf_event_wait(event, 0));
    assert_ok(cf_event_wait(event, CF_FOREVER));
    assert_ok(cf_event_clear(event));
    cr_expect(!cf_event_is_set(event));
    assert_err(cf_event_wait(event, 0), CF_ETIMEDOUT);
    assert_err(cf_event_wait(event, -2), CF_EINVAL);
    cf_event_destroy(event);
}

static int
task_use(cf_call *call, const void *arg, size_t arg_size)
{
    cf_event *event = *(cf_event *const *)arg;
    (void)arg_size;
    if (cf_event_wait(event, 1) != CF_ETIMEDOUT || cf_event_set(event) ||
        cf_event_wait(event, CF_FOREVER) || cf_event_clear(event))
        return cf_fail(call, 1, "a step failed");
    return 0;
}

CF_SHARED_MEMORY_TEST(a_task_uses_an_event)
{
    cf_event *event = event_new();
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_use, &event, sizeof event);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    cf_executor_destroy(ex);
    cf_event_destroy(event);
}

/* A task that waits, and what came of it. */
struct waiting {
    cf_event *event;
    gate *g; /* arrived at just before it waits */
    int64_t timeout_ns;
};

static int
task_wait(cf_call *call, const void *arg, size_t arg_size)
{
    const struct waiting *w = arg;
    (void)arg_size;
    gate_arrive(w->g);
    cf_err err = cf_event_wait(w->event, w->timeout_ns);
    return cf_return(call, &(int){(int)err}, sizeof(int));
}

/* Submits count tasks that wait, and returns when all are about to. */
static void
start_waits(cf_executor *ex, struct waiting *w, int count, cf_future **out)
{
    w->g = gate_new();
    for (int i = 0; i < count; i++)
        out[i] = must_submit(ex, task_wait, w, sizeof *w);
    gate_await(w->g, count);
}

CF_THREAD_TEST(a_set_ends_all_waits)
{
    struct waiting w = {.event = event_new(), .timeout_ns = CF_FOREVER};
    cf_executor *ex = test_executor(MANY);
    cf_future *futures[MANY];
    start_waits(ex, &w, MANY, futures);
    assert_ok(cf_event_set(w.event));
    for (int i = 0; i < MANY; i++)
        cr_expect(int_result(futures[i]) == CF_OK);
    unref_all(futures, MANY);
    cf_executor_destroy(ex);
    cf_event_destroy(w.event);
}

static int
task_set(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    return (int)cf_event_set(*(cf_event *const *)arg);
}

CF_THREAD_TEST(a_task_ends_the_wait_of_another_one)
{
    struct waiting w = {.event = event_new(), .timeout_ns = CF_FOREVER};
    cf_executor *ex = test_executor(2);
    cf_future *waits, *sets;
    start_waits(ex, &w, 1, &waits);
    sets = must_submit(ex, task_set, &w.event, sizeof w.event);
    cr_expect(int_result(waits) == CF_OK);
    assert_ok(cf_future_result(sets, CF_FOREVER, NULL));
    cf_future_unref(waits);
    cf_future_unref(sets);
    cf_executor_destroy(ex);
    cf_event_destroy(w.event);
}

CF_THREAD_TEST(a_task_ends_the_wait_of_a_thread)
{
    cf_event *event = event_new();
    cf_executor *ex = test_executor(1);
    cf_future *sets = must_submit(ex, task_set, &event, sizeof event);
    assert_ok(cf_event_wait(event, CF_FOREVER));
    cf_event_destroy(event); /* the set may still be under way */
    assert_ok(cf_future_result(sets, CF_FOREVER, NULL));
    cf_future_unref(sets);
    cf_executor_destroy(ex);
}

static int
task_set_and_clear(cf_call *call, const void *arg, size_t arg_size)
{
    cf_event *event = *(cf_event *const *)arg;
    (void)call;
    (void)arg_size;
    return (int)(cf_event_set(event) || cf_event_clear(event));
}

CF_THREAD_TEST(a_wait_ends_though_the_event_is_cleared_at_once)
{
    struct waiting w = {.event = event_new(), .timeout_ns = CF_FOREVER};
    cf_executor *ex = test_executor(2);
    cf_future *f;
    start_waits(ex, &w, 1, &f);
    /* The wait may begin after a clear. Then the next set ends it. */
    while (!cf_future_done(f)) {
        cf_future *sets =
            must_submit(ex, task_set_and_clear, &w.event, sizeof w.event);
        assert_ok(cf_future_result(sets, CF_FOREVER, NULL));
        cf_future_unref(sets);
    }
    cr_expect(int_result(f) == CF_OK);
    cr_expect(!cf_event_is_set(w.event));
    cf_future_unref(f);
    cf_executor_destroy(ex);
    cf_event_destroy(w.event);
}

CF_THREAD_TEST(an_interrupt_ends_a_wait)
{
    struct waiting w = {.event = event_new(), .timeout_ns = CF_FOREVER};
    cf_executor *ex = test_executor(2);
    cf_future *futures[2];
    start_waits(ex, &w, 2, futures);
    cr_assert(cf_future_interrupt(futures[0]));
    cr_expect(int_result(futures[0]) == CF_EINTERRUPTED);
    assert_ok(cf_event_set(w.event));
    cr_expect(int_result(futures[1]) == CF_OK);
    unref_all(futures, 2);
    cf_executor_destroy(ex);
    cf_event_destroy(w.event);
}

static int
task_wait_when_told_to_stop(cf_call *call, const void *arg, size_t arg_size)
{
    const struct waiting *w = arg;
    (void)arg_size;
    gate_pass(w->g);
    cf_err err = cf_event_wait(w->event, CF_FOREVER); /* is set: goes well */
    (void)cf_event_clear(w->event);
    if (err || cf_event_wait(w->event, CF_FOREVER) != CF_EINTERRUPTED)
        return cf_fail(call, 1, "%s", cf_err_name(err));
    return 0;
}

CF_THREAD_TEST(a_satisfied_wait_wins_over_an_interrupt)
{
    struct waiting w = {.event = event_new(), .g = gate_new()};
    cf_executor *ex = test_executor(2);
    assert_ok(cf_event_set(w.event));
    cf_future *f = must_submit(ex, task_wait_when_told_to_stop, &w, sizeof w);
    gate_await(w.g, 1);
    cr_assert(cf_future_interrupt(f));
    gate_open(w.g);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    cf_executor_destroy(ex);
    cf_event_destroy(w.event);
}

CF_THREAD_TEST(a_wait_in_a_task_ends_in_time)
{
    struct waiting w = {.event = event_new(), .timeout_ns = CF_MS(3)};
    cf_executor *ex = test_executor(1);
    cf_future *f;
    start_waits(ex, &w, 1, &f);
    cr_expect(int_result(f) == CF_ETIMEDOUT);
    cf_future_unref(f);
    cf_executor_destroy(ex);
    cf_event_destroy(w.event);
}

static void
set_event(cf_future *f, void *event)
{
    (void)f;
    (void)cf_event_set(event);
}

static void
wait_for_event(cf_future *f, void *event)
{
    (void)f;
    (void)cf_event_wait(event, CF_FOREVER);
}

CF_TEST(a_wait_in_a_callback_runs_those_that_are_due)
{
    cf_event *event = event_new();
    cf_future *f = promise();
    assert_ok(cf_future_on_done(f, wait_for_event, event));
    assert_ok(cf_future_on_done(f, set_event, event));
    assert_ok(cf_future_set_result(f, NULL, 0));
    cr_expect(cf_event_is_set(event));
    cf_future_unref(f);
    cf_event_destroy(event);
}

struct thread {
    cf_event *event;
    atomic_int tid;
};

static void *
wait_in_thread(void *arg)
{
    struct thread *thread = arg;
    atomic_store(&thread->tid, gettid());
    (void)cf_event_wait(thread->event, CF_FOREVER);
    return NULL;
}

CF_TEST(destroying_an_event_that_someone_waits_for_aborts, .signal = SIGABRT)
{
    struct thread thread = {.event = event_new()};
    pthread_t id;
    cr_assert(pthread_create(&id, NULL, wait_in_thread, &thread) == 0);
    while (atomic_load(&thread.tid) == 0)
        continue;
    await_asleep(atomic_load(&thread.tid));
    cf_event_destroy(thread.event);
}
