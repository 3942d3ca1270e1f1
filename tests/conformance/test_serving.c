/* SPDX-License-Identifier: MIT */
/*
 * Callbacks after a timeout run in the thread that watches the pool's
 * deadlines. Whatever such a callback does, the thread goes on watching.
 */
#include "tests/conformance/conformance.h"

#include <pthread.h>

/* A pool with some workers, and their first tasks, which hold. */
typedef struct pool {
    cf_executor *ex;
    gate *g;
    cf_future *held[2];
    int workers;
} pool;

static pool
pool_begin(int workers, size_t capacity, cf_queue_policy policy)
{
    pool p = {.g = gate_new(), .workers = workers};
    p.ex = test_pool((test_options){.max_workers = workers,
                                    .queue_capacity = capacity,
                                    .queue_policy = policy});
    occupy(p.ex, p.g, workers, p.held);
    return p;
}

static void
pool_end(pool *p)
{
    gate_open(p->g);
    cf_executor_destroy(p->ex);
    unref_all(p->held, (size_t)p->workers);
}

/* A task that runs until its timeout. */
static cf_future *
submit_endless(cf_executor *ex, int64_t timeout_ns)
{
    cf_task task = CF_TASK_INIT;
    task.fn = task_until_canceled;
    task.arg = gate_new();
    task.timeout_ns = timeout_ns;
    cf_future *f = NULL;
    assert_ok(cf_submit_task(ex, &task, &f));
    return f;
}

/* What a callback does, and what came of it. */
typedef struct deed {
    cf_err (*act)(struct deed *d);
    cf_executor *ex;
    cf_future *awaited;
    atomic_int *ran;
    cf_err err;
    gate *done;
} deed;

static void
callback_act(cf_future *f, void *data)
{
    deed *d = data;
    (void)f;
    d->err = d->act(d);
    gate_arrive(d->done);
}

static void
open_gate(cf_future *f, void *data)
{
    (void)f;
    gate_open(data);
}

static cf_err
submit_three(deed *d)
{
    cf_err err = CF_OK;
    for (int i = 0; i < 3 && !err; i++)
        err = cf_submit(d->ex, task_count, d->ran, 0, NULL);
    return err;
}

static cf_err
submit_two_batches(deed *d)
{
    cf_err err = CF_OK;
    for (int i = 0; i < 2 && !err; i++)
        err = cf_submit_many(d->ex, task_count, d->ran, 0, 2, NULL);
    return err;
}

static cf_err
wait_for_awaited(deed *d)
{
    return cf_future_wait(d->awaited, CF_FOREVER);
}

static cf_err
wait_for_first_of_two(deed *d)
{
    cf_future *fs[] = {d->awaited, d->awaited};
    return cf_wait(fs, 2, CF_FIRST_COMPLETED, CF_FOREVER, NULL);
}

static cf_err
wait_until_idle(deed *d)
{
    return cf_executor_wait_idle(d->ex, CF_FOREVER);
}

static cf_err
shut_down(deed *d)
{
    return cf_executor_shutdown(d->ex, 0, CF_FOREVER);
}

static cf_err
destroy(deed *d)
{
    cf_executor_destroy(d->ex);
    return CF_OK;
}

/* After the first timeout its callback submits to its own full pool; the second
 * task's timeout passes all the same. */
static void
check_own_pool(cf_queue_policy policy, cf_err (*act)(deed *), int ran)
{
    pool p = pool_begin(1, 2, policy);
    deed d = {act, .ex = p.ex, .ran = counter_new(), .done = gate_new()};
    cf_future *first = submit_endless(p.ex, CF_MS(5));
    assert_ok(cf_future_on_done(first, callback_act, &d));
    cf_future *second = submit_endless(p.ex, CF_MS(5));
    gate_open(p.g);
    assert_err(cf_future_result(second, CF_FOREVER, NULL), CF_EDEADLINE);
    gate_await(d.done, 1);
    assert_ok(cf_executor_wait_idle(p.ex, CF_FOREVER));
    assert_ok(d.err);
    cr_assert(*d.ran == ran, "%d", *d.ran);
    cf_future_unref(first);
    cf_future_unref(second);
    pool_end(&p);
}

