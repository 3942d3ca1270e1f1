/* SPDX-License-Identifier: MIT */
/*
 * The seam between the start workload and its subjects.
 */
#ifndef BENCH_PROCESS_START_START_H
#define BENCH_PROCESS_START_START_H

#include <stdint.h>

/* What the task does. */
uint64_t start_task(uint64_t arg);

/* Makes a pool, runs start_task(arg) on it, destroys it; returns the result. */
uint64_t start_once(int workers, uint64_t arg);

#endif
