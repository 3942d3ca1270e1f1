/* SPDX-License-Identifier: MIT */
/*
 * cf_map() with a bounded number of items under way, and with items that are
 * pulled one by one, from a stream that may never end.
 */
#include "tests/conformance/conformance.h"

#include <limits.h>

/* Counts from 0 to end - 1 and how often it was asked. */
typedef struct counter {
    int next;
    int end;
    int asked;
} counter;

static cf_err
pull_number(void *pull_data, void *item)
{
    counter *c = pull_data;
    c->asked++;
    if (c->next == c->end)
        return CF_EDONE;
    memcpy(item, &c->next, sizeof c->next);
    c->next++;
    return CF_OK;
}

static cf_map_options
pulling(counter *c, size_t chunk_size, size_t buffer_size)
{
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.chunk_size = chunk_size;
    opts.buffer_size = buffer_size;
    opts.pull = pull_number;
    opts.pull_data = c;
    return opts;
}

static cf_results *
map_pulled(cf_executor *ex, counter *c, size_t chunk_size, size_t buffer_size)
{
    cf_map_options opts = pulling(c, chunk_size, buffer_size);
    cf_results *r = NULL;
    assert_ok(cf_map(ex, task_square, NULL, sizeof(int), 0, &opts, &r));
    return r;
}

static void
expect_square(cf_results *r, int i)
{
    cf_bytes bytes;
    assert_ok(cf_results_next(r, CF_FOREVER, &bytes));
    int n;
    cr_assert(bytes.size == sizeof n);
    memcpy(&n, bytes.data, sizeof n);
    cr_assert(n == i * i, "%d at %d", n, i);
    cr_assert(cf_results_index(r) == (size_t)i);
}

/* Takes a gate * by value and passes it. */
static int
task_pass(cf_call *call, const void *arg, size_t arg_size)
{
    gate *g;
    (void)call;
    (void)arg_size;
    memcpy(&g, arg, sizeof g);
    gate_pass(g);
    return 0;
}

CF_TEST(items_can_be_pulled_instead_of_given)
{
    static const size_t chunks[] = {0, 1, 7, 1000};
    cf_executor *ex = test_executor(2);
    for (int k = 0; k < 4; k++) {
        counter c = {0, 100, 0};
        cf_results *r = map_pulled(ex, &c, chunks[k], 0);
        for (int i = 0; i < 100; i++)
            expect_square(r, i);
        assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_EDONE);
        cr_assert(c.asked == 101, "after the end it is not asked again");
        cf_results_destroy(r, false);
    }
    cf_executor_destroy(ex);
}

/* CPython: executor.test_map_buffersize_on_empty_iterable (3.14) */
CF_TEST(an_empty_stream_is_done_at_once)
{
    cf_executor *ex = test_executor(1);
    for (size_t buffer = 0; buffer < 3; buffer++) {
        counter c = {0, 0, 0};
        cf_results *r = map_pulled(ex, &c, 1, buffer);
        assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_EDONE);
        cr_assert(c.asked == 1);
        cf_results_destroy(r, false);
    }
    cf_executor_destroy(ex);
}

/* CPython: executor.test_map_buffersize, test_map_buffersize_value_validation
 * (3.14): any size gives the same results */
CF_TEST(any_buffer_size_gives_all_results_in_order)
{
    static const size_t buffers[] = {1, 2, 7, 100, 1000, SIZE_MAX};
    static const size_t chunks[] = {0, 1, 3, 50};
    cf_executor *ex = test_executor(2);
    for (int b = 0; b < 6; b++) {
        for (int k = 0; k < 4; k++) {
            counter c = {0, 60, 0};
            cf_results *r = map_pulled(ex, &c, chunks[k], buffers[b]);
            for (int i = 0; i < 60; i++)
                expect_square(r, i);
            assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_EDONE);
            cf_results_destroy(r, false);
        }
    }
    cf_executor_destroy(ex);
}

