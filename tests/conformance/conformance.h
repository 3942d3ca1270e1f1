/* SPDX-License-Identifier: MIT */
/*
 * What every conformance test starts from. Each test_<area>.c is compiled once
 * per backend: CF_SUITE is the area, CF_CONCURRENT is 1 if tasks run beside
 * their submitter, CF_ONE_THREAD is 1 if they all run on one thread,
 * CF_SHARES_MEMORY is 1 if they run in its memory, and factory_<backend>.c
 * makes the executor.
 *
 * A test is written so that its tasks may run in processes that were forked
 * when test_executor() was called:
 *
 * - gates, journals, counters and all else that a task writes come from
 *   gate_new(), journal_new(), counter_new(), shared_new(), or from
 *   cf_shared_alloc();
 * - what an argument points to is such memory, or was written before
 *   test_executor();
 * - the program's own futures and executors mean nothing inside a task, but
 *   cf_call_executor() does.
 *
 * What is about the last point is a CF_SHARED_MEMORY_TEST or CF_THREAD_TEST.
 */
#ifndef CF_TESTS_CONFORMANCE_H
#define CF_TESTS_CONFORMANCE_H

#include <cfutures/cfutures.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/support/gate.h"
#include "tests/support/shared.h"
#include "tests/support/tasks.h"

/* --- the backend, by its factory ----------------------------------------- */

/* An executor of the backend under test with so many workers. */
cf_executor *test_executor(int workers);

/* What all pools can be told. */
typedef struct test_options {
    int max_workers;
    cf_initializer_fn *initializer;
    cf_finalizer_fn *finalizer;
    void *init_data;
    size_t queue_capacity;
    cf_queue_policy queue_policy;
} test_options;

/* A pool of the backend under test; the inline executor has no such thing. */
cf_executor *test_pool(test_options options);

/* How cf_executor_name() and cf_executor_open() call it. */
extern const char test_name[];
extern const char test_spec[];

/* --- tests ---------------------------------------------------------------- */

#define CF_TEST(...) CF_TEST_(CF_SUITE, __VA_ARGS__)
#define CF_TEST_(suite, ...) Test(suite, __VA_ARGS__)
#define CF_NO_TEST(...) CF_NO_TEST_(__VA_ARGS__, 0)
#define CF_NO_TEST_(name, ...) __attribute__((unused)) static void name(void)

/* A test with tasks that hold while the submitter goes on: on a backend that
 * runs tasks in cf_submit() itself it is compiled, but no test. */
#if CF_CONCURRENT
#define CF_CONCURRENT_TEST(...) CF_TEST(__VA_ARGS__)
#else
#define CF_CONCURRENT_TEST(...) CF_NO_TEST(__VA_ARGS__)
#endif

/* A test with tasks that use the program's own futures and executors: on a
 * backend whose tasks have a memory of their own it is compiled, but no
 * test. */
#if CF_SHARES_MEMORY
#define CF_SHARED_MEMORY_TEST(...) CF_TEST(__VA_ARGS__)
#else
#define CF_SHARED_MEMORY_TEST(...) CF_NO_TEST(__VA_ARGS__)
#endif

/* Both: for workers that are threads of the program. */
#if CF_CONCURRENT && CF_SHARES_MEMORY
#define CF_THREAD_TEST(...) CF_TEST(__VA_ARGS__)
#else
#define CF_THREAD_TEST(...) CF_NO_TEST(__VA_ARGS__)
#endif

/* A test of what only several workers beside each other can have, or of how
 * many there are: on a backend with one thread for all tasks it is compiled,
 * but no test. KIND is CF_TEST or one of the above. */
#if CF_ONE_THREAD
#define CF_WORKERS_TEST(kind, ...) CF_NO_TEST(__VA_ARGS__)
#else
#define CF_WORKERS_TEST(kind, ...) kind(__VA_ARGS__)
#endif

/* So many rounds of what makes a pool each time; fewer where that means to
 * fork processes. */
#define POOL_ROUNDS(n) (CF_SHARES_MEMORY ? (n) : ((n) + 19) / 20)

/* The call must give this cf_err; says which one came instead. */
#define assert_err(call, expected)                                             \
    do {                                                                       \
        cf_err got_ = (call);                                                  \
        cr_assert(got_ == (expected), "%s: %s", #call, cf_err_name(got_));     \
    } while (0)

#define assert_ok(call) assert_err(call, CF_OK)

#define assert_state(f, expected)                                              \
    do {                                                                       \
        cf_state got_ = cf_future_state(f);                                    \
        cr_assert(got_ == (expected), "%s is %s", #f, cf_state_name(got_));    \
    } while (0)

/* Submits and returns the future; the submit must succeed. */
static inline cf_future *
must_submit(cf_executor *ex, cf_task_fn *fn, const void *arg, size_t arg_size)
{
    cf_future *f = NULL;
    assert_ok(cf_submit(ex, fn, arg, arg_size, &f));
    cr_assert(f != NULL, "CF_OK without a future");
    return f;
}

/* The int that a task returned; the task must have succeeded. */
static inline int
int_result(cf_future *f)
{
    cf_bytes bytes = {NULL, 0};
    assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
    cr_assert(bytes.size == sizeof(int), "%zu bytes", bytes.size);
    int n;
    memcpy(&n, bytes.data, sizeof n);
    return n;
}

/* Drops count futures. */
static inline void
unref_all(cf_future **futures, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cf_future_unref(futures[i]);
}

/* A future that is completed by hand. */
static inline cf_future *
promise(void)
{
    cf_future *f = NULL;
    assert_ok(cf_future_create(&f));
    cr_assert(f != NULL, "CF_OK without a future");
    return f;
}

/* A promise in the given state; with failed it is finished by an error. */
static inline cf_future *
promise_in(cf_state state, bool failed)
{
    cf_future *f = promise();
    if (state == CF_RUNNING)
        cr_assert(cf_future_start(f), "refused");
    if (state == CF_CANCELED)
        cr_assert(cf_future_cancel(f), "refused");
    if (state == CF_FINISHED && !failed)
        assert_ok(cf_future_set_result(f, &(int){42}, sizeof(int)));
    if (state == CF_FINISHED && failed) {
        cf_error error = CF_ERROR_INIT;
        error.code = 5;
        error.message = "five";
        assert_ok(cf_future_set_error(f, &error));
    }
    return f;
}

#endif
