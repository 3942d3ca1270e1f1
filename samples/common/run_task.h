/* SPDX-License-Identifier: MIT */
/*
 * A program that is one task of an event loop, and what that submits.
 */
#ifndef COMMON_RUN_TASK_H
#define COMMON_RUN_TASK_H

#include <cfutures/cfutures.h>

/* Runs the task in an event loop; Ctrl-C tells it to stop. false, after a
 * sentence on standard error: it has failed, or could not be run. */
bool
run_task(const char *program, cf_task_fn *fn, const void *arg, size_t arg_size);

#endif
