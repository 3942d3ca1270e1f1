/* SPDX-License-Identifier: MIT */
/* Submitting a block of memory as the argument, without copying it. */
#ifndef CF_LIB_EXECUTOR_SUBMIT_H
#define CF_LIB_EXECUTOR_SUBMIT_H

#include <cfutures/executor.h>

/* As cf_submit(), but block is malloc'ed and the library's from now on, also
 * on error. at_once: neither waits for room nor runs what else is due or the
 * task, but goes over the bound. */
cf_err cf__submit_block(cf_executor *ex,
                        cf_task_fn *fn,
                        void *block,
                        size_t size,
                        bool at_once,
                        cf_future **out);

/* There is no room now: a submit would wait for it, or run its task. */
bool cf__submit_would_wait(cf_executor *ex);

#endif
