/* SPDX-License-Identifier: MIT */
/*
 * This library: a pool, one cf_submit(), cf_executor_destroy().
 */
#include "process_start/start.h"

#include "common/executor.h"

#include <string.h>

static int
run_task(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    uint64_t result = start_task(*(const uint64_t *)arg);
    return cf_return(call, &result, sizeof(result));
}

uint64_t
start_once(int workers, uint64_t arg)
{
    cf_executor *pool = bench_open_executor(workers);
    cf_future *future;
    cf_bytes bytes;
    uint64_t result;

    bench_check(cf_submit(pool, run_task, &arg, sizeof(arg), &future),
                "cf_submit");
    bench_check(cf_future_result(future, CF_FOREVER, &bytes),
                "cf_future_result");
    if (bytes.size != sizeof(result))
        bench_die("a result of %zu bytes", bytes.size);
    memcpy(&result, bytes.data, sizeof(result));
    cf_future_unref(future);
    cf_executor_destroy(pool);
    return result;
}
