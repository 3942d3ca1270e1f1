/* SPDX-License-Identifier: MIT */
/*
 * Waiting inside a task. A worker that waits must not be lost to its pool: a
 * pool whose workers all wait would stand still.
 */
#ifndef CF_LIB_EXECUTOR_WAIT_IN_TASK_H
#define CF_LIB_EXECUTOR_WAIT_IN_TASK_H

#include "lib/base/worker.h"
#include "lib/executor/executor.h"
#include "lib/future/future.h"

/*
 * Waits in self's task until f is done. If f is pending, runs it here. If f
 * runs elsewhere, runs tasks that descend from f; if there are none, sleeps. If
 * f is deferred, waits in the same way for what f waits for.
 * firmly: also if the task has been told to stop.
 * CF_OK, CF_ETIMEDOUT, CF_EDEADLK, CF_EINTERRUPTED, CF_EFORKED.
 */
cf_err cf__in_task_wait(struct cf__worker *self,
                        cf_future *f,
                        int64_t deadline_ns,
                        bool firmly);

/* Parks until f is done, or for no reason; false: the deadline has passed. In a
 * task of f's executor, also until there may be a task to help with. */
bool cf__park_on(struct cf__worker *self, cf_future *f, int64_t deadline_ns);

/* Part of cf__in_task_run(): runs f, if it is no other process's. */
bool cf__in_task_run_pending(struct cf__worker *self, cf_future *f);

/* If f is pending and of self's own executor, runs it here: then f is done. */
static inline bool
cf__in_task_run(struct cf__worker *self, cf_future *f)
{
    return f->executor == self->executor && f->executor->ops->run_pending &&
           cf__in_task_run_pending(self, f);
}

/* f is deferred: runs one of the tasks that it waits for here, if one is
 * pending and of self's own executor. */
bool cf__in_task_run_input(struct cf__worker *self, cf_future *f);

/* cf__in_task_run() has failed only because there was no memory: self sleeps
 * for a moment at most, and tries again. */
bool cf__in_task_must_retry(struct cf__worker *self, cf_future *f);

/* When such a sleep ends. */
int64_t cf__in_task_retry_at(int64_t deadline_ns);

#endif
