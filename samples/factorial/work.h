/* SPDX-License-Identifier: MIT */
/*
 * The task: one factorial. Argument and result are plain bytes without
 * pointers, so that the same function can run in a thread, in the caller or
 * in another process.
 */
#ifndef FACTORIAL_WORK_H
#define FACTORIAL_WORK_H

#include <cfutures/task.h>

typedef enum print_mode {
    PRINT_VALUE,   /* all decimal digits */
    PRINT_DIGITS,  /* how many decimal digits there are */
    PRINT_CHECKSUM /* FNV-1a, 64 bits, of the value's bytes, the most
                      significant first, without leading zero bytes */
} print_mode;

typedef struct factorial_arg {
    uint32_t n;
    uint32_t print; /* a print_mode: what the result has to contain */
} factorial_arg;

/* The result's bytes; in PRINT_VALUE the decimal digits follow it. */
typedef struct factorial_result {
    uint32_t n;
    uint32_t parts;    /* sub-products computed by jobs of their own */
    uint64_t cpu_ns;   /* CPU time of this task and of its parts */
    uint64_t checksum; /* always there */
    uint64_t digits;   /* of the decimal number; 0 in PRINT_CHECKSUM */
} factorial_result;

/**
 * Computes the factorial of a factorial_arg; returns a factorial_result.
 *
 * A large one is split: the task spawns jobs that compute sub-products.
 */
cf_task_fn factorial_task;

#endif
