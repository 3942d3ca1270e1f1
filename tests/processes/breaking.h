/* SPDX-License-Identifier: MIT */
/*
 * What a process pool that is broken for good looks like.
 */
#ifndef CF_TESTS_BREAKING_H
#define CF_TESTS_BREAKING_H

#include "tests/processes/processes.h"

static inline const cf_error *
expect_broken(cf_future *f)
{
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EBROKEN);
    assert_state(f, CF_FINISHED);
    const cf_error *error = cf_future_error(f);
    cr_assert_not_null(error);
    cr_assert(error->kind == CF_EBROKEN && error->message[0] != '\0');
    return error;
}

/* Now, or as soon as the pool notices. */
static inline void
await_broken(cf_executor *ex)
{
    cf_err err;
    do {
        err = cf_submit(ex, task_nothing, NULL, 0, NULL);
    } while (err == CF_OK && sched_yield() == 0);
    cr_assert(err == CF_EBROKEN, "%s", cf_err_name(err));
    assert_err(cf_submit_many(ex, task_nothing, NULL, 0, 3, NULL), CF_EBROKEN);
}

/* It can be ended as any other, and nothing is left. */
static inline void
end_broken(cf_executor *ex)
{
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    cf_executor_destroy(ex);
    process_await_found(own_prefix(), 0);
}

#endif
