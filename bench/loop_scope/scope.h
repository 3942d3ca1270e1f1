/* SPDX-License-Identifier: MIT */
/* What a subject of loop_scope provides. */
#ifndef BENCH_LOOP_SCOPE_SCOPE_H
#define BENCH_LOOP_SCOPE_SCOPE_H

#include <stddef.h>

/* So many timers are pending on a loop. n times: a time limit of a second
 * begins around an operation that is done at once, and ends. Returns what
 * that took, in nanoseconds. */
double scope_ns(size_t pending, size_t n);

#endif
