/* SPDX-License-Identifier: MIT */
/*
 * Tasks that wait for others, or for their time, when their executor ends, is
 * full, or is a fork's.
 */
#include "tests/conformance/children.h"
#include "tests/conformance/when.h"

#include <signal.h>

static const char too_late[] = "the executor was shut down before it could "
                               "begin";

/* Tasks that wait: for a promise, for a time, for both. */
typedef struct waiting {
    cf_future *p, *f[3];
    atomic_int *ran, called;
} waiting;

static void
begin_waiting(waiting *w, cf_executor *ex, atomic_int *ran)
{
    cf_task late =
        CF_TASK(.fn = task_count, .arg = ran, .delay_ns = CF_SECONDS(5000));
    *w = (waiting){.p = promise(), .ran = ran};
    w->f[0] = count_when(ex, ran, &w->p, 1);
    assert_ok(cf_submit_task(ex, &late, &w->f[1]));
    w->f[2] = must_submit_when(ex, &late, &w->p, 1);
    for (int i = 0; i < 3; i++) {
        assert_state(w->f[i], CF_PENDING);
        assert_ok(cf_future_on_done(w->f[i], count_done, &w->called));
    }
}

/* The executor has ended, and the callbacks have run. */
static void
expect_ended(waiting *w, bool canceled)
{
    cr_assert(atomic_load(&w->called) == 3, "%d", atomic_load(&w->called));
    for (int i = 0; i < 3; i++) {
        if (canceled)
            assert_state(w->f[i], CF_CANCELED);
        else
            expect_error(w->f[i], CF_ESHUTDOWN, too_late);
    }
    keep(w->p);
    unref_all(w->f, 3);
    cf_future_unref(w->p);
    cr_assert(atomic_load(w->ran) == 0);
}

CF_TEST(a_shutdown_fails_what_waits)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(1);
    waiting w;
    cf_future *f = NULL;
    begin_waiting(&w, ex, ran);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    cr_assert(stats_of(ex).canceled == 3 && stats_of(ex).queued == 0);
    cf_task task = CF_TASK(.fn = task_nothing);
    assert_err(cf_submit_when(ex, &task, &w.p, 1, &f), CF_ESHUTDOWN);
    task.delay_ns = 1;
    assert_err(cf_submit_task(ex, &task, &f), CF_ESHUTDOWN);
    cr_assert(f == NULL, "an error left a future");
    expect_ended(&w, false);
    cf_executor_destroy(ex);
}

CF_TEST(a_shutdown_without_waiting_fails_what_waits)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(1);
    waiting w;
    begin_waiting(&w, ex, ran);
    assert_ok(cf_executor_shutdown(ex, CF_SHUTDOWN_NOWAIT, 0));
    expect_ended(&w, false);
    cf_executor_destroy(ex);
}

CF_TEST(a_shutdown_may_cancel_what_waits)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(1);
    waiting w;
    begin_waiting(&w, ex, ran);
    assert_ok(cf_executor_shutdown(ex, CF_SHUTDOWN_CANCEL, CF_FOREVER));
    expect_ended(&w, true);
    cf_executor_destroy(ex);
}

CF_TEST(terminate_cancels_what_waits)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(1);
    waiting w;
    begin_waiting(&w, ex, ran);
    assert_ok(cf_executor_terminate(ex, SIGTERM));
    expect_ended(&w, true);
    cf_executor_destroy(ex);
}

CF_TEST(destroy_fails_what_waits)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(1);
    waiting w;
    begin_waiting(&w, ex, ran);
    cf_executor_destroy(ex);
    expect_ended(&w, false);
}

static void
destroy(cf_future *f, void *ex)
{
    (void)f;
    cf_executor_destroy(ex);
}

CF_TEST(a_callback_of_a_skipped_task_may_destroy_its_executor)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(1);
    cf_future *p = promise();
    cf_future *f = count_when(ex, ran, &p, 1);
    assert_ok(cf_future_on_done(f, destroy, ex));
    break_promise(p);
    expect_error(f, CF_ETASK, "not run: input 0 failed: five");
    cf_future_unref(f);
    cf_future_unref(p);
}

CF_TEST(a_callback_of_a_canceled_task_may_destroy_its_executor)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(1);
    cf_future *p = promise();
    cf_future *f = count_when(ex, ran, &p, 1);
    assert_ok(cf_future_on_done(f, destroy, ex));
    cr_assert(cf_future_cancel(f));
    cf_future_unref(f);
    keep(p);
    cf_future_unref(p);
}

