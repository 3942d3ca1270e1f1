/* SPDX-License-Identifier: MIT */
/*
 * cf_map() over an array: order, chunks, failing items, timeouts, and ending
 * early. test_map_window.c has the bounded and the pulled ones.
 */
#include "tests/conformance/conformance.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void
fill(int *items, int count)
{
    for (int i = 0; i < count; i++)
        items[i] = i;
}

static cf_results *
map_ints(cf_executor *ex,
         cf_task_fn *fn,
         const int *items,
         size_t count,
         const cf_map_options *opts)
{
    cf_results *r = NULL;
    assert_ok(cf_map(ex, fn, items, sizeof *items, count, opts, &r));
    cr_assert_not_null(r);
    return r;
}

static int
next_int(cf_results *r)
{
    cf_bytes bytes = {NULL, 0};
    assert_ok(cf_results_next(r, CF_FOREVER, &bytes));
    cr_assert(bytes.size == sizeof(int), "%zu bytes", bytes.size);
    cr_assert_null(cf_results_error(r));
    int n;
    memcpy(&n, bytes.data, sizeof n);
    return n;
}

static void
expect_end(cf_results *r)
{
    for (int i = 0; i < 2; i++)
        assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_EDONE);
}

/* CPython: executor.test_map, test_process_pool.test_map_chunksize */
CF_TEST(results_come_in_the_order_of_the_items_whatever_the_chunks)
{
    static const size_t chunks[] = {0, 1, 6, 50, 99, 100, 1000, SIZE_MAX};
    enum { N = 100 };
    cf_executor *ex = test_executor(3);
    int items[N];
    fill(items, N);
    for (size_t c = 0; c < sizeof chunks / sizeof chunks[0]; c++) {
        cf_map_options opts = CF_MAP_OPTIONS_INIT;
        opts.chunk_size = chunks[c];
        cf_results *r = map_ints(ex, task_square, items, N, &opts);
        cr_assert(cf_results_index(r) == SIZE_MAX);
        for (int i = 0; i < N; i++) {
            cr_assert(next_int(r) == i * i, "item %d", i);
            cr_assert(cf_results_index(r) == (size_t)i);
        }
        expect_end(r);
        cf_results_destroy(r, false);
    }
    cf_executor_destroy(ex);
}

CF_TEST(the_library_s_own_chunks_pass_everything_through)
{
    enum { N = 100000 };
    cf_executor *ex = test_executor(2);
    static int items[N];
    fill(items, N);
    cf_results *r = map_ints(ex, task_echo, items, N, NULL);
    memset(items, 0xff, sizeof items); /* they are copied */
    for (int i = 0; i < N; i++)
        cr_assert(next_int(r) == i);
    expect_end(r);
    cf_results_destroy(r, true);
    cf_executor_destroy(ex);
}

/* CPython: executor.test_map_buffersize_without_iterable (3.14) */
CF_TEST(a_map_over_nothing_is_done_at_once)
{
    cf_executor *ex = test_executor(1);
    cf_results *r = map_ints(ex, task_square, NULL, 0, NULL);
    expect_end(r);
    cr_assert_null(cf_results_error(r));
    cf_results_destroy(r, true);
    cf_results_destroy(NULL, true);
    cf_executor_destroy(ex);
}

/* CPython: executor.test_map_exception (3.15): iteration goes on after the
 * error, also inside a chunk */
CF_TEST(a_failing_item_is_its_own_error_and_the_next_ones_follow)
{
    static const size_t chunks[] = {0, 1, 5, 100};
    enum { N = 30 };
    cf_executor *ex = test_executor(2);
    int items[N];
    fill(items, N);
    for (int c = 0; c < 4; c++) {
        cf_map_options opts = CF_MAP_OPTIONS_INIT;
        opts.chunk_size = chunks[c];
        cf_results *r = map_ints(ex, task_fail_thirds, items, N, &opts);
        for (int i = 0; i < N; i++) {
            if (i % 3 != 0) {
                cr_assert(next_int(r) == 2 * i);
                continue;
            }
            cf_bytes bytes = {items, 99};
            assert_err(cf_results_next(r, CF_FOREVER, &bytes), CF_ETASK);
            cr_assert(bytes.size == 0, "a failed item has no bytes");
            cr_assert(cf_results_index(r) == (size_t)i);
            const cf_error *error = cf_results_error(r);
            cr_assert(error != NULL && error->kind == CF_ETASK);
            cr_assert(error->code == i, "also 0");
            char expected[64];
            snprintf(expected, sizeof expected, "%d is a multiple of 3", i);
            cr_assert_str_eq(error->message, expected);
        }
        expect_end(r);
        cf_results_destroy(r, false);
    }
    cf_executor_destroy(ex);
}

/* Returns as many bytes as its item says, all of that value. */
static int
task_sized(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    int n;
    memcpy(&n, arg, sizeof n);
    void *p = cf_return_buffer(call, (size_t)n);
    if (p == NULL)
        return 1;
    memset(p, n & 0xff, (size_t)n);
    return 0;
}