/* CPython: executor.test_map_buffersize_when_buffer_is_full (3.14) */
CF_TEST(only_as_many_items_are_pulled_as_the_buffer_holds)
{
    enum { BUFFER = 4 };
    cf_executor *ex = test_executor(2);
    counter c = {0, INT_MAX, 0};
    cf_results *r = map_pulled(ex, &c, 1, BUFFER);
    cr_assert(c.next == BUFFER, "%d pulled", c.next);
    for (int i = 0; i < 50; i++) {
        expect_square(r, i);
        int pulled = c.next;
        cr_assert(pulled <= i + 1 + BUFFER, "%d pulled after %d", pulled, i);
        cr_assert(pulled >= i + BUFFER);
    }
    cf_results_destroy(r, true);
    cf_executor_destroy(ex);
}

/* CPython: executor.test_map_buffersize_on_infinite_iterable,
 * _on_multiple_infinite_iterables (3.14) */
CF_TEST(a_stream_may_be_endless)
{
    cf_executor *ex = test_executor(2);
    for (size_t chunk = 0; chunk < 3; chunk++) {
        counter c = {0, INT_MAX, 0};
        cf_results *r = map_pulled(ex, &c, chunk, 10);
        for (int i = 0; i < 1000; i++)
            expect_square(r, i);
        cf_results_destroy(r, true);
    }
    cf_executor_destroy(ex);
}

/* CPython: executor.test_map_buffersize_on_multiple_iterables (3.14): a pulled
 * item may hold as many inputs as the program likes */
CF_TEST(a_buffer_bounds_a_map_over_an_array_too)
{
    enum { N = 40, BUFFER = 3 };
    cf_executor *ex = test_executor(2);
    int items[N];
    for (int i = 0; i < N; i++)
        items[i] = i;
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.buffer_size = BUFFER;
    opts.chunk_size = 1;
    cf_results *r = NULL;
    assert_ok(cf_map(ex, task_square, items, sizeof items[0], N, &opts, &r));
    for (int i = 0; i < N; i++)
        expect_square(r, i);
    assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_EDONE);
    memset(items, 0xff, sizeof items); /* needed no more */
    cf_results_destroy(r, false);
    cf_executor_destroy(ex);
}

CF_TEST(no_more_items_run_than_the_buffer_holds)
{
    enum { N = 20, BUFFER = 5 };
    cf_executor *ex = test_executor(2);
    atomic_int *ran = counter_new();
    atomic_int *items[N];
    for (int i = 0; i < N; i++)
        items[i] = ran;
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.buffer_size = BUFFER;
    opts.chunk_size = 1;
    cf_results *r = NULL;
    assert_ok(
        cf_map(ex, task_count_pointer, items, sizeof items[0], N, &opts, &r));
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cr_assert(*ran == BUFFER, "%d ran", *ran);
    for (int i = 0; i < N; i++) {
        assert_ok(cf_results_next(r, CF_FOREVER, NULL));
        assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
        cr_assert(*ran <= i + 1 + BUFFER);
    }
    assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_EDONE);
    cr_assert(*ran == N);
    cf_results_destroy(r, false);
    cf_executor_destroy(ex);
}

/* The second item is under way while the caller has the first one. */
CF_CONCURRENT_TEST(one_item_is_submitted_for_each_that_is_handed_out)
{
    cf_executor *ex = test_executor(1);
    for (int unordered = 0; unordered < 2; unordered++) {
        gate *gates[] = {gate_new(), gate_new(), gate_new()};
        cf_map_options opts = CF_MAP_OPTIONS_INIT;
        opts.buffer_size = 1;
        opts.chunk_size = 1;
        opts.unordered = unordered;
        cf_results *r = NULL;
        assert_ok(cf_map(ex, task_pass, gates, sizeof gates[0], 3, &opts, &r));
        for (int i = 0; i < 3; i++) {
            gate_await(gates[i], 1);
            cr_assert(i == 2 || gate_arrived(gates[i + 1]) == 0);
            gate_open(gates[i]);
            assert_ok(cf_results_next(r, CF_FOREVER, NULL));
        }
        assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_EDONE);
        cf_results_destroy(r, false);
    }
    cf_executor_destroy(ex);
}

