/* SPDX-License-Identifier: MIT */
/*
 * Sizes and counts that no object can have: CF_ETOOBIG, before anything is
 * allocated, read or written. The address sanitizer shows the "before": it
 * refuses such allocations.
 */
#include "tests/conformance/conformance.h"

#include <limits.h>

#define TOO_BIG ((size_t)PTRDIFF_MAX + 1)

static const size_t too_big[] = {TOO_BIG, TOO_BIG + 1, SIZE_MAX - 1, SIZE_MAX};
enum { TOO_BIGS = sizeof too_big / sizeof too_big[0] };

CF_TEST(an_argument_larger_than_any_object_is_too_big)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = NULL;
    cf_task task = CF_TASK_INIT;
    task.fn = task_echo;
    task.arg = "x";
    for (int i = 0; i < TOO_BIGS; i++) {
        task.arg_size = too_big[i];
        assert_err(cf_submit(ex, task_echo, "x", too_big[i], &f), CF_ETOOBIG);
        assert_err(cf_submit_task(ex, &task, &f), CF_ETOOBIG);
        assert_err(cf_submit_many(ex, task_echo, "x", too_big[i], 1, &f),
                   CF_ETOOBIG);
        cr_assert_null(f);
    }
    cf_executor_destroy(ex);
}

CF_TEST(more_tasks_than_can_be_are_too_many)
{
    cf_executor *ex = test_executor(1);
    atomic_int *ran = counter_new();
    cf_future *f = NULL;
    for (int i = 0; i < TOO_BIGS; i++) {
        /* Their arguments, their handles, and the tasks themselves. */
        assert_err(cf_submit_many(ex, task_echo, "x", 8, too_big[i], NULL),
                   CF_ETOOBIG);
        assert_err(cf_submit_many(ex, task_count, ran, 0, too_big[i], &f),
                   CF_ETOOBIG);
        assert_err(cf_submit_many(ex, task_count, ran, 0, too_big[i], NULL),
                   CF_ETOOBIG);
    }
    assert_err(cf_submit_many(ex, task_echo, "x", TOO_BIG, 2, NULL),
               CF_ETOOBIG); /* 0, modulo 2^64 */
    assert_err(cf_submit_many(ex, task_echo, "x", TOO_BIG / 64, 65, NULL),
               CF_ETOOBIG);
    cr_assert_null(f);
    assert_ok(cf_submit(ex, task_count, ran, 0, NULL));
    cf_executor_destroy(ex);
    cr_assert(*ran == 1);
}

