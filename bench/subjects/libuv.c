/* SPDX-License-Identifier: MIT */
/*
 * libuv: uv_queue_work() of a caller's request on a loop of its own;
 * uv_run() delivers the completions.
 */
#include "common/bench.h"
#include "common/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

typedef struct request {
    uv_work_t work;
    uint64_t arg;
    uint64_t *result;
} request;

struct batch {
    uv_loop_t loop;
    request *requests;
    size_t n;
    size_t completed;
};

static void
run_request(uv_work_t *work)
{
    request *r = (request *)work;

    *r->result = bench_task(r->arg);
}

static void
after_request(uv_work_t *work, int status)
{
    batch *b = work->data;

    if (status != 0)
        bench_die("uv_queue_work: %s", uv_strerror(status));
    b->completed++;
}

/* libuv reads the number of its threads when the first work is queued. */
void
subject_run(int workers, void (*body)(void *data), void *data)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", workers);
    if (setenv("UV_THREADPOOL_SIZE", text, 1) != 0)
        bench_die("setenv failed");
    body(data);
}

int
subject_blockable(int workers)
{
    return workers;
}

batch *
batch_create(size_t max)
{
    batch *b = bench_alloc(1, sizeof(*b));

    b->requests = bench_alloc(max, sizeof(request));
    if (uv_loop_init(&b->loop) != 0)
        bench_die("uv_loop_init failed");
    return b;
}

void
batch_submit(batch *b, const uint64_t *args, uint64_t *results, size_t n)
{
    b->n = n;
    b->completed = 0;
    for (size_t i = 0; i < n; i++) {
        request *r = &b->requests[i];
        r->work.data = b;
        r->arg = args[i];
        r->result = &results[i];
        if (uv_queue_work(&b->loop, &r->work, run_request, after_request) != 0)
            bench_die("uv_queue_work failed");
    }
}

void
batch_collect(batch *b)
{
    uv_run(&b->loop, UV_RUN_DEFAULT);
    if (b->completed != b->n)
        bench_die("%zu of %zu requests completed", b->completed, b->n);
}

void
batch_destroy(batch *b)
{
    if (uv_loop_close(&b->loop) != 0)
        bench_die("uv_loop_close failed");
    free(b->requests);
    free(b);
}
