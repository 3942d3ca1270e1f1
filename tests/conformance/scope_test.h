/* SPDX-License-Identifier: MIT */
/* A test of scopes runs in a task and in a plain thread. */
#ifndef CF_TESTS_CONFORMANCE_SCOPE_TEST_H
#define CF_TESTS_CONFORMANCE_SCOPE_TEST_H

#include "tests/conformance/conformance.h"

#include "tests/conformance/require.h"

#define MS INT64_C(1000000)
#define LONG CF_SECONDS(100)

/* Runs the function in a task, and in this thread. */
static inline void
run_both(cf_task_fn *fn)
{
    cf_executor *ex = test_executor(2);
    cf_future *f = must_submit(ex, fn, NULL, 0);
    cf_err err = cf_future_result(f, CF_FOREVER, NULL);
    cr_expect(err == CF_OK, "in a task: %s", cf_future_message(f));
    cf_future_unref(f);
    cf_executor_destroy(ex);
    int line = fn(NULL, NULL, 0);
    cr_expect(line == 0, "in a thread: line %d", line);
}

#define SCOPE_TEST(name)                                                       \
    static int name##_here(cf_call *call, const void *arg, size_t arg_size);   \
    CF_TEST(name)                                                              \
    {                                                                          \
        run_both(name##_here);                                                 \
    }                                                                          \
    static int name##_here(__attribute__((unused)) cf_call *call,              \
                           __attribute__((unused)) const void *arg,            \
                           __attribute__((unused)) size_t arg_size)

/* Each kind of wait that would sleep returns err; 0, or the line. */
static inline int
all_waits_return(cf_call *call, cf_err err)
{
    cf_future *f = promise(), *out;
    cf_as_completed *it;
    cf_event *event;
    REQUIRE(cf_event_create(&event) == CF_OK);
    REQUIRE(cf_event_wait(event, CF_FOREVER) == err);
    REQUIRE(cf_event_wait(event, LONG) == err);
    REQUIRE(cf_event_wait(event, 0) == CF_ETIMEDOUT);
    cf_event_destroy(event);
    REQUIRE(cf_future_wait(f, CF_FOREVER) == err);
    REQUIRE(cf_future_result(f, LONG, NULL) == err);
    REQUIRE(cf_wait(&f, 1, CF_ALL_COMPLETED, CF_FOREVER, NULL) == err);
    REQUIRE(cf_wait(&f, 1, CF_FIRST_COMPLETED, LONG, NULL) == err);
    REQUIRE(cf_as_completed_create(&f, 1, &it) == CF_OK);
    REQUIRE(cf_as_completed_next(it, CF_FOREVER, &out) == err);
    cf_as_completed_destroy(it);
    REQUIRE(cf_sleep(call, LONG) == err);
    REQUIRE(cf_sleep(call, CF_FOREVER) == err);
    REQUIRE(cf_yield(call) == err);
    REQUIRE(cf_future_wait(f, 0) == CF_ETIMEDOUT);
    REQUIRE(cf_future_set_result(f, NULL, 0) == CF_OK);
    REQUIRE(cf_future_wait(f, CF_FOREVER) == CF_OK);
    REQUIRE(cf_wait(&f, 1, CF_FIRST_COMPLETED, CF_FOREVER, NULL) == CF_OK);
    cf_future_unref(f);
    return 0;
}

#endif
