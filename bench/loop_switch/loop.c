/* SPDX-License-Identifier: MIT */
/* This library: cf_yield() in the tasks of an event loop. */
#include "loop_switch/switch.h"

#include "common/in_loop.h"

#include <stdlib.h>

struct turns {
    size_t tasks, begun, left;
    uint64_t start, end;
};

/* The clock runs from when the last task has begun. Then each switch but the
 * very last ones is from one task to another. */
static int
take_turns(cf_call *call, const void *arg, size_t arg_size)
{
    struct turns *t = (struct turns *)arg;
    (void)arg_size;
    if (++t->begun == t->tasks)
        t->start = bench_now_ns();
    while (t->begun < t->tasks)
        bench_check(cf_yield(call), "cf_yield");
    while (t->left > 0) {
        t->left--;
        bench_check(cf_yield(call), "cf_yield");
    }
    if (t->end == 0)
        t->end = bench_now_ns();
    return 0;
}

static int
run_all(cf_call *call, const void *arg, size_t arg_size)
{
    struct turns *t = (struct turns *)arg;
    cf_future **f = bench_alloc(t->tasks, sizeof(cf_future *));
    (void)arg_size;
    for (size_t i = 0; i < t->tasks; i++)
        f[i] = bench_spawn(call, take_turns, t);
    for (size_t i = 0; i < t->tasks; i++)
        bench_await(f[i]);
    free(f);
    return 0;
}

double
switch_ns(size_t tasks, size_t n)
{
    struct turns t = {.tasks = tasks, .left = n};
    bench_in_loop(run_all, &t);
    return (double)(t.end - t.start);
}
