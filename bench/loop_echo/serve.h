/* SPDX-License-Identifier: MIT */
/* How long clients wait while the server awaits a task of a thread pool. */
#ifndef BENCH_LOOP_ECHO_SERVE_H
#define BENCH_LOOP_ECHO_SERVE_H

#include "common/bench.h"

/* Writes the metrics p99_ns_<load> and <load>_over_alone. Needs two CPUs; if
 * there are fewer, it writes none. */
void serve_measure(const bench_options *options);

#endif
