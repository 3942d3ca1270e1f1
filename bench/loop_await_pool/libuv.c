/* SPDX-License-Identifier: MIT */
/* libuv: uv_queue_work(), and a callback on the loop. */
#include "loop_await_pool/await_pool.h"

#include "common/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

static uv_loop_t loop;

struct chain {
    uv_work_t work;
    double *took;
    size_t n, done;
    uint64_t gap_ns, start;
};

/* The pool's threads start with its first task. */
void
await_open(int workers)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", workers);
    setenv("UV_THREADPOOL_SIZE", text, 1);
    if (uv_loop_init(&loop) != 0)
        bench_die("uv_loop_init failed");
}

void
await_close(void)
{
    if (uv_loop_close(&loop) != 0)
        bench_die("uv_loop_close failed");
}

static void
nothing(uv_work_t *work)
{
    (void)work;
}

static void submit_next(struct chain *c);

static void
after(uv_work_t *work, int status)
{
    struct chain *c = work->data;

    if (status != 0)
        bench_die("uv_queue_work: %s", uv_strerror(status));
    c->took[c->done++] = (double)(bench_now_ns() - c->start);
    if (c->done < c->n)
        submit_next(c);
}

static void
submit_next(struct chain *c)
{
    uint64_t start = bench_now_ns();

    while (bench_now_ns() < start + c->gap_ns)
        continue;
    c->start = bench_now_ns();
    if (uv_queue_work(&loop, &c->work, nothing, after) != 0)
        bench_die("uv_queue_work failed");
}

void
await_one_by_one(double *took, size_t n, uint64_t gap_ns)
{
    struct chain c = {.took = took, .n = n, .gap_ns = gap_ns};

    c.work.data = &c;
    submit_next(&c);
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void
count(uv_work_t *work, int status)
{
    size_t *done = work->data;

    if (status != 0)
        bench_die("uv_queue_work: %s", uv_strerror(status));
    ++*done;
}

static double
all_at_once(uv_work_t *works, size_t many)
{
    size_t done = 0;
    uint64_t start = bench_now_ns();

    for (size_t i = 0; i < many; i++) {
        works[i].data = &done;
        if (uv_queue_work(&loop, &works[i], nothing, count) != 0)
            bench_die("uv_queue_work failed");
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    double took = (double)(bench_now_ns() - start);
    if (done != many)
        bench_die("%zu tasks ran, not %zu", done, many);
    return took;
}

void
await_many(double *took, size_t times, size_t many)
{
    uv_work_t *works = bench_alloc(many, sizeof(*works));
    for (size_t time = 0; time < times; time++)
        took[time] = all_at_once(works, many);
    free(works);
}
