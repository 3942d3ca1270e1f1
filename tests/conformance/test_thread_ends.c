/* SPDX-License-Identifier: MIT */
/*
 * User code that ends its thread by pthread_exit(): in workers, in submitters
 * that run their tasks themselves, in items of maps and loops. What was under
 * way fails, and the executor goes on. The sanitizer's leak check shows that
 * nothing is lost. Threads that are cancelled: test_worker_cancel.c.
 */
#include "tests/conformance/conformance.h"

static int
task_exits(cf_call *call, const void *arg, size_t arg_size)
{
    char large[200] = {0}; /* on the heap, as the record of the failure is */
    (void)arg, (void)arg_size;
    (void)cf_return(call, large, sizeof large);
    (void)cf_fail(call, 1, "no");
    pthread_exit(NULL);
}

/* Odd numbers end the thread. */
static int
task_exits_if_odd(cf_call *call, const void *arg, size_t arg_size)
{
    int n;
    memcpy(&n, arg, sizeof n);
    return n % 2 ? task_exits(call, arg, arg_size)
                 : (int)cf_return(call, arg, arg_size);
}

typedef struct submission {
    cf_executor *ex;
    cf_future *f[4];
    atomic_int *frees;
} submission;

static void *
submit_exit(void *data)
{
    submission *s = data;
    (void)cf_submit(s->ex, task_exits, s, 1, &s->f[0]);
    return NULL;
}

static void *
submit_chain(void *data)
{
    submission *s = data;
    int args[] = {2, 4, 5, 6};
    (void)cf_submit_many(s->ex, task_exits_if_odd, args, sizeof(int), 4, s->f);
    return NULL;
}

static void *
submit_timed(void *data)
{
    submission *s = data;
    cf_task task = CF_TASK_INIT;
    task.fn = task_exits;
    task.arg = s->frees;
    task.arg_free = count_free;
    task.timeout_ns = CF_SECONDS(1000);
    (void)cf_submit_task(s->ex, &task, &s->f[0]);
    return NULL;
}

/* Calls fn in a thread of its own. */
static void
in_a_thread(void *(*fn)(void *), void *data)
{
    pthread_t thread;
    cr_assert(pthread_create(&thread, NULL, fn, data) == 0);
    pthread_join(thread, NULL);
}

/* For executors that run a task in the thread that submits it. */
static void
check_submitter(cf_executor *ex)
{
    submission s = {.ex = ex, .frees = counter_new()};
    in_a_thread(submit_exit, &s);
    assert_err(cf_future_result(s.f[0], CF_FOREVER, NULL), CF_EWORKERDIED);
    cf_future_unref(s.f[0]);
    in_a_thread(submit_timed, &s);
    assert_err(cf_future_result(s.f[0], CF_FOREVER, NULL), CF_EWORKERDIED);
    cr_assert(*s.frees == 1);
    cf_future_unref(s.f[0]);
    in_a_thread(submit_chain, &s);
    cr_assert(int_result(s.f[0]) == 2 && int_result(s.f[1]) == 4);
    for (int i = 2; i < 4; i++)
        assert_err(cf_future_result(s.f[i], CF_FOREVER, NULL), CF_EWORKERDIED);
    unref_all(s.f, 4);
}

CF_TEST(a_task_that_ends_the_thread_of_its_submitter_fails)
{
#if CF_CONCURRENT
    gate *g = gate_new();
    cf_executor *ex =
        test_pool((test_options){.max_workers = 1,
                                 .queue_capacity = 4,
                                 .queue_policy = CF_QUEUE_CALLER_RUNS});
    cf_future *held, *queued[4];
    occupy(ex, g, 1, &held);
    for (int i = 0; i < 4; i++)
        queued[i] = must_submit(ex, task_nothing, NULL, 0);
    check_submitter(ex);
    gate_open(g);
    unref_all(queued, 4);
    cf_future_unref(held);
#else
    cf_executor *ex = test_executor(1);
    check_submitter(ex);
#endif
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    cf_executor_destroy(ex);
}

static cf_executor *inner;
static cf_future *below;

static int
task_submits_exit(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call, (void)arg, (void)arg_size;
    return (int)cf_submit(inner, task_exits, NULL, 0, &below); /* no return */
}

static void *
submit_nested_exit(void *data)
{
    submission *s = data;
    (void)cf_submit(s->ex, task_submits_exit, NULL, 0, &s->f[0]);
    return NULL;
}

CF_TEST(a_task_below_one_that_ends_the_thread_fails_too)
{
    assert_ok(cf_inline_create(&inner));
    submission s = {.ex = test_executor(1)};
    in_a_thread(submit_nested_exit, &s);
    assert_err(cf_future_result(s.f[0], CF_FOREVER, NULL), CF_EWORKERDIED);
    cf_future_unref(s.f[0]);
    assert_err(cf_future_result(below, 0, NULL), CF_EWORKERDIED);
    cf_future_unref(below);
    cf_stats stats;
    assert_ok(cf_executor_stats(inner, &stats));
    cr_assert(stats.failed == 1 && stats.running == 0);
    assert_ok(cf_executor_wait_idle(inner, 0));
    cf_executor_destroy(inner);
    cf_executor_destroy(s.ex);
}

