/* SPDX-License-Identifier: MIT */
/*
 * No library: all workers are forked, each with two pipes; the first one gets
 * the task; all end with their input and are waited for.
 */
#include "process_start/start.h"

#include "common/bench.h"
#include "common/stream.h"

#include <stdlib.h>

static void
serve(int in, int out)
{
    uint64_t arg;

    while (stream_read(in, &arg, sizeof(arg))) {
        uint64_t result = start_task(arg);
        stream_write(out, &result, sizeof(result));
    }
}

uint64_t
start_once(int workers, uint64_t arg)
{
    stream *streams = bench_alloc((size_t)workers, sizeof(*streams));
    uint64_t result;

    stream_open(streams, workers, STREAM_PIPE, serve);
    stream_write(streams[0].to, &arg, sizeof(arg));
    if (!stream_read(streams[0].from, &result, sizeof(result)))
        bench_die("the worker ended without a result");
    stream_close(streams, workers);
    free(streams);
    return result;
}
