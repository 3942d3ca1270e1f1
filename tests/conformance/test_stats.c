/* SPDX-License-Identifier: MIT */
/*
 * Counters, waiting for an idle executor, and what an executor says about
 * itself.
 */
#define _GNU_SOURCE
#include "tests/conformance/conformance.h"

#include <time.h>
#include <unistd.h>

static cf_stats
stats_of(cf_executor *ex)
{
    cf_stats stats;
    memset(&stats, 0xff, sizeof stats);
    assert_ok(cf_executor_stats(ex, &stats));
    return stats;
}

CF_TEST(a_fresh_executor_has_done_nothing)
{
    cf_executor *ex = test_executor(2);
    cf_stats s = stats_of(ex);
    cr_assert(s.queued == 0 && s.running == 0 && s.done == 0);
    cr_assert(s.failed == 0 && s.canceled == 0 && s.restarts == 0);
    cf_executor_destroy(ex);
}

CF_TEST(done_counts_all_and_failed_the_failures)
{
    cf_executor *ex = test_executor(2);
    for (int i = 0; i < 30; i++)
        assert_ok(cf_submit(ex, task_fail_thirds, &i, sizeof i, NULL));
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cf_stats s = stats_of(ex);
    cr_assert(s.done == 30, "%d", (int)s.done);
    cr_assert(s.failed == 10, "%d", (int)s.failed);
    cr_assert(s.canceled == 0 && s.queued == 0 && s.running == 0);
    cf_executor_destroy(ex);
}

enum { BURNT_NS = 20000000 };

static int64_t
cpu_time(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return CF_SECONDS(used.tv_sec) + used.tv_nsec;
}

/* Uses so much CPU time. */
static int
task_burn(cf_call *call, const void *arg, size_t arg_size)
{
    const int64_t begin = cpu_time();
    (void)call;
    (void)arg;
    (void)arg_size;
    while (cpu_time() - begin < BURNT_NS)
        continue;
    return 0;
}

CF_TEST(workers_account_for_their_cpu_time)
{
    cf_executor *ex = test_executor(2);
    uint64_t before = stats_of(ex).cpu_ns;
    cf_future *f = must_submit(ex, task_burn, NULL, 0);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    uint64_t after = stats_of(ex).cpu_ns;
    if (CF_CONCURRENT)
        cr_assert(before < BURNT_NS && after >= BURNT_NS,
                  "%llu, then %llu ns",
                  (unsigned long long)before,
                  (unsigned long long)after);
    else
        cr_assert(before == 0 && after == 0);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    uint64_t at_end = stats_of(ex).cpu_ns;
    cr_assert(at_end >= after, "%llu ns", (unsigned long long)at_end);
    cr_assert(stats_of(ex).cpu_ns == at_end, "it goes on without workers");
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(no_worker_before_the_first_task)
{
    cf_executor *ex = test_executor(2);
    cr_assert(stats_of(ex).workers == 0);
    cf_executor_destroy(ex);
}

CF_WORKERS_TEST(CF_CONCURRENT_TEST,
                a_busy_executor_counts_running_queued_and_cancelled)
{
    cf_executor *ex = test_executor(3);
    gate *g = gate_new();
    cf_future *held[3];
    occupy(ex, g, 3, held);
    cf_future *fs[10];
    for (int i = 0; i < 10; i++)
        fs[i] = must_submit(ex, task_nothing, NULL, 0);
    cf_stats s = stats_of(ex);
    cr_assert(s.workers == 3 && s.idle == 0, "%d", (int)s.idle);
    cr_assert(s.running == 3, "%d", (int)s.running);
    cr_assert(s.queued == 10, "%d", (int)s.queued);
    for (int i = 0; i < 4; i++)
        cr_assert(cf_future_cancel(fs[i]));
    s = stats_of(ex);
    cr_assert(s.canceled == 4, "%d", (int)s.canceled);
    cr_assert(s.queued == 6, "%d", (int)s.queued);
    gate_open(g);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    s = stats_of(ex);
    cr_assert(s.queued == 0 && s.running == 0);
    cr_assert(s.done == 9 && s.canceled == 4);
    unref_all(held, 3);
    unref_all(fs, 10);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(shutdown_with_cancel_counts_what_never_ran)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    for (int i = 0; i < 8; i++)
        assert_ok(cf_submit(ex, task_nothing, NULL, 0, NULL));
    assert_ok(
        cf_executor_shutdown(ex, CF_SHUTDOWN_CANCEL | CF_SHUTDOWN_NOWAIT, 0));
    gate_open(g);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    cf_stats s = stats_of(ex);
    cr_assert(s.done == 1 && s.canceled == 8 && s.queued == 0);
    cr_assert(s.workers == 0 && s.running == 0);
    cf_future_unref(held);
    cf_executor_destroy(ex);
}

CF_TEST(waiting_for_an_idle_executor_returns_at_once)
{
    cf_executor *ex = test_executor(1);
    assert_ok(cf_executor_wait_idle(ex, 0));
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cf_future *f = must_submit(ex, task_square, &(int){2}, sizeof(int));
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cr_assert(cf_future_done(f));
    cf_future_unref(f);
    f = must_submit(ex, task_square, &(int){3}, sizeof(int));
    cr_assert(int_result(f) == 9, "still usable");
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(wait_idle_runs_out_while_a_task_runs)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    assert_err(cf_executor_wait_idle(ex, 0), CF_ETIMEDOUT);
    assert_err(cf_executor_wait_idle(ex, CF_MS(10)), CF_ETIMEDOUT);
    gate_open(g);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cf_future_unref(held);
    cf_executor_destroy(ex);
}

typedef struct idle_waiter {
    cf_executor *ex;
    gate *started;
    pid_t tid;
    cf_err err;
} idle_waiter;

static void *
idle_waiter_main(void *arg)
{
    idle_waiter *w = arg;
    w->tid = gettid();
    gate_arrive(w->started);
    w->err = cf_executor_wait_idle(w->ex, CF_FOREVER);
    return NULL;
}

CF_CONCURRENT_TEST(several_threads_may_wait_for_idleness)
{
    cf_executor *ex = test_executor(2);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    idle_waiter waiters[3];
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        waiters[i] = (idle_waiter){.ex = ex, .started = gate_new()};
        cr_assert(pthread_create(
                      &threads[i], NULL, idle_waiter_main, &waiters[i]) == 0);
        gate_await(waiters[i].started, 1);
        await_asleep(waiters[i].tid);
    }
    gate_open(g);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_ok(waiters[i].err);
    }
    cf_future_unref(held);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(cancelling_the_last_queued_task_makes_it_idle)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    cf_future *f = must_submit(ex, task_nothing, NULL, 0);
    cr_assert(cf_future_cancel(f));
    gate_open(g);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cf_future_unref(f);
    cf_future_unref(held);
    cf_executor_destroy(ex);
}

