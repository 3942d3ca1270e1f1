/* SPDX-License-Identifier: MIT */
/*
 * A coroutine waits for another executor: until that is idle, or has ended. The
 * other coroutines go on meanwhile. Each time the pool's worker waits for a
 * promise that another task of the loop completes.
 */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>

#include "tests/support/thread_faults.h"
#include "tests/unit/loop_tasks.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

static int
complete(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    return (int)cf_future_set_result((cf_future *)arg, NULL, 0);
}

/* As err_of(); ends the use of f. */
static cf_err
last_err_of(cf_future *f)
{
    cf_err err = err_of(f);
    cf_future_unref(f);
    return err;
}

/* What a coroutine does with a pool whose worker is busy. */
struct wait {
    cf_executor *pool;
    cf_err (*fn)(cf_executor *pool);
};

static int
run_wait(cf_call *call, const void *arg, size_t arg_size)
{
    const struct wait *wait = arg;
    (void)arg_size;
    cf_err err = wait->fn(wait->pool);
    return cf_return(call, &err, sizeof err);
}

static cf_err
until_idle(cf_executor *pool)
{
    return cf_executor_wait_idle(pool, CF_SECONDS(1000));
}

static cf_err
until_shut_down(cf_executor *pool)
{
    return cf_executor_shutdown(pool, 0, CF_FOREVER);
}

static cf_err
until_destroyed(cf_executor *pool)
{
    cf_executor_destroy(pool);
    return CF_OK;
}

static cf_executor *
busy_pool(cf_future **promise, cf_future **held)
{
    cf_executor *pool = NULL;
    assert_ok(cf_executor_open("threads:1", &pool));
    assert_ok(cf_future_create(promise));
    *held = submit(pool, wait_for, *promise, 0);
    while (cf_future_state(*held) == CF_PENDING)
        cf_sleep(NULL, CF_MS(1));
    return pool;
}

/* The wait could not end if it held the loop's thread. */
static void
others_run_in(cf_err (*fn)(cf_executor *pool))
{
    cf_executor *loop = NULL;
    cf_future *promise, *held;
    struct wait wait = {busy_pool(&promise, &held), fn};
    assert_ok(cf_executor_open("loop", &loop));
    cf_future *waits = submit(loop, run_wait, &wait, sizeof wait);
    cf_future *completes = submit(loop, complete, promise, 0);
    cr_expect(last_err_of(waits) == CF_OK);
    cr_expect(cf_future_done(held));
    cr_expect(last_err_of(held) == CF_OK);
    assert_ok(cf_future_result(completes, CF_FOREVER, NULL));
    cf_future_unref(completes);
    cf_future_unref(promise);
    if (fn != until_destroyed)
        cf_executor_destroy(wait.pool);
    cf_executor_destroy(loop);
}

Test(loop_waits, others_run_until_a_pool_is_idle, .timeout = 60)
{
    others_run_in(until_idle);
}

Test(loop_waits, others_run_until_a_pool_is_shut_down, .timeout = 60)
{
    others_run_in(until_shut_down);
}

Test(loop_waits, others_run_until_a_pool_is_destroyed, .timeout = 60)
{
    others_run_in(until_destroyed);
}

static cf_err
in_vain(cf_executor *pool)
{
    cf_err idle = cf_executor_wait_idle(pool, CF_MS(2));
    cf_err polled = cf_executor_wait_idle(pool, 0);
    cf_err down = cf_executor_shutdown(pool, 0, CF_MS(2));
    return idle == polled && idle == down ? idle : CF_ESYS;
}

/* The pool's worker is busy for longer than the coroutine waits. */
static void
times_out_in(cf_err (*fn)(cf_executor *pool))
{
    cf_executor *loop = NULL;
    cf_future *promise, *held;
    struct wait wait = {busy_pool(&promise, &held), fn};
    assert_ok(cf_executor_open("loop", &loop));
    cr_expect(last_err_of(submit(loop, run_wait, &wait, sizeof wait)) ==
              CF_ETIMEDOUT);
    assert_ok(cf_future_set_result(promise, NULL, 0));
    cr_expect(last_err_of(held) == CF_OK);
    cf_future_unref(promise);
    cf_executor_destroy(wait.pool);
    cf_executor_destroy(loop);
}

