/* SPDX-License-Identifier: MIT */
/*
 * What only the event loop has: any number of tasks that wait on one thread, a
 * loop in the caller's thread, waits among its tasks that could never end, and
 * a task that ends the thread.
 */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>

#include "tests/unit/loop_tasks.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS INT64_C(1000000)

static cf_executor *
new_loop(void)
{
    cf_executor *ex = NULL;
    assert_ok(cf_executor_open("loop", &ex));
    return ex;
}

Test(event_loop, ten_thousand_tasks_wait_at_once, .timeout = 60)
{
    enum { N = 10000 };
    static cf_future *fs[N];
    cf_executor *ex = new_loop();
    cf_future *promise;
    cf_stats stats;
    assert_ok(cf_future_create(&promise));
    for (int i = 0; i < N; i++)
        fs[i] = submit(ex, wait_for, promise, 0);
    do {
        cf_sleep(NULL, MS);
        assert_ok(cf_executor_stats(ex, &stats));
    } while (stats.running < N);
    assert_ok(cf_future_set_result(promise, NULL, 0));
    for (int i = 0; i < N; i++) {
        cr_assert(err_of(fs[i]) == CF_OK);
        cf_future_unref(fs[i]);
    }
    cf_future_unref(promise);
    cf_executor_destroy(ex);
}

static int
note(cf_call *call, const void *arg, size_t arg_size)
{
    char **end = *(char ***)arg;
    (void)arg_size;
    for (int i = 0; i < 3; i++) {
        *(*end)++ = ((const char *)arg)[sizeof end];
        if (cf_yield(call))
            return 1;
    }
    return 0;
}

struct note {
    char **end;
    char letter;
};

static int
run_three(cf_call *call, const void *arg, size_t arg_size)
{
    char *end = (char *)arg;
    cf_future *fs[3];
    (void)arg_size;
    for (int i = 0; i < 3; i++) {
        struct note n = {&end, (char)('a' + i)};
        if (cf_submit(cf_call_executor(call), note, &n, sizeof n, &fs[i]))
            return 1;
    }
    cf_err err = cf_wait(fs, 3, CF_ALL_COMPLETED, CF_FOREVER, NULL);
    for (int i = 0; i < 3; i++)
        cf_future_unref(fs[i]);
    return (int)err;
}

Test(event_loop, tasks_that_yield_take_turns_in_the_callers_thread)
{
    static char order[16];
    cf_future *f = NULL;
    assert_ok(cf_event_loop_run(NULL, run_three, order, 0, &f));
    assert_ok(cf_future_result(f, 0, NULL));
    cr_assert_str_eq(order, "abcabcabc");
    cf_future_unref(f);
}

static int
leave_some_behind(cf_call *call, const void *arg, size_t arg_size)
{
    cf_future *promise = (cf_future *)arg;
    (void)arg_size;
    for (int i = 0; i < 10; i++)
        if (cf_submit(cf_call_executor(call), wait_for, promise, 0, NULL))
            return 1;
    return (int)cf_yield(call);
}

Test(event_loop, a_run_ends_with_its_first_task)
{
    cf_future *promise;
    assert_ok(cf_future_create(&promise));
    assert_ok(cf_event_loop_run(NULL, leave_some_behind, promise, 0, NULL));
    cf_future_unref(promise);
}

/* Tasks 0 and 1 wait for the first of {the other, itself's twin}. */
struct circle {
    cf_future *fs[2];
    cf_future *go; /* done when both are known */
    bool choose;
    int me;
};

static int
wait_in_circle(cf_call *call, const void *arg, size_t arg_size)
{
    const struct circle *circle = *(struct circle *const *)arg;
    int me;
    (void)arg_size;
    memcpy(&me, (const char *)arg + sizeof circle, sizeof me);
    if (cf_future_wait(circle->go, CF_FOREVER))
        return 1;
    cf_future *both[2] = {circle->fs[!me], circle->fs[me]};
    cf_err err = circle->choose
                     ? cf_wait(both, 2, CF_FIRST_COMPLETED, CF_FOREVER, NULL)
                     : cf_future_wait(both[0], CF_FOREVER);
    return cf_return(call, &err, sizeof err);
}

