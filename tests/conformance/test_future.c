/* SPDX-License-Identifier: MIT */
/*
 * What a future answers in each of its states, and how it is waited for. The
 * futures here are completed by hand, so that the rules are shown without any
 * backend; test_promise.c shows the completing side.
 */
#define _GNU_SOURCE
#include "tests/conformance/conformance.h"

#include <unistd.h>

/* CPython's constant futures (its two kinds of cancelled are one here), and
 * what each has to answer. */
static const struct {
    cf_state state;
    bool failed;
    bool can_cancel;
    cf_err result;
    const char *name;
} states[] = {
    {CF_PENDING, false, true, CF_ETIMEDOUT, "pending"},
    {CF_RUNNING, false, false, CF_ETIMEDOUT, "running"},
    {CF_CANCELED, false, true, CF_ECANCELED, "canceled"},
    {CF_FINISHED, true, false, CF_ETASK, "finished"},
    {CF_FINISHED, false, false, CF_OK, "finished"},
};
enum { N_STATES = sizeof states / sizeof states[0] };

/* CPython: test_future.test_cancel */
CF_TEST(cancel_succeeds_unless_the_task_runs_or_has_finished)
{
    for (int i = 0; i < N_STATES; i++) {
        cf_future *f = promise_in(states[i].state, states[i].failed);
        cr_assert(cf_future_cancel(f) == states[i].can_cancel, "state %d", i);
        assert_state(f, states[i].can_cancel ? CF_CANCELED : states[i].state);
        cf_future_unref(f);
    }
}

/* CPython: test_future.test_cancelled, test_done, test_running */
CF_TEST(state_and_done_agree_in_every_state)
{
    for (int i = 0; i < N_STATES; i++) {
        cf_future *f = promise_in(states[i].state, states[i].failed);
        assert_state(f, states[i].state);
        bool done =
            states[i].state == CF_CANCELED || states[i].state == CF_FINISHED;
        cr_assert(cf_future_done(f) == done, "state %d", i);
        cf_future_unref(f);
    }
}

/* CPython: test_future.test_repr */
CF_TEST(every_state_has_a_name)
{
    for (int i = 0; i < N_STATES; i++)
        cr_assert_str_eq(cf_state_name(states[i].state), states[i].name);
    cr_assert_not_null(cf_state_name((cf_state)99));
}

/* CPython: test_future.test_result_with_timeout */
CF_TEST(result_with_timeout_0_polls_in_every_state)
{
    for (int i = 0; i < N_STATES; i++) {
        cf_future *f = promise_in(states[i].state, states[i].failed);
        const char untouched = 'u';
        cf_bytes bytes = {&untouched, 77};
        assert_err(cf_future_result(f, 0, &bytes), states[i].result);
        if (states[i].result == CF_OK) {
            cr_assert(bytes.size == sizeof(int) && *(int *)bytes.data == 42);
        } else {
            cr_assert(bytes.data == &untouched && bytes.size == 77);
        }
        cf_future_unref(f);
    }
}

/* CPython: test_future.test_exception_with_timeout */
CF_TEST(only_a_failed_future_has_an_error)
{
    for (int i = 0; i < N_STATES; i++) {
        cf_future *f = promise_in(states[i].state, states[i].failed);
        const cf_error *error = cf_future_error(f);
        cr_assert((error != NULL) == states[i].failed, "state %d", i);
        if (error != NULL) {
            cr_assert(error->kind == CF_ETASK && error->code == 5);
            cr_assert_str_eq(error->message, "five");
        }
        cf_future_unref(f);
    }
}

CF_TEST(every_future_has_a_message)
{
    static const char *const messages[N_STATES] = {"the task has not begun",
                                                   "the task is running",
                                                   "the task was cancelled",
                                                   "five",
                                                   "no error"};
    for (int i = 0; i < N_STATES; i++) {
        cf_future *f = promise_in(states[i].state, states[i].failed);
        cr_assert_str_eq(cf_future_message(f), messages[i]);
        cf_future_unref(f);
    }
    cf_future *f = promise();
    cf_error error = CF_ERROR_INIT;
    error.kind = CF_EBROKEN;
    error.message = NULL;
    assert_ok(cf_future_set_error(f, &error));
    cr_assert_str_eq(cf_future_message(f), cf_strerror(CF_EBROKEN));
    cf_future_unref(f);
    cr_assert_str_eq(cf_future_message(NULL), cf_strerror(CF_EINVAL));
}

CF_TEST(wait_with_timeout_0_says_whether_the_future_is_done)
{
    for (int i = 0; i < N_STATES; i++) {
        cf_future *f = promise_in(states[i].state, states[i].failed);
        assert_err(cf_future_wait(f, 0),
                   cf_future_done(f) ? CF_OK : CF_ETIMEDOUT);
        cf_future_unref(f);
    }
}

CF_TEST(a_wait_that_runs_out_changes_nothing)
{
    cf_future *f = promise();
    assert_err(cf_future_wait(f, CF_MS(5)), CF_ETIMEDOUT);
    assert_err(cf_future_result(f, CF_MS(5), NULL), CF_ETIMEDOUT);
    assert_state(f, CF_PENDING);
    cr_assert(cf_future_start(f));
    assert_err(cf_future_wait(f, CF_MS(5)), CF_ETIMEDOUT);
    assert_ok(cf_future_set_result(f, NULL, 0));
    assert_ok(cf_future_wait(f, CF_FOREVER));
    cf_future_unref(f);
}

