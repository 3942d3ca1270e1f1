/* SPDX-License-Identifier: MIT */
/*
 * The thread pool, as the conformance suite gets it.
 */
#include "tests/conformance/conformance.h"

TestSuite(thread_pool, .timeout = 60);

cf_executor *
test_executor(int workers)
{
    cf_thread_pool_options opts = CF_THREAD_POOL_OPTIONS_INIT;
    opts.max_workers = workers;
    cf_executor *ex = NULL;
    assert_ok(cf_thread_pool_create(&opts, &ex));
    return ex;
}
