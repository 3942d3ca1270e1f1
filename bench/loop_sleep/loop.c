/* SPDX-License-Identifier: MIT */
/* This library: cf_sleep() in a task of an event loop. */
#include "loop_sleep/sleep.h"

#include "common/in_loop.h"

enum { SLEEP_NS = 100000 };

struct sleeps {
    double *late;
    size_t n;
};

static int
sleep_often(cf_call *call, const void *arg, size_t arg_size)
{
    const struct sleeps *s = arg;
    (void)arg_size;
    for (size_t i = 0; i < s->n; i++) {
        uint64_t start = bench_now_ns();
        bench_check(cf_sleep(call, SLEEP_NS), "cf_sleep");
        s->late[i] = (double)(bench_now_ns() - start) - SLEEP_NS;
        if (s->late[i] < 0)
            bench_die("a sleep ended %.0f ns too early", -s->late[i]);
    }
    return 0;
}

void
sleep_late(double *late, size_t n)
{
    struct sleeps s = {late, n};
    bench_in_loop(sleep_often, &s);
}
