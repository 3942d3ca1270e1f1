/* SPDX-License-Identifier: MIT */
/*
 * Tasks and callbacks that fork: tasks and callbacks behind them run in the
 * parent only.
 */
#define _GNU_SOURCE
#include "tests/conformance/children.h"

#include <sys/mman.h>

/* Forks in a task; the child uses what it has, and leaves by _exit(). */
static int
task_forks(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    cf_executor *ex = cf_call_executor(call);
    pid_t child = fork();
    if (child == 0) {
        alarm(30);
        child_check(cf_submit(ex, task_nothing, NULL, 0, NULL) == CF_EFORKED);
        cf_executor_destroy(ex);
        _exit(0);
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return cf_fail(call, 1, "no child");
    return cf_return(call, &status, sizeof status) != CF_OK;
}

/* What a task or a callback that forks, and those behind it, leave behind: in
 * memory that its child shares. */
typedef struct traces {
    pid_t child;
    atomic_int runs, calls;
} traces;

/* Forks in the first run, and returns in both processes. */
static void
fork_once(traces *t)
{
    if (atomic_fetch_add(&t->runs, 1) == 0) {
        pid_t child = fork();
        if (child)
            t->child = child;
        else
            alarm(30);
    }
}

static int
task_forks_and_returns(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    fork_once(*(traces *const *)arg);
    return 0;
}

static traces *
traces_new(void)
{
    traces *t = mmap(NULL,
                     sizeof *t,
                     PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS,
                     -1,
                     0);
    cr_assert(t != MAP_FAILED);
    return t;
}

#if CF_SHARES_MEMORY
static void
callback_forks(cf_future *f, void *data)
{
    (void)f;
    fork_once(data);
}

static void
callback_counts(cf_future *f, void *data)
{
    (void)f;
    atomic_fetch_add(&((traces *)data)->calls, 1);
}

/* On a worker thread: the child ends when the task returns in it. */
CF_TEST(callbacks_of_a_task_that_forks_run_in_the_parent_only)
{
    for (int in_callback = 0; in_callback < 2; in_callback++) {
        traces *t = traces_new();
        cf_executor *ex = test_executor(1);
        gate *g = gate_new();
        cf_future *held[1];
        occupy(ex, g, 1, held);
        cf_future *f =
            in_callback ? must_submit(ex, task_nothing, NULL, 0)
                        : must_submit(ex, task_forks_and_returns, &t, sizeof t);
        if (in_callback)
            assert_ok(cf_future_on_done(f, callback_forks, t));
        assert_ok(cf_future_on_done(f, callback_counts, t));
        gate_open(g);
        cf_executor_destroy(ex); /* callbacks included */
        expect_clean_exit(t->child);
        cr_assert(t->calls == 1, "%d", t->calls);
        cf_future_unref(f);
        cf_future_unref(held[0]);
        munmap(t, sizeof *t);
    }
}
#endif

CF_TEST(tasks_behind_one_that_forks_in_a_submit_run_in_the_parent_only)
{
    enum { TASKS = 5 };
    traces *t = traces_new();
    traces *args[TASKS];
    for (int i = 0; i < TASKS; i++)
        args[i] = t;
    cf_executor *ex;
    assert_ok(cf_inline_create(&ex));
    pid_t self = getpid();
    assert_ok(cf_submit_many(
        ex, task_forks_and_returns, args, sizeof args[0], TASKS, NULL));
    if (getpid() != self)
        _exit(0);
    expect_clean_exit(t->child);
    cr_assert(t->runs == TASKS, "%d", t->runs);
    cf_executor_destroy(ex);
    munmap(t, sizeof *t);
}

/* CPython: test_thread_pool.test_process_fork_from_a_threadpool (3.15) */
CF_TEST(a_task_may_fork)
{
    cf_executor *ex = test_executor(2);
    cf_future *fs[20];
    for (int i = 0; i < 20; i++)
        fs[i] = must_submit(ex, task_forks, NULL, 0);
    for (int i = 0; i < 20; i++)
        cr_assert(int_result(fs[i]) == 0, "status %d", int_result(fs[i]));
    unref_all(fs, 20);
    cf_executor_destroy(ex);
}
