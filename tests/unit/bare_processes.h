/* SPDX-License-Identifier: MIT */
/*
 * A process pool without processes, and without a manager's thread: threads of
 * the test play the workers and the manager. So both sides of a lane are in one
 * process, and each step of one can be put between two steps of the other.
 *
 * It is linked with --wrap=cf__zygote_start, --wrap=cf__helper_thread_start.
 */
#ifndef CF_TESTS_UNIT_BARE_PROCESSES_H
#define CF_TESTS_UNIT_BARE_PROCESSES_H

#include "process_pool/pool.h"
#include "process_pool/worker/bells.h"

/* Each lane has a worker, as the program believes, and nothing in hand. */
struct cf__processes *bare_open(int workers);

/* Nothing is queued or in hand. */
void bare_close(struct cf__processes *pool);

/* The same for a pool that a thread may still use: it only looks ended. */
void bare_leave(struct cf__processes *pool);

/* A task with one handle, which is the queue's or the lane's. */
cf_future *bare_task(struct cf__processes *pool, cf_task_fn *fn);

/* Under the lock: hands lane 0 a task, whose position is returned. The worker
 * is not told. */
uint64_t bare_hand(struct cf__processes *pool, cf_future *f, uint32_t flags);

/* As the worker: the task at this position of lane 0 has returned. */
void bare_end(struct cf__processes *pool, uint64_t position);

/* Drops all tasks that are queued, or that lane 0 has and its worker has not
 * taken. */
void bare_drop(struct cf__processes *pool);

/* The same, if no thread is the worker. Lane 0 then has nothing in hand, as if
 * the worker had skipped it. */
void bare_empty(struct cf__processes *pool);

/* What lane 0's worker has of the bells. */
struct cf__bells bare_bells(struct cf__processes *pool);

/* Starts a thread that runs cf__worker_main() for lane 0. */
void bare_start_worker(struct cf__processes *pool);

/* The manager has been rung since it last answered. */
bool bare_is_rung(struct cf__processes *pool);

/* As the manager: one step, which may fall asleep (cf__bell_await). */
void bare_step(struct cf__processes *pool);

#endif
