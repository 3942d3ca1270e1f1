/* SPDX-License-Identifier: MIT */
/*
 * What steps and ends of an iterator cost: no more when there are many futures
 * or iterators.
 */
#define _GNU_SOURCE
#include "tests/conformance/conformance.h"

#include <sched.h>
#include <stdlib.h>
#include <time.h>

/* Nanoseconds that this thread has run. */
static int64_t
thread_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

enum { ROUNDS = 200 };

/* Hands a promise over to the thread that completes it. */
typedef struct handover {
    size_t pending;
    _Atomic(cf_future *) given;
    int64_t cost; /* of a round, ns */
} handover;

static void *
complete_what_is_given(void *data)
{
    handover *h = data;
    for (int i = 0; i < ROUNDS; i++) {
        cf_future *f;
        while (!(f = atomic_exchange(&h->given, NULL)))
            sched_yield();
        (void)cf_future_set_result(f, NULL, 0);
        cf_future_unref(f);
    }
    return NULL;
}

/* Many futures stay pending in the iterator; one after the other comes out. */
static int
task_iterates(cf_call *call, const void *arg, size_t arg_size)
{
    handover *h = (handover *)(uintptr_t)arg;
    cf_future **fs = malloc(h->pending * sizeof(cf_future *));
    cf_as_completed *it = NULL;
    (void)call;
    (void)arg_size;
    for (size_t i = 0; i < h->pending; i++)
        fs[i] = promise();
    cr_assert(cf_as_completed_create(fs, h->pending, &it) == CF_OK);
    for (int i = -1; i < ROUNDS; i++) {
        cf_future *f, *out;
        if (i == 0) /* the first round grows what has to grow */
            h->cost = thread_time();
        f = i < 0 ? promise_in(CF_FINISHED, false) : promise();
        cr_assert(cf_as_completed_add(it, f) == CF_OK);
        if (i >= 0)
            atomic_store(&h->given, f);
        else
            cf_future_unref(f);
        cr_assert(cf_as_completed_next(it, CF_FOREVER, &out) == CF_OK);
        cr_assert(out == f);
    }
    h->cost = (thread_time() - h->cost) / ROUNDS;
    cf_as_completed_destroy(it);
    unref_all(fs, h->pending);
    free(fs);
    return 0;
}

static int64_t
cost_of_next(cf_executor *ex, size_t pending)
{
    handover h = {.pending = pending};
    pthread_t thread;
    cr_assert(pthread_create(&thread, NULL, complete_what_is_given, &h) == 0);
    cf_future *f = must_submit(ex, task_iterates, &h, 0);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    pthread_join(thread, NULL);
    cf_future_unref(f);
    return h.cost;
}

CF_THREAD_TEST(a_step_in_a_task_costs_the_same_however_many_are_pending)
{
    cf_executor *ex = test_executor(1);
    int64_t few = cost_of_next(ex, 10);
    int64_t many = cost_of_next(ex, 100000);
    cr_assert(many < 10 * few + 200000,
              "%lld ns instead of %lld",
              (long long)many,
              (long long)few);
    cf_executor_destroy(ex);
}

/* The cost of ending so many iterators over one promise. */
static int64_t
cost_of_ending(cf_as_completed **its, int count, bool oldest_first)
{
    cf_future *f = promise();
    for (int i = 0; i < count; i++)
        assert_ok(cf_as_completed_create(&f, 1, &its[i]));
    int64_t cost = thread_time();
    for (int i = 0; i < count; i++)
        cf_as_completed_destroy(its[oldest_first ? i : count - 1 - i]);
    cf_future_unref(f);
    return thread_time() - cost;
}

CF_TEST(iterators_over_one_future_end_quickly_in_any_order)
{
    enum { COUNT = 20000 };
    static cf_as_completed *its[COUNT];
    int64_t newest = cost_of_ending(its, COUNT, false);
    int64_t oldest = cost_of_ending(its, COUNT, true);
    cr_assert(oldest < 10 * newest + 100000000,
              "%lld ns instead of %lld",
              (long long)oldest,
              (long long)newest);
}
