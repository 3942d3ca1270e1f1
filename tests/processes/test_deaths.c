/* SPDX-License-Identifier: MIT */
/*
 * Every way in which a task can take its process with it: its future says how,
 * no other task notices, and another worker takes the place.
 */
#define _GNU_SOURCE
#include "tests/processes/processes.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

enum { BEFORE = 20, BEHIND = 30, WORKERS = 2 };

/* The future has failed by the death of the process in the trace. */
static void
expect_death(cf_future *f, const trace *t, int signo, int exit_status)
{
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EWORKERDIED);
    assert_state(f, CF_FINISHED);
    const cf_error *error = cf_future_error(f);
    cr_assert_not_null(error);
    cr_assert(error->kind == CF_EWORKERDIED);
    cr_assert(error->signal == signo, "signal %d", error->signal);
    cr_assert(
        error->exit_status == exit_status, "status %d", error->exit_status);
    cr_assert(error->pid == t->pid, "%d, not %d", (int)error->pid, t->pid);
    cr_assert(error->worker >= 0 && error->worker < WORKERS);
    cr_assert(error->code == 0 && error->message[0] != '\0');
    cr_assert(t->starts == 1, "%d starts", t->starts);
    cr_assert_not(process_lives(t->pid));
}

/* Runs a deadly task, which gets a trace, among others. */
static void
expect_deadly(cf_task_fn *fn, int signo, int exit_status)
{
    cf_executor *ex = pool_for(WORKERS);
    cf_future *before[BEFORE];
    cf_future *behind[BEHIND];
    submit_squares(ex, before, BEFORE);
    trace *t = trace_new();
    cf_future *f = must_submit(ex, fn, t, 0);
    submit_squares(ex, behind, BEHIND);
    expect_death(f, t, signo, exit_status);
    expect_squares(before, BEFORE);
    expect_squares(behind, BEHIND);
    expect_workers(ex, WORKERS);
    cf_stats stats = stats_of(ex);
    cr_assert(stats.restarts == 1, "%d restarts", (int)stats.restarts);
    cr_assert(stats.failed == 1, "%d failed", (int)stats.failed);
    cr_assert(stats.workers == WORKERS);
    cf_future_unref(f);
    cf_executor_destroy(ex);
    cr_assert(t->starts == 1, "never again");
}

#define DEADLY_TASK(name, ...)                                                 \
    static int name(cf_call *call, const void *arg, size_t arg_size)           \
    {                                                                          \
        (void)call;                                                            \
        (void)arg_size;                                                        \
        trace_start((trace *)arg);                                             \
        __VA_ARGS__;                                                           \
        return 0;                                                              \
    }

/* --- one test for each ---------------------------------------------------- */

/* Not null: the undefined behaviour sanitizer would be faster. */
static int *volatile nowhere = (int *)64;

DEADLY_TASK(task_segv, *nowhere = 1)

/* CPython: test_deadlock.test_crash_during_func_exec_on_worker */
CF_TEST(a_segmentation_fault_costs_one_task)
{
    expect_deadly(task_segv, SIGSEGV, 0);
}

DEADLY_TASK(task_kill, kill(getpid(), SIGKILL))

/* CPython: test_process_pool.test_killed_child */
CF_TEST(a_sigkill_costs_one_task)
{
    expect_deadly(task_kill, SIGKILL, 0);
}

DEADLY_TASK(task_term, kill(getpid(), SIGTERM))

CF_TEST(a_sigterm_costs_one_task)
{
    expect_deadly(task_term, SIGTERM, 0);
}

DEADLY_TASK(task_abort, abort())

CF_TEST(an_abort_costs_one_task)
{
    expect_deadly(task_abort, SIGABRT, 0);
}

DEADLY_TASK(task_exit_0, exit(0))

CF_TEST(an_exit_with_success_costs_one_task)
{
    expect_deadly(task_exit_0, 0, 0);
}

DEADLY_TASK(task_exit_3, exit(3))

/* CPython: test_deadlock.test_exit_during_func_exec_on_worker */
CF_TEST(an_exit_with_a_status_costs_one_task)
{
    expect_deadly(task_exit_3, 0, 3);
}

DEADLY_TASK(task__exit_99, _exit(99))

/* CPython: test_process_pool.test_traceback_when_child_process_terminates_
 * abruptly (3.15) */
CF_TEST(an_immediate_exit_costs_one_task)
{
    expect_deadly(task__exit_99, 0, 99);
}

/* What workers use themselves to say that they were told to end, that the
 * initializer failed, that their memory is corrupt. */
DEADLY_TASK(task_exit_113, exit(113))
DEADLY_TASK(task_exit_114, exit(114))

CF_TEST(no_exit_status_of_a_task_is_taken_for_something_else)
{
    expect_deadly(task_exit_113, 0, 113);
    expect_deadly(task_exit_114, 0, 114);
}

