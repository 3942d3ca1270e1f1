/* SPDX-License-Identifier: MIT */
/*
 * pthread_cancel() of a thread that is in a call of the library. A call that is
 * a cancellation point ends with nothing done; every other one returns first.
 *
 * A cancellation that is pending before a call acts at the first cancellation
 * point inside of it. So each call is tried with that, and again with a
 * cancellation that comes while it sleeps.
 */
#define _GNU_SOURCE
#include "tests/conformance/conformance.h"

#include <sys/syscall.h>
#include <unistd.h>

/* What a call is made on. */
typedef struct scene {
    cf_executor *ex; /* one worker, which holds at g; one more task fits */
    gate *g;
    cf_future *held, *queued; /* tasks of ex that hold at g */
    bool pending;             /* the cancellation comes before the call */
    gate *entered;            /* arrives before the call */
    _Atomic pid_t tid;
    cf_err err; /* what the call returned */
    bool returned;
} scene;

typedef struct blocking {
    const char *name;
    cf_err (*call)(scene *s);
} blocking;

static cf_err
call_wait_idle(scene *s)
{
    return cf_executor_wait_idle(s->ex, CF_FOREVER);
}

static cf_err
call_wait_idle_in_time(scene *s)
{
    return cf_executor_wait_idle(s->ex, CF_SECONDS(1000));
}

static cf_err
call_shutdown(scene *s)
{
    return cf_executor_shutdown(s->ex, 0, CF_FOREVER);
}

static cf_err
call_submit(scene *s)
{
    char arg[100] = {0}; /* on the heap, or in shared memory */
    cf_future *f;
    return cf_submit(s->ex, task_nothing, arg, sizeof arg, &f);
}

static cf_err
call_submit_task(scene *s)
{
    cf_task task = CF_TASK_INIT;
    cf_future *f;
    task.fn = task_nothing;
    task.timeout_ns = CF_SECONDS(1000);
    return cf_submit_task(s->ex, &task, &f);
}

static cf_err
call_submit_many(scene *s)
{
    cf_future *f[1];
    int args[1] = {0};
    return cf_submit_many(s->ex, task_nothing, args, sizeof args[0], 1, f);
}

/* Cancellation points. */
static const blocking ending[] = {
    {"wait_idle", call_wait_idle},
    {"wait_idle with a time limit", call_wait_idle_in_time},
    {"submit", call_submit},
    {"submit_task", call_submit_task},
    {"submit_many", call_submit_many},
    {"shutdown", call_shutdown},
};
enum { ENDING = sizeof ending / sizeof ending[0] };

static cf_err
call_wait(scene *s)
{
    return cf_future_wait(s->queued, CF_FOREVER);
}

static cf_err
call_result(scene *s)
{
    return cf_future_result(s->queued, CF_SECONDS(1000), NULL);
}

static cf_err
call_wait_all(scene *s)
{
    cf_future *both[] = {s->held, s->queued};
    return cf_wait(both, 2, CF_ALL_COMPLETED, CF_FOREVER, NULL);
}

static cf_err
call_wait_first(scene *s)
{
    cf_future *both[] = {s->held, s->queued};
    return cf_wait(both, 2, CF_FIRST_COMPLETED, CF_FOREVER, NULL);
}

static cf_err
call_as_completed(scene *s)
{
    cf_as_completed *it;
    cf_future *f;
    cf_err err = cf_as_completed_create(&s->held, 1, &it);
    if (err)
        return err;
    (void)cf_as_completed_fd(it);
    err = cf_as_completed_next(it, CF_FOREVER, &f);
    cf_as_completed_destroy(it);
    return err;
}

static cf_err
call_map_array(scene *s)
{
    int items[] = {1}, results[1];
    return cf_map_array(s->ex,
                        task_square,
                        items,
                        sizeof items[0],
                        1,
                        results,
                        sizeof results[0],
                        NULL);
}

static cf_err
call_map(scene *s)
{
    int items[] = {1, 2, 3};
    cf_results *r;
    cf_err err =
        cf_map(s->ex, task_square, items, sizeof items[0], 3, NULL, &r);
    while (!err)
        err = cf_results_next(r, CF_FOREVER, NULL);
    if (err != CF_EDONE)
        return err;
    cf_results_destroy(r, false);
    return CF_OK;
}

static cf_err
call_destroy(scene *s)
{
    cf_executor_destroy(s->ex);
    s->ex = NULL;
    return CF_OK;
}

/* No cancellation points. */
static const blocking returning[] = {
    {"wait", call_wait},
    {"result", call_result},
    {"wait for all", call_wait_all},
    {"wait for the first", call_wait_first},
    {"as_completed_next", call_as_completed},
    {"map", call_map},
    {"map_array", call_map_array},
    {"destroy", call_destroy},
};
enum { RETURNING = sizeof returning / sizeof returning[0] };

typedef struct attempt {
    const blocking *what;
    scene *s;
} attempt;

