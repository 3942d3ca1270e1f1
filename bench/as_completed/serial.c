/* SPDX-License-Identifier: MIT */
/*
 * No pool: a loop.
 */
#include "as_completed/as_completed.h"

#include "common/bench.h"
#include "common/echo.h"

void
as_completed_open(int workers)
{
    (void)workers;
}

void
as_completed_close(void)
{
}

as_completed_times
as_completed_round(const uint64_t *args, uint64_t *came, size_t n)
{
    uint64_t start = bench_now_ns();

    for (size_t i = 0; i < n; i++)
        came[i] = echo_task(args[i]);
    return (as_completed_times){(double)(bench_now_ns() - start), NO_DRAIN};
}