static void
run_circle(bool choose, cf_err *first, cf_err *second)
{
    struct {
        struct circle *circle;
        int me;
    } arg;
    static struct circle circle;
    cf_executor *ex = new_loop();
    circle.choose = choose;
    assert_ok(cf_future_create(&circle.go));
    for (int i = 0; i < 2; i++) {
        memset(&arg, 0, sizeof arg);
        arg.circle = &circle;
        arg.me = i;
        circle.fs[i] = submit(ex, wait_in_circle, &arg, sizeof arg);
    }
    assert_ok(cf_future_set_result(circle.go, NULL, 0));
    *first = err_of(circle.fs[0]);
    *second = err_of(circle.fs[1]);
    for (int i = 0; i < 2; i++)
        cf_future_unref(circle.fs[i]);
    cf_future_unref(circle.go);
    cf_executor_destroy(ex);
}

Test(event_loop, the_last_wait_of_a_circle_is_refused)
{
    cf_err first, second;
    run_circle(false, &first, &second);
    cr_assert(first == CF_EDEADLK || second == CF_EDEADLK);
    cr_assert(first == CF_OK || second == CF_OK);
}

Test(event_loop, a_circle_of_waits_for_some_is_ended)
{
    cf_err first, second;
    run_circle(true, &first, &second);
    /* Both are woken; the one that goes on first ends, and so helps the
     * other. */
    cr_assert(first == CF_EDEADLK || second == CF_EDEADLK);
    cr_assert(first == CF_OK || second == CF_OK);
}

static int
keep_errno(cf_call *call, const void *arg, size_t arg_size)
{
    int mine = *(const int *)arg;
    (void)arg_size;
    for (int i = 0; i < 100; i++) {
        errno = mine;
        if (cf_yield(call) || errno != mine)
            return cf_fail(call, errno, "%d", errno);
    }
    return 0;
}

Test(event_loop, errno_is_a_tasks_own_across_waits)
{
    cf_executor *ex = new_loop();
    cf_future *fs[2];
    for (int i = 0; i < 2; i++)
        fs[i] = submit(ex, keep_errno, &(int){i + 1}, sizeof(int));
    for (int i = 0; i < 2; i++) {
        assert_ok(cf_future_result(fs[i], CF_FOREVER, NULL));
        cf_future_unref(fs[i]);
    }
    cf_executor_destroy(ex);
}

static int
end_thread(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    (void)cf_sleep(call, MS);
    if (!arg)
        pthread_exit(NULL);
    return 0;
}

Test(event_loop, a_task_that_ends_the_thread_ends_the_loop)
{
    cf_executor *ex = new_loop();
    cf_future *promise;
    assert_ok(cf_future_create(&promise));
    cf_future *waiting = submit(ex, wait_for, promise, 0);
    cf_future *ending = submit(ex, end_thread, NULL, 0);
    cr_assert(cf_future_result(ending, CF_FOREVER, NULL) == CF_EWORKERDIED);
    cr_assert(cf_future_result(waiting, CF_FOREVER, NULL) == CF_EWORKERDIED);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    cr_assert(cf_submit(ex, wait_for, promise, 0, NULL) == CF_EBROKEN);
    assert_ok(cf_future_set_result(promise, NULL, 0)); /* wakes nobody */
    cf_future_unref(waiting);
    cf_future_unref(ending);
    cf_future_unref(promise);
    cf_executor_destroy(ex);
}

static int
destroy_own(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    cf_executor_destroy(cf_call_executor(call));
    return 0;
}

Test(event_loop, a_task_may_destroy_its_loop)
{
    cf_executor *ex = new_loop();
    cf_future *f = submit(ex, destroy_own, NULL, 0);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    assert_ok(cf_event_loop_run(NULL, destroy_own, NULL, 0, NULL));
}

static int
fork_and_return(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    *(pid_t *)arg = fork();
    return 0;
}