CF_TEST(submits_after_a_timeout_go_over_their_pool_s_bound)
{
    check_own_pool(CF_QUEUE_BLOCK, submit_three, 3);
}

CF_TEST(batches_after_a_timeout_go_over_their_pool_s_bound)
{
    check_own_pool(CF_QUEUE_BLOCK, submit_two_batches, 4);
}

CF_TEST(they_go_over_it_under_each_policy)
{
    check_own_pool(CF_QUEUE_REJECT, submit_three, 3);
    check_own_pool(CF_QUEUE_CALLER_RUNS, submit_three, 3);
}

/* The other pool's worker goes on only after another timeout here. */
static void
check_other_pool(cf_queue_policy policy, cf_err expected, int ran)
{
    pool p = pool_begin(1, 0, CF_QUEUE_BLOCK);
    pool other = pool_begin(1, 1, policy);
    deed d = {
        submit_three, .ex = other.ex, .ran = counter_new(), .done = gate_new()};
    cf_future *first = submit_endless(p.ex, CF_MS(5));
    cf_future *second = submit_endless(p.ex, CF_MS(5));
    assert_ok(cf_future_on_done(first, callback_act, &d));
    assert_ok(cf_future_on_done(second, open_gate, other.g));
    gate_open(p.g);
    gate_await(other.g, 1);
    assert_err(cf_future_result(second, CF_FOREVER, NULL), CF_EDEADLINE);
    gate_await(d.done, 1);
    assert_err(d.err, expected);
    assert_ok(cf_executor_wait_idle(other.ex, CF_FOREVER));
    cr_assert(*d.ran == ran, "%d", *d.ran);
    cf_future_unref(first);
    cf_future_unref(second);
    pool_end(&other);
    pool_end(&p);
}

CF_TEST(a_callback_after_a_timeout_waits_for_no_room_in_another_pool)
{
    check_other_pool(CF_QUEUE_BLOCK, CF_OK, 3);
    check_other_pool(CF_QUEUE_CALLER_RUNS, CF_OK, 3);
}

CF_TEST(another_pool_s_policy_to_reject_stands)
{
    check_other_pool(CF_QUEUE_REJECT, CF_EAGAIN, 1);
}

#if !CF_SHARES_MEMORY /* in a thread pool the worker calls back: it may wait */
CF_TEST(a_callback_in_the_manager_does_not_wait_for_room_in_another_pool)
{
    pool p = pool_begin(1, 0, CF_QUEUE_BLOCK);
    pool other = pool_begin(1, 1, CF_QUEUE_BLOCK);
    deed d = {
        submit_three, .ex = other.ex, .ran = counter_new(), .done = gate_new()};
    cf_future *first = must_submit(p.ex, task_nothing, NULL, 0);
    cf_future *second = must_submit(p.ex, task_nothing, NULL, 0);
    assert_ok(cf_future_on_done(first, callback_act, &d));
    assert_ok(cf_future_on_done(second, open_gate, other.g));
    gate_open(p.g);
    gate_await(d.done, 1);
    assert_ok(d.err);
    assert_ok(cf_executor_wait_idle(other.ex, CF_FOREVER));
    cr_assert(*d.ran == 3, "%d", *d.ran);
    cf_future_unref(first);
    cf_future_unref(second);
    pool_end(&other);
    pool_end(&p);
}
#endif

/* Two endless tasks; after the first one's timeout the callback waits for what
 * the second one's timeout brings about. */
static void
check_wait(cf_err (*act)(deed *))
{
    pool p = pool_begin(2, 0, CF_QUEUE_BLOCK);
    deed d = {act, .ex = p.ex, .done = gate_new()};
    cf_future *first = submit_endless(p.ex, CF_MS(5));
    assert_ok(cf_future_on_done(first, callback_act, &d));
    d.awaited = submit_endless(p.ex, CF_MS(20));
    gate_open(p.g);
    assert_err(cf_future_result(d.awaited, CF_FOREVER, NULL), CF_EDEADLINE);
    gate_await(d.done, 1);
    assert_ok(d.err);
    cf_future_unref(first);
    cf_future_unref(d.awaited);
    pool_end(&p);
}

