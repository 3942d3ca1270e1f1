/* SPDX-License-Identifier: MIT */
/*
 * The seam between the forkjoin workload and its subjects: Fibonacci numbers
 * by double recursion, where every call submits one branch, calls the other
 * as a plain function and waits for the first.
 */
#ifndef BENCH_FORKJOIN_FORKJOIN_H
#define BENCH_FORKJOIN_FORKJOIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes what forkjoin_fib() needs for 1 and for most workers. */
void forkjoin_open(int most);

/* fib(n) on 1 or most workers, from outside the pool. */
uint64_t forkjoin_fib(int workers, unsigned n);

void forkjoin_close(void);

#ifdef __cplusplus
}
#endif

#endif
