/* SPDX-License-Identifier: MIT */
/*
 * Initializers and finalizers of workers, and pools that a failing initializer
 * has broken. Pools only: these are their options.
 */
#include "tests/conformance/conformance.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* What the initializers and finalizers of one pool did; in shared memory. */
typedef struct lives {
    atomic_int begun;
    atomic_int ended;
    int fail_from; /* initializers from this one on fail; < 0: none */
    int passes;    /* so many initializers go on at once; */
    gate *entered; /* the others wait here first */
} lives;

/* All succeed, and the first `passes` go on at once. */
static lives *
lives_new(int passes)
{
    lives *l = shared_new(sizeof *l);
    l->fail_from = -1;
    l->passes = passes;
    l->entered = gate_new();
    return l;
}

/* Those from `fail_from` on fail. */
static lives *
lives_failing(int fail_from, int passes)
{
    lives *l = lives_new(passes);
    l->fail_from = fail_from;
    return l;
}

static int
begin_life(cf_call *call, void *init_data, void **worker_data)
{
    lives *l = init_data;
    int n = atomic_fetch_add(&l->begun, 1);
    if (n >= l->passes)
        gate_pass(l->entered);
    if (l->fail_from >= 0 && n >= l->fail_from)
        return cf_fail(call, 31, "life %d is not wanted", n);
    int *data = malloc(sizeof *data);
    if (data == NULL)
        return cf_fail(call, 1, "no memory");
    *data = cf_call_worker(call);
    *worker_data = data;
    return 0;
}

static void
end_life(void *init_data, void *worker_data)
{
    lives *l = init_data;
    free(worker_data);
    atomic_fetch_add(&l->ended, 1);
}

static cf_executor *
living_pool(lives *l, int workers)
{
    return test_pool((test_options){.max_workers = workers,
                                    .initializer = begin_life,
                                    .finalizer = end_life,
                                    .init_data = l});
}

/* Succeeds if the worker's data is the worker's own. */
static int
task_checks_worker(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    const int *data = cf_call_worker_data(call);
    if (data == NULL || *data != cf_call_worker(call))
        return cf_fail(call, 1, "not this worker's data");
    if (arg != NULL)
        gate_pass((gate *)arg);
    return 0;
}

/* CPython: test_init.InitializerMixin.test_initializer */
CF_WORKERS_TEST(CF_TEST, every_worker_is_initialized_once_before_its_tasks)
{
    enum { WORKERS = 4 };
    lives *l = lives_new(0);
    gate_open(l->entered);
    cf_executor *ex = living_pool(l, WORKERS);
    gate *g = gate_new();
    cf_future *fs[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        fs[i] = must_submit(ex, task_checks_worker, g, 0);
    gate_await(g, WORKERS); /* so that every worker has one */
    gate_open(g);
    for (int i = 0; i < WORKERS; i++)
        assert_ok(cf_future_result(fs[i], CF_FOREVER, NULL));
    unref_all(fs, WORKERS);
    for (int i = 0; i < 100; i++)
        assert_ok(cf_submit(ex, task_checks_worker, NULL, 0, NULL));
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cf_stats stats;
    assert_ok(cf_executor_stats(ex, &stats));
    cr_assert(stats.failed == 0);
    cr_assert(l->begun == WORKERS && l->ended == 0);
    cf_executor_destroy(ex);
    cr_assert(l->begun == WORKERS);
    cr_assert(l->ended == WORKERS, "%d finalizers", l->ended);
}

CF_TEST(no_worker_no_initializer)
{
    lives *l = lives_failing(0, 0);
    cf_executor_destroy(living_pool(l, 4));
    cr_assert(l->begun == 0 && l->ended == 0);
}

static void
expect_broken(cf_future *f)
{
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EBROKEN);
    assert_state(f, CF_FINISHED);
    const cf_error *error = cf_future_error(f);
    cr_assert_not_null(error);
    cr_assert(error->kind == CF_EBROKEN && error->code == 31);
    cr_assert_str_eq(error->message, "life 0 is not wanted");
    cr_assert(strstr(error->file, "test_init.c") && error->line > 0);
}

