/* SPDX-License-Identifier: MIT */
/*
 * Resident memory of n pending tasks with an 8-byte argument each, while all
 * workers are blocked. Counted is everything that the subject and its user
 * need for them, the array of handles included; not the arguments given.
 */
#include "common/bench.h"
#include "common/echo.h"
#include "common/gate.h"
#include "common/subject.h"

#include <stdlib.h>

uint64_t
bench_task(uint64_t arg)
{
    return arg == GATE_ARG ? gate_task() : echo_task(arg);
}

static void
body(void *data)
{
    const bench_options *o = data;
    uint64_t *args = bench_alloc(o->n, sizeof(*args));

    echo_fill(args, o->n, 0);
    gate *g = gate_shut(o->workers);
    size_t before = bench_resident_bytes();
    uint64_t *results = bench_alloc(o->n, sizeof(*results));
    batch *b = batch_create(o->n);
    batch_submit(b, args, results, o->n);
    size_t after = bench_resident_bytes();
    gate_open(g);
    batch_collect(b);
    echo_check(args, results, o->n);
    gate_destroy(g);
    batch_destroy(b);
    bench_metric("bytes_per_task",
                 ((double)after - (double)before) / (double)o->n);
    free(results);
    free(args);
}

int
main(int argc, char **argv)
{
    bench_options options = bench_parse(argc, argv, 1000000);

    subject_run(options.workers, body, &options);
    return 0;
}
