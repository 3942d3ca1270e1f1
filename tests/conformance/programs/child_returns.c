/* SPDX-License-Identifier: MIT */
/*
 * A task or a callback forks, and its child returns from it too. Where the
 * thread is one of the library's, the child ends there, with all its exit
 * handlers; in a wait of the program it goes on, and is told. It never hangs,
 * and runs nothing of what the parent has queued.
 */
#include <cfutures/cfutures.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/no_leak_search.h"
#include "tests/support/program.h"
#include "tests/support/tasks.h"

static const char *spec;
static pid_t program;
static atomic_int *forked, *ended, *twice; /* shared with the children */

static bool
is_child(void)
{
    return getpid() != program;
}

/* Returns in both processes; in the program, when the child has ended. */
static void
fork_and_return(void)
{
    pid_t child = fork_child();
    if (child == 0) {
        alarm(20);
        return;
    }
    atomic_fetch_add(forked, 1);
    expect_success(child);
}

/* Exit handlers run in a child that ends. */
static void
count_end(void)
{
    if (is_child())
        atomic_fetch_add(ended, 1);
}

static cf_executor *
open_pool(int workers)
{
    char text[32];
    cf_executor *ex = NULL;
    snprintf(text, sizeof text, "%s:%d", spec, workers);
    CHECK(cf_executor_open(text, &ex) == CF_OK);
    return ex;
}

static cf_future *
submit(cf_executor *ex, cf_task_fn *fn, const void *arg)
{
    cf_future *f = NULL;
    CHECK(cf_submit(ex, fn, arg, 0, &f) == CF_OK);
    return f;
}

/* Must run in the program only, once for each submit. */
static int
task_once(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    if (is_child() && strcmp(spec, "threads") == 0)
        atomic_fetch_add(twice, 1);
    return 0;
}

static void
callback_fork(cf_future *f, void *data)
{
    (void)f;
    (void)data;
    fork_and_return();
}

/* --- in tasks ------------------------------------------------------------ */

static int
task_fork(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    fork_and_return();
    return 0;
}

/* Runs task_fork on its own stack, and waits for it and others. */
static int
task_wait_for_forks(cf_call *call, const void *arg, size_t arg_size)
{
    enum { COUNT = 4 };
    (void)arg;
    (void)arg_size;
    cf_executor *ex = cf_call_executor(call);
    cf_future *fs[COUNT];
    for (int i = 0; i < COUNT; i++)
        fs[i] = submit(ex, i % 2 ? task_once : task_fork, NULL);
    cf_as_completed *it = NULL;
    CHECK(cf_as_completed_create(fs, COUNT, &it) == CF_OK);
    cf_future *f = NULL;
    cf_err err;
    do {
        err = cf_as_completed_next(it, CF_FOREVER, &f);
    } while (err == CF_OK);
    CHECK(err == (is_child() ? CF_EFORKED : CF_EDONE));
    if (is_child())
        return 0;
    cf_as_completed_destroy(it);
    for (int i = 0; i < COUNT; i++)
        cf_future_unref(fs[i]);

    cf_future *forks = submit(ex, task_fork, NULL);
    cf_future *once = submit(ex, task_once, NULL);
    CHECK(cf_future_wait(forks, CF_FOREVER) == CF_OK);
    CHECK(cf_future_wait(once, CF_FOREVER) ==
          (is_child() ? CF_EFORKED : CF_OK));
    cf_future_unref(forks);
    cf_future_unref(once);
    return 0;
}

static void
in_tasks(void)
{
    cf_executor *ex = open_pool(1);
    cf_future *fs[] = {submit(ex, task_fork, NULL),
                       submit(ex, task_wait_for_forks, NULL),
                       submit(ex, task_once, NULL)};
    for (int i = 0; i < 3; i++) {
        CHECK(cf_future_wait(fs[i], CF_FOREVER) == CF_OK);
        cf_future_unref(fs[i]);
    }
    cf_executor_destroy(ex);
}

static int
initializer_fork(cf_call *call, void *init_data, void **worker_data)
{
    (void)call;
    (void)init_data;
    (void)worker_data;
    fork_and_return();
    return 0;
}

static void
finalizer_fork(void *init_data, void *worker_data)
{
    (void)init_data;
    (void)worker_data;
    if (!is_child())
        fork_and_return();
    else
        atomic_fetch_add(twice, 1);
}

