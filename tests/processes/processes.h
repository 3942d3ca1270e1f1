/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the process pool start from: the conformance tests' header
 * for this backend, pools with all options, and tasks that leave a trace.
 */
#ifndef CF_TESTS_PROCESSES_H
#define CF_TESTS_PROCESSES_H

#include <cfutures/process_pool.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/conformance/conformance.h"
#include "tests/support/process.h"

/* The processes of this test's pools are called so, and no others. */
static inline const char *
own_prefix(void)
{
    static char prefix[16];
    snprintf(prefix, sizeof prefix, "t%d", (int)getpid());
    return prefix;
}

static inline cf_process_pool_options
options_for(int workers)
{
    cf_process_pool_options opts = CF_PROCESS_POOL_OPTIONS_INIT;
    opts.max_workers = workers;
    opts.name_prefix = own_prefix();
    return opts;
}

static inline cf_executor *
pool_of(const cf_process_pool_options *opts)
{
    cf_executor *ex = NULL;
    assert_ok(cf_process_pool_create(opts, &ex));
    return ex;
}

static inline cf_executor *
pool_for(int workers)
{
    cf_process_pool_options opts = options_for(workers);
    return pool_of(&opts);
}

static inline cf_stats
stats_of(cf_executor *ex)
{
    cf_stats stats;
    assert_ok(cf_executor_stats(ex, &stats));
    return stats;
}

/* What a task leaves behind of itself, in shared memory. */
typedef struct trace {
    atomic_int starts; /* how often it was started */
    atomic_int pid;    /* where */
} trace;

static inline trace *
trace_new(void)
{
    return shared_new(sizeof(trace));
}

static inline void
trace_start(trace *t)
{
    atomic_store(&t->pid, (int)getpid());
    atomic_fetch_add(&t->starts, 1);
}

/* Returns the process that it runs in; takes a gate (arg_size 0), at which it
 * arrives and waits, or NULL. */
static inline int
task_pid(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    int pid = (int)getpid();
    if (arg != NULL)
        gate_pass((gate *)arg);
    return cf_return(call, &pid, sizeof pid) != CF_OK;
}

/* All workers are there, and work: so many tasks run at the same time. */
static inline void
expect_workers(cf_executor *ex, int workers)
{
    gate *g = gate_new();
    cf_future *held[64];
    occupy(ex, g, workers, held);
    gate_open(g);
    assert_ok(
        cf_wait(held, (size_t)workers, CF_ALL_COMPLETED, CF_FOREVER, NULL));
    for (int i = 0; i < workers; i++)
        assert_ok(cf_future_result(held[i], 0, NULL));
    unref_all(held, (size_t)workers);
}

/* Submits count squares. */
static inline void
submit_squares(cf_executor *ex, cf_future **fs, int count)
{
    for (int i = 0; i < count; i++)
        fs[i] = must_submit(ex, task_square, &i, sizeof i);
}

/* All of them have come out right; drops them. */
static inline void
expect_squares(cf_future **fs, int count)
{
    for (int i = 0; i < count; i++)
        cr_assert(int_result(fs[i]) == i * i, "square of %d", i);
    unref_all(fs, (size_t)count);
}

/* A whole round of them. */
static inline void
expect_works(cf_executor *ex)
{
    cf_future *fs[50];
    submit_squares(ex, fs, 50);
    expect_squares(fs, 50);
}

static inline void
await_gone(pid_t pid)
{
    while (process_lives(pid))
        sched_yield();
}

/* Built with AddressSanitizer, which has a malloc of its own: it takes no less
 * for a small block than for many, and its locks do not survive a fork. What
 * depends on the C library's is a MALLOC_TEST. */
#if defined(__SANITIZE_ADDRESS__)
#define TEST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_ASAN 1
#endif
#endif
#ifdef TEST_ASAN
#define MALLOC_TEST(...) CF_NO_TEST(__VA_ARGS__)
#else
#define MALLOC_TEST(...) CF_TEST(__VA_ARGS__)
#endif

#endif
