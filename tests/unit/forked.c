/* SPDX-License-Identifier: MIT */
/*
 * What a fork's child finds out without the help of the fork handlers: that it
 * is a child, and that locks are free whose holders it does not have.
 */
#define _GNU_SOURCE /* syscall() */
#include "lib/base/lock.h"
#include "lib/future/future.h"

#include <cfutures/cfutures.h>

#include "tests/support/program.h"
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

enum { SKIPPED = 77 };

static sem_t begun, go_on;
static struct cf__lock a_lock;

static int
hold(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    cf__lock(&a_lock);
    sem_post(&begun);
    sem_wait(&go_on);
    cf__unlock(&a_lock);
    return 0;
}

static int
nothing(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    return 0;
}

static pid_t
fork_without_handlers(void)
{
    return (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static cf_future *awaited;

static int
wait_for_awaited(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    sem_post(&begun);
    return cf_future_wait(awaited, CF_FOREVER) != CF_OK;
}

/* A child that had no handler drops a future. A worker of the parent waits for
 * it; here the only handle is the child's. */
static void
check_a_drop_of_what_the_parent_awaits(cf_executor *ex)
{
    cf_future *f = NULL;
    CHECK(cf_future_create(&awaited) == CF_OK);
    CHECK(cf_submit(ex, wait_for_awaited, NULL, 0, &f) == CF_OK);
    sem_wait(&begun);
    while (!(cf_load_relaxed(&awaited->word) & CF__WAITERS))
        sched_yield();
    pid_t child = fork_without_handlers();
    if (child == 0) {
        cf_future_unref(awaited);
        _exit(0);
    }
    expect_success(child);
    CHECK(cf_future_set_result(awaited, NULL, 0) == CF_OK);
    CHECK(cf_future_result(f, CF_FOREVER, NULL) == CF_OK);
    cf_future_unref(f);
    cf_future_unref(awaited);
}

static _Atomic int *runs; /* shared with all children */

static int
count_run(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    (*runs)++;
    return 0;
}

static int
come_back_twice(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    sem_wait(&begun);
    pid_t child = fork_without_handlers();
    if (child == 0)
        alarm(20);
    else
        expect_success(child);
    return 0;
}

/* A child that had no handler returns from its task, into the worker's loop.
 * What is queued is the parent's. */
static void
check_a_return_from_a_task(void)
{
    enum { QUEUED = 10 };
    cf_executor *ex = NULL;
    cf_thread_pool_options one = CF_THREAD_POOL_OPTIONS_INIT;
    one.max_workers = 1;
    runs = mmap(NULL,
                sizeof *runs,
                PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS,
                -1,
                0);
    CHECK(runs != MAP_FAILED);
    CHECK(cf_thread_pool_create(&one, &ex) == CF_OK);
    /* The worker's cache of blocks is warm: to free one takes no slow way. */
    for (int i = 0; i < 500; i++)
        CHECK(cf_submit(ex, nothing, NULL, 0, NULL) == CF_OK);
    CHECK(cf_executor_wait_idle(ex, CF_FOREVER) == CF_OK);
    CHECK(cf_submit(ex, come_back_twice, NULL, 0, NULL) == CF_OK);
    for (int i = 0; i < QUEUED; i++)
        CHECK(cf_submit(ex, count_run, NULL, 0, NULL) == CF_OK);
    sem_post(&begun);
    CHECK(cf_executor_shutdown(ex, 0, CF_FOREVER) == CF_OK);
    CHECK(*runs == QUEUED);
    cf_executor_destroy(ex);
}

/* A child that had no handler: a submit may be accepted, but nothing hangs. */
static _Noreturn void
submit_first(cf_executor *ex)
{
    cf_future *f = NULL;
    alarm(20);
    cf_err err = cf_submit(ex, nothing, NULL, 0, &f);
    CHECK(err == CF_EFORKED ||
          (err == CF_OK && cf_future_wait(f, CF_FOREVER) == CF_EFORKED));
    CHECK(cf_submit(ex, nothing, NULL, 0, &f) == CF_EFORKED);
    _exit(0);
}

static _Noreturn void
be_child(cf_executor *ex, cf_future *held)
{
    cf_stats stats;
    cf_future *f = NULL;
    alarm(20);
    /* The first call that notices is the wait for a lock. */
    cf__lock(&a_lock);
    cf__unlock(&a_lock);
    CHECK(cf_future_wait(held, CF_FOREVER) == CF_EFORKED);
    CHECK(cf_executor_stats(ex, &stats) == CF_EFORKED);
    CHECK(cf_submit(ex, nothing, NULL, 0, &f) == CF_EFORKED);
    CHECK(cf_future_create(&f) == CF_OK);
    CHECK(cf_future_set_result(f, NULL, 0) == CF_OK);
    cf_future_unref(f);
    cf_executor_destroy(ex);
    CHECK(cf_inline_create(&ex) == CF_OK);
    CHECK(cf_submit(ex, nothing, NULL, 0, &f) == CF_OK);
    cf_future_unref(f);
    cf_executor_destroy(ex);
    _exit(0);
}

static bool
kernel_wipes(void)
{
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page != MAP_FAILED && madvise(page, size, MADV_WIPEONFORK) == 0;
}

int
main(void)
{
    cf_executor *ex = NULL;
    cf_future *held = NULL;
    sem_init(&begun, 0, 0);
    sem_init(&go_on, 0, 0);
    CHECK(cf_thread_pool_create(NULL, &ex) == CF_OK);
    CHECK(cf_submit(ex, hold, NULL, 0, &held) == CF_OK);
    sem_wait(&begun);

    pid_t child = fork_child();
    if (child == 0)
        be_child(ex, held);
    expect_success(child);

    bool wipes = kernel_wipes();
    if (wipes) { /* a fork that calls no handlers */
        child = fork_without_handlers();
        if (child == 0)
            be_child(ex, held);
        expect_success(child);
        cf_executor *processes = NULL;
        CHECK(cf_process_pool_create(NULL, &processes) == CF_OK);
        cf_executor *const executors[] = {ex, processes};
        for (int i = 0; i < 2; i++) {
            child = fork_without_handlers();
            if (child == 0)
                submit_first(executors[i]);
            expect_success(child);
        }
        cf_executor_destroy(processes);
        cf_executor *waits = NULL;
        CHECK(cf_thread_pool_create(NULL, &waits) == CF_OK);
        check_a_drop_of_what_the_parent_awaits(waits);
        cf_executor_destroy(waits);
        check_a_return_from_a_task();
    }
    sem_post(&go_on);
    CHECK(cf_future_wait(held, CF_FOREVER) == CF_OK);
    cf_future_unref(held);
    cf_executor_destroy(ex);
    return wipes ? EXIT_SUCCESS : SKIPPED;
}
