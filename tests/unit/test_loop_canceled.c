/* SPDX-License-Identifier: MIT */
/* A task of a loop waits for a task of a pool, which is cancelled. */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>

#include <criterion/criterion.h>
#include <stdatomic.h>

#define assert_ok(call) cr_assert((call) == CF_OK, "%s", #call)

static atomic_bool begun, waited;

static int
wait_for_promise(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    return (int)cf_future_wait((cf_future *)arg, CF_FOREVER);
}

static int
see_it_canceled(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    atomic_store(&begun, true);
    cf_err err = cf_future_result((cf_future *)arg, CF_FOREVER, NULL);
    atomic_store(&waited, true);
    return err == CF_ECANCELED ? 0 : cf_fail(call, 1, "not cancelled");
}

/* Counts on the task that waits. */
static void
free_late(void *arg)
{
    (void)arg;
    while (!atomic_load(&waited))
        (void)cf_sleep(NULL, CF_MS(1));
}

Test(loop_canceled, the_wait_ends_before_the_argument_is_freed, .timeout = 60)
{
    cf_executor *pool, *loop;
    cf_future *go, *first, *f, *waiter;
    cf_task task = CF_TASK(wait_for_promise, &pool, 0);
    assert_ok(cf_thread_pool_create(&CF_THREAD_POOL_OPTIONS(.max_workers = 1),
                                    &pool));
    assert_ok(cf_event_loop_create(NULL, &loop));
    assert_ok(cf_future_create(&go));
    assert_ok(cf_submit(pool, wait_for_promise, go, 0, &first));
    task.arg_free = free_late;
    assert_ok(cf_submit_task(pool, &task, &f)); /* pending: one worker */
    assert_ok(cf_submit(loop, see_it_canceled, f, 0, &waiter));
    while (!atomic_load(&begun))
        assert_ok(cf_sleep(NULL, CF_MS(1)));
    cr_assert(cf_future_cancel(f));
    assert_ok(cf_future_result(waiter, CF_FOREVER, NULL));
    assert_ok(cf_future_set_result(go, NULL, 0));
    assert_ok(cf_future_wait(first, CF_FOREVER));
    cf_future_unref(waiter);
    cf_future_unref(f);
    cf_future_unref(first);
    cf_future_unref(go);
    cf_executor_destroy(loop);
    cf_executor_destroy(pool);
}
