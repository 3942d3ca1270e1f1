/* SPDX-License-Identifier: MIT */
/* This library: a task of an event loop awaits a future of a thread pool. */
#include "loop_await_pool/await_pool.h"

#include "common/in_loop.h"

#include <stdlib.h>

static cf_executor *pool;

struct awaits {
    double *took;
    size_t n;
    uint64_t gap_ns;
    size_t many;
};

void
await_open(int workers)
{
    pool = bench_open_threads(workers);
}

void
await_close(void)
{
    cf_executor_destroy(pool);
}

static int
nothing(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    return 0;
}

static void
await_one(void)
{
    cf_future *f;
    bench_check(cf_submit(pool, nothing, NULL, 0, &f), "cf_submit");
    bench_await(f);
}

static int
one_by_one(cf_call *call, const void *arg, size_t arg_size)
{
    const struct awaits *a = arg;
    (void)call;
    (void)arg_size;
    for (size_t i = 0; i < a->n; i++) {
        uint64_t start = bench_now_ns();
        while (bench_now_ns() < start + a->gap_ns)
            continue;
        start = bench_now_ns();
        await_one();
        a->took[i] = (double)(bench_now_ns() - start);
    }
    return 0;
}

void
await_one_by_one(double *took, size_t n, uint64_t gap_ns)
{
    struct awaits a = {.took = took, .n = n, .gap_ns = gap_ns};
    bench_in_loop(one_by_one, &a);
}

static int
await_in_task(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    await_one();
    return 0;
}

static int
all_at_once(cf_call *call, const void *arg, size_t arg_size)
{
    const struct awaits *a = arg;
    cf_future **f = bench_alloc(a->many, sizeof(cf_future *));
    (void)arg_size;
    for (size_t time = 0; time < a->n; time++) {
        uint64_t start = bench_now_ns();
        for (size_t i = 0; i < a->many; i++)
            f[i] = bench_spawn(call, await_in_task, NULL);
        for (size_t i = 0; i < a->many; i++)
            bench_await(f[i]);
        a->took[time] = (double)(bench_now_ns() - start);
    }
    free(f);
    return 0;
}

void
await_many(double *took, size_t times, size_t many)
{
    struct awaits a = {.took = took, .n = times, .many = many};
    bench_in_loop(all_at_once, &a);
}
