/* SPDX-License-Identifier: MIT */
/*
 * Callbacks after a timeout run in a thread that the pool needs: it watches the
 * deadlines. Whatever they do, it goes on with that.
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
    cf_executor *ex;
    cf_future *awaited;
    atomic_int *ran;
    cf_err err;
    gate *done;
} deed;

static void
submit_three(cf_future *f, void *data)
{
    deed *d = data;
    (void)f;
    for (int i = 0; i < 3 && !d->err; i++)
        d->err = cf_submit(d->ex, task_count, d->ran, 0, NULL);
    gate_arrive(d->done);
}

static void
submit_two_batches(cf_future *f, void *data)
{
    deed *d = data;
    (void)f;
    for (int i = 0; i < 2 && !d->err; i++)
        d->err = cf_submit_many(d->ex, task_count, d->ran, 0, 2, NULL);
    gate_arrive(d->done);
}

static void
wait_for_it(cf_future *f, void *data)
{
    deed *d = data;
    (void)f;
    d->err = cf_future_wait(d->awaited, CF_FOREVER);
    gate_arrive(d->done);
}

static void
wait_for_first_of_two(cf_future *f, void *data)
{
    deed *d = data;
    cf_future *fs[] = {d->awaited, d->awaited};
    (void)f;
    d->err = cf_wait(fs, 2, CF_FIRST_COMPLETED, CF_FOREVER, NULL);
    gate_arrive(d->done);
}

static void
wait_until_idle(cf_future *f, void *data)
{
    deed *d = data;
    (void)f;
    d->err = cf_executor_wait_idle(d->ex, CF_FOREVER);
    gate_arrive(d->done);
}

static void
shut_down(cf_future *f, void *data)
{
    deed *d = data;
    (void)f;
    d->err = cf_executor_shutdown(d->ex, 0, CF_FOREVER);
    gate_arrive(d->done);
}

static void
open_gate(cf_future *f, void *data)
{
    (void)f;
    gate_open(data);
}

/* After the first timeout its callback submits to its own full pool; the second
 * task's timeout passes all the same. */
static void
check_own_pool(cf_queue_policy policy, void (*callback)(cf_future *, void *))
{
    pool p = pool_begin(1, 2, policy);
    deed d = {.ex = p.ex, .ran = counter_new(), .done = gate_new()};
    cf_future *first = submit_endless(p.ex, CF_MS(5));
    assert_ok(cf_future_on_done(first, callback, &d));
    cf_future *second = submit_endless(p.ex, CF_MS(5));
    gate_open(p.g);
    assert_err(cf_future_result(second, CF_FOREVER, NULL), CF_EDEADLINE);
    gate_await(d.done, 1);
    assert_ok(cf_executor_wait_idle(p.ex, CF_FOREVER));
    assert_ok(d.err);
    cr_assert(*d.ran == (callback == submit_three ? 3 : 4), "%d", *d.ran);
    cf_future_unref(first);
    cf_future_unref(second);
    pool_end(&p);
}

CF_TEST(a_callback_after_a_timeout_goes_over_its_pool_s_bound)
{
    check_own_pool(CF_QUEUE_BLOCK, submit_three);
}

CF_TEST(its_batches_do_too)
{
    check_own_pool(CF_QUEUE_BLOCK, submit_two_batches);
}

CF_TEST(whatever_the_policy)
{
    check_own_pool(CF_QUEUE_REJECT, submit_three);
    check_own_pool(CF_QUEUE_CALLER_RUNS, submit_three);
}

