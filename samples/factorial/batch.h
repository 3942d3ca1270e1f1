/* SPDX-License-Identifier: MIT */
/*
 * Computes the whole batch and prints the results.
 */
#ifndef FACTORIAL_BATCH_H
#define FACTORIAL_BATCH_H

#include "input.h"
#include "options.h"

#include <cfutures/executor.h>

/* What the report tells. */
typedef struct batch_totals {
    uint64_t numbers;  /* in the input */
    uint64_t parts;    /* sub-products computed by jobs of their own */
    uint64_t failures; /* numbers without a result */
    uint64_t cpu_ns;   /* CPU time of all tasks */
    uint64_t wall_ns;
    uint64_t checksum; /* the sum of all checksums, modulo 2^64 */
} batch_totals;

/**
 * Computes and prints every number of the input.
 *
 * @return  false: results are missing, and why is on standard error.
 */
bool batch_run(cf_executor *ex,
               const options *opts,
               const input *in,
               batch_totals *totals);

#endif
