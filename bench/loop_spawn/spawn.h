/* SPDX-License-Identifier: MIT */
/* What a subject of loop_spawn provides. */
#ifndef BENCH_LOOP_SPAWN_SPAWN_H
#define BENCH_LOOP_SPAWN_SPAWN_H

#include <stddef.h>

/* A task makes n empty tasks on its own thread, at_once at a time, and awaits
 * the result of each. Returns what that took, in nanoseconds. Dies unless all
 * ran. */
double spawn_ns(size_t at_once, size_t n);

#endif