/* The other pool's worker goes on only after another timeout here. */
static void
check_other_pool(cf_queue_policy policy, cf_err expected, int ran)
{
    pool p = pool_begin(1, 0, CF_QUEUE_BLOCK);
    pool other = pool_begin(1, 1, policy);
    deed d = {.ex = other.ex, .ran = counter_new(), .done = gate_new()};
    cf_future *first = submit_endless(p.ex, CF_MS(5));
    cf_future *second = submit_endless(p.ex, CF_MS(5));
    assert_ok(cf_future_on_done(first, submit_three, &d));
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

CF_TEST(it_does_not_wait_for_room_in_another_pool_either)
{
    check_other_pool(CF_QUEUE_BLOCK, CF_OK, 3);
    check_other_pool(CF_QUEUE_CALLER_RUNS, CF_OK, 3);
}

CF_TEST(but_another_pool_s_policy_to_reject_stands)
{
    check_other_pool(CF_QUEUE_REJECT, CF_EAGAIN, 1);
}

#if !CF_SHARES_MEMORY /* else callbacks run in workers, which may wait */
CF_TEST(a_callback_in_the_manager_does_not_wait_for_room_in_another_pool)
{
    pool p = pool_begin(1, 0, CF_QUEUE_BLOCK);
    pool other = pool_begin(1, 1, CF_QUEUE_BLOCK);
    deed d = {.ex = other.ex, .ran = counter_new(), .done = gate_new()};
    cf_future *first = must_submit(p.ex, task_nothing, NULL, 0);
    cf_future *second = must_submit(p.ex, task_nothing, NULL, 0);
    assert_ok(cf_future_on_done(first, submit_three, &d));
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
check_wait(void (*callback)(cf_future *, void *))
{
    pool p = pool_begin(2, 0, CF_QUEUE_BLOCK);
    deed d = {.ex = p.ex, .done = gate_new()};
    cf_future *first = submit_endless(p.ex, CF_MS(5));
    assert_ok(cf_future_on_done(first, callback, &d));
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
    check_wait(wait_for_it);
    check_wait(wait_for_first_of_two);
}

CF_TEST(it_may_wait_until_the_pool_is_idle)
{
    check_wait(wait_until_idle);
}

CF_TEST(it_may_shut_the_pool_down)
{
    check_wait(shut_down);
}

static int
task_wait_for_it(cf_call *call, const void *arg, size_t arg_size)
{
    deed *d = *(deed *const *)arg;
    (void)call;
    (void)arg_size;
    gate_arrive(d->done);
    d->err = cf_future_wait(d->awaited, CF_FOREVER);
    return 0;
}

static void *
submit_inline_main(void *arg)
{
    deed *d = arg;
    assert_ok(cf_submit(d->ex, task_wait_for_it, &d, sizeof d, NULL));
    return NULL;
}

/* The task of the inline executor waits for a timeout of the same thread. */
CF_TEST(it_may_shut_down_an_inline_executor_of_another_thread)
{
    pool p = pool_begin(2, 0, CF_QUEUE_BLOCK);
    deed d = {.done = gate_new()};
    pthread_t thread;
    assert_ok(cf_inline_create(&d.ex));
    deed end = {.ex = d.ex, .done = gate_new()};
    cf_future *first = submit_endless(p.ex, CF_MS(5));
    assert_ok(cf_future_on_done(first, shut_down, &end));
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

static void
arrive_and_wait(cf_future *f, void *data)
{
    deed *d = data;
    gate_arrive(d->done);
    wait_for_it(f, data);
}

static void
destroy(cf_future *f, void *data)
{
    deed *d = data;
    (void)f;
    cf_executor_destroy(d->ex);
    gate_arrive(d->done);
}

/* In whose timer thread a callback waits for a timeout of the first pool. */
CF_TEST(it_may_destroy_another_pool)
{
    pool p = pool_begin(2, 0, CF_QUEUE_BLOCK);
    pool other = pool_begin(1, 0, CF_QUEUE_BLOCK);
    deed d = {.done = gate_new()};
    deed end = {.ex = other.ex, .done = gate_new()};
    cf_future *first = submit_endless(p.ex, CF_MS(5));
    assert_ok(cf_future_on_done(first, destroy, &end));
    d.awaited = submit_endless(p.ex, CF_MS(50));
    cf_future *theirs = submit_endless(other.ex, CF_MS(5));
    assert_ok(cf_future_on_done(theirs, arrive_and_wait, &d));
    gate_open(other.g);
    gate_await(d.done, 1);
    gate_open(p.g);
    gate_await(end.done, 1);
    assert_ok(d.err);
    cf_future_unref(theirs);
    unref_all(other.held, 1);
    cf_future_unref(first);
    cf_future_unref(d.awaited);
    pool_end(&p);
}

#if !CF_SHARES_MEMORY
static void
shut_down_arrive_and_wait(cf_future *f, void *data)
{
    deed *d = data;
    assert_ok(cf_executor_shutdown(d->ex, 0, CF_FOREVER));
    arrive_and_wait(f, data);
}

/* It has ended, but its manager is in the callback that shut it down. */
CF_TEST(it_may_destroy_another_pool_that_has_ended)
{
    pool p = pool_begin(2, 0, CF_QUEUE_BLOCK);
    pool other = pool_begin(1, 0, CF_QUEUE_BLOCK);
    deed d = {.ex = other.ex, .done = gate_new()};
    deed end = {.ex = other.ex, .done = gate_new()};
    cf_future *first = submit_endless(p.ex, CF_MS(5));
    assert_ok(cf_future_on_done(first, destroy, &end));
    d.awaited = submit_endless(p.ex, CF_MS(50));
    cf_future *theirs = must_submit(other.ex, task_nothing, NULL, 0);
    assert_ok(cf_future_on_done(theirs, shut_down_arrive_and_wait, &d));
    gate_open(other.g);
    gate_await(d.done, 1);
    gate_open(p.g);
    gate_await(end.done, 1);
    assert_ok(d.err);
    cf_future_unref(theirs);
    unref_all(other.held, 1);
    cf_future_unref(first);
    cf_future_unref(d.awaited);
    pool_end(&p);
}
#endif
