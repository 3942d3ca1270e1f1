/* SPDX-License-Identifier: MIT */
/* The task: the SHA-256 of one file. */
#ifndef SUMTREE_SUM_H
#define SUMTREE_SUM_H

#include "tree.h"

#include <cfutures/cfutures.h>

/* A cf_task_fn; arg is a struct file that was there before the executor: so a
 * worker process has it, too. The result is the sum. */
int sum_file(cf_call *call, const void *arg, size_t arg_size);

#endif
