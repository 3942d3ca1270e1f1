/* SPDX-License-Identifier: MIT */
/* libuv: uv_timer_start() and uv_timer_stop(). */
#include "loop_scope/scope.h"

#include "common/bench.h"

#include <stdlib.h>
#include <uv.h>

static void
never(uv_timer_t *timer)
{
    (void)timer;
    bench_die("a timer of 1000 s has expired");
}

double
scope_ns(size_t pending, size_t n)
{
    uv_loop_t loop;
    uv_timer_t *timers = bench_alloc(pending + 1, sizeof(*timers));

    if (uv_loop_init(&loop) != 0)
        bench_die("uv_loop_init failed");
    for (size_t i = 0; i <= pending; i++)
        uv_timer_init(&loop, &timers[i]);
    for (size_t i = 1; i <= pending; i++)
        uv_timer_start(&timers[i], never, 1000000 + i, 0);
    uint64_t start = bench_now_ns();
    for (size_t i = 0; i < n; i++) {
        uv_timer_start(&timers[0], never, 1000000, 0);
        uv_timer_stop(&timers[0]);
    }
    double took = (double)(bench_now_ns() - start);
    for (size_t i = 0; i <= pending; i++)
        uv_close((uv_handle_t *)&timers[i], NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&loop) != 0)
        bench_die("uv_loop_close failed");
    free(timers);
    return took;
}
