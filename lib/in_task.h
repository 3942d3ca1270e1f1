/* SPDX-License-Identifier: MIT */
/*
 * Waiting inside a task: a worker that waits must not be lost to its pool, or
 * a pool whose workers all wait would stand still.
 */
#ifndef CF_LIB_IN_TASK_H
#define CF_LIB_IN_TASK_H

#include "lib/future.h"
#include "lib/worker.h"

/*
 * Waits in self's task until f is done: runs it here if it is pending, runs
 * what descends from it if it runs elsewhere, else sleeps.
 * CF_OK, CF_ETIMEDOUT, CF_EDEADLK.
 */
cf_err
cf__in_task_wait(struct cf__worker *self, cf_future *f, int64_t deadline_ns);

/*
 * Runs one of the futures here, if one of them is pending and of self's own
 * executor. *cursor (0 at first) keeps the search O(1) over many calls: what
 * is before it is pending no more.
 */
bool cf__in_task_run_one(struct cf__worker *self,
                         cf_future *const *futures,
                         size_t count,
                         size_t *cursor);

#endif