/* CPython: test_init.FailingInitializerMixin.test_initializer */
CF_TEST(a_failing_initializer_breaks_pending_and_later_tasks)
{
    lives *l = lives_failing(0, 0);
    cf_executor *ex = living_pool(l, 1);
    atomic_int *frees = counter_new();
    atomic_int *calls = counter_new();
    cf_task task = CF_TASK_INIT;
    task.fn = task_count;
    task.arg = frees; /* would count a run as a free */
    task.arg_free = count_free;
    cf_future *fs[20];
    for (int i = 0; i < 20; i++) {
        assert_ok(cf_submit_task(ex, &task, &fs[i]));
        assert_ok(cf_future_on_done(fs[i], count_done, calls));
    }
    assert_ok(cf_submit_task(ex, &task, NULL));
    gate_open(l->entered);
    for (int i = 0; i < 20; i++)
        expect_broken(fs[i]);
    assert_ok(cf_wait(fs, 20, CF_ALL_COMPLETED, CF_FOREVER, NULL));
    assert_err(cf_submit(ex, task_nothing, NULL, 0, NULL), CF_EBROKEN);
    assert_err(cf_submit_many(ex, task_nothing, NULL, 0, 2, NULL), CF_EBROKEN);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    assert_err(cf_submit(ex, task_nothing, NULL, 0, NULL), CF_EBROKEN);
    cr_assert(*frees == 21, "%d", *frees);
    cr_assert(*calls == 20);
    unref_all(fs, 20);
    cf_executor_destroy(ex);
    cr_assert(l->ended == 0, "no finalizer without a successful initializer");
}

/* In CPython one cancelled future in the queue stops the clearing of it. */
CF_TEST(a_cancelled_task_does_not_stop_the_others_from_breaking)
{
    lives *l = lives_failing(0, 0);
    cf_executor *ex = living_pool(l, 1);
    cf_future *fs[6];
    for (int i = 0; i < 6; i++)
        fs[i] = must_submit(ex, task_nothing, NULL, 0);
    cr_assert(cf_future_cancel(fs[0]) && cf_future_cancel(fs[3]));
    gate_open(l->entered);
    for (int i = 0; i < 6; i++) {
        if (i == 0 || i == 3)
            assert_state(fs[i], CF_CANCELED);
        else
            expect_broken(fs[i]);
    }
    unref_all(fs, 6);
    cf_executor_destroy(ex);
}

/* While the thread that breaks the pool is in a callback, another worker takes
 * the rest. */
CF_WORKERS_TEST(CF_THREAD_TEST,
                a_worker_that_is_free_when_the_pool_breaks_fails_tasks_too)
{
    lives *l = lives_failing(1, 1);
    gate *g = gate_new(), *in_callback = gate_new();
    cf_executor *ex = test_pool((test_options){
        .max_workers = 2, .initializer = begin_life, .init_data = l});
    cf_future *held, *f[2];
    occupy(ex, g, 1, &held);
    for (int i = 0; i < 2; i++)
        f[i] = must_submit(ex, task_nothing, NULL, 0);
    assert_ok(cf_future_on_done(f[0], hold_done, in_callback));
    gate_open(l->entered);
    gate_await(in_callback, 1);
    assert_state(f[1], CF_PENDING);
    gate_open(g);
    assert_err(cf_future_result(f[1], CF_FOREVER, NULL), CF_EBROKEN);
    gate_open(in_callback);
    assert_err(cf_future_result(f[0], CF_FOREVER, NULL), CF_EBROKEN);
    assert_ok(cf_future_result(held, CF_FOREVER, NULL));
    unref_all(f, 2);
    cf_future_unref(held);
    cf_executor_destroy(ex);
}

CF_WORKERS_TEST(CF_TEST, tasks_that_run_when_the_pool_breaks_finish)
{
    lives *l = lives_failing(1, 1);
    cf_executor *ex = living_pool(l, 2);
    gate *g = gate_new();
    cf_future *held = must_submit(ex, task_checks_worker, g, 0);
    gate_await(g, 1);
    /* For this one there is only the second worker, which fails. */
    cf_future *broken = must_submit(ex, task_nothing, NULL, 0);
    gate_open(l->entered);
    assert_err(cf_future_result(broken, CF_FOREVER, NULL), CF_EBROKEN);
    assert_state(held, CF_RUNNING);
    assert_err(cf_submit(ex, task_nothing, NULL, 0, NULL), CF_EBROKEN);
    gate_open(g);
    assert_ok(cf_future_result(held, CF_FOREVER, NULL));
    cf_executor_destroy(ex);
    cr_assert(l->ended == 1, "%d", l->ended);
    cf_future_unref(held);
    cf_future_unref(broken);
}

/* CPython: test_thread_pool.test_idle_thread_reuse,
 * test_process_pool.test_idle_process_reuse_one */
