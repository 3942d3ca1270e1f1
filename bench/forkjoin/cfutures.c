/* SPDX-License-Identifier: MIT */
/*
 * This library: a nested submit, and a wait that runs the task itself if no
 * other worker has taken it.
 */
#include "forkjoin/forkjoin.h"

#include "common/executor.h"

static cf_executor *one;
static cf_executor *all;

static uint64_t
take_result(cf_future *f)
{
    cf_bytes bytes;

    bench_check(cf_future_result(f, CF_FOREVER, &bytes), "cf_future_result");
    uint64_t value = *(const uint64_t *)bytes.data;
    cf_future_unref(f);
    return value;
}

static int fib_task(cf_call *call, const void *arg, size_t arg_size);

static uint64_t
fib(cf_executor *ex, unsigned n)
{
    cf_future *branch;

    if (n < 2)
        return n;
    unsigned submitted = n - 1;
    bench_check(cf_submit(ex, fib_task, &submitted, sizeof(submitted), &branch),
                "cf_submit");
    uint64_t called = fib(ex, n - 2);
    return called + take_result(branch);
}

static int
fib_task(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    uint64_t value = fib(cf_call_executor(call), *(const unsigned *)arg);
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
    cf_executor *ex = workers == 1 ? one : all;
    cf_future *root;

    bench_check(cf_submit(ex, fib_task, &n, sizeof(n), &root), "cf_submit");
    return take_result(root);
}

void
forkjoin_close(void)
{
    cf_executor_destroy(all);
    cf_executor_destroy(one);
}
