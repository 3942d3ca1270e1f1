/* SPDX-License-Identifier: MIT */
/*
 * The seam between a workload and a subject (this library or a peer). A
 * workload is one main program, linked once with every subject, so all
 * subjects live through the same rounds; a subject does each step in the way
 * that its own users would write it.
 *
 * In submit_many, BENCH_SUBMIT_MANY is defined, and batch_submit() is one call
 * of the library.
 *
 * A task takes 8 bytes and gives 8 bytes. A subject with futures reads every
 * result from its future; one without lets the task store the result.
 */
#ifndef BENCH_COMMON_SUBJECT_H
#define BENCH_COMMON_SUBJECT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The workload's part: what a task does. */
uint64_t bench_task(uint64_t arg);

/* The subject's part: a pool, and batches of tasks on it. */
typedef struct batch batch;

/* Opens a pool, calls body(data) where tasks can be submitted, closes it. */
void subject_run(int workers, void (*body)(void *data), void *data);

/* How many tasks can block at the same time while the submitting thread goes
 * on submitting. Fewer than workers: the submitting thread is one of them. */
int subject_blockable(int workers);

/* Room for max tasks at a time; used again and again by one thread. */
batch *batch_create(size_t max);

/* Submits n tasks, one for each argument. The batch keeps results, where
 * batch_collect() leaves one result for each argument. */
void batch_submit(batch *b, const uint64_t *args, uint64_t *results, size_t n);

/* Waits for the submitted tasks and delivers all results. */
void batch_collect(batch *b);

void batch_destroy(batch *b);

#ifdef __cplusplus
}
#endif

#endif
