/* SPDX-License-Identifier: MIT */
/* What a subject of loop_switch provides. */
#ifndef BENCH_LOOP_SWITCH_SWITCH_H
#define BENCH_LOOP_SWITCH_SWITCH_H

#include <stddef.h>

/* That many tasks on one thread let each other run, n times in all. Returns
 * what that took, in nanoseconds, without the making of the tasks. */
double switch_ns(size_t tasks, size_t n);

#endif
