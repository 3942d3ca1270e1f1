/* SPDX-License-Identifier: MIT */
/* What a loop costs that has nothing to do. */
#define _GNU_SOURCE
#include <cfutures/cfutures.h>
#include <cfutures/io.h>

#include <criterion/criterion.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define MS INT64_C(1000000)
#define assert_ok(call) cr_assert((call) == CF_OK, "%s", #call)

static int
wait_for(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    return (int)cf_future_wait((cf_future *)arg, CF_FOREVER);
}

/* What threads other than this one have done: how often they went to sleep, and
 * the CPU time that they took. */
struct effort {
    long sleeps;
    int64_t cpu_ns;
};

static int64_t
clock_ns(clockid_t clock)
{
    struct timespec t;
    cr_assert(clock_gettime(clock, &t) == 0);
    return t.tv_sec * 1000 * MS + t.tv_nsec;
}

static struct effort
others_effort(void)
{
    struct rusage all, mine;
    cr_assert(getrusage(RUSAGE_SELF, &all) == 0);
    cr_assert(getrusage(RUSAGE_THREAD, &mine) == 0);
    return (struct effort){all.ru_nvcsw - mine.ru_nvcsw,
                           clock_ns(CLOCK_PROCESS_CPUTIME_ID) -
                               clock_ns(CLOCK_THREAD_CPUTIME_ID)};
}

static struct effort
effort_in(int64_t span_ns)
{
    struct effort before = others_effort();
    cr_assert(cf_sleep(NULL, span_ns) == CF_OK);
    struct effort after = others_effort();
    return (struct effort){after.sleeps - before.sleeps,
                           after.cpu_ns - before.cpu_ns};
}

static int
wait_for_input(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    return (int)cf_wait_fd(
        call, *(const int *)arg, CF_FD_READ, CF_FOREVER, NULL);
}

/* They wait for a promise, and for a task of a pool: for that one the loop
 * looks on for a moment before it sleeps. fd: one waits to read from it, so
 * that the loop sleeps in libuv; -1: none does. */
static void
expect_no_effort(int fd)
{
    enum { N = 10000, TRIES = 30 };
    static cf_future *fs[N];
    cf_executor *ex, *pool;
    cf_future *promise, *pools, *reader = NULL;
    struct effort effort = {1, 0};
    cf_stats stats;
    assert_ok(cf_executor_open("loop", &ex));
    assert_ok(cf_executor_open("threads:1", &pool));
    assert_ok(cf_future_create(&promise));
    assert_ok(cf_submit(pool, wait_for, promise, 0, &pools));
    if (fd >= 0)
        assert_ok(cf_submit(ex, wait_for_input, &fd, 0, &reader));
    for (int i = 0; i < N; i++)
        assert_ok(cf_submit(ex, wait_for, i % 2 ? promise : pools, 0, &fs[i]));
    do {
        cr_assert(cf_yield(NULL) == CF_OK);
        assert_ok(cf_executor_stats(ex, &stats));
    } while (stats.running < N);
    /* The loop and the pool may give memory back first. A thread that wakes up
     * again and again does so in each of these seconds. */
    for (int i = 0; i < TRIES; i++) {
        effort = effort_in(1000 * MS);
        if (effort.sleeps == 0 && effort.cpu_ns < 100 * MS)
            break;
    }
    cr_assert(effort.sleeps == 0, "%ld sleeps", effort.sleeps);
    cr_assert(effort.cpu_ns < 100 * MS, "%" PRId64 " ns", effort.cpu_ns);
    assert_ok(cf_future_set_result(promise, NULL, 0));
    for (int i = 0; i < N; i++) {
        assert_ok(cf_future_result(fs[i], CF_FOREVER, NULL));
        cf_future_unref(fs[i]);
    }
    (void)cf_future_interrupt(reader);
    cf_executor_destroy(ex);
    cf_executor_destroy(pool);
    cf_future_unref(reader);
    cf_future_unref(pools);
    cf_future_unref(promise);
}

Test(loop_idle, ten_thousand_tasks_that_wait_cost_nothing, .timeout = 60)
{
    expect_no_effort(-1);
}

Test(loop_idle, nor_do_they_if_libuv_waits_for_something, .timeout = 60)
{
    int fds[2];
    cr_assert(pipe(fds) == 0);
    expect_no_effort(fds[0]);
    close(fds[0]);
    close(fds[1]);
}
