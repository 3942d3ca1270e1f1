/* SPDX-License-Identifier: MIT */
/* Submitting a block of memory as the argument, without copying it. */
#ifndef CF_LIB_SUBMIT_H
#define CF_LIB_SUBMIT_H

#include <cfutures/executor.h>

/* As cf_submit(), but block is malloc'ed and the library's from now on, also
 * on error. */
cf_err cf__submit_block(
    cf_executor *ex, cf_task_fn *fn, void *block, size_t size, cf_future **out);

#endif
