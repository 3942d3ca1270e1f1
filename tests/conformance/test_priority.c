/* SPDX-License-Identifier: MIT */
/*
 * The order in which tasks start: by priority, then by submission. One worker
 * writes down what it runs.
 */
#include "tests/conformance/conformance.h"

#include <limits.h>

static void
submit_entry(cf_executor *ex, journal *j, int entry, int priority)
{
    journal_entry e = {j, entry};
    cf_task task = CF_TASK_INIT;
    task.fn = task_journal;
    task.arg = &e;
    task.arg_size = sizeof e;
    task.priority = priority;
    assert_ok(cf_submit_task(ex, &task, NULL));
}

static void
expect_journal(journal *j, const int *expected, int count)
{
    cr_assert(j->length == count, "%d entries", j->length);
    for (int i = 0; i < count; i++)
        cr_assert(j->entries[i] == expected[i],
                  "place %d: %d, not %d",
                  i,
                  j->entries[i],
                  expected[i]);
}

CF_TEST(tasks_of_equal_priority_start_in_submission_order)
{
    enum { N = 1000 };
    cf_executor *ex = test_executor(1);
    journal *j = journal_new();
    for (int i = 0; i < N; i++)
        submit_entry(ex, j, i, 0);
    cf_executor_destroy(ex);
    cr_assert(j->length == N);
    for (int i = 0; i < N; i++)
        cr_assert(j->entries[i] == i, "place %d: %d", i, j->entries[i]);
}

CF_CONCURRENT_TEST(higher_priorities_start_first_and_equals_in_order)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    journal *j = journal_new();
    static const int priorities[] = {0, -5, 7, 0, 7, INT_MAX, -5, INT_MIN, 1};
    for (int i = 0; i < 9; i++)
        submit_entry(ex, j, i, priorities[i]);
    gate_open(g);
    cf_executor_destroy(ex);
    static const int expected[] = {5, 2, 4, 8, 0, 3, 1, 6, 7};
    expect_journal(j, expected, 9);
    cf_future_unref(held);
}

CF_CONCURRENT_TEST(many_different_priorities_are_all_kept_apart)
{
    enum { N = 300 };
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    journal *j = journal_new();
    for (int i = 0; i < N; i++)
        submit_entry(ex, j, i, (i * 7) % N);
    gate_open(g);
    cf_executor_destroy(ex);
    cr_assert(j->length == N);
    for (int i = 1; i < N; i++)
        cr_assert((j->entries[i] * 7) % N < (j->entries[i - 1] * 7) % N);
    cf_future_unref(held);
}

CF_CONCURRENT_TEST(a_batch_and_single_submits_keep_their_order)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    journal *j = journal_new();
    submit_entry(ex, j, 0, 0);
    journal_entry batch[3] = {{j, 1}, {j, 2}, {j, 3}};
    assert_ok(
        cf_submit_many(ex, task_journal, batch, sizeof batch[0], 3, NULL));
    submit_entry(ex, j, 4, 0);
    gate_open(g);
    cf_executor_destroy(ex);
    static const int expected[] = {0, 1, 2, 3, 4};
    expect_journal(j, expected, 5);
    cf_future_unref(held);
}

/* Writes its entry down, and ends when its gate opens. */
typedef struct held_entry {
    journal_entry entry;
    gate *gate;
} held_entry;

static int
task_journal_and_hold(cf_call *call, const void *arg, size_t arg_size)
{
    const held_entry *held = arg;
    (void)call;
    (void)arg_size;
    journal_add(held->entry.journal, held->entry.entry);
    gate_pass(held->gate);
    return 0;
}

