/* SPDX-License-Identifier: MIT */
/*
 * exit() in a task, or in a callback, that tasks on other workers wait for: the
 * program ends, with its status, and what does not wait for that task still
 * completes. One child for each way to wait.
 */
#include <cfutures/cfutures.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/program.h"
#include "tests/support/tasks.h"

enum { STATUS = 3, OTHERS = 20 };

static cf_executor *pool, *other;
static atomic_int *ran; /* shared with the child */
static gate *both;      /* the task that exits has begun, and is waited for */

static cf_future *
submit(cf_executor *ex, cf_task_fn *fn)
{
    cf_future *f = NULL;
    CHECK(cf_submit(ex, fn, NULL, 0, &f) == CF_OK);
    return f;
}

static int
say_that_it_ran(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    atomic_fetch_add(ran, 1);
    return 0;
}

/* --- tasks and callbacks that exit ---------------------------------------- */

static void
leave_some_work_and_exit(void)
{
    for (int i = 0; i < OTHERS; i++)
        CHECK(cf_submit(other, say_that_it_ran, NULL, 0, NULL) == CF_OK);
    exit(STATUS);
}

/* Waits until the gate is open: another task has begun to wait for this one. */
static int
task_exit(cf_call *call, const void *arg, size_t arg_size)
{
    task_hold(call, both, arg_size);
    (void)arg;
    leave_some_work_and_exit();
    return 0;
}

static int
exit_in_range(cf_call *call, size_t begin, size_t end, void *data)
{
    (void)call;
    (void)data;
    if (begin <= 5 && 5 < end)
        leave_some_work_and_exit();
    return 0;
}

static void
callback_exit(cf_future *f, void *data)
{
    (void)f;
    (void)data;
    leave_some_work_and_exit();
}

/* --- tasks that wait ------------------------------------------------------ */

/* Starts a task on another worker of ex. */
static cf_future *
start(cf_executor *ex, cf_task_fn *fn)
{
    cf_future *f = submit(ex, fn);
    gate_await(both, 1);
    gate_open(both);
    return f;
}

static int
wait_for(cf_call *call, cf_future *f)
{
    (void)call;
    (void)cf_future_wait(f, CF_FOREVER);
    return 0; /* with CF_ECANCELED, perhaps */
}

static int
task_wait(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    return wait_for(call, start(pool, task_exit));
}

static int
task_wait_for_first(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    cf_future *f = start(pool, task_exit);
    (void)cf_wait(&f, 1, CF_FIRST_COMPLETED, CF_FOREVER, NULL);
    return 0;
}

static int
task_iterate(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    cf_as_completed *it;
    cf_future *f = start(pool, task_exit);
    CHECK(cf_as_completed_create(&f, 1, &it) == CF_OK);
    (void)cf_as_completed_next(it, CF_FOREVER, &f);
    return 0;
}

static int
task_loop(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    (void)cf_parallel_for(
        cf_call_executor(call), 0, 100, 1, exit_in_range, NULL, NULL);
    return 0;
}

static int
task_wait_elsewhere(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    return wait_for(call, start(other, task_exit));
}

/* Waits for a task that waits. */
static int
task_wait_twice(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    return wait_for(call, submit(other, task_wait));
}

static int
task_wait_elsewhere_for_exit(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    return wait_for(call, submit(other, task_exit));
}

/* For a task that will not run: the only worker there waits. */
static int
task_wait_for_queued(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    cf_executor *one = NULL;
    CHECK(cf_executor_open("threads:1", &one) == CF_OK);
    CHECK(cf_submit(one, task_wait_elsewhere_for_exit, NULL, 0, NULL) == CF_OK);
    gate_await(both, 1);
    cf_future *f = submit(one, say_that_it_ran);
    gate_open(both);
    return wait_for(call, f);
}

static int
task_with_callback(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    task_hold(call, both, arg_size);
    return 0;
}

/* For the next task on the worker, which is in the callback. */
static int
task_wait_for_callback(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    cf_executor *one = NULL;
    CHECK(cf_executor_open("threads:1", &one) == CF_OK);
    cf_future *f = submit(one, task_with_callback);
    CHECK(cf_future_on_done(f, callback_exit, NULL) == CF_OK);
    cf_future *next = submit(one, say_that_it_ran);
    gate_await(both, 1);
    gate_open(both);
    return wait_for(call, next);
}

static int
initializer_exit(cf_call *call, void *init_data, void **worker_data)
{
    (void)call;
    (void)init_data;
    (void)worker_data;
    gate_await(both, 1); /* the first task has been submitted */
    leave_some_work_and_exit();
    return 0;
}

static int
task_wait_for_new_pool(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    cf_executor *one = NULL;
    options.max_workers = 1;
    options.initializer = initializer_exit;
    CHECK(cf_thread_pool_create(&options, &one) == CF_OK);
    cf_future *f = submit(one, say_that_it_ran);
    gate_arrive(both);
    return wait_for(call, f);
}

static int
task_shut_down(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    task_hold(call, both, arg_size);
    CHECK(cf_executor_shutdown(pool, 0, CF_FOREVER) == CF_OK);
    leave_some_work_and_exit();
    return 0;
}

/* For one that shuts the pool down itself. */
static int
task_wait_for_shutdown(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    return wait_for(call, start(pool, task_shut_down));
}

/* ------------------------------------------------------------------------ */

static void
destroy_late(void)
{
    cf_executor_destroy(pool);
}

static _Noreturn void
be_child(cf_task_fn *fn)
{
    alarm(20);
    both = gate_new();
    CHECK(atexit(destroy_late) == 0); /* after the library's */
    CHECK(cf_executor_open("threads:2", &pool) == CF_OK);
    CHECK(cf_executor_open("threads:2", &other) == CF_OK);
    cf_future *f = submit(pool, fn);
    (void)cf_future_wait(f, CF_FOREVER);
    for (;;) /* the task's exit() ends it */
        pause();
}

int
main(void)
{
    cf_task_fn *const ways[] = {task_wait,
                                task_wait_for_first,
                                task_iterate,
                                task_loop,
                                task_wait_elsewhere,
                                task_wait_twice,
                                task_wait_for_queued,
                                task_wait_for_callback,
                                task_wait_for_new_pool,
                                task_wait_for_shutdown};
    const int count = (int)(sizeof ways / sizeof *ways);
    ran = counter_new();
    for (int i = 0; i < count; i++) {
        atomic_store(ran, 0);
        pid_t child = fork_child();
        if (child == 0)
            be_child(ways[i]);
        int status = status_of(child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != STATUS ||
            atomic_load(ran) < OTHERS) {
            fprintf(stderr,
                    "way %d: status %#x, %d ran\n",
                    i,
                    (unsigned)status,
                    atomic_load(ran));
            return EXIT_FAILURE;
        }
    }
    printf("%d programs ended\n", count);
    return EXIT_SUCCESS;
}