static void *
make_call(void *data)
{
    const attempt *a = data;
    scene *s = a->s;
    s->tid = (pid_t)syscall(SYS_gettid);
    if (s->pending)
        pthread_cancel(pthread_self());
    else
        gate_arrive(s->entered);
    s->err = a->what->call(s);
    s->returned = true;
    pthread_testcancel();
    return NULL;
}

static void
set_up(scene *s, bool pending)
{
    memset(s, 0, sizeof *s);
    s->pending = pending;
    s->g = gate_new();
    s->entered = gate_new();
    s->ex = test_pool((test_options){.max_workers = 1, .queue_capacity = 1});
    s->held = must_submit(s->ex, task_hold, s->g, 0);
    gate_await(s->g, 1);
    s->queued = must_submit(s->ex, task_hold, s->g, 0);
}

static pthread_t
start_call(const attempt *a)
{
    pthread_t thread;
    cr_assert(pthread_create(&thread, NULL, make_call, (void *)(uintptr_t)a) ==
              0);
    if (!a->s->pending) {
        gate_await(a->s->entered, 1);
        await_asleep(a->s->tid);
        pthread_cancel(thread);
    }
    return thread;
}

static void
try_ending(const blocking *what, bool pending)
{
    scene s;
    void *end;
    attempt a = {what, &s};
    set_up(&s, pending);
    pthread_join(start_call(&a), &end); /* the gate is closed */
    cr_assert(end == PTHREAD_CANCELED && !s.returned, "%s", what->name);
    gate_open(s.g);
    assert_ok(cf_future_wait(s.queued, CF_FOREVER));
    if (what->call != call_shutdown) {
        /* The place in the queue was not taken. */
        cf_future *f = must_submit(s.ex, task_square, &(int){3}, sizeof(int));
        cr_assert(int_result(f) == 9, "%s", what->name);
        cf_future_unref(f);
        assert_ok(cf_executor_wait_idle(s.ex, CF_FOREVER));
        cf_stats stats;
        assert_ok(cf_executor_stats(s.ex, &stats));
        cr_assert(stats.queued == 0 && stats.done == 3, "%s", what->name);
    }
    cf_executor_destroy(s.ex);
    cf_future_unref(s.held);
    cf_future_unref(s.queued);
}

static void
try_returning(const blocking *what, bool pending)
{
    scene s;
    void *end;
    attempt a = {what, &s};
    set_up(&s, pending);
    pthread_t thread = start_call(&a);
    gate_open(s.g);
    pthread_join(thread, &end);
    cr_assert(s.returned, "%s", what->name);
    cr_assert(end == PTHREAD_CANCELED, "%s", what->name);
    cr_assert(s.err == CF_OK, "%s: %s", what->name, cf_err_name(s.err));
    if (s.ex) {
        cf_future *f = must_submit(s.ex, task_square, &(int){3}, sizeof(int));
        cr_assert(int_result(f) == 9, "%s", what->name);
        cf_future_unref(f);
        cf_executor_destroy(s.ex);
    }
    cf_future_unref(s.held);
    cf_future_unref(s.queued);
}

CF_CONCURRENT_TEST(a_thread_cancelled_in_a_wait_for_the_pool_ends_there)
{
    for (int i = 0; i < 2 * ENDING; i++)
        try_ending(&ending[i / 2], i % 2);
}

CF_CONCURRENT_TEST(a_thread_cancelled_in_another_call_returns_from_it_first)
{
    for (int i = 0; i < 2 * RETURNING; i++)
        try_returning(&returning[i / 2], i % 2);
}

/* --- calls that do not wait ----------------------------------------------- */

static void *
use_everything(void *returned)
{
    cf_as_completed *it;
    cf_future *f, *waiter;
    cf_stats stats;
    pthread_cancel(pthread_self());
    cr_assert(cf_cpu_count() > 0);
    cf_executor *ex = test_executor(1);
    assert_ok(cf_submit(ex, task_square, &(int){3}, sizeof(int), &f));
    cr_assert(int_result(f) == 9);
    cr_assert(!cf_future_cancel(f));
    cf_future_unref(f);
    void *p = cf_shared_alloc(ex, 100000);
    cr_assert_not_null(p);
    cf_shared_free(ex, p);
    assert_ok(cf_executor_stats(ex, &stats));
    assert_ok(cf_executor_terminate(ex, 15));
    cf_executor_destroy(ex);
    assert_ok(cf_future_create(&f));
    assert_ok(cf_as_completed_create(&f, 1, &it));
    cr_assert(cf_as_completed_fd(it) >= 0);
    assert_ok(cf_future_set_result(f, NULL, 0));
    assert_ok(cf_as_completed_next(it, 0, &waiter));
    cf_as_completed_destroy(it);
    cf_future_unref(f);
    *(bool *)returned = true;
    pthread_testcancel();
    return NULL;
}

CF_TEST(calls_that_do_not_wait_are_no_cancellation_points)
{
    pthread_t thread;
    void *end;
    bool returned = false;
    cr_assert(pthread_create(&thread, NULL, use_everything, &returned) == 0);
    pthread_join(thread, &end);
    cr_assert(returned && end == PTHREAD_CANCELED);
}
