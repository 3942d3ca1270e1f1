/* SPDX-License-Identifier: MIT */
/*
 * The thread pool, as the conformance suite gets it.
 */
#include "tests/conformance/conformance.h"

const char test_name[] = "thread_pool";
const char test_spec[] = "threads";

cf_executor *
test_pool(test_options options)
{
    cf_thread_pool_options opts = CF_THREAD_POOL_OPTIONS_INIT;
    opts.max_workers = options.max_workers;
    opts.initializer = options.initializer;
    opts.finalizer = options.finalizer;
    opts.init_data = options.init_data;
    opts.queue_capacity = options.queue_capacity;
    opts.queue_policy = options.queue_policy;
    cf_executor *ex = NULL;
    assert_ok(cf_thread_pool_create(&opts, &ex));
    return ex;
}

cf_executor *
test_executor(int workers)
{
    return test_pool((test_options){.max_workers = workers});
}
