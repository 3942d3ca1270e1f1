/* SPDX-License-Identifier: MIT */
/*
 * How the wait of a deferred task ends: the executor gets the task, or the task
 * fails without having run. README.md, "Deferred tasks".
 */
#ifndef CF_LIB_EXECUTOR_SETTLE_H
#define CF_LIB_EXECUTOR_SETTLE_H

#include "lib/executor/deferred.h"

/* All inputs are done, or one has failed: ends the wait, unless another thread
 * does. Takes over one use of d's memory. */
void cf__settle(struct cf__deferred *d);

/* The executor takes no more tasks: cancels the task, or fails it with
 * CF_ESHUTDOWN. Takes over one use of d's memory. */
void cf__settle_closed(struct cf__deferred *d, bool cancel);

#endif