CF_TEST(bad_arguments_are_einval)
{
    cf_future *f = promise_in(CF_FINISHED, false);
    assert_err(cf_future_wait(NULL, 0), CF_EINVAL);
    assert_err(cf_future_wait(f, -2), CF_EINVAL);
    assert_err(cf_future_result(NULL, 0, NULL), CF_EINVAL);
    assert_err(cf_future_result(f, -2, NULL), CF_EINVAL);
    assert_err(cf_future_create(NULL), CF_EINVAL);
    cf_future_unref(f);
}

CF_TEST(null_handles_can_be_kept_and_dropped)
{
    cr_assert_null(cf_future_ref(NULL));
    cf_future_unref(NULL);
}

CF_TEST(every_handle_keeps_the_result_alive)
{
    cf_future *f = promise_in(CF_FINISHED, false);
    cr_assert(cf_future_ref(f) == f);
    cf_future_unref(f);
    cr_assert(int_result(f) == 42);
    cr_assert(int_result(f) == 42, "a result can be read again");
    assert_ok(cf_future_result(f, 0, NULL));
    cf_future_unref(f);
}

/* Another thread that waits for a future. */
typedef struct waiter {
    pthread_t thread;
    gate *started;
    cf_future *f;
    pid_t tid;
    cf_err err;
    int value;
} waiter;

static void *
waiter_main(void *arg)
{
    waiter *w = arg;
    w->tid = gettid();
    gate_arrive(w->started);
    cf_bytes bytes = {NULL, 0};
    w->err = cf_future_result(w->f, CF_SECONDS(50), &bytes);
    if (w->err == CF_OK)
        w->value = *(const int *)bytes.data;
    return NULL;
}

enum { N_WAITERS = 8 };

/* Returns when all sleep in cf_future_result(). */
static void
start_waiters(waiter *waiters, cf_future *f)
{
    for (int i = 0; i < N_WAITERS; i++) {
        waiters[i] = (waiter){.f = f, .started = gate_new()};
        cr_assert(pthread_create(
                      &waiters[i].thread, NULL, waiter_main, &waiters[i]) == 0);
    }
    for (int i = 0; i < N_WAITERS; i++) {
        gate_await(waiters[i].started, 1);
        await_asleep(waiters[i].tid);
    }
}

static void
join_waiters(waiter *waiters, cf_err expected)
{
    for (int i = 0; i < N_WAITERS; i++) {
        pthread_join(waiters[i].thread, NULL);
        assert_err(waiters[i].err, expected);
    }
}

/* CPython: test_future.test_result_with_success */
CF_TEST(a_result_wakes_every_thread_that_sleeps_for_it)
{
    cf_future *f = promise();
    waiter waiters[N_WAITERS];
    start_waiters(waiters, f);
    assert_ok(cf_future_set_result(f, &(int){42}, sizeof(int)));
    join_waiters(waiters, CF_OK);
    for (int i = 0; i < N_WAITERS; i++)
        cr_assert(waiters[i].value == 42);
    cf_future_unref(f);
}

/* CPython: test_future.test_result_with_cancel */
CF_TEST(a_cancel_wakes_every_thread_that_sleeps_for_the_result)
{
    cf_future *f = promise();
    waiter waiters[N_WAITERS];
    start_waiters(waiters, f);
    cr_assert(cf_future_cancel(f));
    join_waiters(waiters, CF_ECANCELED);
    cf_future_unref(f);
}

/* CPython: test_future.test_exception_with_success */
CF_TEST(an_error_wakes_every_thread_that_sleeps_for_the_result)
{
    cf_future *f = promise();
    waiter waiters[N_WAITERS];
    start_waiters(waiters, f);
    cf_error error = CF_ERROR_INIT;
    assert_ok(cf_future_set_error(f, &error));
    join_waiters(waiters, CF_ETASK);
    cf_future_unref(f);
}

/* Four readers look while the future goes from pending to finished. */
typedef struct snapshot {
    cf_future *f;
    gate *go;
    bool torn;
} snapshot;

static void *
snapshot_main(void *arg)
{
    snapshot *s = arg;
    gate_pass(s->go);
    for (;;) {
        cf_state state = cf_future_state(s->f);
        cf_bytes bytes = {NULL, 0};
        cf_err err = cf_future_result(s->f, 0, &bytes);
        bool finished = state == CF_FINISHED;
        if (state == CF_CANCELED || (finished && err != CF_OK) ||
            (err == CF_OK && *(const int *)bytes.data != 42) ||
            cf_future_error(s->f) != NULL)
            s->torn = true;
        if (finished || s->torn)
            return NULL;
    }
}

/* CPython: test_future.test_get_snapshot (3.15) */
CF_TEST(readers_never_see_a_half_finished_future)
{
    enum { READERS = 4, ROUNDS = 50 };
    for (int round = 0; round < ROUNDS; round++) {
        cf_future *f = promise();
        gate *go = gate_new();
        pthread_t threads[READERS];
        snapshot readers[READERS];
        for (int i = 0; i < READERS; i++) {
            readers[i] = (snapshot){f, go, false};
            cr_assert(pthread_create(
                          &threads[i], NULL, snapshot_main, &readers[i]) == 0);
        }
        gate_await(go, READERS);
        gate_open(go);
        cr_assert(cf_future_start(f));
        assert_ok(cf_future_set_result(f, &(int){42}, sizeof(int)));
        for (int i = 0; i < READERS; i++) {
            pthread_join(threads[i], NULL);
            cr_assert_not(readers[i].torn);
        }
        cf_future_unref(f);
    }
}
