/* SPDX-License-Identifier: MIT */
/*
 * The subject that is this library's event loop: runs a function as a task of a
 * loop in the calling thread.
 */
#ifndef BENCH_COMMON_IN_LOOP_H
#define BENCH_COMMON_IN_LOOP_H

#include "common/executor.h"

#include <cfutures/event_loop.h>

/* body is a task: arg is data. Dies if it fails. */
static inline void
bench_in_loop(cf_task_fn *body, void *data)
{
    cf_future *f;
    bench_check(cf_event_loop_run(NULL, body, data, 0, &f),
                "cf_event_loop_run");
    bench_check(cf_future_result(f, 0, NULL), "a loop's first task");
    cf_future_unref(f);
}

/* A task of the same executor. */
static inline cf_future *
bench_spawn(cf_call *call, cf_task_fn *fn, void *data)
{
    cf_future *f;
    bench_check(cf_submit(cf_call_executor(call), fn, data, 0, &f),
                "cf_submit");
    return f;
}

static inline void
bench_await(cf_future *f)
{
    bench_check(cf_future_result(f, CF_FOREVER, NULL), "cf_future_result");
    cf_future_unref(f);
}

#endif
