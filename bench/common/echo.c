/* SPDX-License-Identifier: MIT */
/*
 * Arguments and results of tasks that do nothing.
 */
#include "common/echo.h"

#include "common/bench.h"

void
echo_fill(uint64_t *args, size_t n, int round)
{
    for (size_t i = 0; i < n; i++)
        args[i] = (uint64_t)i << 16 | (uint64_t)(unsigned)round;
}

void
echo_check(const uint64_t *args, const uint64_t *results, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (results[i] != echo_task(args[i]))
            bench_die("task %zu did not run or gave a wrong result", i);
    }
}
