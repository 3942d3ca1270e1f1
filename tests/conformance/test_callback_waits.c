/* SPDX-License-Identifier: MIT */
/*
 * Waits inside callbacks: they first run the callbacks that are due.
 */
#include "tests/conformance/conformance.h"

/* Three promises: the callback of the first one completes the second, whose
 * callback completes the third, for which the first one waits. */
typedef struct relay {
    cf_executor *ex;
    cf_future *second, *third;
    cf_err (*wait)(struct relay *r);
    cf_err err;
    gate *g;
} relay;

static void
complete_third(cf_future *f, void *data)
{
    relay *r = data;
    (void)f;
    (void)cf_future_set_result(r->third, NULL, 0);
    if (r->g)
        gate_open(r->g);
}

static void
complete_second_and_wait(cf_future *f, void *data)
{
    relay *r = data;
    (void)f;
    (void)cf_future_set_result(r->second, NULL, 0);
    r->err = r->wait(r);
}

static cf_err
wait_plainly(relay *r)
{
    return cf_future_wait(r->third, CF_FOREVER);
}

static cf_err
wait_for_the_result(relay *r)
{
    return cf_future_result(r->third, CF_FOREVER, NULL);
}

static cf_err
poll_once(relay *r)
{
    return cf_future_wait(r->third, 0);
}

static cf_err
wait_for_the_first(relay *r)
{
    return cf_wait(&r->third, 1, CF_FIRST_COMPLETED, CF_FOREVER, NULL);
}

static cf_err
wait_with_an_iterator(relay *r)
{
    cf_as_completed *it;
    cf_future *f;
    cf_err err = cf_as_completed_create(&r->third, 1, &it);
    if (err)
        return err;
    err = cf_as_completed_next(it, CF_FOREVER, &f);
    cf_as_completed_destroy(it);
    return err;
}

static void
run_relay(relay *r)
{
    cf_future *first = promise();
    r->second = promise();
    r->third = promise();
    assert_ok(cf_future_on_done(first, complete_second_and_wait, r));
    assert_ok(cf_future_on_done(r->second, complete_third, r));
    assert_ok(cf_future_set_result(first, NULL, 0));
    assert_ok(r->err);
    cf_future_unref(first);
    cf_future_unref(r->second);
    cf_future_unref(r->third);
}

CF_TEST(a_wait_in_a_callback_first_runs_what_is_due)
{
    cf_err (*const waits[])(relay *) = {wait_plainly,
                                        wait_for_the_result,
                                        poll_once,
                                        wait_for_the_first,
                                        wait_with_an_iterator};
    for (int i = 0; i < 5; i++)
        run_relay(&(relay){.wait = waits[i]});
}

/* What callbacks have read of a map. */
typedef struct reader {
    cf_results *r;
    size_t read;
    bool in_turn; /* each item once, in order, with its result */
} reader;

static void
read_one(cf_future *f, void *data)
{
    reader *reads = data;
    cf_bytes out;
    (void)f;
    assert_ok(cf_results_next(reads->r, CF_FOREVER, &out));
    size_t i = cf_results_index(reads->r);
    reads->in_turn = reads->in_turn && i == reads->read &&
                     out.size == sizeof(int) &&
                     *(const int *)out.data == (int)(i * i);
    reads->read++;
}

CF_TEST(callbacks_that_are_due_may_read_the_same_map)
{
    enum { ITEMS = 8, CALLBACKS = 3 };
    int items[ITEMS];
    for (int i = 0; i < ITEMS; i++)
        items[i] = i;
    cf_executor *ex = test_executor(1);
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.chunk_size = 1;
    reader reads = {.in_turn = true};
    assert_ok(cf_map(
        ex, task_square, items, sizeof items[0], ITEMS, &opts, &reads.r));
    read_one(NULL, &reads);
    cf_future *f = promise();
    for (int i = 0; i < CALLBACKS; i++)
        assert_ok(cf_future_on_done(f, read_one, &reads));
    assert_ok(cf_future_set_result(f, NULL, 0));
    while (reads.read < ITEMS)
        read_one(NULL, &reads);
    cr_assert(reads.in_turn);
    assert_err(cf_results_next(reads.r, CF_FOREVER, NULL), CF_EDONE);
    cf_results_destroy(reads.r, false);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

static cf_err
wait_until_idle(relay *r)
{
    return cf_executor_wait_idle(r->ex, CF_FOREVER);
}

static cf_err
shut_down(relay *r)
{
    return cf_executor_shutdown(r->ex, CF_SHUTDOWN_CANCEL, CF_FOREVER);
}

/* The task ends only when the callback that is due has opened the gate. */
CF_CONCURRENT_TEST(a_wait_for_an_executor_in_a_callback_first_runs_what_is_due)
{
    cf_err (*const waits[])(relay *) = {wait_until_idle, shut_down};
    for (int i = 0; i < 2; i++) {
        relay r = {.wait = waits[i], .ex = test_executor(1), .g = gate_new()};
        cf_future *held;
        occupy(r.ex, r.g, 1, &held);
        run_relay(&r);
        cf_future_unref(held);
        cf_executor_destroy(r.ex);
    }
}
