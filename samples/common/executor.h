/* SPDX-License-Identifier: MIT */
/* The executor that a command line names. */
#ifndef COMMON_EXECUTOR_H
#define COMMON_EXECUTOR_H

#include <cfutures/cfutures.h>

/* 0; or an exit status, after a sentence on standard error. */
int
open_executor(const char *program, const char *spec, cf_executor **executor);

#endif