CF_CONCURRENT_TEST(two_workers_start_the_first_two_of_a_batch)
{
    cf_executor *ex = test_executor(2);
    journal *j = journal_new();
    gate *g = gate_new();
    held_entry batch[4];
    for (int i = 0; i < 4; i++)
        batch[i] = (held_entry){{j, i}, g};
    assert_ok(cf_submit_many(
        ex, task_journal_and_hold, batch, sizeof batch[0], 4, NULL));
    gate_await(g, 2);
    cr_assert(j->entries[0] + j->entries[1] == 1,
              "%d and %d",
              j->entries[0],
              j->entries[1]);
    gate_open(g);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(a_task_that_waits_behind_a_long_one_is_not_overtaken)
{
    enum { N = 6 };
    cf_executor *ex = test_executor(2);
    journal *j = journal_new();
    gate *gates[N];
    held_entry batch[N];
    cf_future *fs[N];
    for (int i = 0; i < N; i++) {
        gates[i] = gate_new();
        if (i >= 2)
            gate_open(gates[i]);
        batch[i] = (held_entry){{j, i}, gates[i]};
    }
    assert_ok(cf_submit_many(
        ex, task_journal_and_hold, batch, sizeof batch[0], N, fs));
    gate_await(gates[0], 1);
    gate_await(gates[1], 1);
    assert_err(cf_future_wait(fs[0], CF_MS(20)), CF_ETIMEDOUT); /* long */
    gate_open(gates[1]);
    assert_ok(cf_wait(fs + 1, N - 1, CF_ALL_COMPLETED, CF_FOREVER, NULL));
    int place[N];
    for (int i = 0; i < N; i++)
        place[j->entries[i]] = i;
    cr_assert(place[2] < place[4] && place[4] < place[5],
              "%d, %d, %d",
              place[2],
              place[4],
              place[5]);
    gate_open(gates[0]);
    unref_all(fs, N);
    cf_executor_destroy(ex);
}

/* A task that submits from inside, between two gates, into the program's own
 * queue: a worker process has none and runs at once what its tasks submit. */
typedef struct inner {
    journal *journal;
    gate *submitted; /* arrives after its submits, ends when it opens */
    int first;       /* entry of the first of two tasks */
    int priority;
} inner;

static int
task_submits_two(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    inner in;
    memcpy(&in, arg, sizeof in);
    for (int i = 0; i < 2; i++) {
        journal_entry e = {in.journal, in.first + i};
        cf_task task = CF_TASK_INIT;
        task.fn = task_journal;
        task.arg = &e;
        task.arg_size = sizeof e;
        task.priority = in.priority;
        if (cf_submit_task(cf_call_executor(call), &task, NULL) != CF_OK)
            return 1;
    }
    gate_pass(in.submitted);
    return 0;
}

CF_THREAD_TEST(tasks_submitted_inside_and_outside_keep_their_order)
{
    cf_executor *ex = test_executor(1);
    journal *j = journal_new();
    gate *start = gate_new();
    gate *submitted = gate_new();
    cf_future *held;
    occupy(ex, start, 1, &held);
    inner in = {j, submitted, 10, 0};
    cf_future *f = must_submit(ex, task_submits_two, &in, sizeof in);
    submit_entry(ex, j, 0, 0); /* before the two of the inside */
    gate_open(start);
    gate_await(submitted, 1);
    submit_entry(ex, j, 20, 0); /* and this after them */
    gate_open(submitted);
    cf_executor_destroy(ex);
    static const int expected[] = {0, 10, 11, 20};
    expect_journal(j, expected, 4);
    cf_future_unref(held);
    cf_future_unref(f);
}

CF_THREAD_TEST(priorities_hold_between_inside_and_outside)
{
    cf_executor *ex = test_executor(1);
    journal *j = journal_new();
    gate *submitted = gate_new();
    inner in = {j, submitted, 10, 1};
    cf_future *f = must_submit(ex, task_submits_two, &in, sizeof in);
    gate_await(submitted, 1);
    submit_entry(ex, j, 0, 0);
    submit_entry(ex, j, 20, 2);
    submit_entry(ex, j, 21, 1);
    gate_open(submitted);
    cf_executor_destroy(ex);
    static const int expected[] = {20, 10, 11, 21, 0};
    expect_journal(j, expected, 5);
    cf_future_unref(f);
}

static int
task_submits_chain(cf_call *call, const void *arg, size_t arg_size)
{
    journal_entry e;
    memcpy(&e, arg, sizeof e);
    journal_add(e.journal, e.entry);
    e.entry++;
    if (e.entry == 100)
        return 0;
    return cf_submit(cf_call_executor(call),
                     task_submits_chain,
                     &e,
                     arg_size,
                     NULL) != CF_OK;
}

CF_THREAD_TEST(tasks_that_submit_for_ever_do_not_starve_the_others)
{
    cf_executor *ex = test_executor(1);
    journal *j = journal_new();
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    journal_entry chain = {j, 0};
    assert_ok(cf_submit(ex, task_submits_chain, &chain, sizeof chain, NULL));
    submit_entry(ex, j, 1000, 0);
    gate_open(g);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cf_executor_destroy(ex); /* would refuse the rest of the chain */
    cr_assert(j->length == 101);
    cr_assert(j->entries[0] == 0 && j->entries[1] == 1000);
    cf_future_unref(held);
}
