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
    double all;
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

/* The second time all coroutines are there. */
static int
all_at_once(cf_call *call, const void *arg, size_t arg_size)
{
    struct awaits *a = (struct awaits *)arg;
    cf_future **f = bench_alloc(a->n, sizeof(cf_future *));
    (void)arg_size;
    for (int round = 0; round < 2; round++) {
        uint64_t start = bench_now_ns();
        for (size_t i = 0; i < a->n; i++)
            f[i] = bench_spawn(call, await_in_task, NULL);
        for (size_t i = 0; i < a->n; i++)
            bench_await(f[i]);
        a->all = (double)(bench_now_ns() - start);
    }
    free(f);
    return 0;
}

double
await_many(size_t many)
{
    struct awaits a = {.n = many};
    bench_in_loop(all_at_once, &a);
    return a.all;
}
