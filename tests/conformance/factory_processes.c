/* SPDX-License-Identifier: MIT */
/*
 * Process pools for the conformance tests.
 */
#include "tests/conformance/conformance.h"

#include <cfutures/process_pool.h>

const char test_name[] = "process_pool";
const char test_spec[] = "processes";

cf_executor *
test_pool(test_options options)
{
    cf_process_pool_options opts = CF_PROCESS_POOL_OPTIONS_INIT;
    opts.max_workers = options.max_workers;
    opts.initializer = options.initializer;
    opts.finalizer = options.finalizer;
    opts.init_data = options.init_data;
    opts.queue_capacity = options.queue_capacity;
    opts.queue_policy = options.queue_policy;
    cf_executor *ex = NULL;
    assert_ok(cf_process_pool_create(&opts, &ex));
    return ex;
}

cf_executor *
test_executor(int workers)
{
    return test_pool((test_options){.max_workers = workers});
}
