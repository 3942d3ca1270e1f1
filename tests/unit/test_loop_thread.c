/* SPDX-License-Identifier: MIT */
/* What runs in a loop's thread ends that thread: pthread_exit(). */
#include <cfutures/event_loop.h>

#include "tests/support/no_leak_search.h" /* a child ends as it is */
#include "tests/support/tasks.h"
#include "tests/unit/loop_tasks.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

TestSuite(loop_thread, .timeout = 30);

static void
end_in_callback(uv_timer_t *timer)
{
    (void)timer;
    pthread_exit(NULL);
}

static int
end_in_task(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    pthread_exit(NULL);
}

/* Waits for the future that arg is while libuv waits for a timer, which stays
 * open. */
static int
end_soon(cf_call *call, const void *arg, size_t arg_size)
{
    static uv_timer_t timer;
    uv_loop_t *uv = cf_event_loop_uv(cf_call_executor(call));
    if (!uv || uv_timer_init(uv, &timer) ||
        uv_timer_start(&timer, end_in_callback, 1, 0))
        return cf_fail(call, 1, "no timer");
    return wait_for(call, arg, arg_size);
}

/* The loop sleeps in libuv when it ends. Its task still waits for a future,
 * which this thread completes when the loop's is gone. */
Test(loop_thread, a_callback_ends_it_during_a_sleep)
{
    cf_executor *ex;
    cf_future *go;
    assert_ok(cf_event_loop_create(NULL, &ex));
    assert_ok(cf_future_create(&go));
    cf_future *f = submit(ex, end_soon, go, 0);
    cr_assert(cf_future_wait(f, CF_FOREVER) == CF_OK);
    cr_assert(cf_future_error(f)->kind == CF_EWORKERDIED);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    assert_ok(cf_future_set_result(go, NULL, 0));
    cf_executor_destroy(ex);
    cf_future_unref(f);
    cf_future_unref(go);
}

/* The epoll set that libuv has is the parent's, too. */
static int
fork_and_sleep(cf_call *call, const void *arg, size_t arg_size)
{
    int status;
    (void)arg;
    (void)arg_size;
    uv_loop_t *uv = cf_event_loop_uv(cf_call_executor(call));
    if (!uv || cf_sleep(call, CF_MS(1)))
        return cf_fail(call, 1, "no libuv");
    pid_t child = fork();
    if (child == 0)
        pthread_exit(NULL);
    if (waitpid(child, &status, 0) != child || status != 0)
        return cf_fail(call, 2, "status %d", status);
    return (int)cf_sleep(call, CF_MS(1)); /* for ever, if the set has lost it */
}

Test(loop_thread, in_a_forks_child_the_parent_goes_on)
{
    cf_executor *ex;
    assert_ok(cf_event_loop_create(NULL, &ex));
    cf_future *f = submit(ex, fork_and_sleep, NULL, 0);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* --- inside of a program's own libuv -------------------------------------- */

struct embedded {
    cf_task_fn *task;
    void (*finalizer)(void *data, void *worker_data);
    cf_executor *ex;
    cf_future *go;
};

static void
end_in_finalizer(void *data, void *worker_data)
{
    (void)data;
    (void)worker_data;
    pthread_exit(NULL);
}

static void *
own_libuv(void *arg)
{
    static uv_loop_t uv;
    struct embedded *it = arg;
    cf_event_loop_options options = CF_EVENT_LOOP_OPTIONS_INIT;
    cr_assert(uv_loop_init(&uv) == 0);
    options.uv_loop = &uv;
    options.finalizer = it->finalizer;
    assert_ok(cf_event_loop_create(&options, &it->ex));
    assert_ok(cf_submit(it->ex, it->task, it->go, 0, NULL));
    (void)uv_run(&uv, UV_RUN_NOWAIT);
    (void)cf_executor_shutdown(it->ex, 0, CF_FOREVER);
    return it; /* it should not */
}

/* The thread ends, and so does the loop. */
static void
expect_an_end(struct embedded *it)
{
    pthread_t thread;
    void *returned;
    assert_ok(cf_future_create(&it->go));
    cr_assert(pthread_create(&thread, NULL, own_libuv, it) == 0);
    cr_assert(pthread_join(thread, &returned) == 0);
    cr_assert_null(returned);
    assert_ok(cf_executor_shutdown(it->ex, 0, CF_FOREVER));
    assert_ok(cf_future_set_result(it->go, NULL, 0)); /* a task waits for it */
    cf_executor_destroy(it->ex);
    cf_future_unref(it->go);
}

Test(loop_thread, a_finalizer_ends_it_inside_of_another_loop)
{
    expect_an_end(&(struct embedded){.task = task_nothing,
                                     .finalizer = end_in_finalizer});
}

Test(loop_thread, a_callback_ends_it_inside_of_another_loop)
{
    expect_an_end(&(struct embedded){.task = end_soon});
}

/* --- runs ----------------------------------------------------------------- */

static void *
run(void *not_null)
{
    assert_ok(cf_event_loop_run(NULL, end_in_task, NULL, 0, NULL));
    return not_null; /* it should not */
}

/* A run's first task ends it: Ctrl-C has its default action again. */
Test(loop_thread, the_end_of_a_run_gives_ctrl_c_back)
{
    pthread_t thread;
    void *returned;
    struct sigaction action;
    cr_assert(signal(SIGINT, SIG_DFL) != SIG_ERR);
    cr_assert(pthread_create(&thread, NULL, run, &action) == 0);
    cr_assert(pthread_join(thread, &returned) == 0);
    cr_assert_null(returned);
    cr_assert(sigaction(SIGINT, NULL, &action) == 0);
    cr_assert(action.sa_handler == SIG_DFL);
}
