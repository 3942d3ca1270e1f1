/* SPDX-License-Identifier: MIT */
/*
 * loop_await_pool: the parts that its two subjects share, and what each
 * provides.
 */
#ifndef BENCH_LOOP_AWAIT_POOL_AWAIT_POOL_H
#define BENCH_LOOP_AWAIT_POOL_AWAIT_POOL_H

#include <stddef.h>
#include <stdint.h>

/* Opens a loop and a pool of threads. */
void await_open(int workers);
void await_close(void);

/* On the loop's thread: n times, an empty task of the pool from its submit to
 * its result, one after the other. Before each the thread is busy with
 * something else for gap_ns. Writes what each took, in nanoseconds. */
void await_one_by_one(double *took, size_t n, uint64_t gap_ns);

/* So many empty tasks of the pool, each awaited by a task (a callback) of the
 * loop of its own, all at once; that several times in one loop. Writes what
 * each time took in all. */
void await_many(double *took, size_t times, size_t many);

#endif
