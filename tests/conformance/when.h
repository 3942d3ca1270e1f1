/* SPDX-License-Identifier: MIT */
/*
 * Tasks that wait for others, in tests.
 */
#ifndef CF_TESTS_WHEN_H
#define CF_TESTS_WHEN_H

#include "tests/conformance/conformance.h"

#include <stdlib.h>

/* Submits a task that waits for count inputs; the submit must succeed. */
static inline cf_future *
must_submit_when(cf_executor *ex,
                 const cf_task *task,
                 cf_future *const *inputs,
                 size_t count)
{
    cf_future *f = NULL;
    assert_ok(cf_submit_when(ex, task, inputs, count, &f));
    cr_assert(f != NULL, "CF_OK without a future");
    return f;
}

/* A task that adds 1 to a counter when count inputs are done. */
static inline cf_future *
count_when(cf_executor *ex,
           atomic_int *counter,
           cf_future *const *inputs,
           size_t count)
{
    return must_submit_when(
        ex, &CF_TASK(.fn = task_count, .arg = counter), inputs, count);
}

/* Finishes a promise with 42. */
static inline void
keep(cf_future *f)
{
    assert_ok(cf_future_set_result(f, &(int){42}, sizeof(int)));
}

/* Finishes a promise with the code 5 and "five". */
static inline void
break_promise(cf_future *f)
{
    cf_error error = CF_ERROR_INIT;
    error.code = 5;
    error.message = "five";
    assert_ok(cf_future_set_error(f, &error));
}

/* f has failed in that way. */
static inline void
expect_error(cf_future *f, cf_err kind, const char *message)
{
    assert_err(cf_future_result(f, CF_FOREVER, NULL), kind);
    assert_state(f, CF_FINISHED);
    cr_assert(cf_future_error(f) != NULL);
    cr_assert_str_eq(cf_future_error(f)->message, message);
}

static inline cf_stats
stats_of(cf_executor *ex)
{
    cf_stats stats;
    assert_ok(cf_executor_stats(ex, &stats));
    return stats;
}

#endif