/* Deeper than any stack, but not without an end. */
static int
recurse(volatile char *above, int depth)
{
    volatile char here[4096];
    here[0] = above[0];
    return depth == 0 ? 0 : recurse(here, depth - 1) + here[0];
}

DEADLY_TASK(task_overflow, return recurse((volatile char[]){1}, INT_MAX))

CF_TEST(a_stack_overflow_costs_one_task)
{
    expect_deadly(task_overflow, SIGSEGV, 0);
}

DEADLY_TASK(task_pthread_exit, pthread_exit(NULL))

CF_TEST(a_pthread_exit_costs_one_task)
{
    expect_deadly(task_pthread_exit, 0, 0);
}

static void *
sleep_for_ever(void *unused)
{
    for (;;)
        pause();
    return unused;
}

/* The process lives on, without the thread that works. */
DEADLY_TASK(task_leaves_a_thread, {
    pthread_t thread;
    pthread_create(&thread, NULL, sleep_for_ever, NULL);
    pthread_exit(NULL);
})

CF_TEST(a_pthread_exit_that_leaves_threads_behind_costs_one_task)
{
    expect_deadly(task_leaves_a_thread, 0, 0);
}

/* --- deaths inside and between -------------------------------------------- */

static int
task_submits_death(cf_call *call, const void *arg, size_t arg_size)
{
    cf_future *f = NULL;
    if (cf_submit(cf_call_executor(call), task_abort, arg, arg_size, &f))
        return cf_fail(call, 1, "no submit");
    return cf_future_wait(f, CF_FOREVER) != CF_OK;
}

CF_TEST(the_death_of_a_nested_task_is_that_of_the_outer_one)
{
    expect_deadly(task_submits_death, SIGABRT, 0);
}

CF_TEST(every_task_in_a_row_may_die)
{
    enum { N = 40 };
    cf_executor *ex = pool_for(WORKERS);
    trace *traces[N];
    cf_future *fs[N];
    cf_future *squares[N];
    for (int i = 0; i < N; i++) {
        traces[i] = trace_new();
        fs[i] = must_submit(ex, task_segv, traces[i], 0);
        squares[i] = must_submit(ex, task_square, &i, sizeof i);
    }
    for (int i = 0; i < N; i++)
        expect_death(fs[i], traces[i], SIGSEGV, 0);
    unref_all(fs, N);
    expect_squares(squares, N);
    cr_assert(stats_of(ex).restarts == N);
    cf_executor_destroy(ex);
}

CF_TEST(callbacks_and_arg_free_are_called_for_a_death)
{
    cf_executor *ex = pool_for(1);
    atomic_int *calls = counter_new();
    trace *t = trace_new();
    cf_task task = CF_TASK_INIT;
    task.fn = task_abort;
    task.arg = t;
    task.arg_free = count_free;
    cf_future *f = NULL;
    assert_ok(cf_submit_task(ex, &task, &f));
    assert_ok(cf_future_on_done(f, count_done, calls));
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cr_assert(*calls == 1);
    cr_assert(t->starts == 2, "once by the task, once by arg_free");
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

static int
task_item_dies(cf_call *call, const void *arg, size_t arg_size)
{
    int n;
    memcpy(&n, arg, sizeof n);
    if (n == 13)
        abort();
    return task_square(call, arg, arg_size);
}

CF_TEST(a_death_in_a_map_costs_one_item)
{
    enum { N = 30 };
    cf_executor *ex = pool_for(WORKERS);
    int items[N];
    for (int i = 0; i < N; i++)
        items[i] = i;
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.chunk_size = 1;
    cf_results *r = NULL;
    assert_ok(cf_map(ex, task_item_dies, items, sizeof items[0], N, &opts, &r));
    for (int i = 0; i < N; i++) {
        assert_err(cf_results_next(r, CF_FOREVER, NULL),
                   i == 13 ? CF_EWORKERDIED : CF_OK);
        if (i == 13)
            cr_assert(cf_results_error(r)->signal == SIGABRT);
    }
    cf_results_destroy(r, false);
    int results[N];
    opts.size = sizeof opts;
    assert_err(cf_map_array(ex,
                            task_item_dies,
                            items,
                            sizeof items[0],
                            N,
                            results,
                            sizeof results[0],
                            &opts),
               CF_EWORKERDIED);
    expect_works(ex);
    cf_executor_destroy(ex);
}

/* It is killed from outside, while it has no task. */
CF_TEST(the_death_of_an_idle_worker_costs_nothing)
{
    cf_executor *ex = pool_for(1);
    for (int i = 1; i <= 5; i++) {
        cf_future *f = must_submit(ex, task_pid, NULL, 0);
        pid_t pid = int_result(f);
        cf_future_unref(f);
        assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
        cr_assert(kill(pid, SIGKILL) == 0);
        await_gone(pid);
        expect_works(ex);
        cf_stats stats = stats_of(ex);
        cr_assert(stats.restarts == (uint64_t)i && stats.failed == 0);
    }
    cf_executor_destroy(ex);
}
