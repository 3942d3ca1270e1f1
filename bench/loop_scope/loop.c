/* SPDX-License-Identifier: MIT */
/*
 * This library: cf_scope_begin() and cf_scope_end() around a look at a future
 * that is done. Other tasks are in scopes, and wait.
 */
#include "loop_scope/scope.h"

#include "common/in_loop.h"

#include <stdlib.h>

#define S INT64_C(1000000000)

struct scopes {
    size_t pending, n;
    double took;
    cf_future *done, *end;
};

static int
wait_in_scope(cf_call *call, const void *arg, size_t arg_size)
{
    const struct scopes *s = arg;
    cf_scope *scope;
    (void)arg_size;
    bench_check(cf_scope_begin(call, 1000 * S, &scope), "cf_scope_begin");
    bench_check(cf_future_wait(s->end, CF_FOREVER), "cf_future_wait");
    bench_check(cf_scope_end(scope), "cf_scope_end");
    return 0;
}

static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    struct scopes *s = (struct scopes *)arg;
    cf_future **f = bench_alloc(s->pending, sizeof(cf_future *));
    (void)arg_size;
    for (size_t i = 0; i < s->pending; i++)
        f[i] = bench_spawn(call, wait_in_scope, s);
    bench_check(cf_sleep(call, S / 100), "cf_sleep"); /* they begin */
    uint64_t start = bench_now_ns();
    for (size_t i = 0; i < s->n; i++) {
        cf_scope *scope;
        bench_check(cf_scope_begin(call, S, &scope), "cf_scope_begin");
        bench_check(cf_future_wait(s->done, 0), "cf_future_wait");
        bench_check(cf_scope_end(scope), "cf_scope_end");
    }
    s->took = (double)(bench_now_ns() - start);
    bench_check(cf_future_set_result(s->end, NULL, 0), "a promise");
    for (size_t i = 0; i < s->pending; i++)
        bench_await(f[i]);
    free(f);
    return 0;
}

double
scope_ns(size_t pending, size_t n)
{
    struct scopes s = {.pending = pending, .n = n};
    bench_check(cf_future_create(&s.done), "cf_future_create");
    bench_check(cf_future_create(&s.end), "cf_future_create");
    bench_check(cf_future_set_result(s.done, NULL, 0), "a promise");
    bench_in_loop(run, &s);
    cf_future_unref(s.end);
    cf_future_unref(s.done);
    return s.took;
}
