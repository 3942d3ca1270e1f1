/* SPDX-License-Identifier: MIT */
/*
 * Channels: items in order, each once; full, empty, closed. Python:
 * test_queues, and test_queue for shutdown.
 */
#include "tests/conformance/conformance.h"

static cf_channel *
channel_new(size_t capacity)
{
    cf_channel *channel = NULL;
    assert_ok(cf_channel_create(sizeof(int), capacity, &channel));
    return channel;
}

CF_TEST(items_come_out_in_order)
{
    cf_channel *channel = channel_new(3);
    int out = -1;
    for (int round = 0, next = 0; round < 5; round++) {
        for (int i = 0; i < 3; i++)
            assert_ok(cf_channel_send(channel, &(int){next + i}, CF_FOREVER));
        cr_expect(cf_channel_count(channel) == 3);
        assert_err(cf_channel_try_send(channel, &out), CF_EAGAIN);
        assert_err(cf_channel_send(channel, &out, 0), CF_ETIMEDOUT);
        assert_err(cf_channel_send(channel, &out, CF_MS(1)), CF_ETIMEDOUT);
        for (int i = 0; i < 2 + round % 2; i++, next++) {
            assert_ok(cf_channel_receive(channel, CF_FOREVER, &out));
            cr_expect(out == next, "%d is not %d", out, next);
        }
        while (cf_channel_try_receive(channel, &out) == CF_OK)
            cr_expect(out == next++);
        out = -1;
        assert_err(cf_channel_receive(channel, 0, &out), CF_ETIMEDOUT);
        assert_err(cf_channel_receive(channel, CF_MS(1), &out), CF_ETIMEDOUT);
        cr_expect(out == -1, "untouched");
    }
    assert_err(cf_channel_send(channel, &out, -2), CF_EINVAL);
    assert_err(cf_channel_receive(channel, -2, &out), CF_EINVAL);
    cf_channel_destroy(channel);
}

CF_TEST(a_closed_channel_is_drained)
{
    cf_channel *channel = channel_new(2);
    int out = -1;
    assert_ok(cf_channel_send(channel, &(int){7}, 0));
    assert_ok(cf_channel_close(channel));
    assert_ok(cf_channel_close(channel));
    assert_err(cf_channel_send(channel, &(int){8}, CF_FOREVER), CF_EDONE);
    assert_err(cf_channel_try_send(channel, &(int){8}), CF_EDONE);
    assert_ok(cf_channel_receive(channel, CF_FOREVER, &out));
    cr_expect(out == 7);
    assert_err(cf_channel_receive(channel, CF_FOREVER, &out), CF_EDONE);
    assert_err(cf_channel_try_receive(channel, &out), CF_EDONE);
    cf_channel_destroy(channel);
}

CF_TEST(sizes_of_channels)
{
    cf_channel *channel = NULL;
    assert_err(cf_channel_create(SIZE_MAX, 1, &channel), CF_ETOOBIG);
    assert_err(cf_channel_create(1, SIZE_MAX, &channel), CF_ETOOBIG);
    assert_err(cf_channel_create(SIZE_MAX / 4, 8, &channel), CF_ETOOBIG);
    assert_err(cf_channel_create(PTRDIFF_MAX, 1, &channel), CF_ETOOBIG);
    cr_assert(!channel, "untouched");
    assert_ok(cf_channel_create(0, 1000, &channel)); /* arrivals only */
    assert_ok(cf_channel_send(channel, NULL, CF_FOREVER));
    cr_expect(cf_channel_count(channel) == 1);
    assert_ok(cf_channel_receive(channel, CF_FOREVER, NULL));
    assert_err(cf_channel_try_receive(channel, NULL), CF_EAGAIN);
    cf_channel_destroy(channel);
    assert_ok(cf_channel_create(4096, 0, &channel)); /* nobody receives */
    char item[4096] = {0};
    assert_err(cf_channel_try_send(channel, item), CF_EAGAIN);
    assert_err(cf_channel_send(channel, item, CF_MS(1)), CF_ETIMEDOUT);
    cr_expect(cf_channel_count(channel) == 0);
    cf_channel_destroy(channel);
}

/* --- between tasks -------------------------------------------------------- */

struct line {
    cf_channel *channel;
    gate *g; /* arrived at first */
    int count;
    atomic_int *received; /* by tasks */
};

static struct line
line_new(size_t capacity, int count)
{
    return (struct line){
        channel_new(capacity), gate_new(), count, counter_new()};
}

/* Sends 0 .. count - 1, then closes the channel. */
static int
task_send(cf_call *call, const void *arg, size_t arg_size)
{
    const struct line *l = arg;
    (void)arg_size;
    gate_arrive(l->g);
    for (int i = 0; i < l->count; i++) {
        cf_err err = cf_channel_send(l->channel, &i, CF_FOREVER);
        if (err)
            return cf_return(call, &(int){(int)err}, sizeof(int));
    }
    (void)cf_channel_close(l->channel);
    return cf_return(call, &(int){CF_OK}, sizeof(int));
}

