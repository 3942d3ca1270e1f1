/* SPDX-License-Identifier: MIT */
/*
 * Programs with a process pool that end in all ways, and what is left of their
 * pools a moment later: nothing. Each program is a fork of this one.
 */
#define _GNU_SOURCE
#include <cfutures/cfutures.h>
#include <cfutures/process_pool.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/process.h"
#include "tests/support/program.h"
#include "tests/support/tasks.h"

enum { WORKERS = 2, TASKS = 100, ROUNDS = 3, PATIENCE = 60 /* seconds */ };

/* Of ROUNDS, the fastest must be that fast; the machine may be busy. */
#define GONE_WITHIN_NS INT64_C(100000000)

/* What both sides see, per program. */
static struct stage {
    gate *ready; /* the program arrives; its end may come */
    gate *held;  /* its tasks arrive, and never leave */
    atomic_int *ran;
    char prefix[16];
} stage;

static cf_executor *
pool(void)
{
    cf_process_pool_options opts = CF_PROCESS_POOL_OPTIONS_INIT;
    opts.max_workers = WORKERS;
    opts.name_prefix = stage.prefix;
    cf_executor *ex = NULL;
    if (cf_process_pool_create(&opts, &ex) != CF_OK)
        _exit(EXIT_FAILURE);
    return ex;
}

static cf_executor *
busy_pool(void)
{
    cf_executor *ex = pool();
    for (int i = 0; i < 10 * WORKERS; i++)
        if (cf_submit(ex, task_hold, stage.held, 0, NULL) != CF_OK)
            _exit(EXIT_FAILURE);
    gate_await(stage.held, WORKERS);
    return ex;
}

static void
wait_for_the_end(void)
{
    gate_arrive(stage.ready);
    for (;;)
        pause();
}

/* --- programs ------------------------------------------------------------ */

static void
with_busy_workers(void)
{
    (void)busy_pool();
    wait_for_the_end();
}

static void
with_idle_workers(void)
{
    cf_executor *ex = pool();
    for (int i = 0; i < TASKS; i++)
        if (cf_submit(ex, task_count, stage.ran, 0, NULL) != CF_OK)
            _exit(EXIT_FAILURE);
    if (cf_executor_wait_idle(ex, CF_FOREVER) != CF_OK)
        _exit(EXIT_FAILURE);
    wait_for_the_end();
}

static void
without_workers(void)
{
    (void)pool();
    wait_for_the_end();
}

/* Workers come and go. */
static int
task_dies(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    _exit(1);
}

static void
with_dying_workers(void)
{
    cf_executor *ex = pool();
    gate_arrive(stage.ready);
    for (;;)
        if (cf_submit(ex, task_dies, NULL, 0, NULL) != CF_OK ||
            cf_executor_wait_idle(ex, CF_FOREVER) != CF_OK)
            _exit(EXIT_FAILURE);
}

static int
task_stops(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    gate_arrive((gate *)arg);
    (void)raise(SIGSTOP);
    return 0;
}

static void
with_stopped_workers(void)
{
    cf_executor *ex = pool();
    for (int i = 0; i < WORKERS; i++)
        if (cf_submit(ex, task_stops, stage.held, 0, NULL) != CF_OK)
            _exit(EXIT_FAILURE);
    gate_await(stage.held, WORKERS);
    wait_for_the_end();
}

/* A child that lives on has copies of what it got. */
static void
with_a_child(void)
{
    (void)busy_pool();
    pid_t child = fork_child();
    if (child == 0) {
        alarm(PATIENCE);
        gate_pass(stage.ready);
        _exit(0);
    }
    wait_for_the_end();
}

static void
that_exits_at_once(void)
{
    (void)busy_pool();
    _exit(0);
}

static void
that_aborts(void)
{
    (void)busy_pool();
    abort();
}

static void
that_execs(void)
{
    (void)busy_pool();
    execl("/bin/true", "true", (char *)NULL);
    _exit(EXIT_FAILURE);
}

