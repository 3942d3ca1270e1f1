/* SPDX-License-Identifier: MIT */
/*
 * Payloads to worker processes and back, two under way for each worker: MB of
 * payload per second, each byte going there and back.
 *
 * Every payload has a number of its own in front, so that no answer can be
 * taken for another one. Of each cache line of the answer one word is read.
 */
#include "process_payload/payload.h"

#include "common/bench.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINE_WORDS = 8 };

static uint64_t next_stamp = 1;

static void
fill(uint64_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        words[i] = (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15);
}

/* Reads a word of every cache line but the first, and the last word. */
static uint64_t
touch(const uint64_t *words, size_t count)
{
    uint64_t sum = words[count - 1];

    for (size_t i = LINE_WORDS; i < count; i += LINE_WORDS)
        sum += words[i];
    return sum;
}

static void
take(int slot, uint64_t stamp, uint64_t sum, size_t count)
{
    const uint64_t *words = payload_result(slot);

    if (words[0] != stamp || touch(words, count) != sum)
        bench_die("payload %llu came back wrong", (unsigned long long)stamp);
    payload_release(slot);
}

/* Nanoseconds for tasks payloads. */
static double
run_round(size_t tasks, int slots, uint64_t sum, size_t count)
{
    uint64_t first = next_stamp;
    size_t ahead = (size_t)slots;

    next_stamp += tasks;
    uint64_t start = bench_now_ns();
    for (size_t i = 0; i < tasks + ahead; i++) {
        int slot = (int)(i % ahead);
        if (i >= ahead && i - ahead < tasks)
            take(slot, first + i - ahead, sum, count);
        if (i < tasks) {
            payload_input(slot)[0] = first + i;
            payload_submit(slot);
        }
    }
    return (double)(bench_now_ns() - start);
}

static void
measure(const bench_options *o,
        payload_mode mode,
        const char *name,
        size_t size)
{
    int slots = o->workers * PAYLOAD_PER_WORKER;
    size_t count = size / sizeof(uint64_t);
    size_t tasks = (o->n << 20) / size;
    size_t rounds = (size_t)o->rounds;

    if (tasks < 2 * (size_t)slots)
        tasks = 2 * (size_t)slots;
    if (!payload_begin(mode, size, slots))
        return;
    for (int i = 0; i < slots; i++)
        fill(payload_input(i), count);
    uint64_t sum = touch(payload_input(0), count);
    double *mb_per_s = bench_alloc(rounds, sizeof(*mb_per_s));
    run_round(tasks, slots, sum, count); /* warms up */
    for (size_t i = 0; i < rounds; i++) {
        double ns = run_round(tasks, slots, sum, count);
        mb_per_s[i] = (double)tasks * (double)size * 1e3 / ns;
    }
    payload_end();
    bench_metric(name, bench_median(mb_per_s, rounds));
    free(mb_per_s);
}

int
main(int argc, char **argv)
{
    bench_options o = bench_parse(argc, argv, 256);

    payload_open(o.workers);
    measure(&o, PAYLOAD_COPY, "copy_64k", (size_t)64 << 10);
    measure(&o, PAYLOAD_COPY, "copy_1m", (size_t)1 << 20);
    measure(&o, PAYLOAD_COPY, "copy_16m", PAYLOAD_MAX);
    measure(&o, PAYLOAD_PLACE, "place_64k", (size_t)64 << 10);
    measure(&o, PAYLOAD_PLACE, "place_1m", (size_t)1 << 20);
    measure(&o, PAYLOAD_PLACE, "place_16m", PAYLOAD_MAX);
    payload_close();
    return 0;
}