CF_TEST(results_of_different_sizes_are_kept_apart)
{
    enum { N = 300 };
    cf_executor *ex = test_executor(2);
    int items[N];
    for (int i = 0; i < N; i++)
        items[i] = (i * 37) % 5000;
    cf_results *r = map_ints(ex, task_sized, items, N, NULL);
    for (int i = 0; i < N; i++) {
        cf_bytes bytes;
        assert_ok(cf_results_next(r, CF_FOREVER, &bytes));
        cr_assert(bytes.size == (size_t)items[i]);
        const unsigned char *p = bytes.data;
        for (size_t k = 0; k < bytes.size; k++)
            cr_assert(p[k] == (items[i] & 0xff));
    }
    expect_end(r);
    cf_results_destroy(r, false);
    cf_executor_destroy(ex);
}

CF_TEST(unordered_results_each_come_once_with_their_index)
{
    enum { N = 500 };
    cf_executor *ex = test_executor(3);
    int items[N];
    bool seen[N] = {false};
    fill(items, N);
    for (size_t chunk = 0; chunk < 3; chunk++) {
        cf_map_options opts = CF_MAP_OPTIONS_INIT;
        opts.unordered = 1;
        opts.chunk_size = chunk * 7;
        cf_results *r = map_ints(ex, task_square, items, N, &opts);
        for (int i = 0; i < N; i++) {
            int n = next_int(r);
            size_t at = cf_results_index(r);
            cr_assert(at < N && n == (int)(at * at));
            cr_assert(seen[at] == (chunk % 2 == 1), "item %zu twice", at);
            seen[at] = chunk % 2 == 0;
        }
        expect_end(r);
        cf_results_destroy(r, false);
    }
    cf_executor_destroy(ex);
}

/* Takes a gate * by value; NULL does not wait. */
static int
task_optional_hold(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    gate *g;
    memcpy(&g, arg, sizeof g);
    if (g != NULL)
        gate_pass(g);
    return 0;
}

CF_CONCURRENT_TEST(unordered_results_do_not_wait_for_a_slow_item)
{
    cf_executor *ex = test_executor(2);
    gate *g = gate_new();
    gate *items[5] = {NULL, g, NULL, NULL, NULL};
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.unordered = 1;
    opts.chunk_size = 1;
    cf_results *r = NULL;
    assert_ok(
        cf_map(ex, task_optional_hold, items, sizeof items[0], 5, &opts, &r));
    for (int i = 0; i < 4; i++) {
        assert_ok(cf_results_next(r, CF_FOREVER, NULL));
        cr_assert(cf_results_index(r) != 1);
    }
    assert_err(cf_results_next(r, 0, NULL), CF_ETIMEDOUT);
    gate_open(g);
    assert_ok(cf_results_next(r, CF_FOREVER, NULL));
    cr_assert(cf_results_index(r) == 1);
    expect_end(r);
    cf_results_destroy(r, false);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(a_wait_for_a_result_that_runs_out_can_be_repeated)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    gate *items[2] = {g, NULL};
    cf_results *r = NULL;
    assert_ok(
        cf_map(ex, task_optional_hold, items, sizeof items[0], 2, NULL, &r));
    cf_bytes bytes = {items, 99};
    assert_err(cf_results_next(r, 0, &bytes), CF_ETIMEDOUT);
    assert_err(cf_results_next(r, CF_MS(5), &bytes), CF_ETIMEDOUT);
    cr_assert(bytes.data == items && bytes.size == 99, "untouched");
    gate_open(g);
    assert_ok(cf_results_next(r, CF_FOREVER, &bytes));
    cr_assert(cf_results_index(r) == 0);
    assert_ok(cf_results_next(r, CF_FOREVER, NULL));
    expect_end(r);
    cf_results_destroy(r, false);
    cf_executor_destroy(ex);
}

/* CPython: executor.test_map_timeout,
 * test_thread_pool.test_executor_map_current_future_cancel */
CF_CONCURRENT_TEST(a_map_s_timeout_yields_what_is_done_and_cancels_the_rest)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    gate *items[6] = {NULL, NULL, g, g, g, g};
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.chunk_size = 1;
    opts.timeout_ns = CF_MS(500);
    cf_results *r = NULL;
    assert_ok(
        cf_map(ex, task_optional_hold, items, sizeof items[0], 6, &opts, &r));
    assert_ok(cf_results_next(r, CF_FOREVER, NULL));
    assert_ok(cf_results_next(r, CF_FOREVER, NULL));
    assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_ETIMEDOUT);
    expect_end(r);
    cf_results_destroy(r, false);
    gate_open(g);
    cf_executor_destroy(ex);
    cr_assert(gate_arrived(g) == 1, "the rest never started");
}

