/* SPDX-License-Identifier: MIT */
/*
 * A task that makes empty tasks on its own thread: nanoseconds from the submit
 * to the result, one after the other, and a thousand at a time.
 */
#include "loop_spawn/spawn.h"

#include "common/two_sizes.h"

int
main(int argc, char **argv)
{
    bench_options options = bench_parse(argc, argv, 1000000);

    two_sizes_measure(&options, "ns_per_task", 1, spawn_ns);
    return 0;
}