CF_TEST(one_task_after_the_other_initializes_one_worker)
{
    for (int round = 0; round < 50; round++) {
        lives *l = lives_new(4);
        cf_executor *ex = living_pool(l, 4);
        for (int i = 0; i < 3; i++) {
            assert_ok(cf_submit(ex, task_checks_worker, NULL, 0, NULL));
            assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
        }
        cf_executor_destroy(ex);
        cr_assert(l->begun == 1, "%d initializers", l->begun);
    }
}

/* The first initializer returns at once, the second one holds. */
static int
initialize_second_slowly(cf_call *call, void *init_data, void **worker_data)
{
    static atomic_int calls;
    (void)call;
    (void)worker_data;
    if (atomic_fetch_add(&calls, 1) == 1)
        gate_pass(init_data);
    return 0;
}

CF_WORKERS_TEST(CF_THREAD_TEST,
                a_worker_in_its_initializer_keeps_no_pool_from_being_idle)
{
    gate *slow = gate_new(), *g = gate_new();
    cf_executor *ex =
        test_pool((test_options){.max_workers = 2,
                                 .initializer = initialize_second_slowly,
                                 .init_data = slow});
    cf_future *held, *other;
    occupy(ex, g, 1, &held);
    other = must_submit(ex, task_nothing, NULL, 0);
    gate_await(slow, 1);
    assert_err(cf_executor_wait_idle(ex, 0), CF_ETIMEDOUT);
    gate_open(g);
    assert_ok(cf_future_wait(other, CF_FOREVER));
    assert_ok(cf_executor_wait_idle(ex, CF_SECONDS(5)));
    gate_open(slow);
    cf_executor_destroy(ex);
    cf_future_unref(held);
    cf_future_unref(other);
}

/* A pool whose second initializer submits a task and waits for it. */
struct nesting {
    cf_executor *ex;
    gate *nested;
    atomic_int initializers;
};

static int
initialize_by_a_task(cf_call *call, void *init_data, void **worker_data)
{
    struct nesting *n = init_data;
    cf_future *f = NULL;
    (void)call, (void)worker_data;
    if (atomic_fetch_add(&n->initializers, 1) == 0)
        return 0;
    f = must_submit(n->ex, task_hold, n->nested, 0);
    (void)cf_future_wait(f, CF_FOREVER);
    cf_future_unref(f);
    return 0;
}

CF_WORKERS_TEST(CF_THREAD_TEST, a_task_that_an_initializer_runs_is_work)
{
    struct nesting n = {.nested = gate_new()};
    gate *g = gate_new();
    cf_future *held, *other;
    n.ex = test_pool((test_options){.max_workers = 2,
                                    .initializer = initialize_by_a_task,
                                    .init_data = &n});
    occupy(n.ex, g, 1, &held);
    other = must_submit(n.ex, task_nothing, NULL, 0);
    gate_await(n.nested, 1);
    gate_open(g);
    assert_ok(cf_future_wait(other, CF_FOREVER));
    assert_err(cf_executor_wait_idle(n.ex, CF_SECONDS(1) / 5), CF_ETIMEDOUT);
    gate_open(n.nested);
    assert_ok(cf_executor_wait_idle(n.ex, CF_SECONDS(5)));
    cf_future_unref(held);
    cf_future_unref(other);
    cf_executor_destroy(n.ex);
}

/* Lets the callbacks be added before it fails. */
static int
initialize_in_vain(cf_call *call, void *init_data, void **worker_data)
{
    (void)worker_data;
    gate_pass(init_data);
    return cf_fail(call, 1, "in vain");
}

static void
hold_in_callback(cf_future *f, void *data)
{
    (void)f;
    gate_pass(data);
}

