/* SPDX-License-Identifier: MIT */
/*
 * libuv: the loop calls back for each finished request.
 */
#include "as_completed/as_completed.h"

#include "common/bench.h"
#include "common/echo.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

typedef struct request {
    uv_work_t work;
    uint64_t arg;
    uint64_t result;
} request;

static uv_loop_t loop;
static uint64_t *next_result;

static void
run_request(uv_work_t *work)
{
    request *r = (request *)work;

    r->result = echo_task(r->arg);
}

static void
after_request(uv_work_t *work, int status)
{
    const request *r = (const request *)work;

    if (status != 0)
        bench_die("uv_queue_work: %s", uv_strerror(status));
    *next_result++ = r->result;
}

/* libuv reads the number of its threads when the first work is queued. */
void
as_completed_open(int workers)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", workers);
    if (setenv("UV_THREADPOOL_SIZE", text, 1) != 0)
        bench_die("setenv failed");
    if (uv_loop_init(&loop) != 0)
        bench_die("uv_loop_init failed");
}

void
as_completed_close(void)
{
    if (uv_loop_close(&loop) != 0)
        bench_die("uv_loop_close failed");
}

as_completed_times
as_completed_round(const uint64_t *args, uint64_t *came, size_t n)
{
    static request *requests;
    static size_t room;

    if (room < n) {
        free(requests);
        requests = bench_alloc(n, sizeof(*requests));
        room = n;
    }
    next_result = came;
    uint64_t start = bench_now_ns();
    for (size_t i = 0; i < n; i++) {
        requests[i].arg = args[i];
        if (uv_queue_work(
                &loop, &requests[i].work, run_request, after_request) != 0)
            bench_die("uv_queue_work failed");
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    double took = (double)(bench_now_ns() - start);
    if (next_result != came + n)
        bench_die("not all of %zu requests completed", n);
    return (as_completed_times){took, NO_DRAIN};
}