Test(event_loop, the_child_of_a_run_knows)
{
    pid_t child = -1;
    int status = -1;
    cf_err err = cf_event_loop_run(NULL, fork_and_return, &child, 0, NULL);
    if (child == 0)
        _exit(err == CF_EFORKED ? 7 : 1);
    assert_ok(err);
    cr_assert(waitpid(child, &status, 0) == child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static int
sleep_as_told(cf_call *call, const void *arg, size_t arg_size)
{
    int64_t ns;
    memcpy(&ns, arg, arg_size);
    return (int)cf_sleep(call, ns);
}

Test(event_loop, all_items_of_a_map_wait_at_once)
{
    enum { N = 100 };
    int64_t items[N];
    cf_executor *ex = new_loop();
    cf_results *results;
    struct timespec begun, ended;
    for (int i = 0; i < N; i++)
        items[i] = 20 * MS;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    assert_ok(
        cf_map(ex, sleep_as_told, items, sizeof *items, N, NULL, &results));
    for (int i = 0; i < N; i++)
        assert_ok(cf_results_next(results, CF_FOREVER, NULL));
    clock_gettime(CLOCK_MONOTONIC, &ended);
    cr_assert(ended.tv_sec - begun.tv_sec <= 1, "not one after the other");
    cf_results_destroy(results, false);
    cf_executor_destroy(ex);
}

/* An inline executor's submits, of two tasks that wait inside of them. */
static int
wait_inline(cf_call *call, const void *arg, size_t arg_size)
{
    cf_executor *ex = *(cf_executor *const *)arg;
    (void)arg_size;
    cf_future *f;
    int64_t ns;
    memcpy(&ns, (const char *)arg + sizeof ex, sizeof ns);
    for (int i = 0; i < 20; i++) {
        if (cf_submit(ex, end_thread, ex, 0, &f))
            return cf_fail(call, 1, "refused");
        cf_future_unref(f);
        (void)cf_sleep(call, ns);
    }
    return 0;
}

Test(event_loop, submits_to_an_inline_executor_wait_beside_each_other)
{
    cf_executor *ex = new_loop(), *in_place;
    cf_future *fs[2];
    assert_ok(cf_inline_create(&in_place));
    for (int i = 0; i < 2; i++) {
        struct {
            cf_executor *ex;
            int64_t ns;
        } arg = {in_place, MS / (i + 2)};
        fs[i] = submit(ex, wait_inline, &arg, sizeof arg);
    }
    for (int i = 0; i < 2; i++) {
        assert_ok(cf_future_result(fs[i], CF_FOREVER, NULL));
        cf_future_unref(fs[i]);
    }
    cf_executor_destroy(ex);
    cf_executor_destroy(in_place);
}

Test(event_loop, bad_options_are_refused)
{
    cf_executor *ex = NULL;
    cf_event_loop_options opts = CF_EVENT_LOOP_OPTIONS_INIT;
    opts.stack_size = CF_EVENT_LOOP_STACK_MIN - 1;
    cr_assert(cf_event_loop_create(&opts, &ex) == CF_EINVAL);
    opts.stack_size = (size_t)-1;
    cr_assert(cf_event_loop_create(&opts, &ex) == CF_ETOOBIG);
    opts.stack_size = SIZE_MAX / 1024;
    assert_ok(cf_event_loop_create(&opts, &ex));
    cf_future *f = submit(ex, destroy_own, NULL, 0);
    cr_assert(cf_future_result(f, CF_FOREVER, NULL) == CF_ENOMEM);
    cf_future_unref(f);
    cf_executor_destroy(ex);
    cr_assert(cf_executor_open("loop:2", &ex) == CF_EINVAL);
}

/* --- waits for another executor ------------------------------------------ */

static int
do_nothing(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    return 0;
}

static int
submit_to(cf_call *call, const void *arg, size_t arg_size)
{
    cf_executor *ex = *(cf_executor *const *)arg;
    (void)arg_size;
    cf_err err = cf_submit(ex, do_nothing, NULL, 0, NULL);
    return cf_return(call, &err, sizeof err);
}

static int
complete_promise(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    return (int)cf_future_set_result((cf_future *)arg, NULL, 0);
}

/* The pool's worker waits for what the second task does. */
Test(event_loop, others_run_while_one_waits_for_room, .timeout = 60)
{
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    cf_executor *pool = NULL, *ex = new_loop();
    cf_future *promise, *held, *queued, *waits, *completes;
    options.max_workers = 1;
    options.queue_capacity = 1;
    assert_ok(cf_thread_pool_create(&options, &pool));
    assert_ok(cf_future_create(&promise));
    held = submit(pool, wait_for, promise, 0);
    queued = submit(pool, do_nothing, NULL, 0); /* waits until held runs */
    waits = submit(ex, submit_to, &pool, sizeof(cf_executor *));
    completes = submit(ex, complete_promise, promise, 0);
    cr_expect(err_of(waits) == CF_OK);
    assert_ok(cf_future_result(completes, CF_FOREVER, NULL));
    cf_executor_destroy(ex);
    cf_executor_destroy(pool);
    cf_future *all[] = {promise, held, queued, waits, completes};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        cf_future_unref(all[i]);
}
