/* SPDX-License-Identifier: MIT */
/*
 * How much memory tasks and futures take: tasks that will never run keep none
 * for long, and the memory of a burst goes back to the system.
 */
#include "tests/conformance/conformance.h"

#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What is freed stays with AddressSanitizer for a while. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define FREE_KEEPS
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define FREE_KEEPS
#endif

/* A thread that gives memory back passes this gate, if there is one. */
static _Atomic(gate *) way_back;

/* In front of the C library's. */
int
madvise(void *start, size_t size, int advice)
{
    gate *g = atomic_load(&way_back);
    if (g && advice == MADV_DONTNEED)
        gate_pass(g);
    return (int)syscall(SYS_madvise, start, size, advice);
}

/* Kilobytes of memory that the program has. */
static long
resident(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    cr_assert_not_null(f);
    cr_assert(fscanf(f, "%*d %ld", &pages) == 1);
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Behind a busy worker, count times: some are submitted, and cancelled. */
static void
check_memory_of_cancelled(int some, int priority, size_t capacity)
{
    enum { TASKS = 200000, MOST = 1000 };
    gate *g = gate_new();
    cf_future *held;
    cf_executor *ex =
        test_pool((test_options){.max_workers = 1,
                                 .queue_capacity = capacity,
                                 .queue_policy = CF_QUEUE_REJECT});
    occupy(ex, g, 1, &held);
    cf_future *fs[MOST];
    cf_task task = CF_TASK_INIT;
    task.fn = task_nothing;
    task.priority = priority;
    long most_kib = TASKS / 8 / 3; /* a third of the futures' */
#ifdef FREE_KEEPS
    most_kib *= 2; /* blocks of the inbox */
#endif
    long before = resident();
    for (int i = 0; i < TASKS; i += some) {
        if (some > 1)
            assert_ok(
                cf_submit_many(ex, task_nothing, NULL, 0, (size_t)some, fs));
        else
            assert_ok(cf_submit_task(ex, &task, fs));
        for (int k = 0; k < some; k++)
            cr_assert(cf_future_cancel(fs[k]));
        unref_all(fs, (size_t)some);
    }
    long grown = resident() - before;
    cr_assert(grown < most_kib, "%ld KiB", grown);
    gate_open(g);
    cf_executor_destroy(ex);
    cf_future_unref(held);
}

CF_TEST(what_is_cancelled_leaves_the_queue)
{
    check_memory_of_cancelled(1, 0, 4);
    check_memory_of_cancelled(1, 0, 0);
#ifndef FREE_KEEPS /* a task with a priority has a malloc'ed part */
    check_memory_of_cancelled(1, 5, 4);
#endif
    check_memory_of_cancelled(1000, 0, 1000);
}

/* Submits and cancels for a long time; waits in the wrong order for others. */
static int
task_cancels_its_own(cf_call *call, const void *arg, size_t arg_size)
{
    enum { TASKS = 200000 };
    cf_executor *ex = cf_call_executor(call);
    (void)arg;
    (void)arg_size;
    long before = resident();
    for (int i = 0; i < TASKS; i += 2) {
        cf_future *fs[2];
        for (int k = 0; k < 2; k++)
            if (cf_submit(ex, task_nothing, NULL, 0, &fs[k]))
                return 1;
        if (i % 4 == 0 &&
            (!cf_future_cancel(fs[0]) || !cf_future_cancel(fs[1])))
            return 2;
        for (int k = 0; k < 2; k++) {
            if (i % 4 != 0 && cf_future_wait(fs[k], CF_FOREVER))
                return 3;
            cf_future_unref(fs[k]);
        }
    }
    int grown = (int)(resident() - before);
    return cf_return(call, &grown, sizeof grown) != CF_OK;
}

CF_THREAD_TEST(what_a_task_cancels_or_has_run_leaves_its_worker)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_cancels_its_own, NULL, 0);
    int grown = int_result(f);
    cr_assert(grown < 8000, "%d KiB", grown);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* Keeps many tasks pending in its worker, and replaces one at a time. */
static int
task_replaces_one_by_one(cf_call *call, const void *arg, size_t arg_size)
{
    enum { TASKS = 65536, REPLACED = 500 };
    static cf_future *fs[TASKS];
    cf_executor *ex = cf_call_executor(call);
    (void)arg;
    (void)arg_size;
    for (int i = 0; i < TASKS; i++)
        if (cf_submit(ex, task_nothing, NULL, 0, &fs[i]))
            return 1;
    long before = resident();
    for (int i = TASKS / 2; i < TASKS / 2 + REPLACED; i++) {
        if (!cf_future_cancel(fs[i]))
            return 2;
        cf_future_unref(fs[i]);
        if (cf_submit(ex, task_nothing, NULL, 0, &fs[i]))
            return 3;
    }
    int grown = (int)(resident() - before);
    unref_all(fs, TASKS);
    return cf_return(call, &grown, sizeof grown) != CF_OK;
}

CF_THREAD_TEST(replacing_one_of_many_pending_tasks_takes_no_memory)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_replaces_one_by_one, NULL, 0);
    int grown = int_result(f);
    cr_assert(grown < 8000, "%d KiB", grown);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

#ifndef FREE_KEEPS
enum { BURST = 300000 }; /* 37 MiB of futures */

static void
run_burst(cf_executor *ex, cf_future **fs)
{
    for (int i = 0; i < BURST; i++)
        fs[i] = must_submit(ex, task_nothing, NULL, 0);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
}

CF_THREAD_TEST(memory_of_a_burst_goes_back_when_the_pool_is_idle_or_gone)
{
    static cf_future *fs[BURST];
    memset(fs, 1, sizeof fs);
    cf_executor *ex = test_executor(2);
    long before = resident() / 1024;
    for (int round = 0; round < 2; round++) {
        run_burst(ex, fs);
        cr_assert(resident() / 1024 - before >= 30);
        unref_all(fs, BURST); /* all workers sleep, or are about to */
        while (resident() / 1024 - before > 20)
            sched_yield();
    }
    run_burst(ex, fs);
    unref_all(fs, BURST);
    cf_executor_destroy(ex);
    long left = resident() / 1024 - before;
    cr_assert(left <= 20, "%ld MiB", left);
}
#endif

/* The program has 24 MiB of futures that are free. */
static void
free_many(void)
{
    enum { MANY = 200000 };
    static cf_future *fs[MANY];
    for (int i = 0; i < MANY; i++) {
        assert_ok(cf_future_create(&fs[i]));
        assert_ok(cf_future_set_result(fs[i], NULL, 0));
    }
    unref_all(fs, MANY);
}

CF_WORKERS_TEST(CF_THREAD_TEST,
                a_worker_that_gives_memory_back_lets_others_run_what_comes)
{
    cf_executor *ex = test_executor(2);
    gate *g = gate_new();
    free_many();
    atomic_store(&way_back, g);
    cf_future *first = must_submit(ex, task_square, &(int){3}, sizeof(int));
    cr_assert(int_result(first) == 9);
    gate_await(g, 1);
    assert_ok(cf_executor_wait_idle(ex, 0)); /* it has no task */
    cf_future *second = must_submit(ex, task_square, &(int){4}, sizeof(int));
    cr_assert(int_result(second) == 16);
    gate_open(g);
    cf_executor_destroy(ex);
    cf_future_unref(first);
    cf_future_unref(second);
}
