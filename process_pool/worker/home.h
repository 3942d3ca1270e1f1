/* SPDX-License-Identifier: MIT */
/*
 * How a worker knows itself: a word that is not 0 in the worker, and 0 in
 * whatever is forked from it. A child that a task forks, and that returns from
 * the task as its parent does, is told apart by one load.
 */
#ifndef CF_PROCESS_POOL_HOME_H
#define CF_PROCESS_POOL_HOME_H

#include "lib/base/atomic.h"

#include <stdint.h>

/* The calling process is a worker from now on. The word is for
 * cf_call.home. */
const _Atomic uint32_t *cf__home_enter(void);

#endif
