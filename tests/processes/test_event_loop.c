/* SPDX-License-Identifier: MIT */
/*
 * A task in a worker process may run an event loop of its own, whose tasks wait
 * beside each other there; also while the program has a loop, too.
 */
#include <cfutures/event_loop.h>

#include "tests/processes/processes.h"

enum { TASKS = 20 };

static int
count_down(cf_call *call, const void *arg, size_t arg_size)
{
    int *left = *(int *const *)arg;
    (void)arg_size;
    for (int i = 0; i < 10; i++)
        if (cf_sleep(call, 1000))
            return 1;
    --*left;
    return 0;
}

static int
run_tasks(cf_call *call, const void *arg, size_t arg_size)
{
    int left = TASKS, *counter = &left;
    cf_future *fs[TASKS];
    cf_err err = CF_OK;
    (void)arg;
    (void)arg_size;
    for (int i = 0; i < TASKS; i++)
        if (cf_submit(cf_call_executor(call),
                      count_down,
                      &counter,
                      sizeof counter,
                      &fs[i]))
            return 1;
    err = cf_wait(fs, TASKS, CF_ALL_COMPLETED, CF_FOREVER, NULL);
    for (int i = 0; i < TASKS; i++)
        cf_future_unref(fs[i]);
    pid_t here = getpid();
    return err || left ? 1 : cf_return(call, &here, sizeof here);
}

/* In a worker process: returns what the loop's task has returned. */
static int
run_loop(cf_call *call, const void *arg, size_t arg_size)
{
    cf_future *f;
    cf_bytes pid = {NULL, 0};
    (void)arg;
    (void)arg_size;
    cf_err err = cf_event_loop_run(NULL, run_tasks, NULL, 0, &f);
    if (err)
        return cf_fail(call, (int)err, "no loop");
    err = cf_future_result(f, 0, &pid);
    int rc = err ? cf_fail(call, (int)err, "the loop's task failed")
                 : cf_return(call, pid.data, pid.size);
    cf_future_unref(f);
    return rc;
}

static int
await_workers(cf_call *call, const void *arg, size_t arg_size)
{
    cf_executor *pool = *(cf_executor *const *)arg;
    cf_future *fs[4];
    cf_bytes bytes;
    int wrong = 0;
    (void)call;
    (void)arg_size;
    for (int i = 0; i < 4; i++)
        if (cf_submit(pool, run_loop, NULL, 0, &fs[i]))
            return 1;
    for (int i = 0; i < 4; i++) {
        pid_t there = getpid();
        wrong += cf_future_result(fs[i], CF_FOREVER, &bytes) != CF_OK ||
                 bytes.size != sizeof there;
        if (!wrong)
            memcpy(&there, bytes.data, sizeof there);
        wrong += there == getpid();
        cf_future_unref(fs[i]);
    }
    return wrong;
}

Test(process_pool, a_worker_runs_an_event_loop)
{
    cf_executor *pool = pool_for(2);
    cf_future *f = NULL;
    assert_ok(cf_event_loop_run(NULL, await_workers, &pool, sizeof pool, &f));
    assert_ok(cf_future_result(f, 0, NULL));
    cf_future_unref(f);
    cf_executor_destroy(pool);
}