static int
task_waits_idle(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    int err = (int)cf_executor_wait_idle(cf_call_executor(call), CF_FOREVER);
    return cf_return(call, &err, sizeof err) != CF_OK;
}

CF_TEST(a_task_cannot_wait_for_its_own_executor_to_be_idle)
{
    cf_executor *ex = test_executor(2);
    cf_future *f = must_submit(ex, task_waits_idle, NULL, 0);
    cr_assert(int_result(f) == CF_EDEADLK);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(bad_questions_are_einval)
{
    cf_executor *ex = test_executor(1);
    cf_stats s;
    assert_err(cf_executor_stats(NULL, &s), CF_EINVAL);
    assert_err(cf_executor_stats(ex, NULL), CF_EINVAL);
    assert_err(cf_executor_wait_idle(NULL, 0), CF_EINVAL);
    assert_err(cf_executor_wait_idle(ex, -2), CF_EINVAL);
    cf_executor_destroy(ex);
}

CF_WORKERS_TEST(CF_CONCURRENT_TEST, a_pool_knows_its_name_and_size)
{
    cf_executor *ex = test_executor(3);
    cr_assert_str_eq(cf_executor_name(ex), test_name);
    cr_assert(cf_executor_max_workers(ex) == 3);
    cf_executor_destroy(ex);
}

CF_TEST(open_makes_what_the_text_says)
{
    static const struct {
        const char *spec;
        const char *name;
        int workers;
    } good[] = {{"inline", "inline", 1},
                {"threads", "thread_pool", 0},
                {"threads:1", "thread_pool", 1},
                {"threads:8", "thread_pool", 8}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cf_executor *ex = NULL;
        assert_ok(cf_executor_open(good[i].spec, &ex));
        cr_assert_str_eq(cf_executor_name(ex), good[i].name);
        int workers =
            good[i].workers != 0 ? good[i].workers : (int)cf_cpu_count();
        cr_assert(cf_executor_max_workers(ex) == workers);
        cf_future *f = must_submit(ex, task_square, &(int){5}, sizeof(int));
        cr_assert(int_result(f) == 25);
        cf_future_unref(f);
        cf_executor_destroy(ex);
    }
}

CF_TEST(open_refuses_every_other_text)
{
    static const char *const bad[] = {"",
                                      "thread",
                                      "threads:",
                                      "threads:0",
                                      "threads:-1",
                                      "threads:x",
                                      "threads:4x",
                                      "threads: 4",
                                      "threads:99999999999999999999",
                                      "Threads",
                                      "inline:2",
                                      "inline "};
    cf_executor *ex = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cf_err err = cf_executor_open(bad[i], &ex);
        cr_assert(err == CF_EINVAL, "'%s': %s", bad[i], cf_err_name(err));
    }
    assert_err(cf_executor_open(NULL, &ex), CF_EINVAL);
    assert_err(cf_executor_open("inline", NULL), CF_EINVAL);
    assert_err(cf_inline_create(NULL), CF_EINVAL);
    cr_assert_null(ex);
}
