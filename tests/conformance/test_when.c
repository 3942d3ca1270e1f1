/* SPDX-License-Identifier: MIT */
/*
 * cf_submit_when(): a task runs when its inputs are done, and does not if one
 * of them fails.
 */
#include "tests/conformance/when.h"

CF_TEST(a_task_runs_when_its_inputs_are_done)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(2);
    cf_future *inputs[3] = {promise(), promise(), promise()};
    cf_future *f = count_when(ex, ran, inputs, 3);
    for (int i = 0; i < 3; i++) {
        assert_state(f, CF_PENDING);
        assert_err(cf_future_wait(f, 0), CF_ETIMEDOUT);
        keep(inputs[2 - i]);
    }
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cr_assert(atomic_load(ran) == 1);
    unref_all(inputs, 3);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(inputs_may_be_done_and_may_be_none)
{
    cf_executor *ex = test_executor(1);
    cf_future *done = promise_in(CF_FINISHED, false);
    cf_task task =
        CF_TASK(.fn = task_square, .arg = &(int){7}, .arg_size = sizeof(int));
    cf_future *f = must_submit_when(ex, &task, &done, 1);
    cr_assert(int_result(f) == 49);
    cf_future_unref(f);
    f = must_submit_when(ex, &task, NULL, 0);
    cr_assert(int_result(f) == 49);
    cf_future_unref(f);
    assert_ok(cf_submit_when(ex, &task, &done, 1, NULL)); /* detached */
    cf_future_unref(done);
    cf_executor_destroy(ex);
}

CF_TEST(an_input_may_be_of_another_executor)
{
    cf_executor *ex = test_executor(1), *other;
    assert_ok(cf_thread_pool_create(NULL, &other));
    gate *g = gate_new();
    cf_task task =
        CF_TASK(.fn = task_square, .arg = &(int){7}, .arg_size = sizeof(int));
    cf_future *first = must_submit(other, task_hold, g, 0);
    cf_future *second = must_submit_when(ex, &task, &first, 1);
    cf_future *third = must_submit_when(other, &task, &second, 1);
    assert_state(third, CF_PENDING);
    gate_open(g);
    cr_assert(int_result(third) == 49);
    cr_assert(int_result(second) == 49);
    cf_future_unref(first);
    cf_future_unref(second);
    cf_future_unref(third);
    cf_executor_destroy(other);
    cf_executor_destroy(ex);
}

CF_TEST(an_input_may_come_twice)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(1);
    cf_future *p = promise();
    cf_future *f = count_when(ex, ran, (cf_future *[]){p, p, p}, 3);
    keep(p);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cr_assert(atomic_load(ran) == 1);
    cf_future_unref(p);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* --- failures ------------------------------------------------------------- */

CF_TEST(a_failed_input_fails_the_task_at_once)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(1);
    cf_future *inputs[2] = {promise(), promise()};
    cf_future *f = count_when(ex, ran, inputs, 2);
    break_promise(inputs[1]);
    expect_error(f, CF_ETASK, "not run: input 1 failed: five");
    cr_assert(cf_future_error(f)->code == 5);
    keep(inputs[0]);
    unref_all(inputs, 2);
    cf_future_unref(f);
    cr_assert(stats_of(ex).canceled == 1); /* it never ran */
    cr_assert(stats_of(ex).queued == 0);
    cf_executor_destroy(ex);
    cr_assert(atomic_load(ran) == 0);
}

CF_TEST(an_input_may_have_failed_before)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(1);
    cf_future *failed = promise_in(CF_FINISHED, true);
    cf_future *canceled = promise_in(CF_CANCELED, false);
    cf_future *f = count_when(ex, ran, &failed, 1);
    expect_error(f, CF_ETASK, "not run: input 0 failed: five");
    cf_future_unref(f);
    f = count_when(ex, ran, &canceled, 1);
    expect_error(f, CF_ECANCELED, "not run: input 0 was cancelled");
    cf_future_unref(f);
    cf_future_unref(failed);
    cf_future_unref(canceled);
    cf_executor_destroy(ex);
    cr_assert(atomic_load(ran) == 0);
}

CF_TEST(a_canceled_input_fails_the_task)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(1);
    cf_future *p = promise();
    cf_future *f = count_when(ex, ran, &p, 1);
    cr_assert(cf_future_cancel(p));
    expect_error(f, CF_ECANCELED, "not run: input 0 was cancelled");
    cf_future_unref(p);
    cf_future_unref(f);
    cf_executor_destroy(ex);
    cr_assert(atomic_load(ran) == 0);
}

