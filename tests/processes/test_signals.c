/* SPDX-License-Identifier: MIT */
/*
 * Signals of the program and of its workers: which of them each process
 * handles, ignores and blocks, and where SIGCHLD arrives.
 */
#define _GNU_SOURCE
#include "tests/processes/processes.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static atomic_int *handled;

static void
count_signal(int signo)
{
    (void)signo;
    atomic_fetch_add(handled, 1);
}

static void
handle(int signo, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    cr_assert(sigaction(signo, &action, NULL) == 0);
}

/* What a signal does in a worker: 0 default, 1 ignored, 2 handled; + 4 if it
 * is blocked. Takes its number. */
static int
task_looks_at_signal(cf_call *call, const void *arg, size_t arg_size)
{
    int signo;
    (void)arg_size;
    memcpy(&signo, arg, sizeof signo);
    struct sigaction action;
    sigset_t blocked;
    if (sigaction(signo, NULL, &action) != 0 ||
        sigprocmask(SIG_SETMASK, NULL, &blocked) != 0)
        return cf_fail(call, errno, "sigaction");
    int what = action.sa_handler == SIG_DFL   ? 0
               : action.sa_handler == SIG_IGN ? 1
                                              : 2;
    what += sigismember(&blocked, signo) ? 4 : 0;
    return cf_return(call, &what, sizeof what) != CF_OK;
}

CF_TEST(in_workers_handlers_are_gone_and_nothing_is_blocked)
{
    handled = counter_new();
    handle(SIGUSR1, count_signal);
    handle(SIGTERM, count_signal);
    handle(SIGSEGV, count_signal);
    handle(SIGCHLD, count_signal);
    handle(SIGPIPE, SIG_IGN);
    handle(SIGUSR2, SIG_IGN);
    sigset_t all;
    sigset_t old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    cf_executor *ex = pool_for(1);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    for (int signo = 1; signo <= SIGRTMAX; signo++) {
        if (signo > SIGSYS && signo < SIGRTMIN)
            continue;
        struct sigaction action;
        cr_assert(sigaction(signo, NULL, &action) == 0);
        int expected = action.sa_handler == SIG_IGN || signo == SIGINT;
        if (signo == SIGSEGV || signo == SIGBUS || signo == SIGILL ||
            signo == SIGFPE)
            expected = 2; /* the pool's own: it notes the address */
        cf_future *f =
            must_submit(ex, task_looks_at_signal, &signo, sizeof signo);
        cr_assert(int_result(f) == expected,
                  "signal %d: %d, not %d",
                  signo,
                  int_result(f),
                  expected);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

CF_TEST(a_ctrl_c_is_for_the_program)
{
    handled = counter_new();
    handle(SIGINT, count_signal);
    cf_executor *ex = pool_for(2);
    gate *g = gate_new();
    cf_future *held[2];
    occupy(ex, g, 2, held);
    pid_t pids[8];
    int count = process_find(own_prefix(), pids, 8);
    cr_assert(count == 3, "%d processes", count); /* with the zygote */
    for (int i = 0; i < count; i++)
        cr_assert(kill(pids[i], SIGINT) == 0);
    cr_assert(kill(getpid(), SIGINT) == 0);
    gate_open(g);
    for (int i = 0; i < 2; i++)
        assert_ok(cf_future_result(held[i], CF_FOREVER, NULL));
    cr_assert(*handled == 1);
    cr_assert(stats_of(ex).restarts == 0);
    unref_all(held, 2);
    cf_executor_destroy(ex);
}

/* The pool's own thread takes none of them: they wait for a thread of the
 * program. */
CF_TEST(no_thread_of_the_pool_takes_the_program_s_signals)
{
    cf_executor *ex = pool_for(2); /* with nothing blocked */
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    for (int i = 0; i < 20; i++) {
        expect_works(ex);
        cr_assert(kill(getpid(), SIGUSR1) == 0); /* would end the program */
        cr_assert(sigtimedwait(&usr1, NULL, &(struct timespec){5, 0}) ==
                  SIGUSR1);
    }
    cf_executor_destroy(ex);
}

/* --- children ------------------------------------------------------------ */

static int
task_dies(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    abort();
}

static void
expect_no_children(void)
{
    int status;
    errno = 0;
    cr_assert(waitpid(-1, &status, WNOHANG | __WALL) == -1);
    cr_assert(errno == ECHILD, "errno %d", errno);
}

CF_TEST(workers_are_no_children_of_the_program)
{
    handled = counter_new();
    handle(SIGCHLD, count_signal);
    cf_executor *ex = pool_for(2);
    expect_no_children();
    int before = *handled;
    cr_assert(before <= 1, "%d SIGCHLD while the pool was created", before);
    for (int i = 0; i < 10; i++) {
        expect_workers(ex, 2);
        expect_no_children();
        cf_future *f = must_submit(ex, task_dies, NULL, 0);
        assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EWORKERDIED);
        cf_future_unref(f);
        expect_no_children();
    }
    cf_executor_destroy(ex);
    expect_no_children();
    cr_assert(*handled == before, "%d SIGCHLD", *handled - before);
}

/* Children that the program does not wait for reap themselves; or a handler is
 * faster than the pool. */
static void
reap_all(int signo)
{
    (void)signo;
    int error = errno;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    errno = error;
}

CF_TEST(a_program_that_reaps_all_children_can_create_a_pool)
{
    for (int i = 0; i < 2; i++) {
        handle(SIGCHLD, i == 0 ? SIG_IGN : reap_all);
        for (int k = 0; k < 10; k++) {
            cf_executor *ex = pool_for(1);
            expect_works(ex);
            cf_future *f = must_submit(ex, task_dies, NULL, 0);
            assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EWORKERDIED);
            cf_future_unref(f);
            cf_executor_destroy(ex);
        }
    }
}

