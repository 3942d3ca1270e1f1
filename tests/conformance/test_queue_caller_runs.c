/* SPDX-License-Identifier: MIT */
/*
 * Bounded queues with CF_QUEUE_CALLER_RUNS: the submitter runs what does not
 * fit. Pools only: these are their options.
 */
#define _GNU_SOURCE
#include "tests/conformance/bounded.h"

#include <unistd.h>

typedef struct caller_facts {
    pid_t thread;
    int worker;
    void *data;
} caller_facts;

static int
task_caller(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    caller_facts facts = {
        gettid(), cf_call_worker(call), cf_call_worker_data(call)};
    return cf_return(call, &facts, sizeof facts) != CF_OK;
}

CF_TEST(with_caller_runs_the_submitter_runs_what_does_not_fit)
{
    bounded b;
    bounded_begin(&b, 1, CF_QUEUE_CALLER_RUNS);
    cf_future *queued = must_submit(b.ex, task_caller, NULL, 0);
    assert_state(queued, CF_PENDING);
    cf_future *f = must_submit(b.ex, task_caller, NULL, 0);
    assert_state(f, CF_FINISHED);
    cf_bytes bytes = {NULL, 0};
    assert_ok(cf_future_result(f, 0, &bytes));
    caller_facts facts;
    memcpy(&facts, bytes.data, sizeof facts);
    cr_assert(facts.thread == gettid());
    cr_assert(facts.worker == -1, "worker %d", facts.worker);
    cr_assert_null(facts.data);
    cf_future_unref(f);

    f = must_submit(b.ex, task_fail, &(int){8}, sizeof(int));
    assert_err(cf_future_result(f, 0, NULL), CF_ETASK);
    cr_assert(cf_future_error(f)->code == 8);
    cr_assert(cf_future_error(f)->worker == -1);
    cf_future_unref(f);
    bounded_end(&b);
    cf_future_unref(queued);
}

CF_TEST(with_caller_runs_a_batch_runs_too)
{
    bounded b;
    bounded_begin(&b, 2, CF_QUEUE_CALLER_RUNS);
    atomic_int *ran = counter_new();
    cf_future *fs[2];
    for (int i = 0; i < 2; i++)
        assert_ok(cf_submit(b.ex, task_count, ran, 0, NULL));
    assert_ok(cf_submit_many(b.ex, task_count, ran, 0, 2, fs));
    for (int i = 0; i < 2; i++)
        assert_ok(cf_future_result(fs[i], 0, NULL));
    cr_assert(*ran == 2, "%d", *ran);
    bounded_end(&b);
    cr_assert(*ran == 4);
    unref_all(fs, 2);
}

/* --- tasks that their submitter runs, and that submit --------------------- */

enum { LINKS = 50000 };

/* Counts, and submits its successor. */
static int
task_goes_on(cf_call *call, const void *arg, size_t arg_size)
{
    atomic_int *links = (atomic_int *)(uintptr_t)arg;
    (void)arg_size;
    if (atomic_fetch_add(links, 1) + 1 == LINKS)
        return 0;
    return cf_submit(cf_call_executor(call), task_goes_on, links, 0, NULL);
}

typedef struct first_link {
    cf_executor *ex;
    atomic_int *links;
    cf_err err;
} first_link;

static void *
submit_first_link(void *data)
{
    first_link *first = data;
    first->err = cf_submit(first->ex, task_goes_on, first->links, 0, NULL);
    return NULL;
}

/* The only worker is held: all links run in the first one's submit. */
CF_TEST(with_caller_runs_a_chain_of_tasks_needs_no_stack)
{
    bounded b;
    bounded_begin(&b, 1, CF_QUEUE_CALLER_RUNS);
    assert_ok(cf_submit(b.ex, task_nothing, NULL, 0, NULL));
    first_link first = {.ex = b.ex, .links = counter_new()};
    pthread_attr_t attr;
    pthread_t thread;
    pthread_attr_init(&attr);
    cr_assert(pthread_attr_setstacksize(&attr, 512 << 10) == 0);
    cr_assert(pthread_create(&thread, &attr, submit_first_link, &first) == 0);
    pthread_join(thread, NULL);
    assert_ok(first.err);
    cr_assert(*first.links == LINKS, "%d", *first.links);
    cr_assert(queued(b.ex) == 1);
    bounded_end(&b);
}

/* Goes down until a submit leaves its task pending; there it submits, waits
 * for, cancels and leaves some. */
static int
task_puts_off(cf_call *call, const void *arg, size_t arg_size)
{
    cf_executor *ex = cf_call_executor(call);
    atomic_int *ran = (atomic_int *)(uintptr_t)arg;
    cf_future *fs[3], *out = NULL;
    cf_as_completed *it = NULL;
    (void)arg_size;
    if (atomic_fetch_add(ran, 1) + 1 < 64)
        return cf_submit(ex, task_puts_off, ran, 0, NULL);
    for (int i = 0; i < 3; i++) {
        fs[i] = must_submit(ex, task_square, &i, sizeof i);
        assert_state(fs[i], CF_PENDING);
    }
    assert_ok(cf_submit(ex, task_count, ran, 0, NULL));
    cr_assert(int_result(fs[1]) == 1);
    assert_ok(cf_as_completed_create(&fs[2], 1, &it));
    assert_ok(cf_as_completed_next(it, CF_FOREVER, &out));
    cr_assert(int_result(out) == 4);
    cf_as_completed_destroy(it);
    cr_assert(cf_future_cancel(fs[0]));
    unref_all(fs, 3);
    cr_assert(*ran == 64);
    return 0;
}

/* The only worker is held, so only the submitter can run them. */
CF_TEST(with_caller_runs_what_is_put_off_runs_when_it_is_waited_for)
{
    bounded b;
    bounded_begin(&b, 1, CF_QUEUE_CALLER_RUNS);
    assert_ok(cf_submit(b.ex, task_nothing, NULL, 0, NULL));
    atomic_int *ran = counter_new();
    cf_future *f = must_submit(b.ex, task_puts_off, ran, 0);
    assert_ok(cf_future_result(f, 0, NULL));
    cr_assert(*ran == 65, "%d", *ran);
    cr_assert(queued(b.ex) == 1);
    cf_future_unref(f);
    /* All places but that one are free again. */
    gate_open(b.g);
    assert_ok(cf_executor_wait_idle(b.ex, CF_FOREVER));
    f = must_submit(b.ex, task_nothing, NULL, 0);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    cr_assert(queued(b.ex) == 0);
    bounded_end(&b);
}

static int
task_releases(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg, (void)arg_size;
    cf_err err = cf_executor_release(cf_call_executor(call));
    return cf_return(call, &err, sizeof err) != CF_OK;
}

CF_TEST(with_caller_runs_no_task_releases_the_executor_of_its_submit)
{
    bounded b;
    bounded_begin(&b, 1, CF_QUEUE_CALLER_RUNS);
    cf_future *queued = must_submit(b.ex, task_nothing, NULL, 0);
    cf_future *f = must_submit(b.ex, task_releases, NULL, 0);
    cr_assert(int_result(f) == CF_EDEADLK);
    cf_future_unref(f);
    cr_assert(cf_executor_state(b.ex) == CF_EXECUTOR_OPEN);
    bounded_end(&b);
    assert_ok(cf_future_result(queued, 0, NULL));
    cf_future_unref(queued);
}
