/* SPDX-License-Identifier: MIT */
/*
 * The seam between the kill workload and its subjects.
 */
#ifndef BENCH_PROCESS_KILL_KILL_H
#define BENCH_PROCESS_KILL_KILL_H

#include <stdint.h>

void kill_open(int workers);
void kill_close(void);

/* Starts a task that blocks in a worker process, kills that with SIGKILL, and
 * waits until the task is known to have failed because of it. Returns the
 * nanoseconds from before the kill to that. */
uint64_t kill_once(void);

#endif
