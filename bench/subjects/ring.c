/* SPDX-License-Identifier: MIT */
/*
 * The least that can be called a process pool: for each worker a ring of
 * arguments and one of results in shared memory; no process ever sleeps. No
 * futures, errors, deaths or stealing: a floor for the figures.
 */
#include "common/ring.h"
#include "common/bench.h"
#include "common/child.h"
#include "common/subject.h"

#include <stdlib.h>
#include <unistd.h>

typedef struct shared {
    atomic_bool stopping;
    struct {
        ring args;
        ring results;
    } workers[];
} shared;

struct batch {
    uint64_t *results;
    size_t *sent;  /* for each worker */
    size_t *taken; /* results, likewise */
};

static shared *memory;
static size_t worker_count;

static void
serve(size_t worker)
{
    ring *args = &memory->workers[worker].args;
    ring *results = &memory->workers[worker].results;
    unsigned misses = 0;
    uint64_t arg;

    while (!atomic_load_explicit(&memory->stopping, memory_order_relaxed)) {
        if (!ring_take(args, &arg)) {
            ring_miss(&misses);
            continue;
        }
        misses = 0;
        uint64_t result = bench_task(arg);
        while (!ring_put(results, result))
            ring_miss(&misses);
    }
}

void
subject_run(int workers, void (*body)(void *data), void *data)
{
    worker_count = (size_t)workers;
    size_t size = sizeof(*memory) + worker_count * sizeof(memory->workers[0]);
    pid_t *pids = bench_alloc(worker_count, sizeof(*pids));

    memory = child_share(size);
    for (size_t w = 0; w < worker_count; w++) {
        pids[w] = child_fork();
        if (pids[w] == 0) {
            serve(w);
            _exit(0);
        }
    }
    body(data);
    atomic_store(&memory->stopping, true);
    for (size_t w = 0; w < worker_count; w++)
        child_wait(pids[w]);
    child_unshare(memory, size);
    free(pids);
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

    (void)max;
    b->sent = bench_alloc(worker_count, sizeof(*b->sent));
    b->taken = bench_alloc(worker_count, sizeof(*b->taken));
    return b;
}

/* Takes all that a worker has ready; false: nothing. */
static bool
take(batch *b, size_t worker)
{
    ring *results = &memory->workers[worker].results;
    size_t before = b->taken[worker];
    uint64_t result;

    while (b->taken[worker] < b->sent[worker] && ring_take(results, &result))
        b->results[b->taken[worker]++ * worker_count + worker] = result;
    return b->taken[worker] > before;
}

/* Tasks are dealt out in turn. A full ring of arguments means that its worker
 * has results to be taken, or soon will. */
void
batch_submit(batch *b, const uint64_t *args, uint64_t *results, size_t n)
{
    b->results = results;
    for (size_t w = 0; w < worker_count; w++)
        b->sent[w] = b->taken[w] = 0;
    for (size_t i = 0; i < n; i++) {
        size_t w = i % worker_count;
        unsigned misses = 0;
        while (!ring_put(&memory->workers[w].args, args[i])) {
            if (!take(b, w))
                ring_miss(&misses);
        }
        b->sent[w]++;
    }
}

void
batch_collect(batch *b)
{
    for (size_t w = 0; w < worker_count; w++) {
        unsigned misses = 0;
        while (b->taken[w] < b->sent[w]) {
            if (!take(b, w))
                ring_miss(&misses);
        }
    }
}

void
batch_destroy(batch *b)
{
    free(b->taken);
    free(b->sent);
    free(b);
}
