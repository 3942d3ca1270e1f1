/* SPDX-License-Identifier: MIT */
/*
 * OpenMP: a task construct for one branch, taskwait. With one thread the
 * runtime does not queue anything.
 */
#include "forkjoin/forkjoin.h"

static uint64_t
fib(unsigned n)
{
    uint64_t branch;

    if (n < 2)
        return n;
#pragma omp task default(none) shared(branch) firstprivate(n)
    branch = fib(n - 1);
    uint64_t called = fib(n - 2);
#pragma omp taskwait
    return called + branch;
}

void
forkjoin_open(int most)
{
    (void)most;
}

uint64_t
forkjoin_fib(int workers, unsigned n)
{
    uint64_t value = 0;

#pragma omp parallel num_threads(workers) default(none) shared(value, n)
#pragma omp single
    value = fib(n);
    return value;
}

void
forkjoin_close(void)
{
}
