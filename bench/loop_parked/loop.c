/* SPDX-License-Identifier: MIT */
/* This library: the tasks of an event loop wait for a promise. */
#include "loop_parked/parked.h"

#include "common/executor.h"

#include <stdlib.h>

struct parking {
    cf_future *wait_for;
    size_t begun, n; /* the loop's thread's */
    cf_future *all_begun;
};

static int
park(cf_call *call, const void *arg, size_t arg_size)
{
    struct parking *p = (struct parking *)arg;
    (void)call;
    (void)arg_size;
    if (++p->begun == p->n)
        bench_check(cf_future_set_result(p->all_begun, NULL, 0), "a promise");
    bench_check(cf_future_wait(p->wait_for, CF_FOREVER), "cf_future_wait");
    return 0;
}

void
parked_run(size_t n, void (*body)(void *data), void *data)
{
    struct parking p = {.n = n};
    cf_executor *loop;
    cf_future **f = bench_alloc(n, sizeof(cf_future *));
    bench_check(cf_executor_open("loop", &loop), "loop");
    bench_check(cf_future_create(&p.wait_for), "cf_future_create");
    bench_check(cf_future_create(&p.all_begun), "cf_future_create");
    for (size_t i = 0; i < n; i++)
        bench_check(cf_submit(loop, park, &p, 0, &f[i]), "cf_submit");
    bench_check(cf_future_wait(p.all_begun, CF_FOREVER), "cf_future_wait");
    body(data);
    bench_check(cf_future_set_result(p.wait_for, NULL, 0), "a promise");
    for (size_t i = 0; i < n; i++) {
        bench_check(cf_future_result(f[i], CF_FOREVER, NULL), "a task");
        cf_future_unref(f[i]);
    }
    cf_executor_destroy(loop);
    cf_future_unref(p.all_begun);
    cf_future_unref(p.wait_for);
    free(f);
}
