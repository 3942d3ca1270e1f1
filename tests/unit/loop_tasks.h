/* SPDX-License-Identifier: MIT */
/*
 * For unit tests of the event loop: a task that waits for a future, and what it
 * has got.
 */
#ifndef CF_TESTS_LOOP_TASKS_H
#define CF_TESTS_LOOP_TASKS_H

#include <cfutures/cfutures.h>

#include <criterion/criterion.h>
#include <string.h>

#define assert_ok(call) cr_assert((call) == CF_OK, "%s", #call)

static inline cf_future *
submit(cf_executor *ex, cf_task_fn *fn, const void *arg, size_t arg_size)
{
    cf_future *f = NULL;
    assert_ok(cf_submit(ex, fn, arg, arg_size, &f));
    return f;
}

/* Waits for the future that arg is; its result is what the wait has said. */
static inline int
wait_for(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    cf_err err = cf_future_wait((cf_future *)arg, CF_FOREVER);
    return cf_return(call, &err, sizeof err);
}

/* What a task has returned as its result. */
static inline cf_err
err_of(cf_future *f)
{
    cf_bytes bytes;
    cf_err err = CF_ESYS;
    assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
    memcpy(&err, bytes.data, sizeof err);
    return err;
}

#endif
