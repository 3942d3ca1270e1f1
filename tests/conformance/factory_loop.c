/* SPDX-License-Identifier: MIT */
/*
 * The event loop, as the conformance suite gets it. It has one thread, however
 * many workers are asked for. A task that holds at a gate lets the others run,
 * as if there were so many workers: only the last one of them holds the thread.
 */
#include "tests/conformance/conformance.h"

#include <cfutures/event_loop.h>

const char test_name[] = "event_loop";
const char test_spec[] = "loop";

/* What a test gave to each of its pools; the initializer gets it. A test runs
 * in a process of its own, and makes a few hundred at most. */
static test_options given[4096];
static atomic_int given_count;

/* Of the loop whose thread this is; elsewhere 0. */
static _Thread_local int workers, suspended;

static bool
suspend(void)
{
    if (suspended + 1 >= workers)
        return false;
    suspended++;
    (void)cf_sleep(NULL, 100000);
    suspended--;
    return true;
}

static int
initialize(cf_call *call, void *init_data, void **worker_data)
{
    const test_options *options = init_data;
    workers = options->max_workers;
    return options->initializer
               ? options->initializer(call, options->init_data, worker_data)
               : 0;
}

static void
finalize(void *init_data, void *worker_data)
{
    const test_options *options = init_data;
    if (options->finalizer)
        options->finalizer(options->init_data, worker_data);
}

cf_executor *
test_pool(test_options options)
{
    int i = atomic_fetch_add(&given_count, 1);
    cr_assert(i < (int)(sizeof given / sizeof *given));
    given[i] = options;
    cf_event_loop_options opts = CF_EVENT_LOOP_OPTIONS_INIT;
    opts.initializer = initialize;
    opts.finalizer = finalize;
    opts.init_data = &given[i];
    opts.queue_capacity = options.queue_capacity;
    opts.queue_policy = options.queue_policy;
    cf_executor *ex = NULL;
    assert_ok(cf_event_loop_create(&opts, &ex));
    gate_suspend = suspend;
    return ex;
}

cf_executor *
test_executor(int max_workers)
{
    return test_pool((test_options){.max_workers = max_workers});
}