/* Receives until the channel is done, and returns how many came; -1 if they
 * were not in order. */
static int
task_receive(cf_call *call, const void *arg, size_t arg_size)
{
    const struct line *l = arg;
    int item, count = 0, last = -1;
    bool ordered = true;
    cf_err err;
    (void)arg_size;
    gate_arrive(l->g);
    while (!(err = cf_channel_receive(l->channel, CF_FOREVER, &item))) {
        ordered = ordered && item > last;
        last = item;
        count++;
        atomic_fetch_add(l->received, 1);
    }
    if (err != CF_EDONE)
        count = -(int)err;
    return cf_return(call, &(int){ordered ? count : -1}, sizeof(int));
}

static void
send_to_receivers(size_t capacity, int receivers)
{
    struct line l = line_new(capacity, 1000);
    cf_executor *ex = test_executor(receivers + 1);
    cf_future *futures[8], *sends;
    int count = 0;
    for (int i = 0; i < receivers; i++)
        futures[i] = must_submit(ex, task_receive, &l, sizeof l);
    sends = must_submit(ex, task_send, &l, sizeof l);
    cr_expect(int_result(sends) == CF_OK);
    for (int i = 0; i < receivers; i++) {
        int n = int_result(futures[i]);
        cr_expect(n >= 0, "%d", n);
        count += n;
    }
    cr_expect(count == l.count, "%d", count);
    unref_all(futures, (size_t)receivers);
    cf_future_unref(sends);
    cf_executor_destroy(ex);
    cf_channel_destroy(l.channel);
}

CF_THREAD_TEST(a_sender_and_a_receiver_meet)
{
    send_to_receivers(0, 1);
}

CF_THREAD_TEST(a_sender_and_receivers_meet)
{
    send_to_receivers(0, 3);
}

CF_THREAD_TEST(items_go_through_a_small_buffer)
{
    send_to_receivers(1, 1);
    send_to_receivers(7, 3);
}

CF_THREAD_TEST(a_thread_receives_what_a_task_sends)
{
    struct line l = line_new(0, 100);
    cf_executor *ex = test_executor(1);
    cf_future *sends = must_submit(ex, task_send, &l, sizeof l);
    int item;
    for (int i = 0; i < l.count; i++) {
        assert_ok(cf_channel_receive(l.channel, CF_FOREVER, &item));
        cr_assert(item == i);
    }
    assert_err(cf_channel_receive(l.channel, CF_FOREVER, &item), CF_EDONE);
    cf_channel_destroy(l.channel); /* the close may still be under way */
    cr_expect(int_result(sends) == CF_OK);
    cf_future_unref(sends);
    cf_executor_destroy(ex);
}

CF_THREAD_TEST(a_close_ends_waits)
{
    struct line full = line_new(1, 2);
    struct line empty = line_new(1, 0);
    cf_executor *ex = test_executor(2);
    cf_future *sends = must_submit(ex, task_send, &full, sizeof full);
    cf_future *receives = must_submit(ex, task_receive, &empty, sizeof empty);
    gate_await(full.g, 1);
    gate_await(empty.g, 1);
    while (cf_channel_count(full.channel) == 0)
        cf_sleep(NULL, CF_MS(1));
    assert_ok(cf_channel_close(full.channel));
    assert_ok(cf_channel_close(empty.channel));
    cr_expect(int_result(sends) == CF_EDONE);
    cr_expect(int_result(receives) == 0);
    cr_expect(cf_channel_count(full.channel) == 1);
    cf_future_unref(sends);
    cf_future_unref(receives);
    cf_executor_destroy(ex);
    cf_channel_destroy(full.channel);
    cf_channel_destroy(empty.channel);
}

/* An item that is handed to a task while that is interrupted is received, or
 * goes to another one; what a send that fails had is not there. */
CF_THREAD_TEST(an_interrupt_loses_no_item, .timeout = 60)
{
    for (int i = 0; i < 200; i++) {
        struct line l = line_new((size_t)i % 2, 3);
        cf_executor *ex = test_executor(2);
        cf_future *sends = must_submit(ex, task_send, &l, sizeof l);
        cf_future *receives = must_submit(ex, task_receive, &l, sizeof l);
        int item;
        gate_await(l.g, 2);
        (void)cf_future_interrupt(receives);
        cr_expect(int_result(receives) != -1);
        int next = atomic_load(l.received);
        while (cf_channel_receive(l.channel, CF_FOREVER, &item) == CF_OK)
            cr_assert(item == next++, "%d is not next", item);
        cr_assert(next == 3, "%d", next);
        cr_assert(int_result(sends) == CF_OK);
        cf_future_unref(sends);
        cf_future_unref(receives);
        cf_executor_destroy(ex);
        cf_channel_destroy(l.channel);
    }
}
