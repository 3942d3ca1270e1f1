/* SPDX-License-Identifier: MIT */
/*
 * The seam between the recycle workload and its subjects: a worker process for
 * each task.
 */
#ifndef BENCH_PROCESS_RECYCLE_RECYCLE_H
#define BENCH_PROCESS_RECYCLE_RECYCLE_H

#include <stddef.h>
#include <stdint.h>

/* What a task does. */
uint64_t recycle_task(uint64_t arg);

/* At most workers processes at a time, and at most max_n tasks. */
void recycle_open(int workers, size_t max_n);
void recycle_close(void);

/* Runs n tasks, each in a process that ends after it. */
void recycle_run(const uint64_t *args, uint64_t *results, size_t n);

#endif
