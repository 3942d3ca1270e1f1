/* SPDX-License-Identifier: MIT */
/*
 * The event loop, as the conformance suite gets it. It has one thread, however
 * many workers are asked for. A task that holds at a gate lets the others run,
 * as if there were so many workers: only the last one of them holds the thread.
 */
#include "tests/conformance/conformance.h"

TestSuite(event_loop, .timeout = 60);

const char test_name[] = "event_loop";
const char test_spec[] = "loop";

static pthread_t tester;       /* which runs no tasks */
static int workers, suspended; /* the second: the loop's thread's */

static bool
suspend(void)
{
    if (pthread_equal(tester, pthread_self()) || suspended + 1 >= workers)
        return false;
    suspended++;
    (void)cf_sleep(NULL, 100000);
    suspended--;
    return true;
}

cf_executor *
test_pool(test_options options)
{
    cf_event_loop_options opts = CF_EVENT_LOOP_OPTIONS_INIT;
    opts.initializer = options.initializer;
    opts.finalizer = options.finalizer;
    opts.init_data = options.init_data;
    opts.queue_capacity = options.queue_capacity;
    opts.queue_policy = options.queue_policy;
    cf_executor *ex = NULL;
    assert_ok(cf_event_loop_create(&opts, &ex));
    tester = pthread_self();
    workers = options.max_workers;
    gate_suspend = suspend;
    return ex;
}

cf_executor *
test_executor(int max_workers)
{
    return test_pool((test_options){.max_workers = max_workers});
}
