/* SPDX-License-Identifier: MIT */
/*
 * Restartable sequences: the kernel writes into thread-local memory on which
 * processor a thread runs, and sched_getcpu() believes it. Threads that share
 * that memory, as the zygote's two do, cannot both have it so: the kernel does
 * not write for the one that serves, nor for the workers that are forked from
 * it.
 */
#ifndef CF_PROCESS_POOL_RSEQ_H
#define CF_PROCESS_POOL_RSEQ_H

/* In a worker, which has the memory alone again: the kernel writes there, or
 * else the C library knows that it does not. Async-signal-safe. */
void cf__rseq_renew(void);

#endif
