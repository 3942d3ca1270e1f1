/* SPDX-License-Identifier: MIT */
/* A workload that is the same with a few of something, and with a thousand. */
#ifndef BENCH_COMMON_TWO_SIZES_H
#define BENCH_COMMON_TWO_SIZES_H

#include "common/bench.h"

enum { TWO_SIZES_MANY = 1000 };

/* Does the workload's step n times with that many. Returns what that took, in
 * nanoseconds. */
typedef double two_sizes_fn(size_t size, size_t n);

/* Writes the metrics NAME_<few> and NAME_1000: nanoseconds per step. Dies if n
 * is no multiple of both sizes. */
void two_sizes_measure(const bench_options *options,
                       const char *name,
                       size_t few,
                       two_sizes_fn *fn);

#endif
