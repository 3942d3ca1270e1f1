/* SPDX-License-Identifier: MIT */
/*
 * The threads of a thread pool: when they start, how they are called, where
 * they run and when they end. Thread pool only.
 */
#define _GNU_SOURCE
#include "tests/conformance/conformance.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/support/process.h"

static cf_executor *
pool_of(const cf_thread_pool_options *opts)
{
    cf_executor *ex = NULL;
    assert_ok(cf_thread_pool_create(opts, &ex));
    return ex;
}

static cf_thread_pool_options
options_for(int workers)
{
    cf_thread_pool_options opts = CF_THREAD_POOL_OPTIONS_INIT;
    opts.max_workers = workers;
    return opts;
}

static uint64_t
workers_of(cf_executor *ex)
{
    cf_stats stats;
    assert_ok(cf_executor_stats(ex, &stats));
    return stats.workers;
}

/* CPython: test_thread_pool.test_saturation */
CF_TEST(more_tasks_than_workers_make_exactly_so_many_threads)
{
    int before = process_threads();
    cf_executor *ex = test_executor(4);
    cr_assert(process_threads() == before, "none before the first submit");
    gate *g = gate_new();
    for (int i = 0; i < 60; i++)
        assert_ok(cf_submit(ex, task_hold, g, 0, NULL));
    gate_await(g, 4);
    cr_assert(workers_of(ex) == 4);
    cr_assert(gate_arrived(g) == 4);
    gate_open(g);
    cf_executor_destroy(ex);
    cr_assert(gate_arrived(g) == 60);
}

/* CPython: test_shutdown.test_threads_terminate */
CF_TEST(shutdown_joins_every_thread)
{
    int before = process_threads();
    cf_executor *ex = test_executor(3);
    gate *g = gate_new();
    cf_future *held[3];
    occupy(ex, g, 3, held);
    cr_assert(process_threads() >= before + 3);
    gate_open(g);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    cr_assert(workers_of(ex) == 0);
    cf_executor_destroy(ex);
    process_await_threads(before);
    unref_all(held, 3);
}

/* CPython: test_thread_pool.test_idle_thread_reuse */
CF_TEST(an_idle_thread_is_used_again)
{
    cf_executor *ex = test_executor(4);
    for (int i = 0; i < 3; i++) {
        cf_future *f = must_submit(ex, task_square, &i, sizeof i);
        cr_assert(int_result(f) == i * i);
        cf_future_unref(f);
        assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    }
    cr_assert(workers_of(ex) == 1, "%d workers", (int)workers_of(ex));
    cf_executor_destroy(ex);
}

/* CPython: test_thread_pool.test_default_workers */
CF_TEST(the_default_size_is_the_number_of_usable_cpus)
{
    cf_executor *ex = pool_of(NULL);
    cr_assert(cf_executor_max_workers(ex) == (int)cf_cpu_count());
    cf_executor_destroy(ex);
}

static int
task_name(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    char name[16] = "";
    pthread_getname_np(pthread_self(), name, sizeof name);
    char text[32];
    snprintf(text, sizeof text, "%s/%d", name, cf_call_worker(call));
    gate_pass((gate *)arg);
    return cf_return(call, text, strlen(text) + 1) != CF_OK;
}

enum { NAMED = 12 };

/* Fills names[i] with the name of worker i of a pool with that prefix. */
static void
collect_names(const char *prefix, char names[NAMED][32])
{
    cf_thread_pool_options opts = options_for(NAMED);
    char copied[64];
    if (prefix != NULL) {
        snprintf(copied, sizeof copied, "%s", prefix);
        opts.name_prefix = copied;
    }
    cf_executor *ex = pool_of(&opts);
    memset(copied, '#', sizeof copied - 1);
    gate *g = gate_new();
    cf_future *fs[NAMED];
    for (int i = 0; i < NAMED; i++)
        fs[i] = must_submit(ex, task_name, g, 0);
    gate_await(g, NAMED);
    gate_open(g);
    for (int i = 0; i < NAMED; i++) {
        cf_bytes bytes;
        assert_ok(cf_future_result(fs[i], CF_FOREVER, &bytes));
        char name[32];
        int worker;
        cr_assert(sscanf(bytes.data, "%31[^/]/%d", name, &worker) == 2);
        cr_assert(worker >= 0 && worker < NAMED);
        snprintf(names[worker], sizeof names[worker], "%s", name);
    }
    unref_all(fs, NAMED);
    cf_executor_destroy(ex);
}

