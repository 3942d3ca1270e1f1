/* SPDX-License-Identifier: MIT */
/*
 * cf_map_array(): results of a fixed size, straight into the caller's array.
 */
#include "tests/conformance/conformance.h"

#include <sched.h>
#include <stddef.h>
#include <stdint.h>

CF_TEST(every_result_lands_in_its_place)
{
    static const size_t chunks[] = {0, 1, 7, 100000};
    enum { N = 10000 };
    cf_executor *ex = test_executor(2);
    static int items[N];
    static int results[N];
    for (int i = 0; i < N; i++)
        items[i] = i;
    for (int c = 0; c < 4; c++) {
        cf_map_options opts = CF_MAP_OPTIONS_INIT;
        opts.chunk_size = chunks[c];
        memset(results, 0xff, sizeof results);
        assert_ok(cf_map_array(ex,
                               task_square,
                               items,
                               sizeof items[0],
                               N,
                               results,
                               sizeof results[0],
                               &opts));
        for (int i = 0; i < N; i++)
            cr_assert(results[i] == i * i, "item %d", i);
    }
    cf_executor_destroy(ex);
}

CF_TEST(results_may_replace_the_items)
{
    enum { N = 1000 };
    cf_executor *ex = test_executor(2);
    int items[N];
    for (int i = 0; i < N; i++)
        items[i] = i;
    assert_ok(cf_map_array(ex,
                           task_square,
                           items,
                           sizeof items[0],
                           N,
                           items,
                           sizeof items[0],
                           NULL));
    for (int i = 0; i < N; i++)
        cr_assert(items[i] == i * i);
    cf_executor_destroy(ex);
}

/* Returns where its argument is. */
static int
task_address(cf_call *call, const void *arg, size_t arg_size)
{
    if (arg_size != sizeof(short))
        return 1;
    const void **place = cf_return_buffer(call, sizeof(void *));
    if (place == NULL)
        return 1;
    *place = arg;
    return 0;
}

CF_TEST(items_are_passed_where_they_stand)
{
    enum { N = 100 };
    cf_executor *ex = test_executor(2);
    /* Memory that is anywhere the same; other memory may be copied. */
    short *items = cf_shared_alloc(ex, N * sizeof *items);
    const void **results = cf_shared_alloc(ex, N * sizeof *results);
    cr_assert(items != NULL && results != NULL);
    assert_ok(cf_map_array(ex,
                           task_address,
                           items,
                           sizeof items[0],
                           N,
                           results,
                           sizeof results[0],
                           NULL));
    for (int i = 0; i < N; i++)
        cr_assert(results[i] == &items[i]);
    cf_shared_free(ex, items);
    cf_shared_free(ex, results);
    cf_executor_destroy(ex);
}

/* Of the 8 bytes of an element sets the first arg % 9, or says that 9 do not
 * fit. */
static int
task_partial(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    static const char text[] = "abcdefgh";
    int n;
    memcpy(&n, arg, sizeof n);
    if (cf_return(call, text, 9) != CF_ETOOBIG)
        return cf_fail(call, 1, "nine bytes fit");
    if (cf_return_buffer(call, 9) != NULL)
        return cf_fail(call, 2, "a buffer of nine bytes fits");
    return cf_return(call, text, (size_t)n % 9) != CF_OK;
}

CF_TEST(a_shorter_result_leaves_the_rest_and_a_longer_one_is_refused)
{
    enum { N = 90 };
    cf_executor *ex = test_executor(2);
    int items[N];
    char results[N][8];
    for (int i = 0; i < N; i++)
        items[i] = i;
    memset(results, '-', sizeof results);
    assert_ok(cf_map_array(
        ex, task_partial, items, sizeof items[0], N, results, 8, NULL));
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < 8; k++)
            cr_assert(results[i][k] == (k < i % 9 ? "abcdefgh"[k] : '-'));
    }
    cf_executor_destroy(ex);
}