/* Such a program is given the zygote as a child, and is rid of it later. */
CF_TEST(a_program_that_adopts_orphans_has_no_child_left_of_a_pool)
{
    cr_assert(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    for (int i = 0; i < 3; i++) {
        cf_executor *ex = pool_for(2);
        expect_works(ex);
        cf_executor_destroy(ex);
        cr_assert(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    }
}

CF_TEST(a_signal_to_the_program_s_group_costs_workers_not_the_pool)
{
    const int signals[] = {SIGTERM, SIGHUP, SIGUSR1};
    handled = counter_new();
    cr_assert(setpgid(0, 0) == 0 || getpgrp() == getpid());
    cf_executor *ex = pool_for(2);
    for (int i = 0; i < 3; i++) {
        handle(signals[i], count_signal);
        expect_workers(ex, 2);
        cr_assert(kill(0, signals[i]) == 0);
        while (stats_of(ex).restarts < 2 * ((unsigned)i + 1))
            sched_yield();
        expect_works(ex);
    }
    cr_assert(*handled == 3);
    cf_executor_destroy(ex);
}

/* The program's own children stay its own. */
CF_TEST(a_child_of_the_program_is_left_to_it)
{
    pid_t child = fork();
    if (child == 0)
        _exit(17);
    cf_executor *ex = pool_for(2);
    expect_works(ex);
    cf_executor_destroy(ex);
    int status = 0;
    cr_assert(waitpid(child, &status, 0) == child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 17);
}

/* Tasks have children of their own, and wait for them. */
static int
task_waits_for_its_child(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    pid_t child = fork();
    if (child == 0)
        exit(21);
    int status = 0;
    if (child < 0 || wait(&status) != child)
        return cf_fail(call, errno, "wait");
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return cf_return(call, &code, sizeof code) != CF_OK;
}

CF_TEST(a_task_may_have_children_and_wait_for_them)
{
    cf_executor *ex = pool_for(2);
    cf_future *fs[10];
    for (int i = 0; i < 10; i++)
        fs[i] = must_submit(ex, task_waits_for_its_child, NULL, 0);
    for (int i = 0; i < 10; i++)
        cr_assert(int_result(fs[i]) == 21);
    unref_all(fs, 10);
    cr_assert(stats_of(ex).restarts == 0);
    cf_executor_destroy(ex);
}
