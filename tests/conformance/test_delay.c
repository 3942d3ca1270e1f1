/* SPDX-License-Identifier: MIT */
/*
 * cf_task.delay_ns: a task is not queued before that time has passed.
 */
#include "tests/conformance/when.h"

#include <time.h>

static int64_t
now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return CF_SECONDS(now.tv_sec) + now.tv_nsec;
}

/* Returns when it ran. */
static int
task_now(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    int64_t now = now_ns();
    return cf_return(call, &now, sizeof now);
}

static int64_t
time_result(cf_future *f)
{
    cf_bytes bytes;
    int64_t at;
    assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
    cr_assert(bytes.size == sizeof at);
    memcpy(&at, bytes.data, sizeof at);
    return at;
}

CF_TEST(a_task_is_not_run_before_its_time)
{
    cf_executor *ex = test_executor(2);
    for (int i = 1; i <= 5; i++) {
        cf_task task = CF_TASK(.fn = task_now, .delay_ns = CF_MS(7) * i);
        cf_future *f = NULL;
        int64_t begin = now_ns();
        assert_ok(cf_submit_task(ex, &task, &f));
        int64_t at = time_result(f);
        cr_assert(at - begin >= task.delay_ns,
                  "early by %lld ns",
                  (long long)(begin + task.delay_ns - at));
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

CF_TEST(a_delay_and_inputs_are_both_waited_for)
{
    cf_executor *ex = test_executor(2);
    cf_task task = CF_TASK(.fn = task_now, .delay_ns = CF_MS(20));
    cf_future *p = promise(), *done = promise_in(CF_FINISHED, false);
    int64_t begin = now_ns();
    cf_future *late = must_submit_when(ex, &task, &done, 1);
    task.delay_ns = 1;
    cf_future *soon = must_submit_when(ex, &task, &p, 1);
    cr_assert(time_result(late) - begin >= CF_MS(20));
    assert_state(soon, CF_PENDING);
    int64_t kept = now_ns();
    keep(p);
    cr_assert(time_result(soon) >= kept);
    cf_future_unref(late);
    cf_future_unref(soon);
    cf_future_unref(p);
    cf_future_unref(done);
    cf_executor_destroy(ex);
}

CF_TEST(a_failed_input_does_not_wait_for_the_delay)
{
    cf_executor *ex = test_executor(1);
    cf_task task = CF_TASK(.fn = task_now, .delay_ns = CF_SECONDS(5000));
    cf_future *p = promise();
    cf_future *f = must_submit_when(ex, &task, &p, 1);
    break_promise(p);
    expect_error(f, CF_ETASK, "not run: input 0 failed: five");
    cf_future_unref(f);
    cf_future_unref(p);
    cf_executor_destroy(ex);
}

/* Submits tasks with these delays. false: that took so long that they may come
 * in another order. */
static bool
submit_delayed(cf_executor *ex, journal *j, cf_future **futures)
{
    static const int delays_ms[] = {60, 20, 40, 0, 80};
    int64_t begin = now_ns();
    for (int i = 0; i < 5; i++) {
        journal_entry entry = {j, delays_ms[i]};
        cf_task task = CF_TASK(.fn = task_journal,
                               .arg = &entry,
                               .arg_size = sizeof entry,
                               .delay_ns = CF_MS(delays_ms[i]));
        assert_ok(cf_submit_task(ex, &task, &futures[i]));
    }
    return now_ns() - begin < CF_MS(20);
}

CF_TEST(tasks_come_in_the_order_of_their_times)
{
    cf_executor *ex;
    journal *j;
    bool quick;
    do {
        cf_future *futures[5];
        j = journal_new();
        ex = test_executor(1);
        quick = submit_delayed(ex, j, futures);
        assert_ok(cf_wait(futures, 5, CF_ALL_COMPLETED, CF_FOREVER, NULL));
        unref_all(futures, 5);
        cf_executor_destroy(ex);
    } while (!quick);
    for (int i = 0; i < 5; i++)
        cr_assert(j->entries[i] == 20 * i, "%d: %d", i, j->entries[i]);
}

CF_TEST(a_delayed_task_can_be_canceled)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(1);
    atomic_int freed = 0;
    cf_task task = CF_TASK(.fn = task_count,
                           .arg = &freed,
                           .arg_free = count_free,
                           .delay_ns = INT64_MAX);
    cf_future *f = NULL;
    assert_ok(cf_submit_task(ex, &task, &f));
    assert_state(f, CF_PENDING);
    assert_err(cf_future_wait(f, CF_MS(1)), CF_ETIMEDOUT);
    cr_assert(cf_future_cancel(f));
    assert_state(f, CF_CANCELED);
    cf_future_unref(f);
    cr_assert(atomic_load(&freed) == 1);

    task = CF_TASK(.fn = task_count, .arg = ran, .delay_ns = CF_MS(5));
    assert_ok(cf_submit_task(ex, &task, NULL)); /* detached */
    assert_ok(cf_submit_task(ex, &task, &f));
    assert_ok(cf_future_wait(f, CF_FOREVER)); /* the other one was first */
    cf_future_unref(f);
    cf_executor_destroy(ex);
    cr_assert(atomic_load(ran) == 2);
    cr_assert(atomic_load(&freed) == 1);
}

CF_TEST(a_delay_is_checked)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = NULL;
    cf_task task = CF_TASK(.fn = task_nothing, .delay_ns = -1);
    assert_err(cf_submit_task(ex, &task, &f), CF_EINVAL);
    assert_err(cf_submit_when(ex, &task, NULL, 0, &f), CF_EINVAL);
    task.delay_ns = INT64_MIN;
    assert_err(cf_submit_task(ex, &task, &f), CF_EINVAL);
    task.delay_ns = 1;
    cf_group *group;
    assert_ok(cf_group_create(ex, NULL, &group));
    assert_err(cf_group_submit_task(group, &task, &f), CF_ENOTSUP);
    cf_group_destroy(group);
    cr_assert(f == NULL, "an error left a future");
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(a_delayed_task_has_its_timeout_after_the_delay)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_task task = CF_TASK(.fn = task_until_canceled,
                           .arg = g,
                           .delay_ns = CF_MS(20),
                           .timeout_ns = CF_MS(1));
    cf_future *f = NULL;
    assert_ok(cf_submit_task(ex, &task, &f));
    assert_err(cf_future_wait(f, CF_FOREVER), CF_OK);
    cr_assert(gate_arrived(g) == 1, "it failed before it ran");
    assert_err(cf_future_result(f, 0, NULL), CF_EDEADLINE);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(a_delayed_task_takes_no_place_in_a_full_queue)
{
    gate *g = gate_new();
    atomic_int *ran = counter_new();
    cf_future *held, *queued, *waits, *late, *p = promise();
    cf_executor *ex =
        test_pool((test_options){.max_workers = 1,
                                 .queue_capacity = 1,
                                 .queue_policy = CF_QUEUE_REJECT});
    cf_task task = CF_TASK(.fn = task_count, .arg = ran, .delay_ns = CF_MS(1));
    occupy(ex, g, 1, &held);
    assert_ok(cf_submit_task(ex, &task, &late));
    waits = count_when(ex, ran, &p, 1);
    assert_ok(cf_submit(ex, task_count, ran, 0, &queued));
    assert_err(cf_submit(ex, task_count, ran, 0, NULL), CF_EAGAIN);
    keep(p); /* over the bound */
    gate_open(g);
    assert_ok(cf_future_result(queued, CF_FOREVER, NULL));
    assert_ok(cf_future_result(waits, CF_FOREVER, NULL));
    assert_ok(cf_future_result(late, CF_FOREVER, NULL));
    cr_assert(atomic_load(ran) == 3);
    unref_all((cf_future *[]){held, queued, waits, late, p}, 5);
    cf_executor_destroy(ex);
}
