/* SPDX-License-Identifier: MIT */
/*
 * This library: cf_submit_many(), then a cf_as_completed made, drained and
 * destroyed.
 */
#include "as_completed/as_completed.h"

#include "common/echo.h"
#include "common/executor.h"

#include <stdlib.h>
#include <string.h>

static cf_executor *pool;

void
as_completed_open(int workers)
{
    pool = bench_open_threads(workers);
}

void
as_completed_close(void)
{
    cf_executor_destroy(pool);
}

static int
run_task(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    uint64_t result = echo_task(*(const uint64_t *)arg);
    return cf_return(call, &result, sizeof(result));
}

/* The iterator only lends them; futures keeps a handle on each. */
static void
drain(cf_future *const *futures, cf_future **came, size_t n)
{
    cf_as_completed *it;

    bench_check(cf_as_completed_create(futures, n, &it),
                "cf_as_completed_create");
    for (size_t i = 0; i < n; i++)
        bench_check(cf_as_completed_next(it, CF_FOREVER, &came[i]),
                    "cf_as_completed_next");
    cf_future *more;
    if (cf_as_completed_next(it, CF_FOREVER, &more) != CF_EDONE)
        bench_die("more than %zu futures came out", n);
    cf_as_completed_destroy(it);
}

as_completed_times
as_completed_round(const uint64_t *args, uint64_t *came, size_t n)
{
    static cf_future **futures;
    static cf_future **done;
    static size_t room;

    if (room < n) {
        free(futures);
        free(done);
        futures = bench_alloc(n, sizeof(*futures));
        done = bench_alloc(n, sizeof(*done));
        room = n;
    }
    uint64_t start = bench_now_ns();
    bench_check(cf_submit_many(pool, run_task, args, sizeof(*args), n, futures),
                "cf_submit_many");
    uint64_t submitted = bench_now_ns();
    drain(futures, done, n);
    uint64_t end = bench_now_ns();
    for (size_t i = 0; i < n; i++) {
        cf_bytes result;
        bench_check(cf_future_result(done[i], 0, &result), "cf_future_result");
        memcpy(&came[i], result.data, sizeof(came[i]));
    }
    for (size_t i = 0; i < n; i++)
        cf_future_unref(futures[i]);
    return (as_completed_times){(double)(end - start),
                                (double)(end - submitted)};
}
