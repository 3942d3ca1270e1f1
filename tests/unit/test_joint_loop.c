/* SPDX-License-Identifier: MIT */
/*
 * Loops that their caller and helpers run together: what the caller runs
 * itself, when helpers come, and how one ends the others.
 */
#include <cfutures/cfutures.h>
#include <criterion/criterion.h>
#include <pthread.h>

#include "lib/base/clock.h"
#include "lib/base/wake_cost.h"
#include "tests/support/gate.h"

/* A function, as the macro has many branches. */
static void
expect(bool truth, const char *what)
{
    cr_assert(truth, "%s", what);
}

#define EXPECT(condition) expect(condition, #condition)

enum { TRIES = 100 };

/* What a loop has seen. */
struct seen {
    gate *gate;
    pthread_t caller;
    atomic_int by_caller, by_workers; /* calls */
    atomic_int stopped;               /* calls that were told to stop */
    bool caller_fails;
};

static cf_executor *
threads(int workers)
{
    cf_executor *ex;
    cf_err err = cf_thread_pool_create(
        &CF_THREAD_POOL_OPTIONS(.max_workers = workers), &ex);
    EXPECT(err == CF_OK);
    return ex;
}

/* Counts iterations, and who does them. */
static int
count(cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    struct seen *seen = data;
    if (cf_call_worker(call) < 0) {
        EXPECT(pthread_equal(pthread_self(), seen->caller));
        atomic_fetch_add(&seen->by_caller, 1);
    } else {
        atomic_fetch_add(&seen->by_workers, 1);
    }
    *(size_t *)partial += end - begin;
    return 0;
}

static void
add(void *partial, void *next, void *data)
{
    (void)data;
    *(size_t *)partial += *(const size_t *)next;
}

static cf_err
run(cf_executor *ex, size_t n, cf_fold_fn *fold, struct seen *seen, size_t *sum)
{
    const size_t zero = 0;
    seen->caller = pthread_self();
    return cf_parallel_reduce(
        ex, 0, n, 1, fold, add, &zero, sizeof zero, seen, sum);
}

Test(joint_loop, one_worker_means_that_the_caller_runs_alone)
{
    cf_executor *ex = threads(1);
    struct seen seen = {0};
    cf_stats stats;
    size_t sum = 0;
    EXPECT(run(ex, 1000, count, &seen, &sum) == CF_OK && sum == 1000);
    EXPECT(seen.by_caller == 1000 && seen.by_workers == 0);
    EXPECT(cf_executor_stats(ex, &stats) == CF_OK);
    EXPECT(stats.workers == 0);
    cf_executor_destroy(ex);
}

/* The system may stop the caller in the middle of the loop, which looks long
 * then. So more than one try is needed at times. */
Test(joint_loop, a_short_loop_calls_no_helper)
{
    uint64_t workers = 1;
    for (int try = 0; try < TRIES && workers > 0; try++) {
        cf_executor *ex = threads(2);
        struct seen seen = {0};
        cf_stats stats;
        size_t sum = 0;
        EXPECT(run(ex, 100, count, &seen, &sum) == CF_OK && sum == 100);
        EXPECT(cf_executor_stats(ex, &stats) == CF_OK);
        workers = stats.workers;
        cf_executor_destroy(ex);
    }
    EXPECT(workers == 0);
}

/* Iterations of 1 us. */
static int
count_slowly(cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    int64_t until = cf__now_ns() + CF__US(1) * (int64_t)(end - begin);
    while (cf__now_ns() < until) {
    }
    return count(call, begin, end, partial, data);
}

static int
do_nothing(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call, (void)arg, (void)arg_size;
    return 0;
}

/* The worker searches for a fifth of a second after its task. The loop is much
 * too short to pay for a wake-up, but calls it: unless the system does not let
 * it run just then. */
