/* SPDX-License-Identifier: MIT */
/*
 * No pool: both branches are called. What is left of a submit is a call.
 */
#include "forkjoin/forkjoin.h"

/* Not inlined: gcc would unroll the recursion and make most calls vanish. */
__attribute__((noinline)) static uint64_t
fib(unsigned n)
{
    uint64_t first;

    if (n < 2)
        return n;
    first = fib(n - 1);
    return first + fib(n - 2);
}

void
forkjoin_open(int most)
{
    (void)most;
}

uint64_t
forkjoin_fib(int workers, unsigned n)
{
    (void)workers;
    return fib(n);
}

void
forkjoin_close(void)
{
}