CF_TEST(unordered_results_of_a_window_are_complete)
{
    enum { N = 300 };
    cf_executor *ex = test_executor(3);
    counter c = {0, N, 0};
    cf_map_options opts = pulling(&c, 0, 8);
    opts.unordered = 1;
    cf_results *r = NULL;
    assert_ok(cf_map(ex, task_square, NULL, sizeof(int), 0, &opts, &r));
    bool seen[N] = {false};
    for (int i = 0; i < N; i++) {
        cf_bytes bytes;
        assert_ok(cf_results_next(r, CF_FOREVER, &bytes));
        size_t at = cf_results_index(r);
        cr_assert(at < N && !seen[at]);
        seen[at] = true;
        cr_assert(*(const int *)bytes.data == (int)(at * at));
    }
    assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_EDONE);
    cf_results_destroy(r, false);
    cf_executor_destroy(ex);
}

CF_TEST(failing_items_do_not_end_a_window)
{
    enum { N = 40 };
    cf_executor *ex = test_executor(2);
    counter c = {0, N, 0};
    cf_map_options opts = pulling(&c, 0, 4);
    cf_results *r = NULL;
    assert_ok(cf_map(ex, task_fail_thirds, NULL, sizeof(int), 0, &opts, &r));
    for (int i = 0; i < N; i++)
        assert_err(cf_results_next(r, CF_FOREVER, NULL),
                   i % 3 == 0 ? CF_ETASK : CF_OK);
    assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_EDONE);
    cf_results_destroy(r, false);
    cf_executor_destroy(ex);
}

/* In CPython the rest is silently cut or an error, depending on the moment:
 * gh-146392. */
CF_TEST(after_a_shutdown_a_window_yields_what_it_holds_and_then_says_so)
{
    enum { BUFFER = 3 };
    cf_executor *ex = test_executor(1);
    counter c = {0, 100, 0};
    cf_results *r = map_pulled(ex, &c, 1, BUFFER);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    for (int i = 0; i < BUFFER; i++)
        expect_square(r, i);
    assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_ESHUTDOWN);
    cr_assert_not_null(cf_results_error(r));
    cr_assert(cf_results_error(r)->kind == CF_ESHUTDOWN);
    assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_EDONE);
    cr_assert_null(cf_results_error(r));
    cf_results_destroy(r, false);
    cf_executor_destroy(ex);
}

CF_TEST(after_its_timeout_a_window_yields_what_is_ready_and_takes_no_more)
{
    enum { BUFFER = 4 };
    cf_executor *ex = test_executor(1);
    counter c = {0, INT_MAX, 0};
    cf_map_options opts = pulling(&c, 1, BUFFER);
    opts.timeout_ns = 1;
    cf_results *r = NULL;
    assert_ok(cf_map(ex, task_square, NULL, sizeof(int), 0, &opts, &r));
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER)); /* all is ready */
    for (int i = 0; i < BUFFER; i++)
        expect_square(r, i);
    assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_ETIMEDOUT);
    assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_EDONE);
    cr_assert(c.next == BUFFER);
    cf_results_destroy(r, false);
    cf_executor_destroy(ex);
}

CF_TEST(an_abandoned_stream_is_pulled_no_further)
{
    cf_executor *ex = test_executor(2);
    for (int cancel = 0; cancel < 2; cancel++) {
        counter c = {0, INT_MAX, 0};
        cf_results *r = map_pulled(ex, &c, 1, 4);
        expect_square(r, 0);
        int pulled = c.next;
        cf_results_destroy(r, cancel);
        assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
        cr_assert(c.next == pulled);
    }
    cf_executor_destroy(ex);
}

static int
task_maps(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    counter c = {0, 50, 0};
    cf_map_options opts = pulling(&c, 1, 6);
    cf_results *r = NULL;
    if (cf_map(cf_call_executor(call),
               task_square,
               NULL,
               sizeof(int),
               0,
               &opts,
               &r) != CF_OK)
        return 1;
    int got = 0;
    while (cf_results_next(r, CF_FOREVER, NULL) == CF_OK)
        got++;
    cf_results_destroy(r, true);
    return got == 50 ? 0 : cf_fail(call, 2, "%d results", got);
}

CF_TEST(a_task_on_the_only_worker_may_map)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_maps, NULL, 0);
    cf_err err = cf_future_result(f, CF_FOREVER, NULL);
    cr_assert(err == CF_OK, "%s", cf_future_error(f)->message);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}
