/* SPDX-License-Identifier: MIT */
/*
 * From kill(pid, SIGKILL) of a worker in a task until that task has failed,
 * n times.
 */
#include "process_kill/kill.h"

#include "common/bench.h"

#include <stdlib.h>

int
main(int argc, char **argv)
{
    bench_options o = bench_parse(argc, argv, 300);
    double *us = bench_alloc(o.n, sizeof(*us));

    kill_open(o.workers);
    for (size_t i = 0; i < o.n / 10 + 1; i++)
        kill_once(); /* warms up */
    for (size_t i = 0; i < o.n; i++)
        us[i] = (double)kill_once() / 1e3;
    kill_close();
    bench_metric("kill_us", bench_median(us, o.n));
    free(us);
    return 0;
}