Test(joint_loop, a_worker_that_is_awake_is_called, .timeout = 60)
{
    cf_executor *ex = threads(2);
    struct seen seen = {0};
    while (seen.by_workers == 0) {
        cf_future *f;
        size_t sum = 0;
        cf_store_relaxed(&cf__wake_cost_ns, CF__S(1));
        EXPECT(cf_submit(ex, do_nothing, NULL, 0, &f) == CF_OK);
        EXPECT(cf_future_wait(f, CF_FOREVER) == CF_OK);
        cf_future_unref(f);
        EXPECT(run(ex, 200, count_slowly, &seen, &sum) == CF_OK);
        EXPECT(sum == 200);
    }
    cf_executor_destroy(ex);
}

/* Each loop misses less than 50 us. So 20 of them miss more than a wake-up of
 * 100 us costs, and much less than one of a minute. */
Test(joint_loop, a_series_of_loops_pays_for_a_wake_up, .timeout = 60)
{
    for (int dear = 0; dear < 2; dear++) {
        cf_executor *ex = threads(2);
        struct seen seen = {0};
        cf_stats stats = {0};
        /* The next loop is to begin within a fifth of that. */
        cf_store_relaxed(&cf__wake_cost_ns, dear ? CF__S(60) : CF__MS(1));
        for (int i = 0; i < 20 || (!dear && stats.workers == 0); i++) {
            size_t sum = 0;
            EXPECT(run(ex, 80, count_slowly, &seen, &sum) == CF_OK);
            EXPECT(cf_executor_stats(ex, &stats) == CF_OK && sum == 80);
        }
        EXPECT(stats.workers == !dear);
        cf_executor_destroy(ex);
    }
}

static int
hold(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call, (void)arg_size;
    gate_pass(*(gate *const *)arg);
    return 0;
}

/* Helpers are called at once, as there are few units, and never begin. */
Test(joint_loop, the_caller_waits_for_no_worker_that_is_busy)
{
    cf_executor *ex = threads(2);
    struct seen seen = {.gate = gate_new()};
    cf_future *f[2];
    size_t sum = 0;
    for (int i = 0; i < 2; i++)
        EXPECT(cf_submit(ex, hold, &seen.gate, sizeof seen.gate, &f[i]) ==
               CF_OK);
    gate_await(seen.gate, 2);
    EXPECT(run(ex, 20, count, &seen, &sum) == CF_OK && sum == 20);
    EXPECT(seen.by_caller == 20 && seen.by_workers == 0);
    gate_open(seen.gate);
    for (int i = 0; i < 2; i++) {
        EXPECT(cf_future_wait(f[i], CF_FOREVER) == CF_OK);
        cf_future_unref(f[i]);
    }
    cf_executor_destroy(ex);
}

static int
begin_worker(cf_call *call, void *init_data, void **worker_data)
{
    (void)call;
    *worker_data = init_data;
    return 0;
}

/* Its data is for its own tasks. */
Test(joint_loop, a_pool_with_an_initializer_runs_all_in_workers)
{
    struct seen seen = {0};
    size_t sum = 0;
    cf_executor *ex;
    EXPECT(cf_thread_pool_create(
               &CF_THREAD_POOL_OPTIONS(.max_workers = 1,
                                       .initializer = begin_worker),
               &ex) == CF_OK);
    EXPECT(run(ex, 100, count, &seen, &sum) == CF_OK && sum == 100);
    EXPECT(seen.by_caller == 0 && seen.by_workers == 100);
    cf_executor_destroy(ex);
}

/* --- how one ends the others ---------------------------------------------- */

/* Two calls meet. Then that of the caller, or of the helper, fails, and the
 * other one goes on until it is told to stop. */
static int
fail_or_stop(cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    struct seen *seen = data;
    (void)begin, (void)end, (void)partial;
    gate_arrive(seen->gate);
    gate_await(seen->gate, 2);
    if ((cf_call_worker(call) < 0) == seen->caller_fails)
        return cf_fail(call, 5, "it fails");
    while (!cf_call_canceled(call))
        (void)cf_yield(call);
    atomic_fetch_add(&seen->stopped, 1);
    return cf_fail(call, 0, "it was told to stop");
}

