/* SPDX-License-Identifier: MIT */
/*
 * This library: a job on the caller's stack, which the join runs if no other
 * worker has taken it.
 */
#include "forkjoin/forkjoin.h"

#include "common/executor.h"

static cf_executor *one;
static cf_executor *all;

struct branch {
    unsigned n;
    uint64_t value;
};

static uint64_t fib(cf_call *call, unsigned n);

static int
fib_job(cf_call *call, void *arg)
{
    struct branch *branch = arg;

    branch->value = fib(call, branch->n);
    return 0;
}

static uint64_t
fib(cf_call *call, unsigned n)
{
    cf_job job;

    if (n < 2)
        return n;
    struct branch spawned = {.n = n - 1};
    cf_spawn(call, &job, fib_job, &spawned);
    uint64_t called = fib(call, n - 2);
    if (cf_join(call, &job) != 0)
        bench_die("a job failed");
    return called + spawned.value;
}

static int
fib_task(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    uint64_t value = fib(call, *(const unsigned *)arg);
    return cf_return(call, &value, sizeof(value));
}

void
forkjoin_open(int most)
{
    one = bench_open_threads(1);
    all = bench_open_threads(most);
}

uint64_t
forkjoin_fib(int workers, unsigned n)
{
    cf_future *root;
    cf_bytes bytes;

    bench_check(
        cf_submit(workers == 1 ? one : all, fib_task, &n, sizeof(n), &root),
        "cf_submit");
    bench_check(cf_future_result(root, CF_FOREVER, &bytes), "cf_future_result");
    uint64_t value = *(const uint64_t *)bytes.data;
    cf_future_unref(root);
    return value;
}

void
forkjoin_close(void)
{
    cf_executor_destroy(all);
    cf_executor_destroy(one);
}
