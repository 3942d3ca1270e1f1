/* SPDX-License-Identifier: MIT */
/*
 * Waiting inside a task: a worker that waits must not be lost to its pool, or
 * a pool whose workers all wait would stand still.
 */
#ifndef CF_LIB_EXECUTOR_WAIT_IN_TASK_H
#define CF_LIB_EXECUTOR_WAIT_IN_TASK_H

#include "lib/base/worker.h"
#include "lib/future/future.h"

/*
 * Waits in self's task until f is done: runs it here if it is pending, runs
 * what descends from it if it runs elsewhere, else sleeps.
 * CF_OK, CF_ETIMEDOUT, CF_EDEADLK.
 */
cf_err
cf__in_task_wait(struct cf__worker *self, cf_future *f, int64_t deadline_ns);

/* Runs f here, if it is pending and of self's own executor; then it is done. */
bool cf__in_task_run(struct cf__worker *self, cf_future *f);

/* cf__in_task_run() has failed, and only for want of memory: self sleeps for a
 * moment at most, and tries again. */
bool cf__in_task_must_retry(struct cf__worker *self, cf_future *f);

/* The end of such a sleep. */
int64_t cf__in_task_retry_at(int64_t deadline_ns);

#endif
