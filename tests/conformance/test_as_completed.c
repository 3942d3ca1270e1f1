/* SPDX-License-Identifier: MIT */
/*
 * The iterator over futures in the order in which they finish, and its
 * descriptor.
 */
#define _GNU_SOURCE
#include "tests/conformance/conformance.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

static cf_as_completed *
iterate(cf_future **fs, size_t count)
{
    cf_as_completed *it = NULL;
    assert_ok(cf_as_completed_create(fs, count, &it));
    cr_assert_not_null(it);
    return it;
}

static void
expect_next(cf_as_completed *it, cf_future *expected)
{
    cf_future *f = NULL;
    assert_ok(cf_as_completed_next(it, CF_SECONDS(50), &f));
    cr_assert(f == expected);
}

static void
expect_end(cf_as_completed *it)
{
    cf_future *f = NULL;
    assert_err(cf_as_completed_next(it, CF_FOREVER, &f), CF_EDONE);
    cr_assert_null(f);
    cr_assert(cf_as_completed_remaining(it) == 0);
}

static bool
readable(cf_as_completed *it)
{
    int fd = cf_as_completed_fd(it);
    cr_assert(fd >= 0, "errno %d", errno);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

/* CPython: test_as_completed.test_no_timeout */
CF_TEST(what_is_done_comes_first_and_then_what_finishes)
{
    cf_future *fs[] = {promise(),
                       promise_in(CF_CANCELED, false),
                       promise(),
                       promise_in(CF_FINISHED, true),
                       promise_in(CF_FINISHED, false)};
    cf_as_completed *it = iterate(fs, 5);
    cr_assert(cf_as_completed_remaining(it) == 5);
    expect_next(it, fs[1]);
    expect_next(it, fs[3]);
    expect_next(it, fs[4]);
    assert_ok(cf_future_set_result(fs[2], NULL, 0));
    expect_next(it, fs[2]);
    cr_assert(cf_as_completed_remaining(it) == 1);
    cr_assert(cf_future_cancel(fs[0]));
    expect_next(it, fs[0]);
    expect_end(it);
    expect_end(it);
    cf_as_completed_destroy(it);
    unref_all(fs, 5);
}

/* CPython: test_as_completed.test_future_times_out,
 * test_correct_timeout_exception_msg */
CF_TEST(a_timeout_yields_what_is_done_and_counts_what_is_missing)
{
    static const int64_t timeouts[] = {0, CF_MS(10)};
    for (int i = 0; i < 2; i++) {
        cf_future *fs[] = {promise_in(CF_FINISHED, false),
                           promise(),
                           promise_in(CF_CANCELED, false),
                           promise()};
        cf_as_completed *it = iterate(fs, 4);
        cf_future *f = NULL;
        assert_ok(cf_as_completed_next(it, timeouts[i], &f));
        cr_assert(f == fs[0]);
        assert_ok(cf_as_completed_next(it, timeouts[i], &f));
        cr_assert(f == fs[2]);
        assert_err(cf_as_completed_next(it, timeouts[i], &f), CF_ETIMEDOUT);
        cr_assert(f == fs[2], "untouched");
        cr_assert(cf_as_completed_remaining(it) == 2);
        assert_ok(cf_future_set_result(fs[3], NULL, 0));
        expect_next(it, fs[3]);
        cf_as_completed_destroy(it);
        unref_all(fs, 4);
    }
}

/* CPython: test_as_completed.test_duplicate_futures */
CF_TEST(the_same_future_three_times_comes_out_once)
{
    cf_future *f = promise();
    cf_future *fs[] = {f, f, f};
    cf_as_completed *it = iterate(fs, 3);
    cr_assert(cf_as_completed_remaining(it) == 1);
    assert_ok(cf_future_set_result(f, NULL, 0));
    expect_next(it, f);
    expect_end(it);
    cf_as_completed_destroy(it);

    it = iterate(fs, 3); /* now it is done beforehand */
    cr_assert(cf_as_completed_remaining(it) == 1);
    expect_next(it, f);
    expect_end(it);
    cf_as_completed_destroy(it);
    cf_future_unref(f);
}

/* CPython: test_as_completed.test_free_reference_yielded_future */
CF_TEST(the_iterator_keeps_a_future_only_until_the_next_call)
{
    cf_future *fs[] = {promise_in(CF_FINISHED, false),
                       promise_in(CF_FINISHED, true)};
    cf_as_completed *it = iterate(fs, 2);
    unref_all(fs, 2); /* the iterator has its own handles */
    cf_future *f = NULL;
    assert_ok(cf_as_completed_next(it, 0, &f));
    cr_assert(int_result(f) == 42);
    cf_future *kept = cf_future_ref(f);
    assert_ok(cf_as_completed_next(it, 0, &f));
    assert_err(cf_future_result(f, 0, NULL), CF_ETASK);
    expect_end(it);
    cr_assert(int_result(kept) == 42);
    cf_future_unref(kept);
    cf_as_completed_destroy(it);
}

CF_TEST(futures_can_be_added_while_iterating_and_after_the_end)
{
    cf_as_completed *it = iterate(NULL, 0);
    expect_end(it);
    cf_future *a = promise_in(CF_FINISHED, false);
    assert_ok(cf_as_completed_add(it, a));
    cr_assert(cf_as_completed_remaining(it) == 1);
    expect_next(it, a);
    /* a came out: added again it comes out again. */
    assert_ok(cf_as_completed_add(it, a));
    assert_ok(cf_as_completed_add(it, a));
    expect_next(it, a);
    cf_future *b = promise();
    assert_ok(cf_as_completed_add(it, b));
    assert_ok(cf_as_completed_add(it, b));
    cr_assert(cf_as_completed_remaining(it) == 1);
    assert_ok(cf_future_set_result(b, NULL, 0));
    expect_next(it, b);
    expect_end(it);
    assert_err(cf_as_completed_add(it, NULL), CF_EINVAL);
    assert_err(cf_as_completed_add(NULL, a), CF_EINVAL);
    cf_as_completed_destroy(it);
    cf_future_unref(a);
    cf_future_unref(b);
}

CF_TEST(bad_iterations_are_einval)
{
    cf_future *fs[] = {NULL};
    cf_as_completed *it = NULL;
    assert_err(cf_as_completed_create(fs, 1, &it), CF_EINVAL);
    assert_err(cf_as_completed_create(NULL, 1, &it), CF_EINVAL);
    assert_err(cf_as_completed_create(NULL, 0, NULL), CF_EINVAL);
    cr_assert_null(it);
    it = iterate(NULL, 0);
    cf_future *f = NULL;
    assert_err(cf_as_completed_next(NULL, 0, &f), CF_EINVAL);
    assert_err(cf_as_completed_next(it, 0, NULL), CF_EINVAL);
    assert_err(cf_as_completed_next(it, -2, &f), CF_EINVAL);
    cf_as_completed_destroy(it);
    cf_as_completed_destroy(NULL);
}

CF_TEST(an_iteration_can_end_early_and_the_futures_live_on)
{
    cf_future *fs[] = {promise(),
                       promise(),
                       promise_in(CF_FINISHED, false),
                       promise_in(CF_RUNNING, false)};
    cf_as_completed *it = iterate(fs, 4);
    expect_next(it, fs[2]);
    cf_as_completed_destroy(it);
    assert_state(fs[0], CF_PENDING);
    assert_ok(cf_future_set_result(fs[0], NULL, 0));
    cr_assert(cf_future_cancel(fs[1]));
    assert_ok(cf_future_set_result(fs[3], NULL, 0));
    unref_all(fs, 4);
}

CF_TEST(a_future_can_be_in_several_iterators)
{
    cf_future *fs[] = {promise(), promise()};
    cf_as_completed *a = iterate(fs, 2);
    cf_as_completed *b = iterate(fs, 2);
    cf_as_completed *c = iterate(fs, 1);
    assert_ok(cf_future_set_result(fs[1], NULL, 0));
    cf_as_completed_destroy(c);
    assert_ok(cf_future_set_result(fs[0], NULL, 0));
    expect_next(a, fs[1]);
    expect_next(b, fs[1]);
    expect_next(a, fs[0]);
    expect_next(b, fs[0]);
    cf_as_completed_destroy(a);
    cf_as_completed_destroy(b);
    unref_all(fs, 2);
}

CF_TEST(the_descriptor_is_readable_while_next_would_not_block)
{
    cf_future *fs[] = {promise(), promise(), promise()};
    cf_as_completed *it = iterate(fs, 3);
    int fd = cf_as_completed_fd(it);
    cr_assert(fd == cf_as_completed_fd(it), "the same on every call");
    cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    cr_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
    cr_assert_not(readable(it));
    assert_ok(cf_future_set_result(fs[0], NULL, 0));
    cr_assert(readable(it) && readable(it), "level-triggered");
    cr_assert(cf_future_cancel(fs[1]));
    expect_next(it, fs[0]);
    cr_assert(readable(it));
    expect_next(it, fs[1]);
    cr_assert_not(readable(it));
    assert_ok(cf_future_set_result(fs[2], NULL, 0));
    cr_assert(readable(it));
    expect_next(it, fs[2]);
    cr_assert(readable(it), "the end does not block either");
    expect_end(it);
    cr_assert(readable(it));
    cf_future *late = promise();
    assert_ok(cf_as_completed_add(it, late));
    cr_assert_not(readable(it));
    assert_ok(cf_future_set_result(late, NULL, 0));
    cr_assert(readable(it));
    cf_as_completed_destroy(it);
    cr_assert(fcntl(fd, F_GETFD) == -1 && errno == EBADF, "closed");
    cf_future_unref(late);
    unref_all(fs, 3);
}

CF_TEST(a_descriptor_made_after_completions_knows_of_them)
{
    cf_future *f = promise_in(CF_FINISHED, false);
    cf_as_completed *it = iterate(&f, 1);
    cr_assert(readable(it));
    expect_next(it, f);
    cr_assert(readable(it));
    cf_as_completed_destroy(it);
    cf_future_unref(f);
}

CF_TEST(tasks_come_out_each_exactly_once)
{
    enum { N = 2000 };
    cf_executor *ex = test_executor(2);
    static cf_future *fs[N];
    static int seen[N];
    for (int i = 0; i < N; i++)
        fs[i] = must_submit(ex, task_echo, &i, sizeof i);
    cf_as_completed *it = iterate(fs, N);
    unref_all(fs, N);
    for (int i = 0; i < N; i++) {
        cf_future *f = NULL;
        assert_ok(cf_as_completed_next(it, CF_FOREVER, &f));
        seen[int_result(f)]++;
    }
    expect_end(it);
    for (int i = 0; i < N; i++)
        cr_assert(seen[i] == 1, "%d came %d times", i, seen[i]);
    cf_as_completed_destroy(it);
    cf_executor_destroy(ex);
}

CF_TEST(an_unfinished_iteration_does_not_keep_the_arguments)
{
    cf_executor *ex = test_executor(1);
    atomic_int *frees = counter_new();
    cf_task task = CF_TASK_INIT;
    task.fn = task_nothing;
    task.arg = frees;
    task.arg_free = count_free;
    cf_future *f = NULL;
    assert_ok(cf_submit_task(ex, &task, &f));
    cf_as_completed *it = iterate(&f, 1);
    cf_future_unref(f);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cr_assert(*frees == 1);
    cf_as_completed_destroy(it);
    cf_executor_destroy(ex);
}

static void *
complete_main(void *arg)
{
    await_asleep(getpid()); /* the main thread's id */
    (void)cf_future_set_result(arg, NULL, 0);
    return NULL;
}

CF_TEST(a_completion_wakes_a_sleeping_iteration)
{
    cf_future *fs[] = {promise(), promise()};
    cf_as_completed *it = iterate(fs, 2);
    pthread_t thread;
    cr_assert(pthread_create(&thread, NULL, complete_main, fs[1]) == 0);
    expect_next(it, fs[1]);
    pthread_join(thread, NULL);
    cf_as_completed_destroy(it);
    unref_all(fs, 2);
}
