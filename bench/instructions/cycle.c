/* SPDX-License-Identifier: MIT */
/*
 * n empty tasks on a pool of one worker, in blocks: submits, then results.
 * bench/instructions/count counts the instructions of two such runs; the
 * difference is what the tasks of the difference cost.
 */
#include "common/bench.h"
#include "common/echo.h"

#include <cfutures/cfutures.h>

#define BLOCK 10000

static void
check(cf_err err, const char *what)
{
    if (err != CF_OK)
        bench_die("%s: %s", what, cf_strerror(err));
}

static int
run_task(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    uint64_t result = echo_task(*(const uint64_t *)arg);
    return cf_return(call, &result, sizeof(result));
}

static void
run_block(cf_executor *ex)
{
    static cf_future *futures[BLOCK];

    for (uint64_t i = 0; i < BLOCK; i++)
        check(cf_submit(ex, run_task, &i, sizeof(i), &futures[i]), "cf_submit");
    for (uint64_t i = 0; i < BLOCK; i++) {
        cf_bytes result;
        check(cf_future_result(futures[i], CF_FOREVER, &result),
              "cf_future_result");
        if (*(const uint64_t *)result.data != echo_task(i))
            bench_die("a task gave a wrong result");
        cf_future_unref(futures[i]);
    }
}

int
main(int argc, char **argv)
{
    bench_options o = bench_parse(argc, argv, BLOCK);
    cf_thread_pool_options opts = CF_THREAD_POOL_OPTIONS_INIT;
    cf_executor *pool;

    if (o.n % BLOCK != 0)
        bench_die("%zu is no multiple of %d", o.n, BLOCK);
    opts.max_workers = 1;
    check(cf_thread_pool_create(&opts, &pool), "cf_thread_pool_create");
    for (size_t done = 0; done < o.n; done += BLOCK)
        run_block(pool);
    cf_executor_destroy(pool);
    return 0;
}
