/* SPDX-License-Identifier: MIT */
/*
 * The seam between the as_completed workload and its subjects: the results of
 * n tasks, handed to the submitting thread in the order in which they finish.
 */
#ifndef BENCH_AS_COMPLETED_AS_COMPLETED_H
#define BENCH_AS_COMPLETED_AS_COMPLETED_H

#include <stddef.h>
#include <stdint.h>

#define NO_DRAIN (-1.0)

typedef struct as_completed_times {
    double total_ns; /* from the first submit until the last one came */
    double drain_ns; /* of these, after the last submit; NO_DRAIN where the
                        subject has no such moment */
} as_completed_times;

void as_completed_open(int workers);
void as_completed_close(void);

/* Runs echo_task() for every argument; came gets all results as they come. */
as_completed_times
as_completed_round(const uint64_t *args, uint64_t *came, size_t n);

#endif
