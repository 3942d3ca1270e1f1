/* SPDX-License-Identifier: MIT */
/*
 * A task that crashes says where: its name, the address, and what that is if
 * the library can tell.
 */
#define _GNU_SOURCE
#include "tests/processes/processes.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* Writes to the address that is its argument. */
static int
task_write_to(cf_call *call, const void *arg, size_t arg_size)
{
    volatile char *to;
    (void)call;
    (void)arg_size;
    memcpy(&to, arg, sizeof to);
    *to = 1;
    return 0;
}

/* Writes to its own argument, wherever that is. */
static int
task_write_to_argument(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    *(volatile char *)(uintptr_t)arg = 1;
    return 0;
}

static cf_future *
submit_named(cf_executor *ex,
             const char *name,
             cf_task_fn *fn,
             const void *arg,
             size_t arg_size)
{
    cf_task task = CF_TASK_INIT;
    cf_future *f = NULL;
    task.fn = fn;
    task.arg = arg;
    task.arg_size = arg_size;
    task.name = name;
    assert_ok(cf_submit_task(ex, &task, &f));
    return f;
}

/* f's task, called "decode", has crashed by a SIGSEGV. Returns the error. */
static const cf_error *
expect_crash(cf_future *f, const char *words)
{
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EWORKERDIED);
    const cf_error *error = cf_future_error(f);
    cr_assert(error->signal == SIGSEGV, "signal %d", error->signal);
    cr_assert(error->name && !strcmp(error->name, "decode"));
    cr_assert(strstr(error->message, "in task 'decode'"), "%s", error->message);
    cr_assert(strstr(error->message, words), "%s", error->message);
    return error;
}

static void
expect_crash_at(cf_executor *ex, void *address, const char *words)
{
    cf_future *f =
        submit_named(ex, "decode", task_write_to, &address, sizeof address);
    const cf_error *error = expect_crash(f, words);
    cr_assert(error->address == address, "%p", error->address);
    cf_future_unref(f);
}

CF_TEST(a_crash_says_its_address)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *none =
        mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(none != MAP_FAILED);
    cf_executor *ex = pool_for(1);
    char text[32];
    snprintf(text, sizeof text, "0x%llx", (unsigned long long)(uintptr_t)none);
    expect_crash_at(ex, none, text);
    /* no program has memory there */
    expect_crash_at(
        ex, (void *)(8 * page), ", SIGSEGV in task 'decode', at address 0x");
    expect_crash_at(ex, (void *)8, ": a null pointer");
    cf_executor_destroy(ex);
}

CF_TEST(a_crash_outside_of_the_snapshot_says_so)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    cf_executor *ex = pool_for(1);
    /* where the worker has nothing: the program had nothing there either */
    char *later = mmap(NULL,
                       1024 * page,
                       PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS,
                       -1,
                       0);
    cr_assert(later != MAP_FAILED);
    expect_crash_at(
        ex, later + 512 * page, "did not when the pool was created");
    cf_executor_destroy(ex);
}

CF_TEST(a_task_that_changes_its_argument_is_told_that_it_cannot)
{
    static const char large[5000];
    cf_executor *ex = pool_for(1);
    const size_t sizes[] = {8, sizeof large};
    for (int i = 0; i < 2; i++) {
        cf_future *f =
            submit_named(ex, "decode", task_write_to_argument, large, sizes[i]);
        const cf_error *error = expect_crash(f, "argument can only be read");
        cr_assert(error->address != NULL);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

/* Deeper than any stack, but not without an end. */
static int
recurse(volatile char *above, int depth)
{
    volatile char here[4096];
    here[0] = above[0];
    return depth == 0 ? 0 : recurse(here, depth - 1) + here[0];
}

static int
task_overflow(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    return recurse((volatile char[]){1}, INT_MAX);
}

CF_TEST(a_stack_that_overflows_is_called_so)
{
    cf_executor *ex = pool_for(1);
    for (int i = 0; i < 2; i++) {
        cf_future *f = submit_named(ex, "decode", task_overflow, NULL, 0);
        (void)expect_crash(f, ": its stack has overflowed");
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

static int
task_send_itself(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    return raise(SIGSEGV);
}

CF_TEST(a_signal_that_was_sent_has_no_address)
{
    cf_executor *ex = pool_for(1);
    cf_future *f = submit_named(ex, "decode", task_send_itself, NULL, 0);
    const cf_error *error = expect_crash(f, "signal 11, SIGSEGV");
    cr_assert(error->address == NULL);
    cr_assert_null(strstr(error->message, "address"));
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* A child of the task crashes; then the task is killed in another way. */
static int
task_with_child(cf_call *call, const void *arg, size_t arg_size)
{
    int status;
    (void)arg_size;
    pid_t child = fork();
    if (child == 0)
        (void)task_write_to(call, arg, arg_size);
    if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status) ||
        WTERMSIG(status) != SIGSEGV)
        return cf_fail(call, status, "the child ended by status %d", status);
    return raise(SIGSEGV);
}

CF_TEST(a_child_of_a_task_does_not_speak_for_it)
{
    cf_executor *ex = pool_for(1);
    void *address = (void *)64;
    cf_future *f =
        submit_named(ex, "decode", task_with_child, &address, sizeof address);
    const cf_error *error = expect_crash(f, "signal 11, SIGSEGV");
    cr_assert(error->address == NULL);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* The pool goes on, and what a former worker noted is not told of a later
 * one. */
CF_TEST(each_worker_speaks_for_itself)
{
    cf_executor *ex = pool_for(1);
    for (int i = 0; i < 3; i++) {
        expect_crash_at(ex, (void *)(uintptr_t)(64 + i), ": a null pointer");
        cf_future *f = submit_named(ex, "decode", task_send_itself, NULL, 0);
        cr_assert(expect_crash(f, "SIGSEGV")->address == NULL);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}