/* CPython: test_thread_pool.test_map_submits_without_iteration */
CF_CONCURRENT_TEST(a_map_submits_everything_before_it_is_asked)
{
    enum { N = 100 };
    cf_executor *ex = test_executor(2);
    gate *g = gate_new();
    gate *items[N];
    for (int i = 0; i < N; i++)
        items[i] = g;
    gate_open(g);
    cf_results *r = NULL;
    assert_ok(
        cf_map(ex, task_optional_hold, items, sizeof items[0], N, NULL, &r));
    gate_await(g, N);
    cf_results_destroy(r, true);
    cf_executor_destroy(ex);
}

/* CPython: executor.test_map_close (3.15), and gh-136578: what destroy does is
 * said, not a matter of whether iteration had begun */
CF_CONCURRENT_TEST(destroying_the_results_cancels_the_rest_only_if_told)
{
    for (int begun = 0; begun < 2; begun++) {
        for (int cancel = 0; cancel < 2; cancel++) {
            cf_executor *ex = test_executor(1);
            gate *g = gate_new();
            gate *items[10];
            for (int i = 0; i < 10; i++)
                items[i] = i == 0 ? NULL : g;
            cf_map_options opts = CF_MAP_OPTIONS_INIT;
            opts.chunk_size = 1;
            cf_results *r = NULL;
            assert_ok(cf_map(
                ex, task_optional_hold, items, sizeof items[0], 10, &opts, &r));
            if (begun)
                assert_ok(cf_results_next(r, CF_FOREVER, NULL));
            gate_await(g, 1);
            cf_results_destroy(r, cancel);
            gate_open(g);
            cf_executor_destroy(ex);
            cr_assert(gate_arrived(g) == (cancel ? 1 : 9));
        }
    }
}

/* Takes a gate * by value: ends when it is asked to stop. */
static int
task_stoppable(cf_call *call, const void *arg, size_t arg_size)
{
    gate *g;
    memcpy(&g, arg, sizeof g);
    return task_until_canceled(call, g, arg_size);
}

CF_CONCURRENT_TEST(destroying_with_cancel_interrupts_what_runs)
{
    cf_executor *ex = test_executor(2);
    gate *g = gate_new();
    gate *items[2] = {g, g};
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.chunk_size = 1;
    cf_results *r = NULL;
    assert_ok(cf_map(ex, task_stoppable, items, sizeof items[0], 2, &opts, &r));
    gate_await(g, 2);
    cf_results_destroy(r, true);
    cf_executor_destroy(ex); /* ends: both were told to stop */
}

CF_TEST(a_map_outlives_nothing_it_needs)
{
    cf_executor *ex = test_executor(2);
    int *items = malloc(50 * sizeof *items);
    cr_assert_not_null(items);
    fill(items, 50);
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.chunk_size = 3;
    cf_results *r = map_ints(ex, task_square, items, 50, &opts);
    free(items);
    memset(&opts, 0xff, sizeof opts);
    for (int i = 0; i < 50; i++)
        cr_assert(next_int(r) == i * i);
    cf_results_destroy(r, false);
    cf_executor_destroy(ex);
}

CF_TEST(bad_maps_are_refused_and_run_nothing)
{
    cf_executor *ex = test_executor(1);
    int item = 3;
    cf_results *r = NULL;
    assert_err(cf_map(NULL, task_square, &item, 4, 1, NULL, &r), CF_EINVAL);
    assert_err(cf_map(ex, NULL, &item, 4, 1, NULL, &r), CF_EINVAL);
    assert_err(cf_map(ex, task_square, NULL, 4, 1, NULL, &r), CF_EINVAL);
    assert_err(cf_map(ex, task_square, &item, 0, 1, NULL, &r), CF_EINVAL);
    assert_err(cf_map(ex, task_square, &item, 4, 1, NULL, NULL), CF_EINVAL);
    assert_err(cf_map(ex, task_square, &item, SIZE_MAX / 2, 3, NULL, &r),
               CF_ETOOBIG);
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.timeout_ns = -2;
    assert_err(cf_map(ex, task_square, &item, 4, 1, &opts, &r), CF_EINVAL);
    struct {
        cf_map_options known;
        long news;
    } newer = {CF_MAP_OPTIONS_INIT, 1};
    newer.known.size = sizeof newer;
    assert_err(cf_map(ex, task_square, &item, 4, 1, &newer.known, &r),
               CF_ETOOBIG);
    cr_assert_null(r);
    newer.news = 0;
    r = map_ints(ex, task_square, &item, 1, &newer.known);
    assert_err(cf_results_next(NULL, 0, NULL), CF_EINVAL);
    assert_err(cf_results_next(r, -2, NULL), CF_EINVAL);
    cr_assert(next_int(r) == 9);
    cf_results_destroy(r, false);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    r = NULL;
    assert_err(cf_map(ex, task_square, &item, 4, 1, NULL, &r), CF_ESHUTDOWN);
    cr_assert_null(r);
    cf_executor_destroy(ex);
}
