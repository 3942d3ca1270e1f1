/* SPDX-License-Identifier: MIT */
/*
 * Tasks that do nothing but turn 8 bytes into 8 other bytes, and the check
 * that each of them ran and gave its own result.
 */
#ifndef BENCH_COMMON_ECHO_H
#define BENCH_COMMON_ECHO_H

#include <stddef.h>
#include <stdint.h>

/* What such a bench_task() returns. */
static inline uint64_t
echo_task(uint64_t arg)
{
    return ~arg;
}

/* Arguments that no other index and no other round has, so that a result left
 * from the last round is found out. */
void echo_fill(uint64_t *args, size_t n, int round);

/* Dies unless results are those of args. */
void echo_check(const uint64_t *args, const uint64_t *results, size_t n);

#endif
