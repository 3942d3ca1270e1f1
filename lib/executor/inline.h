/* SPDX-License-Identifier: MIT */
/*
 * An inline executor inside of a worker of another executor: what a task there
 * submits to it runs at once, as part of that task.
 */
#ifndef CF_LIB_EXECUTOR_INLINE_H
#define CF_LIB_EXECUTOR_INLINE_H

#include <cfutures/executor.h>

#include "lib/base/atomic.h"

/* Makes it before the worker begins, which may be a process that is forked
 * later. If a user calls cf_executor_destroy(), that frees nothing.
 * CF_ENOMEM. */
cf_err cf__inline_new_in_worker(cf_executor **out);

/* Called in the worker: what cf_call_worker() and cf_call_worker_data() return
 * in tasks, and their cf_call.home. */
void cf__inline_enter_worker(cf_executor *ex,
                             int worker,
                             void *worker_data,
                             const _Atomic uint32_t *home);

void cf__inline_free_in_worker(cf_executor *ex);

#endif
