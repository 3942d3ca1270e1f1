/* SPDX-License-Identifier: MIT */
/*
 * This library: max_tasks_per_worker = 1.
 */
#include "process_recycle/recycle.h"

#include "common/executor.h"

#include <stdlib.h>
#include <string.h>

static cf_executor *pool;
static cf_future **futures;

static int
run_task(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    uint64_t result = recycle_task(*(const uint64_t *)arg);
    return cf_return(call, &result, sizeof(result));
}

void
recycle_open(int workers, size_t max_n)
{
    cf_process_pool_options opts = CF_PROCESS_POOL_OPTIONS_INIT;

    opts.max_workers = workers;
    opts.max_tasks_per_worker = 1;
    bench_check(cf_process_pool_create(&opts, &pool), "cf_process_pool_create");
    futures = bench_alloc(max_n, sizeof(cf_future *));
}

void
recycle_close(void)
{
    free(futures);
    cf_executor_destroy(pool);
}

void
recycle_run(const uint64_t *args, uint64_t *results, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bench_check(
            cf_submit(pool, run_task, &args[i], sizeof(args[i]), &futures[i]),
            "cf_submit");
    for (size_t i = 0; i < n; i++) {
        cf_bytes result;
        bench_check(cf_future_result(futures[i], CF_FOREVER, &result),
                    "cf_future_result");
        if (result.size != sizeof(results[i]))
            bench_die("a result of %zu bytes", result.size);
        memcpy(&results[i], result.data, sizeof(results[i]));
        cf_future_unref(futures[i]);
    }
}