CF_TEST(items_without_results_are_run_for_what_they_do)
{
    cf_executor *ex = test_executor(2);
    atomic_int *ran = cf_shared_alloc(ex, sizeof *ran);
    cr_assert_not_null(ran);
    /* task_count takes a pointer: here the item is the counter itself. */
    assert_ok(cf_map_array(ex, task_count, ran, sizeof *ran, 1, NULL, 0, NULL));
    cr_assert(*ran == 1);
    assert_ok(
        cf_map_array(ex, task_nothing, NULL, sizeof *ran, 0, NULL, 0, NULL));
    cf_shared_free(ex, ran);
    cf_executor_destroy(ex);
}

CF_TEST(the_lowest_failing_item_is_returned_with_its_index)
{
    enum { N = 1000 };
    cf_executor *ex = test_executor(2);
    int items[N];
    int results[N];
    static const size_t chunks[] = {0, 1, 10};
    static const int failing[] = {0, 1, 499, 999};
    for (int c = 0; c < 3; c++) {
        for (int k = 0; k < 4; k++) {
            for (int i = 0; i < N; i++)
                items[i] = 1; /* no multiple of 3 */
            items[failing[k]] = 3;
            size_t index = 12345;
            cf_map_options opts = CF_MAP_OPTIONS_INIT;
            opts.chunk_size = chunks[c];
            opts.failed_index = &index;
            assert_err(cf_map_array(ex,
                                    task_fail_thirds,
                                    items,
                                    sizeof items[0],
                                    N,
                                    results,
                                    sizeof results[0],
                                    &opts),
                       CF_ETASK);
            cr_assert(index == (size_t)failing[k], "item %zu", index);
        }
    }
    cf_executor_destroy(ex);
}

/* An item notes that it ran, and may fail. */
typedef struct item {
    atomic_int *ran;
    bool fails;
} item;

static int
task_item(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    const item *it = arg;
    atomic_fetch_add(it->ran, 1);
    return it->fails ? cf_fail(call, 1, "as told") : 0;
}

CF_TEST(of_several_failures_the_lowest_that_ran_counts)
{
    enum { N = 3000 };
    cf_executor *ex = test_executor(3);
    static item items[N];
    atomic_int *ran = shared_new(N * sizeof *ran);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < N; i++) {
            ran[i] = 0;
            items[i] = (item){&ran[i], i >= round && i % 7 == 0};
        }
        size_t index = N;
        cf_map_options opts = CF_MAP_OPTIONS_INIT;
        opts.failed_index = &index;
        assert_err(
            cf_map_array(
                ex, task_item, items, sizeof items[0], N, NULL, 0, &opts),
            CF_ETASK);
        size_t lowest = 0;
        while (lowest < N && !(ran[lowest] > 0 && items[lowest].fails))
            lowest++;
        cr_assert(index == lowest, "item %zu, not %zu", index, lowest);
        for (int i = 0; i < N; i++)
            cr_assert(ran[i] <= 1);
    }
    cf_executor_destroy(ex);
}

static gate *obeying;

/* Item 0 runs until it is asked to stop, and says so; item 1 fails. */
static int
task_obey_or_fail(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    int item;
    memcpy(&item, arg, sizeof item);
    if (item == 1) {
        gate_await(obeying, 1);
        return cf_fail(call, 9, "by itself");
    }
    gate_arrive(obeying);
    while (!cf_call_canceled(call))
        sched_yield();
    return cf_fail(call, 8, "as asked");
}

CF_WORKERS_TEST(CF_CONCURRENT_TEST,
                an_item_that_stops_as_asked_is_not_the_one_that_failed)
{
    obeying = gate_new();
    cf_executor *ex = test_executor(2);
    int *items = cf_shared_alloc(ex, 2 * sizeof *items);
    items[0] = 0;
    items[1] = 1;
    size_t index = 5;
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.chunk_size = 1;
    opts.failed_index = &index;
    assert_err(
        cf_map_array(
            ex, task_obey_or_fail, items, sizeof *items, 2, NULL, 0, &opts),
        CF_ETASK);
    cr_assert(index == 1, "item %zu", index);
    cf_shared_free(ex, items);
    cf_executor_destroy(ex);
}