CF_TEST(more_tasks_than_the_machine_has_memory_for_are_refused_at_once)
{
    cf_executor *ex = test_executor(1);
    cf_err err =
        cf_submit_many(ex, task_nothing, NULL, 0, (size_t)1 << 50, NULL);
    cr_assert(err == CF_ENOMEM, "%s", cf_err_name(err));
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(more_tasks_than_a_bound_allows_are_refused_at_once)
{
    static const cf_queue_policy policies[] = {
        CF_QUEUE_BLOCK, CF_QUEUE_REJECT, CF_QUEUE_CALLER_RUNS};
    for (int i = 0; i < 3; i++) {
        cf_executor *ex =
            test_pool((test_options){.max_workers = 1,
                                     .queue_capacity = 10,
                                     .queue_policy = policies[i]});
        /* A place that may not be written to: out is not so large. */
        cf_future *const untouched = (cf_future *)&ex;
        cf_future *fs[12];
        fs[0] = untouched;
        assert_err(cf_submit_many(ex, task_nothing, NULL, 0, 11, fs),
                   CF_ETOOBIG);
        assert_err(
            cf_submit_many(ex, task_nothing, NULL, 0, (size_t)1 << 40, fs),
            CF_ETOOBIG);
        cr_assert(fs[0] == untouched);
        assert_ok(cf_submit_many(ex, task_nothing, NULL, 0, 10, fs));
        unref_all(fs, 10);
        cf_executor_destroy(ex);
    }
}

CF_CONCURRENT_TEST(a_bound_may_be_as_large_as_a_size_can_be)
{
    cf_executor *ex =
        test_pool((test_options){.max_workers = 1, .queue_capacity = SIZE_MAX});
    cf_future *fs[100];
    assert_ok(cf_submit_many(ex, task_nothing, NULL, 0, 100, fs));
    assert_ok(cf_wait(fs, 100, CF_ALL_COMPLETED, CF_FOREVER, NULL));
    unref_all(fs, 100);
    cf_executor_destroy(ex);
}

static cf_err
never_pulled(void *data, void *item)
{
    (void)data;
    (void)item;
    cr_assert_fail("there is no room for an item");
    return CF_EDONE;
}

CF_TEST(map_refuses_items_and_chunks_larger_than_any_object)
{
    cf_executor *ex = test_executor(2);
    cf_results *r = NULL;
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    char x[16] = {0};
    for (int i = 0; i < TOO_BIGS; i++) {
        size_t n = too_big[i];
        assert_err(cf_map(ex, task_echo, x, n, 1, &opts, &r), CF_ETOOBIG);
        assert_err(cf_map(ex, task_echo, x, 1, n, &opts, &r), CF_ETOOBIG);
        assert_err(cf_map(ex, task_echo, x, 2, n, &opts, &r), CF_ETOOBIG);
    }
    opts.pull = never_pulled;
    opts.chunk_size = 16;
    for (int shift = 60; shift < 64; shift++) /* a chunk: 2^64 and more */
        assert_err(
            cf_map(ex, task_echo, NULL, (size_t)1 << shift, 0, &opts, &r),
            CF_ETOOBIG);
    opts.chunk_size = SIZE_MAX;
    assert_err(cf_map(ex, task_echo, NULL, 1, 0, &opts, &r), CF_ETOOBIG);
    opts.chunk_size = TOO_BIG / 2; /* the room for their results */
    assert_err(cf_map(ex, task_echo, NULL, 1, 0, &opts, &r), CF_ETOOBIG);
    opts.chunk_size = 1;
    assert_err(cf_map(ex, task_echo, NULL, TOO_BIG - 1, 0, &opts, &r),
               CF_ETOOBIG);
    cr_assert_null(r);
    cf_executor_destroy(ex);
}

CF_TEST(the_options_of_a_map_may_be_as_large_as_a_size_can_be)
{
    enum { N = 100 };
    cf_executor *ex = test_executor(2);
    int items[N];
    for (int i = 0; i < N; i++)
        items[i] = i;
    for (int round = 0; round < 8; round++) {
        cf_map_options opts = CF_MAP_OPTIONS_INIT;
        opts.chunk_size = round & 1 ? SIZE_MAX : 0;
        opts.buffer_size = round & 2 ? SIZE_MAX : 0;
        opts.timeout_ns = round & 4 ? INT64_MAX : 0;
        cf_results *r = NULL;
        cf_bytes result;
        assert_ok(cf_map(ex, task_square, items, sizeof(int), N, &opts, &r));
        for (int i = 0; i < N; i++)
            assert_ok(cf_results_next(r, INT64_MAX, &result));
        assert_err(cf_results_next(r, INT64_MAX, &result), CF_EDONE);
        cf_results_destroy(r, false);
        int squares[N];
        assert_ok(cf_map_array(ex,
                               task_square,
                               items,
                               sizeof(int),
                               N,
                               squares,
                               sizeof(int),
                               &opts));
        cr_assert(squares[N - 1] == (N - 1) * (N - 1));
    }
    cf_executor_destroy(ex);
}

CF_TEST(map_array_refuses_arrays_larger_than_any_object)
{
    cf_executor *ex = test_executor(2);
    char x[16] = {0}, y[16];
    cf_task_fn *fn = task_nothing;
    for (int i = 0; i < TOO_BIGS; i++) {
        size_t n = too_big[i];
        assert_err(cf_map_array(ex, fn, x, n, 1, NULL, 0, NULL), CF_ETOOBIG);
        assert_err(cf_map_array(ex, fn, x, 1, n, NULL, 0, NULL), CF_ETOOBIG);
        assert_err(cf_map_array(ex, fn, x, 1, 1, y, n, NULL), CF_ETOOBIG);
        assert_err(cf_map_array(ex, fn, x, 1, n, y, 1, NULL), CF_ETOOBIG);
        assert_err(cf_map_array(ex, fn, x, 1, 2, y, n, NULL), CF_ETOOBIG);
    }
    cf_executor_destroy(ex);
}

typedef struct reach {
    atomic_int *calls;
    size_t begin, end;
} reach;

static int
cover(cf_call *call, size_t begin, size_t end, void *data)
{
    reach *r = data;
    atomic_fetch_add(r->calls, 1);
    if (begin < r->begin || end > r->end || begin >= end)
        return cf_fail(call, 1, "%zu .. %zu", begin, end);
    return 0;
}

CF_TEST(a_loop_may_reach_to_the_largest_index)
{
    static const size_t grains[] = {0, SIZE_MAX / 2, SIZE_MAX - 1, SIZE_MAX};
    atomic_int *calls = counter_new();
    reach all = {calls, 0, SIZE_MAX}, last = {calls, SIZE_MAX - 7, SIZE_MAX};
    cf_executor *ex = test_executor(3);
    for (int i = 0; i < 4; i++) {
        cf_range_fn *fn = cover;
        assert_ok(cf_parallel_for(ex, 0, SIZE_MAX, grains[i], fn, &all, NULL));
        *calls = 0;
        assert_ok(cf_parallel_for(
            ex, SIZE_MAX - 7, SIZE_MAX, grains[i], fn, &last, NULL));
        cr_assert(*calls >= 1 && *calls <= 7, "%d calls", *calls);
    }
    cf_executor_destroy(ex);
}

CF_TEST(more_futures_than_can_be_are_too_many_to_wait_for)
{
    cf_future *f = promise_in(CF_FINISHED, false);
    cf_as_completed *it = NULL;
    size_t done = 77;
    for (int i = 0; i < TOO_BIGS; i++) {
        assert_err(cf_wait(&f, too_big[i], CF_ALL_COMPLETED, 0, &done),
                   CF_ETOOBIG);
        assert_err(cf_as_completed_create(&f, too_big[i], &it), CF_ETOOBIG);
    }
    assert_err(cf_wait(&f, SIZE_MAX / 8, CF_FIRST_COMPLETED, 0, &done),
               CF_ETOOBIG);
    assert_err(cf_as_completed_create(&f, SIZE_MAX / 8, &it), CF_ETOOBIG);
    cr_assert(done == 77);
    cr_assert_null(it);
    cf_future_unref(f);
}

/* Asks for results that nothing can hold, and keeps the one it has. */
static int
task_returns_too_much(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    if (cf_return(call, "kept", 4) != CF_OK)
        return cf_fail(call, 1, "no room for 4 bytes");
    for (int i = 0; i < TOO_BIGS; i++) {
        if (cf_return(call, "x", too_big[i]) != CF_ETOOBIG)
            return cf_fail(call, 2, "%zu bytes accepted", too_big[i]);
    }
    return 0;
}

static int
task_wants_too_large_a_buffer(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    for (int i = 0; i < TOO_BIGS; i++) {
        if (cf_return_buffer(call, too_big[i]))
            return cf_fail(call, 1, "a buffer of %zu bytes", too_big[i]);
    }
    return cf_return(call, "kept", 4);
}

static int
task_wants_an_empty_buffer(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    if (!cf_return_buffer(call, 0))
        return cf_fail(call, 1, "NULL before");
    if (cf_return(call, "x", 1) != CF_OK && cf_return(call, NULL, 0) != CF_OK)
        return cf_fail(call, 2, "no result");
    return cf_return_buffer(call, 0) ? 0 : cf_fail(call, 3, "NULL after");
}

/* Runs fn as a task, in a chunk of a map, and in an array. */
static void
expect_everywhere(cf_executor *ex, cf_task_fn *fn, const char *expected)
{
    size_t size = strlen(expected);
    cf_future *f = must_submit(ex, fn, NULL, 0);
    cf_bytes got;
    assert_ok(cf_future_result(f, CF_FOREVER, &got));
    cr_assert(got.size == size && !memcmp(got.data, expected, size));
    cf_future_unref(f);

    char items[3] = {0}, results[3][4] = {{0}};
    cf_results *r = NULL;
    assert_ok(cf_map(ex, fn, items, 1, 3, NULL, &r));
    for (int i = 0; i < 3; i++) {
        assert_ok(cf_results_next(r, CF_FOREVER, &got));
        cr_assert(got.size == size && !memcmp(got.data, expected, size));
    }
    cf_results_destroy(r, false);

    assert_ok(cf_map_array(ex, fn, items, 1, 3, results, 4, NULL));
    cr_assert(!memcmp(results[2], expected, size));
}

CF_TEST(a_result_larger_than_any_object_is_too_big_and_the_former_stays)
{
    cf_executor *ex = test_executor(1);
    expect_everywhere(ex, task_returns_too_much, "kept");
    expect_everywhere(ex, task_wants_too_large_a_buffer, "kept");
    cf_executor_destroy(ex);
}

static int
initializer_wants_an_empty_buffer(cf_call *call, void *data, void **worker_data)
{
    (void)data;
    (void)worker_data;
    return cf_return_buffer(call, 0) ? 0 : cf_fail(call, 1, "NULL");
}

CF_TEST(a_result_buffer_of_0_bytes_is_never_null)
{
#if CF_CONCURRENT
    cf_executor *ex = test_pool((test_options){
        .max_workers = 1, .initializer = initializer_wants_an_empty_buffer});
#else
    cf_executor *ex = test_executor(1);
    (void)initializer_wants_an_empty_buffer;
#endif
    expect_everywhere(ex, task_wants_an_empty_buffer, "");
    assert_ok(cf_map_array(
        ex, task_wants_an_empty_buffer, "abc", 1, 3, NULL, 0, NULL));
    cf_executor_destroy(ex);
}

CF_TEST(a_result_by_hand_larger_than_any_object_is_too_big)
{
    cf_future *f = promise();
    for (int i = 0; i < TOO_BIGS; i++)
        assert_err(cf_future_set_result(f, "x", too_big[i]), CF_ETOOBIG);
    assert_state(f, CF_PENDING);
    cf_future_unref(f);
}

CF_TEST(shared_memory_larger_than_any_object_is_null)
{
    cf_executor *ex = test_executor(1);
    for (int i = 0; i < TOO_BIGS; i++)
        cr_assert_null(cf_shared_alloc(ex, too_big[i]));
    cf_executor_destroy(ex);
}

CF_TEST(priorities_and_timeouts_may_be_extreme)
{
    static const int priorities[] = {
        INT_MIN, INT_MIN + 1, INT_MAX - 1, INT_MAX};
    cf_executor *ex = test_executor(1);
    atomic_int *ran = counter_new();
    for (int i = 0; i < 4; i++) {
        cf_task task = CF_TASK_INIT;
        task.fn = task_count;
        task.arg = ran;
        task.priority = priorities[i];
        task.timeout_ns = INT64_MAX - i % 2;
        cf_future *f = NULL;
        assert_ok(cf_submit_task(ex, &task, &f));
        assert_ok(cf_future_wait(f, INT64_MAX - 1));
        assert_ok(cf_wait(&f, 1, CF_FIRST_ERROR, INT64_MAX, NULL));
        cf_future_unref(f);
    }
    assert_ok(cf_executor_wait_idle(ex, INT64_MAX));
    assert_ok(cf_executor_shutdown(ex, 0, INT64_MAX));
    cf_executor_destroy(ex);
    cr_assert(*ran == 4, "%d", *ran);
}
