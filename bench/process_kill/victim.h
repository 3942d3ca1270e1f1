/* SPDX-License-Identifier: MIT */
/*
 * A process that gives its process id and then waits for its end.
 */
#ifndef BENCH_PROCESS_KILL_VICTIM_H
#define BENCH_PROCESS_KILL_VICTIM_H

#include "common/bench.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <unistd.h>

/* In shared memory. */
typedef struct victim {
    _Atomic pid_t pid; /* 0: it has not begun */
} victim;

static inline void
victim_wait_for_end(victim *v)
{
    atomic_store(&v->pid, getpid());
    for (;;)
        pause();
}

/* Waits until the victim has begun, and a little more, so that it sleeps and
 * so does the process that started it. */
static inline pid_t
victim_find(victim *v)
{
    uint64_t settle_ns = 200000;
    pid_t pid;

    while ((pid = atomic_load(&v->pid)) == 0)
        sched_yield();
    for (uint64_t start = bench_now_ns(); bench_now_ns() < start + settle_ns;)
        sched_yield();
    return pid;
}

#endif
