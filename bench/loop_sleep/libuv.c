/* SPDX-License-Identifier: MIT */
/* libuv: a timer of 1 ms, the shortest; its wish is 100 us. */
#include "loop_sleep/sleep.h"

#include "common/bench.h"

#include <uv.h>

enum { SLEEP_NS = 100000 };

struct sleeps {
    double *late;
    size_t n, done;
    uint64_t start;
};

static void
expired(uv_timer_t *timer)
{
    struct sleeps *s = timer->data;
    uint64_t now = bench_now_ns();

    s->late[s->done++] = (double)(now - s->start) - SLEEP_NS;
    if (s->done == s->n) {
        uv_close((uv_handle_t *)timer, NULL);
        return;
    }
    s->start = bench_now_ns();
    uv_timer_start(timer, expired, 1, 0);
}

void
sleep_late(double *late, size_t n)
{
    struct sleeps s = {.late = late, .n = n};
    uv_loop_t loop;
    uv_timer_t timer;

    if (uv_loop_init(&loop) != 0 || uv_timer_init(&loop, &timer) != 0)
        bench_die("uv_loop_init failed");
    timer.data = &s;
    s.start = bench_now_ns();
    uv_timer_start(&timer, expired, 1, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&loop) != 0)
        bench_die("uv_loop_close failed");
}