CF_THREAD_TEST(a_pool_that_breaks_is_not_idle_while_it_calls_back)
{
    gate *begin = gate_new(), *called = gate_new();
    cf_executor *ex =
        test_pool((test_options){.max_workers = 1,
                                 .initializer = initialize_in_vain,
                                 .init_data = begin});
    cf_future *f = must_submit(ex, task_nothing, NULL, 0);
    assert_ok(cf_future_on_done(f, hold_in_callback, called));
    gate_open(begin);
    gate_await(called, 1);
    assert_err(cf_executor_wait_idle(ex, 0), CF_ETIMEDOUT);
    gate_open(called);
    assert_ok(cf_executor_wait_idle(ex, CF_SECONDS(5)));
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

static void
end_thread_in_callback(cf_future *f, void *data)
{
    (void)f;
    count_done(f, data);
    pthread_exit(NULL);
}

CF_THREAD_TEST(a_callback_that_ends_the_breaking_thread_stops_no_other)
{
    gate *begin = gate_new();
    atomic_int *calls = counter_new();
    cf_executor *ex =
        test_pool((test_options){.max_workers = 1,
                                 .initializer = initialize_in_vain,
                                 .init_data = begin});
    cf_future *fs[3];
    for (int i = 0; i < 3; i++) {
        fs[i] = must_submit(ex, task_nothing, NULL, 0);
        assert_ok(cf_future_on_done(
            fs[i], i == 0 ? end_thread_in_callback : count_done, calls));
    }
    gate_open(begin);
    for (int i = 0; i < 3; i++)
        assert_err(cf_future_result(fs[i], CF_FOREVER, NULL), CF_EBROKEN);
    assert_ok(cf_executor_shutdown(ex, 0, CF_SECONDS(5)));
    cr_assert(*calls == 3, "%d", *calls);
    unref_all(fs, 3);
    cf_executor_destroy(ex);
}

struct submitter {
    cf_executor *ex;
    atomic_bool stop;
    cf_err last; /* error; read after it was joined */
};

static void *
submit_until_stopped(void *data)
{
    struct submitter *s = data;
    while (!s->stop) {
        cf_err err = cf_submit(s->ex, task_nothing, NULL, 0, NULL);
        s->last = err ? err : s->last;
    }
    return NULL;
}

CF_TEST(submits_that_a_shutdown_refuses_initialize_no_worker)
{
    for (int round = 0; round < 50; round++) {
        lives *l = lives_new(1000);
        struct submitter s = {.ex = living_pool(l, 1)};
        pthread_t thread;
        cr_assert(pthread_create(&thread, NULL, submit_until_stopped, &s) == 0);
        while (l->begun == 0)
            sched_yield();
        assert_ok(cf_executor_shutdown(s.ex, 0, CF_FOREVER));
        s.stop = true;
        pthread_join(thread, NULL);
        cr_assert(s.last == CF_OK || s.last == CF_ESHUTDOWN);
        cf_executor_destroy(s.ex);
        cr_assert(l->begun == 1, "%d initializers", l->begun);
    }
}

static int
begin_without_record(cf_call *call, void *init_data, void **worker_data)
{
    (void)call;
    (void)init_data;
    (void)worker_data;
    return -4;
}

CF_TEST(an_initializer_may_fail_with_a_bare_code)
{
    cf_executor *ex = test_pool(
        (test_options){.max_workers = 1, .initializer = begin_without_record});
    cf_future *f = NULL;
    cf_err err = cf_submit(ex, task_nothing, NULL, 0, &f);
    assert_ok(err);
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EBROKEN);
    cr_assert(cf_future_error(f)->code == -4);
    cr_assert_str_eq(cf_future_error(f)->message, "");
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(the_last_future_can_be_read_after_a_broken_pool_is_gone)
{
    lives *l = lives_failing(0, 0);
    cf_executor *ex = living_pool(l, 1);
    cf_future *f = must_submit(ex, task_nothing, NULL, 0);
    gate_open(l->entered);
    cf_executor_destroy(ex);
    expect_broken(f);
    cf_future_unref(f);
}

/* A finalizer that shows on which worker's data it was called. */
static void
end_and_note(void *init_data, void *worker_data)
{
    journal_add(init_data, *(int *)worker_data);
    free(worker_data);
}

static int
begin_with_index(cf_call *call, void *init_data, void **worker_data)
{
    (void)init_data;
    int *data = malloc(sizeof *data);
    if (data == NULL)
        return 1;
    *data = cf_call_worker(call);
    *worker_data = data;
    return 0;
}

CF_WORKERS_TEST(CF_TEST, each_finalizer_gets_its_own_worker_s_data)
{
    enum { WORKERS = 3 };
    journal *j = journal_new();
    cf_executor *ex = test_pool((test_options){.max_workers = WORKERS,
                                               .initializer = begin_with_index,
                                               .finalizer = end_and_note,
                                               .init_data = j});
    gate *g = gate_new();
    cf_future *held[WORKERS];
    occupy(ex, g, WORKERS, held);
    gate_open(g);
    cf_executor_destroy(ex);
    cr_assert(j->length == WORKERS);
    int mask = 0;
    for (int i = 0; i < WORKERS; i++)
        mask |= 1 << j->entries[i];
    cr_assert(mask == 7, "each index once");
    unref_all(held, WORKERS);
}