/* --- items --------------------------------------------------------------- */

CF_THREAD_TEST(items_that_end_their_worker_cost_their_chunk_and_no_memory)
{
    cf_executor *ex = test_executor(3);
    int items[60];
    for (int i = 0; i < 60; i++)
        items[i] = i % 6 == 5 ? 1 : 2;
    for (size_t chunk = 1; chunk <= 3; chunk++) {
        cf_map_options options = CF_MAP_OPTIONS_INIT;
        cf_results *r;
        int good = 0, dead = 0;
        cf_err err;
        options.chunk_size = chunk;
        assert_ok(cf_map(
            ex, task_exits_if_odd, items, sizeof(int), 60, &options, &r));
        while ((err = cf_results_next(r, CF_FOREVER, NULL)) != CF_EDONE) {
            good += err == CF_OK;
            dead += err == CF_EWORKERDIED;
        }
        cf_results_destroy(r, false);
        cr_assert(good == 60 - dead && dead == 10 * (int)chunk, "%d", dead);
    }
    cf_executor_destroy(ex);
}

static int
exit_in_range(cf_call *call, size_t begin, size_t end, void *data)
{
    (void)begin, (void)end, (void)data;
    return task_exits(call, NULL, 0);
}

static int
task_loops(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg, (void)arg_size;
    return (int)cf_parallel_for(
        cf_call_executor(call), 0, 1000, 0, exit_in_range, NULL, NULL);
}

static int
exit_in_fold(cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    (void)begin, (void)end, (void)partial, (void)data;
    return task_exits(call, NULL, 0);
}

static void
combine_nothing(void *partial, void *next, void *data)
{
    (void)partial, (void)next, (void)data;
}

static int
task_reduces(cf_call *call, const void *arg, size_t arg_size)
{
    int sum = 0;
    (void)arg, (void)arg_size;
    return (int)cf_parallel_reduce(cf_call_executor(call),
                                   0,
                                   1000,
                                   0,
                                   exit_in_fold,
                                   combine_nothing,
                                   &sum,
                                   sizeof sum,
                                   NULL,
                                   &sum);
}

static int
task_maps(cf_call *call, const void *arg, size_t arg_size)
{
    int items[100], results[100];
    (void)arg, (void)arg_size;
    for (int i = 0; i < 100; i++)
        items[i] = 2 + (i == 50);
    return (int)cf_map_array(cf_call_executor(call),
                             task_exits_if_odd,
                             items,
                             sizeof(int),
                             100,
                             results,
                             sizeof(int),
                             NULL);
}

CF_THREAD_TEST(a_loop_whose_caller_runs_the_range_that_ends_it_loses_no_memory)
{
    cf_executor *ex = test_executor(2);
    cf_task_fn *const loops[] = {task_loops, task_reduces, task_maps};
    for (int i = 0; i < 40; i++) {
        cf_future *f = must_submit(ex, loops[i % 3], NULL, 0);
        cf_err err = cf_future_result(f, CF_FOREVER, NULL);
        /* In another worker, or in its own. */
        cr_assert(err == CF_ETASK || err == CF_EWORKERDIED);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

/* arg: where the futures go that it waits for. It does not come back. */
static int
task_waits_for_first(cf_call *call, const void *arg, size_t arg_size)
{
    cf_future **f;
    memcpy(&f, arg, arg_size);
    for (int i = 0; i < 2; i++)
        if (cf_submit(cf_call_executor(call), task_exits, NULL, 0, &f[i]))
            return 1;
    return (int)cf_wait(f, 2, CF_FIRST_COMPLETED, CF_FOREVER, NULL);
}

CF_THREAD_TEST(a_wait_that_runs_a_task_that_ends_the_thread_loses_no_memory)
{
    cf_executor *ex = test_executor(1);
    cf_future *inner_ones[2], **where = inner_ones;
    cf_future *f = must_submit(ex, task_waits_for_first, &where, sizeof where);
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EWORKERDIED);
    cf_future_unref(f);
    for (int i = 0; i < 2; i++)
        assert_err(cf_future_result(inner_ones[i], CF_FOREVER, NULL),
                   CF_EWORKERDIED);
    unref_all(inner_ones, 2);
    cf_executor_destroy(ex);
}

/* --- finalizers (initializers: test_broken.c) ---------------------------- */

static void
exit_in_finalizer(void *init_data, void *worker_data)
{
    (void)worker_data;
    count_free(init_data);
    pthread_exit(NULL);
}

#if CF_CONCURRENT && CF_SHARES_MEMORY
CF_TEST(a_finalizer_that_ends_its_thread_does_no_harm)
{
    atomic_int *calls = counter_new();
    cf_executor *ex = test_pool((test_options){
        .max_workers = 1, .finalizer = exit_in_finalizer, .init_data = calls});
    cf_future *f = must_submit(ex, task_square, &(int){3}, sizeof(int));
    cr_assert(int_result(f) == 9);
    cf_executor_destroy(ex);
    cr_assert(*calls == 1, "%d", *calls);
    cf_future_unref(f);
}
#else
CF_NO_TEST(unused)
{
    (void)exit_in_finalizer;
}
#endif