Test(loop_waits, a_wait_ends_in_time, .timeout = 60)
{
    times_out_in(in_vain);
}

/* The loop of which this is the thread. */
static _Thread_local bool is_loop;

static int
note_loop(cf_call *call, void *data, void **worker_data)
{
    (void)call;
    (void)data;
    (void)worker_data;
    is_loop = true;
    return 0;
}

static void
note_caller(cf_future *f, void *in_loop)
{
    (void)f;
    *(bool *)in_loop = is_loop;
}

static cf_err
cancel_queued(cf_executor *pool)
{
    return cf_executor_shutdown(pool, CF_SHUTDOWN_CANCEL, CF_FOREVER);
}

/* Callbacks run in the thread that cancels, though another one waits. */
Test(loop_waits, callbacks_run_in_the_loops_thread, .timeout = 60)
{
    cf_event_loop_options options = CF_EVENT_LOOP_OPTIONS_INIT;
    cf_executor *loop = NULL;
    cf_future *promise, *held;
    bool in_loop = false;
    struct wait wait = {busy_pool(&promise, &held), cancel_queued};
    cf_future *queued = submit(wait.pool, complete, promise, 0);
    options.initializer = note_loop;
    assert_ok(cf_event_loop_create(&options, &loop));
    assert_ok(cf_future_on_done(queued, note_caller, &in_loop));
    cf_future *waits = submit(loop, run_wait, &wait, sizeof wait);
    cf_future *completes = submit(loop, complete, promise, 0);
    cr_expect(last_err_of(waits) == CF_OK);
    cr_expect(in_loop && cf_future_state(queued) == CF_CANCELED);
    assert_ok(cf_future_result(completes, CF_FOREVER, NULL));
    cr_expect(last_err_of(held) == CF_OK);
    cf_future_unref(completes);
    cf_future_unref(queued);
    cf_future_unref(promise);
    cf_executor_destroy(wait.pool);
    cf_executor_destroy(loop);
}

static cf_err
without_threads(cf_executor *pool)
{
    thread_faults_begin(0, EAGAIN);
    errno = 7;
    cf_err err = cf_executor_wait_idle(pool, CF_MS(5));
    int kept = errno, refused = thread_faults_count();
    thread_faults_end();
    return refused == 1 && kept == 7 ? err : CF_ESYS;
}

Test(loop_waits, a_wait_holds_the_thread_if_there_is_no_other, .timeout = 60)
{
    times_out_in(without_threads);
}

/* --- in the loop's thread, outside of its tasks --------------------------- */

struct root {
    cf_executor *loop; /* whose initializer it is */
    cf_future *first;  /* a task that waits until the initializer is through */
    cf_err returned[9];
    cf_err (*last)(cf_executor *loop); /* at the end of the initializer */
};

static int
range(cf_call *call, size_t begin, size_t end, void *data)
{
    (void)call;
    (void)begin;
    (void)end;
    (void)data;
    return 0;
}

static int
none(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    return 0;
}

