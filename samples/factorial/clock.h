/* SPDX-License-Identifier: MIT */
/*
 * Reading clocks in nanoseconds: CLOCK_MONOTONIC for wall time,
 * CLOCK_THREAD_CPUTIME_ID for the work a thread has done.
 */
#ifndef FACTORIAL_CLOCK_H
#define FACTORIAL_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t
clock_ns(clockid_t clock)
{
    struct timespec t = {0, 0};
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

#endif