CF_TEST(the_cause_goes_along_a_chain)
{
    enum { N = 200 };
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(1);
    cf_future *p = promise(), *chain[N];
    cf_task fails = CF_TASK(.fn = task_fail,
                            .arg = &(int){3},
                            .arg_size = sizeof(int),
                            .name = "compile");
    cf_future *compile = must_submit_when(ex, &fails, &p, 1);
    for (int i = 0; i < N; i++) {
        cf_task task = CF_TASK(.fn = task_count,
                               .arg = ran,
                               .name = i == 0 ? "link" : NULL);
        chain[i] = must_submit_when(ex, &task, i ? &chain[i - 1] : &compile, 1);
    }
    keep(p);
    expect_error(chain[0], CF_ETASK, "not run: input 'compile' failed: code 3");
    expect_error(chain[1],
                 CF_ETASK,
                 "not run, as input 'link' was not: "
                 "input 'compile' failed: code 3");
    expect_error(chain[N - 1],
                 CF_ETASK,
                 "not run, as input 0 was not: input 'compile' failed: code 3");
    cr_assert(cf_future_error(chain[N - 1])->code == 3);
    unref_all(chain, N);
    cf_future_unref(compile);
    cf_future_unref(p);
    cf_executor_destroy(ex);
    cr_assert(atomic_load(ran) == 0);
}

CF_TEST(anyway_a_task_runs_when_all_inputs_are_done)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(1);
    cf_future *inputs[3] = {promise(), promise(), promise()};
    cf_task task =
        CF_TASK(.fn = task_count, .arg = ran, .flags = CF_WHEN_ANYWAY);
    cf_future *f = must_submit_when(ex, &task, inputs, 3);
    break_promise(inputs[0]);
    cr_assert(cf_future_cancel(inputs[1]));
    assert_state(f, CF_PENDING);
    keep(inputs[2]);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    f = must_submit_when(ex, &task, inputs, 3); /* all are done */
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    unref_all(inputs, 3);
    cf_executor_destroy(ex);
    cr_assert(atomic_load(ran) == 2);
}

/* --- cancelling ----------------------------------------------------------- */

CF_TEST(a_task_that_waits_can_be_canceled)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(1);
    atomic_int freed = 0, called = 0;
    cf_future *inputs[2] = {promise(), promise()};
    cf_task task =
        CF_TASK(.fn = task_count, .arg = &freed, .arg_free = count_free);
    cf_future *f = must_submit_when(ex, &task, inputs, 2);
    assert_ok(cf_future_on_done(f, count_done, &called));
    keep(inputs[0]);
    cr_assert(cf_future_cancel(f));
    cr_assert(cf_future_cancel(f));
    assert_state(f, CF_CANCELED);
    cr_assert(atomic_load(&called) == 1);
    cr_assert(atomic_load(&freed) == 1);
    keep(inputs[1]);
    assert_state(f, CF_CANCELED);
    cf_future_unref(f);
    unref_all(inputs, 2);
    cf_stats stats = stats_of(ex);
    cr_assert(stats.canceled == 1 && stats.queued == 0 && stats.done == 0);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cf_executor_destroy(ex);
    cr_assert(atomic_load(&freed) == 1);
    cr_assert(atomic_load(ran) == 0);
}

CF_TEST(an_interrupt_cancels_a_task_that_waits)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(1);
    cf_future *p = promise();
    cf_future *f = count_when(ex, ran, &p, 1);
    cr_assert(cf_future_interrupt(f));
    assert_state(f, CF_CANCELED);
    cf_future_unref(f);
    cf_future_unref(p); /* it never is completed */
    cf_executor_destroy(ex);
}

CF_TEST(a_task_that_waits_keeps_its_inputs)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(1);
    cf_future *p = promise();
    cf_future *f = count_when(ex, ran, &p, 1);
    cf_future *q = cf_future_ref(p);
    cf_future_unref(p);
    keep(q);
    cf_future_unref(q);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* --- many ----------------------------------------------------------------- */

