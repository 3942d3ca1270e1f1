/* SPDX-License-Identifier: MIT */
/*
 * Initializers and finalizers of workers. Pools only: these are their options.
 * Initializers that fail are in test_broken.c.
 */
#include "tests/conformance/lives.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

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