/* All calls that would wait for what the loop does next. */
static int
wait_in_root(cf_call *call, void *data, void **worker_data)
{
    struct root *root = data;
    cf_future *others[2] = {NULL, NULL}, *out;
    cf_as_completed *it = NULL;
    cf_err *returned = root->returned;
    (void)call;
    (void)worker_data;
    if (cf_submit(root->loop, none, NULL, 0, &others[0]) ||
        cf_submit(root->loop, none, NULL, 0, &others[1]) ||
        cf_as_completed_create(others, 2, &it))
        return 1;
    returned[1] = cf_future_wait(others[0], CF_FOREVER);
    returned[2] = cf_future_result(others[1], CF_SECONDS(1000), NULL);
    returned[3] = cf_wait(others, 2, CF_ALL_COMPLETED, CF_FOREVER, NULL);
    returned[4] = cf_wait(others, 2, CF_FIRST_COMPLETED, CF_FOREVER, NULL);
    returned[5] = cf_as_completed_next(it, CF_FOREVER, &out);
    returned[6] = cf_parallel_for(root->loop, 0, 100, 1, range, NULL, NULL);
    returned[7] = cf_executor_wait_idle(root->loop, CF_FOREVER);
    returned[8] = cf_future_wait(others[0], 0);
    cf_as_completed_destroy(it);
    cf_future_unref(others[0]);
    cf_future_unref(others[1]);
    if (root->last)
        returned[1] = root->last(root->loop);
    return 0;
}

/* Returns when the initializer is through and the first task is done. */
static void
begin_root(struct root *root)
{
    cf_event_loop_options options = CF_EVENT_LOOP_OPTIONS_INIT;
    options.initializer = wait_in_root;
    options.init_data = root;
    options.queue_capacity = 1; /* what the initializer submits goes over it */
    assert_ok(cf_event_loop_create(&options, &root->loop));
    root->first = submit(root->loop, none, NULL, 0);
    assert_ok(cf_future_result(root->first, CF_FOREVER, NULL));
    cf_future_unref(root->first);
}

Test(loop_waits, an_initializer_waits_for_no_task_of_its_loop, .timeout = 60)
{
    struct root root = {.last = NULL};
    begin_root(&root);
    for (int i = 1; i < 8; i++)
        cr_expect(root.returned[i] == CF_EDEADLK, "%d", i);
    cr_expect(root.returned[8] == CF_ETIMEDOUT);
    assert_ok(cf_executor_wait_idle(root.loop, CF_FOREVER));
    cf_executor_destroy(root.loop);
}

Test(loop_waits, an_initializer_shuts_its_loop_down, .timeout = 60)
{
    struct root root = {.last = until_shut_down};
    begin_root(&root);
    cr_expect(root.returned[1] == CF_EDEADLK);
    cr_expect(cf_submit(root.loop, none, NULL, 0, NULL) == CF_ESHUTDOWN);
    cf_executor_destroy(root.loop);
}

Test(loop_waits, an_initializer_destroys_its_loop, .timeout = 60)
{
    struct root root = {.last = until_destroyed};
    begin_root(&root);
    cr_expect(root.returned[1] == CF_OK);
}

/* For several, some of which another executor runs, it does wait. */
static int
wait_for_either(cf_call *call, void *data, void **worker_data)
{
    struct root *root = data;
    cf_future *both[2] = {NULL, NULL};
    (void)call;
    (void)worker_data;
    root->returned[0] = cf_submit(root->loop, none, NULL, 0, &both[0]);
    both[1] = cf_future_ref(root->first);
    root->returned[1] = cf_wait(both, 2, CF_FIRST_COMPLETED, CF_FOREVER, NULL);
    cf_future_unref(both[0]);
    cf_future_unref(both[1]);
    return 0;
}

Test(loop_waits, an_initializer_waits_for_other_executors, .timeout = 60)
{
    cf_event_loop_options options = CF_EVENT_LOOP_OPTIONS_INIT;
    cf_executor *pool = NULL;
    struct root root = {.last = NULL};
    assert_ok(cf_executor_open("threads:1", &pool));
    root.first = submit(pool, none, NULL, 0);
    options.initializer = wait_for_either;
    options.init_data = &root;
    assert_ok(cf_event_loop_create(&options, &root.loop));
    cf_future *f = submit(root.loop, none, NULL, 0);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    assert_ok(root.returned[0]);
    assert_ok(root.returned[1]);
    cf_future_unref(f);
    cf_future_unref(root.first);
    cf_executor_destroy(root.loop);
    cf_executor_destroy(pool);
}
