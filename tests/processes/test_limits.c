/* SPDX-License-Identifier: MIT */
/*
 * Tasks that would not end, and tasks that take too much: timeouts, interrupts
 * and memory_limit, and which workers are killed for them.
 */
#define _GNU_SOURCE
#include "tests/processes/processes.h"

#include <stdlib.h>
#include <sys/mman.h>

/* Takes a trace. */
static int
task_endless(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    trace_start((trace *)arg);
    for (volatile bool endless = true; endless;)
        continue;
    return 0;
}

/* Takes a trace; does not react to SIGTERM either. */
static int
task_stubborn(cf_call *call, const void *arg, size_t arg_size)
{
    (void)signal(SIGTERM, SIG_IGN);
    return task_endless(call, arg, arg_size);
}

/* Takes a trace; stops its process. */
static int
task_stops(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    trace_start((trace *)arg);
    (void)raise(SIGSTOP);
    return 0;
}

static cf_executor *
pool_with_grace(int workers, int64_t grace_ns)
{
    cf_process_pool_options opts = options_for(workers);
    opts.kill_grace_ns = grace_ns;
    return pool_of(&opts);
}

static cf_future *
submit_timed(cf_executor *ex, cf_task_fn *fn, const void *arg, int64_t ns)
{
    cf_task task = CF_TASK_INIT;
    task.fn = fn;
    task.arg = arg;
    task.timeout_ns = ns;
    cf_future *f = NULL;
    assert_ok(cf_submit_task(ex, &task, &f));
    return f;
}

/* --- timeouts ------------------------------------------------------------ */

static void
expect_deadline(cf_task_fn *fn, int64_t grace_ns)
{
    cf_executor *ex = pool_with_grace(2, grace_ns);
    trace *t = trace_new();
    cf_future *f = submit_timed(ex, fn, t, CF_MS(30));
    cf_future *fs[20];
    submit_squares(ex, fs, 20);
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EDEADLINE);
    const cf_error *error = cf_future_error(f);
    cr_assert(error->kind == CF_EDEADLINE && error->code == 0);
    cr_assert(error->worker == 0 || error->worker == 1);
    cr_assert(error->pid == t->pid);
    expect_squares(fs, 20);
    await_gone(t->pid);
    expect_workers(ex, 2);
    cf_stats stats = stats_of(ex);
    cr_assert(stats.restarts == 1 && stats.failed == 1);
    assert_err(cf_future_result(f, 0, NULL), CF_EDEADLINE);
    cr_assert(t->starts == 1);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(an_endless_task_is_killed_when_its_time_is_over)
{
    expect_deadline(task_endless, CF_SECONDS(50)); /* SIGTERM will do */
}

CF_TEST(an_endless_task_that_ignores_sigterm_is_killed_after_the_grace)
{
    expect_deadline(task_stubborn, CF_MS(20));
}

CF_TEST(a_stopped_worker_is_killed_when_its_time_is_over)
{
    expect_deadline(task_stops, CF_MS(20));
}

/* With one worker: what waits behind it runs elsewhere. */
CF_TEST(tasks_behind_an_endless_one_are_run_by_the_next_worker)
{
    cf_executor *ex = pool_with_grace(1, CF_MS(20));
    trace *t = trace_new();
    cf_future *f = submit_timed(ex, task_endless, t, CF_MS(20));
    cf_future *fs[100];
    submit_squares(ex, fs, 100);
    expect_squares(fs, 100);
    assert_err(cf_future_result(f, 0, NULL), CF_EDEADLINE);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(many_endless_tasks_in_a_row_are_all_killed)
{
    enum { N = 20 };
    cf_executor *ex = pool_with_grace(2, CF_MS(50));
    trace *t = trace_new();
    cf_future *fs[N];
    for (int i = 0; i < N; i++)
        fs[i] = submit_timed(ex, task_endless, t, CF_MS(5));
    for (int i = 0; i < N; i++)
        assert_err(cf_future_result(fs[i], CF_FOREVER, NULL), CF_EDEADLINE);
    /* A worker may lose its processor between taking and starting. */
    cr_assert(t->starts <= N, "%d", t->starts);
    unref_all(fs, N);
    expect_works(ex);
    cf_executor_destroy(ex);
}

/* --- interrupts ---------------------------------------------------------- */

/* A running task that reacts to nothing is interrupted. */
static void
expect_interrupted(cf_task_fn *fn)
{
    cf_executor *ex = pool_with_grace(2, CF_MS(20));
    trace *t = trace_new();
    cf_future *f = must_submit(ex, fn, t, 0);
    while (atomic_load(&t->starts) == 0)
        sched_yield();
    cf_future *fs[20];
    submit_squares(ex, fs, 20);
    cr_assert(cf_future_interrupt(f));
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ECANCELED);
    assert_state(f, CF_FINISHED);
    const cf_error *error = cf_future_error(f);
    cr_assert(error->kind == CF_ECANCELED);
    cr_assert(error->pid == t->pid);
    cr_assert(error->signal == SIGTERM || error->signal == SIGKILL);
    expect_squares(fs, 20);
    expect_workers(ex, 2);
    cr_assert(stats_of(ex).restarts == 1);
    cr_assert(t->starts == 1);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(an_interrupted_endless_task_is_killed_after_the_grace)
{
    expect_interrupted(task_endless);
}

CF_TEST(an_interrupted_task_that_ignores_sigterm_is_killed_at_last)
{
    expect_interrupted(task_stubborn);
}

/* The death is its own, and no success: so it was cancelled. */
static int
task_exits_when_canceled(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    gate_arrive((gate *)arg);
    while (!cf_call_canceled(call))
        sched_yield();
    _exit(7);
}

CF_TEST(an_interrupted_task_that_exits_was_cancelled)
{
    cf_executor *ex = pool_for(1);
    gate *g = gate_new();
    cf_future *f = must_submit(ex, task_exits_when_canceled, g, 0);
    gate_await(g, 1);
    cr_assert(cf_future_interrupt(f));
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ECANCELED);
    cr_assert(cf_future_error(f)->exit_status == 7);
    cf_future_unref(f);
    expect_works(ex);
    cf_executor_destroy(ex);
}

