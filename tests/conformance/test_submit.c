/* SPDX-License-Identifier: MIT */
/*
 * How tasks and their arguments get into an executor.
 */
#include "tests/conformance/conformance.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* CPython: executor.test_submit */
CF_TEST(submit_gives_the_result_of_the_call)
{
    cf_executor *ex = test_executor(2);
    cf_future *f = must_submit(ex, task_square, &(int){16}, sizeof(int));
    cr_assert(int_result(f) == 256);
    assert_state(f, CF_FINISHED);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(many_tasks_each_have_their_own_result)
{
    enum { N = 5000 };
    cf_executor *ex = test_executor(2);
    static cf_future *futures[N];
    for (int i = 0; i < N; i++)
        futures[i] = must_submit(ex, task_square, &i, sizeof i);
    for (int i = 0; i < N; i++)
        cr_assert(int_result(futures[i]) == i * i);
    unref_all(futures, N);
    cf_executor_destroy(ex);
}

/* CPython: executor.test_submit_keyword (arguments arrive as they were) */
CF_TEST(an_argument_of_any_size_arrives_whole_and_aligned)
{
    cf_executor *ex = test_executor(1);
    unsigned char data[200];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)i;
    for (size_t size = 1; size <= sizeof data; size++) {
        cf_future *f = must_submit(ex, task_echo, data, size);
        cf_bytes bytes = {NULL, 0};
        assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
        cr_assert(bytes.size == size);
        cr_assert(memcmp(bytes.data, data, size) == 0, "size %zu", size);
        cr_assert((uintptr_t)bytes.data % _Alignof(max_align_t) == 0);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

static int
task_alignment(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    int rest = (int)((uintptr_t)arg % _Alignof(max_align_t));
    return cf_return(call, &rest, sizeof rest) != CF_OK;
}

CF_TEST(a_copied_argument_is_aligned_as_malloc_does)
{
    cf_executor *ex = test_executor(1);
    static const unsigned char data[100];
    for (size_t size = 1; size <= sizeof data; size++) {
        cf_future *f = must_submit(ex, task_alignment, data, size);
        cr_assert(int_result(f) == 0, "size %zu", size);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(an_argument_with_a_size_is_copied_at_submit)
{
    cf_executor *ex = test_executor(1);
    static const size_t sizes[] = {1, 32, 33, 5000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        gate *g = gate_new();
        cf_future *held;
        occupy(ex, g, 1, &held);
        char *data = malloc(sizes[i]);
        cr_assert_not_null(data);
        memset(data, 'x', sizes[i]);
        cf_future *f = must_submit(ex, task_echo, data, sizes[i]);
        memset(data, '#', sizes[i]);
        free(data);
        gate_open(g);
        cf_bytes bytes = {NULL, 0};
        assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
        for (size_t k = 0; k < sizes[i]; k++)
            cr_assert(((const char *)bytes.data)[k] == 'x');
        cf_future_unref(f);
        cf_future_unref(held);
    }
    cf_executor_destroy(ex);
}

static int
task_where(cf_call *call, const void *arg, size_t arg_size)
{
    if (arg_size != 0)
        return 1;
    return cf_return(call, &arg, sizeof arg) != CF_OK;
}

CF_TEST(an_argument_without_a_size_is_the_pointer_itself)
{
    cf_executor *ex = test_executor(1);
    static char place[64];
    const char *pointers[] = {place, NULL};
    for (int i = 0; i < 2; i++) {
        cf_future *f = must_submit(ex, task_where, pointers[i], 0);
        cf_bytes bytes = {NULL, 0};
        assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
        cr_assert(memcmp(bytes.data, &pointers[i], sizeof pointers[i]) == 0);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

CF_TEST(a_detached_task_runs)
{
    cf_executor *ex = test_executor(2);
    atomic_int *ran = counter_new();
    for (int i = 0; i < 100; i++)
        assert_ok(cf_submit(ex, task_count, ran, 0, NULL));
    cf_executor_destroy(ex);
    cr_assert(*ran == 100, "%d ran", *ran);
}

CF_TEST(dropping_the_future_early_cancels_nothing)
{
    cf_executor *ex = test_executor(2);
    atomic_int *ran = counter_new();
    for (int i = 0; i < 100; i++)
        cf_future_unref(must_submit(ex, task_count, ran, 0));
    cf_executor_destroy(ex);
    cr_assert(*ran == 100, "%d ran", *ran);
}

CF_TEST(a_future_outlives_its_executor)
{
    cf_executor *ex = test_executor(1);
    cf_future *small = must_submit(ex, task_square, &(int){5}, sizeof(int));
    char data[1000];
    memset(data, 'd', sizeof data);
    cf_future *large = must_submit(ex, task_echo, data, sizeof data);
    cf_executor_destroy(ex);
    cr_assert(int_result(small) == 25);
    cf_bytes bytes = {NULL, 0};
    assert_ok(cf_future_result(large, 0, &bytes));
    cr_assert(bytes.size == 1000 && memcmp(bytes.data, data, 1000) == 0);
    cf_future_unref(small);
    cf_future_unref(large);
}

CF_TEST(a_bad_submit_is_einval_and_leaves_out_alone)
{
    cf_executor *ex = test_executor(1);
    cf_future *const untouched = (cf_future *)&ex;
    cf_future *f = untouched;
    assert_err(cf_submit(NULL, task_nothing, NULL, 0, &f), CF_EINVAL);
    assert_err(cf_submit(ex, NULL, NULL, 0, &f), CF_EINVAL);
    assert_err(cf_submit(ex, task_nothing, NULL, 1, &f), CF_EINVAL);
    assert_err(cf_submit_task(ex, NULL, &f), CF_EINVAL);
    cf_task task = CF_TASK_INIT;
    assert_err(cf_submit_task(ex, &task, &f), CF_EINVAL);
    task.fn = task_nothing;
    task.timeout_ns = -2;
    assert_err(cf_submit_task(ex, &task, &f), CF_EINVAL);
    task.timeout_ns = CF_FOREVER;
    task.arg = "x";
    task.arg_size = 1;
    task.arg_free = free;
    assert_err(cf_submit_task(ex, &task, &f), CF_EINVAL);
    cr_assert(f == untouched);
    cf_executor_destroy(ex);
}

CF_TEST(a_task_struct_of_another_version_is_understood)
{
    cf_executor *ex = test_executor(1);
    struct {
        cf_task known;
        long news[2];
    } newer = {CF_TASK_INIT, {0, 1}};
    newer.known.size = sizeof newer;
    newer.known.fn = task_square;
    newer.known.arg = &(int){4};
    newer.known.arg_size = sizeof(int);
    cf_future *f = NULL;
    assert_err(cf_submit_task(ex, &newer.known, &f), CF_ETOOBIG);
    cr_assert_null(f);
    newer.news[1] = 0;
    assert_ok(cf_submit_task(ex, &newer.known, &f));
    cr_assert(int_result(f) == 16);
    cf_future_unref(f);

    /* An older program's struct ended before arg_free; what lies behind it
     * must not be read. */
    cf_task older = newer.known;
    older.size = offsetof(cf_task, arg_free);
    older.arg_free = free;
    older.timeout_ns = -77;
    assert_ok(cf_submit_task(ex, &older, &f));
    cr_assert(int_result(f) == 16);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

static cf_task
task_with_free(cf_task_fn *fn, atomic_int *frees)
{
    cf_task task = CF_TASK_INIT;
    task.fn = fn;
    task.arg = frees;
    task.arg_free = count_free;
    return task;
}

/* CPython: executor.test_no_stale_references, test_free_reference */
CF_TEST(arg_free_is_called_once_after_the_run)
{
    cf_executor *ex = test_executor(1);
    atomic_int *frees = counter_new();
    cf_task task = task_with_free(task_nothing, frees);
    cf_future *f = NULL;
    assert_ok(cf_submit_task(ex, &task, &f));
    assert_ok(cf_future_wait(f, CF_FOREVER));
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cr_assert(*frees == 1, "although the future is still held");
    cf_future_unref(f);
    assert_ok(cf_submit_task(ex, &task, NULL));
    cf_executor_destroy(ex);
    cr_assert(*frees == 2);
}

static int
task_failing(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    return cf_fail(call, 1, "no");
}

CF_TEST(arg_free_is_called_once_after_a_failure)
{
    cf_executor *ex = test_executor(1);
    atomic_int *frees = counter_new();
    cf_task task = task_with_free(task_failing, frees);
    assert_ok(cf_submit_task(ex, &task, NULL));
    cf_executor_destroy(ex);
    cr_assert(*frees == 1);
}

CF_TEST(arg_free_is_not_called_if_the_submit_fails)
{
    cf_executor *ex = test_executor(1);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    atomic_int *frees = counter_new();
    cf_task task = task_with_free(task_nothing, frees);
    assert_err(cf_submit_task(ex, &task, NULL), CF_ESHUTDOWN);
    task.timeout_ns = -2;
    assert_err(cf_submit_task(ex, &task, NULL), CF_EINVAL);
    cf_executor_destroy(ex);
    cr_assert(*frees == 0);
}

CF_CONCURRENT_TEST(arg_free_is_called_when_a_pending_task_is_cancelled)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    atomic_int *frees = counter_new();
    cf_task task = task_with_free(task_nothing, frees);
    cf_future *f = NULL;
    assert_ok(cf_submit_task(ex, &task, &f));
    cr_assert(*frees == 0);
    cr_assert(cf_future_cancel(f));
    cr_assert(*frees == 1, "at once, in the cancelling thread");
    assert_ok(cf_submit_task(ex, &task, NULL));
    assert_ok(cf_executor_shutdown(
        ex, CF_SHUTDOWN_CANCEL | CF_SHUTDOWN_NOWAIT, CF_FOREVER));
    gate_open(g);
    cf_executor_destroy(ex);
    cr_assert(*frees == 2, "%d", *frees);
    cf_future_unref(f);
    cf_future_unref(held);
}