/* CPython: test_shutdown.test_thread_names_assigned */
CF_TEST(a_thread_is_called_by_prefix_and_index)
{
    char names[NAMED][32] = {{0}};
    collect_names("scan", names);
    for (int i = 0; i < NAMED; i++) {
        char expected[32];
        snprintf(expected, sizeof expected, "scan_%d", i);
        cr_assert_str_eq(names[i], expected);
    }
}

CF_TEST(a_long_prefix_is_cut_and_the_index_kept)
{
    char names[NAMED][32] = {{0}};
    collect_names("a-very-long-prefix", names);
    for (int i = 0; i < NAMED; i++) {
        char index[16];
        snprintf(index, sizeof index, "_%d", i);
        size_t length = strlen(names[i]);
        cr_assert(length == 15, "'%s'", names[i]);
        cr_assert(memcmp(names[i], "a-very-long-", 12) == 0);
        cr_assert_str_eq(names[i] + length - strlen(index), index);
    }
}

/* CPython: test_shutdown.test_thread_names_default */
CF_TEST(without_a_prefix_every_pool_has_its_own)
{
    char a[NAMED][32] = {{0}};
    char b[NAMED][32] = {{0}};
    collect_names(NULL, a);
    collect_names(NULL, b);
    for (int i = 0; i < NAMED; i++) {
        int pool;
        int worker;
        char rest;
        cr_assert(sscanf(a[i], "cf%d_%d%c", &pool, &worker, &rest) == 2);
        cr_assert(worker == i);
        cr_assert_str_neq(a[i], b[i]);
    }
}

CF_TEST(an_idle_worker_ends_after_its_timeout_and_another_starts)
{
    int before = process_threads();
    cf_thread_pool_options opts = options_for(2);
    opts.idle_timeout_ns = CF_MS(20);
    cf_executor *ex = pool_of(&opts);
    for (int i = 0; i < 3; i++) {
        gate *g = gate_new();
        cf_future *held[2];
        occupy(ex, g, 2, held);
        cr_assert(workers_of(ex) == 2);
        gate_open(g);
        assert_ok(cf_wait(held, 2, CF_ALL_COMPLETED, CF_FOREVER, NULL));
        unref_all(held, 2);
        while (workers_of(ex) > 0)
            sched_yield();
        process_await_threads(before + 1); /* perhaps one for the pool */
    }
    cf_executor_destroy(ex);
    process_await_threads(before);
}

struct last_will {
    cf_executor *ex;
    atomic_bool done;
    atomic_int ran;
};

static void
submit_last_will(void *init_data, void *worker_data)
{
    struct last_will *will = init_data;
    (void)worker_data;
    cf_task task = CF_TASK_INIT;
    task.fn = task_count;
    task.arg = &will->ran;
    task.priority = 5;
    if (!atomic_exchange(&will->done, true))
        cr_assert(cf_submit_task(will->ex, &task, NULL) == CF_OK);
}

/* The only thread is on its way out, and no other can be started before. */
CF_TEST(a_finalizer_may_submit_with_a_priority_to_its_own_pool)
{
    struct last_will will = {0};
    cf_thread_pool_options opts = options_for(1);
    opts.idle_timeout_ns = 1;
    opts.finalizer = submit_last_will;
    opts.init_data = &will;
    cf_executor *ex = will.ex = pool_of(&opts);
    assert_ok(cf_submit(ex, task_nothing, NULL, 0, NULL));
    while (atomic_load(&will.ran) == 0)
        sched_yield();
    cf_executor_destroy(ex);
    cr_assert(atomic_load(&will.ran) == 1);
}

static int
task_affinity(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int found[2] = {cf_call_worker(call), -1};
    if (CPU_COUNT(&set) != 1)
        return cf_fail(call, 2, "%d CPUs", CPU_COUNT(&set));
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set))
            found[1] = (int)i;
    gate_pass((gate *)arg);
    return cf_return(call, found, sizeof found) != CF_OK;
}

