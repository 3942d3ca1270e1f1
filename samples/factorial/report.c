/* SPDX-License-Identifier: MIT */
/*
 * The report. The speed-up compares the CPU time inside tasks with the wall
 * time around everything, printing included; how many CPUs were busy with the
 * work, on average.
 */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>

void
report_print(const batch_totals *totals, const input *in, const cf_executor *ex)
{
    const double second_ns = 1e9;
    double wall = (double)totals->wall_ns / second_ns;
    double cpu = (double)totals->cpu_ns / second_ns;
    uint64_t done = totals->numbers - totals->failures;
    fprintf(stderr,
            "tasks       %" PRIu64 " numbers, %" PRIu64 " sub-products\n",
            totals->numbers,
            totals->parts);
    fprintf(stderr,
            "failures    %" PRIu64 " of tasks, %" PRIu64 " of input\n",
            totals->failures,
            in->errors);
    fprintf(stderr,
            "wall time   %.3f s (%.0f numbers/s)\n",
            wall,
            wall > 0 ? (double)done / wall : 0);
    fprintf(stderr, "task time   %.3f s of CPU\n", cpu);
    fprintf(stderr,
            "speed-up    %.2f (task time / wall time; %s, %d %s)\n",
            wall > 0 ? cpu / wall : 0,
            cf_executor_name(ex),
            cf_executor_max_workers(ex),
            cf_executor_max_workers(ex) == 1 ? "worker" : "workers");
    fprintf(stderr, "checksum    %016" PRIx64 "\n", totals->checksum);
}