/* What is due when its executor has gone already. */
CF_TEST(an_input_may_be_done_after_the_executor_has_gone)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(1);
    cf_future *p = promise();
    assert_ok(cf_future_on_done(p, destroy, ex));
    cf_future *f = count_when(ex, ran, &p, 1);
    keep(p); /* the task is queued first, so it runs */
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cr_assert(atomic_load(ran) == 1);
    cf_future_unref(f);
    cf_future_unref(p);
}

/* --- arguments that are objects ------------------------------------------- */

/* Knows how many there are. */
typedef struct token {
    int *alive; /* NULL: it has been moved from */
} token;

static void
token_move(void *to, void *from)
{
    *(token *)to = *(token *)from;
    ((token *)from)->alive = NULL;
}

static void
token_destroy(void *object)
{
    const token *t = object;
    if (t->alive)
        --*t->alive;
}

static const cf_object_ops token_ops = {
    sizeof(token), token_move, token_destroy};

enum { RUN, CANCEL, SKIP, SHUT_DOWN, ENDS };

static void
end_wait(int end, cf_executor *ex, cf_future *p, cf_future *f)
{
    static const cf_err expected[ENDS] = {
        CF_OK, CF_ECANCELED, CF_ETASK, CF_ESHUTDOWN};
    if (end == RUN)
        keep(p);
    else if (end == CANCEL)
        cr_assert(cf_future_cancel(f));
    else if (end == SKIP)
        break_promise(p);
    else
        assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    assert_err(cf_future_result(f, CF_FOREVER, NULL), expected[end]);
}

CF_SHARED_MEMORY_TEST(an_object_waits_with_its_task)
{
    cf_executor *ex = test_executor(1);
    for (int end = 0; end < ENDS; end++) {
        int alive = 1;
        token t = {&alive};
        cf_future *p = promise();
        cf_task task =
            CF_TASK(.fn = task_nothing, .arg = &t, .arg_ops = &token_ops);
        cf_future *f = must_submit_when(ex, &task, &p, 1);
        cr_assert(t.alive == NULL && alive == 1, "it was not moved");
        end_wait(end, ex, p, f);
        cr_assert(alive == 0, "end %d", end);
        cf_future_unref(f);
        if (end == SHUT_DOWN) { /* it comes back */
            t.alive = &alive;
            assert_err(cf_submit_when(ex, &task, &p, 1, &f), CF_ESHUTDOWN);
            cr_assert(t.alive == &alive && alive == 0);
        }
        cf_future_unref(p);
    }
    cf_executor_destroy(ex);
}

/* --- forks ---------------------------------------------------------------- */

CF_TEST(a_child_runs_none_of_the_tasks_that_wait)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(1);
    cf_future *p = promise(), *q = promise(), *out = NULL;
    cf_task late =
        CF_TASK(.fn = task_count, .arg = ran, .delay_ns = CF_SECONDS(5000));
    cf_future *f = count_when(ex, ran, (cf_future *[]){p, q}, 2), *g;
    assert_ok(cf_submit_task(ex, &late, &g));
    keep(q);
    pid_t child = fork_child();
    if (child == 0) {
        child_check(cf_future_set_result(p, NULL, 0) == CF_OK);
        child_check(cf_future_state(f) == CF_PENDING);
        child_check(cf_future_wait(f, CF_FOREVER) == CF_EFORKED);
        child_check(cf_future_wait(g, CF_FOREVER) == CF_EFORKED);
        child_check(!cf_future_cancel(f) && !cf_future_cancel(g));
        child_check(cf_submit_when(ex, &late, &p, 1, &out) == CF_EFORKED);
        child_check(cf_submit_task(ex, &late, &out) == CF_EFORKED);
        cf_executor *own = NULL;
        child_check(cf_inline_create(&own) == CF_OK);
        late.delay_ns = 0;
        child_check(cf_submit_when(own, &late, &f, 1, &out) == CF_EFORKED);
        child_check(cf_submit_when(own, &late, &p, 1, &out) == CF_OK);
        child_check(cf_future_result(out, 0, NULL) == CF_OK);
        cf_future_unref(out);
        cf_executor_destroy(own);
        cf_executor_destroy(ex);
        cf_future_unref(f);
        cf_future_unref(g);
        _exit(0);
    }
    expect_clean_exit(child);
    cr_assert(atomic_load(ran) == 1, "the child's own");
    assert_state(f, CF_PENDING);
    keep(p);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cr_assert(cf_future_cancel(g));
    cr_assert(atomic_load(ran) == 2);
    cf_future_unref(f);
    cf_future_unref(g);
    cf_future_unref(p);
    cf_future_unref(q);
    cf_executor_destroy(ex);
}