Test(joint_loop, who_fails_stops_the_others)
{
    for (int caller_fails = 0; caller_fails < 2; caller_fails++) {
        cf_executor *ex = threads(2);
        struct seen seen = {.gate = gate_new(), .caller_fails = caller_fails};
        size_t sum = 7;
        cf_err err = run(ex, 2, fail_or_stop, &seen, &sum);
        EXPECT(err == CF_ETASK);
        EXPECT(sum == 7 && seen.stopped == 1);
        cf_executor_destroy(ex);
    }
}

/* Three calls meet. When that of the caller has ended, one helper fails, and
 * the other one goes on until it is told to stop. */
static int
fail_late_or_stop(
    cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    struct seen *seen = data;
    (void)begin, (void)end, (void)partial;
    gate_arrive(seen->gate);
    gate_await(seen->gate, 3);
    if (cf_call_worker(call) < 0) {
        atomic_fetch_add(&seen->by_caller, 1);
        return 0;
    }
    if (atomic_fetch_add(&seen->by_workers, 1) == 0) {
        for (int i = 0; i < 1000 || seen->by_caller == 0; i++)
            (void)cf_yield(call);
        return cf_fail(call, 5, "it fails");
    }
    while (!cf_call_canceled(call))
        (void)cf_yield(call);
    atomic_fetch_add(&seen->stopped, 1);
    return 0;
}

Test(joint_loop, who_fails_late_stops_the_others, .timeout = 60)
{
    cf_executor *ex = threads(3);
    struct seen seen = {.gate = gate_new()};
    size_t sum = 7;
    EXPECT(run(ex, 3, fail_late_or_stop, &seen, &sum) == CF_ETASK);
    EXPECT(sum == 7 && seen.stopped == 1);
    cf_executor_destroy(ex);
}

/* The same, but the thread ends. */
static int
exit_or_stop(cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    struct seen *seen = data;
    (void)begin, (void)end, (void)partial;
    gate_arrive(seen->gate);
    gate_await(seen->gate, 2);
    if ((cf_call_worker(call) < 0) == seen->caller_fails)
        pthread_exit(NULL);
    while (!cf_call_canceled(call))
        (void)cf_yield(call);
    atomic_fetch_add(&seen->stopped, 1);
    return 0;
}

Test(joint_loop, a_helper_whose_thread_ends_stops_the_caller)
{
    cf_executor *ex = threads(2);
    struct seen seen = {.gate = gate_new()};
    size_t sum = 7;
    cf_err err = run(ex, 2, exit_or_stop, &seen, &sum);
    EXPECT(err == CF_EWORKERDIED);
    EXPECT(sum == 7 && seen.stopped == 1);
    cf_executor_destroy(ex);
}

struct leaver {
    cf_executor *ex;
    struct seen *seen;
};

static void *
run_and_leave(void *leaver)
{
    struct leaver *l = leaver;
    size_t sum;
    (void)run(l->ex, 2, exit_or_stop, l->seen, &sum);
    expect(false, "the thread has ended");
    return NULL;
}

/* The helper uses the loop on the caller's stack: it has ended when the thread
 * has. */
Test(joint_loop, a_caller_whose_thread_ends_takes_its_helpers_along)
{
    cf_executor *ex = threads(2);
    struct seen seen = {.gate = gate_new(), .caller_fails = true};
    struct leaver leaver = {ex, &seen};
    pthread_t thread;
    EXPECT(pthread_create(&thread, NULL, run_and_leave, &leaver) == 0);
    EXPECT(pthread_join(thread, NULL) == 0);
    EXPECT(seen.stopped == 1);
    cf_executor_destroy(ex);
}