CF_TEST(a_callback_after_a_timeout_may_wait_for_the_next_timeout)
{
    check_wait(wait_for_awaited);
    check_wait(wait_for_first_of_two);
}

CF_TEST(a_callback_after_a_timeout_may_wait_until_the_pool_is_idle)
{
    check_wait(wait_until_idle);
}

CF_TEST(a_callback_after_a_timeout_may_shut_the_pool_down)
{
    check_wait(shut_down);
}

static int
task_arrive_and_wait(cf_call *call, const void *arg, size_t arg_size)
{
    deed *d = *(deed *const *)arg;
    (void)call;
    (void)arg_size;
    gate_arrive(d->done);
    d->err = wait_for_awaited(d);
    return 0;
}

static void *
submit_inline_main(void *arg)
{
    deed *d = arg;
    assert_ok(cf_submit(d->ex, task_arrive_and_wait, &d, sizeof d, NULL));
    return NULL;
}

/* The task of the inline executor waits for a timeout of the same thread. */
CF_TEST(it_may_shut_down_an_inline_executor_of_another_thread)
{
    pool p = pool_begin(2, 0, CF_QUEUE_BLOCK);
    deed d = {.done = gate_new()};
    pthread_t thread;
    assert_ok(cf_inline_create(&d.ex));
    deed end = {shut_down, .ex = d.ex, .done = gate_new()};
    cf_future *first = submit_endless(p.ex, CF_MS(5));
    assert_ok(cf_future_on_done(first, callback_act, &end));
    d.awaited = submit_endless(p.ex, CF_MS(50));
    cr_assert(pthread_create(&thread, NULL, submit_inline_main, &d) == 0);
    gate_await(d.done, 1);
    gate_open(p.g);
    pthread_join(thread, NULL);
    gate_await(end.done, 1);
    assert_ok(d.err);
    assert_ok(end.err);
    cf_executor_destroy(d.ex);
    cf_future_unref(first);
    cf_future_unref(d.awaited);
    pool_end(&p);
}

static cf_err
arrive_and_wait(deed *d)
{
    gate_arrive(d->done);
    return wait_for_awaited(d);
}

/* A callback in a thread of the other pool waits for the second task of this
 * pool. Meanwhile a callback after a timeout in this pool destroys the other
 * pool, which waits for the first callback. The second task's timeout ends
 * both. */
static void
check_destroy_other(pool *other, cf_future *theirs, deed *d)
{
    pool p = pool_begin(2, 0, CF_QUEUE_BLOCK);
    deed end = {destroy, .ex = other->ex, .done = gate_new()};
    cf_future *first = submit_endless(p.ex, CF_MS(5));
    assert_ok(cf_future_on_done(first, callback_act, &end));
    d->awaited = submit_endless(p.ex, CF_MS(50));
    assert_ok(cf_future_on_done(theirs, callback_act, d));
    gate_open(other->g);
    gate_await(d->done, 1);
    gate_open(p.g);
    gate_await(end.done, 1);
    assert_ok(d->err);
    cf_future_unref(theirs);
    unref_all(other->held, 1);
    cf_future_unref(first);
    cf_future_unref(d->awaited);
    pool_end(&p);
}

CF_TEST(a_callback_after_a_timeout_may_destroy_another_pool)
{
    pool other = pool_begin(1, 0, CF_QUEUE_BLOCK);
    deed d = {arrive_and_wait, .done = gate_new()};
    check_destroy_other(&other, submit_endless(other.ex, CF_MS(5)), &d);
}

#if !CF_SHARES_MEMORY
static cf_err
shut_down_arrive_and_wait(deed *d)
{
    assert_ok(shut_down(d));
    return arrive_and_wait(d);
}

/* It has ended, but its manager is in the callback that shut it down. */
CF_TEST(a_callback_after_a_timeout_may_destroy_another_pool_that_has_ended)
{
    pool other = pool_begin(1, 0, CF_QUEUE_BLOCK);
    deed d = {shut_down_arrive_and_wait, .ex = other.ex, .done = gate_new()};
    cf_future *theirs = must_submit(other.ex, task_nothing, NULL, 0);
    check_destroy_other(&other, theirs, &d);
}
#endif