CF_TEST(a_task_may_have_thousands_of_inputs)
{
    enum { N = 5000 };
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(2);
    static cf_future *inputs[N];
    for (int i = 0; i < N; i++)
        inputs[i] = promise();
    cf_future *f = count_when(ex, ran, inputs, N);
    cf_future *canceled = count_when(ex, ran, inputs, N);
    for (int i = 0; i < N; i++) {
        assert_state(f, CF_PENDING);
        if (i == N / 2)
            cr_assert(cf_future_cancel(canceled));
        keep(inputs[(i * 7) % N]);
    }
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cr_assert(atomic_load(ran) == 1);
    cf_future_unref(f);
    cf_future_unref(canceled);
    unref_all(inputs, N);
    cf_executor_destroy(ex);
}

CF_TEST(thousands_of_tasks_may_have_one_input)
{
    enum { N = 5000 };
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(2);
    static cf_future *futures[N];
    cf_future *p = promise();
    for (int i = 0; i < N; i++)
        futures[i] = count_when(ex, ran, &p, 1);
    for (int i = 0; i < N; i += 5)
        cr_assert(cf_future_cancel(futures[i]));
    keep(p);
    assert_ok(cf_wait(futures, N, CF_ALL_COMPLETED, CF_FOREVER, NULL));
    cr_assert(atomic_load(ran) == N - N / 5);
    unref_all(futures, N);
    cf_future_unref(p);
    cf_executor_destroy(ex);
}

CF_TEST(a_chain_may_be_of_any_length)
{
    enum { N = CF_SHARES_MEMORY ? 20000 : 4000 };
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(2);
    cf_future *p = promise(), *last = cf_future_ref(p);
    for (int i = 0; i < N; i++) {
        cf_future *next = count_when(ex, ran, &last, 1);
        cf_future_unref(last);
        last = next;
    }
    keep(p);
    assert_ok(cf_future_result(last, CF_FOREVER, NULL));
    cr_assert(atomic_load(ran) == N);
    cf_future_unref(last);
    cf_future_unref(p);
    cf_executor_destroy(ex);
}

/* Adds up its inputs' results. */
CF_SHARED_MEMORY_TEST(a_task_sees_what_its_inputs_returned)
{
    enum { N = 64 };
    cf_executor *ex = test_executor(2);
    cf_future *inputs[N], *f;
    journal *j = journal_new();
    for (int i = 0; i < N; i++) {
        journal_entry entry = {j, i};
        inputs[i] = must_submit(ex, task_journal, &entry, sizeof entry);
    }
    journal_entry entry = {j, N};
    cf_task task =
        CF_TASK(.fn = task_journal, .arg = &entry, .arg_size = sizeof entry);
    f = must_submit_when(ex, &task, inputs, N);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cr_assert(atomic_load(&j->length) == N + 1);
    cr_assert(j->entries[N] == N, "it did not come last");
    unref_all(inputs, N);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(an_idle_executor_has_run_the_whole_graph)
{
    enum { N = 300 };
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(2);
    cf_future *futures[N];
    for (int i = 0; i < N; i++) {
        int begin = i > 3 ? i - 3 : 0;
        futures[i] = count_when(ex, ran, futures + begin, (size_t)(i - begin));
    }
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cr_assert(atomic_load(ran) == N, "%d ran", atomic_load(ran));
    unref_all(futures, N);
    cf_executor_destroy(ex);
}

/* --- refused -------------------------------------------------------------- */

CF_TEST(wrong_arguments_are_refused)
{
    cf_executor *ex = test_executor(1);
    cf_future *p = promise(), *f = p;
    cf_task task = CF_TASK(.fn = task_nothing);
    assert_err(cf_submit_when(NULL, &task, &p, 1, &f), CF_EINVAL);
    assert_err(cf_submit_when(ex, NULL, &p, 1, &f), CF_EINVAL);
    assert_err(cf_submit_when(ex, &task, NULL, 1, &f), CF_EINVAL);
    assert_err(cf_submit_when(ex, &task, (cf_future *[]){p, NULL}, 2, &f),
               CF_EINVAL);
    assert_err(cf_submit_when(ex, &task, &p, SIZE_MAX / 8, &f), CF_ETOOBIG);
    task.flags = 1u << 7;
    assert_err(cf_submit_when(ex, &task, &p, 1, &f), CF_EINVAL);
    assert_err(cf_submit_task(ex, &task, &f), CF_EINVAL);
    task.flags = 0;
    task.fn = NULL;
    assert_err(cf_submit_when(ex, &task, &p, 1, &f), CF_EINVAL);
    cr_assert(f == p, "an error left a future");
    cf_future_unref(p);
    cf_executor_destroy(ex);
}
