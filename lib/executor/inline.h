/* SPDX-License-Identifier: MIT */
/*
 * An inline executor inside a worker of another executor: what a task there
 * submits runs at once, as part of it.
 */
#ifndef CF_LIB_EXECUTOR_INLINE_H
#define CF_LIB_EXECUTOR_INLINE_H

#include <cfutures/executor.h>

#include "lib/base/atomic.h"

/* Made before the worker is, which may be a process forked later; its user's
 * cf_executor_destroy() frees nothing. CF_ENOMEM. */
cf_err cf__inline_new_in_worker(cf_executor **out);

/* In the worker: what cf_call_worker() and cf_call_worker_data() return, and
 * cf_call.home. */
void cf__inline_enter_worker(cf_executor *ex,
                             int worker,
                             void *worker_data,
                             const _Atomic uint32_t *home);

void cf__inline_free_in_worker(cf_executor *ex);

#endif