CF_TEST(pinned_workers_take_the_cpus_of_the_mask_in_turn)
{
    cpu_set_t mask;
    CPU_ZERO(&mask);
    cr_assert(sched_getaffinity(0, sizeof mask, &mask) == 0);
    int cpus[CPU_SETSIZE];
    int count = 0;
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &mask))
            cpus[count++] = (int)i;
    enum { WORKERS = 5 };
    cf_thread_pool_options opts = options_for(WORKERS);
    opts.pin_workers = 1;
    cf_executor *ex = pool_of(&opts);
    gate *g = gate_new();
    cf_future *fs[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        fs[i] = must_submit(ex, task_affinity, g, 0);
    gate_await(g, WORKERS);
    gate_open(g);
    for (int i = 0; i < WORKERS; i++) {
        cf_bytes bytes;
        assert_ok(cf_future_result(fs[i], CF_FOREVER, &bytes));
        int found[2];
        memcpy(found, bytes.data, sizeof found);
        cr_assert(found[1] == cpus[found[0] % count]);
    }
    unref_all(fs, WORKERS);
    cf_executor_destroy(ex);
    cpu_set_t after;
    cr_assert(sched_getaffinity(0, sizeof after, &after) == 0);
    cr_assert(CPU_EQUAL(&mask, &after), "the caller is not pinned");
}

static int
task_stack(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    pthread_attr_t attr;
    if (pthread_getattr_np(pthread_self(), &attr) != 0)
        return 1;
    void *base;
    size_t size = 0;
    pthread_attr_getstack(&attr, &base, &size);
    pthread_attr_destroy(&attr);
    return cf_return(call, &size, sizeof size) != CF_OK;
}

CF_TEST(workers_have_the_stack_that_was_asked_for)
{
    static const size_t sizes[] = {256 << 10, 32 << 20, (1 << 20) + 1};
    for (int i = 0; i < 3; i++) {
        cf_thread_pool_options opts = options_for(1);
        opts.stack_size = sizes[i];
        cf_executor *ex = pool_of(&opts);
        cf_future *f = must_submit(ex, task_stack, NULL, 0);
        cf_bytes bytes;
        assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
        size_t size;
        memcpy(&size, bytes.data, sizeof size);
        cr_assert(size >= sizes[i], "%zu for %zu", size, sizes[i]);
        cr_assert(size < sizes[i] + (1 << 20));
        cf_future_unref(f);
        cf_executor_destroy(ex);
    }
}

static void
expect_refused(cf_thread_pool_options opts)
{
    cf_executor *ex = NULL;
    assert_err(cf_thread_pool_create(&opts, &ex), CF_EINVAL);
    cr_assert_null(ex);
}

/* CPython: executor.test_max_workers_negative (0 is the default here) */
CF_TEST(bad_options_are_einval)
{
    cf_thread_pool_options opts = options_for(-1);
    expect_refused(opts);
    opts.max_workers = 32768;
    expect_refused(opts);
    opts.max_workers = INT_MIN;
    expect_refused(opts);
    opts = options_for(1);
    opts.queue_policy = (cf_queue_policy)3;
    expect_refused(opts);
    opts = options_for(1);
    opts.idle_timeout_ns = -2;
    expect_refused(opts);
    opts = options_for(1);
    opts.stack_size = 1;
    expect_refused(opts);
    cf_executor *ex = NULL;
    opts.stack_size = (size_t)PTRDIFF_MAX + 1;
    assert_err(cf_thread_pool_create(&opts, &ex), CF_ETOOBIG);
    opts.stack_size = SIZE_MAX;
    assert_err(cf_thread_pool_create(&opts, &ex), CF_ETOOBIG);
    cr_assert_null(ex);
    assert_err(cf_thread_pool_create(NULL, NULL), CF_EINVAL);
}

CF_TEST(options_of_another_version_are_understood)
{
    struct {
        cf_thread_pool_options known;
        long news;
    } newer = {CF_THREAD_POOL_OPTIONS_INIT, 1};
    newer.known.size = sizeof newer;
    newer.known.max_workers = 3;
    cf_executor *ex = NULL;
    assert_err(cf_thread_pool_create(&newer.known, &ex), CF_ETOOBIG);
    cr_assert_null(ex);
    newer.news = 0;
    ex = pool_of(&newer.known);
    cr_assert(cf_executor_max_workers(ex) == 3);
    cf_executor_destroy(ex);

    cf_thread_pool_options older = options_for(2);
    older.size = offsetof(cf_thread_pool_options, name_prefix);
    older.idle_timeout_ns = -77; /* not part of the older struct */
    older.stack_size = 1;
    ex = pool_of(&older);
    cr_assert(cf_executor_max_workers(ex) == 2);
    cf_executor_destroy(ex);
}
