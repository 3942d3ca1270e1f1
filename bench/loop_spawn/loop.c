/* SPDX-License-Identifier: MIT */
/* This library: cf_submit() in a task of an event loop. */
#include "loop_spawn/spawn.h"

#include "common/in_loop.h"

#include <stdlib.h>

struct spawns {
    size_t at_once, n, ran;
    double took;
};

static int
count(cf_call *call, const void *arg, size_t arg_size)
{
    struct spawns *s = (struct spawns *)arg;
    (void)call;
    (void)arg_size;
    s->ran++;
    return 0;
}

static int
spawn(cf_call *call, const void *arg, size_t arg_size)
{
    struct spawns *s = (struct spawns *)arg;
    cf_future **f = bench_alloc(s->at_once, sizeof(cf_future *));
    (void)arg_size;
    uint64_t start = bench_now_ns();
    for (size_t done = 0; done < s->n; done += s->at_once) {
        for (size_t i = 0; i < s->at_once; i++)
            f[i] = bench_spawn(call, count, s);
        for (size_t i = 0; i < s->at_once; i++)
            bench_await(f[i]);
    }
    s->took = (double)(bench_now_ns() - start);
    free(f);
    return 0;
}

double
spawn_ns(size_t at_once, size_t n)
{
    struct spawns s = {.at_once = at_once, .n = n};
    bench_in_loop(spawn, &s);
    if (s.ran != n)
        bench_die("%zu tasks ran, not %zu", s.ran, n);
    return s.took;
}
