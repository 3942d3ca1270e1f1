/* SPDX-License-Identifier: MIT */
/*
 * Groups: children that succeed, fail, are cancelled, and wait for their turn.
 * What CPython's test_taskgroups.py shows in the same way has its name in the
 * comment. Groups in tasks: test_group_inside.c.
 */
#include "tests/conformance/conformance.h"

#define MS INT64_C(1000000)

static cf_group *
group_new(cf_executor *ex, cf_on_error on_error, size_t max_running)
{
    cf_group_options options = CF_GROUP_OPTIONS_INIT;
    cf_group *group = NULL;
    options.on_error = on_error;
    options.max_running = max_running;
    assert_ok(cf_group_create(ex, &options, &group));
    return group;
}

static cf_future *
must_enter(cf_group *group, cf_task_fn *fn, const void *arg, size_t arg_size)
{
    cf_future *f = NULL;
    assert_ok(cf_group_submit(group, fn, arg, arg_size, &f));
    cr_assert(f != NULL);
    return f;
}

/* test_taskgroup_01, test_taskgroup_02 */
CF_TEST(children_succeed)
{
    cf_executor *ex = test_executor(2);
    cf_group *group = group_new(ex, CF_ON_ERROR_CANCEL, 0);
    cf_future *futures[10];
    assert_ok(cf_group_wait(group, 0)); /* it has none */
    for (int i = 0; i < 10; i++)
        futures[i] = must_enter(group, task_square, &i, sizeof i);
    assert_ok(cf_group_submit(group, task_nothing, NULL, 0, NULL));
    assert_ok(cf_group_wait(group, CF_FOREVER));
    cr_expect(cf_group_error(group) == NULL);
    for (int i = 0; i < 10; i++) {
        assert_state(futures[i], CF_FINISHED);
        cr_expect(int_result(futures[i]) == i * i);
    }
    int three = 3;
    cf_future *late = must_enter(group, task_square, &three, sizeof three);
    assert_ok(cf_group_wait(group, CF_FOREVER)); /* it can be used again */
    cr_expect(int_result(late) == 9);
    cf_future_unref(late);
    unref_all(futures, 10);
    cf_group_destroy(group);
    cf_executor_destroy(ex);
}

