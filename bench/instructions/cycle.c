/* SPDX-License-Identifier: MIT */
/*
 * cycle N [SIZE]: N empty tasks on a pool of one worker, in blocks: submits,
 * then results. The argument and the result have SIZE bytes: 4, or else 8.
 * bench/instructions/count counts the instructions of two such runs; the
 * difference is what the tasks of the difference cost.
 */
#include "common/echo.h"
#include "common/executor.h"

#include <stdlib.h>

#define BLOCK 10000

/* Both are the same source, so that they differ in what the library does with
 * the size only. */
#define CYCLE(type)                                                            \
    static int run_##type(cf_call *call, const void *arg, size_t arg_size)     \
    {                                                                          \
        (void)arg_size;                                                        \
        type result = (type)echo_task(*(const type *)arg);                     \
        return cf_return(call, &result, sizeof(result));                       \
    }                                                                          \
                                                                               \
    static void block_of_##type(cf_executor *ex)                               \
    {                                                                          \
        static cf_future *futures[BLOCK];                                      \
        for (type i = 0; i < BLOCK; i++)                                       \
            bench_check(cf_submit(ex, run_##type, &i, sizeof(i), &futures[i]), \
                        "cf_submit");                                          \
        for (type i = 0; i < BLOCK; i++) {                                     \
            cf_bytes result;                                                   \
            bench_check(cf_future_result(futures[i], CF_FOREVER, &result),     \
                        "cf_future_result");                                   \
            if (*(const type *)result.data != (type)echo_task(i))              \
                bench_die("a task gave a wrong result");                       \
            cf_future_unref(futures[i]);                                       \
        }                                                                      \
    }

CYCLE(uint32_t)
CYCLE(uint64_t)

int
main(int argc, char **argv)
{
    int size = argc > 2 ? atoi(argv[2]) : 8;
    bench_options o = bench_parse(argc > 2 ? 2 : argc, argv, BLOCK);
    cf_executor *pool;

    if (o.n % BLOCK != 0)
        bench_die("%zu is no multiple of %d", o.n, BLOCK);
    if (size != 4 && size != 8)
        bench_die("there are no tasks of %s bytes", argv[2]);
    pool = bench_open_threads(1);
    for (size_t done = 0; done < o.n; done += BLOCK)
        (size == 4 ? block_of_uint32_t : block_of_uint64_t)(pool);
    cf_executor_destroy(pool);
    return 0;
}
