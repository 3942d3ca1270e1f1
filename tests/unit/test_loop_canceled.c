/* SPDX-License-Identifier: MIT */
/* A task of a loop waits for a task of a pool, which is cancelled. */
#include <cfutures/event_loop.h>

#include "lib/future/future.h"
#include "tests/support/gate.h"
#include "tests/unit/loop_tasks.h"

#include <sched.h>

static gate *waited;

static int
see_it_canceled(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    cf_err err = cf_future_result((cf_future *)arg, CF_FOREVER, NULL);
    gate_open(waited);
    return err == CF_ECANCELED ? 0 : cf_fail(call, 1, "not cancelled");
}

/* Counts on the task that waits. */
static void
free_late(void *arg)
{
    (void)arg;
    gate_pass(waited);
}

Test(loop_canceled, the_wait_ends_before_the_argument_is_freed, .timeout = 60)
{
    cf_executor *pool, *loop;
    cf_future *go, *f;
    assert_ok(cf_thread_pool_create(&CF_THREAD_POOL_OPTIONS(.max_workers = 1),
                                    &pool));
    assert_ok(cf_event_loop_create(NULL, &loop));
    assert_ok(cf_future_create(&go));
    waited = gate_new();
    cf_future *first = submit(pool, wait_for, go, 0);
    cf_task task = CF_TASK(wait_for, go, 0);
    task.arg_free = free_late;
    assert_ok(cf_submit_task(pool, &task, &f)); /* pending: one worker */
    cf_future *waiter = submit(loop, see_it_canceled, f, 0);
    while (
        !(cf_load_relaxed(&f->word) & CF__SOLE)) /* it is parked, or almost */
        sched_yield();
    cr_assert(cf_future_cancel(f));
    assert_ok(cf_future_result(waiter, CF_FOREVER, NULL));
    assert_ok(cf_future_set_result(go, NULL, 0));
    cr_assert(err_of(first) == CF_OK);
    cf_future_unref(waiter);
    cf_future_unref(f);
    cf_future_unref(first);
    cf_future_unref(go);
    cf_executor_destroy(loop);
    cf_executor_destroy(pool);
}
