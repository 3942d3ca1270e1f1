/* SPDX-License-Identifier: MIT */
/*
 * Worker processes behind pipes or socket pairs, and no library: each argument
 * and each result is a write of its own, and a reader takes what is there.
 * Tasks are dealt out in turn, a bounded number ahead, so that neither side
 * ever blocks in a write while the other one does.
 */
#include "common/stream.h"
#include "common/bench.h"
#include "common/subject.h"

#include <stdlib.h>

enum {
    PIPE_AHEAD = 4096,  /* messages under way: half of what a pipe holds */
    SOCKET_AHEAD = 128, /* ... a socket, which charges 768 bytes for each */
    AT_ONCE = 512       /* the most in one read */
};

static const size_t ahead =
    BENCH_STREAM == STREAM_PIPE ? PIPE_AHEAD : SOCKET_AHEAD;

static stream *workers;
static size_t worker_count;

struct batch {
    uint64_t *results;
    size_t *sent;  /* for each worker */
    size_t *taken; /* results, likewise */
};

static void
serve(int in, int out)
{
    uint64_t args[AT_ONCE];
    size_t count;

    while ((count = stream_read_some(in, args, sizeof(*args), AT_ONCE)) > 0) {
        for (size_t i = 0; i < count; i++) {
            uint64_t result = bench_task(args[i]);
            stream_write(out, &result, sizeof(result));
        }
    }
}

void
subject_run(int count, void (*body)(void *data), void *data)
{
    workers = bench_alloc((size_t)count, sizeof(*workers));
    worker_count = (size_t)count;
    stream_open(workers, count, BENCH_STREAM, serve);
    body(data);
    stream_close(workers, count);
    free(workers);
}

int
subject_blockable(int count)
{
    return count;
}

batch *
batch_create(size_t max)
{
    batch *b = bench_alloc(1, sizeof(*b));

    (void)max;
    b->sent = bench_alloc(worker_count, sizeof(*b->sent));
    b->taken = bench_alloc(worker_count, sizeof(*b->taken));
    return b;
}

/* Takes what a worker has ready, at least one. */
static void
take(batch *b, size_t worker)
{
    uint64_t results[AT_ONCE];
    size_t count = stream_read_some(
        workers[worker].from, results, sizeof(*results), AT_ONCE);

    if (count == 0 || count > b->sent[worker] - b->taken[worker])
        bench_die("a worker gave fewer or more results than it had tasks");
    for (size_t i = 0; i < count; i++)
        b->results[b->taken[worker]++ * worker_count + worker] = results[i];
}

void
batch_submit(batch *b, const uint64_t *args, uint64_t *results, size_t n)
{
    b->results = results;
    for (size_t w = 0; w < worker_count; w++)
        b->sent[w] = b->taken[w] = 0;
    for (size_t i = 0; i < n; i++) {
        size_t w = i % worker_count;
        while (b->sent[w] - b->taken[w] >= ahead)
            take(b, w);
        stream_write(workers[w].to, &args[i], sizeof(args[i]));
        b->sent[w]++;
    }
}

void
batch_collect(batch *b)
{
    for (size_t w = 0; w < worker_count; w++) {
        while (b->taken[w] < b->sent[w])
            take(b, w);
    }
}

void
batch_destroy(batch *b)
{
    free(b->taken);
    free(b->sent);
    free(b);
}