static void
that_exits_with_work(void)
{
    cf_executor *ex = pool();
    for (int i = 0; i < TASKS; i++)
        if (cf_submit(ex, task_count, stage.ran, 0, NULL) != CF_OK)
            _exit(EXIT_FAILURE);
    exit(EXIT_SUCCESS);
}

static pid_t creator;

/* After the zygote was forked. */
static void
die_when_the_zygote_is_there(void)
{
    struct rlimit files;
    if (getpid() != creator)
        return;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        _exit(EXIT_FAILURE);
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    while (process_find(stage.prefix, NULL, 0) == 0)
        continue;
    (void)kill(getpid(), SIGKILL);
}

/* Without a descriptor for a pidfd: two are left, for the lifeline. */
static void
that_dies_while_it_creates(void)
{
    enum { OPENED = 16 };
    int last = -1;
    struct rlimit files;
    creator = getpid();
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 ||
        pthread_atfork(NULL, die_when_the_zygote_is_there, NULL) != 0)
        _exit(EXIT_FAILURE);
    for (int i = 0; i < OPENED; i++)
        last = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(last);
    close(last - 1);
    files.rlim_cur = (rlim_t)last + 1;
    if (last < OPENED || setrlimit(RLIMIT_NOFILE, &files) != 0)
        _exit(EXIT_FAILURE);
    (void)pool();
}

/* --- their ends ---------------------------------------------------------- */

/* Runs it; signo: how it is killed when it is ready; 0: it ends by itself.
 * Returns its status, and how long its processes were there after it. */
static int
run(void (*program)(void), int arrivals, int signo, int64_t *left_ns)
{
    static int number;
    snprintf(stage.prefix,
             sizeof stage.prefix,
             "e%d-%d",
             (int)getpid() % 1000000,
             number++);
    stage.ready = gate_new();
    stage.held = gate_new();
    stage.ran = counter_new();
    pid_t child = fork_child();
    if (child == 0) {
        program();
        _exit(EXIT_FAILURE);
    }
    if (signo) {
        gate_await(stage.ready, arrivals);
        CHECK(process_find(stage.prefix, NULL, 0) > 0);
        CHECK(kill(child, signo) == 0);
    }
    int status = status_of(child);
    *left_ns = process_await_found(stage.prefix, 0);
    gate_open(stage.ready);
    return status;
}

static void
expect_gone(const char *name, void (*program)(void), int arrivals, int signo)
{
    int64_t best = INT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t left = 0;
        int status = run(program, arrivals, signo, &left);
        if (signo)
            CHECK(WIFSIGNALED(status) && WTERMSIG(status) == signo);
        best = left < best ? left : best;
    }
    printf("%-24s gone after %.1f ms\n", name, (double)best / 1e6);
    CHECK(best <= GONE_WITHIN_NS);
}

int
main(void)
{
    alarm(PATIENCE * 2);
    expect_gone("killed, busy", with_busy_workers, 1, SIGKILL);
    expect_gone("terminated, busy", with_busy_workers, 1, SIGTERM);
    expect_gone("killed, idle", with_idle_workers, 1, SIGKILL);
    expect_gone("killed, no workers", without_workers, 1, SIGKILL);
    expect_gone("killed, dying workers", with_dying_workers, 1, SIGKILL);
    expect_gone("killed, stopped workers", with_stopped_workers, 1, SIGKILL);
    expect_gone("killed, with a child", with_a_child, 2, SIGKILL);
    expect_gone("_exit()", that_exits_at_once, 0, 0);
    expect_gone("abort()", that_aborts, 0, 0);
    expect_gone("exec()", that_execs, 0, 0);
    expect_gone("killed, in create", that_dies_while_it_creates, 0, 0);
    for (int i = 0; i < ROUNDS; i++) {
        int64_t left = 0;
        CHECK(run(that_exits_with_work, 0, 0, &left) == 0);
        CHECK(atomic_load(stage.ran) == TASKS);
    }
    return EXIT_SUCCESS;
}
