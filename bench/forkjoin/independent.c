/* SPDX-License-Identifier: MIT */
/*
 * What the machine itself gives: the whole of fib(n), unsplit, once for every
 * worker; one after the other, or on as many bare threads. No program with
 * something to share can have a better speed-up.
 */
#include "forkjoin/forkjoin.h"

#include "common/bench.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct copy {
    pthread_t thread;
    unsigned n;
    uint64_t value;
} copy;

static int copies;

__attribute__((noinline)) static uint64_t
fib(unsigned n)
{
    uint64_t first;

    if (n < 2)
        return n;
    first = fib(n - 1);
    return first + fib(n - 2);
}

static void *
copy_main(void *data)
{
    copy *c = data;

    c->value = fib(c->n);
    return NULL;
}

void
forkjoin_open(int most)
{
    copies = most;
}

static uint64_t
on_threads(unsigned n)
{
    copy *all = bench_alloc((size_t)copies, sizeof(*all));

    for (int i = 0; i < copies; i++) {
        all[i].n = n;
        if (pthread_create(&all[i].thread, NULL, copy_main, &all[i]) != 0)
            bench_die("pthread_create failed");
    }
    for (int i = 0; i < copies; i++)
        pthread_join(all[i].thread, NULL);
    uint64_t value = all[0].value;
    for (int i = 1; i < copies; i++) {
        if (all[i].value != value)
            bench_die("two threads disagree on fib(%u)", n);
    }
    free(all);
    return value;
}

uint64_t
forkjoin_fib(int workers, unsigned n)
{
    uint64_t value = 0;

    if (workers > 1)
        return on_threads(n);
    for (int i = 0; i < copies; i++) {
        copy c = {.n = n};
        copy_main(&c);
        value = c.value;
    }
    return value;
}

void
forkjoin_close(void)
{
}