/* test_cancel_children_on_child_error, test_taskgroup_03 */
CF_CONCURRENT_TEST(a_failure_stops_the_siblings)
{
    gate *g = gate_new();
    cf_executor *ex = test_executor(3);
    cf_group *group = group_new(ex, CF_ON_ERROR_CANCEL, 0);
    cf_future *siblings[] = {must_enter(group, task_until_canceled, g, 0),
                             must_enter(group, task_until_canceled, g, 0)};
    int code = 7;
    gate_await(g, 2);
    cf_future *failing = must_enter(group, task_fail, &code, sizeof code);
    assert_err(cf_group_wait(group, CF_FOREVER), CF_ETASK);
    const cf_error *error = cf_group_error(group);
    cr_assert(error != NULL);
    cr_expect(error->code == 7);
    cr_expect_str_eq(error->message, "code 7");
    for (int i = 0; i < 2; i++)
        assert_err(cf_future_result(siblings[i], 0, NULL), CF_ECANCELED);
    assert_err(cf_future_result(failing, 0, NULL), CF_ETASK);
    assert_err(cf_group_submit(group, task_nothing, NULL, 0, NULL),
               CF_ECANCELED);
    assert_err(cf_group_wait(group, 0), CF_ETASK);
    cf_future_unref(failing);
    unref_all(siblings, 2);
    cf_group_destroy(group);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(a_failure_cancels_siblings_that_have_not_begun)
{
    atomic_int *ran = counter_new();
    gate *g = gate_new();
    cf_executor *ex = test_executor(1);
    cf_future *hold = must_submit(ex, task_hold, g, 0);
    gate_await(g, 1);
    cf_group *group = group_new(ex, CF_ON_ERROR_CANCEL, 2);
    int code = 1;
    cf_future *failing = must_enter(group, task_fail, &code, sizeof code);
    cf_future *siblings[4];
    for (int i = 0; i < 4; i++)
        siblings[i] = must_enter(group, task_count_pointer, &ran, sizeof ran);
    gate_open(g);
    assert_err(cf_group_wait(group, CF_FOREVER), CF_ETASK);
    /* The first may have been handed to a worker before. */
    for (int i = 1; i < 4; i++)
        assert_state(siblings[i], CF_CANCELED);
    cr_expect(atomic_load(ran) <= 1);
    cf_future_unref(failing);
    cf_future_unref(hold);
    unref_all(siblings, 4);
    cf_group_destroy(group);
    cf_executor_destroy(ex);
}

/* test_children_complete_on_child_error, the other way */
CF_TEST(or_the_group_keeps_going)
{
    cf_executor *ex = test_executor(2);
    cf_group *group = group_new(ex, CF_ON_ERROR_KEEP_GOING, 0);
    cf_future *futures[9];
    for (int i = 0; i < 9; i++)
        futures[i] = must_enter(group, task_fail_thirds, &i, sizeof i);
    assert_err(cf_group_wait(group, CF_FOREVER), CF_ETASK);
    cr_assert(cf_group_error(group) != NULL);
    cr_expect(cf_group_error(group)->code % 3 == 0);
    for (int i = 0; i < 9; i++)
        assert_err(cf_future_result(futures[i], 0, NULL),
                   i % 3 ? CF_OK : CF_ETASK);
    assert_ok(cf_group_submit(group, task_nothing, NULL, 0, NULL));
    unref_all(futures, 9);
    cf_group_destroy(group);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(a_cancelled_group_ends)
{
    gate *g = gate_new();
    cf_executor *ex = test_executor(2);
    cf_group *group = group_new(ex, CF_ON_ERROR_CANCEL, 2);
    cf_future *futures[] = {must_enter(group, task_until_canceled, g, 0),
                            must_enter(group, task_until_canceled, g, 0),
                            must_enter(group, task_nothing, NULL, 0)};
    gate_await(g, 2);
    cf_group_cancel(group);
    assert_err(cf_group_wait(group, CF_FOREVER), CF_ECANCELED);
    cr_expect(cf_group_error(group) == NULL);
    assert_state(futures[2], CF_CANCELED);
    unref_all(futures, 3);
    cf_group_destroy(group);
    cf_executor_destroy(ex);
}

CF_TEST(a_group_that_was_cancelled_too_late)
{
    cf_executor *ex = test_executor(1);
    cf_group *group = group_new(ex, CF_ON_ERROR_CANCEL, 0);
    cf_future *f = must_enter(group, task_nothing, NULL, 0);
    assert_ok(cf_group_wait(group, CF_FOREVER));
    cf_group_cancel(group);
    assert_ok(cf_group_wait(group, CF_FOREVER));
    cf_future *out = f;
    assert_err(cf_group_submit(group, task_nothing, NULL, 0, &out),
               CF_ECANCELED);
    cr_expect(out == f);
    cf_future_unref(f);
    cf_group_destroy(group);
    cf_executor_destroy(ex);
}

/* test_taskgroup_child_cancelled: that is no failure */
CF_CONCURRENT_TEST(one_child_is_cancelled)
{
    gate *g = gate_new();
    cf_executor *ex = test_executor(2);
    cf_group *group = group_new(ex, CF_ON_ERROR_CANCEL, 1);
    cf_future *running = must_enter(group, task_until_canceled, g, 0);
    cf_future *held = must_enter(group, task_nothing, NULL, 0);
    cf_future *last = must_enter(group, task_nothing, NULL, 0);
    gate_await(g, 1);
    assert_state(held, CF_PENDING);
    cr_expect(cf_future_cancel(held));
    assert_state(held, CF_CANCELED);
    cr_expect(cf_future_interrupt(running));
    assert_ok(cf_group_wait(group, CF_FOREVER));
    assert_ok(cf_future_result(last, 0, NULL));
    cf_future_unref(running);
    cf_future_unref(held);
    cf_future_unref(last);
    cf_group_destroy(group);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cf_stats stats;
    assert_ok(cf_executor_stats(ex, &stats));
    cr_expect(stats.queued == 0, "%d", (int)stats.queued);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(a_wait_ends_in_time)
{
    gate *g = gate_new();
    cf_executor *ex = test_executor(1);
    cf_group *group = group_new(ex, CF_ON_ERROR_CANCEL, 0);
    assert_ok(cf_group_submit(group, task_hold, g, 0, NULL));
    gate_await(g, 1);
    assert_err(cf_group_wait(group, 0), CF_ETIMEDOUT);
    assert_err(cf_group_wait(group, 5 * MS), CF_ETIMEDOUT);
    gate_open(g);
    assert_ok(cf_group_wait(group, CF_FOREVER));
    cf_group_destroy(group);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(a_child_that_outruns_its_timeout_has_failed)
{
    gate *g = gate_new();
    cf_executor *ex = test_executor(1);
    cf_group *group = group_new(ex, CF_ON_ERROR_CANCEL, 1);
    cf_task task = CF_TASK_INIT;
    task.fn = task_until_canceled;
    task.arg = g;
    task.timeout_ns = 10 * MS;
    assert_ok(cf_group_submit_task(group, &task, NULL));
    assert_ok(cf_group_submit_task(group, &task, NULL));
    assert_err(cf_group_wait(group, CF_FOREVER), CF_EDEADLINE);
    cf_group_destroy(group);
    cf_executor_destroy(ex);
}

/* How many children are inside at once. */
struct turns {
    atomic_int inside, most, ran;
};

static int
task_take_turn(cf_call *call, const void *arg, size_t arg_size)
{
    struct turns *turns = *(struct turns *const *)arg;
    (void)arg_size;
    int inside = atomic_fetch_add(&turns->inside, 1) + 1;
    int most = atomic_load(&turns->most);
    while (most < inside &&
           !atomic_compare_exchange_weak(&turns->most, &most, inside))
        continue;
    if (cf_sleep(call, 1000))
        return cf_fail(call, 1, "told to stop");
    atomic_fetch_sub(&turns->inside, 1);
    atomic_fetch_add(&turns->ran, 1);
    return 0;
}

CF_TEST(so_many_run_at_once)
{
    for (size_t most = 1; most <= 3; most++) {
        struct turns *turns = shared_new(sizeof *turns);
        cf_executor *ex = test_executor(4);
        cf_group *group = group_new(ex, CF_ON_ERROR_CANCEL, most);
        for (int i = 0; i < 100; i++)
            assert_ok(cf_group_submit(
                group, task_take_turn, &turns, sizeof turns, NULL));
        assert_ok(cf_group_wait(group, CF_FOREVER));
        cr_expect(atomic_load(&turns->ran) == 100);
        cr_expect(atomic_load(&turns->most) <= (int)most);
        cf_group_destroy(group);
        cf_executor_destroy(ex);
    }
}

CF_TEST(turns_come_in_order)
{
    journal *j = journal_new();
    gate *g = gate_new();
    gate_open(g);
    cf_executor *ex = test_executor(3);
    cf_group *group = group_new(ex, CF_ON_ERROR_CANCEL, 1);
    for (int i = 0; i < 50; i++) {
        journal_entry entry = {j, i};
        assert_ok(
            cf_group_submit(group, task_journal, &entry, sizeof entry, NULL));
    }
    assert_ok(cf_group_wait(group, CF_FOREVER));
    cr_assert(atomic_load(&j->length) == 50);
    for (int i = 0; i < 50; i++)
        cr_expect(j->entries[i] == i);
    cf_group_destroy(group);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(a_turn_that_comes_after_the_shutdown)
{
    gate *g = gate_new();
    atomic_int *freed = counter_new();
    cf_executor *ex = test_executor(1);
    cf_group *group = group_new(ex, CF_ON_ERROR_KEEP_GOING, 1);
    assert_ok(cf_group_submit(group, task_hold, g, 0, NULL));
    gate_await(g, 1);
    cf_task task = CF_TASK_INIT;
    task.fn = task_nothing;
    task.arg = freed;
    task.arg_free = count_free;
    for (int i = 0; i < 100; i++)
        assert_ok(cf_group_submit_task(group, &task, NULL));
    assert_ok(cf_executor_shutdown(ex, CF_SHUTDOWN_NOWAIT, 0));
    gate_open(g);
    assert_err(cf_group_wait(group, CF_FOREVER), CF_ESHUTDOWN);
    cr_expect(atomic_load(freed) == 100, "%d", atomic_load(freed));
    cf_group_destroy(group);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(destroying_a_group_stops_its_children)
{
    gate *g = gate_new();
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(2);
    cf_group *group = group_new(ex, CF_ON_ERROR_CANCEL, 2);
    for (int i = 0; i < 2; i++)
        assert_ok(cf_group_submit(group, task_until_canceled, g, 0, NULL));
    gate_await(g, 2);
    for (int i = 0; i < 100; i++)
        assert_ok(
            cf_group_submit(group, task_count_pointer, &ran, sizeof ran, NULL));
    cf_group_destroy(group);
    cr_expect(atomic_load(ran) == 0);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(a_scope_around_the_wait_stops_the_children)
{
    gate *g = gate_new();
    cf_executor *ex = test_executor(2);
    cf_group *group = group_new(ex, CF_ON_ERROR_CANCEL, 0);
    cf_scope *scope;
    for (int i = 0; i < 2; i++)
        assert_ok(cf_group_submit(group, task_until_canceled, g, 0, NULL));
    assert_ok(cf_scope_begin(NULL, 5 * MS, &scope));
    assert_err(cf_group_wait(group, CF_FOREVER), CF_EINTERRUPTED);
    assert_err(cf_scope_end(scope), CF_ETIMEDOUT);
    assert_err(cf_group_wait(group, 0), CF_ECANCELED); /* all have ended */
    cf_group_destroy(group);
    cf_executor_destroy(ex);
}

CF_TEST(arguments_are_checked)
{
    cf_executor *ex = test_executor(1);
    cf_group *group = NULL;
    cf_group_options options = CF_GROUP_OPTIONS_INIT;
    cf_task task = CF_TASK_INIT;
    assert_err(cf_group_create(NULL, NULL, &group), CF_EINVAL);
    assert_err(cf_group_create(ex, NULL, NULL), CF_EINVAL);
    options.on_error = (cf_on_error)2;
    assert_err(cf_group_create(ex, &options, &group), CF_EINVAL);
    options.size = 0;
    assert_err(cf_group_create(ex, &options, &group), CF_EINVAL);
    cr_expect(group == NULL);
    assert_ok(cf_group_create(ex, NULL, &group));
    assert_err(cf_group_submit(group, NULL, NULL, 0, NULL), CF_EINVAL);
    assert_err(cf_group_submit(group, task_nothing, NULL, 1, NULL), CF_EINVAL);
    assert_err(cf_group_submit_task(group, NULL, NULL), CF_EINVAL);
    assert_err(cf_group_submit_task(group, &task, NULL), CF_EINVAL);
    assert_err(cf_group_submit(group, task_nothing, group, SIZE_MAX, NULL),
               CF_ETOOBIG);
    assert_err(cf_group_wait(group, -2), CF_EINVAL);
    assert_ok(cf_group_wait(group, CF_FOREVER));
    cf_group_destroy(group);
    cf_executor_destroy(ex);
}

CF_TEST(what_the_executor_refuses_is_no_child)
{
    cf_executor *ex = test_executor(1);
    cf_group *group = group_new(ex, CF_ON_ERROR_CANCEL, 0);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    cf_future *out = NULL;
    assert_err(cf_group_submit(group, task_nothing, NULL, 0, &out),
               CF_ESHUTDOWN);
    cr_expect(out == NULL);
    assert_ok(cf_group_wait(group, CF_FOREVER));
    cf_group_destroy(group);
    cf_executor_destroy(ex);
}
