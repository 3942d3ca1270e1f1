/* SPDX-License-Identifier: MIT */
/*
 * The executor of the subjects that are this library. They share their
 * sources; the build compiles them once for each with another BENCH_EXECUTOR,
 * "threads" or "processes".
 */
#ifndef BENCH_COMMON_EXECUTOR_H
#define BENCH_COMMON_EXECUTOR_H

#include "common/bench.h"

#include <cfutures/cfutures.h>

#include <stdio.h>

/* Dies unless err is CF_OK. */
static inline void
bench_check(cf_err err, const char *what)
{
    if (err != CF_OK)
        bench_die("%s: %s", what, cf_strerror(err));
}

static inline cf_executor *
bench_open_threads(int workers)
{
    cf_executor *pool;

    bench_check(cf_thread_pool_create(
                    &CF_THREAD_POOL_OPTIONS(.max_workers = workers), &pool),
                "cf_thread_pool_create");
    return pool;
}

#ifdef BENCH_EXECUTOR
static inline cf_executor *
bench_open_executor(int workers)
{
    char spec[32];
    cf_executor *ex;

    snprintf(spec, sizeof(spec), "%s:%d", BENCH_EXECUTOR, workers);
    bench_check(cf_executor_open(spec, &ex), spec);
    return ex;
}
#endif

#endif
