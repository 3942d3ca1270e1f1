/* SPDX-License-Identifier: MIT */
/*
 * Maps and loops, which submit many tasks each, on a pool whose queue holds
 * only a few. Pools only: the bound is their option.
 */
#include "tests/conformance/conformance.h"

static int
count_range(cf_call *call, size_t begin, size_t end, void *data)
{
    (void)call;
    atomic_fetch_add((atomic_int *)data, (int)(end - begin));
    return 0;
}

static int
fold_ones(cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    (void)call;
    (void)data;
    *(int *)partial += (int)(end - begin);
    return 0;
}

static void
add_two(void *partial, void *next, void *data)
{
    (void)data;
    *(int *)partial += *(const int *)next;
}

/* Maps 100 numbers in each way; returns how many came through. */
static int
map_all_ways(cf_executor *ex)
{
    enum { N = 100 };
    int items[N];
    for (int i = 0; i < N; i++)
        items[i] = i;
    int through = 0;
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.chunk_size = 1;
    cf_results *r = NULL;
    if (cf_map(ex, task_square, items, sizeof items[0], N, &opts, &r) == CF_OK)
        while (cf_results_next(r, CF_FOREVER, NULL) == CF_OK)
            through++;
    cf_results_destroy(r, true);
    atomic_int *iterations = counter_new();
    if (cf_parallel_for(ex, 0, N, 1, count_range, iterations, NULL) == CF_OK)
        through += *iterations;
    int sum = 0;
    if (cf_parallel_reduce(
            ex, 0, N, 1, fold_ones, add_two, &sum, sizeof sum, NULL, &sum) ==
        CF_OK)
        through += sum;
    if (cf_map_array(ex,
                     task_square,
                     items,
                     sizeof items[0],
                     N,
                     items,
                     sizeof items[0],
                     &opts) == CF_OK)
        for (int i = 0; i < N; i++)
            through += items[i] == i * i;
    return through;
}

static int
task_maps_all_ways(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    int through = map_all_ways(cf_call_executor(call));
    return cf_return(call, &through, sizeof through) != CF_OK;
}

CF_TEST(maps_and_loops_fit_through_a_small_queue)
{
    static const cf_queue_policy policies[] = {CF_QUEUE_BLOCK,
                                               CF_QUEUE_CALLER_RUNS};
    for (int i = 0; i < 2; i++) {
        cf_executor *ex =
            test_pool((test_options){.max_workers = 2,
                                     .queue_capacity = 2,
                                     .queue_policy = policies[i]});
        int through = map_all_ways(ex);
        cr_assert(through == 400, "%d from outside", through);
        cf_future *f = must_submit(ex, task_maps_all_ways, NULL, 0);
        cr_assert(int_result(f) == 400, "%d from inside", int_result(f));
        cf_future_unref(f);
        cf_executor_destroy(ex);
    }
}

/* The queue is full when it would submit the next one. */
CF_TEST(a_result_that_is_there_is_handed_out_at_once)
{
    static const cf_queue_policy policies[] = {CF_QUEUE_BLOCK,
                                               CF_QUEUE_CALLER_RUNS};
    for (int i = 0; i < 2; i++) {
        cf_executor *ex =
            test_pool((test_options){.max_workers = 1,
                                     .queue_capacity = 1,
                                     .queue_policy = policies[i]});
        int items[] = {1, 2, 3};
        cf_map_options opts = CF_MAP_OPTIONS_INIT;
        opts.chunk_size = opts.buffer_size = 1;
        cf_results *r = NULL;
        assert_ok(
            cf_map(ex, task_square, items, sizeof items[0], 3, &opts, &r));
        assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
        gate *g = gate_new();
        cf_future *held;
        occupy(ex, g, 1, &held);
        cf_future *queued = must_submit(ex, task_nothing, NULL, 0);
        cf_bytes out;
        assert_ok(cf_results_next(r, 0, &out));
        cr_assert(*(const int *)out.data == 1);
        assert_err(cf_results_next(r, 0, &out), CF_ETIMEDOUT);
        gate_open(g);
        for (int k = 2; k < 4; k++) {
            assert_ok(cf_results_next(r, CF_FOREVER, &out));
            cr_assert(*(const int *)out.data == k * k);
        }
        assert_err(cf_results_next(r, CF_FOREVER, &out), CF_EDONE);
        cf_results_destroy(r, true);
        cf_future_unref(queued);
        cf_future_unref(held);
        cf_executor_destroy(ex);
    }
}

CF_TEST(of_a_map_that_is_rejected_nothing_runs)
{
    cf_executor *ex =
        test_pool((test_options){.max_workers = 1,
                                 .queue_capacity = 3,
                                 .queue_policy = CF_QUEUE_REJECT});
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    atomic_int *ran = counter_new();
    atomic_int *items[10];
    for (int i = 0; i < 10; i++)
        items[i] = ran;
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.chunk_size = 1;
    cf_results *r = NULL;
    assert_err(
        cf_map(ex, task_count_pointer, items, sizeof items[0], 10, &opts, &r),
        CF_EAGAIN);
    cr_assert_null(r);
    gate_open(g);
    cf_executor_destroy(ex);
    cf_future_unref(held);
    cr_assert(*ran == 0, "%d ran", *ran);
}