static void
around_tasks(void)
{
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    cf_executor *ex = NULL;
    options.max_workers = 1;
    options.initializer = initializer_fork;
    options.finalizer = finalizer_fork;
    CHECK(cf_thread_pool_create(&options, &ex) == CF_OK);
    cf_future *f = submit(ex, task_once, NULL);
    CHECK(cf_future_wait(f, CF_FOREVER) == CF_OK);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* --- in callbacks -------------------------------------------------------- */

/* In the thread that completes: a worker, or the pool's manager. */
static void
in_callbacks(void)
{
    gate *g = gate_new();
    cf_executor *ex = open_pool(1);
    cf_future *f = submit(ex, task_hold, g);
    CHECK(cf_future_on_done(f, callback_fork, NULL) == CF_OK);
    cf_future *next = submit(ex, task_once, NULL);
    gate_open(g);
    CHECK(cf_future_wait(next, CF_FOREVER) == CF_OK);
    cf_future_unref(f);
    cf_future_unref(next);
    cf_executor_destroy(ex);
}

static void
in_timer(void)
{
    cf_task task = CF_TASK_INIT;
    gate *g = gate_new();
    cf_executor *ex = open_pool(1);
    cf_future *f = NULL;
    task.fn = task_until_canceled;
    task.arg = g;
    task.timeout_ns = CF_MS(5);
    CHECK(cf_submit_task(ex, &task, &f) == CF_OK);
    CHECK(cf_future_on_done(f, callback_fork, NULL) == CF_OK);
    CHECK(cf_future_wait(f, CF_FOREVER) == CF_EDEADLINE ||
          cf_future_error(f)->kind == CF_EDEADLINE);
    cf_executor_destroy(ex);
    cf_future_unref(f);
}

static bool iterates; /* how callback_wait() waits */

static cf_err
wait_in_callback(cf_future *f)
{
    return iterates ? cf_wait(&f, 1, CF_FIRST_COMPLETED, CF_FOREVER, NULL)
                    : cf_future_wait(f, CF_FOREVER);
}

/* The callback waits for a task whose callback forks. */
static void
callback_wait(cf_future *f, void *data)
{
    (void)f;
    cf_executor *ex = data;
    cf_future *forks = submit(ex, task_once, NULL);
    cf_future *later = submit(ex, task_once, NULL);
    CHECK(cf_future_on_done(forks, callback_fork, NULL) == CF_OK);
    cf_err err = wait_in_callback(later);
    CHECK(err == CF_OK || (is_child() && err == CF_EFORKED));
    cf_future_unref(forks);
    cf_future_unref(later);
}

static void
in_nested_callbacks(void)
{
    gate *g = gate_new();
    cf_executor *ex = open_pool(2);
    cf_future *f = submit(ex, task_hold, g);
    CHECK(cf_future_on_done(f, callback_wait, ex) == CF_OK);
    gate_open(g);
    CHECK(cf_executor_wait_idle(ex, CF_FOREVER) == CF_OK);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* --- in calls of the program --------------------------------------------- */

static void
in_shutdown(bool destroys)
{
    gate *g = gate_new();
    cf_executor *ex = open_pool(1);
    cf_future *held = submit(ex, task_hold, g);
    gate_await(g, 1);
    cf_future *f = submit(ex, task_once, NULL);
    cf_future *next = submit(ex, task_once, NULL);
    CHECK(cf_future_on_done(f, callback_fork, NULL) == CF_OK);
    cf_err err = cf_executor_shutdown(ex, CF_SHUTDOWN_CANCEL, 0);
    if (is_child()) {
        CHECK(err == CF_EFORKED);
        if (destroys)
            cf_executor_destroy(ex);
        exit(0);
    }
    CHECK(err == CF_ETIMEDOUT);
    gate_open(g);
    cf_executor_destroy(ex);
    cf_future_unref(held);
    cf_future_unref(f);
    cf_future_unref(next);
}

static void
in_terminate(void)
{
    gate *g = gate_new();
    cf_executor *ex = open_pool(1);
    cf_future *held = submit(ex, task_until_canceled, g);
    gate_await(g, 1);
    cf_future *f = submit(ex, task_once, NULL);
    CHECK(cf_future_on_done(f, callback_fork, NULL) == CF_OK);
    (void)cf_executor_terminate(ex, 15);
    if (is_child())
        exit(0);
    cf_executor_destroy(ex);
    cf_future_unref(held);
    cf_future_unref(f);
}

int
main(int argc, char **argv)
{
    CHECK(argc == 2);
    spec = argv[1];
    program = getpid();
    forked = counter_new();
    ended = counter_new();
    twice = counter_new();
    CHECK(atexit(count_end) == 0);
    alarm(60);
    if (strcmp(spec, "threads") == 0) {
        in_tasks();
        around_tasks();
    }
    in_callbacks();
    in_timer();
    in_nested_callbacks();
    iterates = true;
    in_nested_callbacks();
    in_shutdown(false);
    in_shutdown(true);
    in_terminate();
    CHECK(atomic_load(twice) == 0);
    CHECK(atomic_load(ended) == atomic_load(forked));
    puts("all children ended");
    return EXIT_SUCCESS;
}
