/* SPDX-License-Identifier: MIT */
/* The task that builds one target. */
#ifndef BUILD_GRAPH_BUILD_H
#define BUILD_GRAPH_BUILD_H

#include "plan.h"

#include <cfutures/cfutures.h>

/* A cf_task_fn; arg is a target, in memory that was there before the executor:
 * so a worker process has it, too. Its result is how long it took, an int64_t
 * in nanoseconds. */
int build(cf_call *call, const void *arg, size_t arg_size);

#endif
