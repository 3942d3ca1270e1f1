/* SPDX-License-Identifier: MIT */
/*
 * What comes when the zygote is about to sleep. It has looked at its requests
 * and at its children, and nothing was there; now there is something
 * (process_pool/README.md, "Waking"). The zygote stops at that moment, until
 * the program goes on, or has lost a worker.
 */
#include "tests/processes/processes.h"

#include <sys/resource.h>
#include <sys/wait.h>

/* In memory that the zygote shares. */
static struct plan {
    atomic_int armed; /* the zygote stops, once */
    atomic_int there; /* it has stopped */
    atomic_int go_on;
    atomic_int victim; /* a worker, which is killed there; 0: none */
} * plan;

/* NOLINTBEGIN: the names are the linker's (--wrap). */
pid_t __real_wait4(pid_t pid, int *status, int options, struct rusage *used);
pid_t __wrap_wait4(pid_t pid, int *status, int options, struct rusage *used);
/* NOLINTEND */

/* SIGCHLD comes here, and its handler is called. */
static void
kill_child(pid_t victim)
{
    siginfo_t info;
    (void)kill(victim, SIGKILL);
    while (waitid(P_PID, (id_t)victim, &info, WEXITED | WNOWAIT) != 0)
        continue;
}

static void
stop_here(void)
{
    int victim = atomic_load(&plan->victim);
    if (victim)
        kill_child(victim);
    atomic_store(&plan->there, 1);
    while (!atomic_load(&plan->go_on))
        sched_yield();
}

/* The zygote's last look. */
pid_t
__wrap_wait4(pid_t pid, int *status, int options, struct rusage *used)
{
    pid_t ended = __real_wait4(pid, status, options, used);
    if (ended == 0 && plan && atomic_exchange(&plan->armed, 0))
        stop_here();
    return ended;
}

/* Has the zygote come to its last look: it is asked for a worker. */
static cf_future *
stop_zygote(cf_executor *ex, gate *g)
{
    atomic_store(&plan->armed, 1);
    cf_future *f = must_submit(ex, task_pid, g, 0);
    while (!atomic_load(&plan->there))
        sched_yield();
    return f;
}

/* In time, though no later request wakes the zygote. */
static void
await_end(cf_future *f)
{
    assert_ok(cf_future_wait(f, CF_SECONDS(30)));
}

static void
expect_worker_died(cf_future *f)
{
    await_end(f);
    cr_assert(cf_future_error(f)->kind == CF_EWORKERDIED);
}

CF_TEST(a_request_that_comes_before_the_zygote_sleeps_is_read)
{
    plan = shared_new(sizeof *plan);
    gate *g = gate_new();
    cf_executor *ex = pool_for(2);
    cf_future *held = stop_zygote(ex, g);
    cf_future *f = must_submit(ex, task_pid, NULL, 0); /* for another worker */
    atomic_store(&plan->go_on, 1);
    await_end(f);
    gate_open(g);
    await_end(held);
    cf_future_unref(f);
    cf_future_unref(held);
    cf_executor_destroy(ex);
}

CF_TEST(a_worker_that_ends_before_the_zygote_sleeps_is_reaped)
{
    plan = shared_new(sizeof *plan);
    gate *g = gate_new();
    cf_executor *ex = pool_for(2);
    cf_future *f = must_submit(ex, task_pid, NULL, 0);
    pid_t victim = int_result(f);
    cf_future_unref(f);
    cf_future *held[2];
    held[0] = must_submit(ex, task_pid, g, 0); /* there */
    gate_await(g, 1);
    atomic_store(&plan->victim, victim);
    atomic_store(&plan->go_on, 1);
    held[1] = stop_zygote(ex, g);
    expect_worker_died(held[0]);
    gate_open(g);
    unref_all(held, 2);
    cf_executor_destroy(ex);
}
