/* SPDX-License-Identifier: MIT */
/*
 * How a worker knows itself: a word that is not 0 in the worker, and 0 in every
 * process that is forked from it. A task may fork a child, and the child may
 * return from the task as the worker does: one load tells them apart.
 */
#ifndef CF_PROCESS_POOL_HOME_H
#define CF_PROCESS_POOL_HOME_H

#include "lib/base/atomic.h"

#include <stdint.h>

/* Makes the calling process a worker. The word is for cf_call.home. */
const _Atomic uint32_t *cf__home_enter(void);

#endif
