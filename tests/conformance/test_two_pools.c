/* SPDX-License-Identifier: MIT */
/*
 * Two bounded pools whose tasks submit to each other: "Bounded queues" in
 * docs/guarantees/tasks.md. With CF_QUEUE_BLOCK they may come to a standstill;
 * here are the ways that do not, and the way out. Thread pool only.
 */
#define _GNU_SOURCE
#include "tests/conformance/conformance.h"

#include <unistd.h>

enum { DEPTH = 8, TASKS = (2 << DEPTH) - 1, CAPACITY = 4 };

struct pair {
    cf_executor *pools[2];
    gate *done; /* each task arrives */
};

struct ping {
    struct pair *pair;
    int to; /* which pool */
    int left;
};

/* Submits two of its kind to the other pool; what that rejects it does
 * itself. */
static int
task_ping(cf_call *call, const void *arg, size_t arg_size)
{
    const struct ping *p = arg;
    const struct ping next = {p->pair, !p->to, p->left - 1};
    for (int i = 0; i < 2 && p->left > 0; i++) {
        cf_executor *other = p->pair->pools[!p->to];
        cf_err err = cf_submit(other, task_ping, &next, sizeof next, NULL);
        if (err == CF_EAGAIN)
            err = task_ping(call, &next, arg_size) == 0 ? CF_OK : CF_ETASK;
        if (err != CF_OK)
            return cf_fail(call, (int)err, "%s", cf_strerror(err));
    }
    gate_arrive(p->pair->done);
    return 0;
}

static struct pair
pair_of(test_options first, test_options second)
{
    struct pair pair = {.done = gate_new()};
    pair.pools[0] = test_pool(first);
    pair.pools[1] = test_pool(second);
    return pair;
}

static void
expect_to_finish(cf_queue_policy policy, size_t capacity)
{
    const test_options bounded = {
        .max_workers = 1, .queue_capacity = CAPACITY, .queue_policy = policy};
    test_options other = bounded;
    other.queue_capacity = capacity;
    struct pair pair = pair_of(bounded, other);
    const struct ping first = {&pair, 0, DEPTH};
    assert_ok(cf_submit(pair.pools[0], task_ping, &first, sizeof first, NULL));
    gate_await(pair.done, TASKS);
    cf_executor_destroy(pair.pools[0]);
    cf_executor_destroy(pair.pools[1]);
    cr_assert(gate_arrived(pair.done) == TASKS);
}

CF_TEST(bounded_pools_that_feed_each_other_finish_if_they_reject)
{
    expect_to_finish(CF_QUEUE_REJECT, CAPACITY);
}

CF_TEST(bounded_pools_that_feed_each_other_finish_if_the_caller_runs)
{
    expect_to_finish(CF_QUEUE_CALLER_RUNS, CAPACITY);
}

CF_TEST(pools_that_feed_each_other_finish_if_one_has_no_bound)
{
    expect_to_finish(CF_QUEUE_BLOCK, 0);
}

struct stuck {
    cf_executor *other;
    gate *full;
    pid_t *tid;
};

/* Fills the other pool's queue, and waits for room there. */
static int
task_gets_stuck(cf_call *call, const void *arg, size_t arg_size)
{
    const struct stuck *s = arg;
    (void)arg_size;
    for (int i = 0; i < CAPACITY; i++)
        if (cf_submit(s->other, task_nothing, NULL, 0, NULL) != CF_OK)
            return cf_fail(call, i, "no room");
    *s->tid = gettid();
    gate_pass(s->full);
    cf_err err = cf_submit(s->other, task_nothing, NULL, 0, NULL);
    return cf_return(call, &err, sizeof err) != CF_OK;
}

CF_WORKERS_TEST(CF_TEST,
                a_shutdown_ends_the_standstill_of_pools_that_feed_each_other)
{
    const test_options bounded = {.max_workers = 1, .queue_capacity = CAPACITY};
    struct pair pair = pair_of(bounded, bounded);
    pid_t tids[2];
    cf_future *fs[2];
    gate *full = gate_new();
    for (int i = 0; i < 2; i++) {
        const struct stuck s = {pair.pools[!i], full, &tids[i]};
        fs[i] = must_submit(pair.pools[i], task_gets_stuck, &s, sizeof s);
    }
    gate_await(full, 2);
    gate_open(full);
    await_asleep(tids[0]);
    await_asleep(tids[1]);
    assert_err(cf_executor_shutdown(pair.pools[1], 0, 0), CF_ETIMEDOUT);
    cf_err errs[2];
    for (int i = 0; i < 2; i++) {
        cf_bytes bytes;
        assert_ok(cf_future_result(fs[i], CF_FOREVER, &bytes));
        memcpy(&errs[i], bytes.data, sizeof errs[i]);
    }
    assert_err(errs[0], CF_ESHUTDOWN);
    assert_ok(errs[1]);
    unref_all(fs, 2);
    cf_executor_destroy(pair.pools[0]);
    cf_executor_destroy(pair.pools[1]);
}
