/* SPDX-License-Identifier: MIT */
/*
 * Pools among the program's other threads, its children and its other pools.
 */
#define _GNU_SOURCE
#include "tests/processes/processes.h"
#include "tests/support/process.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>

static void
use_a_pool(void)
{
    cf_executor *ex = pool_for(2);
    expect_works(ex);
    cf_executor_destroy(ex);
}

static atomic_bool enough;

static void *
use_libc_main(void *unused)
{
    while (!atomic_load(&enough)) {
        char *volatile p = malloc(100 + (size_t)rand() % 10000);
        snprintf(p, 100, "%d", rand());
        (void)setenv("CF_TEST", p, 1);
        free(p);
        FILE *file = fopen("/dev/null", "w");
        if (file != NULL) {
            fprintf(file, "x");
            fclose(file);
        }
    }
    return unused;
}

static int
task_uses_libc(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    for (int i = 0; i < 50; i++) {
        char *volatile p = malloc(100 + (size_t)i * 1000);
        if (p == NULL)
            return cf_fail(call, 1, "no memory");
        snprintf(p, 100, "%d", i);
        free(p);
    }
    printf("%s", "");
    return 0;
}

/* CPython: gh-90622, gh-105464: locks that other threads held at the fork */
MALLOC_TEST(a_pool_may_be_created_while_other_threads_are_in_the_c_library)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, use_libc_main, NULL);
    for (int i = 0; i < 20; i++) {
        cf_executor *ex = pool_for(2);
        cf_future *fs[4];
        for (int k = 0; k < 4; k++)
            fs[k] = must_submit(ex, task_uses_libc, NULL, 0);
        for (int k = 0; k < 4; k++)
            assert_ok(cf_future_result(fs[k], CF_FOREVER, NULL));
        unref_all(fs, 4);
        cf_executor_destroy(ex);
    }
    atomic_store(&enough, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

CF_TEST(a_child_of_the_program_does_not_keep_a_pool_alive)
{
    cf_executor *ex = pool_for(2);
    expect_workers(ex, 2);
    pid_t child = fork();
    if (child == 0) {
        for (;;)
            pause();
    }
    expect_works(ex);
    cf_executor_destroy(ex);
    process_await_found(own_prefix(), 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* The numbers of the pool's descriptors are the child's now. */
CF_TEST(a_child_that_forks_again_keeps_its_own_descriptors)
{
    cf_executor *ex = pool_for(1);
    pid_t child = fork();
    if (child == 0) {
        enum { PIPES = 4 };
        int fds[2 * PIPES], status = -1;
        alarm(30);
        for (int i = 0; i < PIPES; i++)
            if (pipe(&fds[2 * i]) != 0)
                _exit(2);
        pid_t grandchild = fork();
        for (int i = 0; grandchild == 0 && i < 2 * PIPES; i++)
            if (fcntl(fds[i], F_GETFD) < 0)
                _exit(3);
        if (grandchild == 0)
            _exit(0);
        if (waitpid(grandchild, &status, 0) != grandchild || status != 0)
            _exit(4);
        use_a_pool();
        _exit(0);
    }
    int status = -1;
    cr_assert(waitpid(child, &status, 0) == child && status == 0);
    expect_works(ex);
    cf_executor_destroy(ex);
}

/* In a callback: the child waits in vain and has nothing to do with the
 * pool. */
static void
fork_and_wait(cf_future *f, void *data)
{
    (void)f;
    pid_t child = fork();
    if (child == 0) {
        cf_future *never = NULL;
        if (cf_future_create(&never) != CF_OK)
            _exit(1);
        _exit(cf_future_wait(never, CF_MS(50)) == CF_ETIMEDOUT ? 0 : 2);
    }
    int status = -1;
    if (child > 0 && waitpid(child, &status, 0) == child && status == 0)
        gate_arrive((gate *)data);
    gate_arrive((gate *)data);
}

CF_TEST(a_child_forked_in_a_callback_leaves_the_pool_alone)
{
    cf_executor *ex = pool_for(1);
    gate *first = gate_new(), *second = gate_new(), *forked = gate_new();
    cf_future *held[2], *fs[20];
    occupy(ex, first, 1, held);
    held[1] = must_submit(ex, task_hold, second, 0);
    submit_squares(ex, fs, 20);
    assert_ok(cf_future_on_done(held[0], fork_and_wait, forked));
    gate_open(first);
    gate_await(second, 1);
    gate_await(forked, 1);
    gate_open(second);
    expect_squares(fs, 20);
    unref_all(held, 2);
    cf_executor_destroy(ex);
    cr_assert(gate_arrived(forked) == 2, "the child's end was not good");
}

/* It may use them for standard files of its own at any time. */
CF_TEST(a_pool_does_not_take_the_numbers_of_standard_descriptors)
{
    pid_t child = fork();
    if (child == 0) {
        cf_executor *ex = NULL;
        cf_process_pool_options opts = options_for(1);
        alarm(30);
        for (int fd = 0; fd <= 2; fd++)
            close(fd);
        if (cf_process_pool_create(&opts, &ex) != CF_OK)
            _exit(1);
        for (int fd = 0; fd <= 2; fd++)
            if (fcntl(fd, F_GETFD) >= 0)
                _exit(2);
        expect_works(ex);
        cf_executor_destroy(ex);
        _exit(0);
    }
    int status = -1;
    cr_assert(waitpid(child, &status, 0) == child && status == 0);
}

/* The pool's own thread has begun: AddressSanitizer allocates in a thread's
 * beginning, and a child forked at that moment never gets its lock. */
static void
await_manager(cf_executor *ex)
{
    gate *g = gate_new(), *called = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    gate_open(called);
    assert_ok(cf_future_on_done(held, hold_done, called));
    gate_open(g);
    gate_await(called, 1);
    cf_future_unref(held);
}

CF_TEST(a_child_may_make_and_use_pools_while_its_parent_does)
{
    cf_executor *ex = pool_for(2);
    await_manager(ex);
    cf_future *fs[50];
    submit_squares(ex, fs, 50);
    pid_t child = fork();
    if (child == 0) {
        alarm(30);
        for (int i = 0; i < 3; i++)
            use_a_pool();
        _exit(0);
    }
    for (int i = 0; i < 3; i++)
        use_a_pool();
    int status = -1;
    cr_assert(waitpid(child, &status, 0) == child && status == 0);
    expect_squares(fs, 50);
    cf_executor_destroy(ex);
}

/* Pools are created one after the other: each zygote is a fork of a program
 * that already has pools. */
CF_TEST(the_end_of_one_pool_does_not_depend_on_a_later_one)
{
    cf_executor *a = pool_for(1);
    expect_works(a);
    cf_executor *b = pool_for(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(b, g, 1, &held);
    cf_executor_destroy(a);
    process_await_found(own_prefix(), 2); /* b's worker and zygote */
    gate_open(g);
    assert_ok(cf_future_result(held, CF_FOREVER, NULL));
    cf_future_unref(held);
    cf_executor_destroy(b);
}

CF_TEST(worker_processes_are_called_after_the_pool)
{
    cf_process_pool_options opts = options_for(2);
    char prefix[32];
    char name[16];
    snprintf(prefix, sizeof prefix, "%s-quite-long", own_prefix());
    snprintf(name, sizeof name, "%.13s_", prefix);
    opts.name_prefix = prefix;
    cf_executor *ex = pool_of(&opts);
    prefix[0] = '#'; /* it has been copied */
    gate *g = gate_new();
    cf_future *held[2];
    occupy(ex, g, 2, held);
    cr_assert(process_find(name, NULL, 0) == 3, "with the zygote");
    for (int i = 0; i < 2; i++) {
        name[14] = (char)('0' + i);
        cr_assert(process_find(name, NULL, 0) == 1, "%s", name);
    }
    gate_open(g);
    unref_all(held, 2);
    cf_executor_destroy(ex);
}

/* Goes to each processor that it may use, and asks where it is. */
static int
task_travels(cf_call *call, const void *arg, size_t arg_size)
{
    cpu_set_t allowed, one;
    (void)call;
    (void)arg;
    (void)arg_size;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return 1;
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed))
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        if (sched_setaffinity(0, sizeof one, &one) != 0 ||
            sched_getcpu() != (int)cpu)
            return 2;
    }
    return 0;
}

CF_TEST(a_task_is_told_on_which_processor_it_runs)
{
    cf_executor *ex = pool_for(1);
    cf_future *f = must_submit(ex, task_travels, NULL, 0);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(the_thread_of_a_pool_has_a_name_of_its_own)
{
    cf_executor *ex = pool_for(1);
    expect_works(ex);
    process_await_thread("cf_manager");
    cf_executor_destroy(ex);
}