/* Its grace is long over when the next one runs. */
CF_TEST(a_task_that_reacts_is_not_killed_nor_is_the_next_one)
{
    cf_executor *ex = pool_with_grace(1, CF_MS(50));
    gate *g = gate_new();
    cf_future *f = must_submit(ex, task_until_canceled, g, 0);
    gate *next_gate = gate_new();
    cf_future *next = must_submit(ex, task_pid, next_gate, 0);
    gate_await(g, 1);
    cr_assert(cf_future_interrupt(f));
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ECANCELED);
    gate_await(next_gate, 1);
    assert_err(cf_future_wait(next, CF_MS(150)), CF_ETIMEDOUT);
    gate_open(next_gate);
    assert_ok(cf_future_result(next, CF_FOREVER, NULL));
    cr_assert(stats_of(ex).restarts == 0);
    cf_future_unref(f);
    cf_future_unref(next);
    cf_executor_destroy(ex);
}

/* --- memory -------------------------------------------------------------- */

enum { LIMIT = 64 << 20, TOO_MUCH = 128 << 20 };

static int
task_asks_for_memory(cf_call *call, const void *arg, size_t arg_size)
{
    size_t size;
    (void)arg_size;
    memcpy(&size, arg, sizeof size);
    char *volatile p = malloc(size);
    int got = p != NULL;
    if (got)
        memset(p, 1, size);
    free(p);
    return cf_return(call, &got, sizeof got) != CF_OK;
}

/* Takes a trace; believes malloc(). */
static int
task_takes_memory(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    trace_start((trace *)arg);
    for (int i = 0; i < TOO_MUCH >> 20; i++) {
        char *volatile p = malloc(1 << 20);
        memset(p, 1, 1 << 20);
    }
    return 0;
}

static cf_executor *
pool_with_limit(void)
{
    cf_process_pool_options opts = options_for(1);
    opts.memory_limit = LIMIT;
    return pool_of(&opts);
}

static void
expect_limit(void)
{
    cf_executor *ex = pool_with_limit();
    for (int i = 0; i < 10; i++) {
        size_t size = i % 2 == 0 ? LIMIT / 2 : TOO_MUCH;
        cf_future *f =
            must_submit(ex, task_asks_for_memory, &size, sizeof size);
        cr_assert(int_result(f) == (i % 2 == 0));
        cf_future_unref(f);
    }
    cr_assert(stats_of(ex).restarts == 0);
    cf_executor_destroy(ex);
}

MALLOC_TEST(beyond_the_memory_limit_malloc_gives_null)
{
    expect_limit();
}

/* What a worker has already cannot be read there. */
MALLOC_TEST(the_memory_limit_is_the_same_where_there_is_no_proc)
{
    char folder[] = "/tmp/cfXXXXXX";
    char *volatile large = malloc(2 * TOO_MUCH);
    memset(large, 1, TOO_MUCH);
    if (geteuid() != 0)
        cr_skip_test("needs root");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert(chdir(folder) == 0 && rmdir(folder) == 0 && chroot(".") == 0);
    expect_limit();
    free(large);
}

MALLOC_TEST(a_task_that_runs_into_the_memory_limit_dies_alone)
{
    cf_executor *ex = pool_with_limit();
    trace *t = trace_new();
    cf_future *f = must_submit(ex, task_takes_memory, t, 0);
    cf_future *fs[20];
    submit_squares(ex, fs, 20);
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EWORKERDIED);
    cr_assert(cf_future_error(f)->signal == SIGSEGV);
    cr_assert(t->starts == 1);
    expect_squares(fs, 20);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* The limit is for what a worker adds: neither what the program had, nor
 * payloads count. */
MALLOC_TEST(neither_the_snapshot_nor_payloads_count_as_memory)
{
    char *volatile large = malloc(2 * TOO_MUCH);
    memset(large, 1, TOO_MUCH);
    cf_executor *ex = pool_with_limit();
    size_t half = LIMIT / 2;
    cf_future *f = must_submit(ex, task_asks_for_memory, &half, sizeof half);
    cr_assert(int_result(f) == 1);
    cf_future_unref(f);
    f = must_submit(ex, task_echo, large, TOO_MUCH);
    cf_bytes bytes = {NULL, 0};
    assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
    cr_assert(bytes.size == TOO_MUCH);
    cf_future_unref(f);
    cf_executor_destroy(ex);
    free(large);
}
