/* SPDX-License-Identifier: MIT */
/*
 * cycle N [KIND]: N empty tasks on a pool of one worker, in blocks: submits,
 * then results. KIND is 8 or 4, the bytes of the argument and of the result, or
 * typed: 8 bytes with types (cfutures/typed.h).
 * bench/instructions/count counts the instructions of two such runs; the
 * difference is what the tasks of the difference cost.
 */
#include "common/echo.h"
#include "common/executor.h"

#include <string.h>

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

static int
typed(cf_call *call, const uint64_t *arg, uint64_t *result)
{
    (void)call;
    *result = echo_task(*arg);
    return 0;
}
CF_TASK_TYPED(typed, uint64_t, uint64_t);

static void
block_of_typed(cf_executor *ex)
{
    static typed_future futures[BLOCK];
    for (uint64_t i = 0; i < BLOCK; i++)
        bench_check(typed_submit(ex, i, &futures[i]), "typed_submit");
    for (uint64_t i = 0; i < BLOCK; i++) {
        uint64_t result;
        bench_check(typed_result(futures[i], CF_FOREVER, &result),
                    "typed_result");
        if (result != echo_task(i))
            bench_die("a task gave a wrong result");
        typed_unref(futures[i]);
    }
}

static const struct {
    const char *name;
    void (*block)(cf_executor *ex);
} kinds[] = {
    {"8", block_of_uint64_t},
    {"4", block_of_uint32_t},
    {"typed", block_of_typed},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

int
main(int argc, char **argv)
{
    const char *name = argc > 2 ? argv[2] : kinds[0].name;
    bench_options o = bench_parse(argc > 2 ? 2 : argc, argv, BLOCK);
    int kind = 0;
    cf_executor *pool;

    if (o.n % BLOCK != 0)
        bench_die("%zu is no multiple of %d", o.n, BLOCK);
    while (kind < KINDS && strcmp(name, kinds[kind].name) != 0)
        kind++;
    if (kind == KINDS)
        bench_die("there are no tasks of the kind %s", name);
    pool = bench_open_threads(1);
    for (size_t done = 0; done < o.n; done += BLOCK)
        kinds[kind].block(pool);
    cf_executor_destroy(pool);
    return 0;
}
