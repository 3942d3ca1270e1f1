/* SPDX-License-Identifier: MIT */
/*
 * Tasks that compute for a known time. A fixed number of steps, not a clock:
 * a task that is preempted must not finish early.
 */
#ifndef BENCH_COMMON_WORK_H
#define BENCH_COMMON_WORK_H

#include <stddef.h>
#include <stdint.h>

/* Steps that take about ns nanoseconds on this machine, undisturbed. */
uint64_t work_calibrate(double ns);

/* An argument: which task it is, and how many steps it does. */
uint64_t work_arg(size_t index, uint64_t steps);

/* Does the steps of the argument; returns arg + 1. */
uint64_t work_task(uint64_t arg);

/* How many steps the calling thread has done so far. */
uint64_t work_steps_here(void);

/* Wall time of the same tasks on bare threads that share nothing: thread t of
 * threads does args t, t + threads, ... The ideal to compare a pool with. */
double work_ideal_ns(const uint64_t *args, size_t n, int threads);

#endif
