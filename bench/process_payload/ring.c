/* SPDX-License-Identifier: MIT */
/*
 * Shared memory and nothing else: an area for the payload and one for the
 * answer of each slot, a ring each way to say which slot; no process sleeps.
 * Copied, that is four copies: into the area, out of it in the worker, and the
 * same on the way back. In place, it is one.
 */
#include "process_payload/payload.h"

#include "common/bench.h"
#include "common/child.h"
#include "common/ring.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct area {
    _Alignas(64) uint64_t input[PAYLOAD_MAX / sizeof(uint64_t)];
    uint64_t output[PAYLOAD_MAX / sizeof(uint64_t)];
} area;

typedef struct shared {
    atomic_bool stopping;
    payload_mode mode; /* changes while no payload is under way */
    size_t size;       /* likewise */
    struct {
        ring asked; /* slots */
        ring answered;
        area areas[PAYLOAD_PER_WORKER];
    } workers[];
} shared;

/* The program's own memory of a slot, for copying. */
typedef struct slot {
    uint64_t *input, *output;
} slot;

static shared *memory;
static size_t memory_size;
static pid_t *pids;
static int worker_count;
static slot *slots;
static int slot_count;

static area *
area_of(int index)
{
    return &memory->workers[index % worker_count].areas[index / worker_count];
}

static void
serve(int worker)
{
    uint64_t *own = bench_alloc(1, PAYLOAD_MAX);
    unsigned misses = 0;
    uint64_t index;

    while (!atomic_load_explicit(&memory->stopping, memory_order_relaxed)) {
        if (!ring_take(&memory->workers[worker].asked, &index)) {
            ring_miss(&misses);
            continue;
        }
        misses = 0;
        area *a = area_of((int)index);
        if (memory->mode == PAYLOAD_COPY) {
            memcpy(own, a->input, memory->size);
            memcpy(a->output, own, memory->size);
        } else {
            memcpy(a->output, a->input, memory->size);
        }
        if (!ring_put(&memory->workers[worker].answered, index))
            bench_die("more answers than payloads");
    }
}

void
payload_open(int workers)
{
    worker_count = workers;
    memory_size =
        sizeof(*memory) + (size_t)workers * sizeof(memory->workers[0]);
    memory = child_share(memory_size);
    pids = bench_alloc((size_t)workers, sizeof(*pids));
    for (int i = 0; i < workers; i++) {
        pids[i] = child_fork();
        if (pids[i] == 0) {
            serve(i);
            _exit(0);
        }
    }
}

void
payload_close(void)
{
    atomic_store(&memory->stopping, true);
    for (int i = 0; i < worker_count; i++)
        child_wait(pids[i]);
    child_unshare(memory, memory_size);
    free(pids);
}

bool
payload_begin(payload_mode mode, size_t size, int count)
{
    memory->mode = mode;
    memory->size = size;
    slot_count = count;
    slots = bench_alloc((size_t)count, sizeof(*slots));
    for (int i = 0; i < count && mode == PAYLOAD_COPY; i++) {
        slots[i].input = bench_alloc(1, size);
        slots[i].output = bench_alloc(1, size);
    }
    return true;
}

void
payload_end(void)
{
    for (int i = 0; i < slot_count; i++) {
        free(slots[i].input);
        free(slots[i].output);
    }
    free(slots);
}

uint64_t *
payload_input(int index)
{
    if (memory->mode == PAYLOAD_PLACE)
        return area_of(index)->input;
    return slots[index].input;
}

void
payload_submit(int index)
{
    if (memory->mode == PAYLOAD_COPY)
        memcpy(area_of(index)->input, slots[index].input, memory->size);
    if (!ring_put(&memory->workers[index % worker_count].asked,
                  (uint64_t)index))
        bench_die("more payloads under way than agreed");
}

/* A worker answers in the order in which it was asked. */
const uint64_t *
payload_result(int index)
{
    ring *answered = &memory->workers[index % worker_count].answered;
    unsigned misses = 0;
    uint64_t answer;

    while (!ring_take(answered, &answer))
        ring_miss(&misses);
    if (answer != (uint64_t)index)
        bench_die("slot %llu was answered, not %d",
                  (unsigned long long)answer,
                  index);
    if (memory->mode == PAYLOAD_PLACE)
        return area_of(index)->output;
    memcpy(slots[index].output, area_of(index)->output, memory->size);
    return slots[index].output;
}

void
payload_release(int index)
{
    (void)index;
}
