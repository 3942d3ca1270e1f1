/* SPDX-License-Identifier: MIT */
/*
 * Restartable sequences: the kernel writes into thread-local memory on which
 * processor a thread runs, and sched_getcpu() believes it. The zygote's two
 * threads share that memory, so the kernel can write there for one of them
 * only. It does not for the thread that forks workers, nor for the workers.
 */
#ifndef CF_PROCESS_POOL_RSEQ_H
#define CF_PROCESS_POOL_RSEQ_H

/* In a worker, where one thread has the memory again: makes the kernel write
 * there, or else tells the C library that it does not. Async-signal-safe. */
void cf__rseq_renew(void);

#endif
