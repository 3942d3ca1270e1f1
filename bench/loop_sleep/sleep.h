/* SPDX-License-Identifier: MIT */
/* What a subject of loop_sleep provides. */
#ifndef BENCH_LOOP_SLEEP_SLEEP_H
#define BENCH_LOOP_SLEEP_SLEEP_H

#include <stddef.h>
#include <stdint.h>

/* n times, one after the other: something on a loop sleeps for about 100 us.
 * Writes how late each sleep ended, in nanoseconds; negative: too early. */
void sleep_late(double *late, size_t n);

#endif