CF_TEST(no_item_is_begun_after_a_failure)
{
    enum { N = 1000 };
    cf_executor *ex = test_executor(1);
    atomic_int *ran = counter_new();
    static item items[N];
    for (int i = 0; i < N; i++)
        items[i] = (item){ran, true};
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.chunk_size = 1;
    assert_err(
        cf_map_array(ex, task_item, items, sizeof items[0], N, NULL, 0, &opts),
        CF_ETASK);
    cr_assert(*ran == 1, "%d ran", *ran);
    cf_executor_destroy(ex);
}

static int
task_until_stopped(cf_call *call, const void *arg, size_t arg_size)
{
    gate *g;
    memcpy(&g, arg, sizeof g);
    return task_until_canceled(call, g, arg_size);
}

CF_CONCURRENT_TEST(a_timeout_stops_what_runs_and_begins_nothing_more)
{
    cf_executor *ex = test_executor(2);
    gate *g = gate_new();
    gate *items[10];
    for (int i = 0; i < 10; i++)
        items[i] = g;
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.chunk_size = 1;
    opts.timeout_ns = CF_MS(50);
    assert_err(
        cf_map_array(
            ex, task_until_stopped, items, sizeof items[0], 10, NULL, 0, &opts),
        CF_ETIMEDOUT);
    int begun = gate_arrived(g);
    cr_assert(begun >= 1 && begun <= 3, "%d begun", begun);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cr_assert(gate_arrived(g) == begun, "what was running has ended");
    cf_executor_destroy(ex);
}

static int
task_inner_array(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    enum { N = 200 };
    int items[N];
    for (int i = 0; i < N; i++)
        items[i] = i;
    cf_err err = cf_map_array(cf_call_executor(call),
                              task_square,
                              items,
                              sizeof items[0],
                              N,
                              items,
                              sizeof items[0],
                              NULL);
    if (err != CF_OK)
        return cf_fail(call, 1, "%s", cf_err_name(err));
    for (int i = 0; i < N; i++)
        if (items[i] != i * i)
            return cf_fail(call, 2, "item %d", i);
    return 0;
}

/* Many rounds: the end of a pool whose queues run empty is a race. */
CF_TEST(every_worker_may_map_an_array_inside_its_task)
{
    for (int round = 0; round < POOL_ROUNDS(3000); round++) {
        cf_executor *ex = test_executor(1 + round % 3);
        cf_future *fs[6];
        for (int i = 0; i < 6; i++)
            fs[i] = must_submit(ex, task_inner_array, NULL, 0);
        for (int i = 0; i < 6; i++)
            assert_ok(cf_future_result(fs[i], CF_FOREVER, NULL));
        unref_all(fs, 6);
        cf_executor_destroy(ex);
    }
}

static cf_err
pull_nothing(void *pull_data, void *item_out)
{
    (void)pull_data;
    (void)item_out;
    return CF_EDONE;
}

CF_TEST(bad_arrays_are_refused)
{
    cf_executor *ex = test_executor(1);
    int in = 2;
    int out = 0;
    cf_task_fn *fn = task_square;
    assert_err(cf_map_array(NULL, fn, &in, 4, 1, &out, 4, NULL), CF_EINVAL);
    assert_err(cf_map_array(ex, NULL, &in, 4, 1, &out, 4, NULL), CF_EINVAL);
    assert_err(cf_map_array(ex, fn, NULL, 4, 1, &out, 4, NULL), CF_EINVAL);
    assert_err(cf_map_array(ex, fn, &in, 0, 1, &out, 4, NULL), CF_EINVAL);
    assert_err(cf_map_array(ex, fn, &in, 4, 1, NULL, 4, NULL), CF_EINVAL);
    assert_err(cf_map_array(ex, fn, &in, SIZE_MAX / 2, 3, &out, 4, NULL),
               CF_ETOOBIG);
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.timeout_ns = -2;
    assert_err(cf_map_array(ex, fn, &in, 4, 1, &out, 4, &opts), CF_EINVAL);
    opts.timeout_ns = 0;
    opts.pull = pull_nothing;
    assert_err(cf_map_array(ex, fn, &in, 4, 1, &out, 4, &opts), CF_EINVAL);
    cr_assert(out == 0);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    assert_err(cf_map_array(ex, fn, &in, 4, 1, &out, 4, NULL), CF_ESHUTDOWN);
    cr_assert(out == 0);
    cf_executor_destroy(ex);
}
