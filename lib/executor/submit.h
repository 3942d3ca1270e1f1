/* SPDX-License-Identifier: MIT */
/* Submits a block of memory as the argument, without copying it. */
#ifndef CF_LIB_EXECUTOR_SUBMIT_H
#define CF_LIB_EXECUTOR_SUBMIT_H

#include <cfutures/executor.h>

/* As cf_submit(), but the argument is block, a block of cf__arg_alloc() that
 * belongs to the library from now on, also on error. at_once: does not wait for
 * room, and runs neither callbacks that are due nor the task: goes over the
 * bound. */
cf_err cf__submit_block(cf_executor *ex,
                        cf_task_fn *fn,
                        void *block,
                        size_t size,
                        bool at_once,
                        cf_future **out);

/* There is no room now: a submit would wait for room, or run its task. */
bool cf__submit_would_wait(cf_executor *ex);

#endif
